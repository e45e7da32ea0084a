/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "job-enums.h"

G_BEGIN_DECLS

#define JOB_TYPE_SPEC (job_spec_get_type ())
JOB_API
G_DECLARE_FINAL_TYPE (JobSpec, job_spec, JOB, SPEC, GObject)

JOB_API JobSpec *job_spec_new (const char *type, const char *args);

JOB_API const char *job_spec_get_id (JobSpec *self);
JOB_API gboolean job_spec_set_id (JobSpec *self, const char *id, GError **error);
JOB_API const char *job_spec_get_job_type (JobSpec *self);
JOB_API void job_spec_set_job_type (JobSpec *self, const char *type);
JOB_API const char *job_spec_get_args (JobSpec *self);
JOB_API void job_spec_set_args (JobSpec *self, const char *args);
JOB_API const char *job_spec_get_channel (JobSpec *self);
JOB_API void job_spec_set_channel (JobSpec *self, const char *channel);
JOB_API int job_spec_get_priority (JobSpec *self);
JOB_API void job_spec_set_priority (JobSpec *self, int priority);
JOB_API gint64 job_spec_get_run_at (JobSpec *self);
JOB_API void job_spec_set_run_at (JobSpec *self, gint64 run_at);
JOB_API guint job_spec_get_max_attempts (JobSpec *self);
JOB_API void job_spec_set_max_attempts (JobSpec *self, guint max_attempts);
JOB_API void job_spec_add_dependency (JobSpec *self, const char *id, JobCondition condition);
JOB_API char **job_spec_dup_dependencies (JobSpec *self);

G_END_DECLS
