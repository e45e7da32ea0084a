/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The text of a job file and what it says, both ways, without a store. */

#include "fs-json-fixture.h"
#include "job-fs-json-record.h"
#include "record-asserts.h"
#include "test-effort.h"

#include <string.h>

#define REQUEUED "bc85084e-c815-4646-b2c3-540b3b3a9934"
#define BLOCKED "be60d5c8-badd-4687-88b9-28f5669202af"
#define FINISHED "fbff9588-5a9a-4029-a0ef-d0717d0ab1d5"
#define NEVER "0001-01-01T00:00:00Z"

static void
assert_id (const JobId *id, const char *expected)
{
  g_autofree char *text = job_id_dup_text (id);

  g_assert_cmpstr (text, ==, expected);
}

static void
assert_comes_back (const GString *text, const JobRecord *record, const JobStatus *status)
{
  g_autoptr (JobRecord) read = NULL;
  g_auto (JobStatus) read_to = { 0 };
  g_autoptr (GError) error = NULL;

  job_fs_json_record_parse (text->str, text->len, &record->id, &read, &read_to, &error);
  g_assert_no_error (error);
  assert_same_record (read, record);
  assert_same_status (&read_to, status);
}

/* As a new file, and over one that had another status. */
static void
check_round_trip (const JobRecord *record, const JobStatus *before, const JobStatus *status)
{
  g_autoptr (GString) written = g_string_new (NULL);
  g_autoptr (GString) old = g_string_new (NULL);
  g_autoptr (GString) updated = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  job_fs_json_record_write (record, status, NULL, written);
  assert_comes_back (written, record, status);
  job_fs_json_record_write (record, before, NULL, old);
  job_fs_json_record_update (old->str, old->len, &record->id, status, NULL, updated, &error);
  g_assert_no_error (error);
  assert_comes_back (updated, record, status);
}

static void
fill_status (JobStatus *status, guint n)
{
  static const JobState states[] = { JOB_STATE_PENDING, JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED,
                                     JOB_STATE_FAILED, JOB_STATE_CANCELED };

  *status = make_status (states[n % 5]);
  n /= 5;
  if (n % 2 != 0 && status->state != JOB_STATE_RUNNING)
    {
      status->started_at = status->started_at == 0 ? 7 : 0;
      status->token = make_status (JOB_STATE_RUNNING).token;
    }
  n /= 2;
  status->outcome =
      (char *[]){ NULL, (char *) "{\"a\": 1.0}", (char *) "{}", (char *) "null" }[n % 4];
  n /= 4;
  if (n % 2 != 0)
    {
      status->attempts += 3;
      status->reason = JOB_REASON_DAMAGED_DEPENDENCY;
      status->culprit = parse_id (BLOCKED);
    }
}

#define N_STATUSES (5 * 2 * 4 * 2)

static void
test_round_trip (void)
{
  const JobRecord *names[] = { make_record ("x", "1", 0, NULL), make_record ("x", "1", 0, NULL) };
  guint step = test_effort (1, 7);
  g_autoptr (JobRecord) plain = make_record ("t", "null", 0, NULL);
  g_autoptr (JobRecord) full = make_record ("a \"type\"\n", "{\"b\": 1e3, \"a\":[]}", 2, names);

  full->run_at = -1;
  full->priority = G_MININT;
  full->max_attempts = G_MAXUINT;
  full->dependencies[1].condition = JOB_CONDITION_AFTER_NOT_OK;
  g_free (full->channel);
  full->channel = g_strdup ("Kanal ü\\");
  for (guint i = 0; i < N_STATUSES; i++)
    for (guint j = i % step; j < N_STATUSES; j += step)
      {
        JobStatus before, status;

        fill_status (&before, i);
        fill_status (&status, j);
        check_round_trip (plain, &before, &status);
        check_round_trip (full, &before, &status);
      }
  job_record_unref ((JobRecord *) names[0]);
  job_record_unref ((JobRecord *) names[1]);
}

/* Args and results of the greatest depth are deeper in a file. */
static void
test_deepest_args (void)
{
  g_autofree char *opening = g_strnfill (JOB_JSON_MAX_DEPTH, '[');
  g_autofree char *closing = g_strnfill (JOB_JSON_MAX_DEPTH, ']');
  g_autofree char *deep = g_strconcat (opening, closing, NULL);
  g_autoptr (JobRecord) record = make_record ("t", deep, 0, NULL);
  JobStatus status = make_status (JOB_STATE_PENDING), failed = make_status (JOB_STATE_FAILED);

  g_assert_true (job_json_check (deep, -1, "args", NULL, NULL, NULL));
  status.outcome = failed.outcome = deep;
  check_round_trip (record, &failed, &status);
  check_round_trip (record, &status, &failed);
}

/* What a sample file says with one member in place of another. */
static void
assert_damaged (const char *member, JobError code, const char *message)
{
  g_autofree char *name = g_strndup (member, strcspn (member, ":"));
  g_autofree char *rest = g_strdup_printf (",%s", member);
  g_autoptr (GString) text = g_string_new ("{\"type\":\"t\",\"id\":\"" REQUEUED "\"}");
  JobId id = parse_id (REQUEUED);
  g_autoptr (JobRecord) record = NULL;
  JobStatus status = { 0 };
  g_autoptr (GError) error = NULL;

  if (g_str_equal (name, "\"type\""))
    g_string_assign (text, "{\"id\":\"" REQUEUED "\"}");
  else if (g_str_equal (name, "\"id\""))
    g_string_assign (text, "{\"type\":\"t\"}");
  g_string_insert (text, (gssize) text->len - 1, rest);
  g_assert_false (job_fs_json_record_parse (text->str, text->len, &id, &record, &status, &error));
  g_assert_error (error, JOB_ERROR, (gint) code);
  g_assert_null (record);
  if (strstr (error->message, message) == NULL)
    g_error ("“%s” is not in: %s", message, error->message);
}

static void
test_wrong_members (void)
{
  static const char *const wrong[][2] = {
    { "\"id\":\"" BLOCKED "\"", "differs from the name of the file" },
    { "\"id\":7", "“id” is not a UUID" },
    { "\"type\":\"\"", "“type” is missing or empty" },
    { "\"type\":null", "“type” is missing or empty" },
    { "\"type\":\"\\u0000\"", "“type” is not a string" },
    { "\"token\":\"x\"", "“token” is not a UUID" },
    { "\"channel\":[]", "“channel” is not a string" },
    { "\"dependencies\":{}", "“dependencies” is not a list" },
    { "\"dependencies\":[1]", "“dependencies” is not a UUID" },
    { "\"dependencies\":[null]", "“dependencies” names no job" },
    { "\"dependencies\":[\"" REQUEUED "\"]", "or the job itself" },
    { "\"queued_at\":\"yesterday\"", "“queued_at” is not an RFC 3339 time" },
    { "\"started_at\":\"1500-01-01T00:00:00Z\"", "“started_at” is not an RFC 3339 time" },
    { "\"finished_at\":5", "“finished_at” is not an RFC 3339 time" },
    { "\"retries\":-1", "“retries” is not a whole number" },
    { "\"retries\":1.0", "“retries” is not a whole number" },
    { "\"canceled\":\"yes\"", "“canceled” is neither" },
    { "\"jobqueue\":[]", "“jobqueue” is not an object" },
    { "\"jobqueue\":{}", "“version” in “jobqueue”" },
    { "\"jobqueue\":{\"version\":0}", "“version” in “jobqueue”" },
    { "\"jobqueue\":{\"version\":-1}", "“version” in “jobqueue”" },
    { "\"jobqueue\":{\"version\":1,\"state\":\"lost\"}", "“state” in “jobqueue”" },
    { "\"jobqueue\":{\"version\":1,\"reason\":\"why\"}", "“reason” in “jobqueue”" },
    { "\"jobqueue\":{\"version\":1,\"conditions\":[\"afterok\"]}", "one for each dependency" },
    { "\"jobqueue\":{\"version\":1,\"priority\":2147483648}", "“priority”" },
    { "\"token\":1,\"token\":2", "twice" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    assert_damaged (wrong[i][0], JOB_ERROR_CORRUPT, wrong[i][1]);
  assert_damaged ("\"jobqueue\":{\"version\":2}", JOB_ERROR_VERSION, "its format version is 2");
  assert_damaged ("\"jobqueue\":{\"version\":99999999999999999999999999,\"state\":5}",
                  JOB_ERROR_VERSION, "upgrade jobqueue");
}

/* An earlier seed had neither channels nor tokens, and a dependency may be named twice. */
static void
test_early_seed (void)
{
  static const char text[] =
      "{\"id\":\"" REQUEUED "\",\"type\":\"t\",\"dependencies\":[\"" BLOCKED "\",\"" FINISHED
      "\",\"" BLOCKED "\"],\"queued_at\":\"2020-01-01T00:00:00Z\",\"started_at\":\"" NEVER
      "\",\"finished_at\":\"" NEVER "\"}";
  JobId id = parse_id (REQUEUED);
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) error = NULL;

  job_fs_json_record_parse (text, strlen (text), &id, &record, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status.state, ==, JOB_STATE_PENDING);
  g_assert_cmpstr (record->args, ==, "null");
  g_assert_cmpstr (record->channel, ==, "");
  g_assert_cmpuint (record->n_dependencies, ==, 2);
  assert_id (&record->dependencies[0].id, BLOCKED);
  assert_id (&record->dependencies[1].id, FINISHED);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/fs-json/record/every-status-comes-back", test_round_trip);
  g_test_add_func ("/fs-json/record/the-deepest-args-come-back", test_deepest_args);
  g_test_add_func ("/fs-json/record/a-wrong-member-is-damage", test_wrong_members);
  g_test_add_func ("/fs-json/record/an-early-seed-is-read", test_early_seed);

  return g_test_run ();
}
