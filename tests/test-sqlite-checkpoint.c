/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The SQLite store's checkpoint: no failure and no kill costs a job, or leaves half of a state. */

#include "sqlite-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test-effort.h"

/* --- a disk that fails ------------------------------------------------------------------------ */

/* How many writes and syncs go well before one, or each from then on, fails; -1: all do. */
static int calls_left = -1;
static gboolean stays_bad;
static gboolean was_bad;
static int next_errno;

static gboolean
fails_now (int failure)
{
  if (calls_left > 0)
    calls_left--;
  else if (calls_left == 0)
    {
      was_bad = TRUE;
      if (!stays_bad)
        calls_left = -1;
      next_errno = failure;
      return TRUE;
    }
  return FALSE;
}

/* In place of the C library's, for SQLite. */
ssize_t pwrite64 (int fd, const void *data, size_t size, off64_t offset);

ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t offset)
{
  if (!fails_now (ENOSPC))
    return syscall (SYS_pwrite64, fd, data, size, offset);
  errno = next_errno;
  return -1;
}

int
fdatasync (int fd)
{
  if (!fails_now (EIO))
    return (int) syscall (SYS_fdatasync, fd);
  errno = next_errno;
  return -1;
}

int
fsync (int fd)
{
  if (!fails_now (EIO))
    return (int) syscall (SYS_fsync, fd);
  errno = next_errno;
  return -1;
}

/* TRUE if it got through before its n-th call. */
static gboolean
try_checkpoint (Fixture *fixture, const JobChange *changes, gsize n_changes, int n)
{
  g_autoptr (GError) error = NULL;
  gboolean done;

  calls_left = n;
  was_bad = FALSE;
  done = job_store_apply (fixture->store, changes, n_changes, &error) &&
         job_store_checkpoint (fixture->store, &error);
  if (!done)
    {
      g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
      g_assert_nonnull (strstr (error->message, fixture->path));
    }
  /* An error that SQLite can do without, as in cutting its journal short, is none. */
  g_assert_true (done || was_bad);
  return !was_bad;
}

/* Goes on in the open store, or in one that was opened anew, at once or on the bad disk. */
static void
go_on (Fixture *fixture, const JobChange *changes, guint round)
{
  g_autoptr (GError) error = NULL;

  if (round % 3 == 1)
    calls_left = -1;
  if (round % 3 != 0)
    close_store (fixture);
  calls_left = -1;
  if (round % 3 != 0)
    open_store (fixture);
  /* The call that failed may have been the very last one, when all was written. */
  assert_round (fixture, find_round (fixture, round));
  apply_round (fixture, changes, &error);
  g_assert_no_error (error);
  assert_round (fixture, round);
}

/* Each call fails once. In a quick run each fourth, beginning with another one in the second pass:
 * the calls of a checkpoint are a few kinds, each many times in a row. */
static void
test_bad_disk (Fixture *fixture, gconstpointer data)
{
  const int stride = (int) test_effort (1, 4);
  guint round = 0;

  create_old (fixture);
  for (int pass = 0; pass < 2; pass++)
    {
      gboolean through = FALSE;
      int n;

      stays_bad = pass > 0;
      for (n = pass * stride / 2; !through; n += stride)
        {
          JobChange changes[N_CHANGES];

          make_round (changes, ++round);
          through = try_checkpoint (fixture, changes, N_CHANGES, n);
          go_on (fixture, changes, round);
          clear_round (changes);
        }
      g_test_message ("%d calls", n);
      g_assert_cmpint (n, >, 10);
    }
  reopen (fixture);
  assert_round (fixture, round);
}

/* One job that does not fit into the cache, so that pages are written before the commit. */
static void
test_bad_disk_in_a_large_transaction (Fixture *fixture, gconstpointer data)
{
  g_autofree char *fill = g_strnfill (12 * 1024 * 1024, 'x');
  g_autofree char *args = g_strdup_printf ("\"%s\"", fill);
  g_autoptr (GError) error = NULL;
  JobChange changes[] = { new_status (1, JOB_STATE_FAILED, "1"), new_job (20000, args, 0) };
  gboolean through = FALSE;

  create_old (fixture);
  stays_bad = FALSE;
  for (int n = 1; !through; n += 37)
    {
      through = try_checkpoint (fixture, changes, G_N_ELEMENTS (changes), n);
      if (n % 2 == 0)
        reopen (fixture);
      if (!through)
        g_assert_cmpuint (count_jobs (fixture, FALSE), ==, N_OLD);
    }
  calls_left = -1;
  g_assert_true (job_store_apply (fixture->store, changes, G_N_ELEMENTS (changes), &error));
  checkpoint (fixture);
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, N_OLD + 1);
  assert_job (fixture, 20000, args, JOB_STATE_PENDING, NULL);
  assert_job (fixture, 1, FILL, JOB_STATE_FAILED, "1");
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    job_change_clear (&changes[i]);
}

static void
set_file_limit (rlim_t bytes)
{
  struct rlimit limit;

  g_assert_no_errno (getrlimit (RLIMIT_FSIZE, &limit));
  limit.rlim_cur = bytes;
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &limit));
}

static void
test_file_limit (Fixture *fixture, gconstpointer data)
{
  create_old (fixture);
  for (guint round = 1; round <= 20; round++)
    {
      g_autoptr (GError) error = NULL;
      JobChange changes[N_CHANGES];

      make_round (changes, round);
      set_file_limit (4096 * round);
      g_assert_false (apply_round (fixture, changes, &error));
      g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
      set_file_limit (RLIM_INFINITY);
      go_on (fixture, changes, round);
      clear_round (changes);
    }
}

/* --- a process that is killed ----------------------------------------------------------------- */

#define CHILD "JOB_SQLITE_TEST_CHILD" /* the path; this program is then the one to be killed */
#define N_BATCH 200

/* Creates a batch of jobs, and ends the one before. Says so when all is done. */
static void
take_batch (Fixture *fixture, guint batch)
{
  JobChange changes[2 * N_BATCH];
  guint n_changes = 0;

  for (guint i = 0; i < N_BATCH; i++)
    {
      changes[n_changes++] = new_job (batch * N_BATCH + i, FILL, batch * N_BATCH + i + 1);
      if (batch > 0)
        changes[n_changes++] = new_status ((batch - 1) * N_BATCH + i, JOB_STATE_SUCCEEDED, "1");
    }
  g_assert_true (job_store_apply (fixture->store, changes, n_changes, NULL));
  checkpoint (fixture);
  for (guint i = 0; i < n_changes; i++)
    job_change_clear (&changes[i]);
}

G_NORETURN static void
run_child (guint batch)
{
  Fixture fixture = { .path = g_strdup (g_getenv (CHILD)) };

  open_store (&fixture);
  for (;; batch++)
    {
      take_batch (&fixture, batch);
      printf ("%u\n", batch);
      fflush (stdout);
    }
}

static char *
read_line (GDataInputStream *lines)
{
  g_autoptr (GError) error = NULL;
  char *line = g_data_input_stream_read_line (lines, NULL, NULL, &error);

  g_assert_no_error (error);
  return line;
}

/* How many batches were seen to be done. */
static guint
kill_child (Fixture *fixture, guint next, guint round)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *batch = g_strdup_printf ("%u", next);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GDataInputStream) lines = NULL;
  char *line;
  volatile guint spin = 0;

  g_subprocess_launcher_setenv (launcher, CHILD, fixture->path, TRUE);
  process = g_subprocess_launcher_spawn (launcher, NULL, program, batch, NULL);
  lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  for (guint i = 0; i < 2 && (line = read_line (lines)) != NULL; i++, g_free (line))
    next = (guint) atoi (line) + 1;
  /* Somewhere within the next one. */
  while (spin < round * 150000)
    spin++;
  g_subprocess_force_exit (process);
  for (; (line = read_line (lines)) != NULL; g_free (line))
    next = (guint) atoi (line) + 1;
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_true (g_subprocess_get_if_signaled (process));
  return next;
}

static void
assert_integrity (Fixture *fixture)
{
  g_autofree char *answer = ask_sql (fixture, "PRAGMA integrity_check");

  g_assert_cmpstr (answer, ==, "ok");
}

static void
test_killed (Fixture *fixture, gconstpointer data)
{
  g_autofree char *journal = build_path (fixture, "-journal");
  guint n_batches = 0, n_journals = 0;

  close_store (fixture);
  for (guint round = 0; round < test_effort (30, 5); round++)
    {
      guint done = kill_child (fixture, n_batches, round), n;

      n_journals += g_file_test (journal, G_FILE_TEST_EXISTS);
      open_store (fixture);
      n = count_jobs (fixture, TRUE);
      g_assert_cmpuint (n % N_BATCH, ==, 0);
      n_batches = n / N_BATCH;
      g_assert_cmpuint (n_batches, >=, done);
      g_assert_cmpuint (n_batches, <=, done + 1);
      g_assert_cmpuint (count_jobs (fixture, FALSE), ==, N_BATCH);
      g_assert_cmpuint (count_damaged (fixture), ==, 0);
      assert_job (fixture, 1, FILL, JOB_STATE_SUCCEEDED, "1");
      close_store (fixture);
      g_assert_false (g_file_test (journal, G_FILE_TEST_EXISTS));
      assert_integrity (fixture);
    }
  g_assert_cmpuint (n_journals, >, 0);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/sqlite/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  if (g_getenv (CHILD) != NULL)
    run_child ((guint) atoi (argv[1]));
  g_test_init (&argc, &argv, NULL);
  /* A write beyond RLIMIT_FSIZE is then an error, not a death. */
  signal (SIGXFSZ, SIG_IGN);

  ADD ("checkpoint/a-bad-disk-changes-nothing", test_bad_disk);
  ADD ("checkpoint/nor-in-a-large-transaction", test_bad_disk_in_a_large_transaction);
  ADD ("checkpoint/a-limit-changes-nothing", test_file_limit);
  ADD ("checkpoint/a-kill-leaves-a-whole-file", test_killed);
  return g_test_run ();
}
