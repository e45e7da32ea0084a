/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Closing: who waits is told, and nothing goes through afterwards. */

#include "conformance-private.h"

/* Each verb on a closed queue. */
static void
assert_closed (Fixture *f, const char *id)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (call_enqueue (f, spec, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_enqueue_many (f, &spec, 1, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_dequeue (f, NULL, NULL, -1, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_dequeue_by_id (f, id, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_false (call_complete (f, id, NULL, NULL, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_false (call_fail (f, id, NULL, NULL, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_false (call_release (f, id, NULL, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_false (call_cancel (f, id, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_false (call_heartbeat (f, id, UNKNOWN_TOKEN, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_lookup_token (f, UNKNOWN_TOKEN, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_get_info (f, id, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_wait (f, id, -1, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_list (f, NULL, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_list_leases (f, 0, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_list_damaged (f, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (call_move_damaged (f, f->folder, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
}

static void
must_close (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (call_close (f, &error));
  g_assert_no_error (error);
}

static void
test_every_verb_after_it_closed (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");

  must_close (f);
  assert_closed (f, id);
  g_clear_object (&f->queue);
}

static void
test_lease_of_a_closed_queue (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  g_autoptr (GError) error = NULL;

  must_close (f);
  g_clear_object (&f->queue);
  g_assert_false (call_lease_complete (f, lease, NULL, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_false (call_lease_heartbeat (f, lease, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
}

/* The second time it is told, and does no harm. */
static void
test_twice_closed (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (GError) error = NULL;

  must_close (f);
  g_assert_false (call_close (f, &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_clear_object (&f->queue);
  if (f->backend->capabilities & JOB_CONFORMANCE_SURVIVES)
    {
      fixture_open (f);
      must_run (f, "a", id);
    }
}

static void
test_who_waits_is_told (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  const char *const types[] = { "none", NULL };
  g_auto (Answer) dequeue = { NULL };
  g_auto (Answer) timed_dequeue = { NULL };
  g_auto (Answer) wait = { NULL };
  g_autoptr (GError) error = NULL;

  job_queue_dequeue_async (f->queue, types, NULL, -1, NULL, answer_cb, &dequeue);
  job_queue_dequeue_async (f->queue, types, NULL, HOUR, NULL, answer_cb, &timed_dequeue);
  job_queue_wait_async (f->queue, id, -1, NULL, answer_cb, &wait);
  must_close (f);

  g_assert_null (job_queue_dequeue_finish (f->queue, answer_wait (&dequeue), &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (job_queue_dequeue_finish (f->queue, answer_wait (&timed_dequeue), &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_null (job_queue_wait_finish (f->queue, answer_wait (&wait), &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_clear_object (&f->queue);
}

typedef struct
{
  JobQueue *queue;
  const char *id; /* to wait for, or NULL to dequeue */
} Waiter;

static gpointer
wait_until_closed (gpointer data)
{
  const char *const types[] = { "none", NULL };
  Waiter *waiter = data;
  GError *error = NULL;

  if (waiter->id != NULL)
    g_assert_null (job_queue_wait (waiter->queue, waiter->id, -1, NULL, &error));
  else
    g_assert_null (job_queue_dequeue (waiter->queue, types, NULL, -1, NULL, &error));

  return error;
}

static void
test_threads_that_wait_are_told (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  GThread *threads[8];
  Waiter waiters[2] = { { f->queue, id }, { f->queue, NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("waiter", wait_until_closed, &waiters[i % 2]);
  must_close (f);

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autoptr (GError) error = g_thread_join (threads[i]);

      assert_job_error (error, JOB_ERROR_CLOSED);
    }
  g_clear_object (&f->queue);
}

/* What was on its way is done, and answered. */
static void
test_what_is_on_its_way_is_finished (Fixture *f)
{
  Answer answers[50] = { { NULL } };
  JobSpec *specs[50];

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      specs[i] = job_spec_new ("a", NULL);
      job_queue_enqueue_async (f->queue, specs[i], NULL, answer_cb, &answers[i]);
    }
  must_close (f);

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *id = job_queue_enqueue_finish (f->queue, answer_wait (&answers[i]), &error);

      g_assert_no_error (error);
      g_assert_cmpstr (id, ==, job_spec_get_id (specs[i]));
      answer_clear (&answers[i]);
      g_object_unref (specs[i]);
    }
  g_clear_object (&f->queue);
}

/* Opens as soon as it can be: the last reference may have been one of the queue's own threads. */
static void
open_when_free (Fixture *f)
{
  while (f->queue == NULL)
    {
      g_autoptr (GError) error = NULL;

      f->queue = f->backend->open (f->folder, JOB_CLOCK (f->clock), &error);
      if (f->queue == NULL)
        g_assert_error (error, JOB_ERROR, JOB_ERROR_LOCKED);
      g_thread_yield ();
    }
}

static void
test_dropping_the_last_reference_closes (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  gpointer gone = f->queue;

  iterate_ready ();
  g_object_add_weak_pointer (gone, &gone);
  g_clear_object (&f->queue);
  while (g_atomic_pointer_get (&gone) != NULL)
    iterate_ready ();

  if (f->backend->capabilities & JOB_CONFORMANCE_SURVIVES)
    {
      open_when_free (f);
      must_run (f, "a", id);
    }
}

static void
test_leases_stay_over_a_reopening (Fixture *f)
{
  g_autofree char *first = must_add (f, "a");
  g_autofree char *second = must_add (f, "a");
  g_autoptr (JobLease) first_lease = must_dequeue_job (f, "a", first);
  g_autoptr (JobLease) second_lease = must_dequeue_job (f, "a", second);
  const char *token = job_lease_get_token (first_lease);
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;

  fixture_reopen (f);
  iterate_ready ();
  g_assert_false (g_cancellable_is_cancelled (job_lease_get_cancellable (first_lease)));
  g_assert_cmpuint (count_leases (f, 0), ==, 2);
  assert_none (f, "a");
  found = call_lookup_token (f, token, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, first);
  g_assert_true (call_heartbeat (f, first, token, &error));
  g_assert_true (call_complete (f, first, token, "[1]", &error));
  g_assert_true (call_fail (f, second, job_lease_get_token (second_lease), "[2]", &error));
  g_assert_no_error (error);

  fixture_reopen (f);
  assert_state (f, first, JOB_STATE_SUCCEEDED);
  assert_state (f, second, JOB_STATE_FAILED);
}

static void
test_heartbeats_count_from_the_opening (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);

  fixture_close (f);
  fixture_step (f, HOUR);
  fixture_open (f);
  g_assert_cmpuint (count_leases (f, 1), ==, 0);
  fixture_step (f, 1);
  g_assert_cmpuint (count_leases (f, 1), ==, 1);
}

const ConformanceTest job_conformance_close_tests[] = {
  { "every-verb-after-it-closed", test_every_verb_after_it_closed },
  { "lease-of-a-closed-queue", test_lease_of_a_closed_queue },
  { "twice-closed", test_twice_closed },
  { "who-waits-is-told", test_who_waits_is_told },
  { "threads-that-wait-are-told", test_threads_that_wait_are_told },
  { "what-is-on-its-way-is-finished", test_what_is_on_its_way_is_finished },
  { "dropping-the-last-reference-closes", test_dropping_the_last_reference_closes },
  { "leases-stay-over-a-reopening", test_leases_stay_over_a_reopening, JOB_CONFORMANCE_SURVIVES },
  { "heartbeats-count-from-the-opening", test_heartbeats_count_from_the_opening,
    JOB_CONFORMANCE_SURVIVES | JOB_CONFORMANCE_CLOCK },
  { NULL },
};
