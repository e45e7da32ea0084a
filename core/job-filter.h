/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "job-enums.h"

G_BEGIN_DECLS

#define JOB_TYPE_FILTER (job_filter_get_type ())
JOB_API
G_DECLARE_FINAL_TYPE (JobFilter, job_filter, JOB, FILTER, GObject)

JOB_API JobFilter *job_filter_new (void);
JOB_API void job_filter_add_state (JobFilter *self, JobState state);
JOB_API void job_filter_set_types (JobFilter *self, const char *const *types);
JOB_API void job_filter_set_channels (JobFilter *self, const char *const *channels);
JOB_API void job_filter_set_limit (JobFilter *self, guint limit);
JOB_API guint job_filter_get_limit (JobFilter *self);

G_END_DECLS
