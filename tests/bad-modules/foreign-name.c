/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backend that calls itself something else than its file does. */

#include "job-plugin.h"

static GType
get_type (void)
{
  g_error ("A module of a foreign name was asked for its type");
  return G_TYPE_INVALID;
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "somebody-else", get_type, NULL)
