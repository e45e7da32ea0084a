/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the parts of job-json share. */

#pragma once

#include "job-json.h"

G_BEGIN_DECLS

static inline const guint8 *
job_json_skip_space (const guint8 *at, const guint8 *end)
{
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  return at;
}

const char *job_json_scan_string (const guint8 **at, const guint8 *end, gboolean *escaped);
const char *job_json_scan_number (const guint8 **at, const guint8 *end);
gsize job_json_unescape (const guint8 *at, const guint8 *end, guint8 *out);

G_END_DECLS
