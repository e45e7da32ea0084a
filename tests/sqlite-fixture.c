/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the SQLite store share. */

#include "sqlite-fixture.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

void
open_store (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->store = job_sqlite_store_new (fixture->path, &error);
  g_assert_no_error (error);
}

void
close_store (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (job_store_close (fixture->store, TRUE, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (fixture->store);
  fixture->store = NULL;
}

void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("job-sqlite-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->folder, "jobs.sqlite", NULL);
  open_store (fixture);
}

static void
remove_folder (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR) && !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
        remove_folder (child);
      else
        g_assert_no_errno (g_unlink (child));
    }
  g_assert_no_errno (g_rmdir (path));
}

void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->store != NULL)
    close_store (fixture);
  remove_folder (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->path);
}

char *
build_path (Fixture *fixture, const char *suffix)
{
  return g_strconcat (fixture->path, suffix, NULL);
}

JobId
number_id (guint n)
{
  JobId id = { .bytes = { 0x01, [6] = 0x70, [8] = 0x80, [15] = 0x09 } };

  for (int i = 0; i < 4; i++)
    id.bytes[2 + i] = (guint8) (n >> (24 - 8 * i));
  return id;
}

JobChange
new_job (guint n, const char *args, guint dependency)
{
  JobChange change = { .id = number_id (n), .status = { .state = JOB_STATE_PENDING } };

  change.record = job_record_new (dependency > 0 ? 1 : 0);
  change.record->id = change.id;
  change.record->queued_at = 1000 + n;
  change.record->max_attempts = 3;
  change.record->type = g_strdup ("type");
  change.record->channel = g_strdup ("");
  change.record->args = g_strdup (args);
  if (dependency > 0)
    change.record->dependencies[0].id = number_id (dependency);
  return change;
}

void
apply (Fixture *fixture, JobChange change)
{
  g_autoptr (GError) error = NULL;

  job_store_apply (fixture->store, &change, 1, &error);
  g_assert_no_error (error);
  job_change_clear (&change);
}

void
create (Fixture *fixture, guint n, const char *args)
{
  apply (fixture, new_job (n, args, 0));
}

JobChange
new_status (guint n, JobState state, const char *outcome)
{
  return (JobChange){
    .id = number_id (n),
    .status = { .state = state, .attempts = 1, .finished_at = 7, .outcome = g_strdup (outcome) }
  };
}

void
update (Fixture *fixture, guint n, JobState state, const char *outcome)
{
  apply (fixture, new_status (n, state, outcome));
}

void
checkpoint (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  job_store_checkpoint (fixture->store, &error);
  g_assert_no_error (error);
}

void
reopen (Fixture *fixture)
{
  close_store (fixture);
  open_store (fixture);
}

void
assert_job (Fixture *fixture, guint n, const char *args, JobState state, const char *outcome)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) error = NULL;
  JobId id = number_id (n);

  job_store_read (fixture->store, &id, &record, &status, &error);
  g_assert_no_error (error);
  g_assert_nonnull (record);
  g_assert_true (job_id_equal (&record->id, &id));
  g_assert_cmpstr (record->args, ==, args);
  g_assert_cmpint (record->queued_at, ==, 1000 + n);
  g_assert_cmpuint (record->max_attempts, ==, 3);
  g_assert_cmpint (status.state, ==, state);
  g_assert_cmpstr (status.outcome, ==, outcome);
}

void
assert_absent (Fixture *fixture, guint n)
{
  JobRecord *record = NULL;
  JobStatus status;
  g_autoptr (GError) error = NULL;
  JobId id = number_id (n);

  g_assert_true (job_store_read (fixture->store, &id, &record, &status, &error));
  g_assert_no_error (error);
  g_assert_null (record);
}

void
assert_corrupt (Fixture *fixture, guint n)
{
  JobRecord *record = NULL;
  JobStatus status;
  g_autoptr (GError) error = NULL;
  JobId id = number_id (n);

  g_assert_false (job_store_read (fixture->store, &id, &record, &status, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, fixture->path));
  g_assert_null (record);
}

static gboolean
count_job (JobRecord *record, const JobStatus *status, gpointer data)
{
  g_assert_nonnull (record->args);
  ++*(guint *) data;
  return TRUE;
}

guint
count_jobs (Fixture *fixture, gboolean everything)
{
  g_autoptr (GError) error = NULL;
  guint n = 0;

  job_store_visit (fixture->store, everything, count_job, &n, &error);
  g_assert_no_error (error);
  return n;
}

guint
count_damaged (Fixture *fixture)
{
  g_autoptr (GPtrArray) list = job_store_list_damaged (fixture->store);

  return list->len;
}

void
assert_refused (Fixture *fixture, int code, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_sqlite_store_new (fixture->path, &error));
  g_assert_error (error, JOB_ERROR, code);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_nonnull (strstr (error->message, fixture->path));
}

static sqlite3 *
open_file (Fixture *fixture)
{
  sqlite3 *db;

  g_assert_null (fixture->store);
  g_assert_cmpint (sqlite3_open (fixture->path, &db), ==, SQLITE_OK);
  return db;
}

void
run_sql (Fixture *fixture, const char *sql)
{
  sqlite3 *db = open_file (fixture);

  if (sqlite3_exec (db, sql, NULL, NULL, NULL) != SQLITE_OK)
    g_error ("%s: %s", sql, sqlite3_errmsg (db));
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

char *
ask_sql (Fixture *fixture, const char *sql)
{
  sqlite3 *db = open_file (fixture);
  sqlite3_stmt *statement;
  char *answer = NULL;

  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) != SQLITE_OK)
    g_error ("%s: %s", sql, sqlite3_errmsg (db));
  if (sqlite3_step (statement) == SQLITE_ROW)
    answer = g_strdup ((const char *) sqlite3_column_text (statement, 0));
  g_assert_cmpint (sqlite3_finalize (statement), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  return answer;
}

GBytes *
read_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}

void
write_file (const char *path, gconstpointer data, gsize size)
{
  g_autoptr (GError) error = NULL;

  /* Without a sync, and so not over an old one: GLib 2.74 would leave the end of that. */
  g_unlink (path);
  g_file_set_contents_full (path, data, (gssize) size, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
}

/* --- rounds ----------------------------------------------------------------------------------- */

void
create_old (Fixture *fixture)
{
  for (guint n = 1; n <= N_OLD; n++)
    create (fixture, n, FILL);
  checkpoint (fixture);
}

void
make_round (JobChange *changes, guint round)
{
  for (guint i = 0; i < N_CHANGES / 2; i++)
    {
      g_autofree char *outcome = g_strdup_printf ("%u", round);

      changes[2 * i] = new_status (1 + i * (2 * N_OLD / N_CHANGES), JOB_STATE_FAILED, outcome);
      changes[2 * i + 1] = new_job (10000 + round * N_CHANGES + i, FILL, 1 + i);
    }
}

void
clear_round (JobChange *changes)
{
  for (guint i = 0; i < N_CHANGES; i++)
    job_change_clear (&changes[i]);
}

gboolean
apply_round (Fixture *fixture, const JobChange *changes, GError **error)
{
  return job_store_apply (fixture->store, changes, N_CHANGES, error) &&
         job_store_checkpoint (fixture->store, error);
}

guint
find_round (Fixture *fixture, guint round)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  JobId id = number_id (1);

  g_assert_true (job_store_read (fixture->store, &id, &record, &status, NULL));
  return status.outcome != NULL && (guint) atoi (status.outcome) == round ? round : round - 1;
}

void
assert_round (Fixture *fixture, guint round)
{
  g_autofree char *outcome = round > 0 ? g_strdup_printf ("%u", round) : NULL;

  for (guint i = 0; i < N_CHANGES / 2; i++)
    assert_job (fixture, 1 + i * (2 * N_OLD / N_CHANGES), FILL,
                round > 0 ? JOB_STATE_FAILED : JOB_STATE_PENDING, outcome);
  assert_absent (fixture, 10000 + (round + 1) * N_CHANGES);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, N_OLD + round * N_CHANGES / 2);
  g_assert_cmpuint (count_jobs (fixture, FALSE), ==,
                    N_OLD - (round > 0 ? N_CHANGES / 2 : 0) + round * N_CHANGES / 2);
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
}
