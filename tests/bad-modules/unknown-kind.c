/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A plugin of a kind that this library does not know. */

#include "job-plugin.h"

static GType
get_type (void)
{
  g_error ("A module of an unknown kind was asked for its type");
  return G_TYPE_INVALID;
}

JOB_PLUGIN_DEFINE (77, "unknown-kind", get_type, NULL)
