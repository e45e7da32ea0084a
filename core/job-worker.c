/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pool that keeps a number of jobs running: the object. What it does while it runs is in
 * job-worker-run.c. */

#include "job-error.h"
#include "job-worker-private.h"

#define DEFAULT_HEARTBEAT_INTERVAL (10 * G_USEC_PER_SEC)

enum
{
  PROP_0,
  PROP_QUEUE,
  PROP_N_JOBS,
  PROP_HEARTBEAT_INTERVAL,
  PROP_CLOCK,
  N_PROPS
};

enum
{
  SIGNAL_JOB_STARTED,
  SIGNAL_JOB_ENDED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

/**
 * JobWorker:
 *
 * Runs jobs: it takes them from a #JobQueue, up to a number at the same time, gives each to the
 * #JobHandler of its type, sends heartbeats meanwhile, and reports how it ended.
 *
 * A job is completed if its handler says that it succeeded, and failed otherwise; if the handler
 * gave an error, the job fails with `{"message": …}`. If the lease ends while the job runs
 * (somebody cancelled the job, or took it back), its handler is cancelled and nothing is reported.
 *
 * It is no thread: all happens in the thread-default #GMainContext of job_worker_run_async().
 *
 * Since: 1.0
 */
G_DEFINE_FINAL_TYPE (JobWorker, job_worker, G_TYPE_OBJECT)

void
job_worker_emit_started (JobWorker *self, JobLease *lease)
{
  g_signal_emit (self, signals[SIGNAL_JOB_STARTED], 0, lease);
}

void
job_worker_emit_ended (JobWorker *self, JobAttempt *attempt)
{
  g_signal_emit (self, signals[SIGNAL_JOB_ENDED], 0, job_attempt_get_lease (attempt),
                 job_attempt_get_succeeded (attempt), job_attempt_get_outcome (attempt),
                 job_attempt_get_error (attempt));
}

static void
job_worker_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  JobWorker *self = JOB_WORKER (object);

  switch (id)
    {
    case PROP_QUEUE:
      g_value_set_object (value, self->queue);
      break;
    case PROP_N_JOBS:
      g_value_set_uint (value, self->n_jobs);
      break;
    case PROP_HEARTBEAT_INTERVAL:
      g_value_set_int64 (value, self->heartbeat_interval);
      break;
    case PROP_CLOCK:
      g_value_set_object (value, self->clock);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
job_worker_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  JobWorker *self = JOB_WORKER (object);

  switch (id)
    {
    case PROP_QUEUE:
      self->queue = g_value_dup_object (value);
      break;
    case PROP_N_JOBS:
      self->n_jobs = g_value_get_uint (value);
      break;
    case PROP_HEARTBEAT_INTERVAL:
      self->heartbeat_interval = g_value_get_int64 (value);
      break;
    case PROP_CLOCK:
      self->clock = g_value_dup_object (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
job_worker_constructed (GObject *object)
{
  JobWorker *self = JOB_WORKER (object);

  if (self->clock == NULL)
    self->clock = g_object_ref (job_clock_get_system ());

  G_OBJECT_CLASS (job_worker_parent_class)->constructed (object);
}

static void
job_worker_finalize (GObject *object)
{
  JobWorker *self = JOB_WORKER (object);

  g_hash_table_unref (self->attempts);
  g_hash_table_unref (self->handlers);
  g_ptr_array_unref (self->types);
  g_strfreev (self->channels);
  g_clear_object (&self->queue);
  g_clear_object (&self->clock);

  G_OBJECT_CLASS (job_worker_parent_class)->finalize (object);
}

static void
job_worker_install_properties (GObjectClass *object_class)
{
  const GParamFlags constant = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * JobWorker:queue:
   *
   * Where the jobs come from.
   *
   * Since: 1.0
   */
  props[PROP_QUEUE] = g_param_spec_object ("queue", NULL, NULL, JOB_TYPE_QUEUE, constant);

  /**
   * JobWorker:n-jobs:
   *
   * How many jobs run at the same time, at most.
   *
   * Since: 1.0
   */
  props[PROP_N_JOBS] = g_param_spec_uint ("n-jobs", NULL, NULL, 1, G_MAXUINT, 1, constant);

  /**
   * JobWorker:heartbeat-interval:
   *
   * How often a sign of life is sent for each job that runs, in microseconds. It is
   * rounded to milliseconds. A change counts from the next run.
   *
   * Since: 1.0
   */
  props[PROP_HEARTBEAT_INTERVAL] = g_param_spec_int64 (
      "heartbeat-interval", NULL, NULL, 1, G_MAXUINT * G_GINT64_CONSTANT (1000),
      DEFAULT_HEARTBEAT_INTERVAL, G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS);

  /**
   * JobWorker:clock:
   *
   * The clock of the queue, where that is not the system's: it tells how long a drain has to wait
   * for a scheduled job. %NULL at construction means the system's clock.
   *
   * Since: 1.0
   */
  props[PROP_CLOCK] = g_param_spec_object ("clock", NULL, NULL, JOB_TYPE_CLOCK, constant);

  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
job_worker_install_signals (GObjectClass *object_class)
{
  /**
   * JobWorker::job-started:
   * @self: the worker
   * @lease: the job
   *
   * A job was taken from the queue, and its handler is about to run it.
   *
   * Since: 1.0
   */
  signals[SIGNAL_JOB_STARTED] =
      g_signal_new ("job-started", G_OBJECT_CLASS_TYPE (object_class), G_SIGNAL_RUN_LAST, 0, NULL,
                    NULL, NULL, G_TYPE_NONE, 1, JOB_TYPE_LEASE);

  /**
   * JobWorker::job-ended:
   * @self: the worker
   * @lease: the job
   * @succeeded: whether it succeeded
   * @outcome: (nullable): its result, or how it failed, as JSON text
   * @error: (nullable): why the queue has no outcome of this attempt, or %NULL if it has
   *
   * A job that was started is over here. If @error is %NULL, the queue has acknowledged @outcome (a
   * job that failed may have another attempt). Otherwise @outcome is %NULL, and @error is
   * %G_IO_ERROR_CANCELLED if the worker was stopped and gave the job back; %JOB_ERROR_CANCELED,
   * %JOB_ERROR_LEASE_LOST or %JOB_ERROR_NOT_RUNNING if the lease ended while the job ran; or what
   * the queue said to the report.
   *
   * Since: 1.0
   */
  signals[SIGNAL_JOB_ENDED] = g_signal_new (
      "job-ended", G_OBJECT_CLASS_TYPE (object_class), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
      G_TYPE_NONE, 4, JOB_TYPE_LEASE, G_TYPE_BOOLEAN, G_TYPE_STRING, G_TYPE_ERROR);
}

static void
job_worker_class_init (JobWorkerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = job_worker_get_property;
  object_class->set_property = job_worker_set_property;
  object_class->constructed = job_worker_constructed;
  object_class->finalize = job_worker_finalize;

  job_worker_install_properties (object_class);
  job_worker_install_signals (object_class);
}

static void
job_worker_init (JobWorker *self)
{
  self->handlers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->types = g_ptr_array_new ();
  g_ptr_array_add (self->types, NULL);
  self->attempts = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) job_attempt_unref, NULL);
}

/**
 * job_worker_new:
 * @queue: where the jobs come from
 * @n_jobs: how many run at the same time, at most; at least 1
 *
 * Makes a worker. It needs handlers, see job_worker_add_handler(), before it can run.
 *
 * Returns: (transfer full): a new worker
 *
 * Since: 1.0
 */
JobWorker *
job_worker_new (JobQueue *queue, guint n_jobs)
{
  g_return_val_if_fail (JOB_IS_QUEUE (queue), NULL);
  g_return_val_if_fail (n_jobs > 0, NULL);

  return g_object_new (JOB_TYPE_WORKER, "queue", queue, "n-jobs", n_jobs, NULL);
}

/**
 * job_worker_add_handler:
 * @self: a worker that does not run
 * @type: a type of job
 * @handler: what runs jobs of that type
 *
 * Says how to run jobs of a type. A worker takes only jobs of the types that it has a handler for.
 * A second handler for the same type takes the place of the first. One handler may serve several
 * types.
 *
 * Since: 1.0
 */
void
job_worker_add_handler (JobWorker *self, const char *type, JobHandler *handler)
{
  char *key;

  g_return_if_fail (JOB_IS_WORKER (self));
  g_return_if_fail (type != NULL);
  g_return_if_fail (JOB_IS_HANDLER (handler));
  g_return_if_fail (self->task == NULL);

  if (!g_hash_table_contains (self->handlers, type))
    {
      key = g_strdup (type);
      self->types->pdata[self->types->len - 1] = key;
      g_ptr_array_add (self->types, NULL);
      g_hash_table_insert (self->handlers, key, g_object_ref (handler));
    }
  else
    {
      g_hash_table_insert (self->handlers, g_strdup (type), g_object_ref (handler));
    }
}

/**
 * job_worker_set_channels:
 * @self: a worker that does not run
 * @channels: (nullable) (array zero-terminated=1): the channels to serve, or %NULL for any
 *
 * Says which channels the worker takes jobs from. By default it takes them from any.
 *
 * Since: 1.0
 */
void
job_worker_set_channels (JobWorker *self, const char *const *channels)
{
  g_return_if_fail (JOB_IS_WORKER (self));
  g_return_if_fail (self->task == NULL);

  g_strfreev (self->channels);
  self->channels = g_strdupv ((char **) channels);
}

/**
 * job_worker_get_n_running:
 * @self: a worker
 *
 * Says how many jobs the worker has: handlers at work, and jobs whose report the queue has not
 * acknowledged yet. The latter are not counted against #JobWorker:n-jobs.
 *
 * Returns: how many
 *
 * Since: 1.0
 */
guint
job_worker_get_n_running (JobWorker *self)
{
  g_return_val_if_fail (JOB_IS_WORKER (self), 0);

  return g_hash_table_size (self->attempts);
}

/**
 * job_worker_run_async:
 * @self: a worker that does not run
 * @drain: whether to end when there is nothing left to do
 * @cancellable: (nullable): stops the worker when it fires
 * @callback: (nullable) (scope async): called when the run has ended
 * @user_data: (closure): for @callback
 *
 * Runs jobs until @cancellable fires; with @drain, until nothing runs here and nothing of its types
 * and channels is pending, or scheduled for a later time, which it waits for. A blocked job does
 * not count: when nothing else is left, what it waits for runs somewhere else, or is of a type that
 * this worker has no handler for.
 *
 * All happens in the caller's thread-default #GMainContext: handlers, signals and @callback.
 *
 * A stop is no error: nothing new is taken, the handlers that run are cancelled, their jobs are
 * released (that attempt does not count; a job whose handler got done in spite of it is reported as
 * usual), and once they are all back the run has ended.
 *
 * Since: 1.0
 */
void
job_worker_run_async (JobWorker *self, gboolean drain, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (JOB_IS_WORKER (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, job_worker_run_async);
  g_task_set_check_cancellable (task, FALSE);

  if (self->task != NULL)
    {
      g_task_return_new_error (task, JOB_ERROR, JOB_ERROR_INVALID,
                               "This worker runs already; make another one, or wait for its end");
      return;
    }
  if (g_hash_table_size (self->handlers) == 0)
    {
      g_task_return_new_error (task, JOB_ERROR, JOB_ERROR_INVALID,
                               "This worker has no handler, so that there is no job that it could "
                               "take; add one with job_worker_add_handler()");
      return;
    }

  self->task = g_steal_pointer (&task);
  self->drain = drain;
  job_worker_begin_run (self);
}

/**
 * job_worker_run_finish:
 * @self: a worker
 * @async_result: what the callback got
 * @error: (nullable): return location for an error
 *
 * Says how a run ended. That it was stopped by its cancellable is no error.
 *
 * Errors: %JOB_ERROR_INVALID if the worker ran already, has no handler, or its types or channels
 * are not valid; %JOB_ERROR_STORAGE, %JOB_ERROR_CLOSED or another error of the queue if that gave
 * no more jobs or did not take a report. Jobs that ran at that time were finished and reported, as
 * far as the queue let them.
 *
 * Returns: %TRUE if the run was stopped, or all was done; %FALSE on error
 *
 * Since: 1.0
 */
gboolean
job_worker_run_finish (JobWorker *self, GAsyncResult *async_result, GError **error)
{
  g_return_val_if_fail (JOB_IS_WORKER (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (async_result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (async_result), error);
}
