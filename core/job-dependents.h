/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which jobs name a job as a dependency: the reverse of JobRecord.dependencies, for stores that
 * have no index of their own. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-record.h"

G_BEGIN_DECLS

typedef struct _JobDependents JobDependents;

JOB_API JobDependents *job_dependents_new (void);
JOB_API void job_dependents_free (JobDependents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobDependents, job_dependents_free)
/* Adding a job twice is as adding it once. */
JOB_API void job_dependents_add (JobDependents *self, const JobRecord *record);
JOB_API void job_dependents_list (JobDependents *self, const JobId *id, GArray *ids);
JOB_API void job_dependents_clear (JobDependents *self);

G_END_DECLS
