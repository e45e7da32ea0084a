/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The gdbm store's checkpoint: no failure and no kill in it costs a job. */

#include "gdbm-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How many writes go well before one, or each from then on, finds the disk full; -1: all do. */
static int writes_left = -1;
static gboolean stays_full;
static gboolean was_full;

/* In place of the C library's, for gdbm too. */
ssize_t
write (int fd, const void *data, size_t size)
{
  if (writes_left > 0)
    writes_left--;
  else if (writes_left == 0)
    {
      was_full = TRUE;
      if (!stays_full)
        writes_left = -1;
      errno = ENOSPC;
      return -1;
    }
  return syscall (SYS_write, fd, data, size);
}

/* TRUE if the checkpoint got through before its n-th write. */
static gboolean
try_checkpoint (Fixture *fixture, int n)
{
  g_autofree char *new_path = build_path (fixture, ".new");
  g_autoptr (GError) error = NULL;
  gboolean done;

  writes_left = n;
  was_full = FALSE;
  done = job_store_checkpoint (fixture->store, &error);
  writes_left = -1;
  g_assert_true (done != was_full);
  if (was_full)
    {
      g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
      g_assert_nonnull (strstr (error->message, g_strerror (ENOSPC)));
      g_assert_false (g_file_test (new_path, G_FILE_TEST_EXISTS));
    }
  return done;
}

/* New jobs, which a copy of the file is to get; or, if @anew, a job of the file as well, so that
 * all of it is written. */
static void
change (Fixture *fixture, guint first, guint n, gboolean anew)
{
  for (guint i = 0; i < n; i++)
    create (fixture, first + i, "1");
  if (anew)
    update (fixture, 1, JOB_STATE_RUNNING, NULL);
}

/* gdbm does not always say that a write of a bucket or of its directory failed. (The first four
 * writes of a file from nothing, if they fail, leak 4 KiB in gdbm_fd_open(), which a leak checker
 * would hold against us.) */
static void
test_full_disk (Fixture *fixture, gconstpointer anew)
{
  create (fixture, 1, "1");
  checkpoint (fixture);
  for (int pass = 0; pass < 2; pass++)
    {
      g_autoptr (GBytes) before = NULL;
      g_autoptr (GBytes) after = NULL;
      int n = anew ? 4 : 0;

      stays_full = pass > 0;
      change (fixture, 1000 * (guint) pass + 2, 200, anew != NULL);
      before = read_file (fixture->path);
      do
        {
          g_clear_pointer (&after, g_bytes_unref);
          after = read_file (fixture->path);
          g_assert_true (g_bytes_equal (before, after));
        }
      while (!try_checkpoint (fixture, n++));
      g_assert_cmpint (n, >, 200);
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 200 * ((guint) pass + 1) + 1);
    }
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 401);
}

static void
set_file_limit (rlim_t bytes)
{
  struct rlimit limit;

  g_assert_no_errno (getrlimit (RLIMIT_FSIZE, &limit));
  limit.rlim_cur = bytes;
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &limit));
}

/* The limit wanders through the file: records, buckets, directory. (Below 16 KiB, a failure leaks 4
 * KiB in gdbm_fd_open(), which a leak checker would hold against us.) */
static void
test_write_failure (Fixture *fixture, gconstpointer anew)
{
  g_autofree char *new_path = build_path (fixture, ".new");
  g_autoptr (GBytes) before = NULL;
  struct stat st;

  for (guint n = 1; n <= 500; n++)
    create (fixture, n, "\"some args that take a little room in the file\"");
  checkpoint (fixture);
  change (fixture, 501, 1, anew != NULL);
  before = read_file (fixture->path);
  g_assert_no_errno (stat (fixture->path, &st));
  for (off_t limit = 4 * 4096; limit < st.st_size; limit += 4096)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) after = NULL;
      gboolean done;

      set_file_limit ((rlim_t) limit);
      done = job_store_checkpoint (fixture->store, &error);
      set_file_limit (RLIM_INFINITY);
      g_assert_false (done);
      g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
      g_assert_nonnull (strstr (error->message, fixture->path));
      g_assert_false (g_file_test (new_path, G_FILE_TEST_EXISTS));
      after = read_file (fixture->path);
      g_assert_true (g_bytes_equal (before, after));
    }
  assert_job (fixture, 501, "1", JOB_STATE_PENDING, NULL);
  assert_job (fixture, 1, "\"some args that take a little room in the file\"",
              anew ? JOB_STATE_RUNNING : JOB_STATE_PENDING, NULL);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 501);
  checkpoint (fixture);
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 501);
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
}

static void
test_left_over (Fixture *fixture, gconstpointer data)
{
  g_autofree char *new_path = build_path (fixture, ".new");
  g_autoptr (GError) error = NULL;

  create (fixture, 1, "1");
  checkpoint (fixture);
  close_store (fixture);
  g_file_set_contents (new_path, "half a file", -1, &error);
  g_assert_no_error (error);
  open_store (fixture);
  g_assert_false (g_file_test (new_path, G_FILE_TEST_EXISTS));
  assert_job (fixture, 1, "1", JOB_STATE_PENDING, NULL);
}

/* Tells the number of each checkpoint that returned, until it is killed. */
static void
run_child (Fixture *fixture, guint n, gboolean anew, int fd)
{
  open_store (fixture);
  for (;; n++)
    {
      create (fixture, n, "\"some args\"");
      if (n > 1 && anew)
        update (fixture, n - 1, JOB_STATE_SUCCEEDED, "1");
      checkpoint (fixture);
      if (write (fd, &n, sizeof n) != sizeof n)
        _exit (1);
    }
}

/* The number of the last checkpoint that was seen to return. */
static guint
kill_child (Fixture *fixture, guint next, gboolean anew, guint round)
{
  int fds[2];
  guint done = next - 1;
  volatile guint spin = 0;
  pid_t child;

  g_assert_no_errno (pipe (fds));
  child = fork ();
  if (child == 0)
    run_child (fixture, next, anew, fds[1]);
  close (fds[1]);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (read (fds[0], &done, sizeof done), ==, sizeof done);
  /* Somewhere within the next one. */
  while (spin < round * 100000)
    spin++;
  g_assert_no_errno (kill (child, SIGKILL));
  while (read (fds[0], &done, sizeof done) == sizeof done)
    ;
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  close (fds[0]);
  return done;
}

static void
test_killed_checkpoint (Fixture *fixture, gconstpointer anew)
{
  guint n = 0;

  close_store (fixture);
  for (guint round = 0; round < 30; round++)
    {
      guint done = kill_child (fixture, n + 1, anew != NULL, round);

      open_store (fixture);
      n = count_jobs (fixture, TRUE);
      g_assert_cmpuint (count_damaged (fixture), ==, 0);
      g_assert_cmpuint (n, >=, done);
      g_assert_cmpuint (n, <=, done + 1);
      g_assert_cmpuint (count_jobs (fixture, FALSE), ==, anew ? 1 : n);
      assert_job (fixture, 1, "\"some args\"", anew ? JOB_STATE_SUCCEEDED : JOB_STATE_PENDING,
                  anew ? "1" : NULL);
      close_store (fixture);
    }
}

#define ADD(name, data, function)                                                                  \
  g_test_add ("/gdbm/checkpoint/" name, Fixture, data, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* A write beyond RLIMIT_FSIZE is then an error, not a death. */
  signal (SIGXFSZ, SIG_IGN);

  ADD ("a-failed-write-changes-nothing", "anew", test_write_failure);
  ADD ("a-failed-write-to-a-copy-changes-nothing", NULL, test_write_failure);
  ADD ("a-full-disk-changes-nothing", "anew", test_full_disk);
  ADD ("a-full-disk-under-a-copy-changes-nothing", NULL, test_full_disk);
  ADD ("a-left-over-file-is-removed", NULL, test_left_over);
  ADD ("a-kill-leaves-a-whole-file", "anew", test_killed_checkpoint);
  ADD ("a-kill-leaves-a-whole-copy", NULL, test_killed_checkpoint);
  return g_test_run ();
}
