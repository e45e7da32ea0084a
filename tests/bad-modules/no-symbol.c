/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A library, but no plugin. */

#include "job-macros.h"

JOB_API int job_bad_module_answer (void);

int
job_bad_module_answer (void)
{
  return 42;
}
