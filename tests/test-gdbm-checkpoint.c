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

/* gdbm does not always say that a write of a bucket or of its directory failed. (The first four
 * writes, if they fail, leak 4 KiB in gdbm_fd_open(), which a leak checker would hold against us.)
 */
static void
test_full_disk (Fixture *fixture, gconstpointer data)
{
  for (int pass = 0; pass < 2; pass++)
    {
      g_autoptr (GBytes) before = NULL;
      g_autoptr (GBytes) after = NULL;
      int n = 4;

      stays_full = pass > 0;
      for (guint i = 1; i <= 200; i++)
        create (fixture, 1000 * (guint) pass + i, "1");
      before = read_file (fixture->path);
      do
        {
          g_clear_pointer (&after, g_bytes_unref);
          after = read_file (fixture->path);
          g_assert_true (g_bytes_equal (before, after));
        }
      while (!try_checkpoint (fixture, n++));
      g_assert_cmpint (n, >, 200);
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 200 * ((guint) pass + 1));
    }
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 400);
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
test_write_failure (Fixture *fixture, gconstpointer data)
{
  g_autofree char *new_path = build_path (fixture, ".new");
  g_autoptr (GBytes) before = NULL;
  struct stat st;

  for (guint n = 1; n <= 500; n++)
    create (fixture, n, "\"some args that take a little room in the file\"");
  checkpoint (fixture);
  create (fixture, 501, "501");
  update (fixture, 1, JOB_STATE_SUCCEEDED, "\"yes\"");
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
  assert_job (fixture, 501, "501", JOB_STATE_PENDING, NULL);
  assert_job (fixture, 1, "\"some args that take a little room in the file\"", JOB_STATE_SUCCEEDED,
              "\"yes\"");
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
run_child (Fixture *fixture, guint n, int fd)
{
  open_store (fixture);
  for (;; n++)
    {
      create (fixture, n, "\"some args\"");
      if (n > 1)
        update (fixture, n - 1, JOB_STATE_SUCCEEDED, "1");
      checkpoint (fixture);
      if (write (fd, &n, sizeof n) != sizeof n)
        _exit (1);
    }
}

/* The number of the last checkpoint that was seen to return. */
static guint
kill_child (Fixture *fixture, guint next, guint round)
{
  int fds[2];
  guint done = next - 1;
  volatile guint spin = 0;
  pid_t child;

  g_assert_no_errno (pipe (fds));
  child = fork ();
  if (child == 0)
    run_child (fixture, next, fds[1]);
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
test_killed_checkpoint (Fixture *fixture, gconstpointer data)
{
  guint n = 0;

  close_store (fixture);
  for (guint round = 0; round < 30; round++)
    {
      guint done = kill_child (fixture, n + 1, round);

      open_store (fixture);
      n = count_jobs (fixture, TRUE);
      g_assert_cmpuint (count_damaged (fixture), ==, 0);
      g_assert_cmpuint (n, >=, done);
      g_assert_cmpuint (n, <=, done + 1);
      g_assert_cmpuint (count_jobs (fixture, FALSE), ==, 1);
      assert_job (fixture, 1, "\"some args\"", JOB_STATE_SUCCEEDED, "1");
      close_store (fixture);
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/gdbm/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* A write beyond RLIMIT_FSIZE is then an error, not a death. */
  signal (SIGXFSZ, SIG_IGN);

  ADD ("checkpoint/a-failed-write-changes-nothing", test_write_failure);
  ADD ("checkpoint/a-full-disk-changes-nothing", test_full_disk);
  ADD ("checkpoint/a-left-over-file-is-removed", test_left_over);
  ADD ("checkpoint/a-kill-leaves-a-whole-file", test_killed_checkpoint);
  return g_test_run ();
}
