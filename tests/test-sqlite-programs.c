/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The SQLite store and other programs: one at a time has the file, and any tool reads it. */

#include "sqlite-fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- locks ------------------------------------------------------------------------------------ */

/* This program, started anew to be another one, which does what this says with the file of that
 * name. (A forked copy would have SQLite's memory of the locks that this process holds.) */
#define SQL "JOB_SQLITE_TEST_SQL"
#define PATH "JOB_SQLITE_TEST_PATH"

/* Says how it went, and stays in the transaction until its input ends. */
static int
be_another_program (void)
{
  sqlite3 *db;
  int code;

  g_assert_cmpint (sqlite3_open (g_getenv (PATH), &db), ==, SQLITE_OK);
  code = sqlite3_exec (db, g_getenv (SQL), NULL, NULL, NULL);
  printf ("%d\n", code);
  fflush (stdout);
  while (getchar () != EOF)
    ;
  sqlite3_close (db);
  return 0;
}

static GSubprocess *
start_another_program (Fixture *fixture, const char *sql, int expected)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GDataInputStream) output = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *line = NULL;
  GSubprocess *process;

  g_subprocess_launcher_setenv (launcher, SQL, sql, TRUE);
  g_subprocess_launcher_setenv (launcher, PATH, fixture->path, TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, program, NULL);
  g_assert_no_error (error);
  output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  line = g_data_input_stream_read_line (output, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (atoi (line), ==, expected);
  return process;
}

static void
end_another_program (GSubprocess *process)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_close (g_subprocess_get_stdin_pipe (process), NULL, &error);
  g_assert_no_error (error);
  g_subprocess_wait_check (process, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (process);
}

static void
find_it_locked (Fixture *fixture)
{
  g_autofree char *pid = g_strdup_printf ("pid %d", getpid ());
  int status;
  pid_t child;

  assert_refused (fixture, JOB_ERROR_LOCKED, pid);
  child = fork ();
  if (child == 0)
    {
      assert_refused (fixture, JOB_ERROR_LOCKED, pid);
      /* Not _exit(): valgrind would look for leaks, and find what GLib's lost thread held. */
      execl ("/bin/true", "true", NULL);
      _exit (1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  end_another_program (start_another_program (fixture, "SELECT * FROM job", SQLITE_BUSY));
}

static void
test_locked (Fixture *fixture, gconstpointer data)
{
  /* Neither an opening that failed nor a checkpoint must lose it. */
  find_it_locked (fixture);
  find_it_locked (fixture);
  create (fixture, 1, "1");
  find_it_locked (fixture);
  checkpoint (fixture);
  find_it_locked (fixture);
  close_store (fixture);
  end_another_program (start_another_program (fixture, "SELECT * FROM job", SQLITE_OK));
  open_store (fixture);
}

/* Another program is in the middle of reading, or of writing. */
static void
test_locked_by_sqlite (Fixture *fixture, gconstpointer data)
{
  const char *begin[] = { "BEGIN; SELECT * FROM job", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE" };

  create (fixture, 1, "1");
  checkpoint (fixture);
  close_store (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (begin); i++)
    {
      GSubprocess *process = start_another_program (fixture, begin[i], SQLITE_OK);

      assert_refused (fixture, JOB_ERROR_LOCKED, "another program");
      end_another_program (process);
    }
  open_store (fixture);
  assert_job (fixture, 1, "1", JOB_STATE_PENDING, NULL);
}

/* --- other tools ------------------------------------------------------------------------------ */

/* Somebody's tool has turned it to a write-ahead log. */
static void
test_wal (Fixture *fixture, gconstpointer data)
{
  create (fixture, 1, "1");
  checkpoint (fixture);
  close_store (fixture);
  run_sql (fixture, "PRAGMA journal_mode = WAL; UPDATE job SET priority = 5");
  open_store (fixture);
  assert_job (fixture, 1, "1", JOB_STATE_PENDING, NULL);
  create (fixture, 2, "2");
  checkpoint (fixture);
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, FALSE), ==, 2);
}

static void
assert_shell_says (Fixture *fixture, const char *shell, const char *sql, const char *expected)
{
  const char *argv[] = { shell, "-batch", fixture->path, sql, NULL };
  g_autofree char *output = NULL;
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, &errors, NULL,
                &error);
  g_assert_no_error (error);
  g_assert_cmpstr (errors, ==, "");
  g_assert_cmpstr (output, ==, expected);
}

static void
make_jobs_to_read (Fixture *fixture)
{
  JobChange change = new_job (1, "{\"n\":1}", 0);

  change.record->queued_at = G_GINT64_CONSTANT (1700000000062500000);
  change.record->priority = 5;
  apply (fixture, change);
  update (fixture, 1, JOB_STATE_SUCCEEDED, "[\"done\"]");
  change = new_job (2, "null", 1);
  change.record->dependencies[0].condition = JOB_CONDITION_AFTER_ANY;
  apply (fixture, change);
  create (fixture, 3, "0");
  change = new_status (3, JOB_STATE_CANCELED, "\"no\"");
  change.status.reason = JOB_REASON_DEPENDENCY;
  change.status.culprit = number_id (1);
  apply (fixture, change);
  checkpoint (fixture);
  close_store (fixture);
}

static void
test_shell (Fixture *fixture, gconstpointer data)
{
  g_autofree char *shell = g_find_program_in_path ("sqlite3");

  if (shell == NULL)
    {
      g_test_skip ("there is no sqlite3 here");
      return;
    }
  make_jobs_to_read (fixture);
  assert_shell_says (fixture, shell,
                     "SELECT id, type, priority, state, queued_at, run_at, args, result, error "
                     "FROM jobs WHERE id = '01000000-0001-7000-8000-000000000009'",
                     "01000000-0001-7000-8000-000000000009|type|5|succeeded"
                     "|2023-11-14T22:13:20.062500000Z||{\"n\":1}|[\"done\"]|\n");
  assert_shell_says (fixture, shell, "SELECT state, result, error, reason, culprit FROM jobs",
                     "succeeded|[\"done\"]|||\n"
                     "waiting||||\n"
                     "canceled||\"no\"|dependency|01000000-0001-7000-8000-000000000009\n");
  assert_shell_says (fixture, shell, "SELECT * FROM dependencies",
                     "01000000-0002-7000-8000-000000000009"
                     "|01000000-0001-7000-8000-000000000009|afterany\n");
  assert_shell_says (fixture, shell, "PRAGMA integrity_check", "ok\n");
  assert_shell_says (fixture, shell, "PRAGMA page_size", "16384\n");
  open_store (fixture);
}

/* What docs/sqlite.md says to do with a damaged file. */
static void
test_rescue (Fixture *fixture, gconstpointer data)
{
  const char rescue[] = "( echo 'PRAGMA page_size = 16384;'; sqlite3 \"$0\" .dump 2> /dev/null |"
                        " sed 's/^ROLLBACK;.*/COMMIT;/'; "
                        "echo 'PRAGMA application_id = 1248813649; PRAGMA user_version = 1;' ) |"
                        " ( umask 077; sqlite3 \"$0.saved\" ) && mv \"$0.saved\" \"$0\"";
  const char *argv[] = { "/bin/sh", "-c", rescue, fixture->path, NULL };
  g_autofree char *shell = g_find_program_in_path ("sqlite3");
  g_autoptr (GBytes) good = NULL;
  g_autofree char *bad = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  if (shell == NULL)
    {
      g_test_skip ("there is no sqlite3 here");
      return;
    }
  for (guint n = 1; n <= 1500; n++)
    apply (fixture, new_job (n, FILL, n > 1 ? n - 1 : 0));
  checkpoint (fixture);
  close_store (fixture);
  good = read_file (fixture->path);
  size = g_bytes_get_size (good);
  bad = g_memdup2 (g_bytes_get_data (good, NULL), size);
  /* A page of rows. */
  memset (bad + 16384 * 8, 0, 16384);
  write_file (fixture->path, bad, size);
  open_store (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), <, 1500);
  close_store (fixture);
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  open_store (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), >, 1200);
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
  create (fixture, 2000, "1");
  checkpoint (fixture);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/sqlite/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  if (g_getenv (SQL) != NULL)
    return be_another_program ();
  g_test_init (&argc, &argv, NULL);

  ADD ("programs/one-queue-at-a-time", test_locked);
  ADD ("programs/no-queue-while-another-one-is-in-the-file", test_locked_by_sqlite);
  ADD ("programs/another-journal-mode-is-taken", test_wal);
  ADD ("programs/the-shell-reads-it-in-words", test_shell);
  ADD ("programs/the-shell-saves-what-a-damaged-file-has", test_rescue);
  return g_test_run ();
}
