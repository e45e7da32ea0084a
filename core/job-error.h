/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "job-macros.h"

G_BEGIN_DECLS

#define JOB_ERROR (job_error_quark ())
#define JOB_TYPE_ERROR (job_error_get_type ())

typedef enum
{
  JOB_ERROR_FAILED,
  JOB_ERROR_NOT_FOUND,
  JOB_ERROR_NOT_PENDING,
  JOB_ERROR_NOT_RUNNING,
  JOB_ERROR_CANCELED,
  JOB_ERROR_TIMED_OUT,
  JOB_ERROR_INVALID,
  JOB_ERROR_LEASE_LOST,
  JOB_ERROR_EXISTS,
  JOB_ERROR_LOCKED,
  JOB_ERROR_CORRUPT,
  JOB_ERROR_STORAGE,
  JOB_ERROR_CLOSED,
  JOB_ERROR_VERSION,
  JOB_ERROR_CONFIG,
  JOB_ERROR_PLUGIN,
} JobError;

JOB_API GQuark job_error_quark (void);
JOB_API GType job_error_get_type (void);

G_END_DECLS
