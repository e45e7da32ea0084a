/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The loader in folders with files that are not to be trusted. What is refused is never cached, so
 * each test has its own names; nothing is ever loaded. */

#include "plugin-asserts.h"

#include <glib/gstdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BACKEND_PATH "JOBQUEUE_BACKEND_PATH"

/* An empty folder of its own for one test, as the only one in the environment. */
typedef struct
{
  char *folder;
  char *outside;
} Fixture;

static void
setup (Fixture *fixture, gconstpointer data)
{
  fixture->outside = g_strdup (g_getenv (BACKEND_PATH));
  fixture->folder = g_dir_make_tmp ("jobqueue-plugin-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
  g_setenv (BACKEND_PATH, fixture->folder, TRUE);
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_assert_cmpint (g_remove (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
teardown (Fixture *fixture, gconstpointer data)
{
  remove_folder (fixture->folder);
  if (fixture->outside != NULL)
    g_setenv (BACKEND_PATH, fixture->outside, TRUE);
  else
    g_unsetenv (BACKEND_PATH);
  g_free (fixture->folder);
  g_free (fixture->outside);
}

static char *
write_file (const char *folder, const char *name, const char *content, gssize length)
{
  g_autoptr (GError) error = NULL;
  char *path = g_build_filename (folder, name, NULL);

  g_file_set_contents (path, content, length, &error);
  g_assert_no_error (error);
  g_assert_cmpint (chmod (path, 0644), ==, 0);
  return path;
}

static char *
copy_module (const char *module, const char *folder, const char *name)
{
  g_autofree char *from = g_test_build_filename (G_TEST_BUILT, "bad-modules", module, NULL);
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_file_get_contents (from, &content, &length, &error);
  g_assert_no_error (error);
  return write_file (folder, name, content, (gssize) length);
}

/* The message has all that a person needs: what was looked for, where, and what is there. */
static void
test_not_found (Fixture *fixture, gconstpointer data)
{
  g_autofree char *added = module_folder ();
  g_autofree char *second = g_build_filename (fixture->folder, "second", NULL);
  g_autofree char *path = g_strconcat (fixture->folder, "::", second, NULL);
  g_autofree char *there = copy_module ("sound.so", fixture->folder, "is-there.so");

  job_add_backend_folder (added);
  g_setenv (BACKEND_PATH, path, TRUE);
  assert_refused (JOB_PLUGIN_BACKEND, "not-there", "not-there.so", added);
  assert_refused (JOB_PLUGIN_BACKEND, "not-there", fixture->folder, second);
  assert_refused (JOB_PLUGIN_BACKEND, "not-there", "/jobqueue-1/backends", "is-there");
  assert_refused (JOB_PLUGIN_HANDLER, "not-there", "/jobqueue-1/plugins", "JOBQUEUE_PLUGIN_PATH");
}

static void
test_not_elf (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (4096, '#');
  g_autofree char *file = write_file (fixture->folder, "not-elf.so", text, -1);
  g_autofree char *empty = write_file (fixture->folder, "empty.so", "", 0);

  assert_refused (JOB_PLUGIN_BACKEND, "not-elf", file, "ELF");
  assert_refused (JOB_PLUGIN_BACKEND, "empty", empty, "rebuild");
}

/* Each of these is refused for the one thing, and no longer once that is put right: then it is only
 * the name inside that is not the file's. */
static void
test_writable_file (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = copy_module ("sound.so", fixture->folder, "writable.so");

  g_assert_cmpint (chmod (file, 0646), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "writable", file, "mode 0646");
  g_assert_cmpint (chmod (file, 0644), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "writable", file, "calls itself “sound”");
}

static void
test_writable_folder (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = copy_module ("sound.so", fixture->folder, "folder.so");

  g_assert_cmpint (chmod (fixture->folder, 0777), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "folder", file, "mode 0777");
  g_assert_cmpint (chmod (fixture->folder, 01777), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "folder", file, "mode 1777");
  g_assert_cmpint (chmod (fixture->folder, 0755), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "folder", file, "calls itself “sound”");
}

/* A group with the number of its user is that user's own; any other has others in it. */
static void
test_writable_by_group (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = copy_module ("sound.so", fixture->folder, "group.so");

  if (geteuid () != 0)
    {
      g_test_skip ("Only root can give a file to another group");
      return;
    }

  g_assert_cmpint (chown (file, 0, 1), ==, 0);
  g_assert_cmpint (chmod (file, 0664), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "group", file, "mode 0664");
  g_assert_cmpint (chown (file, 0, 0), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "group", file, "calls itself “sound”");
}

static void
test_foreign_owner (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = copy_module ("sound.so", fixture->folder, "owner.so");

  if (geteuid () != 0)
    {
      g_test_skip ("Only root can give a file to another user");
      return;
    }

  g_assert_cmpint (chown (file, 1, 1), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "owner", file, "owned by user 1");
  g_assert_cmpint (chown (file, 0, 0), ==, 0);
  g_assert_cmpint (chown (fixture->folder, 1, 1), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "owner", file, "owned by user 1");
  g_assert_cmpint (chown (fixture->folder, 0, 0), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "owner", file, "calls itself “sound”");
}

static void
test_not_regular (Fixture *fixture, gconstpointer data)
{
  g_autofree char *target = copy_module ("sound.so", fixture->folder, "target.so");
  g_autofree char *link = g_build_filename (fixture->folder, "link.so", NULL);
  g_autofree char *fifo = g_build_filename (fixture->folder, "fifo.so", NULL);
  g_autofree char *directory = g_build_filename (fixture->folder, "directory.so", NULL);

  g_assert_cmpint (symlink (target, link), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "link", link, "not a regular file");
  assert_refused (JOB_PLUGIN_BACKEND, "fifo", fifo, "not a regular file");
  assert_refused (JOB_PLUGIN_BACKEND, "directory", directory, "not a regular file");
}

/* A libtool archive would name a file of its own choice; GModule would follow it. */
static void
test_libtool_archive (Fixture *fixture, gconstpointer data)
{
  g_autofree char *module = copy_module ("sound.so", fixture->folder, "beside.so");
  g_autofree char *text =
      g_strdup_printf ("dlname='beside.so'\ninstalled=yes\nlibdir='%s'\n", fixture->folder);
  g_autofree char *alone = write_file (fixture->folder, "alone.la", text, -1);
  g_autofree char *beside = write_file (fixture->folder, "beside.la", "dlname='nowhere.so'\n", -1);
  g_auto (GStrv) names = job_list_backends ();

  assert_refused (JOB_PLUGIN_BACKEND, "alone", "no file “alone.so”", fixture->folder);
  assert_refused (JOB_PLUGIN_BACKEND, "beside", module, "calls itself “sound”");
  g_assert_true (g_strv_contains ((const char *const *) names, "beside"));
  g_assert_false (g_strv_contains ((const char *const *) names, "alone"));
}

/* The first file of the name counts, even if it is not fit: a bad one never gives way in silence.
 */
static void
test_order (Fixture *fixture, gconstpointer data)
{
  g_autofree char *added = g_dir_make_tmp ("jobqueue-plugin-XXXXXX", NULL);
  g_autofree char *later = copy_module ("sound.so", fixture->folder, "twice.so");
  g_autofree char *first = write_file (added, "twice.so", "nothing", -1);

  job_add_backend_folder (added);
  assert_refused (JOB_PLUGIN_BACKEND, "twice", first, "rebuild");
  g_assert_cmpint (g_remove (first), ==, 0);
  assert_refused (JOB_PLUGIN_BACKEND, "twice", later, "calls itself “sound”");
  remove_folder (added);
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  g_autofree char *second = g_dir_make_tmp ("jobqueue-plugin-XXXXXX", NULL);
  g_autofree char *path = g_strconcat (fixture->folder, ":/nowhere:", second, NULL);
  g_autofree char *zebra = write_file (fixture->folder, "zebra.so", "", 0);
  g_autofree char *again = write_file (second, "zebra.so", "", 0);
  g_autofree char *apple = write_file (second, "0-apple.so", "", 0);
  g_autofree char *upper = write_file (second, "Upper.so", "", 0);
  g_autofree char *text = write_file (second, "text.txt", "", 0);
  g_auto (GStrv) names = NULL;
  guint n_zebras = 0;

  g_setenv (BACKEND_PATH, path, TRUE);
  names = job_list_backends ();
  for (guint i = 0; names[i] != NULL; i++)
    {
      n_zebras += g_str_equal (names[i], "zebra") ? 1 : 0;
      if (i > 0)
        g_assert_cmpstr (names[i - 1], <, names[i]);
    }
  g_assert_cmpuint (n_zebras, ==, 1);
  g_assert_cmpstr (names[0], ==, "0-apple");
  g_assert_false (g_strv_contains ((const char *const *) names, "Upper"));
  g_assert_false (g_strv_contains ((const char *const *) names, "text"));
  remove_folder (second);
}

/* --- the environment -------------------------------------------------------------------------- */

static char *
print_folders (const char *program)
{
  char *const argv[] = { (char *) program, NULL };
  g_autoptr (GError) error = NULL;
  char *output = NULL;
  int status;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status,
                &error);
  g_assert_no_error (error);
  g_spawn_check_wait_status (status, &error);
  g_assert_no_error (error);
  return output;
}

static gboolean
can_setuid (const char *folder)
{
  struct statvfs status;

  return geteuid () == 0 && prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 &&
         statvfs (folder, &status) == 0 && (status.f_flag & ST_NOSUID) == 0;
}

static void
test_environment_when_setuid (Fixture *fixture, gconstpointer data)
{
  g_autofree char *program = copy_module ("print-folders", fixture->folder, "print-folders");
  g_autofree char *expected = g_strconcat (fixture->folder, "\n/compiled-in\n", NULL);
  g_autofree char *plain = NULL;
  g_autofree char *secure = NULL;

  if (!can_setuid (fixture->folder))
    {
      g_test_skip ("Only root, where setuid has an effect, can make a file run as another user");
      return;
    }

  g_assert_cmpint (chmod (program, 0755), ==, 0);
  plain = print_folders (program);
  g_assert_cmpstr (plain, ==, expected);

  g_assert_cmpint (chown (program, 1, 1), ==, 0);
  g_assert_cmpint (chmod (program, 04755), ==, 0);
  secure = print_folders (program);
  g_assert_cmpstr (secure, ==, "/compiled-in\n");
}

#define ADD(path, func) g_test_add ("/plugin/" path, Fixture, NULL, setup, func, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("refuses/not-found", test_not_found);
  ADD ("refuses/not-elf", test_not_elf);
  ADD ("refuses/writable-file", test_writable_file);
  ADD ("refuses/writable-folder", test_writable_folder);
  ADD ("refuses/writable-by-group", test_writable_by_group);
  ADD ("refuses/foreign-owner", test_foreign_owner);
  ADD ("refuses/not-regular", test_not_regular);
  ADD ("refuses/libtool-archive", test_libtool_archive);
  ADD ("first-file-of-the-name-counts", test_order);
  ADD ("lists-sorted-without-duplicates", test_list);
  ADD ("environment-is-ignored-when-setuid", test_environment_when_setuid);

  return g_test_run ();
}
