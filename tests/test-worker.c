/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker: its places, reports, stops, leases, and what it makes of a queue that fails. */

#include "worker-fixture.h"

/* Places. */

static void
test_n_at_a_time (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 2);
  for (guint i = 1; i <= 4; i++)
    worker_add_job (&f, i);
  worker_start (&f, FALSE);
  worker_settle ();
  g_assert_cmpuint (manual_handler_get_n_running (f.handler), ==, 2);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  worker_settle ();
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
  worker_stop (&f);
}

static void
test_next_before_report (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  scripted_queue_hold_reports (f.queue, TRUE);
  worker_add_job (&f, 1);
  worker_add_job (&f, 2);
  worker_start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.n_started == 2);
  worker_settle ();
  g_assert_cmpuint (f.n_ended, ==, 0);
  g_assert_cmpuint (job_worker_get_n_running (f.worker), ==, 2);
  scripted_queue_hold_reports (f.queue, FALSE);
  WAIT_FOR (f.n_ended == 1);
  worker_stop (&f);
}

/* Reports. */

static void
run_one (WorkerFixture *f, gboolean succeeded, const char *outcome, GError *error)
{
  worker_set_up (f, 1);
  worker_add_job (f, 1);
  worker_start (f, FALSE);
  WAIT_FOR (f->n_started == 1);
  manual_handler_end (f->handler, succeeded, outcome, error);
  WAIT_FOR (f->n_ended == 1);
  worker_stop (f);
}

static void
test_success_completes (void)
{
  g_auto (WorkerFixture) f = { 0 };

  run_one (&f, TRUE, "{\"a\":1}", NULL);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "complete 1 {\"a\":1}\n");
  g_assert_true (f.succeeded);
  g_assert_cmpstr (f.outcome, ==, "{\"a\":1}");
  g_assert_no_error (f.job_error);
}

static void
test_failure_fails (void)
{
  g_auto (WorkerFixture) f = { 0 };

  run_one (&f, FALSE, "[2]", NULL);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "fail 1 [2]\n");
  g_assert_false (f.succeeded);
  g_assert_cmpstr (f.outcome, ==, "[2]");
  g_assert_no_error (f.job_error);
}

static void
test_error_fails (void)
{
  g_auto (WorkerFixture) f = { 0 };

  run_one (&f, FALSE, NULL, g_error_new (JOB_ERROR, JOB_ERROR_INVALID, "No \"x\""));
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "fail 1 {\"message\":\"No \\\"x\\\"\"}\n");
  g_assert_false (f.succeeded);
  g_assert_no_error (f.job_error);
}

static void
test_nothing_fails (void)
{
  g_auto (WorkerFixture) f = { 0 };

  run_one (&f, FALSE, NULL, NULL);
  g_assert_true (
      g_str_has_prefix (scripted_queue_get_log (f.queue), "fail 1 {\"message\":\"The handler"));
}

/* The job must not stay leased because its handler writes no JSON. */
static void
test_bad_outcome_fails (void)
{
  g_auto (WorkerFixture) good = { 0 };
  g_auto (WorkerFixture) bad = { 0 };

  run_one (&good, TRUE, "{oops", NULL);
  g_assert_true (g_str_has_prefix (scripted_queue_get_log (good.queue), "fail 1 {\"message\":"));
  g_assert_false (good.succeeded);
  run_one (&bad, FALSE, "oops", NULL);
  g_assert_true (g_str_has_prefix (scripted_queue_get_log (bad.queue), "fail 1 {\"message\":"));
}

static void
test_report_error_ends_run (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  worker_set_error (&f, SCRIPTED_COMPLETE, JOB_ERROR_STORAGE);
  worker_add_job (&f, 1);
  worker_start (&f, FALSE);
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
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  worker_set_error (&f, SCRIPTED_COMPLETE, JOB_ERROR_LEASE_LOST);
  worker_add_job (&f, 1);
  worker_add_job (&f, 2);
  worker_start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.n_started == 2);
  WAIT_FOR (f.n_ended == 1);
  g_assert_error (f.job_error, JOB_ERROR, JOB_ERROR_LEASE_LOST);
  worker_stop (&f);
}

/* Stopping. */

static void
test_stop_releases (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 3);
  worker_add_job (&f, 1);
  worker_add_job (&f, 2);
  worker_start (&f, FALSE);
  WAIT_FOR (f.n_started == 2);
  worker_stop (&f);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "release 1\nrelease 2\n");
  g_assert_cmpuint (f.n_ended, ==, 2);
  g_assert_error (f.job_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (scripted_queue_get_n_waiting (f.queue), ==, 0);
}

static void
test_stop_lets_done_be_done (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  manual_handler_set_stubborn (f.handler, TRUE);
  worker_add_job (&f, 1);
  worker_start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  g_cancellable_cancel (f.cancellable);
  WAIT_FOR (manual_handler_get_n_cancelled (f.handler) == 1);
  worker_settle ();
  g_assert_false (f.done);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  worker_stop (&f);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "complete 1 1\n");
}

static void
test_stopped_before (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  g_cancellable_cancel (f.cancellable);
  worker_start (&f, FALSE);
  worker_stop (&f);
  g_assert_cmpuint (scripted_queue_count (f.queue, SCRIPTED_DEQUEUE), ==, 0);
}

static void
test_runs_again (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  worker_start (&f, FALSE);
  worker_stop (&f);
  f.done = FALSE;
  g_cancellable_reset (f.cancellable);
  worker_start (&f, FALSE);
  worker_add_job (&f, 1);
  WAIT_FOR (f.n_started == 1);
  worker_stop (&f);
}

static void
test_one_run_at_a_time (void)
{
  g_auto (WorkerFixture) f = { 0 };
  g_auto (WorkerFixture) second = { 0 };

  worker_set_up (&f, 1);
  worker_set_up (&second, 1);
  worker_start (&f, FALSE);
  job_worker_run_async (f.worker, FALSE, NULL, worker_on_done, &second);
  WAIT_FOR (second.done);
  g_assert_error (second.error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_false (f.done);
  worker_stop (&f);
}

static void
test_no_handler (void)
{
  g_auto (WorkerFixture) f = { 0 };
  g_autoptr (JobWorker) worker = NULL;

  worker_set_up (&f, 1);
  worker = job_worker_new (JOB_QUEUE (f.queue), 1);
  job_worker_run_async (worker, FALSE, NULL, worker_on_done, &f);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_INVALID);
}

/* Leases. */

static void
test_heartbeats (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  worker_add_job (&f, 1);
  worker_start (&f, FALSE);
  WAIT_FOR (scripted_queue_count (f.queue, SCRIPTED_HEARTBEAT) >= 3);
  g_assert_cmpuint (manual_handler_get_n_running (f.handler), ==, 1);
  worker_stop (&f);
}

/* The cancellable says that it is over, and the queue says why. */
static void
test_cancelled_lease (void)
{
  g_auto (WorkerFixture) f = { 0 };
  g_autoptr (GCancellable) lease = NULL;

  worker_set_up (&f, 1);
  g_object_set (f.worker, "heartbeat-interval", (gint64) G_USEC_PER_SEC * 1000, NULL);
  lease = scripted_queue_add (f.queue, 1, "test");
  worker_start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  worker_set_error (&f, SCRIPTED_HEARTBEAT, JOB_ERROR_CANCELED);
  g_cancellable_cancel (lease);
  WAIT_FOR (f.n_ended == 1);
  g_assert_cmpuint (manual_handler_get_n_cancelled (f.handler), ==, 1);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "");
  g_assert_error (f.job_error, JOB_ERROR, JOB_ERROR_CANCELED);
  worker_stop (&f);
}

static void
test_lost_lease (void)
{
  const JobError codes[] = { JOB_ERROR_LEASE_LOST, JOB_ERROR_CANCELED, JOB_ERROR_NOT_RUNNING };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      g_auto (WorkerFixture) f = { 0 };

      worker_set_up (&f, 1);
      worker_set_error (&f, SCRIPTED_HEARTBEAT, codes[i]);
      worker_add_job (&f, 1);
      worker_start (&f, FALSE);
      WAIT_FOR (f.n_ended == 1);
      g_assert_cmpuint (manual_handler_get_n_cancelled (f.handler), ==, 1);
      g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "");
      g_assert_error (f.job_error, JOB_ERROR, (int) codes[i]);
      worker_stop (&f);
    }
}

static void
test_heartbeat_error_ends_run (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 2);
  worker_set_error (&f, SCRIPTED_HEARTBEAT, JOB_ERROR_STORAGE);
  worker_add_job (&f, 1);
  worker_start (&f, FALSE);
  WAIT_FOR (scripted_queue_count (f.queue, SCRIPTED_HEARTBEAT) == 1 &&
            scripted_queue_get_n_waiting (f.queue) == 0);
  worker_settle ();
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
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  worker_add_job (&f, 1);
  worker_start (&f, FALSE);
  WAIT_FOR (f.n_started == 1);
  worker_set_error (&f, SCRIPTED_DEQUEUE, JOB_ERROR_STORAGE);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_cmpstr (scripted_queue_get_log (f.queue), ==, "complete 1 1\n");
  g_assert_cmpuint (f.n_ended, ==, 1);
}

static void
test_closed_queue_cancels_handlers (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 2);
  worker_add_job (&f, 1);
  worker_add_job (&f, 2);
  worker_start (&f, FALSE);
  WAIT_FOR (f.n_started == 2);
  worker_set_error (&f, SCRIPTED_DEQUEUE, JOB_ERROR_CLOSED);
  worker_set_error (&f, SCRIPTED_COMPLETE, JOB_ERROR_CLOSED);
  worker_set_error (&f, SCRIPTED_RELEASE, JOB_ERROR_CLOSED);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_CLOSED);
  g_assert_cmpuint (f.n_ended, ==, 2);
  g_assert_cmpuint (manual_handler_get_n_cancelled (f.handler), ==, 1);
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

  return g_test_run ();
}
