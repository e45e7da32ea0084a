/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the interface makes a call, and takes its answer. */

#pragma once

#include "job-call.h"

G_BEGIN_DECLS

/* A call whose caller waits in job_call_wait(). @cancellable may be NULL. */
JobCall *job_call_new_blocking (gpointer queue, GCancellable *cancellable);
/* Waits for the answer and consumes the call. A verb that answers TRUE gives a non-NULL pointer
 * that must not be freed; NULL means an error. */
gpointer job_call_wait (JobCall *self, GError **error);

/* Has the thread that waits in job_call_wait(), or will, call @func, unless the answer comes first.
 * One errand at a time: another one that was not begun is forgotten. From any thread, with any lock
 * held. */
typedef void (*JobCallErrand) (gpointer data);
void job_call_ask (JobCall *self, JobCallErrand errand, gpointer data);

/* Where an answer is delivered; NULL: nowhere, or to a thread that waits. */
GMainContext *job_call_get_context (JobCall *self);

/* A call that calls back in the thread-default context of now, for @source: the queue, or an object
 * that has a verb of its own. */
JobCall *job_call_new_async (gpointer queue, gpointer source, GCancellable *cancellable,
                             gpointer source_tag, GAsyncReadyCallback callback, gpointer user_data);
/* The answer of such a call, for a _finish function; NULL means an error. */
gpointer job_call_finish (gpointer source, GAsyncResult *async_result, gpointer source_tag,
                          GError **error);

G_END_DECLS
