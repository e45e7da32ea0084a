/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A handler, where backends are. */

#include "job-plugin.h"

static GType
get_type (void)
{
  g_error ("A module of the wrong kind was asked for its type");
  return G_TYPE_INVALID;
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_HANDLER, "wrong-kind", get_type, NULL)
