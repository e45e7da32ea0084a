/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a record is made of texts that lie in a buffer. */

#pragma once

#include "job-record.h"

G_BEGIN_DECLS

/* A text that need not be terminated. */
typedef struct
{
  const char *at;
  gsize length;
} JobSlice;

/* One piece of memory: the record, its dependencies, and type, channel and args, if they are given.
 */
JobRecord *job_record_new_from_slices (guint n_dependencies, const JobSlice texts[3]);

G_END_DECLS
