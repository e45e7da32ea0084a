/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a queue tells about its jobs: get_info, list with its filters, and run-at times. */

#include "conformance-private.h"

static char **
ids_by (Fixture *f, JobFilter *filter)
{
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = call_list (f, filter, &error);

  g_assert_no_error (error);
  g_assert_true (g_list_model_get_item_type (list) == JOB_TYPE_INFO);
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);

      g_strv_builder_add (ids, job_info_get_id (info));
    }

  return g_strv_builder_end (ids);
}

static void
test_unknown_not_found (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call_get_info (f, UNKNOWN_ID, &error));
  assert_mentions (error, UNKNOWN_ID);
  assert_job_error (error, JOB_ERROR_NOT_FOUND);
}

static void
test_upper_case_id_is_the_same (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autofree char *upper = g_ascii_strup (id, -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = call_get_info (f, upper, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (job_info_get_id (info), ==, id);
}

static void
test_info_does_not_change (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobInfo) info = must_get_info (f, id);

  must_run (f, "a", id);
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_PENDING);
  g_assert_null (job_info_get_result (info));
}

static void
test_list_of_an_empty_queue (Fixture *f)
{
  g_auto (GStrv) ids = ids_by (f, NULL);

  assert_ids (ids, NULL);
}

static void
test_list_without_filter_has_all (Fixture *f)
{
  g_autofree char *pending = must_add (f, "a");
  g_autofree char *done = must_add (f, "b");
  g_autofree char *canceled = must_add (f, "c");
  g_autofree char *blocked = must_add_after (f, "d", pending, JOB_CONDITION_AFTER_OK);
  g_auto (GStrv) ids = NULL;

  must_run (f, "b", done);
  must_cancel (f, canceled);
  ids = ids_by (f, NULL);
  g_assert_cmpuint (g_strv_length (ids), ==, 4);
  g_assert_true (g_strv_contains ((const char *const *) ids, pending));
  g_assert_true (g_strv_contains ((const char *const *) ids, done));
  g_assert_true (g_strv_contains ((const char *const *) ids, canceled));
  g_assert_true (g_strv_contains ((const char *const *) ids, blocked));
}

static void
test_list_by_state (Fixture *f)
{
  g_autofree char *pending = must_add (f, "a");
  g_autofree char *done = must_add (f, "b");
  g_autofree char *failed = must_add (f, "c");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "c", failed);
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_auto (GStrv) ids = NULL;

  must_run (f, "b", done);
  must_fail (f, lease);
  job_filter_add_state (filter, JOB_STATE_PENDING);
  job_filter_add_state (filter, JOB_STATE_FAILED);
  ids = ids_by (f, filter);
  g_assert_cmpuint (g_strv_length (ids), ==, 2);
  g_assert_true (g_strv_contains ((const char *const *) ids, pending));
  g_assert_true (g_strv_contains ((const char *const *) ids, failed));
}

static void
test_list_by_type_and_channel (Fixture *f)
{
  const char *const types[] = { "a", "b", NULL };
  const char *const channels[] = { "red", NULL };
  g_autofree char *plain = must_add (f, "a");
  g_autofree char *other = must_add (f, "c");
  g_autoptr (JobSpec) spec = job_spec_new ("b", NULL);
  g_autofree char *red = NULL;
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_auto (GStrv) of_types = NULL;
  g_auto (GStrv) of_both = NULL;

  job_spec_set_channel (spec, "red");
  red = must_enqueue (f, spec);
  job_filter_set_types (filter, types);
  of_types = ids_by (f, filter);
  assert_ids (of_types, plain, red, NULL);
  job_filter_set_channels (filter, channels);
  of_both = ids_by (f, filter);
  assert_ids (of_both, red, NULL);
}

static void
test_list_in_the_order_of_the_queue (Fixture *f)
{
  g_autofree char *first = must_add (f, "a");
  g_autofree char *second = must_add (f, "b");
  g_autofree char *high = must_add_with_priority (f, "c", 1);
  g_auto (GStrv) ids = ids_in_state (f, JOB_STATE_PENDING);

  assert_ids (ids, high, first, second, NULL);
}

static void
test_list_up_to_a_limit (Fixture *f)
{
  g_autofree char *first = must_add (f, "a");
  g_autofree char *second = must_add (f, "a");
  g_autofree char *third = must_add (f, "a");
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_auto (GStrv) two = NULL;
  g_auto (GStrv) all = NULL;

  job_filter_set_limit (filter, 2);
  two = ids_by (f, filter);
  assert_ids (two, first, second, NULL);
  job_filter_set_limit (filter, 0);
  all = ids_by (f, filter);
  assert_ids (all, first, second, third, NULL);
}

static void
test_nothing_is_damaged (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) damaged = call_list_damaged (f, &error);
  g_autoptr (GListModel) moved = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (damaged), ==, 0);
  moved = call_move_damaged (f, f->folder, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (moved), ==, 0);
  must_run (f, "a", id);
}

static void
test_scheduled_until_its_time (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autofree char *id = NULL;

  job_spec_set_run_at (spec, START_OF_TIME + 10 * SECOND * NS_PER_US);
  id = must_enqueue (f, spec);
  assert_reason (f, id, JOB_STATE_SCHEDULED, JOB_REASON_RUN_AT, NULL);
  fixture_step (f, 10 * SECOND - 1);
  assert_none (f, "a");
  assert_state (f, id, JOB_STATE_SCHEDULED);
  fixture_step (f, 1);
  assert_reason (f, id, JOB_STATE_PENDING, JOB_REASON_NONE, NULL);
  must_run (f, "a", id);
}

static void
test_time_in_the_past_is_pending (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autofree char *id = NULL;

  job_spec_set_run_at (spec, START_OF_TIME - 1);
  id = must_enqueue (f, spec);
  assert_state (f, id, JOB_STATE_PENDING);
  must_run (f, "a", id);
}

static void
test_scheduled_over_a_reopening (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autofree char *id = NULL;

  job_spec_set_run_at (spec, START_OF_TIME + HOUR * NS_PER_US);
  id = must_enqueue (f, spec);
  fixture_reopen (f);
  assert_state (f, id, JOB_STATE_SCHEDULED);
  fixture_close (f);
  fixture_step (f, HOUR);
  fixture_open (f);
  must_run (f, "a", id);
}

const ConformanceTest job_conformance_read_tests[] = {
  { "unknown-not-found", test_unknown_not_found },
  { "upper-case-id-is-the-same", test_upper_case_id_is_the_same },
  { "info-does-not-change", test_info_does_not_change },
  { "list-of-an-empty-queue", test_list_of_an_empty_queue },
  { "list-without-filter-has-all", test_list_without_filter_has_all },
  { "list-by-state", test_list_by_state },
  { "list-by-type-and-channel", test_list_by_type_and_channel },
  { "list-in-the-order-of-the-queue", test_list_in_the_order_of_the_queue },
  { "list-up-to-a-limit", test_list_up_to_a_limit },
  { "nothing-is-damaged", test_nothing_is_damaged },
  { "scheduled-until-its-time", test_scheduled_until_its_time, JOB_CONFORMANCE_CLOCK },
  { "time-in-the-past-is-pending", test_time_in_the_past_is_pending, JOB_CONFORMANCE_CLOCK },
  { "scheduled-over-a-reopening", test_scheduled_over_a_reopening,
    JOB_CONFORMANCE_SURVIVES | JOB_CONFORMANCE_CLOCK },
  { NULL },
};
