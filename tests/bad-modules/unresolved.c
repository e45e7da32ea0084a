/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backend that needs a function that is nowhere. */

#include "job-plugin.h"

extern GType job_bad_module_nowhere_get_type (void);

static GType
get_type (void)
{
  return job_bad_module_nowhere_get_type ();
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "unresolved", get_type, NULL)
