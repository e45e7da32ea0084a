/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is there after a close and another opening, and who may open. */

#include "conformance-private.h"

#include <unistd.h>

#include "../test-effort.h"

/* Jobs in every state, and with everything that a job can have. */
static void
populate (Fixture *f)
{
  g_autofree char *done = must_add (f, "done");
  g_autofree char *failed = must_add (f, "failed");
  g_autofree char *again = must_add_with_attempts (f, "again", 3);
  g_autofree char *running = must_add (f, "running");
  g_autofree char *canceled = must_add_with_priority (f, "canceled", 7);
  g_autofree char *pending = must_add_with_priority (f, "pending", -3);
  g_autofree char *blocked = must_add_after (f, "b", pending, JOB_CONDITION_AFTER_NOT_OK);
  g_autofree char *born_canceled = NULL;
  g_autofree char *scheduled = NULL;
  g_autoptr (JobSpec) spec = job_spec_new ("s", "{\"k\": [1.0, \"\\u00e9\"]}");
  g_autoptr (JobLease) failed_lease = must_dequeue_job (f, "failed", failed);
  g_autoptr (JobLease) again_lease = must_dequeue_job (f, "again", again);
  g_autoptr (JobLease) running_lease = must_dequeue_job (f, "running", running);

  must_run (f, "done", done);
  must_fail (f, failed_lease);
  must_fail (f, again_lease);
  must_cancel (f, canceled);
  born_canceled = must_add_after (f, "b", failed, JOB_CONDITION_AFTER_OK);
  job_spec_set_channel (spec, "gr\xc3\xbcn");
  job_spec_set_run_at (spec, START_OF_TIME + HOUR * NS_PER_US);
  scheduled = must_enqueue (f, spec);
}

static void
test_twice_in_a_row_is_the_same (Fixture *f)
{
  g_autofree char *before = NULL;

  populate (f);
  before = snapshot (f);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *after = NULL;

      fixture_reopen (f);
      after = snapshot (f);
      g_assert_cmpstr (after, ==, before);
    }
}

static void
test_empty_queue (Fixture *f)
{
  g_autofree char *id = NULL;

  fixture_reopen (f);
  assert_none (f, NULL);
  id = must_add (f, "a");
  must_run (f, "a", id);
}

static void
test_finished_never_runs_again (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (call_lease_complete (f, lease, "{\"kept\" : 1.0}", &error));
  g_assert_no_error (error);
  fixture_reopen (f);
  assert_none (f, "a");
  g_assert_false (call_complete (f, id, job_lease_get_token (lease), "2", &error));
  assert_job_error (error, JOB_ERROR_NOT_RUNNING);
  g_assert_false (call_complete (f, id, NULL, "2", &error));
  assert_job_error (error, JOB_ERROR_NOT_RUNNING);
  info = must_get_info (f, id);
  g_assert_cmpstr (job_info_get_result (info), ==, "{\"kept\" : 1.0}");
}

static void
test_old_token_stays_lost (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) old = must_dequeue_job (f, "a", id);
  g_autoptr (GError) error = NULL;

  must_release (f, old);
  fixture_reopen (f);
  g_assert_false (call_complete (f, id, job_lease_get_token (old), NULL, &error));
  assert_job_error (error, JOB_ERROR_LEASE_LOST);
  must_run (f, "a", id);
}

#define N_MANY test_effort (5000, 500)

static void
test_many_jobs (Fixture *f)
{
  g_autoptr (GPtrArray) specs = g_ptr_array_new_with_free_func (g_object_unref);
  g_auto (GStrv) ids = NULL;
  g_auto (GStrv) listed = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_MANY; i++)
    g_ptr_array_add (specs, job_spec_new ("a", NULL));
  ids = call_enqueue_many (f, (JobSpec **) specs->pdata, specs->len, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 20; i++)
    must_run (f, "a", ids[i]);
  fixture_reopen (f);
  listed = ids_in_state (f, JOB_STATE_PENDING);
  g_assert_cmpuint (g_strv_length (listed), ==, N_MANY - 20);
  for (guint i = 0; listed[i] != NULL; i++)
    g_assert_cmpstr (listed[i], ==, ids[20 + i]);
}

static void
assert_locked (Fixture *f, const char *pid)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (f->backend->open (f->folder, JOB_CLOCK (f->clock), &error));
  assert_mentions (error, pid);
  assert_job_error (error, JOB_ERROR_LOCKED);
}

static void
test_second_opening_locked (Fixture *f)
{
  g_autofree char *pid = g_strdup_printf ("%d", (int) getpid ());
  g_autofree char *id = must_add (f, "a");

  assert_locked (f, pid);
  must_run (f, "a", id);
  fixture_close (f);
  fixture_open (f);
  assert_locked (f, pid);
}

static void
test_locked_by_another_process (Fixture *f)
{
  Child child;
  g_autofree char *ready = NULL;

  fixture_close (f);
  child_start (&child, f, "hold");
  ready = child_read_line (&child);
  g_assert_cmpstr (ready, ==, "ready");
  assert_locked (f, g_subprocess_get_identifier (child.process));
  child_finish (&child);
  fixture_open (f);
}

static void
test_lock_ends_with_its_holder (Fixture *f)
{
  Child child;
  g_autofree char *ready = NULL;

  fixture_close (f);
  child_start (&child, f, "hold");
  ready = child_read_line (&child);
  g_assert_cmpstr (ready, ==, "ready");
  child_kill (&child);
  fixture_open (f);
}

const ConformanceTest job_conformance_reopen_tests[] = {
  { "twice-in-a-row-is-the-same", test_twice_in_a_row_is_the_same, JOB_CONFORMANCE_SURVIVES },
  { "empty-queue", test_empty_queue, JOB_CONFORMANCE_SURVIVES },
  { "finished-never-runs-again", test_finished_never_runs_again, JOB_CONFORMANCE_SURVIVES },
  { "old-token-stays-lost", test_old_token_stays_lost, JOB_CONFORMANCE_SURVIVES },
  { "many-jobs", test_many_jobs, JOB_CONFORMANCE_SURVIVES },
  { "second-opening-locked", test_second_opening_locked, JOB_CONFORMANCE_EXCLUSIVE },
  { "locked-by-another-process", test_locked_by_another_process, JOB_CONFORMANCE_EXCLUSIVE, TRUE },
  { "lock-ends-with-its-holder", test_lock_ends_with_its_holder, JOB_CONFORMANCE_EXCLUSIVE, TRUE },
  { NULL },
};
