/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs of a lease. They are the queue's, with the id and the token of the lease; an
 * asynchronous one has the lease as its source object, so that one callback has all it needs. */

#include "job-lease-private.h"

#include "job-queue-private.h"

static gboolean
run (JobLease *self, const JobVerb *verb, GCancellable *cancellable, GError **error)
{
  return job_queue_run (self->queue, verb, cancellable, error) != NULL;
}

static gboolean
take_answer (JobLease *self, GAsyncResult *result, gpointer source_tag, GError **error)
{
  return job_call_finish (self, result, source_tag, error) != NULL;
}

/**
 * job_lease_complete:
 * @self: a lease
 * @result: (nullable): JSON text; %NULL is the JSON value `null`
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Ends the job well: it has succeeded, for good, with this result. The lease is over then.
 *
 * Errors: those of job_queue_complete(). %JOB_ERROR_CANCELED (the job was canceled) and
 * %JOB_ERROR_LEASE_LOST (the lease is over) tell that nobody waits for this any more.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_lease_complete (JobLease *self, const char *result, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), FALSE);

  return run (self, &(JobVerb){ job_verb_complete, .lease = self, .json = result }, cancellable,
              error);
}

/**
 * job_lease_complete_async:
 * @self: a lease
 * @result: (nullable): JSON text; %NULL is the JSON value `null`
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_lease_complete(): see there for what it does and for its errors,
 * all of which come through job_lease_complete_finish(). @callback is called in the thread-default
 * main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_lease_complete_async (JobLease *self, const char *result, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (JOB_IS_LEASE (self));

  job_queue_run_async (self->queue, &(JobVerb){ job_verb_complete, .lease = self, .json = result },
                       cancellable, job_lease_complete_async, callback, user_data);
}

/**
 * job_lease_complete_finish:
 * @self: a lease
 * @result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_lease_complete_async(): the one that job_lease_complete() gives, with its
 * errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_lease_complete_finish (JobLease *self, GAsyncResult *result, GError **error)
{
  return take_answer (self, result, job_lease_complete_async, error);
}

/**
 * job_lease_fail:
 * @self: a lease
 * @error_json: (nullable): what went wrong: JSON text; %NULL is the JSON value `null`
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Ends the attempt badly: the job is pending again if it has another attempt left, else it has
 * failed. The lease is over then.
 *
 * Errors: those of job_queue_fail(). %JOB_ERROR_CANCELED (the job was canceled) and
 * %JOB_ERROR_LEASE_LOST (the lease is over) tell that nobody waits for this any more.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_lease_fail (JobLease *self, const char *error_json, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), FALSE);

  return run (self, &(JobVerb){ job_verb_fail, .lease = self, .json = error_json }, cancellable,
              error);
}

/**
 * job_lease_fail_async:
 * @self: a lease
 * @error_json: (nullable): what went wrong: JSON text; %NULL is the JSON value `null`
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_lease_fail(): see there for what it does and for its errors, all of
 * which come through job_lease_fail_finish(). @callback is called in the thread-default main
 * context of the calling thread.
 *
 * Since: 1.0
 */
void
job_lease_fail_async (JobLease *self, const char *error_json, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (JOB_IS_LEASE (self));

  job_queue_run_async (self->queue, &(JobVerb){ job_verb_fail, .lease = self, .json = error_json },
                       cancellable, job_lease_fail_async, callback, user_data);
}

/**
 * job_lease_fail_finish:
 * @self: a lease
 * @result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_lease_fail_async(): the one that job_lease_fail() gives, with its errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_lease_fail_finish (JobLease *self, GAsyncResult *result, GError **error)
{
  return take_answer (self, result, job_lease_fail_async, error);
}

/**
 * job_lease_release:
 * @self: a lease
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Gives the job back: it is pending again, in its old place, and the attempt does not count. The
 * lease is over then.
 *
 * Errors: those of job_queue_release(). %JOB_ERROR_CANCELED (the job was canceled) and
 * %JOB_ERROR_LEASE_LOST (the lease is over) tell that nobody waits for this any more.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_lease_release (JobLease *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), FALSE);

  return run (self, &(JobVerb){ job_verb_release, .lease = self }, cancellable, error);
}

/**
 * job_lease_release_async:
 * @self: a lease
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_lease_release(): see there for what it does and for its errors, all
 * of which come through job_lease_release_finish(). @callback is called in the thread-default main
 * context of the calling thread.
 *
 * Since: 1.0
 */
void
job_lease_release_async (JobLease *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_return_if_fail (JOB_IS_LEASE (self));

  job_queue_run_async (self->queue, &(JobVerb){ job_verb_release, .lease = self }, cancellable,
                       job_lease_release_async, callback, user_data);
}

/**
 * job_lease_release_finish:
 * @self: a lease
 * @result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_lease_release_async(): the one that job_lease_release() gives, with its
 * errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_lease_release_finish (JobLease *self, GAsyncResult *result, GError **error)
{
  return take_answer (self, result, job_lease_release_async, error);
}

/**
 * job_lease_heartbeat:
 * @self: a lease
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * The sign of life that renews the lease.
 *
 * Errors: those of job_queue_heartbeat(). %JOB_ERROR_CANCELED (the job was canceled) and
 * %JOB_ERROR_LEASE_LOST (the lease is over) tell that nobody waits for this any more.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_lease_heartbeat (JobLease *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), FALSE);

  return run (self, &(JobVerb){ job_verb_heartbeat, .lease = self }, cancellable, error);
}

/**
 * job_lease_heartbeat_async:
 * @self: a lease
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_lease_heartbeat(): see there for what it does and for its errors,
 * all of which come through job_lease_heartbeat_finish(). @callback is called in the
 * thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_lease_heartbeat_async (JobLease *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (JOB_IS_LEASE (self));

  job_queue_run_async (self->queue, &(JobVerb){ job_verb_heartbeat, .lease = self }, cancellable,
                       job_lease_heartbeat_async, callback, user_data);
}

/**
 * job_lease_heartbeat_finish:
 * @self: a lease
 * @result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_lease_heartbeat_async(): the one that job_lease_heartbeat() gives, with its
 * errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_lease_heartbeat_finish (JobLease *self, GAsyncResult *result, GError **error)
{
  return take_answer (self, result, job_lease_heartbeat_async, error);
}
