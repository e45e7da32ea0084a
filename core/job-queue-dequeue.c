/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Taking jobs out. A backend gets either no list, or one that can match something. */

#include "job-queue-private.h"

#include "job-error.h"
#include "job-name-private.h"

#define MAX_PAIRS 100000 /* of a type and a channel; a dequeue that waits has an entry for each */

static guint
count (const char *const *names)
{
  return names ? g_strv_length ((char **) names) : 1;
}

static gboolean
check_pairs (const JobVerb *verb, GError **error)
{
  guint64 n_pairs = (guint64) count (verb->types) * count (verb->channels);

  if (n_pairs <= MAX_PAIRS)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
               "A dequeue of %u types in %u channels serves more than %d pairs of the two; name "
               "fewer, or use "
               "NULL for any",
               count (verb->types), count (verb->channels), MAX_PAIRS);
  return FALSE;
}

static gboolean
start_dequeue (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  if (!job_name_check_types (verb->types, error) ||
      !job_name_check_channels (verb->channels, error) || !check_pairs (verb, error) ||
      !job_queue_check_timeout (verb->duration, error))
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->dequeue (self, verb->types, verb->channels, verb->duration, call);
  return TRUE;
}

static gboolean
start_dequeue_by_id (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  JobId id;

  if (!job_id_parse (verb->id, "id", &id, error))
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->dequeue_by_id (self, &id, call);
  return TRUE;
}

/**
 * job_queue_dequeue:
 * @self: a queue
 * @types: (nullable) (array zero-terminated=1) (transfer none): the types of jobs to take; %NULL:
 * any
 * @channels: (nullable) (array zero-terminated=1) (transfer none): the channels to serve; %NULL:
 * any; the empty string is the default one
 * @timeout: how long to wait, in microseconds; 0: try once; -1: for ever
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Takes the first job that may run now: of the highest priority, and of those the one that was
 * enqueued first, over all of @types and @channels. The job is running from then on, and the lease
 * is the right to run it.
 *
 * If there is none, waits until there is one. Those who wait are served in the order in which they
 * came.
 *
 * If @cancellable is cancelled while this waits, no job is taken. A job that was taken but cannot
 * be delivered any more is released: it is pending again, in its old place.
 *
 * Errors: %JOB_ERROR_INVALID (a list is empty or has more than 10,000 names, the two make more
 * than 100,000 pairs, a name is empty or longer than 255 bytes or not UTF-8, or @timeout is below
 * -1), %JOB_ERROR_TIMED_OUT (there was no such job in time), %JOB_ERROR_CLOSED (the queue is, or
 * was meanwhile, closed), %JOB_ERROR_FAILED (100,000 calls wait already), %G_IO_ERROR_CANCELLED
 * (@cancellable was cancelled), and those of #JobQueue.
 *
 * Returns: (transfer full): a lease on the job, or %NULL with @error set
 *
 * Since: 1.0
 */
JobLease *
job_queue_dequeue (JobQueue *self, const char *const *types, const char *const *channels,
                   gint64 timeout, GCancellable *cancellable, GError **error)
{
  return job_queue_run (
      self, &(JobVerb){ start_dequeue, .types = types, .channels = channels, .duration = timeout },
      cancellable, error);
}

/**
 * job_queue_dequeue_async:
 * @self: a queue
 * @types: (nullable) (array zero-terminated=1) (transfer none): the types of jobs to take; %NULL:
 * any
 * @channels: (nullable) (array zero-terminated=1) (transfer none): the channels to serve; %NULL:
 * any; the empty string is the default one
 * @timeout: how long to wait, in microseconds; 0: try once; -1: for ever
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_dequeue(): see there for what it does and for its errors, all
 * of which come through job_queue_dequeue_finish(). It does no I/O in the calling thread.
 * @callback is called in the thread-default main context of the calling thread.
 *
 * A call that waits is an entry in a list, not a thread: there may be ten thousand of them. If
 * @callback is %NULL, or does not finish the call, the job that was taken is released.
 *
 * Since: 1.0
 */
void
job_queue_dequeue_async (JobQueue *self, const char *const *types, const char *const *channels,
                         gint64 timeout, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  job_queue_run_async (
      self, &(JobVerb){ start_dequeue, .types = types, .channels = channels, .duration = timeout },
      cancellable, job_queue_dequeue_async, callback, user_data);
}

/**
 * job_queue_dequeue_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_dequeue_async(): the one that job_queue_dequeue() gives, with its
 * errors.
 *
 * Returns: (transfer full): a lease on the job, or %NULL with @error set
 *
 * Since: 1.0
 */
JobLease *
job_queue_dequeue_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_dequeue_async, error);
}

/**
 * job_queue_dequeue_by_id:
 * @self: a queue
 * @id: the id of a job
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Takes one particular job, wherever it stands in the order. Never waits for it.
 *
 * Errors: %JOB_ERROR_INVALID (@id is malformed), %JOB_ERROR_NOT_FOUND (there is no such job),
 * %JOB_ERROR_NOT_PENDING (it may not be taken now: it is blocked, scheduled, running or over),
 * %G_IO_ERROR_CANCELLED (@cancellable was cancelled), and those of #JobQueue.
 *
 * Returns: (transfer full): a lease on the job, or %NULL with @error set
 *
 * Since: 1.0
 */
JobLease *
job_queue_dequeue_by_id (JobQueue *self, const char *id, GCancellable *cancellable, GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_dequeue_by_id, .id = id }, cancellable, error);
}

/**
 * job_queue_dequeue_by_id_async:
 * @self: a queue
 * @id: the id of a job
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_dequeue_by_id(): see there for what it does and for its
 * errors, all of which come through job_queue_dequeue_by_id_finish(). It does no I/O in the
 * calling thread. @callback is called in the thread-default main context of the calling thread.
 *
 * If @callback is %NULL, or does not finish the call, the job that was taken is released.
 *
 * Since: 1.0
 */
void
job_queue_dequeue_by_id_async (JobQueue *self, const char *id, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_dequeue_by_id, .id = id }, cancellable,
                       job_queue_dequeue_by_id_async, callback, user_data);
}

/**
 * job_queue_dequeue_by_id_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_dequeue_by_id_async(): the one that job_queue_dequeue_by_id() gives,
 * with its errors.
 *
 * Returns: (transfer full): a lease on the job, or %NULL with @error set
 *
 * Since: 1.0
 */
JobLease *
job_queue_dequeue_by_id_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_dequeue_by_id_async, error);
}
