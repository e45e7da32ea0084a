/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an administrator does: ending jobs, looking after leases and damaged records, closing. */

#include "job-queue-private.h"

#include "job-error.h"

static gboolean
start_cancel (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  JobId id;

  if (!job_id_parse (verb->id, "id", &id, error))
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->cancel (self, &id, call);
  return TRUE;
}

static gboolean
start_list_leases (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  if (verb->duration < 0)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "older_than is %" G_GINT64_FORMAT ": use microseconds, 0 for every lease",
                   verb->duration);
      return FALSE;
    }
  JOB_QUEUE_GET_IFACE (self)->list_leases (self, verb->duration, call);
  return TRUE;
}

static gboolean
start_list_damaged (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  JOB_QUEUE_GET_IFACE (self)->list_damaged (self, call);
  return TRUE;
}

static gboolean
start_move_damaged (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  if (verb->directory == NULL || *verb->directory == '\0')
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "The directory is %s: name an existing folder to move the records to",
                   verb->directory == NULL ? "missing" : "empty");
      return FALSE;
    }
  JOB_QUEUE_GET_IFACE (self)->move_damaged (self, verb->directory, call);
  return TRUE;
}

static gboolean
start_close (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  JOB_QUEUE_GET_IFACE (self)->close (self, call);
  return TRUE;
}

/**
 * job_queue_cancel:
 * @self: a queue
 * @id: the id of a job
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Cancels a job that is not over: it never runs, or its lease ends at once, with its token, and
 * the holder's #GCancellable fires. Its dependents that need its success are canceled, too, and so
 * on.
 *
 * Errors: %JOB_ERROR_INVALID (@id is malformed), %JOB_ERROR_NOT_FOUND (there is no such job),
 * %JOB_ERROR_CANCELED (it was canceled before), %JOB_ERROR_NOT_RUNNING (it is over already;
 * nothing changes), %G_IO_ERROR_CANCELLED (@cancellable was cancelled before anything was done),
 * and those of #JobQueue.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_cancel (JobQueue *self, const char *id, GCancellable *cancellable, GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_cancel, .id = id }, cancellable, error) != NULL;
}

/**
 * job_queue_cancel_async:
 * @self: a queue
 * @id: the id of a job
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_cancel(): see there for what it does and for its errors, all
 * of which come through job_queue_cancel_finish(). It does no I/O in the calling thread. @callback
 * is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_cancel_async (JobQueue *self, const char *id, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_cancel, .id = id }, cancellable,
                       job_queue_cancel_async, callback, user_data);
}

/**
 * job_queue_cancel_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_cancel_async(): the one that job_queue_cancel() gives, with its errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_cancel_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_cancel_async, error) != NULL;
}

/**
 * job_queue_list_leases:
 * @self: a queue
 * @older_than: only leases whose last heartbeat is at least so many microseconds ago; 0: all
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Lists the running jobs, the oldest heartbeat first, each with its token and the age of its
 * heartbeat. What was left behind by a worker that died is found so; job_queue_release() takes
 * such a job back.
 *
 * After a queue was opened, heartbeats count from the opening.
 *
 * Errors: %JOB_ERROR_INVALID (@older_than is negative), %G_IO_ERROR_CANCELLED (@cancellable was
 * cancelled), and those of #JobQueue.
 *
 * Returns: (transfer full): a #GListModel of #JobInfo, or %NULL with @error set
 *
 * Since: 1.0
 */
GListModel *
job_queue_list_leases (JobQueue *self, gint64 older_than, GCancellable *cancellable, GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_list_leases, .duration = older_than }, cancellable,
                        error);
}

/**
 * job_queue_list_leases_async:
 * @self: a queue
 * @older_than: only leases whose last heartbeat is at least so many microseconds ago; 0: all
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_list_leases(): see there for what it does and for its errors,
 * all of which come through job_queue_list_leases_finish(). It does no I/O in the calling thread.
 * @callback is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_list_leases_async (JobQueue *self, gint64 older_than, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_list_leases, .duration = older_than }, cancellable,
                       job_queue_list_leases_async, callback, user_data);
}

/**
 * job_queue_list_leases_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_list_leases_async(): the one that job_queue_list_leases() gives, with
 * its errors.
 *
 * Returns: (transfer full): a #GListModel of #JobInfo, or %NULL with @error set
 *
 * Since: 1.0
 */
GListModel *
job_queue_list_leases_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_list_leases_async, error);
}

/**
 * job_queue_list_damaged:
 * @self: a queue
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Lists the records that could not be read so far. They are left where they are; the queue works
 * without them, and what depends on them is blocked.
 *
 * Errors: %G_IO_ERROR_CANCELLED (@cancellable was cancelled), and those of #JobQueue.
 *
 * Returns: (transfer full): a #GListModel of #JobDamage, or %NULL with @error set
 *
 * Since: 1.0
 */
GListModel *
job_queue_list_damaged (JobQueue *self, GCancellable *cancellable, GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_list_damaged }, cancellable, error);
}

/**
 * job_queue_list_damaged_async:
 * @self: a queue
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_list_damaged(): see there for what it does and for its
 * errors, all of which come through job_queue_list_damaged_finish(). It does no I/O in the calling
 * thread. @callback is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_list_damaged_async (JobQueue *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_list_damaged }, cancellable,
                       job_queue_list_damaged_async, callback, user_data);
}

/**
 * job_queue_list_damaged_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_list_damaged_async(): the one that job_queue_list_damaged() gives, with
 * its errors.
 *
 * Returns: (transfer full): a #GListModel of #JobDamage, or %NULL with @error set
 *
 * Since: 1.0
 */
GListModel *
job_queue_list_damaged_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_list_damaged_async, error);
}

/**
 * job_queue_move_damaged:
 * @self: a queue
 * @directory: (type filename): an existing folder
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Moves all damaged records into a folder, never over a file that is there.
 *
 * Errors: %JOB_ERROR_INVALID (@directory is missing or empty), %JOB_ERROR_STORAGE (a record cannot
 * be moved), %G_IO_ERROR_CANCELLED (@cancellable was cancelled before anything was done), and
 * those of #JobQueue.
 *
 * Returns: (transfer full): what was moved, a #GListModel of #JobDamage, or %NULL with @error set
 *
 * Since: 1.0
 */
GListModel *
job_queue_move_damaged (JobQueue *self, const char *directory, GCancellable *cancellable,
                        GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_move_damaged, .directory = directory }, cancellable,
                        error);
}

/**
 * job_queue_move_damaged_async:
 * @self: a queue
 * @directory: (type filename): an existing folder
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_move_damaged(): see there for what it does and for its
 * errors, all of which come through job_queue_move_damaged_finish(). It does no I/O in the calling
 * thread. @callback is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_move_damaged_async (JobQueue *self, const char *directory, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_move_damaged, .directory = directory }, cancellable,
                       job_queue_move_damaged_async, callback, user_data);
}

/**
 * job_queue_move_damaged_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_move_damaged_async(): the one that job_queue_move_damaged() gives, with
 * its errors.
 *
 * Returns: (transfer full): what was moved, a #GListModel of #JobDamage, or %NULL with @error set
 *
 * Since: 1.0
 */
GListModel *
job_queue_move_damaged_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_move_damaged_async, error);
}

/**
 * job_queue_close:
 * @self: a queue
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Closes the queue: those who wait get %JOB_ERROR_CLOSED, what is on its way is finished, and the
 * store is brought to its clean state and unlocked. Leases stay, with their tokens: whoever opens
 * the store next has them.
 *
 * Every later verb gives %JOB_ERROR_CLOSED. Dropping the last reference closes a queue, too, but
 * cannot tell of errors.
 *
 * Errors: %JOB_ERROR_CLOSED (it is closed already), %JOB_ERROR_STORAGE (something could not be
 * written; the next opening makes up for it), %G_IO_ERROR_CANCELLED (@cancellable was cancelled
 * before anything was done).
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_close (JobQueue *self, GCancellable *cancellable, GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_close }, cancellable, error) != NULL;
}

/**
 * job_queue_close_async:
 * @self: a queue
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_close(): see there for what it does and for its errors, all
 * of which come through job_queue_close_finish(). It does no I/O in the calling thread. @callback
 * is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_close_async (JobQueue *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_close }, cancellable, job_queue_close_async,
                       callback, user_data);
}

/**
 * job_queue_close_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_close_async(): the one that job_queue_close() gives, with its errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_close_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_close_async, error) != NULL;
}
