/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The values that go in and out of a queue: texts of states, stamps, filters, infos with their
 * JSON, damaged records. */

#include "job-error.h"
#include "job-filter-private.h"
#include "job-json.h"
#include "job-queue-backend.h"
#include "job-store.h"
#include "job-time.h"

#include <string.h>

#define ID_A "01890a5d-ac96-774b-bcce-b302099a8057"
#define ID_B "01890a5d-ac96-774b-bcce-b302099a8058"
#define ID_C "01890a5d-ac96-774b-bcce-b302099a8059"

static JobId
parse_id (const char *text)
{
  JobId id;

  g_assert_true (job_id_parse (text, "id", &id, NULL));
  return id;
}

static void
assert_invalid (GError **error, const char *culprit)
{
  g_assert_error (*error, JOB_ERROR, JOB_ERROR_INVALID);
  if (strstr ((*error)->message, culprit) == NULL)
    g_error ("\"%s\" does not name \"%s\"", (*error)->message, culprit);
  g_clear_error (error);
}

/* Enumerations */

static void
test_every_state_has_one_text (void)
{
  for (guint i = JOB_STATE_BLOCKED; i <= JOB_STATE_CANCELED; i++)
    {
      JobState state = JOB_STATE_BLOCKED;

      g_assert_true (job_state_from_string (job_state_to_string (i), &state, NULL));
      g_assert_cmpint (state, ==, i);
      g_assert_cmpint (job_state_is_final (state), ==, i >= JOB_STATE_SUCCEEDED);
    }
  g_assert_cmpstr (job_state_to_string (JOB_STATE_CANCELED), ==, "canceled");
  g_assert_null (job_state_to_string (JOB_STATE_CANCELED + 1));
  g_assert_null (job_state_to_string ((JobState) -1));
}

static void
test_a_wrong_text_is_told_what_is_right (void)
{
  const char *const wrong[] = { "cancelled", "Pending", "", "pending ", NULL };
  JobState state = JOB_STATE_RUNNING;
  JobCondition condition = JOB_CONDITION_AFTER_ANY;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_false (job_state_from_string (wrong[i], &state, &error));
      assert_invalid (&error, "blocked, scheduled, pending, running, succeeded, failed, canceled");
    }
  g_assert_false (job_condition_from_string ("after-ok", &condition, &error));
  assert_invalid (&error, "afterok, afterany, afternotok");
  g_assert_cmpint (state, ==, JOB_STATE_RUNNING);
  g_assert_cmpint (condition, ==, JOB_CONDITION_AFTER_ANY);
}

static void
test_conditions_are_those_of_batch_schedulers (void)
{
  const char *const texts[] = { "afterok", "afterany", "afternotok" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      JobCondition condition;

      g_assert_cmpstr (job_condition_to_string (i), ==, texts[i]);
      g_assert_true (job_condition_from_string (texts[i], &condition, NULL));
      g_assert_cmpint (condition, ==, i);
    }
  g_assert_null (job_condition_to_string (3));
}

/* Stamps */

static void
assert_time (const char *text, gint64 expected)
{
  gint64 ns = 1;

  if (!job_time_parse (text, &ns))
    g_error ("%s was refused", text);
  g_assert_cmpint (ns, ==, expected);
}

static void
test_stamps_come_back_to_the_nanosecond (void)
{
  const gint64 stamps[] = { 0,
                            1,
                            -1,
                            999999999,
                            1000000000,
                            -1000000000,
                            1795355667062500000,
                            951782400000000000,
                            G_MAXINT64,
                            G_MININT64 + 2000000000 };

  for (gsize i = 0; i < G_N_ELEMENTS (stamps); i++)
    {
      g_autofree char *text = job_time_format (stamps[i]);

      assert_time (text, stamps[i]);
    }
}

static void
test_stamps_have_no_needless_digits (void)
{
  g_autofree char *whole = job_time_format (0);
  g_autofree char *fraction = job_time_format (1795355667062500000);
  g_autofree char *before = job_time_format (-1);

  g_assert_cmpstr (whole, ==, "1970-01-01T00:00:00Z");
  g_assert_cmpstr (fraction, ==, "2026-11-22T13:54:27.0625Z");
  g_assert_cmpstr (before, ==, "1969-12-31T23:59:59.999999999Z");
}

static void
test_stamps_of_any_zone_are_read (void)
{
  assert_time ("1970-01-01T01:30:00+01:30", 0);
  assert_time ("1969-12-31T16:00:00-08:00", 0);
  assert_time ("1970-01-01t00:00:00.5z", 500000000);
  assert_time ("1970-01-01T00:00:00.000000001-00:00", 1);
  assert_time ("1969-12-31T23:59:60Z", 0);
}

static void
test_what_is_no_stamp_is_refused (void)
{
  const char *const wrong[] = { NULL,
                                "",
                                "now",
                                "1970-01-01",
                                "1970-01-01T00:00Z",
                                "1970-01-01T00:00:00",
                                "1970-01-01 00:00:00Z",
                                "1970-02-30T00:00:00Z",
                                "1970-13-01T00:00:00Z",
                                "1970-01-01T24:00:00Z",
                                "1970-01-01T00:60:00Z",
                                "1970-01-01T00:00:61Z",
                                "1970-01-01T00:00:00.Z",
                                "1970-01-01T00:00:00.0000000001Z",
                                "1970-01-01T00:00:00+0100",
                                "1970-01-01T00:00:00+24:00",
                                "1970-01-01T00:00:00Z ",
                                " 1970-01-01T00:00:00Z",
                                "1970-01-01T00:00:00ZZ",
                                "1970-1-1T00:00:00Z",
                                "-970-01-01T00:00:00Z",
                                "0000-01-01T00:00:00Z",
                                "0001-01-01T00:00:00Z",
                                "1600-01-01T00:00:00Z",
                                "2263-01-01T00:00:00Z",
                                "9999-12-31T23:59:59Z" };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      gint64 ns = 42;

      if (job_time_parse (wrong[i], &ns))
        g_error ("%s was taken", wrong[i]);
      g_assert_cmpint (ns, ==, 42);
    }
}

/* Filters */

static JobRecord *
make_record (const char *type, const char *channel)
{
  JobRecord *record = job_record_new (0);

  record->id = parse_id (ID_A);
  record->type = g_strdup (type);
  record->channel = g_strdup (channel);
  record->args = g_strdup ("{\"a\":[1]}");
  record->max_attempts = 2;
  return record;
}

static void
test_a_new_filter_lets_all_pass (void)
{
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (JobRecord) record = make_record ("t", "c");

  for (guint state = JOB_STATE_BLOCKED; state <= JOB_STATE_CANCELED; state++)
    g_assert_true (job_filter_matches (filter, record->type, record->channel, state));
  g_assert_true (job_filter_wants_final (filter));
  g_assert_cmpuint (job_filter_get_limit (filter), ==, 0);
  g_assert_true (job_filter_check (filter, NULL));
}

static void
test_a_filter_takes_all_of_its_parts_together (void)
{
  const char *const types[] = { "t", "u", NULL };
  const char *const channels[] = { "", NULL };
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (JobRecord) in = make_record ("u", "");
  g_autoptr (JobRecord) other_type = make_record ("v", "");
  g_autoptr (JobRecord) other_channel = make_record ("u", "c");

  job_filter_set_types (filter, types);
  job_filter_set_channels (filter, channels);
  job_filter_add_state (filter, JOB_STATE_PENDING);
  g_assert_true (job_filter_matches (filter, in->type, in->channel, JOB_STATE_PENDING));
  g_assert_false (job_filter_matches (filter, in->type, in->channel, JOB_STATE_RUNNING));
  g_assert_false (
      job_filter_matches (filter, other_type->type, other_type->channel, JOB_STATE_PENDING));
  g_assert_false (
      job_filter_matches (filter, other_channel->type, other_channel->channel, JOB_STATE_PENDING));
  g_assert_false (job_filter_wants_final (filter));
  job_filter_add_state (filter, JOB_STATE_FAILED);
  g_assert_true (job_filter_wants_final (filter));
}

static void
test_a_copied_filter_does_not_change (void)
{
  const char *const before[] = { "t", NULL };
  const char *const after[] = { "u", NULL };
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (JobFilter) copy = NULL;
  g_autoptr (JobFilter) all = job_filter_copy (NULL);
  g_autoptr (JobRecord) record = make_record ("t", "");

  job_filter_set_types (filter, before);
  job_filter_set_limit (filter, 3);
  copy = job_filter_copy (filter);
  job_filter_set_types (filter, after);
  job_filter_set_limit (filter, 4);
  g_assert_false (job_filter_matches (filter, record->type, record->channel, JOB_STATE_PENDING));
  g_assert_true (job_filter_matches (copy, record->type, record->channel, JOB_STATE_PENDING));
  g_assert_true (job_filter_matches (all, record->type, record->channel, JOB_STATE_PENDING));
  g_assert_cmpuint (job_filter_get_limit (copy), ==, 3);
}

static void
test_a_filter_with_impossible_names_is_refused (void)
{
  const char *const empty[] = { NULL };
  const char *const nameless[] = { "t", "", NULL };
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GError) error = NULL;

  job_filter_set_types (filter, empty);
  g_assert_false (job_filter_check (filter, &error));
  assert_invalid (&error, "types");
  job_filter_set_types (filter, nameless);
  g_assert_false (job_filter_check (filter, &error));
  assert_invalid (&error, "type");
  job_filter_set_types (filter, NULL);
  job_filter_set_channels (filter, nameless);
  g_assert_true (job_filter_check (filter, &error));
  job_filter_set_channels (filter, empty);
  g_assert_false (job_filter_check (filter, &error));
  assert_invalid (&error, "channels");
}

/* Infos */

/* Blocked on B, the second of two dependencies, with one dependent. */
static JobInfo *
make_blocked_info (void)
{
  g_autoptr (JobRecord) record = job_record_new (2);
  g_autoptr (GArray) dependents = g_array_new (FALSE, FALSE, sizeof (JobId));
  JobStatus status = { .state = JOB_STATE_PENDING };
  JobInfoParts parts = { record,          &status,   JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY,
                         parse_id (ID_B), dependents };

  record->id = parse_id (ID_C);
  record->queued_at = 1795355667062500000;
  record->max_attempts = 2;
  record->dependencies[0] = (JobDependency){ parse_id (ID_A), JOB_CONDITION_AFTER_OK };
  record->dependencies[1] = (JobDependency){ parse_id (ID_B), JOB_CONDITION_AFTER_ANY };
  record->type = g_strdup ("a \"type\"");
  record->channel = g_strdup ("");
  record->args = g_strdup ("{\"a\": [1]}");
  g_array_append_val (dependents, record->id);
  return job_info_new (&parts);
}

static void
test_an_info_is_complete_json (void)
{
  g_autoptr (JobInfo) info = make_blocked_info ();
  g_autofree char *json = job_info_to_json (info);

  g_assert_true (job_json_check (json, -1, "info", NULL, NULL, NULL));
  g_assert_cmpstr (json, ==,
                   "{\"id\":\"" ID_C "\",\"state\":\"blocked\",\"type\":\"a \\\"type\\\"\","
                   "\"channel\":\"\",\"priority\":0,\"args\":{\"a\": [1]},"
                   "\"dependencies\":[{\"id\":\"" ID_A "\",\"condition\":\"afterok\"},"
                   "{\"id\":\"" ID_B "\",\"condition\":\"afterany\"}],"
                   "\"dependents\":[\"" ID_C "\"],\"attempts\":0,\"max_attempts\":2,"
                   "\"queued_at\":\"2026-11-22T13:54:27.0625Z\",\"run_at\":null,"
                   "\"started_at\":null,\"finished_at\":null,\"reason\":\"dependency\","
                   "\"culprit\":\"" ID_B "\",\"result\":null,\"error\":null}");
}

static void
test_an_info_has_what_was_asked_for (void)
{
  g_autoptr (JobInfo) info = make_blocked_info ();
  g_auto (GStrv) dependencies = NULL;
  gint64 queued_at;
  JobState state;
  g_autofree char *token = NULL;

  g_object_get (info, "dependencies", &dependencies, "queued-at", &queued_at, "state", &state,
                "token", &token, NULL);
  g_assert_cmpstrv (dependencies, ((const char *[]){ ID_A, ID_B, NULL }));
  g_assert_cmpstrv (job_info_get_dependents (info), ((const char *[]){ ID_C, NULL }));
  g_assert_cmpint (queued_at, ==, 1795355667062500000);
  g_assert_cmpint (state, ==, JOB_STATE_BLOCKED);
  g_assert_null (token);
  g_assert_cmpint (job_info_get_condition (info, 1), ==, JOB_CONDITION_AFTER_ANY);
  g_assert_cmpint (job_info_get_heartbeat_age (info), ==, -1);
}

static JobInfo *
make_info (JobState state, JobReason reason, const char *culprit)
{
  g_autoptr (JobRecord) record = job_record_new (2);
  JobStatus status = { .state = state, .token = parse_id (ID_B), .outcome = (char *) "[7]" };
  JobInfoParts parts = { .record = record, .status = &status, .state = state, .reason = reason };

  if (culprit != NULL)
    parts.culprit = parse_id (culprit);
  record->id = parse_id (ID_C);
  record->run_at = 1795355667062500000;
  record->dependencies[0] = (JobDependency){ parse_id (ID_A), JOB_CONDITION_AFTER_OK };
  record->dependencies[1] = (JobDependency){ parse_id (ID_B), JOB_CONDITION_AFTER_NOT_OK };
  record->type = g_strdup ("t");
  record->channel = g_strdup ("");
  record->args = g_strdup ("1");
  return job_info_new (&parts);
}

static void
test_an_outcome_is_a_result_or_an_error (void)
{
  const JobState not_ok[] = { JOB_STATE_PENDING, JOB_STATE_RUNNING, JOB_STATE_FAILED };
  g_autoptr (JobInfo) succeeded = make_info (JOB_STATE_SUCCEEDED, JOB_REASON_NONE, NULL);

  g_assert_cmpstr (job_info_get_result (succeeded), ==, "[7]");
  g_assert_null (job_info_get_error (succeeded));
  for (gsize i = 0; i < G_N_ELEMENTS (not_ok); i++)
    {
      g_autoptr (JobInfo) info = make_info (not_ok[i], JOB_REASON_NONE, NULL);

      g_assert_cmpstr (job_info_get_error (info), ==, "[7]");
      g_assert_null (job_info_get_result (info));
    }
}

static void
assert_reason (JobState state, JobReason reason, const char *culprit, const char *expected)
{
  g_autoptr (JobInfo) info = make_info (state, reason, culprit);
  g_autofree char *text = job_info_dup_reason_text (info);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_an_info_says_why (void)
{
  assert_reason (JOB_STATE_PENDING, JOB_REASON_NONE, NULL, NULL);
  assert_reason (JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, ID_A,
                 "waits for job " ID_A " (afterok)");
  assert_reason (JOB_STATE_BLOCKED, JOB_REASON_DAMAGED_DEPENDENCY, ID_A,
                 "waits for job " ID_A ", whose record cannot be read");
  assert_reason (JOB_STATE_SCHEDULED, JOB_REASON_RUN_AT, NULL,
                 "waits until 2026-11-22T13:54:27.0625Z");
  assert_reason (JOB_STATE_CANCELED, JOB_REASON_REQUESTED, NULL, "canceled on request");
  assert_reason (JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY, ID_A,
                 "canceled because job " ID_A " did not succeed (afterok)");
  assert_reason (JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY, ID_B,
                 "canceled because job " ID_B " succeeded (afternotok)");
  assert_reason (JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY, ID_C, "canceled because of job " ID_C);
}

static void
test_only_a_lease_shows_its_token_and_never_in_json (void)
{
  g_autoptr (JobRecord) record = make_record ("t", "");
  JobStatus status = { .state = JOB_STATE_RUNNING, .token = parse_id (ID_B) };
  JobInfoParts parts = { .record = record,
                         .status = &status,
                         .state = JOB_STATE_RUNNING,
                         .with_lease = TRUE,
                         .heartbeat_age = 12 };
  g_autoptr (JobInfo) lease = job_info_new (&parts);
  g_autoptr (JobInfo) plain = make_info (JOB_STATE_RUNNING, JOB_REASON_NONE, NULL);
  g_autofree char *json = job_info_to_json (lease);

  g_assert_cmpstr (job_info_get_token (lease), ==, ID_B);
  g_assert_cmpint (job_info_get_heartbeat_age (lease), ==, 12);
  g_assert_null (strstr (json, ID_B));
  g_assert_nonnull (strstr (json, "\"heartbeat_age\":12}"));
  g_assert_null (job_info_get_token (plain));
}

/* Damaged records */

static void
test_a_damage_says_where_what_and_whose (void)
{
  JobId id = parse_id (ID_A);
  g_autoptr (JobDamage) whose = job_damage_new ("/x/y.json", "is empty", &id);
  g_autoptr (JobDamage) nobody = job_damage_new ("/x/z", "is no job", NULL);
  g_autofree char *location = NULL;

  g_assert_cmpstr (job_damage_get_location (whose), ==, "/x/y.json");
  g_assert_cmpstr (job_damage_get_message (whose), ==, "is empty");
  g_assert_cmpstr (job_damage_get_id (whose), ==, ID_A);
  g_assert_null (job_damage_get_id (nobody));
  g_object_get (nobody, "location", &location, NULL);
  g_assert_cmpstr (location, ==, "/x/z");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, name) g_test_add_func ("/values/" path, test_##name)
  ADD ("enums/every-state-has-one-text", every_state_has_one_text);
  ADD ("enums/a-wrong-text-is-told-what-is-right", a_wrong_text_is_told_what_is_right);
  ADD ("enums/conditions-are-those-of-batch-schedulers", conditions_are_those_of_batch_schedulers);
  ADD ("time/comes-back-to-the-nanosecond", stamps_come_back_to_the_nanosecond);
  ADD ("time/has-no-needless-digits", stamps_have_no_needless_digits);
  ADD ("time/of-any-zone-is-read", stamps_of_any_zone_are_read);
  ADD ("time/what-is-no-stamp-is-refused", what_is_no_stamp_is_refused);
  ADD ("filter/new-one-lets-all-pass", a_new_filter_lets_all_pass);
  ADD ("filter/takes-all-of-its-parts-together", a_filter_takes_all_of_its_parts_together);
  ADD ("filter/copy-does-not-change", a_copied_filter_does_not_change);
  ADD ("filter/impossible-names-are-refused", a_filter_with_impossible_names_is_refused);
  ADD ("info/is-complete-json", an_info_is_complete_json);
  ADD ("info/has-what-was-asked-for", an_info_has_what_was_asked_for);
  ADD ("info/outcome-is-a-result-or-an-error", an_outcome_is_a_result_or_an_error);
  ADD ("info/says-why", an_info_says_why);
  ADD ("info/only-a-lease-shows-its-token", only_a_lease_shows_its_token_and_never_in_json);
  ADD ("damage/says-where-what-and-whose", a_damage_says_where_what_and_whose);
  return g_test_run ();
}
