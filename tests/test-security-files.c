/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What another user of the machine could try with files: none that he may change is taken for ours,
 * and none of ours is for others. What a part promises by itself has its tests there;
 * docs/reliability.md has the list of all. */

#include "security-fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
check_mode (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  if (walk->level > 0 && (info->st_mode & 07777) != (S_ISDIR (info->st_mode) ? 0700 : 0600))
    g_error ("%s has mode %04o", path, (guint) (info->st_mode & 07777));
  return 0;
}

static void
assert_modes (Fixture *f)
{
  g_assert_cmpint (nftw (f->folder, check_mode, 16, FTW_PHYS), ==, 0);
}

/* Of every file there is, in each state in which a queue leaves them. */
static void
check_modes_with_umask (Fixture *f, mode_t mask)
{
  mode_t old = umask (mask);
  g_autofree char *id = NULL;

  open_queue (f);
  id = add (f, "a", NULL, "[1]");
  assert_modes (f);
  close_queue (f);
  assert_modes (f);
  open_queue (f);
  g_object_unref (take (f, "a", ""));
  assert_modes (f);
  close_queue (f);
  assert_modes (f);
  umask (old);
}

static void
test_modes (Fixture *f, gconstpointer data)
{
  check_modes_with_umask (f, 0);
  check_modes_with_umask (f, 0577);
}

static void
assert_cannot_open (Fixture *f, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (try_open (f, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  if (strstr (error->message, message) == NULL)
    g_error ("“%s” is not in: %s", message, error->message);
}

static void
put_file (const char *path, mode_t mode)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fchmod (fd, mode), ==, 0);
  g_assert_cmpint (close (fd), ==, 0);
}

/* What is in a journal is taken for true: it could say that any job is to be run. */
static void
test_foreign_journal (Fixture *f, gconstpointer data)
{
  g_autofree char *journal = g_strconcat (f->place, f->backend->journal, NULL);
  g_autofree char *other = g_build_filename (f->folder, "other", NULL);

  g_autofree char *id = NULL;

  open_queue (f);
  id = add (f, "a", NULL, NULL);
  g_assert_true (g_file_test (journal, G_FILE_TEST_EXISTS));
  close_queue (f);
  g_assert_false (g_file_test (journal, G_FILE_TEST_EXISTS));

  put_file (journal, 0620);
  assert_cannot_open (f, "others can write it");
  g_assert_cmpint (g_chmod (journal, 0602), ==, 0);
  assert_cannot_open (f, "others can write it");
  g_assert_cmpint (g_rename (journal, other), ==, 0);
  g_assert_cmpint (symlink (other, journal), ==, 0);
  assert_cannot_open (f, journal);
  g_assert_cmpint (g_unlink (journal), ==, 0);
  g_assert_cmpint (mkfifo (journal, 0600), ==, 0);
  assert_cannot_open (f, "no regular file");
  g_assert_cmpint (g_unlink (journal), ==, 0);
  if (geteuid () == 0)
    {
      put_file (journal, 0600);
      g_assert_cmpint (chown (journal, 4711, 4711), ==, 0);
      assert_cannot_open (f, "belongs to another user");
      g_assert_cmpint (g_unlink (journal), ==, 0);
    }
  open_queue (f);
}

/* Where the files of the queue are. */
static const char *
get_folder (Fixture *f)
{
  return g_str_equal (f->backend->option, "directory") ? f->place : f->folder;
}

/* A folder in which others could take a file away, and put another one there. */
static void
test_open_folder (Fixture *f, gconstpointer data)
{
  const char *folder = get_folder (f);

  open_queue (f);
  close_queue (f);
  g_assert_cmpint (g_chmod (folder, 0777), ==, 0);
  assert_cannot_open (f, folder);
  if (geteuid () == 0)
    {
      g_assert_cmpint (g_chmod (folder, 0770), ==, 0);
      g_assert_cmpint (chown (folder, 0, 4711), ==, 0);
      assert_cannot_open (f, folder);
    }
  g_assert_cmpint (g_chmod (folder, 0700), ==, 0);
  open_queue (f);
}

/* Its owner can do so whatever its mode. */
static void
test_strangers_folder (Fixture *f, gconstpointer data)
{
  const char *folder = get_folder (f);
  const mode_t modes[] = { 0700, 0755, 01777 };

  if (geteuid () != 0)
    {
      g_test_skip ("only root can give a folder to somebody else");
      return;
    }
  open_queue (f);
  close_queue (f);
  g_assert_cmpint (chown (folder, 4711, 4711), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_cmpint (g_chmod (folder, modes[i]), ==, 0);
      assert_cannot_open (f, "belongs to user 4711");
    }
  g_assert_cmpint (chown (folder, 0, 0), ==, 0);
  g_assert_cmpint (g_chmod (folder, 0700), ==, 0);
  open_queue (f);
}

/* Others can put files there, but not take ours away; so each file is looked at. But a folder that
 * is the store must have nothing of others in it. */
static void
test_sticky_folder (Fixture *f, gconstpointer data)
{
  open_queue (f);
  close_queue (f);
  g_assert_cmpint (g_chmod (get_folder (f), 01777), ==, 0);
  if (get_folder (f) == f->place)
    assert_cannot_open (f, "mode 1777");
  else
    open_queue (f);
}

static guint
count_damage (Fixture *f, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = job_queue_list_damaged (f->queue, NULL, &error);
  guint n = g_list_model_get_n_items (list);

  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (JobDamage) damage = g_list_model_get_item (list, i);

      if (strstr (job_damage_get_message (damage), message) == NULL)
        g_error ("“%s” is not in: %s", message, job_damage_get_message (damage));
    }
  return n;
}

/* A file that somebody else can change is not taken for a job, and none is made of it. */
static void
check_untrusted_job (Fixture *f, const char *file, const char *message)
{
  open_queue (f);
  g_assert_null (take (f, "a", ""));
  g_assert_cmpuint (count_damage (f, message), ==, 1);
  close_queue (f);
  g_assert_cmpint (chown (file, geteuid (), getegid ()), ==, 0);
  g_assert_cmpint (g_chmod (file, 0600), ==, 0);
}

static void
test_foreign_job_file (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL, *name = NULL, *file = NULL;
  g_autoptr (JobLease) lease = NULL;

  open_queue (f);
  id = add (f, "a", NULL, NULL);
  close_queue (f);
  name = g_strconcat (id, ".json", NULL);
  file = g_build_filename (f->place, name, NULL);
  g_assert_cmpint (g_chmod (file, 0602), ==, 0);
  check_untrusted_job (f, file, "others than its owner can write");
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (file, 4711, 4711), ==, 0);
      check_untrusted_job (f, file, "belongs to another user");
    }
  open_queue (f);
  lease = take (f, "a", "");
  g_assert_nonnull (lease);
}

static const SecurityTest tests[] = {
  { "files/have-modes-of-their-own-whatever-the-umask", test_modes, NULL },
  { "files/a-journal-of-others-is-refused", test_foreign_journal, NULL },
  { "files/a-folder-of-others-is-refused", test_open_folder, NULL },
  { "files/a-strangers-folder-is-refused", test_strangers_folder, NULL },
  { "files/a-sticky-folder-will-do-for-a-file", test_sticky_folder, NULL },
  { "files/a-job-of-others-is-damage", test_foreign_job_file, "fs-json" },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_tests (tests, G_N_ELEMENTS (tests), TRUE);

  return g_test_run ();
}
