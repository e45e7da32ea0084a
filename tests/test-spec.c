/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Specs: how they are filled, and how all of them is checked when they become records. */

#include "job-error.h"
#include "job-name-private.h"
#include "job-spec-private.h"

#include <string.h>

#define ID_A "01890a5d-ac96-774b-bcce-b302099a8057"
#define ID_B "01890a5d-ac96-774b-bcce-b302099a8058"

static void
assert_invalid (GError **error, const char *culprit)
{
  g_assert_error (*error, JOB_ERROR, JOB_ERROR_INVALID);
  if (strstr ((*error)->message, culprit) == NULL)
    g_error ("\"%s\" does not name \"%s\"", (*error)->message, culprit);
  g_clear_error (error);
}

static JobRecord *
check (JobSpec *spec, GError **error)
{
  gboolean fresh;

  return job_spec_to_record (spec, &fresh, error);
}

static void
assert_refused (JobSpec *spec, const char *culprit)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (check (spec, &error));
  assert_invalid (&error, culprit);
}

static void
test_a_spec_becomes_a_record (void)
{
  g_autoptr (JobSpec) spec = job_spec_new ("build", " {\"a\": 1.0}\n");
  g_autoptr (JobRecord) record = NULL;
  g_autofree char *id = NULL;
  g_autoptr (GError) error = NULL;

  job_spec_set_channel (spec, "tenant");
  job_spec_set_priority (spec, -3);
  job_spec_set_run_at (spec, 77);
  job_spec_set_max_attempts (spec, 4);
  job_spec_add_dependency (spec, ID_A, JOB_CONDITION_AFTER_NOT_OK);
  job_spec_add_dependency (spec, ID_B, JOB_CONDITION_AFTER_ANY);

  record = check (spec, &error);
  g_assert_no_error (error);
  id = job_id_dup_text (&record->id);
  g_assert_cmpstr (id, ==, job_spec_get_id (spec));
  g_assert_cmpstr (record->type, ==, "build");
  g_assert_cmpstr (record->args, ==, "{\"a\": 1.0}");
  g_assert_cmpstr (record->channel, ==, "tenant");
  g_assert_cmpint (record->priority, ==, -3);
  g_assert_cmpint (record->run_at, ==, 77);
  g_assert_cmpuint (record->max_attempts, ==, 4);
  g_assert_cmpuint (record->n_dependencies, ==, 2);
  g_assert_cmpint (record->dependencies[0].condition, ==, JOB_CONDITION_AFTER_NOT_OK);
  g_assert_cmpint (record->dependencies[1].condition, ==, JOB_CONDITION_AFTER_ANY);
}

static void
test_a_spec_has_defaults (void)
{
  g_autoptr (JobSpec) spec = job_spec_new ("build", NULL);
  g_autoptr (JobRecord) record = check (spec, NULL);

  g_assert_cmpstr (record->args, ==, "null");
  g_assert_cmpstr (record->channel, ==, "");
  g_assert_cmpint (record->priority, ==, 0);
  g_assert_cmpint (record->run_at, ==, 0);
  g_assert_cmpuint (record->max_attempts, ==, 1);
  g_assert_cmpuint (record->n_dependencies, ==, 0);
}

static void
test_a_spec_has_properties (void)
{
  g_autoptr (JobSpec) spec =
      g_object_new (JOB_TYPE_SPEC, "id", ID_A, "job-type", "t", "args", "1", "channel", "c",
                    "priority", 5, "run-at", (gint64) 6, "max-attempts", 7u, NULL);
  g_autofree char *id = NULL;
  g_autofree char *channel = NULL;
  int priority;

  g_object_get (spec, "id", &id, "channel", &channel, "priority", &priority, NULL);
  g_assert_cmpstr (id, ==, ID_A);
  g_assert_cmpstr (channel, ==, "c");
  g_assert_cmpint (priority, ==, 5);
  g_object_set (spec, "id", NULL, "channel", NULL, NULL);
  g_assert_cmpstr (job_spec_get_id (spec), ==, ID_A);
  g_assert_cmpstr (job_spec_get_channel (spec), ==, "");
}

static gboolean
is_fresh (JobSpec *spec)
{
  g_autoptr (JobRecord) record = NULL;
  gboolean fresh = 2;

  record = job_spec_to_record (spec, &fresh, NULL);
  return fresh;
}

static void
test_a_made_id_is_fresh_once (void)
{
  g_autoptr (JobSpec) made = job_spec_new ("t", NULL);
  g_autoptr (JobSpec) failing = job_spec_new ("t", "not JSON");
  g_autoptr (JobSpec) given = job_spec_new ("t", NULL);

  g_assert_true (is_fresh (made));
  g_assert_false (is_fresh (made));
  g_assert_true (is_fresh (failing));
  job_spec_set_args (failing, "[]");
  g_assert_false (is_fresh (failing));
  g_assert_true (job_spec_set_id (given, ID_A, NULL));
  g_assert_false (is_fresh (given));
}

static void
test_a_wrong_id_is_refused (void)
{
  g_autoptr (JobSpec) spec = job_spec_new ("t", NULL);
  g_autofree char *id = g_strdup (job_spec_get_id (spec));
  g_autoptr (GError) error = NULL;

  g_assert_false (job_spec_set_id (spec, "nope", &error));
  assert_invalid (&error, "nope");
  g_assert_false (job_spec_set_id (spec, NULL, &error));
  assert_invalid (&error, "id");
  g_assert_cmpstr (job_spec_get_id (spec), ==, id);
  g_assert_true (job_spec_set_id (spec, "01890A5D-AC96-774B-BCCE-B302099A8057", &error));
  g_assert_cmpstr (job_spec_get_id (spec), ==, ID_A);
  g_object_set (spec, "id", "nope", NULL);
  assert_refused (spec, "nope");
}

static void
test_types_and_channels_have_limits (void)
{
  g_autofree char *longest = g_strnfill (JOB_NAME_MAX_BYTES, 'x');
  g_autofree char *too_long = g_strnfill (JOB_NAME_MAX_BYTES + 1, 'x');
  g_autoptr (JobSpec) spec = job_spec_new (longest, NULL);
  g_autoptr (JobRecord) record = NULL;

  job_spec_set_channel (spec, longest);
  record = check (spec, NULL);
  g_assert_nonnull (record);

  job_spec_set_channel (spec, too_long);
  assert_refused (spec, "channel");
  job_spec_set_channel (spec, "\xff");
  assert_refused (spec, "channel");
  job_spec_set_channel (spec, NULL);
  job_spec_set_job_type (spec, too_long);
  assert_refused (spec, "256");
  job_spec_set_job_type (spec, "");
  assert_refused (spec, "type is empty");
  job_spec_set_job_type (spec, NULL);
  assert_refused (spec, "type is missing");
  job_spec_set_job_type (spec, "a\xc3");
  assert_refused (spec, "UTF-8");
}

static void
test_an_error_is_utf8_and_of_a_sane_length (void)
{
  g_autofree char *book = g_strnfill (1000000, '\xff');
  g_autoptr (JobSpec) spec = job_spec_new (book, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (check (spec, &error));
  g_assert_cmpuint (strlen (error->message), <, 500);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_args_and_numbers_are_checked (void)
{
  g_autoptr (JobSpec) spec = job_spec_new ("t", "{]");

  assert_refused (spec, "args");
  job_spec_set_args (spec, "{}");
  job_spec_set_max_attempts (spec, 0);
  assert_refused (spec, "max-attempts");
  job_spec_set_max_attempts (spec, 1);
  job_spec_set_run_at (spec, -1);
  assert_refused (spec, "run-at");
}

static void
test_dependencies_are_checked (void)
{
  g_autoptr (JobSpec) twice = job_spec_new ("t", NULL);
  g_autoptr (JobSpec) itself = job_spec_new ("t", NULL);
  g_autoptr (JobSpec) malformed = job_spec_new ("t", NULL);
  g_autoptr (JobSpec) missing = job_spec_new ("t", NULL);
  g_autoptr (JobSpec) condition = job_spec_new ("t", NULL);

  job_spec_add_dependency (twice, ID_A, JOB_CONDITION_AFTER_OK);
  job_spec_add_dependency (twice, ID_B, JOB_CONDITION_AFTER_OK);
  job_spec_add_dependency (twice, ID_A, JOB_CONDITION_AFTER_ANY);
  assert_refused (twice, ID_A);
  job_spec_add_dependency (itself, job_spec_get_id (itself), JOB_CONDITION_AFTER_OK);
  assert_refused (itself, job_spec_get_id (itself));
  job_spec_add_dependency (malformed, "x-y", JOB_CONDITION_AFTER_OK);
  assert_refused (malformed, "x-y");
  job_spec_add_dependency (missing, NULL, JOB_CONDITION_AFTER_OK);
  assert_refused (missing, "dependency");
  job_spec_add_dependency (condition, ID_A, 99);
  assert_refused (condition, "99");
}

static void
test_many_dependencies_are_checked_fast (void)
{
  g_autoptr (JobSpec) spec = job_spec_new ("t", NULL);
  g_autoptr (JobRecord) record = NULL;
  g_auto (GStrv) ids = NULL;

  for (guint i = 0; i < 65535; i++)
    {
      g_autofree char *id = g_strdup_printf ("01890a5d-ac96-774b-8000-0000%08x", i);

      job_spec_add_dependency (spec, id, JOB_CONDITION_AFTER_OK);
    }
  record = check (spec, NULL);
  g_assert_nonnull (record);
  ids = job_spec_dup_dependencies (spec);
  g_assert_cmpuint (g_strv_length (ids), ==, 65535);
  job_spec_add_dependency (spec, ID_A, JOB_CONDITION_AFTER_OK);
  assert_refused (spec, "65535");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, name) g_test_add_func ("/spec/" path, test_##name)
  ADD ("becomes-a-record", a_spec_becomes_a_record);
  ADD ("has-defaults", a_spec_has_defaults);
  ADD ("has-properties", a_spec_has_properties);
  ADD ("made-id-is-fresh-once", a_made_id_is_fresh_once);
  ADD ("wrong-id-is-refused", a_wrong_id_is_refused);
  ADD ("types-and-channels-have-limits", types_and_channels_have_limits);
  ADD ("error-is-utf8-and-of-a-sane-length", an_error_is_utf8_and_of_a_sane_length);
  ADD ("args-and-numbers-are-checked", args_and_numbers_are_checked);
  ADD ("dependencies-are-checked", dependencies_are_checked);
  ADD ("many-dependencies-are-checked-fast", many_dependencies_are_checked_fast);
  return g_test_run ();
}
