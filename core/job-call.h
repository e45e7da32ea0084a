/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One call of a verb, on its way to its answer: a blocking one, or an asynchronous one. A backend
 * gets it with the verb, keeps it as long as it needs, and answers it exactly once, from any
 * thread, never while it holds a lock. An asynchronous answer is delivered in the GMainContext that
 * the caller asked from. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-lease.h"

G_BEGIN_DECLS

typedef struct _JobCall JobCall;

JOB_API JobCall *job_call_ref (JobCall *self);
JOB_API void job_call_unref (JobCall *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobCall, job_call_unref)

/* The queue that was called; it lives at least until the answer. */
JOB_API gpointer job_call_get_queue (JobCall *self);
/* Whether the caller's thread waits: then the work may be done, and I/O made, in it. */
JOB_API gboolean job_call_is_blocking (JobCall *self);
JOB_API GCancellable *job_call_get_cancellable (JobCall *self);

/* The answer of a verb that returns an object, a string or a list; @destroy frees it if nobody
 * takes it. */
JOB_API void job_call_return_pointer (JobCall *self, gpointer value, GDestroyNotify destroy);
/* The answer of a verb that returns TRUE. */
JOB_API void job_call_return_true (JobCall *self);
/* The answer of a dequeue (transfer full). If it cannot be delivered (the caller cancelled, gave no
 * callback, or did not take it), the lease is released. */
JOB_API void job_call_return_lease (JobCall *self, JobLease *lease);
JOB_API void job_call_return_error (JobCall *self, GError *error);

/* For implementations of JobQueue: a lease to hand out. @cancellable fires at every end that the
 * holder did not make. */
JOB_API JobLease *job_lease_new (gpointer queue, const char *id, const char *token,
                                 const char *type, const char *channel, const char *args,
                                 guint attempt, char **dependencies, GCancellable *cancellable);

G_END_DECLS
