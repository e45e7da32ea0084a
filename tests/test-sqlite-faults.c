/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A whole queue on sqlite whose file is not ours, of a newer schema, read-only, or held by somebody
 * else: a clear error, nothing changed, and once the cause is gone all jobs are there. The queue is
 * one that was killed, so that there is a journal to lose as well. (What the store alone makes of
 * it: test-sqlite-file.c, test-sqlite-programs.c. Disks: test-sqlite-disk.c.) */

#include "sqlite-queue-fixture.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

static void
run_sql (Fixture *f, const char *sql)
{
  sqlite3 *db;

  g_assert_cmpint (sqlite3_open (f->path, &db), ==, SQLITE_OK);
  if (sqlite3_exec (db, sql, NULL, NULL, NULL) != SQLITE_OK)
    g_error ("%s: %s", sql, sqlite3_errmsg (db));
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static void
hold_queue (Fixture *f)
{
  g_autoptr (JobQueue) queue = must_open (f);

  hold ();
  g_assert_cmpuint (count_jobs (queue), ==, N_LEFT);
  must_close (queue);
}

static void
hold_database (Fixture *f)
{
  sqlite3 *db;

  g_assert_cmpint (sqlite3_open (f->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
  hold ();
  sqlite3_close (db);
}

/* Somebody puts a file of theirs in the place of the database. */
static void
test_not_ours (Fixture *f, gconstpointer data)
{
  const char *contents[] = { "hello\n", "" };
  g_autofree char *aside = g_strconcat (f->folder, "/aside.lock", NULL);

  leave_jobs (f);
  g_assert_no_errno (g_rename (f->path, aside));
  for (gsize i = 0; i < G_N_ELEMENTS (contents); i++)
    {
      g_file_set_contents (f->path, contents[i], -1, NULL);
      g_assert_no_errno (g_chmod (f->path, 0600));
      assert_refused (f, JOB_ERROR_CORRUPT, i == 0 ? "not a jobqueue file" : "empty");
    }
  g_assert_no_errno (g_unlink (f->path));
  run_sql (f, "CREATE TABLE job (a); INSERT INTO job VALUES (1)");
  g_assert_no_errno (g_chmod (f->path, 0600));
  assert_refused (f, JOB_ERROR_CORRUPT, "not a jobqueue file");
  g_assert_no_errno (g_rename (aside, f->path));
  assert_in_store (f, N_LEFT);
}

static void
test_newer_schema (Fixture *f, gconstpointer data)
{
  leave_jobs (f);
  run_sql (f, "PRAGMA user_version = 2");
  assert_refused (f, JOB_ERROR_VERSION, "newer");
  run_sql (f, "PRAGMA user_version = 1");
  assert_in_store (f, N_LEFT);
}

static void
test_read_only_file (Fixture *f, gconstpointer data)
{
  leave_jobs (f);
  g_assert_no_errno (g_chmod (f->path, 0400));
  assert_refused (f, JOB_ERROR_STORAGE, "read-only");
  g_assert_no_errno (g_chmod (f->path, 0600));
  assert_in_store (f, N_LEFT);
}

static void
test_locked_by_queue (Fixture *f, gconstpointer data)
{
  GSubprocess *process;
  g_autofree char *words = NULL;

  leave_jobs (f);
  process = start_part (f, "hold-queue");
  wait_until_ready (process);
  words = g_strdup_printf ("pid %s", g_subprocess_get_identifier (process));
  assert_refused (f, JOB_ERROR_LOCKED, words);
  assert_refused (f, JOB_ERROR_LOCKED, words);
  end_part (process);
  assert_in_store (f, N_LEFT);
}

static void
test_locked_by_database (Fixture *f, gconstpointer data)
{
  GSubprocess *process;

  leave_jobs (f);
  process = start_part (f, "hold-database");
  wait_until_ready (process);
  assert_refused (f, JOB_ERROR_LOCKED, "another program");
  end_part (process);
  assert_in_store (f, N_LEFT);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/sqlite/faults/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  const Part parts[] = {
    { "hold-queue", hold_queue },
    { "hold-database", hold_database },
    { NULL },
  };

  play_part (parts);
  g_test_init (&argc, &argv, NULL);

  ADD ("not-ours-is-refused-and-unchanged", test_not_ours);
  ADD ("newer-schema-is-refused-and-unchanged", test_newer_schema);
  ADD ("read-only-file-is-refused-and-unchanged", test_read_only_file);
  ADD ("held-by-another-queue", test_locked_by_queue);
  ADD ("held-by-another-program", test_locked_by_database);
  return g_test_run ();
}
