/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The enumerations of the library; their docs are in job-enums.c. */

#pragma once

#include "job-macros.h"

G_BEGIN_DECLS

typedef enum
{
  JOB_STATE_BLOCKED,
  JOB_STATE_SCHEDULED,
  JOB_STATE_PENDING,
  JOB_STATE_RUNNING,
  JOB_STATE_SUCCEEDED,
  JOB_STATE_FAILED,
  JOB_STATE_CANCELED,
} JobState;

typedef enum
{
  JOB_CONDITION_AFTER_OK,
  JOB_CONDITION_AFTER_ANY,
  JOB_CONDITION_AFTER_NOT_OK,
} JobCondition;

typedef enum
{
  JOB_REASON_NONE,
  JOB_REASON_REQUESTED,
  JOB_REASON_DEPENDENCY,
  JOB_REASON_DAMAGED_DEPENDENCY,
  JOB_REASON_RUN_AT,
  JOB_REASON_LEASE_WITHOUT_TOKEN,
} JobReason;

#define JOB_TYPE_STATE (job_state_get_type ())
#define JOB_TYPE_CONDITION (job_condition_get_type ())
#define JOB_TYPE_REASON (job_reason_get_type ())

JOB_API GType job_state_get_type (void);
JOB_API GType job_condition_get_type (void);
JOB_API GType job_reason_get_type (void);

JOB_API const char *job_state_to_string (JobState state);
JOB_API gboolean job_state_from_string (const char *text, JobState *state, GError **error);
JOB_API gboolean job_state_is_final (JobState state);
JOB_API const char *job_condition_to_string (JobCondition condition);
JOB_API gboolean job_condition_from_string (const char *text, JobCondition *condition,
                                            GError **error);

G_END_DECLS
