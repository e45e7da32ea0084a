/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The interface, and how a verb runs. The verbs are in files of their own:
 *
 *   job-queue-enqueue.c   enqueue, enqueue_many
 *   job-queue-dequeue.c   dequeue, dequeue_by_id
 *   job-queue-lease.c     complete, fail, release, heartbeat, lookup_token
 *   job-queue-read.c      get_info, wait, list
 *   job-queue-upkeep.c    cancel, list_leases, list_damaged, move_damaged, close
 *
 * Opening a queue is in job-queue-open.c. */

#include "job-queue-private.h"

#include "job-error.h"

/**
 * JobQueue:
 *
 * A durable queue of jobs: what applications, workers and tools use, whatever backend keeps the
 * jobs.
 *
 * # Verbs
 *
 * job_queue_enqueue() puts a job in, job_queue_dequeue() takes the first one that may run and gives
 * a #JobLease on it, and job_queue_complete() or job_queue_fail() end that. Each verb is there as a
 * blocking call and as an asynchronous pair; both check and do the same. What a verb has done is
 * durable when it returns, or when its callback is called, and not before.
 *
 * # Arguments
 *
 * Ids and tokens are UUIDs in their canonical form. Args, results and errors are JSON text, checked
 * strictly (RFC 8259: one value, UTF-8, no duplicate keys, at most 512 deep) and kept byte for byte
 * but for white space around the value; %NULL is the JSON value `null`. A bad argument gives
 * %JOB_ERROR_INVALID, which names the culprit, and nothing is done.
 *
 * # Cancellation
 *
 * A cancelled #GCancellable gives %G_IO_ERROR_CANCELLED, before anything is done. Later it ends
 * only what waits: job_queue_dequeue() and job_queue_wait(). A change that is on its way is not
 * taken back, and its outcome is told.
 *
 * # Threads
 *
 * Every verb may be called from any thread. A callback is called in the thread-default main context
 * of the thread that asked. After a fork only exec is allowed.
 *
 * An asynchronous call holds a reference on its queue until its callback has been called: a queue
 * that is dropped while a call waits closes when that is over. To end it at once, call
 * job_queue_close(), or cancel what waits. If the main context never runs again, neither does the
 * callback, and the reference stays.
 *
 * # Errors
 *
 * Besides those that each verb names, any of them can give %JOB_ERROR_CLOSED once the queue is
 * closed, %JOB_ERROR_STORAGE if reading or writing failed, and %JOB_ERROR_CORRUPT if the record
 * that it needs is damaged.
 *
 * The life of a job, and which function makes which transition, is drawn in the documentation's
 * `architecture.md`.
 *
 * Since: 1.0
 */

G_DEFINE_INTERFACE (JobQueue, job_queue, G_TYPE_OBJECT)

static void
job_queue_default_init (JobQueueInterface *iface)
{
}

static void
start (JobQueue *self, const JobVerb *verb, JobCall *call)
{
  GError *error = NULL;

  if (g_cancellable_set_error_if_cancelled (job_call_get_cancellable (call), &error) ||
      !verb->start (self, verb, call, &error))
    job_call_return_error (call, error);
}

gpointer
job_queue_run (JobQueue *self, const JobVerb *verb, GCancellable *cancellable, GError **error)
{
  JobCall *call;

  g_return_val_if_fail (JOB_IS_QUEUE (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  call = job_call_new_blocking (self, cancellable);
  start (self, verb, call);
  return job_call_wait (call, error);
}

void
job_queue_run_async (JobQueue *self, const JobVerb *verb, GCancellable *cancellable,
                     gpointer source_tag, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (JobCall) call = NULL;

  g_return_if_fail (JOB_IS_QUEUE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  call = job_call_new_async (self, verb->lease ? (gpointer) verb->lease : self, cancellable,
                             source_tag, callback, user_data);
  start (self, verb, call);
}

gpointer
job_queue_run_finish (JobQueue *self, GAsyncResult *async_result, gpointer source_tag,
                      GError **error)
{
  g_return_val_if_fail (JOB_IS_QUEUE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return job_call_finish (self, async_result, source_tag, error);
}

gboolean
job_queue_check_timeout (gint64 timeout, GError **error)
{
  if (timeout >= -1)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
               "The timeout is %" G_GINT64_FORMAT
               ": use microseconds, 0 for not to wait, or -1 for no limit",
               timeout);
  return FALSE;
}
