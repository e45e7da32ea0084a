/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cancelling is final at once, and a job that is over stays as it is. */

#include "conformance-private.h"

static void
assert_cancel_refused (Fixture *f, const char *id, int code)
{
  g_autofree char *before = snapshot (f);
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (call_cancel (f, id, &error));
  assert_mentions (error, id);
  assert_job_error (error, code);
  after = snapshot (f);
  g_assert_cmpstr (after, ==, before);
}

static void
test_pending_never_runs (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autofree char *next = must_add (f, "a");
  g_autoptr (JobInfo) info = NULL;

  must_cancel (f, id);
  info = must_get_info (f, id);
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_CANCELED);
  g_assert_cmpint (job_info_get_reason (info), ==, JOB_REASON_REQUESTED);
  g_assert_null (job_info_get_culprit (info));
  g_assert_null (job_info_get_token (info));
  g_assert_cmpint (job_info_get_finished_at (info), >, 0);

  must_run (f, "a", next);
  assert_none (f, "a");
}

static void
test_blocked_and_scheduled_never_run (Fixture *f)
{
  g_autofree char *dependency = must_add (f, "d");
  g_autofree char *blocked = must_add_after (f, "a", dependency, JOB_CONDITION_AFTER_OK);
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autofree char *scheduled = NULL;

  job_spec_set_run_at (spec, START_OF_TIME + HOUR * NS_PER_US);
  scheduled = must_enqueue (f, spec);
  must_cancel (f, blocked);
  must_cancel (f, scheduled);
  must_run (f, "d", dependency);
  fixture_step (f, HOUR);

  assert_none (f, "a");
  assert_reason (f, blocked, JOB_STATE_CANCELED, JOB_REASON_REQUESTED, NULL);
  assert_reason (f, scheduled, JOB_STATE_CANCELED, JOB_REASON_REQUESTED, NULL);
}

static void
test_running_ends_at_once (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 3);
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  g_autoptr (GError) error = NULL;

  must_cancel (f, id);
  await_cancelled (job_lease_get_cancellable (lease));
  assert_state (f, id, JOB_STATE_CANCELED);
  assert_none (f, "a");
  g_assert_cmpuint (count_leases (f, 0), ==, 0);
  g_assert_false (call_lease_complete (f, lease, "1", &error));
  assert_job_error (error, JOB_ERROR_CANCELED);
  g_assert_false (call_lease_release (f, lease, &error));
  assert_job_error (error, JOB_ERROR_CANCELED);
  assert_state (f, id, JOB_STATE_CANCELED);
}

static void
test_finished_not_running (Fixture *f)
{
  g_autofree char *done = must_add (f, "a");
  g_autofree char *failed = must_add (f, "b");
  g_autoptr (JobLease) failed_lease = must_dequeue_job (f, "b", failed);

  must_run (f, "a", done);
  must_fail (f, failed_lease);
  assert_cancel_refused (f, done, JOB_ERROR_NOT_RUNNING);
  assert_cancel_refused (f, failed, JOB_ERROR_NOT_RUNNING);
}

static void
test_twice_canceled (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");

  must_cancel (f, id);
  assert_cancel_refused (f, id, JOB_ERROR_CANCELED);
}

static void
test_unknown_not_found (Fixture *f)
{
  assert_cancel_refused (f, UNKNOWN_ID, JOB_ERROR_NOT_FOUND);
}

static void
test_released_job_can_be_canceled (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);

  must_release (f, lease);
  must_cancel (f, id);
  assert_none (f, "a");
  g_assert_false (g_cancellable_is_cancelled (job_lease_get_cancellable (lease)));
}

static void
test_stays_over_a_reopening (Fixture *f)
{
  g_autofree char *pending = must_add (f, "a");
  g_autofree char *running = must_add (f, "b");
  g_autofree char *dependent = must_add_after (f, "c", pending, JOB_CONDITION_AFTER_OK);
  g_autoptr (JobLease) lease = must_dequeue_job (f, "b", running);

  must_cancel (f, pending);
  must_cancel (f, running);
  for (guint i = 0; i < 2; i++)
    {
      fixture_reopen (f);
      assert_reason (f, pending, JOB_STATE_CANCELED, JOB_REASON_REQUESTED, NULL);
      assert_reason (f, running, JOB_STATE_CANCELED, JOB_REASON_REQUESTED, NULL);
      assert_reason (f, dependent, JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY, pending);
      assert_none (f, NULL);
      g_assert_cmpuint (count_leases (f, 0), ==, 0);
    }
}

const ConformanceTest job_conformance_cancel_tests[] = {
  { "pending-never-runs", test_pending_never_runs },
  { "blocked-and-scheduled-never-run", test_blocked_and_scheduled_never_run,
    JOB_CONFORMANCE_CLOCK },
  { "running-ends-at-once", test_running_ends_at_once },
  { "finished-not-running", test_finished_not_running },
  { "twice-canceled", test_twice_canceled },
  { "unknown-not-found", test_unknown_not_found },
  { "released-job-can-be-canceled", test_released_job_can_be_canceled },
  { "stays-over-a-reopening", test_stays_over_a_reopening, JOB_CONFORMANCE_SURVIVES },
  { NULL },
};
