/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The shape that all verbs share.
 *
 * Each verb is a start function: it checks the arguments, then hands them to the backend's vfunc,
 * once. Its public functions only put the arguments together, and say whether to wait:
 *
 *   job_queue_cancel()         → job_queue_run()        ┐
 *                                                       ├→ start_cancel() → vfunc cancel
 *   job_queue_cancel_async()   → job_queue_run_async()  ┘
 *   job_queue_cancel_finish()  → job_queue_run_finish()
 *
 * A cancelled cancellable, and bad arguments, are answered through the call like everything else:
 * an asynchronous caller learns of them in its callback, never before the verb has returned. */

#pragma once

#include "job-call-private.h"
#include "job-queue-backend.h"

G_BEGIN_DECLS

/* A verb with its arguments, as the user gave them; each verb uses some of them. All are the
 * caller's. */
typedef struct _JobVerb JobVerb;
struct _JobVerb
{
  /* Checks, then calls the vfunc, which answers @call. FALSE: a check failed, nothing was done, and
   * @call is not answered. */
  gboolean (*start) (JobQueue *queue, const JobVerb *verb, JobCall *call, GError **error);

  JobLease *lease; /* whose id and token it is, and who is the source of the callback; or NULL */
  const char *id;
  const char *token; /* NULL where an administrator asks */
  const char *json;
  const char *const *types;
  const char *const *channels;
  gint64 duration; /* µs */
  JobSpec **specs;
  gsize n_specs;
  JobFilter *filter;
  const char *directory;
};

/* Runs the verb in this thread; NULL means an error. */
gpointer job_queue_run (JobQueue *self, const JobVerb *verb, GCancellable *cancellable,
                        GError **error);
void job_queue_run_async (JobQueue *self, const JobVerb *verb, GCancellable *cancellable,
                          gpointer source_tag, GAsyncReadyCallback callback, gpointer user_data);
gpointer job_queue_run_finish (JobQueue *self, GAsyncResult *async_result, gpointer source_tag,
                               GError **error);

/* The start functions that leases have verbs for. */
gboolean job_verb_complete (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error);
gboolean job_verb_fail (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error);
gboolean job_verb_release (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error);
gboolean job_verb_heartbeat (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error);

/* -1 (for ever) or more. */
gboolean job_queue_check_timeout (gint64 timeout, GError **error);

G_END_DECLS
