/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looking at jobs. */

#include "job-queue-private.h"

#include "job-filter-private.h"

static gboolean
start_get_info (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  JobId id;

  if (!job_id_parse (verb->id, "id", &id, error))
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->get_info (self, &id, call);
  return TRUE;
}

static gboolean
start_wait (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  JobId id;

  if (!job_id_parse (verb->id, "id", &id, error) ||
      !job_queue_check_timeout (verb->duration, error))
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->wait (self, &id, verb->duration, call);
  return TRUE;
}

/* The backend gets a copy, so that it may keep it while the user goes on with the filter. */
static gboolean
start_list (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  g_autoptr (JobFilter) filter = job_filter_copy (verb->filter);

  if (!job_filter_check (filter, error))
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->list (self, filter, call);
  return TRUE;
}

/**
 * job_queue_get_info:
 * @self: a queue
 * @id: the id of a job
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * What a job looks like now: how it stands, what it waits for and why, and how it ended.
 *
 * Errors: %JOB_ERROR_INVALID (@id is malformed), %JOB_ERROR_NOT_FOUND (there is no such job),
 * %G_IO_ERROR_CANCELLED (@cancellable was cancelled), and those of #JobQueue.
 *
 * Returns: (transfer full): what the job looks like, or %NULL with @error set
 *
 * Since: 1.0
 */
JobInfo *
job_queue_get_info (JobQueue *self, const char *id, GCancellable *cancellable, GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_get_info, .id = id }, cancellable, error);
}

/**
 * job_queue_get_info_async:
 * @self: a queue
 * @id: the id of a job
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_get_info(): see there for what it does and for its errors,
 * all of which come through job_queue_get_info_finish(). It does no I/O in the calling thread.
 * @callback is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_get_info_async (JobQueue *self, const char *id, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_get_info, .id = id }, cancellable,
                       job_queue_get_info_async, callback, user_data);
}

/**
 * job_queue_get_info_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_get_info_async(): the one that job_queue_get_info() gives, with its
 * errors.
 *
 * Returns: (transfer full): what the job looks like, or %NULL with @error set
 *
 * Since: 1.0
 */
JobInfo *
job_queue_get_info_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_get_info_async, error);
}

/**
 * job_queue_wait:
 * @self: a queue
 * @id: the id of a job
 * @timeout: how long to wait, in microseconds; 0: look once; -1: for ever
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Waits until a job is over: until it succeeded, failed or was canceled.
 *
 * Errors: %JOB_ERROR_INVALID (@id is malformed, or @timeout is below -1), %JOB_ERROR_NOT_FOUND
 * (there is no such job), %JOB_ERROR_TIMED_OUT (it was not over in time), %JOB_ERROR_CLOSED (the
 * queue is, or was meanwhile, closed), %JOB_ERROR_FAILED (100,000 calls wait for it already),
 * %G_IO_ERROR_CANCELLED (@cancellable was cancelled), and those of #JobQueue.
 *
 * Returns: (transfer full): what the job looks like in the end, or %NULL with @error set
 *
 * Since: 1.0
 */
JobInfo *
job_queue_wait (JobQueue *self, const char *id, gint64 timeout, GCancellable *cancellable,
                GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_wait, .id = id, .duration = timeout }, cancellable,
                        error);
}

/**
 * job_queue_wait_async:
 * @self: a queue
 * @id: the id of a job
 * @timeout: how long to wait, in microseconds; 0: look once; -1: for ever
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_wait(): see there for what it does and for its errors, all of
 * which come through job_queue_wait_finish(). It does no I/O in the calling thread. @callback is
 * called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_wait_async (JobQueue *self, const char *id, gint64 timeout, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_wait, .id = id, .duration = timeout }, cancellable,
                       job_queue_wait_async, callback, user_data);
}

/**
 * job_queue_wait_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_wait_async(): the one that job_queue_wait() gives, with its errors.
 *
 * Returns: (transfer full): what the job looks like in the end, or %NULL with @error set
 *
 * Since: 1.0
 */
JobInfo *
job_queue_wait_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_wait_async, error);
}

/**
 * job_queue_list:
 * @self: a queue
 * @filter: (nullable): which jobs to list; %NULL: all
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Lists jobs, in the order in which they are dequeued: the higher priority first, then in the
 * order of their enqueueing.
 *
 * The list is that of one moment; it does not change when the queue does.
 *
 * Errors: %JOB_ERROR_INVALID (a list of names in @filter is empty, or has a name that no job can
 * have), %G_IO_ERROR_CANCELLED (@cancellable was cancelled), and those of #JobQueue.
 *
 * Returns: (transfer full): a #GListModel of #JobInfo, or %NULL with @error set
 *
 * Since: 1.0
 */
GListModel *
job_queue_list (JobQueue *self, JobFilter *filter, GCancellable *cancellable, GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_list, .filter = filter }, cancellable, error);
}

/**
 * job_queue_list_async:
 * @self: a queue
 * @filter: (nullable): which jobs to list; %NULL: all
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_list(): see there for what it does and for its errors, all of
 * which come through job_queue_list_finish(). It does no I/O in the calling thread. @callback is
 * called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_list_async (JobQueue *self, JobFilter *filter, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_list, .filter = filter }, cancellable,
                       job_queue_list_async, callback, user_data);
}

/**
 * job_queue_list_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_list_async(): the one that job_queue_list() gives, with its errors.
 *
 * Returns: (transfer full): a #GListModel of #JobInfo, or %NULL with @error set
 *
 * Since: 1.0
 */
GListModel *
job_queue_list_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_list_async, error);
}
