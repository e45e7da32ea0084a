/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A write that fails: the caller has the error, nothing has changed, and once there is room again
 * the queue goes on. The limit on the size of files makes writes fail, in a child. */

#include "conformance-private.h"

#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>

/* Ids that both processes know. */
#define BEFORE "00000001-0000-7000-8000-000000000000"
#define RUNNING "00000002-0000-7000-8000-000000000000"
#define REFUSED "00000003-0000-7000-8000-000000000000"
#define AFTER "00000004-0000-7000-8000-000000000000"

/* --- in the child ----------------------------------------------------------------------------- */

static rlim_t largest; /* of the files that are there */

static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = size;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
lift_limit (void)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = limit.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static int
note_size (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  if (type == FTW_F && (rlim_t) info->st_size > largest)
    largest = (rlim_t) info->st_size;
  return 0;
}

static void
must_enqueue_as (Fixture *f, const char *type, const char *id)
{
  g_autoptr (JobSpec) spec = new_spec (type, id);
  g_autofree char *given = must_enqueue (f, spec);
}

static void
assert_enqueue_fails (Fixture *f)
{
  g_autoptr (JobSpec) spec = new_spec ("a", REFUSED);
  g_autofree char *fill = g_strnfill (largest + 10000, 'x');
  g_autofree char *args = g_strdup_printf ("\"%s\"", fill);
  g_autoptr (GError) error = NULL;

  job_spec_set_args (spec, args);
  g_assert_null (call_enqueue (f, spec, &error));
  assert_job_error (error, JOB_ERROR_STORAGE);
}

static void
assert_as_before (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call_get_info (f, REFUSED, &error));
  assert_job_error (error, JOB_ERROR_NOT_FOUND);
  assert_state (f, BEFORE, JOB_STATE_PENDING);
  assert_state (f, RUNNING, JOB_STATE_RUNNING);
}

static JobLease *
set_the_stage (Fixture *f)
{
  must_enqueue_as (f, "a", BEFORE);
  must_enqueue_as (f, "b", RUNNING);
  signal (SIGXFSZ, SIG_IGN);

  return must_dequeue_job (f, "b", RUNNING);
}

static void
end_well (Fixture *f, JobLease *lease)
{
  assert_as_before (f);
  must_enqueue_as (f, "a", AFTER);
  must_complete (f, lease);
  must_run (f, "a", BEFORE);
  assert_state (f, AFTER, JOB_STATE_PENDING);
}

/* No byte can be written, whatever the verb. */
void
child_meet_a_full_disk (Fixture *f)
{
  g_autoptr (JobLease) lease = set_the_stage (f);
  const char *const types[] = { "a", NULL };
  g_autoptr (GError) error = NULL;

  limit_files (0);
  assert_enqueue_fails (f);
  assert_as_before (f);
  g_assert_null (call_dequeue (f, types, NULL, 0, &error));
  assert_job_error (error, JOB_ERROR_STORAGE);
  assert_as_before (f);
  g_assert_null (call_dequeue_by_id (f, BEFORE, &error));
  assert_job_error (error, JOB_ERROR_STORAGE);
  g_assert_false (call_cancel (f, BEFORE, &error));
  assert_job_error (error, JOB_ERROR_STORAGE);
  g_assert_false (call_lease_complete (f, lease, NULL, &error));
  assert_job_error (error, JOB_ERROR_STORAGE);
  g_assert_false (g_cancellable_is_cancelled (job_lease_get_cancellable (lease)));
  assert_as_before (f);

  lift_limit ();
  end_well (f, lease);
}

/* There is room for the first bytes of what is to be written, and no more. */
void
child_meet_a_torn_write (Fixture *f)
{
  g_autoptr (JobLease) lease = set_the_stage (f);

  g_assert_cmpint (nftw (f->folder, note_size, 16, FTW_PHYS), ==, 0);
  limit_files (largest + 50);
  assert_enqueue_fails (f);
  assert_as_before (f);
  lift_limit ();
  end_well (f, lease);
}

/* --- in the parent ---------------------------------------------------------------------------- */

static void
play_and_check (Fixture *f, const char *part)
{
  Child child;
  g_autoptr (GError) error = NULL;

  fixture_close (f);
  child_start (&child, f, part);
  child_finish (&child);
  for (guint i = 0; i < 2; i++)
    {
      if (f->queue == NULL)
        fixture_open (f);
      else
        fixture_reopen (f);
      assert_state (f, BEFORE, JOB_STATE_SUCCEEDED);
      assert_state (f, RUNNING, JOB_STATE_SUCCEEDED);
      assert_state (f, AFTER, JOB_STATE_PENDING);
      g_assert_null (call_get_info (f, REFUSED, &error));
      assert_job_error (error, JOB_ERROR_NOT_FOUND);
    }
  must_run (f, "a", AFTER);
}

static void
test_full_disk_changes_nothing (Fixture *f)
{
  play_and_check (f, "full-disk");
}

static void
test_torn_write_changes_nothing (Fixture *f)
{
  play_and_check (f, "torn-write");
}

const ConformanceTest job_conformance_storage_tests[] = {
  { "full-disk-changes-nothing", test_full_disk_changes_nothing,
    JOB_CONFORMANCE_SURVIVES | JOB_CONFORMANCE_FILES, TRUE },
  { "torn-write-changes-nothing", test_torn_write_changes_nothing,
    JOB_CONFORMANCE_SURVIVES | JOB_CONFORMANCE_FILES, TRUE },
  { NULL },
};
