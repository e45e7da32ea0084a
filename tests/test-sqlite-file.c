/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The SQLite store's file: how it stands in its folder, and which one is refused. */

#include "sqlite-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what stands in the folder ---------------------------------------------------------------- */

static void
assert_only (Fixture *fixture, const char *const *names)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->folder, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_assert_true (g_strv_contains (names, name));
      n++;
    }
  g_assert_cmpuint (n, ==, g_strv_length ((char **) names));
}

static void
test_one_file (Fixture *fixture, gconstpointer data)
{
  const char *const closed[] = { "jobs.sqlite", "jobs.sqlite.lock", NULL };

  for (guint i = 1; i < 4; i++)
    {
      create (fixture, i, "1");
      if (i < 3)
        checkpoint (fixture);
      close_store (fixture);
      assert_only (fixture, closed);
      open_store (fixture);
    }
}

static void
test_modes (Fixture *fixture, gconstpointer data)
{
  const char *suffixes[] = { "", ".lock", "-journal" };
  mode_t mask;

  close_store (fixture);
  for (gsize i = 0; i < 2; i++)
    {
      g_autofree char *path = build_path (fixture, suffixes[i]);

      g_assert_no_errno (g_unlink (path));
    }
  mask = umask (0277);
  open_store (fixture);
  umask (0);
  create (fixture, 1, "1");
  checkpoint (fixture);
  umask (mask);
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *path = build_path (fixture, suffixes[i]);
      struct stat st;

      g_assert_no_errno (stat (path, &st));
      g_assert_cmpuint (st.st_mode & 07777, ==, 0600);
    }
}

static void
test_left_over (Fixture *fixture, gconstpointer data)
{
  g_autofree char *new_path = build_path (fixture, ".new");

  create (fixture, 1, "1");
  checkpoint (fixture);
  close_store (fixture);
  write_file (new_path, "half a file", 11);
  open_store (fixture);
  g_assert_false (g_file_test (new_path, G_FILE_TEST_EXISTS));
  assert_job (fixture, 1, "1", JOB_STATE_PENDING, NULL);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void
test_refused_files (Fixture *fixture, gconstpointer data)
{
  g_autofree char *other = build_path (fixture, ".other");

  close_store (fixture);
  g_assert_no_errno (chmod (fixture->path, 0620));
  assert_refused (fixture, JOB_ERROR_STORAGE, "others can write");
  g_assert_no_errno (chmod (fixture->path, 0600));
  g_assert_no_errno (rename (fixture->path, other));
  g_assert_no_errno (symlink (other, fixture->path));
  assert_refused (fixture, JOB_ERROR_STORAGE, "symbolic link");
  g_assert_no_errno (g_unlink (fixture->path));
  g_assert_no_errno (mkfifo (fixture->path, 0600));
  assert_refused (fixture, JOB_ERROR_STORAGE, "regular");
  g_assert_no_errno (g_unlink (fixture->path));
  g_assert_no_errno (g_mkdir (fixture->path, 0700));
  assert_refused (fixture, JOB_ERROR_STORAGE, "regular");
  g_assert_no_errno (g_rmdir (fixture->path));
  g_assert_no_errno (rename (other, fixture->path));
  if (geteuid () == 0)
    {
      g_assert_no_errno (chown (fixture->path, 65534, 65534));
      assert_refused (fixture, JOB_ERROR_STORAGE, "another user");
      g_assert_no_errno (chown (fixture->path, 0, 0));
    }
  open_store (fixture);
}

/* SQLite would play back what others put there. */
static void
test_refused_journals (Fixture *fixture, gconstpointer data)
{
  const char *suffixes[] = { "-journal", "-wal" };

  close_store (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *journal = build_path (fixture, suffixes[i]);

      write_file (journal, "", 0);
      g_assert_no_errno (chmod (journal, 0666));
      assert_refused (fixture, JOB_ERROR_STORAGE, "others can write");
      g_assert_no_errno (g_unlink (journal));
    }
  open_store (fixture);
}

static void
test_widow (Fixture *fixture, gconstpointer data)
{
  const char *suffixes[] = { "-journal", "-wal" };

  close_store (fixture);
  g_assert_no_errno (g_unlink (fixture->path));
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *journal = build_path (fixture, suffixes[i]);
      g_autoptr (GBytes) after = NULL;

      write_file (journal, "of another file", 15);
      assert_refused (fixture, JOB_ERROR_CORRUPT, suffixes[i]);
      after = read_file (journal);
      g_assert_cmpuint (g_bytes_get_size (after), ==, 15);
      g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
      g_assert_no_errno (g_unlink (journal));
    }
  open_store (fixture);
}

static void
test_folders (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (fixture->folder, "none", "jobs.sqlite", NULL);
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);
  g_autofree char *direct = g_steal_pointer (&fixture->path);

  g_assert_null (job_sqlite_store_new (path, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_clear_error (&error);
  close_store (fixture);
  g_assert_no_errno (chmod (fixture->folder, 0777));
  g_assert_null (job_sqlite_store_new (direct, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, "mode 0777"));
  g_assert_no_errno (chmod (fixture->folder, 0700));
  /* By a link to the folder, it is the same file. */
  g_assert_no_errno (symlink (".", link));
  fixture->path = g_build_filename (link, "jobs.sqlite", NULL);
  open_store (fixture);
  create (fixture, 1, "1");
  checkpoint (fixture);
  close_store (fixture);
  g_free (fixture->path);
  fixture->path = g_steal_pointer (&direct);
  open_store (fixture);
  assert_job (fixture, 1, "1", JOB_STATE_PENDING, NULL);
}

static void
test_read_only (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GBytes) after = NULL;

  create (fixture, 1, "1");
  checkpoint (fixture);
  close_store (fixture);
  before = read_file (fixture->path);
  g_assert_no_errno (chmod (fixture->path, 0400));
  assert_refused (fixture, JOB_ERROR_STORAGE, "read-only");
  after = read_file (fixture->path);
  g_assert_true (g_bytes_equal (before, after));
  g_assert_no_errno (chmod (fixture->path, 0600));
  open_store (fixture);
  assert_job (fixture, 1, "1", JOB_STATE_PENDING, NULL);
}

/* Neither the file nor what stands beside it has changed. */
static void
assert_refused_unchanged (Fixture *fixture, int code, const char *words)
{
  g_autofree char *journal = build_path (fixture, "-journal");
  g_autoptr (GBytes) before = read_file (fixture->path);
  g_autoptr (GBytes) after = NULL;
  gboolean has_journal = g_file_test (journal, G_FILE_TEST_EXISTS);

  assert_refused (fixture, code, words);
  after = read_file (fixture->path);
  g_assert_true (g_bytes_equal (before, after));
  g_assert_true (g_file_test (journal, G_FILE_TEST_EXISTS) == has_journal);
}

static void
refuse_contents (Fixture *fixture, const char *contents, gsize size, const char *words)
{
  write_file (fixture->path, contents, size);
  assert_refused_unchanged (fixture, JOB_ERROR_CORRUPT, words);
}

static void
test_garbage (Fixture *fixture, gconstpointer data)
{
  g_autofree char *noise = g_malloc0 (70000);

  close_store (fixture);
  refuse_contents (fixture, "", 0, "empty");
  refuse_contents (fixture, "hello\n", 6, "not a jobqueue file");
  refuse_contents (fixture, noise, 70000, "not a jobqueue file");
  for (int i = 0; i < 70000; i++)
    noise[i] = (char) (i * 7 + i / 256);
  refuse_contents (fixture, noise, 70000, "not a jobqueue file");
  memcpy (noise, "SQLite format 3", 16);
  refuse_contents (fixture, noise, 70000, "not a jobqueue file");
}

/* Also one with a rollback journal that SQLite would play back. */
static void
test_foreign (Fixture *fixture, gconstpointer data)
{
  const char *modes[] = { "DELETE", "PERSIST", "WAL" };
  g_autofree char *journal = build_path (fixture, "-journal");

  close_store (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autofree char *sql = g_strdup_printf (
          "PRAGMA journal_mode = %s; CREATE TABLE job (a); INSERT INTO job VALUES (1)", modes[i]);

      g_assert_no_errno (g_unlink (fixture->path));
      run_sql (fixture, sql);
      assert_refused_unchanged (fixture, JOB_ERROR_CORRUPT, "not a jobqueue file");
    }
  write_file (journal, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 and so on", 18);
  assert_refused_unchanged (fixture, JOB_ERROR_CORRUPT, "not a jobqueue file");
}

static void
test_newer_version (Fixture *fixture, gconstpointer data)
{
  close_store (fixture);
  run_sql (fixture, "PRAGMA user_version = 2");
  assert_refused_unchanged (fixture, JOB_ERROR_VERSION, "newer");
  run_sql (fixture, "PRAGMA user_version = 0");
  assert_refused_unchanged (fixture, JOB_ERROR_CORRUPT, "not a jobqueue file");
  run_sql (fixture, "PRAGMA user_version = 1; DROP INDEX dependency_by_id");
  assert_refused_unchanged (fixture, JOB_ERROR_CORRUPT, "dependency_by_id");
}

/* SQLite goes on if it cannot make the name of its journal durable: so that is done beforehand. */
static void
test_rollback_journal_is_there (Fixture *fixture, gconstpointer data)
{
  g_autofree char *journal = build_path (fixture, "-journal");
  GStatBuf info;

  for (int pass = 0; pass < 2; pass++)
    {
      g_assert_cmpint (g_stat (journal, &info), ==, 0);
      g_assert_cmpuint (info.st_mode & 07777, ==, 0600);
      create (fixture, 1 + pass, "1");
      checkpoint (fixture);
      close_store (fixture);
      g_assert_cmpint (g_stat (journal, &info), !=, 0);
      open_store (fixture);
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/sqlite/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("file/stands-alone-after-a-close", test_one_file);
  ADD ("file/mode-is-0600-whatever-the-umask", test_modes);
  ADD ("file/a-left-over-is-removed", test_left_over);
  ADD ("file/what-others-can-touch-is-refused", test_refused_files);
  ADD ("file/a-journal-that-others-can-touch-is-refused", test_refused_journals);
  ADD ("file/a-journal-without-its-file-is-refused", test_widow);
  ADD ("file/a-folder-must-exist-and-be-safe", test_folders);
  ADD ("file/read-only-is-refused-and-unchanged", test_read_only);
  ADD ("file/garbage-is-refused-and-unchanged", test_garbage);
  ADD ("file/foreign-database-is-refused-and-unchanged", test_foreign);
  ADD ("file/newer-version-is-refused-and-unchanged", test_newer_version);
  ADD ("file/the-rollback-journal-is-there-before-it-is-needed", test_rollback_journal_is_there);
  return g_test_run ();
}
