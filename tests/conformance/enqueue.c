/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was asked for is what is there; an id is enqueued once, for ever. */

#include "conformance-private.h"

static void
test_told_as_asked (Fixture *f)
{
  g_autofree char *dependency = must_add (f, "first");
  g_autofree char *id = new_id ();
  g_autoptr (JobSpec) spec = new_spec ("second", id);
  g_autofree char *given = NULL;
  g_autoptr (JobInfo) info = NULL;

  job_spec_set_args (spec, "{\"n\":1}");
  job_spec_set_channel (spec, "tenant");
  job_spec_set_priority (spec, -7);
  job_spec_set_max_attempts (spec, 5);
  job_spec_set_run_at (spec, START_OF_TIME + 5);
  job_spec_add_dependency (spec, dependency, JOB_CONDITION_AFTER_ANY);
  given = must_enqueue (f, spec);
  info = must_get_info (f, id);

  g_assert_cmpstr (given, ==, id);
  g_assert_cmpstr (job_info_get_job_type (info), ==, "second");
  g_assert_cmpstr (job_info_get_args (info), ==, "{\"n\":1}");
  g_assert_cmpstr (job_info_get_channel (info), ==, "tenant");
  g_assert_cmpint (job_info_get_priority (info), ==, -7);
  g_assert_cmpuint (job_info_get_max_attempts (info), ==, 5);
  g_assert_cmpint (job_info_get_run_at (info), ==, START_OF_TIME + 5);
  g_assert_cmpstr (job_info_get_dependencies (info)[0], ==, dependency);
  g_assert_null (job_info_get_dependencies (info)[1]);
  g_assert_cmpint (job_info_get_condition (info, 0), ==, JOB_CONDITION_AFTER_ANY);
}

static void
test_defaults (Fixture *f)
{
  g_autofree char *id = must_add (f, "plain");
  g_autoptr (JobInfo) info = must_get_info (f, id);

  g_assert_cmpstr (job_info_get_channel (info), ==, "");
  g_assert_cmpstr (job_info_get_args (info), ==, "null");
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_PENDING);
  g_assert_cmpint (job_info_get_priority (info), ==, 0);
  g_assert_cmpuint (job_info_get_max_attempts (info), ==, 1);
  g_assert_cmpuint (job_info_get_attempts (info), ==, 0);
  g_assert_cmpint (job_info_get_run_at (info), ==, 0);
  g_assert_cmpint (job_info_get_started_at (info), ==, 0);
  g_assert_cmpint (job_info_get_finished_at (info), ==, 0);
  g_assert_null (job_info_get_result (info));
  g_assert_null (job_info_get_error (info));
  g_assert_null (job_info_get_token (info));
  g_assert_cmpint (job_info_get_reason (info), ==, JOB_REASON_NONE);
  g_assert_null (job_info_get_culprit (info));
  g_assert_null (job_info_get_dependencies (info)[0]);
  g_assert_null (job_info_get_dependents (info)[0]);
}

static void
test_queued_at_rises_strictly (Fixture *f)
{
  gint64 last = 0;

  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *id = must_add (f, "tick");
      g_autoptr (JobInfo) info = must_get_info (f, id);

      g_assert_cmpint (job_info_get_queued_at (info), >, last);
      last = job_info_get_queued_at (info);
    }
}

static void
test_stamps_follow_the_clock (Fixture *f)
{
  g_autofree char *id = must_add (f, "stamped");
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (JobInfo) info = NULL;

  fixture_step (f, SECOND);
  lease = must_dequeue_job (f, "stamped", id);
  fixture_step (f, SECOND);
  must_complete (f, lease);
  info = must_get_info (f, id);

  g_assert_cmpint (job_info_get_queued_at (info), ==, START_OF_TIME);
  g_assert_cmpint (job_info_get_started_at (info), ==, START_OF_TIME + SECOND * NS_PER_US);
  g_assert_cmpint (job_info_get_finished_at (info), ==, START_OF_TIME + 2 * SECOND * NS_PER_US);
}

static void
assert_exists (Fixture *f, JobSpec *spec)
{
  g_autofree char *before = snapshot (f);
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (call_enqueue (f, spec, &error));
  assert_mentions (error, job_spec_get_id (spec));
  assert_job_error (error, JOB_ERROR_EXISTS);
  after = snapshot (f);
  g_assert_cmpstr (after, ==, before);
}

static void
test_id_twice_exists (Fixture *f)
{
  g_autofree char *id = new_id ();
  g_autoptr (JobSpec) spec = new_spec ("once", id);
  g_autofree char *given = must_enqueue (f, spec);

  assert_exists (f, spec);
  must_run (f, "once", id);
  assert_exists (f, spec);
  assert_none (f, "once");
}

static void
test_id_of_canceled_exists (Fixture *f)
{
  g_autofree char *id = new_id ();
  g_autoptr (JobSpec) spec = new_spec ("once", id);
  g_autofree char *given = must_enqueue (f, spec);

  must_cancel (f, id);
  assert_exists (f, spec);
}

static void
test_id_twice_exists_after_reopening (Fixture *f)
{
  g_autofree char *id = new_id ();
  g_autoptr (JobSpec) spec = new_spec ("once", id);
  g_autofree char *given = must_enqueue (f, spec);

  fixture_reopen (f);
  assert_exists (f, spec);
  must_run (f, "once", id);
  fixture_reopen (f);
  assert_exists (f, spec);
}

/* A spec is one job: who is not sure whether it came through may safely try again. */
static void
test_spec_twice_exists (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("once", NULL);
  g_autofree char *id = must_enqueue (f, spec);

  assert_exists (f, spec);
  must_run (f, "once", id);
  assert_none (f, "once");
}

static void
test_unknown_dependency_not_found (Fixture *f)
{
  g_autoptr (JobSpec) spec = new_dependent ("waits", UNKNOWN_ID, JOB_CONDITION_AFTER_OK);
  g_auto (GStrv) blocked = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (call_enqueue (f, spec, &error));
  assert_mentions (error, UNKNOWN_ID);
  assert_job_error (error, JOB_ERROR_NOT_FOUND);
  blocked = ids_in_state (f, JOB_STATE_BLOCKED);
  assert_ids (blocked, NULL);
}

static void
test_dependency_twice_invalid (Fixture *f)
{
  g_autofree char *id = must_add (f, "first");
  g_autoptr (JobSpec) spec = new_dependent ("waits", id, JOB_CONDITION_AFTER_OK);
  g_auto (GStrv) blocked = NULL;
  g_autoptr (GError) error = NULL;

  job_spec_add_dependency (spec, id, JOB_CONDITION_AFTER_ANY);
  g_assert_null (call_enqueue (f, spec, &error));
  assert_mentions (error, id);
  assert_job_error (error, JOB_ERROR_INVALID);
  blocked = ids_in_state (f, JOB_STATE_BLOCKED);
  assert_ids (blocked, NULL);
}

static void
test_dependency_on_itself_invalid (Fixture *f)
{
  g_autofree char *id = new_id ();
  g_autoptr (JobSpec) spec = new_spec ("ouroboros", id);
  g_autoptr (GError) error = NULL;

  job_spec_add_dependency (spec, id, JOB_CONDITION_AFTER_OK);
  g_assert_null (call_enqueue (f, spec, &error));
  assert_mentions (error, id);
  assert_job_error (error, JOB_ERROR_INVALID);
  g_assert_null (call_get_info (f, id, &error));
  assert_job_error (error, JOB_ERROR_NOT_FOUND);
}

const ConformanceTest job_conformance_enqueue_tests[] = {
  { "told-as-asked", test_told_as_asked },
  { "defaults", test_defaults },
  { "queued-at-rises-strictly", test_queued_at_rises_strictly },
  { "stamps-follow-the-clock", test_stamps_follow_the_clock, JOB_CONFORMANCE_CLOCK },
  { "id-twice-exists", test_id_twice_exists },
  { "id-of-canceled-exists", test_id_of_canceled_exists },
  { "id-twice-exists-after-reopening", test_id_twice_exists_after_reopening,
    JOB_CONFORMANCE_SURVIVES },
  { "spec-twice-exists", test_spec_twice_exists },
  { "unknown-dependency-not-found", test_unknown_dependency_not_found },
  { "dependency-twice-invalid", test_dependency_twice_invalid },
  { "dependency-on-itself-invalid", test_dependency_on_itself_invalid },
  { NULL },
};
