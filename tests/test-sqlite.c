/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The SQLite store on its own: which jobs it keeps, and where. What a queue makes of it is the
 * conformance suite's. */

#include "sqlite-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "job-sqlite-file.h"
#include "test-effort.h"

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  g_autofree char *fill = g_strnfill (300000, '1');
  g_autofree char *large = g_strdup_printf ("\"%s\"", fill);

  create (fixture, 1, "{\"a\":[1,2]}");
  create (fixture, 2, large);
  update (fixture, 2, JOB_STATE_SUCCEEDED, "\"done\"");
  for (int pass = 0; pass < 3; pass++)
    {
      assert_job (fixture, 1, "{\"a\":[1,2]}", JOB_STATE_PENDING, NULL);
      assert_job (fixture, 2, large, JOB_STATE_SUCCEEDED, "\"done\"");
      assert_absent (fixture, 3);
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
      g_assert_cmpuint (count_jobs (fixture, FALSE), ==, 1);
      if (pass == 0)
        checkpoint (fixture);
      else
        reopen (fixture);
    }
}

/* Everything that a job can have, at its limits. */
static JobChange
new_full_job (void)
{
  JobChange change = new_job (7, "\"ä €\"", 0);
  JobRecord *record = job_record_new (3);

  record->id = change.id;
  record->args = g_steal_pointer (&change.record->args);
  record->type = g_strnfill (255, 't');
  record->channel = g_strdup ("tenant ’ 1");
  record->priority = G_MININT;
  record->queued_at = G_MAXINT64;
  record->run_at = G_MININT64;
  record->max_attempts = G_MAXUINT;
  for (guint i = 0; i < 3; i++)
    record->dependencies[i] = (JobDependency){ number_id (100 - i), (JobCondition) i };
  job_record_unref (change.record);
  change.record = record;
  return change;
}

static void
set_full_status (JobStatus *status)
{
  job_status_clear (status);
  *status = (JobStatus){ .state = JOB_STATE_CANCELED,
                         .reason = JOB_REASON_DEPENDENCY,
                         .attempts = G_MAXUINT,
                         .started_at = 1,
                         .finished_at = -1,
                         .outcome = g_strdup ("{\"why\":\"so\"}") };
  job_id_new_token (&status->token);
  status->culprit = number_id (99);
}

static void
assert_equal_jobs (const JobChange *a, const JobChange *b)
{
  g_autoptr (GByteArray) bytes_a = g_byte_array_new ();
  g_autoptr (GByteArray) bytes_b = g_byte_array_new ();

  job_change_encode (a, bytes_a);
  job_change_encode (b, bytes_b);
  g_assert_cmpmem (bytes_a->data, bytes_a->len, bytes_b->data, bytes_b->len);
}

static void
read_job (Fixture *fixture, const JobId *id, JobChange *job)
{
  g_autoptr (GError) error = NULL;

  *job = (JobChange){ .id = *id };
  job_store_read (fixture->store, id, &job->record, &job->status, &error);
  g_assert_no_error (error);
}

static void
test_every_field (Fixture *fixture, gconstpointer data)
{
  JobChange change = new_full_job ();
  g_autoptr (GError) error = NULL;

  for (int pass = 0; pass < 6; pass++)
    {
      JobChange found;

      /* As it comes, then its status alone, then all of it again over what is there. */
      if (pass == 1)
        set_full_status (&change.status);
      if (pass < 2)
        {
          JobChange part = change;

          part.record = pass == 1 ? NULL : change.record;
          g_assert_true (job_store_apply (fixture->store, &part, 1, &error));
        }
      else if (pass == 4)
        g_assert_true (job_store_apply (fixture->store, &change, 1, &error));
      else
        {
          checkpoint (fixture);
          reopen (fixture);
        }
      g_assert_no_error (error);
      read_job (fixture, &change.id, &found);
      assert_equal_jobs (&change, &found);
      job_change_clear (&found);
    }
  job_change_clear (&change);
}

static void
test_replay (Fixture *fixture, gconstpointer data)
{
  for (int pass = 0; pass < 4; pass++)
    {
      apply (fixture, new_job (2, "2", 1));
      create (fixture, 1, "1");
      update (fixture, 1, JOB_STATE_RUNNING, NULL);
      update (fixture, 1, JOB_STATE_FAILED, "\"first\"");
      update (fixture, 1, JOB_STATE_SUCCEEDED, "\"last\"");
      assert_job (fixture, 1, "1", JOB_STATE_SUCCEEDED, "\"last\"");
      assert_job (fixture, 2, "2", JOB_STATE_PENDING, NULL);
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
      g_assert_cmpuint (count_jobs (fixture, FALSE), ==, 1);
      if (pass % 2 == 0)
        checkpoint (fixture);
      if (pass > 1)
        reopen (fixture);
    }
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
}

static void
test_without_checkpoint (Fixture *fixture, gconstpointer data)
{
  create (fixture, 1, "1");
  checkpoint (fixture);
  create (fixture, 2, "2");
  update (fixture, 1, JOB_STATE_RUNNING, NULL);
  reopen (fixture);
  assert_job (fixture, 1, "1", JOB_STATE_PENDING, NULL);
  assert_absent (fixture, 2);
}

#define N_THOUSANDS test_effort (45, 21)

static void
test_many (Fixture *fixture, gconstpointer data)
{
  g_autofree JobChange *changes = g_new0 (JobChange, 1000);
  g_autoptr (GError) error = NULL;

  /* More than one transaction takes. */
  for (guint i = 0; i < N_THOUSANDS; i++)
    {
      for (guint k = 0; k < 1000; k++)
        changes[k] = new_job (1000 * i + k, "{}", 0);
      g_assert_true (job_store_apply (fixture->store, changes, 1000, &error));
      g_assert_no_error (error);
      for (guint k = 0; k < 1000; k++)
        job_change_clear (&changes[k]);
    }
  g_assert_cmpuint (count_jobs (fixture, FALSE), ==, 1000 * N_THOUSANDS);
  checkpoint (fixture);
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 1000 * N_THOUSANDS);
  assert_job (fixture, 1000 * N_THOUSANDS - 1, "{}", JOB_STATE_PENDING, NULL);
}

static void
assert_dependents (Fixture *fixture, guint n, guint expected)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (JobId));
  JobId id = number_id (n);

  g_assert_true (job_store_list_dependents (fixture->store, &id, ids, NULL));
  g_assert_cmpuint (ids->len, ==, expected);
}

static void
test_dependents (Fixture *fixture, gconstpointer data)
{
  create (fixture, 1, "1");
  apply (fixture, new_job (2, "2", 1));
  apply (fixture, new_job (3, "3", 1));
  apply (fixture, new_job (3, "3", 1));
  assert_dependents (fixture, 1, 2);
  checkpoint (fixture);
  assert_dependents (fixture, 1, 2);
  reopen (fixture);
  assert_dependents (fixture, 1, 2);
  assert_dependents (fixture, 2, 0);
}

static gboolean
stop_at_second (JobRecord *record, const JobStatus *status, gpointer data)
{
  return ++*(guint *) data < 2;
}

static void
test_stop (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint n = 0;

  for (guint i = 1; i <= 5; i++)
    create (fixture, i, "1");
  g_assert_true (job_store_visit (fixture->store, FALSE, stop_at_second, &n, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 2);
  /* And nothing is left open by it. */
  create (fixture, 6, "1");
  checkpoint (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 6);
}

/* --- keys ------------------------------------------------------------------------------------- */

#define N_HEADS 8
#define N_TAILS 12
#define N_IDS (3 * N_HEADS * N_TAILS)

/* Of version 7, 7 with the first bit set, and 4; with few heads. */
static JobId
pool_id (guint n)
{
  JobId id = number_id (n / 3 % N_HEADS);

  id.bytes[15] = (guint8) (n / 3 / N_HEADS);
  if (n % 3 == 1)
    id.bytes[0] |= 0x80;
  if (n % 3 == 2)
    id.bytes[6] = 0x40;
  return id;
}

/* The job that the pool's id has, with the priority @round. */
static JobChange
new_pool_job (guint n, int round)
{
  JobChange change = new_job (n, "1", n % 5 == 0 ? n + 1 : 0);

  change.id = pool_id (n);
  change.record->id = change.id;
  change.record->priority = round;
  return change;
}

static void
update_pool_job (Fixture *fixture, guint n, guint attempts)
{
  JobChange change = new_status (n, JOB_STATE_RUNNING, NULL);

  change.id = pool_id (n);
  change.status.attempts = attempts;
  apply (fixture, change);
}

typedef struct
{
  gboolean there;
  int round;
  guint attempts;
} Expected;

static void
assert_pool (Fixture *fixture, const Expected *expected)
{
  guint n_there = 0;

  for (guint n = 0; n < N_IDS; n++)
    {
      JobId id = pool_id (n);
      JobChange found;

      read_job (fixture, &id, &found);
      g_assert_true ((found.record != NULL) == expected[n].there);
      if (found.record != NULL)
        {
          n_there++;
          g_assert_true (job_id_equal (&found.record->id, &id));
          g_assert_cmpint (found.record->queued_at, ==, 1000 + n);
          g_assert_cmpint (found.record->priority, ==, expected[n].round);
          g_assert_cmpuint (found.record->n_dependencies, ==, n % 5 == 0);
          g_assert_cmpuint (found.status.attempts, ==, expected[n].attempts);
        }
      job_change_clear (&found);
    }
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, n_there);
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
}

/* Whatever ids come, in whatever order: each has one row, and is found. */
static void
test_keys (Fixture *fixture, gconstpointer data)
{
  g_autofree Expected *expected = g_new0 (Expected, N_IDS);
  guint n_there = 0;

  for (int round = 1; n_there < N_IDS && round < 5000; round++)
    {
      guint n = (guint) g_test_rand_int_range (0, N_IDS);

      n_there += !expected[n].there;
      apply (fixture, new_pool_job (n, round));
      expected[n] = (Expected){ TRUE, round, 0 };
      n = (guint) g_test_rand_int_range (0, N_IDS);
      if (expected[n].there)
        {
          expected[n].attempts = (guint) round;
          update_pool_job (fixture, n, (guint) round);
        }
      if (round % 200 == 0)
        {
          checkpoint (fixture);
          reopen (fixture);
          assert_pool (fixture, expected);
        }
    }
  assert_pool (fixture, expected);
  g_assert_cmpuint (n_there, >, N_IDS / 2);
}

#define AT_ONCE 12

static void
apply_many (Fixture *fixture, JobChange *changes, gsize n_changes)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (job_store_apply (fixture->store, changes, n_changes, &error));
  g_assert_no_error (error);
  for (gsize i = 0; i < n_changes; i++)
    job_change_clear (&changes[i]);
}

/* Jobs of one call, new ones and old ones, of ids with and without a home of their own, one of them
 * perhaps twice: the last word on each counts, and all of it is there. */
static void
test_many_keys (Fixture *fixture, gconstpointer data)
{
  g_autofree Expected *expected = g_new0 (Expected, N_IDS);

  for (int round = 1; round <= 300; round++)
    {
      gboolean with_homes = round < 150; /* at first only such, so that they go in one statement */
      JobChange changes[AT_ONCE];

      for (int i = 0; i < AT_ONCE; i++)
        {
          guint n = (guint) g_test_rand_int_range (0, N_IDS);

          if (with_homes)
            n = n / 3 % N_HEADS * 3;
          changes[i] = new_pool_job (n, round * AT_ONCE + i);
          expected[n] = (Expected){ TRUE, round * AT_ONCE + i, 0 };
        }
      apply_many (fixture, changes, AT_ONCE);
      if (round % 50 == 0)
        {
          checkpoint (fixture);
          reopen (fixture);
          assert_pool (fixture, expected);
        }
    }
}

/* A home that has become free is not taken by a job that has a row elsewhere. */
static void
test_freed_home (Fixture *fixture, gconstpointer data)
{
  g_autofree char *count = NULL;
  guint twin = 3 * N_HEADS; /* of 0 */

  apply (fixture, new_pool_job (0, 1));
  apply (fixture, new_pool_job (twin, 1));
  checkpoint (fixture);
  close_store (fixture);
  run_sql (fixture, "DELETE FROM job WHERE key > 0");
  open_store (fixture);
  apply (fixture, new_pool_job (twin, 2));
  apply (fixture, new_pool_job (0, 2));
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
  checkpoint (fixture);
  close_store (fixture);
  count = ask_sql (fixture, "SELECT count (*) || ' ' || max (key < 0) FROM job");
  g_assert_cmpstr (count, ==, "2 1");
  open_store (fixture);
}

static void
bind_anything (sqlite3_stmt *statement)
{
  JobId id = number_id (5000);

  sqlite3_bind_int64 (statement, 1, 5000);
  if (strstr (sqlite3_sql (statement), "id = ?1") != NULL)
    sqlite3_bind_blob (statement, 1, id.bytes, sizeof id.bytes, SQLITE_TRANSIENT);
}

/* No statement that a verb may cause walks a table, also if all ids have one head. */
static void
test_no_scans (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JobSqliteConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  for (guint n = 0; n < 5000; n++)
    {
      JobChange change = new_job (n, "1", 1);
      JobId id = change.id;

      apply (fixture, change);
      change = new_job (n, "1", 1);
      memset (id.bytes, 0, 8);
      id.bytes[14] = (guint8) (n >> 8);
      id.bytes[15] = (guint8) n;
      change.id = change.record->id = id;
      apply (fixture, change);
    }
  checkpoint (fixture);
  close_store (fixture);
  connection = job_sqlite_file_open (fixture->path, &error);
  g_assert_no_error (error);
  g_assert_true (job_sqlite_connection_begin (connection, &error));
  for (guint i = 0; i < JOB_SQLITE_N_STATEMENTS; i++)
    {
      sqlite3_stmt *statement = job_sqlite_connection_get (connection, i);

      if (i == JOB_SQLITE_INSERT || i == JOB_SQLITE_INSERT_DEPENDENCY)
        continue; /* these look for nothing */
      bind_anything (statement);
      while (sqlite3_step (statement) == SQLITE_ROW)
        ;
      g_test_message ("%s", sqlite3_sql (statement));
      g_assert_cmpint (sqlite3_stmt_status (statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0), ==, 0);
      g_assert_cmpint (sqlite3_stmt_status (statement, SQLITE_STMTSTATUS_SORT, 0), ==, 0);
      g_assert_cmpint (sqlite3_stmt_status (statement, SQLITE_STMTSTATUS_VM_STEP, 0), <, 100);
      sqlite3_reset (statement);
    }
  g_clear_pointer (&connection, job_sqlite_connection_free);
  open_store (fixture);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/sqlite/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("jobs/come-back-as-they-were", test_round_trip);
  ADD ("jobs/every-field-comes-back", test_every_field);
  ADD ("jobs/changes-may-come-again", test_replay);
  ADD ("jobs/are-there-after-a-checkpoint", test_without_checkpoint);
  ADD ("jobs/any-number-between-checkpoints", test_many);
  ADD ("jobs/dependents-are-listed", test_dependents);
  ADD ("jobs/a-visit-can-be-stopped", test_stop);
  ADD ("keys/any-id-has-one-row-and-is-found", test_keys);
  ADD ("keys/many-jobs-of-one-call", test_many_keys);
  ADD ("keys/a-freed-home-makes-no-second-row", test_freed_home);
  ADD ("keys/nothing-walks-a-table", test_no_scans);
  return g_test_run ();
}
