/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The gdbm store on its own: what it keeps, and what it refuses. What a queue makes of it is the
 * conformance suite's. */

#include "gdbm-fixture.h"

#include <gdbm.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (300000, '1');
  struct stat st;

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
  g_assert_no_errno (stat (fixture->path, &st));
  g_assert_cmpuint (job_store_get_checkpoint_size (fixture->store, 1), ==, (guint64) st.st_size);
  g_assert_cmpuint (job_store_get_checkpoint_size (fixture->store, 1 << 30), ==, 1 << 30);
}

static void
test_folding (Fixture *fixture, gconstpointer data)
{
  create (fixture, 1, "1");
  update (fixture, 1, JOB_STATE_RUNNING, NULL);
  checkpoint (fixture);
  /* Over the file, then over the overlay; then the same changes again, as after a crash. */
  for (int pass = 0; pass < 2; pass++)
    {
      update (fixture, 1, JOB_STATE_FAILED, "\"first\"");
      update (fixture, 1, JOB_STATE_SUCCEEDED, "\"last\"");
      assert_job (fixture, 1, "1", JOB_STATE_SUCCEEDED, "\"last\"");
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 1);
      checkpoint (fixture);
    }
  reopen (fixture);
  assert_job (fixture, 1, "1", JOB_STATE_SUCCEEDED, "\"last\"");
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 1);
}

static void
test_without_checkpoint (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GBytes) after = NULL;

  create (fixture, 1, "1");
  checkpoint (fixture);
  before = read_file (fixture->path);
  create (fixture, 2, "2");
  update (fixture, 1, JOB_STATE_RUNNING, NULL);
  reopen (fixture);
  after = read_file (fixture->path);
  g_assert_true (g_bytes_equal (before, after));
  assert_job (fixture, 1, "1", JOB_STATE_PENDING, NULL);
  assert_absent (fixture, 2);
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
  assert_dependents (fixture, 1, 2);
  checkpoint (fixture);
  assert_dependents (fixture, 1, 2);
  reopen (fixture);
  assert_dependents (fixture, 1, 2);
  assert_dependents (fixture, 2, 0);
}

static void
test_modes (Fixture *fixture, gconstpointer data)
{
  const char *suffixes[] = { "", ".lock" };
  mode_t mask;

  close_store (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *path = build_path (fixture, suffixes[i]);

      g_assert_no_errno (g_unlink (path));
    }
  mask = umask (0277);
  open_store (fixture);
  create (fixture, 1, "1");
  checkpoint (fixture);
  umask (0);
  create (fixture, 2, "1");
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

static void
test_refused_folders (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (fixture->folder, "none", "jobs.gdbm", NULL);

  g_assert_null (job_gdbm_store_new (path, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  close_store (fixture);
  g_assert_no_errno (chmod (fixture->folder, 0777));
  g_clear_error (&error);
  g_assert_null (job_gdbm_store_new (fixture->path, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, "mode 0777"));
  g_assert_no_errno (chmod (fixture->folder, 0700));
}

static void
refuse_contents (Fixture *fixture, const char *contents, gsize size, const char *words)
{
  g_autoptr (GBytes) after = NULL;
  g_autoptr (GBytes) expected = g_bytes_new (contents, size);

  write_file (fixture->path, contents, size);
  assert_refused (fixture, JOB_ERROR_CORRUPT, words);
  after = read_file (fixture->path);
  g_assert_true (g_bytes_equal (after, expected));
}

static void
test_garbage (Fixture *fixture, gconstpointer data)
{
  g_autofree char *noise = g_malloc0 (70000);

  close_store (fixture);
  refuse_contents (fixture, "", 0, "empty");
  refuse_contents (fixture, "hello\n", 6, "damaged");
  refuse_contents (fixture, noise, 70000, "damaged");
  for (int i = 0; i < 70000; i++)
    noise[i] = (char) (i * 7 + i / 256);
  refuse_contents (fixture, noise, 70000, "damaged");
}

static void
make_foreign (Fixture *fixture, gboolean with_record)
{
  GDBM_FILE dbf;

  close_store (fixture);
  dbf = gdbm_open (fixture->path, 0, GDBM_NEWDB, 0600, NULL);
  g_assert_nonnull (dbf);
  if (with_record)
    g_assert_cmpint (
        gdbm_store (dbf, (datum){ (char *) "key", 3 }, (datum){ (char *) "value", 5 }, GDBM_INSERT),
        ==, 0);
  g_assert_cmpint (gdbm_close (dbf), ==, 0);
  g_assert_no_errno (chmod (fixture->path, 0600));
}

static void
test_foreign (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GBytes) after = NULL;

  make_foreign (fixture, TRUE);
  before = read_file (fixture->path);
  assert_refused (fixture, JOB_ERROR_CORRUPT, "not a jobqueue file");
  after = read_file (fixture->path);
  g_assert_true (g_bytes_equal (before, after));
}

static void
test_foreign_empty (Fixture *fixture, gconstpointer data)
{
  make_foreign (fixture, FALSE);
  open_store (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 0);
  create (fixture, 1, "1");
  checkpoint (fixture);
  reopen (fixture);
  assert_job (fixture, 1, "1", JOB_STATE_PENDING, NULL);
}

static void
test_newer_version (Fixture *fixture, gconstpointer data)
{
  close_store (fixture);
  tamper (fixture, "jobqueue", 8, "2 what a later library writes", 29);
  assert_refused (fixture, JOB_ERROR_VERSION, "newer");
  tamper (fixture, "jobqueue", 8, "x", 1);
  assert_refused (fixture, JOB_ERROR_CORRUPT, "not a jobqueue file");
}

static void
test_locked (Fixture *fixture, gconstpointer data)
{
  g_autofree char *pid = g_strdup_printf ("pid %d", getpid ());
  int status;
  pid_t child;

  assert_refused (fixture, JOB_ERROR_LOCKED, pid);
  child = fork ();
  if (child == 0)
    {
      g_autoptr (GError) error = NULL;
      JobStore *store = job_gdbm_store_new (fixture->path, &error);

      _exit (store == NULL && g_error_matches (error, JOB_ERROR, JOB_ERROR_LOCKED) &&
                     strstr (error->message, pid) != NULL
                 ? 0
                 : 1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  /* A checkpoint, which replaces the file, must not lose it. */
  create (fixture, 1, "1");
  checkpoint (fixture);
  assert_refused (fixture, JOB_ERROR_LOCKED, pid);
  reopen (fixture);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/gdbm/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("jobs/come-back-as-they-were", test_round_trip);
  ADD ("jobs/changes-fold-into-the-last", test_folding);
  ADD ("jobs/dependents-are-listed", test_dependents);
  ADD ("file/unchanged-until-a-checkpoint", test_without_checkpoint);
  ADD ("file/mode-is-0600-whatever-the-umask", test_modes);
  ADD ("file/what-others-can-touch-is-refused", test_refused_files);
  ADD ("file/a-folder-must-exist-and-be-safe", test_refused_folders);
  ADD ("file/garbage-is-refused-and-unchanged", test_garbage);
  ADD ("file/foreign-gdbm-file-is-refused-and-unchanged", test_foreign);
  ADD ("file/empty-gdbm-file-is-taken", test_foreign_empty);
  ADD ("file/newer-version-is-refused", test_newer_version);
  ADD ("file/one-queue-at-a-time", test_locked);
  return g_test_run ();
}
