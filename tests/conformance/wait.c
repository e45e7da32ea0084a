/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting until a job is over, and waiting for a job to run. */

#include "conformance-private.h"

static void
assert_wait (Fixture *f, const char *id, JobState state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = call_wait (f, id, -1, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (job_info_get_id (info), ==, id);
  g_assert_cmpint (job_info_get_state (info), ==, state);
}

static void
test_already_over (Fixture *f)
{
  g_autofree char *done = must_add (f, "a");
  g_autofree char *failed = must_add (f, "b");
  g_autofree char *canceled = must_add (f, "c");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "b", failed);

  must_run (f, "a", done);
  must_fail (f, lease);
  must_cancel (f, canceled);
  assert_wait (f, done, JOB_STATE_SUCCEEDED);
  assert_wait (f, failed, JOB_STATE_FAILED);
  assert_wait (f, canceled, JOB_STATE_CANCELED);
}

static void
test_over_in_an_earlier_opening (Fixture *f)
{
  g_autofree char *done = must_add (f, "a");

  must_run (f, "a", done);
  fixture_reopen (f);
  assert_wait (f, done, JOB_STATE_SUCCEEDED);
}

static void
test_over_later (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 2);
  Answer answers[3] = { { NULL } };
  g_autoptr (JobLease) first = NULL;
  g_autoptr (JobLease) second = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    job_queue_wait_async (f->queue, id, -1, NULL, answer_cb, &answers[i]);
  first = must_dequeue_job (f, "a", id);
  must_fail (f, first);
  second = must_dequeue_job (f, "a", id);
  iterate_ready ();
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    g_assert_null (answers[i].result);

  must_complete (f, second);
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JobInfo) info =
          job_queue_wait_finish (f->queue, answer_wait (&answers[i]), &error);

      g_assert_no_error (error);
      g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_SUCCEEDED);
      g_assert_cmpstr (job_info_get_result (info), ==, "{\"fine\":true}");
      answer_clear (&answers[i]);
    }
}

static void
test_not_over_times_out (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (GError) error = NULL;

  g_assert_null (call_wait (f, id, 0, &error));
  assert_job_error (error, JOB_ERROR_TIMED_OUT);
  must_run (f, "a", id);
  g_assert_no_error (error);
}

static void
test_timeout (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_auto (Answer) answer = { NULL };
  g_autoptr (GError) error = NULL;

  job_queue_wait_async (f->queue, id, HOUR, NULL, answer_cb, &answer);
  fixture_step (f, HOUR - 1);
  iterate_ready ();
  g_assert_null (answer.result);
  fixture_step (f, 1);
  g_assert_null (job_queue_wait_finish (f->queue, answer_wait (&answer), &error));
  assert_job_error (error, JOB_ERROR_TIMED_OUT);
  must_run (f, "a", id);
}

static void
test_canceled_meanwhile (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Answer) answer = { NULL };
  g_autoptr (GError) error = NULL;

  job_queue_wait_async (f->queue, id, -1, cancellable, answer_cb, &answer);
  iterate_ready ();
  g_cancellable_cancel (cancellable);
  g_assert_null (job_queue_wait_finish (f->queue, answer_wait (&answer), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  must_run (f, "a", id);
}

static void
test_unknown_not_found (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call_wait (f, UNKNOWN_ID, -1, &error));
  assert_job_error (error, JOB_ERROR_NOT_FOUND);
}

typedef struct
{
  Fixture *f;
  const char *id;
  JobInfo *info;
} Waiter;

static gpointer
wait_in_thread (gpointer data)
{
  Waiter *waiter = data;
  g_autoptr (GError) error = NULL;

  waiter->info = job_queue_wait (waiter->f->queue, waiter->id, -1, NULL, &error);
  g_assert_no_error (error);
  return NULL;
}

static void
test_over_later_in_threads (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  Waiter waiters[4] = { { NULL } };
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      waiters[i] = (Waiter){ f, id, NULL };
      threads[i] = g_thread_new ("waiter", wait_in_thread, &waiters[i]);
    }
  must_run (f, "a", id);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_thread_join (threads[i]);
      g_assert_cmpint (job_info_get_state (waiters[i].info), ==, JOB_STATE_SUCCEEDED);
      g_object_unref (waiters[i].info);
    }
}

/* A dequeue that waits gets a job by every way in which one becomes pending. */
static Answer *
start_dequeue (Fixture *f, const char *type)
{
  const char *const types[] = { type, NULL };
  Answer *answer = g_new0 (Answer, 1);

  job_queue_dequeue_async (f->queue, types, NULL, -1, NULL, answer_cb, answer);
  iterate_ready ();
  g_assert_null (answer->result);
  return answer;
}

static void
assert_dequeued (Fixture *f, Answer *answer, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue_finish (f->queue, answer_wait (answer), &error);

  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
  answer_clear (answer);
  g_free (answer);
}

static void
test_dequeue_gets_what_is_enqueued (Fixture *f)
{
  Answer *answer = start_dequeue (f, "a");
  g_autofree char *other = must_add (f, "b");
  g_autofree char *id = must_add (f, "a");

  assert_dequeued (f, answer, id);
  assert_state (f, other, JOB_STATE_PENDING);
}

static void
test_dequeue_gets_what_is_released (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 2);
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  Answer *answer = start_dequeue (f, "a");

  must_release (f, lease);
  assert_dequeued (f, answer, id);
}

static void
test_dequeue_gets_what_is_tried_again (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 2);
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  Answer *answer = start_dequeue (f, "a");

  must_fail (f, lease);
  assert_dequeued (f, answer, id);
}

static void
test_dequeue_gets_what_is_no_longer_blocked (Fixture *f)
{
  g_autofree char *dependency = must_add (f, "d");
  g_autofree char *id = must_add_after (f, "a", dependency, JOB_CONDITION_AFTER_OK);
  Answer *answer = start_dequeue (f, "a");

  must_run (f, "d", dependency);
  assert_dequeued (f, answer, id);
}

static void
test_dequeue_gets_what_a_cancel_lets_go (Fixture *f)
{
  g_autofree char *dependency = must_add (f, "d");
  g_autofree char *id = must_add_after (f, "a", dependency, JOB_CONDITION_AFTER_NOT_OK);
  Answer *answer = start_dequeue (f, "a");

  must_cancel (f, dependency);
  assert_dequeued (f, answer, id);
}

static void
test_dequeue_gets_what_is_due (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  Answer *answer = start_dequeue (f, "a");
  g_autofree char *id = NULL;

  job_spec_set_run_at (spec, START_OF_TIME + HOUR * NS_PER_US);
  id = must_enqueue (f, spec);
  iterate_ready ();
  g_assert_null (answer->result);
  fixture_step (f, HOUR);
  assert_dequeued (f, answer, id);
}

/* One call makes many jobs; the first by the key goes to who waits. */
static void
test_dequeue_gets_the_first_of_many (Fixture *f)
{
  Answer *answer = start_dequeue (f, "a");
  JobSpec *specs[3];
  g_auto (GStrv) ids = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      specs[i] = job_spec_new ("a", NULL);
      job_spec_set_priority (specs[i], (int) i);
    }
  ids = call_enqueue_many (f, specs, G_N_ELEMENTS (specs), &error);
  g_assert_no_error (error);
  assert_dequeued (f, answer, ids[2]);
  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    g_object_unref (specs[i]);
}

const ConformanceTest job_conformance_wait_tests[] = {
  { "already-over", test_already_over },
  { "over-in-an-earlier-opening", test_over_in_an_earlier_opening, JOB_CONFORMANCE_SURVIVES },
  { "over-later", test_over_later },
  { "not-over-times-out", test_not_over_times_out },
  { "timeout", test_timeout, JOB_CONFORMANCE_CLOCK, TRUE },
  { "canceled-meanwhile", test_canceled_meanwhile },
  { "unknown-not-found", test_unknown_not_found },
  { "over-later-in-threads", test_over_later_in_threads },
  { "dequeue-gets-what-is-enqueued", test_dequeue_gets_what_is_enqueued },
  { "dequeue-gets-what-is-released", test_dequeue_gets_what_is_released },
  { "dequeue-gets-what-is-tried-again", test_dequeue_gets_what_is_tried_again },
  { "dequeue-gets-what-is-no-longer-blocked", test_dequeue_gets_what_is_no_longer_blocked },
  { "dequeue-gets-what-a-cancel-lets-go", test_dequeue_gets_what_a_cancel_lets_go },
  { "dequeue-gets-what-is-due", test_dequeue_gets_what_is_due, JOB_CONFORMANCE_CLOCK },
  { "dequeue-gets-the-first-of-many", test_dequeue_gets_the_first_of_many },
  { NULL },
};
