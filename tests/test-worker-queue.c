/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker on a real queue, the one in memory, with a stepped clock: what the two promise
 * together. */

#include "manual-handler.h"

#define WALL_TIME (G_GINT64_CONSTANT (1700000000) * 1000000000)
#define SECOND_NS G_GINT64_CONSTANT (1000000000)

typedef struct
{
  JobSteppedClock *clock;
  JobQueue *queue;
  ManualHandler *handler;
  JobWorker *worker;
  GCancellable *cancellable;
  gboolean done;
  gboolean closed;
  GString *started; /* args of the jobs, in their order */
  guint n_ended;
  GError *job_error; /* of the last job-ended */
} Fixture;

static void
on_started (JobWorker *worker, JobLease *lease, Fixture *f)
{
  g_string_append (f->started, job_lease_get_args (lease));
}

static void
on_ended (JobWorker *worker, JobLease *lease, gboolean succeeded, const char *outcome,
          const GError *error, Fixture *f)
{
  f->n_ended++;
  g_clear_error (&f->job_error);
  f->job_error = error != NULL ? g_error_copy (error) : NULL;
}

static void
set_up (Fixture *f, guint n_jobs, gboolean automatic)
{
  g_autoptr (GError) error = NULL;

  f->clock = job_stepped_clock_new (WALL_TIME);
  f->queue = job_queue_new_for_backend ("memory", NULL, JOB_CLOCK (f->clock), &error);
  g_assert_no_error (error);
  f->handler = manual_handler_new (automatic);
  f->cancellable = g_cancellable_new ();
  f->started = g_string_new (NULL);
  f->worker =
      g_object_new (JOB_TYPE_WORKER, "queue", f->queue, "n-jobs", n_jobs, "clock", f->clock, NULL);
  job_worker_add_handler (f->worker, "test", JOB_HANDLER (f->handler));
  g_signal_connect (f->worker, "job-started", G_CALLBACK (on_started), f);
  g_signal_connect (f->worker, "job-ended", G_CALLBACK (on_ended), f);
}

static void
tear_down (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_clear_error (&f->job_error);
  g_string_free (f->started, TRUE);
  g_object_unref (f->cancellable);
  g_object_unref (f->handler);
  g_assert_finalize_object (f->worker);
  if (!f->closed)
    job_queue_close (f->queue, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (f->queue);
  g_object_unref (f->clock);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, tear_down)

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Fixture *f = data;
  g_autoptr (GError) error = NULL;

  g_assert_true (job_worker_run_finish (JOB_WORKER (source), result, &error));
  g_assert_no_error (error);
  f->done = TRUE;
}

static void
start (Fixture *f, gboolean drain)
{
  job_worker_run_async (f->worker, drain, f->cancellable, on_done, f);
}

#define WAIT_FOR(condition)                                                                        \
  while (!(condition))                                                                             \
  g_main_context_iteration (NULL, TRUE)

static void
stop (Fixture *f)
{
  g_cancellable_cancel (f->cancellable);
  WAIT_FOR (f->done);
}

static char *
enqueue (Fixture *f, JobSpec *spec)
{
  g_autoptr (GError) error = NULL;
  char *id = job_queue_enqueue (f->queue, spec, NULL, &error);

  g_assert_no_error (error);
  return id;
}

static char *
enqueue_job (Fixture *f, const char *args)
{
  g_autoptr (JobSpec) spec = job_spec_new ("test", args);

  return enqueue (f, spec);
}

static void
assert_state (Fixture *f, const char *id, JobState state, guint attempts)
{
  g_autoptr (JobInfo) info = job_queue_get_info (f->queue, id, NULL, NULL);

  g_assert_nonnull (info);
  g_assert_cmpint (job_info_get_state (info), ==, state);
  g_assert_cmpuint (job_info_get_attempts (info), ==, attempts);
}

/* Each waits for the one before, so that there is never more than one to be taken. */
static void
test_drain_of_a_chain (void)
{
  g_auto (Fixture) f = { 0 };
  g_autofree char *last = NULL;

  set_up (&f, 4, TRUE);
  for (guint i = 0; i < 9; i++)
    {
      g_autofree char *args = g_strdup_printf ("%u", i);
      g_autoptr (JobSpec) spec = job_spec_new ("test", args);

      if (last != NULL)
        job_spec_add_dependency (spec, last, JOB_CONDITION_AFTER_OK);
      g_free (last);
      last = enqueue (&f, spec);
    }

  start (&f, TRUE);
  WAIT_FOR (f.done);
  g_assert_cmpstr (f.started->str, ==, "012345678");
  assert_state (&f, last, JOB_STATE_SUCCEEDED, 1);
}

static void
test_drain_of_many (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 8, TRUE);
  for (guint i = 0; i < 1000; i++)
    g_free (enqueue_job (&f, "1"));
  start (&f, TRUE);
  WAIT_FOR (f.done);
  g_assert_cmpuint (f.n_ended, ==, 1000);
  g_assert_cmpuint (manual_handler_get_n_begun (f.handler), ==, 1000);
}

/* Time only passes here while the run has not ended. */
static void
test_drain_waits_for_a_time (void)
{
  g_auto (Fixture) f = { 0 };
  g_autoptr (JobSpec) later = job_spec_new ("test", "1");
  g_autofree char *id = NULL;

  set_up (&f, 2, TRUE);
  job_spec_set_run_at (later, WALL_TIME + 200 * SECOND_NS);
  id = enqueue (&f, later);
  start (&f, TRUE);
  while (!f.done)
    {
      if (f.started->len == 0 && !g_main_context_pending (NULL))
        job_stepped_clock_step (f.clock, G_USEC_PER_SEC);
      g_main_context_iteration (NULL, FALSE);
    }

  g_assert_cmpstr (f.started->str, ==, "1");
  g_assert_cmpint (job_clock_get_wall_time (JOB_CLOCK (f.clock)), >=, WALL_TIME + 200 * SECOND_NS);
  assert_state (&f, id, JOB_STATE_SUCCEEDED, 1);
}

static void
test_drain_leaves_what_is_not_its_own (void)
{
  g_auto (Fixture) f = { 0 };
  const char *channels[] = { "ours", NULL };
  g_autoptr (JobSpec) other_type = job_spec_new ("other", "1");
  g_autoptr (JobSpec) other_channel = job_spec_new ("test", "2");
  g_autoptr (JobSpec) ours = job_spec_new ("test", "3");
  g_autofree char *type_id = NULL;
  g_autofree char *channel_id = NULL;

  set_up (&f, 2, TRUE);
  job_worker_set_channels (f.worker, channels);
  job_spec_set_channel (other_type, "ours");
  job_spec_set_channel (other_channel, "theirs");
  job_spec_set_channel (ours, "ours");
  type_id = enqueue (&f, other_type);
  channel_id = enqueue (&f, other_channel);
  g_free (enqueue (&f, ours));

  start (&f, TRUE);
  WAIT_FOR (f.done);
  g_assert_cmpstr (f.started->str, ==, "3");
  assert_state (&f, type_id, JOB_STATE_PENDING, 0);
  assert_state (&f, channel_id, JOB_STATE_PENDING, 0);
}

static void
test_drain_does_not_wait_for_others (void)
{
  g_auto (Fixture) f = { 0 };
  g_autoptr (JobSpec) other = job_spec_new ("other", "1");
  g_autoptr (JobSpec) blocked = job_spec_new ("test", "2");
  g_autofree char *other_id = NULL;
  g_autofree char *blocked_id = NULL;

  set_up (&f, 1, TRUE);
  other_id = enqueue (&f, other);
  job_spec_add_dependency (blocked, other_id, JOB_CONDITION_AFTER_OK);
  blocked_id = enqueue (&f, blocked);
  start (&f, TRUE);
  WAIT_FOR (f.done);
  assert_state (&f, blocked_id, JOB_STATE_BLOCKED, 0);
}

static void
test_stop_counts_no_attempt (void)
{
  g_auto (Fixture) f = { 0 };
  g_autofree char *id = NULL;

  set_up (&f, 3, FALSE);
  id = enqueue_job (&f, "1");
  start (&f, FALSE);
  WAIT_FOR (manual_handler_get_n_running (f.handler) == 1);
  stop (&f);
  assert_state (&f, id, JOB_STATE_PENDING, 0);
}

static void
test_cancel_reaches_the_handler (void)
{
  g_auto (Fixture) f = { 0 };
  g_autofree char *id = NULL;

  set_up (&f, 1, FALSE);
  id = enqueue_job (&f, "1");
  start (&f, FALSE);
  WAIT_FOR (manual_handler_get_n_running (f.handler) == 1);
  g_assert_true (job_queue_cancel (f.queue, id, NULL, NULL));
  WAIT_FOR (f.n_ended == 1);
  g_assert_cmpuint (manual_handler_get_n_cancelled (f.handler), ==, 1);
  g_assert_error (f.job_error, JOB_ERROR, JOB_ERROR_CANCELED);
  assert_state (&f, id, JOB_STATE_CANCELED, 1);
  stop (&f);
}

static void
test_failure_gets_another_attempt (void)
{
  g_auto (Fixture) f = { 0 };
  g_autoptr (JobSpec) spec = job_spec_new ("test", "1");
  g_autofree char *id = NULL;

  set_up (&f, 1, FALSE);
  job_spec_set_max_attempts (spec, 2);
  id = enqueue (&f, spec);
  start (&f, TRUE);
  for (guint i = 0; i < 2; i++)
    {
      WAIT_FOR (manual_handler_get_n_running (f.handler) == 1);
      manual_handler_end (f.handler, FALSE, "\"no\"", NULL);
    }
  WAIT_FOR (f.done);
  assert_state (&f, id, JOB_STATE_FAILED, 2);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer data)
{
  Fixture *f = data;

  f->closed = job_queue_close_finish (JOB_QUEUE (source), result, NULL);
  g_assert_true (f->closed);
}

static void
on_run_failed (GObject *source, GAsyncResult *result, gpointer data)
{
  Fixture *f = data;
  g_autoptr (GError) error = NULL;

  g_assert_false (job_worker_run_finish (JOB_WORKER (source), result, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CLOSED);
  f->done = TRUE;
}

static void
test_close_ends_the_run (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 2, FALSE);
  g_free (enqueue_job (&f, "1"));
  job_worker_run_async (f.worker, FALSE, NULL, on_run_failed, &f);
  WAIT_FOR (manual_handler_get_n_running (f.handler) == 1);
  job_queue_close_async (f.queue, NULL, on_closed, &f);
  WAIT_FOR (f.done && f.closed);
  g_assert_cmpuint (manual_handler_get_n_cancelled (f.handler), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/worker-queue/drain/chain", test_drain_of_a_chain);
  g_test_add_func ("/worker-queue/drain/many", test_drain_of_many);
  g_test_add_func ("/worker-queue/drain/waits-for-a-time", test_drain_waits_for_a_time);
  g_test_add_func ("/worker-queue/drain/leaves-what-is-not-its-own",
                   test_drain_leaves_what_is_not_its_own);
  g_test_add_func ("/worker-queue/drain/does-not-wait-for-others",
                   test_drain_does_not_wait_for_others);
  g_test_add_func ("/worker-queue/stop-counts-no-attempt", test_stop_counts_no_attempt);
  g_test_add_func ("/worker-queue/cancel-reaches-the-handler", test_cancel_reaches_the_handler);
  g_test_add_func ("/worker-queue/failure-gets-another-attempt", test_failure_gets_another_attempt);
  g_test_add_func ("/worker-queue/close-ends-the-run", test_close_ends_the_run);

  return g_test_run ();
}
