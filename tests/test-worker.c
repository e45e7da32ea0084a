/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker, with a queue that does what the test says. */

#include "manual-handler.h"
#include "scripted-queue.h"

#define WALL_TIME (G_GINT64_CONSTANT (1700000000) * 1000000000)

typedef struct
{
  ScriptedQueue *queue;
  ManualHandler *handler;
  JobSteppedClock *clock;
  JobWorker *worker;
  GCancellable *cancellable;
  gboolean done;
  gboolean result;
  GError *error;   /* of the run */
  guint n_started; /* signals */
  guint n_ended;
  gboolean succeeded; /* of the last job-ended */
  char *outcome;
  GError *job_error;
} Fixture;

static void
on_started (JobWorker *worker, JobLease *lease, Fixture *f)
{
  f->n_started++;
}

static void
on_ended (JobWorker *worker, JobLease *lease, gboolean succeeded, const char *outcome,
          const GError *error, Fixture *f)
{
  f->n_ended++;
  f->succeeded = succeeded;
  g_free (f->outcome);
  f->outcome = g_strdup (outcome);
  g_clear_error (&f->job_error);
  f->job_error = error != NULL ? g_error_copy (error) : NULL;
}

static void
set_up (Fixture *f, guint n_jobs)
{
  f->queue = scripted_queue_new ();
  f->handler = manual_handler_new (FALSE);
  f->clock = job_stepped_clock_new (WALL_TIME);
  f->cancellable = g_cancellable_new ();
  f->worker = g_object_new (JOB_TYPE_WORKER, "queue", f->queue, "n-jobs", n_jobs, "clock", f->clock,
                            "heartbeat-interval", (gint64) 1000, NULL);
  job_worker_add_handler (f->worker, "test", JOB_HANDLER (f->handler));
  g_signal_connect (f->worker, "job-started", G_CALLBACK (on_started), f);
  g_signal_connect (f->worker, "job-ended", G_CALLBACK (on_ended), f);
}

static void
tear_down (Fixture *f)
{
  g_clear_error (&f->error);
  g_clear_error (&f->job_error);
  g_free (f->outcome);
  g_object_unref (f->cancellable);
  g_object_unref (f->clock);
  g_object_unref (f->handler);
  g_assert_finalize_object (f->worker);
  g_assert_finalize_object (f->queue);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, tear_down)

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Fixture *f = data;

  f->result = job_worker_run_finish (JOB_WORKER (source), result, &f->error);
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

/* Until nothing is left to be dispatched: whatever was about to happen has happened. */
static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
add_job (Fixture *f, guint number)
{
  g_object_unref (scripted_queue_add (f->queue, number, "test"));
}

static void
set_error (Fixture *f, ScriptedVerb verb, JobError code)
{
  scripted_queue_set_error (f->queue, verb, g_error_new (JOB_ERROR, code, "As the test says"));
}

static void
stop (Fixture *f)
{
  g_cancellable_cancel (f->cancellable);
  WAIT_FOR (f->done);
  g_assert_no_error (f->error);
  g_assert_true (f->result);
}

/* Places. */

static void
test_n_at_a_time (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 2);
  for (guint i = 1; i <= 4; i++)
    add_job (&f, i);
  start (&f, FALSE);
  settle ();
  g_assert_cmpuint (manual_handler_get_n_running (f.handler), ==, 2);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  settle ();
  g_assert_cmpuint (manual_handler_get_n_running (f.handler), ==, 2);
  g_assert_cmpuint (manual_handler_get_n_begun (f.handler), ==, 3);
  g_assert_cmpuint (job_worker_get_n_running (f.worker), ==, 2);

  for (guint i = 0; i < 3; i++)
    {
      WAIT_FOR (manual_handler_get_n_running (f.handler) > 0);
      manual_handler_end (f.handler, TRUE, "1", NULL);
    }
  WAIT_FOR (f.n_ended == 4);
  g_assert_cmpuint (f.n_started, ==, 4);
  g_assert_cmpuint (scripted_queue_get_n_waiting (f.queue), ==, 2);
  stop (&f);
}

static void
test_next_before_report (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  scripted_queue_hold_reports (f.queue, TRUE);
  add_job (&f, 1);
  add_job (&f, 2);
  start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.n_started == 2);
  settle ();
  g_assert_cmpuint (f.n_ended, ==, 0);
  g_assert_cmpuint (job_worker_get_n_running (f.worker), ==, 2);
  scripted_queue_hold_reports (f.queue, FALSE);
  WAIT_FOR (f.n_ended == 1);
  stop (&f);
}

/* Reports. */

static void
run_one (Fixture *f, gboolean succeeded, const char *outcome, GError *error)
{
  set_up (f, 1);
  add_job (f, 1);
  start (f, FALSE);
  WAIT_FOR (f->n_started == 1);
  manual_handler_end (f->handler, succeeded, outcome, error);
  WAIT_FOR (f->n_ended == 1);
  stop (f);
}

static void
test_success_completes (void)
{
  g_auto (Fixture) f = { 0 };

  run_one (&f, TRUE, "{\"a\":1}", NULL);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "complete 1 {\"a\":1}\n");
  g_assert_true (f.succeeded);
  g_assert_cmpstr (f.outcome, ==, "{\"a\":1}");
  g_assert_no_error (f.job_error);
}

static void
test_failure_fails (void)
{
  g_auto (Fixture) f = { 0 };

  run_one (&f, FALSE, "[2]", NULL);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "fail 1 [2]\n");
  g_assert_false (f.succeeded);
  g_assert_cmpstr (f.outcome, ==, "[2]");
  g_assert_no_error (f.job_error);
}

static void
test_error_fails (void)
{
  g_auto (Fixture) f = { 0 };

  run_one (&f, FALSE, NULL, g_error_new (JOB_ERROR, JOB_ERROR_INVALID, "No \"x\""));
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "fail 1 {\"message\":\"No \\\"x\\\"\"}\n");
  g_assert_false (f.succeeded);
  g_assert_no_error (f.job_error);
}

static void
test_nothing_fails (void)
{
  g_auto (Fixture) f = { 0 };

  run_one (&f, FALSE, NULL, NULL);
  g_assert_true (
      g_str_has_prefix (scripted_queue_get_log (f.queue), "fail 1 {\"message\":\"The handler"));
}

/* The job must not stay leased because its handler writes no JSON. */
static void
test_bad_outcome_fails (void)
{
  g_auto (Fixture) good = { 0 };
  g_auto (Fixture) bad = { 0 };

  run_one (&good, TRUE, "{oops", NULL);
  g_assert_true (g_str_has_prefix (scripted_queue_get_log (good.queue), "fail 1 {\"message\":"));
  g_assert_false (good.succeeded);
  run_one (&bad, FALSE, "oops", NULL);
  g_assert_true (g_str_has_prefix (scripted_queue_get_log (bad.queue), "fail 1 {\"message\":"));
}

static void
test_report_error_ends_run (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  set_error (&f, SCRIPTED_COMPLETE, JOB_ERROR_STORAGE);
  add_job (&f, 1);
  start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_error (f.job_error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_false (f.succeeded);
  g_assert_null (f.outcome);
}

static void
test_late_report_does_not_end_run (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  set_error (&f, SCRIPTED_COMPLETE, JOB_ERROR_LEASE_LOST);
  add_job (&f, 1);
  add_job (&f, 2);
  start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.n_started == 2);
  WAIT_FOR (f.n_ended == 1);
  g_assert_error (f.job_error, JOB_ERROR, JOB_ERROR_LEASE_LOST);
  stop (&f);
}

/* Stopping. */

static void
test_stop_releases (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 3);
  add_job (&f, 1);
  add_job (&f, 2);
  start (&f, FALSE);
  WAIT_FOR (f.n_started == 2);
  stop (&f);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "release 1\nrelease 2\n");
  g_assert_cmpuint (f.n_ended, ==, 2);
  g_assert_error (f.job_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (scripted_queue_get_n_waiting (f.queue), ==, 0);
}

static void
test_stop_lets_done_be_done (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  manual_handler_set_stubborn (f.handler, TRUE);
  add_job (&f, 1);
  start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  g_cancellable_cancel (f.cancellable);
  WAIT_FOR (manual_handler_get_n_cancelled (f.handler) == 1);
  settle ();
  g_assert_false (f.done);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  stop (&f);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "complete 1 1\n");
}

static void
test_stopped_before (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  g_cancellable_cancel (f.cancellable);
  start (&f, FALSE);
  stop (&f);
  g_assert_cmpuint (scripted_queue_count (f.queue, SCRIPTED_DEQUEUE), ==, 0);
}

static void
test_runs_again (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  start (&f, FALSE);
  stop (&f);
  f.done = FALSE;
  g_cancellable_reset (f.cancellable);
  start (&f, FALSE);
  add_job (&f, 1);
  WAIT_FOR (f.n_started == 1);
  stop (&f);
}

static void
test_one_run_at_a_time (void)
{
  g_auto (Fixture) f = { 0 };
  g_auto (Fixture) second = { 0 };

  set_up (&f, 1);
  set_up (&second, 1);
  start (&f, FALSE);
  job_worker_run_async (f.worker, FALSE, NULL, on_done, &second);
  WAIT_FOR (second.done);
  g_assert_error (second.error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_false (f.done);
  stop (&f);
}

static void
test_no_handler (void)
{
  g_auto (Fixture) f = { 0 };
  g_autoptr (JobWorker) worker = NULL;

  set_up (&f, 1);
  worker = job_worker_new (JOB_QUEUE (f.queue), 1);
  job_worker_run_async (worker, FALSE, NULL, on_done, &f);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_INVALID);
}

/* Leases. */

static void
test_heartbeats (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  add_job (&f, 1);
  start (&f, FALSE);
  WAIT_FOR (scripted_queue_count (f.queue, SCRIPTED_HEARTBEAT) >= 3);
  g_assert_cmpuint (manual_handler_get_n_running (f.handler), ==, 1);
  stop (&f);
}

/* The cancellable says that it is over, and the queue says why. */
static void
test_cancelled_lease (void)
{
  g_auto (Fixture) f = { 0 };
  g_autoptr (GCancellable) lease = NULL;

  set_up (&f, 1);
  g_object_set (f.worker, "heartbeat-interval", (gint64) G_USEC_PER_SEC * 1000, NULL);
  lease = scripted_queue_add (f.queue, 1, "test");
  start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  set_error (&f, SCRIPTED_HEARTBEAT, JOB_ERROR_CANCELED);
  g_cancellable_cancel (lease);
  WAIT_FOR (f.n_ended == 1);
  g_assert_cmpuint (manual_handler_get_n_cancelled (f.handler), ==, 1);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "");
  g_assert_error (f.job_error, JOB_ERROR, JOB_ERROR_CANCELED);
  stop (&f);
}

static void
test_lost_lease (void)
{
  const JobError codes[] = { JOB_ERROR_LEASE_LOST, JOB_ERROR_CANCELED, JOB_ERROR_NOT_RUNNING };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      g_auto (Fixture) f = { 0 };

      set_up (&f, 1);
      set_error (&f, SCRIPTED_HEARTBEAT, codes[i]);
      add_job (&f, 1);
      start (&f, FALSE);
      WAIT_FOR (f.n_ended == 1);
      g_assert_cmpuint (manual_handler_get_n_cancelled (f.handler), ==, 1);
      g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "");
      g_assert_error (f.job_error, JOB_ERROR, (int) codes[i]);
      stop (&f);
    }
}

static void
test_heartbeat_error_ends_run (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 2);
  set_error (&f, SCRIPTED_HEARTBEAT, JOB_ERROR_STORAGE);
  add_job (&f, 1);
  start (&f, FALSE);
  WAIT_FOR (scripted_queue_count (f.queue, SCRIPTED_HEARTBEAT) == 1 &&
            scripted_queue_get_n_waiting (f.queue) == 0);
  settle ();
  g_assert_false (f.done);
  g_assert_cmpuint (manual_handler_get_n_cancelled (f.handler), ==, 0);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "complete 1 1\n");
}

/* A queue that fails. */

static void
test_dequeue_error_ends_run (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  add_job (&f, 1);
  start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  set_error (&f, SCRIPTED_DEQUEUE, JOB_ERROR_STORAGE);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "complete 1 1\n");
  g_assert_cmpuint (f.n_ended, ==, 1);
}

static void
test_closed_queue_cancels_handlers (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 2);
  add_job (&f, 1);
  add_job (&f, 2);
  start (&f, FALSE);
  WAIT_FOR (f.n_started == 2);
  set_error (&f, SCRIPTED_DEQUEUE, JOB_ERROR_CLOSED);
  set_error (&f, SCRIPTED_COMPLETE, JOB_ERROR_CLOSED);
  set_error (&f, SCRIPTED_RELEASE, JOB_ERROR_CLOSED);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_CLOSED);
  g_assert_cmpuint (f.n_ended, ==, 2);
  g_assert_cmpuint (manual_handler_get_n_cancelled (f.handler), ==, 1);
}

/* Draining. */

static void
test_drain_of_nothing (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 3);
  start (&f, TRUE);
  WAIT_FOR (f.done);
  g_assert_true (f.result);
  g_assert_cmpint (scripted_queue_get_timeout (f.queue), ==, 0);
  g_assert_cmpuint (scripted_queue_count (f.queue, SCRIPTED_LIST), ==, 1);
}

static void
test_drain_ends_after_the_last (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 3);
  add_job (&f, 1);
  start (&f, TRUE);
  WAIT_FOR (f.n_started == 1);
  settle ();
  g_assert_cmpuint (scripted_queue_get_n_waiting (f.queue), ==, 2);
  add_job (&f, 2);
  WAIT_FOR (f.n_started == 2);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  settle ();
  g_assert_false (f.done);
  manual_handler_end (f.handler, FALSE, "2", NULL);
  WAIT_FOR (f.done);
  g_assert_true (f.result);
  g_assert_cmpuint (f.n_ended, ==, 2);
  g_assert_cmpuint (scripted_queue_get_n_waiting (f.queue), ==, 0);
}

static void
test_drain_waits_for_scheduled (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 2);
  scripted_queue_set_listed (f.queue, JOB_STATE_SCHEDULED,
                             WALL_TIME + 10 * G_GINT64_CONSTANT (1000000000));
  start (&f, TRUE);
  WAIT_FOR (scripted_queue_get_n_waiting (f.queue) == 1);
  g_assert_cmpint (scripted_queue_get_timeout (f.queue), ==, 10 * G_USEC_PER_SEC + 1);

  scripted_queue_set_listed (f.queue, JOB_STATE_BLOCKED, 0);
  add_job (&f, 1);
  WAIT_FOR (f.n_started == 1);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.done);
  g_assert_true (f.result);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "complete 1 1\n");
}

/* A job of next year may be cancelled tomorrow. */
static void
test_drain_looks_again (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  scripted_queue_set_listed (f.queue, JOB_STATE_SCHEDULED, G_MAXINT64);
  start (&f, TRUE);
  WAIT_FOR (scripted_queue_get_n_waiting (f.queue) == 1);
  g_assert_cmpint (scripted_queue_get_timeout (f.queue), ==, 60 * G_USEC_PER_SEC);
  scripted_queue_set_listed (f.queue, JOB_STATE_BLOCKED, 0);
  scripted_queue_time_out (f.queue);
  WAIT_FOR (f.done);
  g_assert_true (f.result);
}

static void
test_drain_takes_what_became_pending (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  scripted_queue_set_listed (f.queue, JOB_STATE_PENDING, 0);
  start (&f, TRUE);
  WAIT_FOR (scripted_queue_count (f.queue, SCRIPTED_LIST) >= 1);
  scripted_queue_set_listed (f.queue, JOB_STATE_BLOCKED, 0);
  add_job (&f, 1);
  WAIT_FOR (f.n_started == 1);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.done);
  g_assert_true (f.result);
}

static void
test_drain_can_be_stopped (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  scripted_queue_set_listed (f.queue, JOB_STATE_SCHEDULED, G_MAXINT64);
  start (&f, TRUE);
  WAIT_FOR (scripted_queue_get_n_waiting (f.queue) == 1);
  stop (&f);
}

static void
test_list_error_ends_drain (void)
{
  g_auto (Fixture) f = { 0 };

  set_up (&f, 1);
  set_error (&f, SCRIPTED_LIST, JOB_ERROR_STORAGE);
  start (&f, TRUE);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_STORAGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/worker/places/n-at-a-time", test_n_at_a_time);
  g_test_add_func ("/worker/places/next-before-report", test_next_before_report);
  g_test_add_func ("/worker/report/success-completes", test_success_completes);
  g_test_add_func ("/worker/report/failure-fails", test_failure_fails);
  g_test_add_func ("/worker/report/error-fails", test_error_fails);
  g_test_add_func ("/worker/report/nothing-fails", test_nothing_fails);
  g_test_add_func ("/worker/report/bad-outcome-fails", test_bad_outcome_fails);
  g_test_add_func ("/worker/report/error-ends-run", test_report_error_ends_run);
  g_test_add_func ("/worker/report/late-does-not-end-run", test_late_report_does_not_end_run);
  g_test_add_func ("/worker/stop/releases", test_stop_releases);
  g_test_add_func ("/worker/stop/lets-done-be-done", test_stop_lets_done_be_done);
  g_test_add_func ("/worker/stop/before", test_stopped_before);
  g_test_add_func ("/worker/run/again", test_runs_again);
  g_test_add_func ("/worker/run/one-at-a-time", test_one_run_at_a_time);
  g_test_add_func ("/worker/run/no-handler", test_no_handler);
  g_test_add_func ("/worker/lease/heartbeats", test_heartbeats);
  g_test_add_func ("/worker/lease/cancelled", test_cancelled_lease);
  g_test_add_func ("/worker/lease/lost", test_lost_lease);
  g_test_add_func ("/worker/lease/heartbeat-error-ends-run", test_heartbeat_error_ends_run);
  g_test_add_func ("/worker/queue/dequeue-error-ends-run", test_dequeue_error_ends_run);
  g_test_add_func ("/worker/queue/closed-cancels-handlers", test_closed_queue_cancels_handlers);
  g_test_add_func ("/worker/drain/nothing", test_drain_of_nothing);
  g_test_add_func ("/worker/drain/ends-after-the-last", test_drain_ends_after_the_last);
  g_test_add_func ("/worker/drain/waits-for-scheduled", test_drain_waits_for_scheduled);
  g_test_add_func ("/worker/drain/looks-again", test_drain_looks_again);
  g_test_add_func ("/worker/drain/takes-what-became-pending", test_drain_takes_what_became_pending);
  g_test_add_func ("/worker/drain/can-be-stopped", test_drain_can_be_stopped);
  g_test_add_func ("/worker/drain/list-error-ends-it", test_list_error_ends_drain);

  return g_test_run ();
}
