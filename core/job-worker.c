/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pool that keeps a number of jobs running.
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

#include "job-attempt-private.h"
#include "job-error.h"
#include "job-worker.h"

#define DEFAULT_HEARTBEAT_INTERVAL (10 * G_USEC_PER_SEC)
/* What is scheduled may be cancelled before its time, so the wait for it is not longer than this.
 */
#define LONGEST_DRAIN_WAIT (60 * G_USEC_PER_SEC)

struct _JobWorker
{
  GObject parent_instance;

  /* Constant after construction. */
  JobQueue *queue;
  JobClock *clock;
  guint n_jobs;

  /* All else belongs to the context of the run, and to the caller while there is none. */
  gint64 heartbeat_interval; /* µs */
  GHashTable *handlers;      /* type → JobHandler, both owned */
  GPtrArray *types;          /* the keys of handlers, in the order of their adding, and NULL */
  char **channels;           /* owned; NULL: any */

  GTask *task; /* the run; owned; NULL: there is none */
  gboolean drain;
  gboolean ending;           /* nothing new is begun */
  gboolean probing;          /* the dequeue that is outstanding is step (2) */
  gboolean listing;          /* step (3) is under way */
  GError *error;             /* what ended the run */
  GCancellable *waiting;     /* of the dequeues that are outstanding */
  gboolean taken_back;       /* they have all been cancelled */
  guint n_waiting;           /* how many */
  guint n_handling;          /* handlers at work */
  GHashTable *attempts;      /* of JobAttempt, owned: handlers at work, and reports on their way */
  GSource *stop_source;      /* the run's cancellable; owned, may be NULL */
  GSource *heartbeat_source; /* owned */
  GSource *settle_source;    /* step (1) is due; owned, may be NULL */
};

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

  g_signal_emit (self, signals[SIGNAL_JOB_ENDED], 0, job_attempt_get_lease (attempt),
                 job_attempt_get_succeeded (attempt), job_attempt_get_outcome (attempt), error);
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

  g_signal_emit (self, signals[SIGNAL_JOB_STARTED], 0, lease);
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

/* The object. */

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
  self->ending = FALSE;
  self->waiting = g_cancellable_new ();
  job_worker_start_sources (self);
  if (!g_cancellable_is_cancelled (cancellable))
    job_worker_pump (self);
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
