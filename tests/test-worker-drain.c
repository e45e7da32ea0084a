/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker that ends when there is nothing left to do. */

#include "worker-fixture.h"

static void
test_drain_of_nothing (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 3);
  worker_start (&f, TRUE);
  WAIT_FOR (f.done);
  g_assert_true (f.result);
  g_assert_cmpint (scripted_queue_get_timeout (f.queue), ==, 0);
  g_assert_cmpuint (scripted_queue_count (f.queue, SCRIPTED_LIST), ==, 1);
}

static void
test_drain_ends_after_the_last (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 3);
  worker_add_job (&f, 1);
  worker_start (&f, TRUE);
  WAIT_FOR (f.n_started == 1);
  worker_settle ();
  g_assert_cmpuint (scripted_queue_get_n_waiting (f.queue), ==, 2);
  worker_add_job (&f, 2);
  WAIT_FOR (f.n_started == 2);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  worker_settle ();
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
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 2);
  scripted_queue_set_listed (f.queue, JOB_STATE_SCHEDULED,
                             WALL_TIME + 10 * G_GINT64_CONSTANT (1000000000));
  worker_start (&f, TRUE);
  WAIT_FOR (scripted_queue_get_n_waiting (f.queue) == 1);
  g_assert_cmpint (scripted_queue_get_timeout (f.queue), ==, 10 * G_USEC_PER_SEC + 1);

  scripted_queue_set_listed (f.queue, JOB_STATE_BLOCKED, 0);
  worker_add_job (&f, 1);
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
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  scripted_queue_set_listed (f.queue, JOB_STATE_SCHEDULED, G_MAXINT64);
  worker_start (&f, TRUE);
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
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  scripted_queue_set_listed (f.queue, JOB_STATE_PENDING, 0);
  worker_start (&f, TRUE);
  WAIT_FOR (scripted_queue_count (f.queue, SCRIPTED_LIST) >= 1);
  scripted_queue_set_listed (f.queue, JOB_STATE_BLOCKED, 0);
  worker_add_job (&f, 1);
  WAIT_FOR (f.n_started == 1);
  manual_handler_end (f.handler, TRUE, "1", NULL);
  WAIT_FOR (f.done);
  g_assert_true (f.result);
}

static void
test_drain_can_be_stopped (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  scripted_queue_set_listed (f.queue, JOB_STATE_SCHEDULED, G_MAXINT64);
  worker_start (&f, TRUE);
  WAIT_FOR (scripted_queue_get_n_waiting (f.queue) == 1);
  worker_stop (&f);
}

static void
test_list_error_ends_drain (void)
{
  g_auto (WorkerFixture) f = { 0 };

  worker_set_up (&f, 1);
  worker_set_error (&f, SCRIPTED_LIST, JOB_ERROR_STORAGE);
  worker_start (&f, TRUE);
  WAIT_FOR (f.done);
  g_assert_error (f.error, JOB_ERROR, JOB_ERROR_STORAGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/worker-drain/nothing", test_drain_of_nothing);
  g_test_add_func ("/worker-drain/ends-after-the-last", test_drain_ends_after_the_last);
  g_test_add_func ("/worker-drain/waits-for-scheduled", test_drain_waits_for_scheduled);
  g_test_add_func ("/worker-drain/looks-again", test_drain_looks_again);
  g_test_add_func ("/worker-drain/takes-what-became-pending", test_drain_takes_what_became_pending);
  g_test_add_func ("/worker-drain/can-be-stopped", test_drain_can_be_stopped);
  g_test_add_func ("/worker-drain/list-error-ends-it", test_list_error_ends_drain);

  return g_test_run ();
}
