/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A claim that cannot be delivered is not lost: the job is pending again, in its old place, and no
 * attempt was counted. */

#include "conformance-private.h"

static void
assert_untouched (Fixture *f, const char *first, const char *second)
{
  g_autoptr (JobInfo) info = must_get_info (f, first);

  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_PENDING);
  g_assert_cmpuint (job_info_get_attempts (info), ==, 0);
  g_assert_cmpuint (count_leases (f, 0), ==, 0);
  must_run (f, "a", first);
  must_run (f, "a", second);
}

/* Iterates until a job that is claimed by nobody is pending again. */
static void
await_pending (Fixture *f, const char *id)
{
  for (;;)
    {
      g_autoptr (JobInfo) info = must_get_info (f, id);

      if (job_info_get_state (info) == JOB_STATE_PENDING)
        return;
      iterate_ready ();
      g_thread_yield ();
    }
}

/* The enqueueing makes the claim for who waits; it is cancelled before it can be delivered. */
static void
test_cancelled_before_delivery (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_auto (Answer) answer = { NULL };
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_dequeue_async (f->queue, NULL, NULL, -1, cancellable, answer_cb, &answer);
  first = job_queue_enqueue (f->queue, spec, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (answer.result);
  g_cancellable_cancel (cancellable);
  g_assert_null (job_queue_dequeue_finish (f->queue, answer_wait (&answer), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  second = must_add (f, "a");
  assert_untouched (f, first, second);
}

static void
test_goes_to_the_next_who_waits (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_auto (Answer) first = { NULL };
  g_auto (Answer) second = { NULL };
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_dequeue_async (f->queue, NULL, NULL, -1, cancellable, answer_cb, &first);
  job_queue_dequeue_async (f->queue, NULL, NULL, -1, NULL, answer_cb, &second);
  id = job_queue_enqueue (f->queue, spec, NULL, &error);
  g_assert_no_error (error);
  g_cancellable_cancel (cancellable);
  g_assert_null (job_queue_dequeue_finish (f->queue, answer_wait (&first), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  lease = job_queue_dequeue_finish (f->queue, answer_wait (&second), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
  g_assert_cmpuint (job_lease_get_attempt (lease), ==, 1);
}

static void
test_by_id_cancelled_before_delivery (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Answer) answer = { NULL };
  g_autofree char *first = must_add (f, "a");
  g_autofree char *second = must_add (f, "a");
  g_autoptr (GError) error = NULL;

  job_queue_dequeue_by_id_async (f->queue, first, cancellable, answer_cb, &answer);
  g_cancellable_cancel (cancellable);
  g_assert_null (job_queue_dequeue_by_id_finish (f->queue, answer_wait (&answer), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_untouched (f, first, second);
}

static void
test_without_callback (Fixture *f)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  job_queue_dequeue_async (f->queue, NULL, NULL, -1, NULL, NULL, NULL);
  first = must_add (f, "a");
  await_pending (f, first);
  second = must_add (f, "a");
  assert_untouched (f, first, second);
}

static void
test_by_id_without_callback (Fixture *f)
{
  g_autofree char *first = must_add (f, "a");
  g_autofree char *second = must_add (f, "a");

  job_queue_dequeue_by_id_async (f->queue, first, NULL, NULL, NULL);
  await_pending (f, first);
  assert_untouched (f, first, second);
}

static void
forget (GObject *source, GAsyncResult *result, gpointer data)
{
  gboolean *called = data;

  *called = TRUE;
}

static void
test_never_finished (Fixture *f)
{
  gboolean called = FALSE;
  g_autofree char *first = must_add (f, "a");
  g_autofree char *second = must_add (f, "a");

  job_queue_dequeue_async (f->queue, NULL, NULL, 0, NULL, forget, &called);
  while (!called)
    g_main_context_iteration (NULL, TRUE);
  await_pending (f, first);
  assert_untouched (f, first, second);
}

/* Delivered is delivered: a cancellable that fires later changes nothing. */
static void
test_cancelled_after_delivery (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Answer) answer = { NULL };
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_dequeue_async (f->queue, NULL, NULL, -1, cancellable, answer_cb, &answer);
  answer_wait (&answer);
  g_cancellable_cancel (cancellable);
  lease = job_queue_dequeue_finish (f->queue, answer.result, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
  must_complete (f, lease);
}

static void
test_not_lost_over_a_reopening (Fixture *f)
{
  g_autofree char *first = must_add (f, "a");
  g_autofree char *second = must_add (f, "a");

  job_queue_dequeue_async (f->queue, NULL, NULL, 0, NULL, NULL, NULL);
  iterate_ready ();
  await_pending (f, first);
  fixture_reopen (f);
  assert_untouched (f, first, second);
}

const ConformanceTest job_conformance_claim_tests[] = {
  { "cancelled-before-delivery", test_cancelled_before_delivery },
  { "goes-to-the-next-who-waits", test_goes_to_the_next_who_waits, 0, TRUE },
  { "by-id-cancelled-before-delivery", test_by_id_cancelled_before_delivery, 0, TRUE },
  { "without-callback", test_without_callback },
  { "by-id-without-callback", test_by_id_without_callback },
  { "never-finished", test_never_finished },
  { "cancelled-after-delivery", test_cancelled_after_delivery },
  { "not-lost-over-a-reopening", test_not_lost_over_a_reopening, JOB_CONFORMANCE_SURVIVES },
  { NULL },
};
