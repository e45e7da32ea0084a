/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A whole queue on sqlite and its disk: one without room, which is emptied again, and one that is
 * read-only. A clear error, nothing lost, and once the cause is gone the queue goes on.
 *
 * Each test is a part, in a process that has a small disk of its own: a tmpfs in its mount
 * namespace, which goes with it. Where there can be none, the tests are skipped. */

#include "sqlite-queue-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define EXIT_SKIP 77
#define N_TRIES 5
#define FILL "fill.lock" /* which does not count as a change */

/* --- a disk of its own ------------------------------------------------------------------------ */

static gboolean
write_text (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean done = fd >= 0 && write (fd, text, strlen (text)) == (ssize_t) strlen (text);

  if (fd >= 0)
    close (fd);
  return done;
}

/* Who is not root may mount as the root of a user namespace. */
static gboolean
become_root (void)
{
  g_autofree char *uid = g_strdup_printf ("0 %u 1", (guint) geteuid ());
  g_autofree char *gid = g_strdup_printf ("0 %u 1", (guint) getegid ());

  return geteuid () == 0 ||
         (unshare (CLONE_NEWUSER) == 0 && write_text ("/proc/self/setgroups", "deny") &&
          write_text ("/proc/self/uid_map", uid) && write_text ("/proc/self/gid_map", gid));
}

static void
mount_disk (Fixture *f)
{
  if (become_root () && unshare (CLONE_NEWNS) == 0 &&
      mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
      mount ("tmpfs", f->folder, "tmpfs", 0, "size=2m,mode=0700") == 0)
    return;
  g_printerr ("no disk of its own: %s\n", g_strerror (errno));
  exit (EXIT_SKIP);
}

static void
set_read_only (Fixture *f, gboolean read_only)
{
  g_assert_no_errno (
      mount (NULL, f->folder, NULL, MS_REMOUNT | (read_only ? MS_RDONLY : 0), "size=2m,mode=0700"));
}

static int
open_fill (Fixture *f)
{
  g_autofree char *path = g_build_filename (f->folder, FILL, NULL);
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* Takes all the room but @spare bytes. */
static void
fill_disk (Fixture *f, gsize spare)
{
  static const char zeros[4096];
  int fd = open_fill (f);
  off_t size = 0;

  while (write (fd, zeros, sizeof zeros) == sizeof zeros)
    size += sizeof zeros;
  g_assert_cmpint (errno, ==, ENOSPC);
  g_assert_cmpint (size, >, spare);
  g_assert_no_errno (ftruncate (fd, size - (off_t) spare));
  close (fd);
}

static void
empty_disk (Fixture *f)
{
  g_autofree char *path = g_build_filename (f->folder, FILL, NULL);

  g_assert_no_errno (g_unlink (path));
}

/* --- without room ----------------------------------------------------------------------------- */

/* Room that is there already may be used up before: as many as fit, then none. */
static guint
enqueue_until_full (Fixture *f, JobQueue *queue)
{
  g_autoptr (GError) error = NULL;
  guint n = 0;

  for (;;)
    {
      g_autofree char *id = enqueue (queue, &error);

      if (id == NULL)
        break;
      g_assert_cmpuint (++n, <, 10000);
    }
  assert_says (error, f, JOB_ERROR_STORAGE, "");
  return n;
}

/* A lease is some bytes only, and may still fit; it is true, then. */
static void
assert_nothing_goes (Fixture *f, JobQueue *queue, guint n_jobs)
{
  const char *const types[] = { "work", NULL };

  for (guint i = 0; i < N_TRIES; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) lease_error = NULL;
      g_autoptr (JobLease) lease = NULL;
      g_autofree char *id = enqueue (queue, &error);

      g_assert_null (id);
      assert_says (error, f, JOB_ERROR_STORAGE, "");
      lease = job_queue_dequeue (queue, types, NULL, 0, NULL, &lease_error);
      if (lease == NULL)
        assert_says (lease_error, f, JOB_ERROR_STORAGE, "");
      g_assert_cmpuint (count_jobs (queue), ==, n_jobs);
    }
}

static guint
must_enqueue (JobQueue *queue)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *id = enqueue (queue, &error);

  g_assert_no_error (error);
  return 1;
}

/* From the first call on. */
static void
assert_goes_on (JobQueue *queue)
{
  const char *const types[] = { "work", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = NULL;

  must_enqueue (queue);
  lease = job_queue_dequeue (queue, types, NULL, 0, NULL, &error);
  g_assert_no_error (error);
  job_lease_complete (lease, "1", NULL, &error);
  g_assert_no_error (error);
}

/* Sometimes there is room for the journal, and not for the checkpoint. */
static void
meet_full_disk (Fixture *f)
{
  const gsize spare[] = { 0, 20000, 50000, 80000, 150000, 250000 };
  g_autoptr (JobQueue) queue = NULL;
  guint n_jobs = 0;

  mount_disk (f);
  queue = must_open (f);
  for (gsize i = 0; i < G_N_ELEMENTS (spare); i++)
    {
      for (guint n = 0; n < N_TRIES; n++)
        n_jobs += must_enqueue (queue);
      fill_disk (f, spare[i]);
      n_jobs += enqueue_until_full (f, queue);
      assert_nothing_goes (f, queue, n_jobs);
      empty_disk (f);
      assert_goes_on (queue);
      n_jobs++;
    }
  must_close (queue);
  assert_in_store (f, n_jobs);
}

/* It may close or not: nothing is lost. */
static void
close_on_full_disk (Fixture *f)
{
  g_autoptr (JobQueue) queue = NULL;
  g_autoptr (GError) error = NULL;
  guint n_jobs;

  mount_disk (f);
  queue = must_open (f);
  must_enqueue (queue);
  fill_disk (f, 0);
  n_jobs = 1 + enqueue_until_full (f, queue);
  if (!job_queue_close (queue, NULL, &error))
    assert_says (error, f, JOB_ERROR_STORAGE, "");
  g_clear_object (&queue);
  empty_disk (f);
  assert_in_store (f, n_jobs);
}

static void
open_on_full_disk (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue = NULL;

  mount_disk (f);
  fill_disk (f, 0);
  assert_refused (f, JOB_ERROR_STORAGE, "");
  empty_disk (f);
  leave_jobs (f);
  fill_disk (f, 0);
  queue = open_queue (f, &error);
  if (queue == NULL)
    assert_says (error, f, JOB_ERROR_STORAGE, "");
  else
    g_assert_cmpuint (count_jobs (queue), ==, N_LEFT);
  g_clear_object (&queue);
  empty_disk (f);
  assert_in_store (f, N_LEFT);
}

static void
open_in_read_only_folder (Fixture *f)
{
  mount_disk (f);
  leave_jobs (f);
  set_read_only (f, TRUE);
  assert_refused (f, JOB_ERROR_STORAGE, "ead-only");
  set_read_only (f, FALSE);
  assert_in_store (f, N_LEFT);
}

/* --- the tests -------------------------------------------------------------------------------- */

/* @data: the part. */
static void
test_part (Fixture *f, gconstpointer data)
{
  g_autoptr (GSubprocess) process = start_part (f, data);
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;

  g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  if (g_subprocess_get_if_exited (process) && g_subprocess_get_exit_status (process) == EXIT_SKIP)
    {
      g_test_skip ("this process may have no disk of its own");
      return;
    }
  g_subprocess_wait_check (process, NULL, &error);
  g_assert_no_error (error);
}

#define ADD(name, part)                                                                            \
  g_test_add ("/sqlite/disk/" name, Fixture, part, fixture_set_up, test_part, fixture_tear_down)

int
main (int argc, char **argv)
{
  const Part parts[] = {
    { "meet-full-disk", meet_full_disk },
    { "close-on-full-disk", close_on_full_disk },
    { "open-on-full-disk", open_on_full_disk },
    { "open-in-read-only-folder", open_in_read_only_folder },
    { NULL },
  };

  play_part (parts);
  g_test_init (&argc, &argv, NULL);

  ADD ("full-and-emptied-goes-on", "meet-full-disk");
  ADD ("full-at-the-close-loses-nothing", "close-on-full-disk");
  ADD ("full-at-the-opening-loses-nothing", "open-on-full-disk");
  ADD ("read-only-is-refused-and-unchanged", "open-in-read-only-folder");
  return g_test_run ();
}
