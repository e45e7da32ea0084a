/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who gets which job: types, channels, timeouts, and dequeueing by id. */

#include "conformance-private.h"

static char *
add_in_channel (Fixture *f, const char *type, const char *channel)
{
  g_autoptr (JobSpec) spec = job_spec_new (type, NULL);

  job_spec_set_channel (spec, channel);
  return must_enqueue (f, spec);
}

/* What a dequeue over @channels gets of the type "c" at once: an id, or NULL for nothing. */
static char *
take_from (Fixture *f, const char *const *channels)
{
  const char *const types[] = { "c", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = call_dequeue (f, types, channels, 0, &error);

  if (lease != NULL)
    return g_strdup (job_lease_get_id (lease));
  assert_job_error (error, JOB_ERROR_TIMED_OUT);
  return NULL;
}

static void
test_lease_has_what_the_job_has (Fixture *f)
{
  g_autofree char *dependency = must_add (f, "before");
  g_autoptr (JobSpec) spec = new_dependent ("now", dependency, JOB_CONDITION_AFTER_OK);
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (JobInfo) info = NULL;

  job_spec_set_args (spec, "[1]");
  job_spec_set_channel (spec, "blue");
  id = must_enqueue (f, spec);
  must_run (f, "before", dependency);
  lease = must_dequeue_job (f, "now", id);
  info = must_get_info (f, id);

  g_assert_cmpstr (job_lease_get_job_type (lease), ==, "now");
  g_assert_cmpstr (job_lease_get_channel (lease), ==, "blue");
  g_assert_cmpstr (job_lease_get_args (lease), ==, "[1]");
  g_assert_cmpuint (job_lease_get_attempt (lease), ==, 1);
  g_assert_cmpstr (job_lease_get_dependencies (lease)[0], ==, dependency);
  g_assert_null (job_lease_get_dependencies (lease)[1]);
  g_assert_false (g_cancellable_is_cancelled (job_lease_get_cancellable (lease)));
  g_assert_true (g_uuid_string_is_valid (job_lease_get_token (lease)));
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_RUNNING);
  g_assert_cmpuint (job_info_get_attempts (info), ==, 1);
}

static void
test_only_the_types_asked_for (Fixture *f)
{
  const char *const two[] = { "none", "b", NULL };
  g_autofree char *a = must_add (f, "a");
  g_autofree char *b = must_add (f, "b");
  g_autofree char *c = must_add (f, "c");
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = NULL;

  assert_none (f, "none");
  must_run (f, "c", c);
  lease = call_dequeue (f, two, NULL, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, b);
  must_run (f, "a", a);
}

static void
test_no_list_means_any (Fixture *f)
{
  g_autofree char *a = add_in_channel (f, "a", "red");
  g_autofree char *b = must_add (f, "b");

  must_run (f, NULL, a);
  must_run (f, NULL, b);
  assert_none (f, NULL);
}

static void
test_same_type_named_twice (Fixture *f)
{
  const char *const twice[] = { "a", "a", NULL };
  g_autofree char *a = must_add (f, "a");
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = call_dequeue (f, twice, NULL, 0, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, a);
  assert_none (f, "a");
}

static void
test_single_channel_dequeuers (Fixture *f)
{
  const char *const red[] = { "red", NULL };
  const char *const blue[] = { "blue", NULL };
  g_autofree char *first = add_in_channel (f, "c", "red");
  g_autofree char *second = add_in_channel (f, "c", "blue");
  g_autofree char *from_blue = take_from (f, blue);
  g_autofree char *from_red = take_from (f, red);

  g_assert_cmpstr (from_red, ==, first);
  g_assert_cmpstr (from_blue, ==, second);
  g_assert_null (take_from (f, red));
  g_assert_null (take_from (f, blue));
}

static void
test_two_channel_dequeuer (Fixture *f)
{
  const char *const both[] = { "blue", "red", NULL };
  g_autofree char *first = add_in_channel (f, "c", "red");
  g_autofree char *other = add_in_channel (f, "c", "green");
  g_autofree char *second = add_in_channel (f, "c", "blue");
  g_autofree char *from_first = take_from (f, both);
  g_autofree char *from_second = take_from (f, both);

  g_assert_cmpstr (from_first, ==, first);
  g_assert_cmpstr (from_second, ==, second);
  g_assert_null (take_from (f, both));
  assert_state (f, other, JOB_STATE_PENDING);
}

static void
test_channel_that_does_not_exist (Fixture *f)
{
  const char *const missing[] = { "missing", NULL };
  const char *const default_one[] = { "", NULL };
  g_autofree char *named = add_in_channel (f, "c", "red");
  g_autofree char *plain = must_add (f, "c");
  g_autofree char *from_default = NULL;

  g_assert_null (take_from (f, missing));
  from_default = take_from (f, default_one);
  g_assert_cmpstr (from_default, ==, plain);
  assert_state (f, named, JOB_STATE_PENDING);
}

static void
test_several_workers (Fixture *f)
{
  g_autofree char *a1 = must_add (f, "a");
  g_autofree char *a2 = must_add (f, "a");
  g_autofree char *b1 = must_add (f, "b");
  g_autoptr (JobLease) lease_b1 = must_dequeue_job (f, "b", b1);
  g_autoptr (JobLease) lease_a1 = must_dequeue_job (f, "a", a1);
  g_autoptr (JobLease) lease_a2 = must_dequeue_job (f, "a", a2);

  g_assert_cmpstr (job_lease_get_token (lease_a1), !=, job_lease_get_token (lease_a2));
  assert_none (f, NULL);
  must_complete (f, lease_a2);
  must_complete (f, lease_b1);
  assert_state (f, a1, JOB_STATE_RUNNING);
  assert_state (f, a2, JOB_STATE_SUCCEEDED);
  must_complete (f, lease_a1);
}

static void
test_nothing_there_times_out_at_once (Fixture *f)
{
  assert_none (f, "a");
  assert_none (f, NULL);
}

typedef struct
{
  Fixture *f;
  GError *error;
  gint done; /* atomic */
} Waiter;

static gpointer
wait_a_second (gpointer data)
{
  Waiter *waiter = data;

  g_assert_null (job_queue_dequeue (waiter->f->queue, NULL, NULL, SECOND, NULL, &waiter->error));
  g_atomic_int_set (&waiter->done, TRUE);
  return NULL;
}

/* Steps on until the thread is through, since nobody can see when it has begun to wait. */
static void
test_timeout_blocking (Fixture *f)
{
  Waiter waiter = { f, NULL, FALSE };
  GThread *thread = g_thread_new ("waiter", wait_a_second, &waiter);

  while (!g_atomic_int_get (&waiter.done))
    {
      fixture_step (f, SECOND);
      g_thread_yield ();
    }

  g_thread_join (thread);
  assert_job_error (waiter.error, JOB_ERROR_TIMED_OUT);
}

static void
test_timeout_async (Fixture *f)
{
  g_auto (Answer) answer = { NULL };
  g_autoptr (GError) error = NULL;

  job_queue_dequeue_async (f->queue, NULL, NULL, HOUR, NULL, answer_cb, &answer);
  fixture_step (f, HOUR - 1);
  iterate_ready ();
  g_assert_null (answer.result);
  fixture_step (f, 1);

  g_assert_null (job_queue_dequeue_finish (f->queue, answer_wait (&answer), &error));
  assert_job_error (error, JOB_ERROR_TIMED_OUT);
}

static void
test_timed_out_waiter_gets_no_job (Fixture *f)
{
  g_auto (Answer) answer = { NULL };
  g_autofree char *id = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_dequeue_async (f->queue, NULL, NULL, 1, NULL, answer_cb, &answer);
  fixture_step (f, 1);
  g_assert_null (job_queue_dequeue_finish (f->queue, answer_wait (&answer), &error));
  assert_job_error (error, JOB_ERROR_TIMED_OUT);

  id = must_add (f, "late");
  assert_state (f, id, JOB_STATE_PENDING);
  must_run (f, "late", id);
}

static void
assert_not_pending (Fixture *f, const char *id)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call_dequeue_by_id (f, id, &error));
  assert_job_error (error, JOB_ERROR_NOT_PENDING);
}

static void
test_by_id (Fixture *f)
{
  g_autofree char *first = must_add (f, "a");
  g_autofree char *second = must_add (f, "a");
  g_autofree char *third = must_add (f, "a");
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = call_dequeue_by_id (f, second, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, second);
  must_run (f, "a", first);
  must_run (f, "a", third);
  assert_none (f, "a");
  must_complete (f, lease);
}

static void
test_by_id_not_pending (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autofree char *blocked = must_add_after (f, "b", id, JOB_CONDITION_AFTER_OK);
  g_autofree char *canceled = must_add (f, "c");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);

  must_cancel (f, canceled);
  assert_not_pending (f, id);
  assert_not_pending (f, blocked);
  assert_not_pending (f, canceled);
  must_complete (f, lease);
  assert_not_pending (f, id);
  must_run (f, "b", blocked);
}

static void
test_by_id_not_before_its_time (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  job_spec_set_run_at (spec, START_OF_TIME + HOUR * NS_PER_US);
  id = must_enqueue (f, spec);
  assert_not_pending (f, id);
  fixture_step (f, HOUR);
  lease = call_dequeue_by_id (f, id, &error);
  g_assert_no_error (error);
}

static void
test_by_id_unknown_not_found (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call_dequeue_by_id (f, UNKNOWN_ID, &error));
  assert_mentions (error, UNKNOWN_ID);
  assert_job_error (error, JOB_ERROR_NOT_FOUND);
}

const ConformanceTest job_conformance_dequeue_tests[] = {
  { "lease-has-what-the-job-has", test_lease_has_what_the_job_has },
  { "only-the-types-asked-for", test_only_the_types_asked_for },
  { "no-list-means-any", test_no_list_means_any },
  { "same-type-named-twice", test_same_type_named_twice },
  { "single-channel-dequeuers", test_single_channel_dequeuers },
  { "two-channel-dequeuer", test_two_channel_dequeuer },
  { "channel-that-does-not-exist", test_channel_that_does_not_exist },
  { "several-workers", test_several_workers },
  { "nothing-there-times-out-at-once", test_nothing_there_times_out_at_once },
  { "timeout/blocking", test_timeout_blocking, JOB_CONFORMANCE_CLOCK, TRUE },
  { "timeout/async", test_timeout_async, JOB_CONFORMANCE_CLOCK, TRUE },
  { "timed-out-waiter-gets-no-job", test_timed_out_waiter_gets_no_job, JOB_CONFORMANCE_CLOCK },
  { "by-id", test_by_id },
  { "by-id-not-pending", test_by_id_not_pending },
  { "by-id-not-before-its-time", test_by_id_not_before_its_time, JOB_CONFORMANCE_CLOCK },
  { "by-id-unknown-not-found", test_by_id_unknown_not_found },
  { NULL },
};
