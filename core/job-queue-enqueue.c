/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Putting jobs in: specs are checked and become records here, all of them before the backend sees
 * the first. */

#include "job-queue-private.h"

#include "job-error.h"
#include "job-spec-private.h"

/* Says which of several specs it was. */
static JobRecord *
check_spec (JobSpec *spec, gsize index, gsize n_specs, gboolean *fresh, GError **error)
{
  JobRecord *record = NULL;

  if (JOB_IS_SPEC (spec))
    record = job_spec_to_record (spec, fresh, error);
  else
    g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                 "The spec is not a JobSpec: make one with job_spec_new()");
  if (record == NULL && n_specs > 1)
    g_prefix_error (error, "Spec %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT ": ", index + 1, n_specs);
  return record;
}

/* No backend is asked about no jobs. */
static void
answer_no_ids (JobCall *call)
{
  job_call_return_pointer (call, g_new0 (char *, 1), (GDestroyNotify) g_strfreev);
}

/* Without lists: there are many of these. */
static gboolean
start_enqueue_one (JobQueue *self, JobSpec *spec, JobCall *call, GError **error)
{
  gboolean fresh;
  g_autoptr (JobRecord) record = check_spec (spec, 0, 1, &fresh, error);

  if (record != NULL)
    JOB_QUEUE_GET_IFACE (self)->enqueue (self, &record, &fresh, 1, call);
  return record != NULL;
}

static gboolean
start_enqueue (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  g_autoptr (GPtrArray) records = NULL;
  g_autofree gboolean *fresh = NULL;

  if (verb->n_specs > 0 && verb->specs == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "The specs are missing: pass as many as n_specs says");
      return FALSE;
    }
  if (verb->n_specs == 1)
    return start_enqueue_one (self, verb->specs[0], call, error);

  records = g_ptr_array_new_with_free_func ((GDestroyNotify) job_record_unref);
  fresh = g_new0 (gboolean, verb->n_specs);
  for (gsize i = 0; i < verb->n_specs; i++)
    {
      JobRecord *record = check_spec (verb->specs[i], i, verb->n_specs, &fresh[i], error);

      if (record == NULL)
        return FALSE;
      g_ptr_array_add (records, record);
    }
  if (verb->n_specs > 0)
    JOB_QUEUE_GET_IFACE (self)->enqueue (self, (JobRecord **) records->pdata, fresh, records->len,
                                         call);
  else
    answer_no_ids (call);
  return TRUE;
}

/* The only one of a list of ids. */
static char *
take_first (char **ids)
{
  char *id = ids != NULL ? ids[0] : NULL;

  g_free (ids);
  return id;
}

/**
 * job_queue_enqueue:
 * @self: a queue
 * @spec: what to run
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Puts a job in. When this returns the job is durable: it exists after any crash, with its args
 * byte for byte. On an error it is not there at all, unless the error says that the outcome is
 * unknown.
 *
 * The job is blocked as long as a dependency is unfinished, scheduled as long as its time has not
 * come, and pending else. If the condition of a dependency cannot come true any more, the job is
 * accepted, and canceled from the start: see job_info_get_reason().
 *
 * Errors: %JOB_ERROR_INVALID (something in @spec is not right; the message names it),
 * %JOB_ERROR_NOT_FOUND (a dependency does not exist), %JOB_ERROR_EXISTS (there is a job with this
 * id, or @spec was enqueued before), %G_IO_ERROR_CANCELLED (@cancellable was cancelled before
 * anything was done), and those of #JobQueue.
 *
 * Returns: (transfer full): the id of the job, or %NULL with @error set; free with g_free()
 *
 * Since: 1.0
 */
char *
job_queue_enqueue (JobQueue *self, JobSpec *spec, GCancellable *cancellable, GError **error)
{
  return take_first (job_queue_run (self, &(JobVerb){ start_enqueue, .specs = &spec, .n_specs = 1 },
                                    cancellable, error));
}

/**
 * job_queue_enqueue_async:
 * @self: a queue
 * @spec: what to run
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_enqueue(): see there for what it does and for its errors, all
 * of which come through job_queue_enqueue_finish(). It does no I/O in the calling thread.
 * @callback is called in the thread-default main context of the calling thread.
 *
 * @spec is read before this returns.
 *
 * Since: 1.0
 */
void
job_queue_enqueue_async (JobQueue *self, JobSpec *spec, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_enqueue, .specs = &spec, .n_specs = 1 }, cancellable,
                       job_queue_enqueue_async, callback, user_data);
}

/**
 * job_queue_enqueue_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_enqueue_async(): the one that job_queue_enqueue() gives, with its
 * errors.
 *
 * Returns: (transfer full): the id of the job, or %NULL with @error set; free with g_free()
 *
 * Since: 1.0
 */
char *
job_queue_enqueue_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return take_first (job_queue_run_finish (self, async_result, job_queue_enqueue_async, error));
}

/**
 * job_queue_enqueue_many:
 * @self: a queue
 * @specs: (array length=n_specs) (transfer none): what to run
 * @n_specs: how many there are; 0 gives an empty list, and asks nothing of the backend
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Puts several jobs in at once: all of them or none, also over a crash.
 *
 * A spec may name others of the same call as dependencies, by job_spec_get_id(), in any order. The
 * jobs are queued in the order of @specs.
 *
 * Errors: %JOB_ERROR_INVALID (something in a spec is not right, or they wait for each other in a
 * circle; the message names the culprit), %JOB_ERROR_NOT_FOUND (a dependency does not exist),
 * %JOB_ERROR_EXISTS (there is a job with one of the ids, or two specs have the same),
 * %G_IO_ERROR_CANCELLED (@cancellable was cancelled before anything was done), and those of
 * #JobQueue.
 *
 * Returns: (array zero-terminated=1) (transfer full): the ids of the jobs, in the order of @specs,
 * or %NULL with @error set; free with g_strfreev()
 *
 * Since: 1.0
 */
char **
job_queue_enqueue_many (JobQueue *self, JobSpec **specs, gsize n_specs, GCancellable *cancellable,
                        GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_enqueue, .specs = specs, .n_specs = n_specs },
                        cancellable, error);
}

/**
 * job_queue_enqueue_many_async:
 * @self: a queue
 * @specs: (array length=n_specs) (transfer none): what to run
 * @n_specs: how many there are; 0 gives an empty list, and asks nothing of the backend
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_enqueue_many(): see there for what it does and for its
 * errors, all of which come through job_queue_enqueue_many_finish(). It does no I/O in the calling
 * thread. @callback is called in the thread-default main context of the calling thread.
 *
 * @specs are read before this returns.
 *
 * Since: 1.0
 */
void
job_queue_enqueue_many_async (JobQueue *self, JobSpec **specs, gsize n_specs,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_enqueue, .specs = specs, .n_specs = n_specs },
                       cancellable, job_queue_enqueue_many_async, callback, user_data);
}

/**
 * job_queue_enqueue_many_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_enqueue_many_async(): the one that job_queue_enqueue_many() gives, with
 * its errors.
 *
 * Returns: (array zero-terminated=1) (transfer full): the ids of the jobs, in the order of @specs,
 * or %NULL with @error set; free with g_strfreev()
 *
 * Since: 1.0
 */
char **
job_queue_enqueue_many_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_enqueue_many_async, error);
}
