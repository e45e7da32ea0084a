/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of a job that fails: another attempt if it has one left, else it is over. */

#include "conformance-private.h"

static void
assert_attempts (Fixture *f, const char *id, guint attempts)
{
  g_autoptr (JobInfo) info = must_get_info (f, id);

  g_assert_cmpuint (job_info_get_attempts (info), ==, attempts);
}

/* What the last attempt failed with is told for a job that is tried again, too. */
static void
assert_error_told (Fixture *f, const char *id)
{
  g_autoptr (JobInfo) info = must_get_info (f, id);

  g_assert_cmpstr (job_info_get_error (info), ==, "{\"fine\":false}");
  g_assert_null (job_info_get_result (info));
}

static void
test_one_by_default (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (call_lease_fail (f, lease, "{\"why\":\"broken\"}", &error));
  g_assert_no_error (error);
  assert_none (f, "a");

  info = must_get_info (f, id);
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_FAILED);
  g_assert_cmpstr (job_info_get_error (info), ==, "{\"why\":\"broken\"}");
  g_assert_null (job_info_get_result (info));
  g_assert_cmpint (job_info_get_finished_at (info), >, 0);
}

static void
test_fail_gives_another_until_the_limit (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 3);

  for (guint attempt = 1; attempt <= 3; attempt++)
    {
      g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);

      g_assert_cmpuint (job_lease_get_attempt (lease), ==, attempt);
      must_fail (f, lease);
      assert_state (f, id, attempt < 3 ? JOB_STATE_PENDING : JOB_STATE_FAILED);
      assert_attempts (f, id, attempt);
      assert_error_told (f, id);
    }
  assert_none (f, "a");
}

static void
test_success_after_a_failure (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 2);
  g_autoptr (JobLease) first = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) second = NULL;
  g_autoptr (JobInfo) info = NULL;

  must_fail (f, first);
  second = must_dequeue_job (f, "a", id);
  must_complete (f, second);

  info = must_get_info (f, id);
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_SUCCEEDED);
  g_assert_cmpstr (job_info_get_result (info), ==, "{\"fine\":true}");
  g_assert_null (job_info_get_error (info));
  g_assert_cmpuint (job_info_get_attempts (info), ==, 2);
}

/* The error of an attempt stays until another one says something else. */
static void
test_error_is_kept_through_the_next (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 2);
  g_autoptr (JobLease) first = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) second = NULL;
  g_autoptr (JobLease) third = NULL;

  must_fail (f, first);
  second = must_dequeue_job (f, "a", id);
  assert_error_told (f, id);
  must_release (f, second);
  assert_error_told (f, id);
  third = must_dequeue_job (f, "a", id);
  must_cancel (f, id);
  assert_state (f, id, JOB_STATE_CANCELED);
  assert_error_told (f, id);
}

static void
test_error_is_kept_over_reopenings (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 2);
  g_autoptr (JobLease) first = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) second = NULL;

  must_fail (f, first);
  second = must_dequeue_job (f, "a", id);
  fixture_reopen (f);
  assert_state (f, id, JOB_STATE_RUNNING);
  assert_error_told (f, id);
  must_cancel (f, id);
  fixture_reopen (f);
  assert_state (f, id, JOB_STATE_CANCELED);
  assert_error_told (f, id);
}

static void
test_release_counts_none (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);

      g_assert_cmpuint (job_lease_get_attempt (lease), ==, 1);
      must_release (f, lease);
      assert_state (f, id, JOB_STATE_PENDING);
      assert_attempts (f, id, 0);
    }
  must_run (f, "a", id);
}

static void
test_dependents_wait_for_the_last_one (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 2);
  g_autofree char *after_ok = must_add_after (f, "ok", id, JOB_CONDITION_AFTER_OK);
  g_autofree char *after_not_ok = must_add_after (f, "not-ok", id, JOB_CONDITION_AFTER_NOT_OK);
  g_autoptr (JobLease) first = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) second = NULL;

  must_fail (f, first);
  assert_state (f, after_ok, JOB_STATE_BLOCKED);
  assert_state (f, after_not_ok, JOB_STATE_BLOCKED);
  second = must_dequeue_job (f, "a", id);
  must_fail (f, second);
  assert_state (f, after_ok, JOB_STATE_CANCELED);
  assert_state (f, after_not_ok, JOB_STATE_PENDING);
}

static void
test_counted_over_a_reopening (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 2);
  g_autoptr (JobLease) first = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) second = NULL;

  must_fail (f, first);
  fixture_reopen (f);
  assert_attempts (f, id, 1);
  assert_error_told (f, id);
  second = must_dequeue_job (f, "a", id);
  g_assert_cmpuint (job_lease_get_attempt (second), ==, 2);
  must_fail (f, second);
  fixture_reopen (f);
  assert_state (f, id, JOB_STATE_FAILED);
  assert_attempts (f, id, 2);
}

const ConformanceTest job_conformance_attempts_tests[] = {
  { "one-by-default", test_one_by_default },
  { "fail-gives-another-until-the-limit", test_fail_gives_another_until_the_limit },
  { "success-after-a-failure", test_success_after_a_failure },
  { "error-is-kept-through-the-next", test_error_is_kept_through_the_next },
  { "release-counts-none", test_release_counts_none },
  { "dependents-wait-for-the-last-one", test_dependents_wait_for_the_last_one },
  { "error-is-kept-over-reopenings", test_error_is_kept_over_reopenings, JOB_CONFORMANCE_SURVIVES },
  { "counted-over-a-reopening", test_counted_over_a_reopening, JOB_CONFORMANCE_SURVIVES },
  { NULL },
};
