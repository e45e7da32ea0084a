/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the holder of a lease does with it. A token is a secret: no error repeats it. */

#include "job-queue-private.h"

#include "job-json.h"
#include "job-lease-private.h"

/* The id and, where there is one, the token. */
typedef struct
{
  JobId id;
  JobId token_bytes;
  const JobId *token; /* of token_bytes, or NULL: an administrator */
} Holder;

static gboolean
parse_holder (const char *id, const char *token, Holder *holder, GError **error)
{
  if (!job_id_parse (id, "id", &holder->id, error))
    return FALSE;
  holder->token = NULL;
  if (token == NULL)
    return TRUE;
  holder->token = &holder->token_bytes;
  return job_id_parse (token, "token", &holder->token_bytes, error);
}

static gboolean
read_holder (const JobVerb *verb, Holder *holder, GError **error)
{
  JobLease *lease = verb->lease;

  if (lease == NULL)
    return parse_holder (verb->id, verb->token, holder, error);
  if (!lease->has_ids)
    return parse_holder (lease->id, lease->token, holder, error);
  holder->id = lease->record->id;
  holder->token = &lease->alarm->token;
  return TRUE;
}

gboolean
job_verb_complete (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  Holder holder;
  g_autofree char *result = NULL;

  if (!read_holder (verb, &holder, error))
    return FALSE;
  result = job_json_dup_checked (verb->json, "result", error);
  if (result == NULL)
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->complete (self, &holder.id, holder.token, result, call);
  return TRUE;
}

gboolean
job_verb_fail (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  Holder holder;
  g_autofree char *error_json = NULL;

  if (!read_holder (verb, &holder, error))
    return FALSE;
  error_json = job_json_dup_checked (verb->json, "error", error);
  if (error_json == NULL)
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->fail (self, &holder.id, holder.token, error_json, call);
  return TRUE;
}

gboolean
job_verb_release (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  Holder holder;

  if (!read_holder (verb, &holder, error))
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->release (self, &holder.id, holder.token, call);
  return TRUE;
}

/* A sign of life is the holder's alone. */
gboolean
job_verb_heartbeat (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  Holder holder;

  if (!read_holder (verb, &holder, error))
    return FALSE;
  if (holder.token == NULL)
    return job_id_parse (NULL, "token", &holder.token_bytes, error); /* it is missing */
  JOB_QUEUE_GET_IFACE (self)->heartbeat (self, &holder.id, holder.token, call);
  return TRUE;
}

static gboolean
start_lookup_token (JobQueue *self, const JobVerb *verb, JobCall *call, GError **error)
{
  JobId token;

  if (!job_id_parse (verb->token, "token", &token, error))
    return FALSE;
  JOB_QUEUE_GET_IFACE (self)->lookup_token (self, &token, call);
  return TRUE;
}

/**
 * job_queue_complete:
 * @self: a queue
 * @id: the id of a job
 * @token: (nullable): the token of its lease; %NULL: an administrator, who ends the lease of
 * whoever holds it
 * @result: (nullable): JSON text; %NULL is the JSON value `null`
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Ends a running job well: it has succeeded, for good, and its result never changes. Its
 * dependents that waited for that may run.
 *
 * With a token it works only as long as that lease holds: a late result of a lease that was lost
 * is refused.
 *
 * Errors, in the order of the checks: %JOB_ERROR_INVALID (@id, @token or @result is malformed),
 * %JOB_ERROR_NOT_FOUND (there is no such job), %JOB_ERROR_CANCELED (it was canceled),
 * %JOB_ERROR_LEASE_LOST (@token is not that of the running lease), %JOB_ERROR_NOT_RUNNING (the job
 * is not running), %G_IO_ERROR_CANCELLED (@cancellable was cancelled before anything was done),
 * and those of #JobQueue.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_complete (JobQueue *self, const char *id, const char *token, const char *result,
                    GCancellable *cancellable, GError **error)
{
  return job_queue_run (self,
                        &(JobVerb){ job_verb_complete, .id = id, .token = token, .json = result },
                        cancellable, error) != NULL;
}

/**
 * job_queue_complete_async:
 * @self: a queue
 * @id: the id of a job
 * @token: (nullable): the token of its lease; %NULL: an administrator, who ends the lease of
 * whoever holds it
 * @result: (nullable): JSON text; %NULL is the JSON value `null`
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_complete(): see there for what it does and for its errors,
 * all of which come through job_queue_complete_finish(). It does no I/O in the calling thread.
 * @callback is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_complete_async (JobQueue *self, const char *id, const char *token, const char *result,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  job_queue_run_async (self,
                       &(JobVerb){ job_verb_complete, .id = id, .token = token, .json = result },
                       cancellable, job_queue_complete_async, callback, user_data);
}

/**
 * job_queue_complete_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_complete_async(): the one that job_queue_complete() gives, with its
 * errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_complete_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_complete_async, error) != NULL;
}

/**
 * job_queue_fail:
 * @self: a queue
 * @id: the id of a job
 * @token: (nullable): the token of its lease; %NULL: an administrator, who ends the lease of
 * whoever holds it
 * @error_json: (nullable): what went wrong: JSON text; %NULL is the JSON value `null`
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Ends a running attempt badly. If the job has another attempt left it is pending again, in its
 * old place; else it has failed, and dependents that need its success are canceled.
 *
 * Errors, in the order of the checks: %JOB_ERROR_INVALID (@id, @token or @error_json is
 * malformed), %JOB_ERROR_NOT_FOUND (there is no such job), %JOB_ERROR_CANCELED (it was canceled),
 * %JOB_ERROR_LEASE_LOST (@token is not that of the running lease), %JOB_ERROR_NOT_RUNNING (the job
 * is not running), %G_IO_ERROR_CANCELLED (@cancellable was cancelled before anything was done),
 * and those of #JobQueue.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_fail (JobQueue *self, const char *id, const char *token, const char *error_json,
                GCancellable *cancellable, GError **error)
{
  return job_queue_run (self,
                        &(JobVerb){ job_verb_fail, .id = id, .token = token, .json = error_json },
                        cancellable, error) != NULL;
}

/**
 * job_queue_fail_async:
 * @self: a queue
 * @id: the id of a job
 * @token: (nullable): the token of its lease; %NULL: an administrator, who ends the lease of
 * whoever holds it
 * @error_json: (nullable): what went wrong: JSON text; %NULL is the JSON value `null`
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_fail(): see there for what it does and for its errors, all of
 * which come through job_queue_fail_finish(). It does no I/O in the calling thread. @callback is
 * called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_fail_async (JobQueue *self, const char *id, const char *token, const char *error_json,
                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self,
                       &(JobVerb){ job_verb_fail, .id = id, .token = token, .json = error_json },
                       cancellable, job_queue_fail_async, callback, user_data);
}

/**
 * job_queue_fail_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_fail_async(): the one that job_queue_fail() gives, with its errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_fail_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_fail_async, error) != NULL;
}

/**
 * job_queue_release:
 * @self: a queue
 * @id: the id of a job
 * @token: (nullable): the token of its lease; %NULL: an administrator, who ends the lease of
 * whoever holds it
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Gives a running job back: it is pending again, in its old place, and the attempt does not count.
 *
 * With no token, it takes a job back from a worker that died: its lease is over then, and a late
 * result is refused.
 *
 * Errors, in the order of the checks: %JOB_ERROR_INVALID (@id or @token is malformed),
 * %JOB_ERROR_NOT_FOUND (there is no such job), %JOB_ERROR_CANCELED (it was canceled),
 * %JOB_ERROR_LEASE_LOST (@token is not that of the running lease), %JOB_ERROR_NOT_RUNNING (the job
 * is not running), %G_IO_ERROR_CANCELLED (@cancellable was cancelled before anything was done),
 * and those of #JobQueue.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_release (JobQueue *self, const char *id, const char *token, GCancellable *cancellable,
                   GError **error)
{
  return job_queue_run (self, &(JobVerb){ job_verb_release, .id = id, .token = token }, cancellable,
                        error) != NULL;
}

/**
 * job_queue_release_async:
 * @self: a queue
 * @id: the id of a job
 * @token: (nullable): the token of its lease; %NULL: an administrator, who ends the lease of
 * whoever holds it
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_release(): see there for what it does and for its errors, all
 * of which come through job_queue_release_finish(). It does no I/O in the calling thread.
 * @callback is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_release_async (JobQueue *self, const char *id, const char *token,
                         GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ job_verb_release, .id = id, .token = token }, cancellable,
                       job_queue_release_async, callback, user_data);
}

/**
 * job_queue_release_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_release_async(): the one that job_queue_release() gives, with its
 * errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_release_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_release_async, error) != NULL;
}

/**
 * job_queue_heartbeat:
 * @self: a queue
 * @id: the id of a job
 * @token: the token of its lease
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * The sign of life that renews a lease: job_queue_list_leases() counts from it. It creates
 * nothing: the error tells a holder what became of its job.
 *
 * Errors, in the order of the checks: %JOB_ERROR_INVALID (@id or @token is malformed),
 * %JOB_ERROR_NOT_FOUND (there is no such job), %JOB_ERROR_CANCELED (it was canceled),
 * %JOB_ERROR_LEASE_LOST (@token is not that of the running lease), %JOB_ERROR_NOT_RUNNING (the job
 * is not running), %G_IO_ERROR_CANCELLED (@cancellable was cancelled before anything was done),
 * and those of #JobQueue. (A %NULL token is malformed here.)
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_heartbeat (JobQueue *self, const char *id, const char *token, GCancellable *cancellable,
                     GError **error)
{
  return job_queue_run (self, &(JobVerb){ job_verb_heartbeat, .id = id, .token = token },
                        cancellable, error) != NULL;
}

/**
 * job_queue_heartbeat_async:
 * @self: a queue
 * @id: the id of a job
 * @token: the token of its lease
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_heartbeat(): see there for what it does and for its errors,
 * all of which come through job_queue_heartbeat_finish(). It does no I/O in the calling thread.
 * @callback is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_heartbeat_async (JobQueue *self, const char *id, const char *token,
                           GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ job_verb_heartbeat, .id = id, .token = token },
                       cancellable, job_queue_heartbeat_async, callback, user_data);
}

/**
 * job_queue_heartbeat_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_heartbeat_async(): the one that job_queue_heartbeat() gives, with its
 * errors.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
job_queue_heartbeat_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_heartbeat_async, error) != NULL;
}

/**
 * job_queue_lookup_token:
 * @self: a queue
 * @token: the token of a lease
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * Finds the running job that a token belongs to.
 *
 * Errors: %JOB_ERROR_INVALID (@token is malformed), %JOB_ERROR_NOT_FOUND (no running lease has
 * this token: it is over, or never was), %G_IO_ERROR_CANCELLED (@cancellable was cancelled), and
 * those of #JobQueue.
 *
 * Returns: (transfer full): the id of the job, or %NULL with @error set; free with g_free()
 *
 * Since: 1.0
 */
char *
job_queue_lookup_token (JobQueue *self, const char *token, GCancellable *cancellable,
                        GError **error)
{
  return job_queue_run (self, &(JobVerb){ start_lookup_token, .token = token }, cancellable, error);
}

/**
 * job_queue_lookup_token_async:
 * @self: a queue
 * @token: the token of a lease
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_queue_lookup_token(): see there for what it does and for its
 * errors, all of which come through job_queue_lookup_token_finish(). It does no I/O in the calling
 * thread. @callback is called in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_queue_lookup_token_async (JobQueue *self, const char *token, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  job_queue_run_async (self, &(JobVerb){ start_lookup_token, .token = token }, cancellable,
                       job_queue_lookup_token_async, callback, user_data);
}

/**
 * job_queue_lookup_token_finish:
 * @self: a queue
 * @async_result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_queue_lookup_token_async(): the one that job_queue_lookup_token() gives, with
 * its errors.
 *
 * Returns: (transfer full): the id of the job, or %NULL with @error set; free with g_free()
 *
 * Since: 1.0
 */
char *
job_queue_lookup_token_finish (JobQueue *self, GAsyncResult *async_result, GError **error)
{
  return job_queue_run_finish (self, async_result, job_queue_lookup_token_async, error);
}
