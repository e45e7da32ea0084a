/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "job-enums.h"

G_BEGIN_DECLS

#define JOB_TYPE_INFO (job_info_get_type ())
JOB_API
G_DECLARE_FINAL_TYPE (JobInfo, job_info, JOB, INFO, GObject)

JOB_API const char *job_info_get_id (JobInfo *self);
JOB_API const char *job_info_get_job_type (JobInfo *self);
JOB_API const char *job_info_get_channel (JobInfo *self);
JOB_API const char *job_info_get_args (JobInfo *self);
JOB_API JobState job_info_get_state (JobInfo *self);
JOB_API const char *job_info_get_result (JobInfo *self);
JOB_API const char *job_info_get_error (JobInfo *self);
JOB_API int job_info_get_priority (JobInfo *self);
JOB_API guint job_info_get_attempts (JobInfo *self);
JOB_API guint job_info_get_max_attempts (JobInfo *self);
JOB_API gint64 job_info_get_queued_at (JobInfo *self);
JOB_API gint64 job_info_get_run_at (JobInfo *self);
JOB_API gint64 job_info_get_started_at (JobInfo *self);
JOB_API gint64 job_info_get_finished_at (JobInfo *self);
JOB_API const char *const *job_info_get_dependencies (JobInfo *self);
JOB_API JobCondition job_info_get_condition (JobInfo *self, guint index);
JOB_API const char *const *job_info_get_dependents (JobInfo *self);
JOB_API JobReason job_info_get_reason (JobInfo *self);
JOB_API const char *job_info_get_culprit (JobInfo *self);
JOB_API char *job_info_dup_reason_text (JobInfo *self);
JOB_API const char *job_info_get_token (JobInfo *self);
JOB_API gint64 job_info_get_heartbeat_age (JobInfo *self);
JOB_API char *job_info_to_json (JobInfo *self);

G_END_DECLS
