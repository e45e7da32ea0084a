/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The run of a worker.
 *
 * It asks the queue for as many jobs at a time as there are free places: a waiting dequeue is an
 * entry in a list, and jobs that are claimed together become durable together. A place is free
 * again as soon as its handler is back, so that the next job is claimed while the last report is on
 * its way to the disk: the commit stream is ordered, so there are never many of those.
 *
 * Draining. While something runs here, it may make other jobs ready, so the pool waits as usual.
 * When nothing does, the end is found in steps:
 *
 *   (1) waiting dequeues are taken back; one of them may still bring a job
 *   (2) one dequeue that does not wait: a job, or TIMED_OUT
 *   (3) a list of what is pending or scheduled: nothing → drained; pending → (2) again;
 *       scheduled → (2) with a timeout that reaches there
 *
 * A job in (1) or (2) leads back to the usual way. */

#include "job-error.h"
#include "job-worker-private.h"

/* What is scheduled may be cancelled before its time, so no wait for it is longer than this. */
#define LONGEST_DRAIN_WAIT (60 * G_USEC_PER_SEC)

static void job_worker_pump (JobWorker *self);
static void job_worker_list (JobWorker *self);

/* The end of a run. */

static void
job_worker_clear_source (GSource **source)
{
  if (*source == NULL)
    return;

  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
job_worker_take_back_dequeues (JobWorker *self)
{
  g_autoptr (GCancellable) waiting = g_steal_pointer (&self->waiting);

  self->waiting = g_cancellable_new ();
  self->taken_back = TRUE;
  g_cancellable_cancel (waiting);
}

static void
job_worker_end (JobWorker *self)
{
  if (self->ending)
    return;

  self->ending = TRUE;
  job_worker_take_back_dequeues (self);
}

/* With references: what is done with one may end others. */
static GPtrArray *
job_worker_dup_attempts (JobWorker *self)
{
  GPtrArray *attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) job_attempt_unref);
  GHashTableIter iter;
  gpointer attempt;

  g_hash_table_iter_init (&iter, self->attempts);
  while (g_hash_table_iter_next (&iter, &attempt, NULL))
    g_ptr_array_add (attempts, job_attempt_ref (attempt));

  return attempts;
}

static void
job_worker_stop_attempts (JobWorker *self)
{
  g_autoptr (GPtrArray) attempts = job_worker_dup_attempts (self);

  for (guint i = 0; i < attempts->len; i++)
    job_attempt_stop (attempts->pdata[i]);
}

/* Ends the run with an error, once the jobs that run are back. A closed queue takes no report any
 * more, so there is no use in finishing them. */
static void
job_worker_fail (JobWorker *self, const GError *error)
{
  if (self->error == NULL)
    self->error = g_error_copy (error);
  job_worker_end (self);
  if (g_error_matches (error, JOB_ERROR, JOB_ERROR_CLOSED))
    job_worker_stop_attempts (self);
}

static gboolean
job_worker_on_stop (GCancellable *cancellable, gpointer data)
{
  g_autoptr (JobWorker) self = g_object_ref (data);

  job_worker_end (self);
  job_worker_stop_attempts (self);
  job_worker_pump (self);

  return G_SOURCE_REMOVE;
}

static void
job_worker_return (JobWorker *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  job_worker_clear_source (&self->stop_source);
  job_worker_clear_source (&self->heartbeat_source);
  job_worker_clear_source (&self->settle_source);
  g_clear_object (&self->waiting);

  if (self->error != NULL)
    g_task_return_error (task, g_steal_pointer (&self->error));
  else
    g_task_return_boolean (task, TRUE);
}

/* Jobs. */

static void
job_worker_on_handled (JobAttempt *attempt, gpointer data)
{
  JobWorker *self = data;

  self->n_handling--;
  job_worker_pump (self);
}

static void
job_worker_on_ended (JobAttempt *attempt, gpointer data)
{
  g_autoptr (JobWorker) self = g_object_ref (data);
  const GError *error = job_attempt_get_error (attempt);

  job_worker_emit_ended (self, attempt);
  if (error != NULL && !job_attempt_error_is_own (error))
    job_worker_fail (self, error);

  g_hash_table_remove (self->attempts, attempt);
  job_worker_pump (self);
}

static void
job_worker_on_troubled (JobAttempt *attempt, const GError *error, gpointer data)
{
  JobWorker *self = data;

  job_worker_fail (self, error);
  job_worker_pump (self);
}

static const JobAttemptCallbacks attempt_callbacks = {
  .handled = job_worker_on_handled,
  .ended = job_worker_on_ended,
  .troubled = job_worker_on_troubled,
};

/* A lease that comes although the run is ending goes the same way, with a handler that is cancelled
 * from the start. */
static void
job_worker_begin (JobWorker *self, JobLease *lease)
{
  JobHandler *handler = g_hash_table_lookup (self->handlers, job_lease_get_job_type (lease));
  JobAttempt *attempt = job_attempt_new (lease, handler, &attempt_callbacks, self);

  g_hash_table_add (self->attempts, attempt);
  self->n_handling++;
  if (self->ending)
    job_attempt_stop (attempt);

  job_worker_emit_started (self, lease);
  job_attempt_start (attempt);
}

static gboolean
job_worker_on_heartbeat (gpointer data)
{
  g_autoptr (JobWorker) self = g_object_ref (data);
  g_autoptr (GPtrArray) attempts = job_worker_dup_attempts (self);

  for (guint i = 0; i < attempts->len; i++)
    job_attempt_heartbeat (attempts->pdata[i]);

  return G_SOURCE_CONTINUE;
}

/* Asking for jobs. */

static void
job_worker_on_dequeued (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (JobWorker) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue_finish (self->queue, result, &error);
  gboolean timed_out = g_error_matches (error, JOB_ERROR, JOB_ERROR_TIMED_OUT);

  self->n_waiting--;
  self->probing = FALSE;

  if (lease != NULL)
    job_worker_begin (self, lease);
  else if (timed_out && self->drain && !self->ending)
    job_worker_list (self);
  else if (!timed_out && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    job_worker_fail (self, error);

  job_worker_pump (self);
}

static void
job_worker_dequeue (JobWorker *self, gint64 timeout)
{
  self->n_waiting++;
  self->taken_back = FALSE;
  job_queue_dequeue_async (self->queue, (const char *const *) self->types->pdata,
                           (const char *const *) self->channels, timeout, self->waiting,
                           job_worker_on_dequeued, g_object_ref (self));
}

/* Draining. */

static void
job_worker_probe (JobWorker *self, gint64 timeout)
{
  self->probing = TRUE;
  job_worker_dequeue (self, timeout);
}

/* What is left: a wait for a time, or for nothing at all if it may be taken now. */
static void
job_worker_wait_for (JobWorker *self, JobInfo *info)
{
  gint64 wait = 0;

  if (job_info_get_state (info) == JOB_STATE_SCHEDULED)
    wait = (job_info_get_run_at (info) - job_clock_get_wall_time (self->clock)) / 1000 + 1;

  job_worker_probe (self, CLAMP (wait, 0, LONGEST_DRAIN_WAIT));
}

static void
job_worker_on_listed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (JobWorker) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = job_queue_list_finish (self->queue, result, &error);
  g_autoptr (JobInfo) info = list != NULL ? g_list_model_get_item (list, 0) : NULL;

  self->listing = FALSE;
  if (list == NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    job_worker_fail (self, error);
  else if (list != NULL && info == NULL)
    job_worker_end (self);
  else if (info != NULL && !self->ending)
    job_worker_wait_for (self, info);

  job_worker_pump (self);
}

static void
job_worker_list (JobWorker *self)
{
  g_autoptr (JobFilter) filter = job_filter_new ();

  job_filter_set_types (filter, (const char *const *) self->types->pdata);
  job_filter_set_channels (filter, (const char *const *) self->channels);
  job_filter_add_state (filter, JOB_STATE_PENDING);
  job_filter_add_state (filter, JOB_STATE_SCHEDULED);
  job_filter_set_limit (filter, 1);

  self->listing = TRUE;
  job_queue_list_async (self->queue, filter, self->waiting, job_worker_on_listed,
                        g_object_ref (self));
}

static gboolean
job_worker_on_settle (gpointer data)
{
  g_autoptr (JobWorker) self = g_object_ref (data);

  job_worker_clear_source (&self->settle_source);
  if (g_hash_table_size (self->attempts) == 0)
    job_worker_take_back_dequeues (self);
  job_worker_pump (self);

  return G_SOURCE_REMOVE;
}

/* Step (1) waits until the context has nothing else to do: the report that ended the last job may
 * have made another one ready, which is then on its way here. */
static void
job_worker_settle (JobWorker *self)
{
  if (self->settle_source != NULL || self->taken_back)
    return;

  self->settle_source = g_idle_source_new ();
  g_source_set_static_name (self->settle_source, "[jobqueue] drain");
  g_source_set_callback (self->settle_source, job_worker_on_settle, self, NULL);
  g_source_attach (self->settle_source, g_task_get_context (self->task));
}

/* Does what is to be done next. Called after every event. */
static void
job_worker_pump (JobWorker *self)
{
  gboolean idle = g_hash_table_size (self->attempts) == 0;

  if (self->task == NULL || self->probing || self->listing)
    return;

  if (self->ending)
    {
      if (idle && self->n_waiting == 0)
        job_worker_return (self);
    }
  else if (self->drain && idle)
    {
      if (self->n_waiting > 0)
        job_worker_settle (self);
      else
        job_worker_probe (self, 0);
    }
  else
    {
      while (self->n_handling + self->n_waiting < self->n_jobs)
        job_worker_dequeue (self, -1);
    }
}

/* The beginning. */

static void
job_worker_start_sources (JobWorker *self)
{
  GMainContext *context = g_task_get_context (self->task);
  GCancellable *cancellable = g_task_get_cancellable (self->task);

  self->heartbeat_source = g_timeout_source_new (MAX (self->heartbeat_interval / 1000, 1));
  g_source_set_static_name (self->heartbeat_source, "[jobqueue] heartbeat");
  g_source_set_callback (self->heartbeat_source, job_worker_on_heartbeat, self, NULL);
  g_source_attach (self->heartbeat_source, context);

  if (cancellable == NULL)
    return;

  self->stop_source = g_cancellable_source_new (cancellable);
  g_source_set_static_name (self->stop_source, "[jobqueue] stop");
  g_source_set_callback (self->stop_source, G_SOURCE_FUNC (job_worker_on_stop), self, NULL);
  g_source_attach (self->stop_source, context);
}

void
job_worker_begin_run (JobWorker *self)
{
  self->ending = FALSE;
  self->waiting = g_cancellable_new ();
  job_worker_start_sources (self);

  /* If it is to stop already, nothing is asked for: the source of the stop ends it. */
  if (!g_cancellable_is_cancelled (g_task_get_cancellable (self->task)))
    job_worker_pump (self);
}
