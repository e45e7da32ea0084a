/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The journal: what goes in comes out, what fails leaves it as it was, and what is in its way stays
 * as it is. */

#include "journal-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

static void
assert_unchanged (Fixture *f, GBytes *before)
{
  g_autoptr (GBytes) after = get_file (f);

  g_assert_true (g_bytes_equal (before, after));
}

/* --- there and back --------------------------------------------------------------------------- */

static void
test_round_trip (Fixture *f, gconstpointer data)
{
  open_journal (f);
  for (guint i = 1; i <= 10; i++)
    append (f, i);
  for (guint i = 0; i < 2; i++)
    {
      close_journal (f);
      open_journal (f);
      assert_shown (f, 10);
    }
  append (f, 11);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 11);
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

static void
test_looking_leaves_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  open_journal (f);
  assert_shown (f, 0);
  g_assert_cmpuint (job_journal_get_size (f->journal), ==, 0);
  g_assert_true (job_journal_reset (f->journal, &error));
  g_assert_true (job_journal_remove (f->journal, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
}

static void
test_only_for_its_owner (Fixture *f, gconstpointer data)
{
  GStatBuf info;
  mode_t old = umask (0);

  open_journal (f);
  append (f, 1);
  umask (old);
  g_assert_cmpint (g_stat (f->path, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0600);
}

static void
test_size_is_the_files (Fixture *f, gconstpointer data)
{
  GStatBuf info;

  open_journal (f);
  for (guint i = 1; i <= 3; i++)
    {
      append (f, i);
      g_assert_cmpint (g_stat (f->path, &info), ==, 0);
      g_assert_cmpuint (job_journal_get_size (f->journal), ==, info.st_size);
    }
}

static void
test_reset_starts_anew (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  open_journal (f);
  append (f, 8);
  append (f, 9);
  g_assert_true (job_journal_reset (f->journal, &error));
  g_assert_no_error (error);
  append (f, 1);
  append (f, 2);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 2);
  g_assert_true (job_journal_reset (f->journal, &error));
  close_journal (f);
  open_journal (f);
  assert_shown (f, 0);
}

static void
test_remove_takes_the_file_away (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  open_journal (f);
  append (f, 9);
  g_assert_true (job_journal_remove (f->journal, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (job_journal_get_size (f->journal), ==, 0);
  append (f, 1);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 1);
}

/* --- writes that fail ------------------------------------------------------------------------- */

/* No file may grow beyond @size; SIGXFSZ must be ignored. */
static struct rlimit
limit_files (rlim_t size)
{
  struct rlimit old, limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &old), ==, 0);
  limit = old;
  limit.rlim_cur = size;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  return old;
}

static void
append_on_a_full_disk (Fixture *f, guint number, gsize room)
{
  struct rlimit old = limit_files (job_journal_get_size (f->journal) + room);
  g_autoptr (GError) error = NULL;
  gboolean unknown = TRUE;
  gboolean done = try_append (f, number, &unknown, &error);

  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &old), ==, 0);
  g_assert_false (done);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, f->path));
  g_assert_false (unknown);
}

static void
test_failed_write_changes_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) before = NULL;

  signal (SIGXFSZ, SIG_IGN);
  open_journal (f);
  append (f, 1);
  append (f, 2);
  before = get_file (f);
  for (gsize room = 0; room < 40; room += 13)
    {
      append_on_a_full_disk (f, 3, room);
      assert_unchanged (f, before);
    }
  append (f, 3);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 3);
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

static void
test_failed_creation_leaves_no_file (Fixture *f, gconstpointer data)
{
  signal (SIGXFSZ, SIG_IGN);
  open_journal (f);
  for (gsize room = 0; room < 40; room += 13)
    {
      append_on_a_full_disk (f, 1, room);
      g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
    }
  append (f, 1);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 1);
}

static void
test_no_folder_no_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean unknown = TRUE;

  open_journal (f);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_assert_false (try_append (f, 1, &unknown, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_false (unknown);
  g_assert_cmpint (g_mkdir (f->folder, 0700), ==, 0);
  append (f, 1);
}

/* --- what is in the way ----------------------------------------------------------------------- */

static void
assert_open_fails (Fixture *f, JobError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (try_open (f, &error));
  g_assert_error (error, JOB_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, f->path));
}

static void
test_links_are_not_followed (Fixture *f, gconstpointer data)
{
  g_autofree char *other = g_build_filename (f->folder, "other", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_set_contents (other, "precious", -1, NULL));
  g_assert_cmpint (symlink (other, f->path), ==, 0);
  assert_open_fails (f, JOB_ERROR_STORAGE);
  g_assert_cmpint (g_unlink (f->path), ==, 0);
  g_assert_cmpint (link (other, f->path), ==, 0);
  assert_open_fails (f, JOB_ERROR_STORAGE);
  g_assert_true (g_file_get_contents (other, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "precious");
}

static void
test_link_that_comes_later_is_not_followed (Fixture *f, gconstpointer data)
{
  g_autofree char *other = g_build_filename (f->folder, "other", NULL);
  g_autoptr (GError) error = NULL;
  gboolean unknown = TRUE;

  open_journal (f);
  g_assert_cmpint (symlink (other, f->path), ==, 0);
  g_assert_false (try_append (f, 1, &unknown, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_false (unknown);
  g_assert_false (g_file_test (other, G_FILE_TEST_EXISTS));
}

static void
test_folder_in_the_way (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (g_mkdir (f->path, 0700), ==, 0);
  assert_open_fails (f, JOB_ERROR_STORAGE);
}

static void
test_newer_version_is_refused (Fixture *f, gconstpointer data)
{
  guint8 header[64] = { 'j', 'o', 'b', 'q', 'j', 'r', 'n', 'l', 2 };
  guint32 crc = GUINT32_TO_LE ((guint32) crc32_z (0, header, 12));
  g_autoptr (GBytes) before = NULL;

  memcpy (header + 12, &crc, sizeof crc);
  put_file (f, header, sizeof header);
  before = get_file (f);
  assert_open_fails (f, JOB_ERROR_VERSION);
  assert_unchanged (f, before);
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

/* A batch whose sum is right and whose changes are not: nobody can say what was meant. */
static void
test_unreadable_change_is_refused (Fixture *f, gconstpointer data)
{
  guint8 file[16 + 24 + 4] = { 'j', 'o', 'b', 'q', 'j', 'r', 'n', 'l', 1 };
  guint32 crc = GUINT32_TO_LE ((guint32) crc32_z (0, file, 12));
  guint8 *batch = file + 16;
  g_autoptr (GBytes) before = NULL;

  memcpy (file + 12, &crc, sizeof crc);
  memcpy (batch, "JBAT", 4);
  batch[4] = 4;
  batch[8] = 1;
  batch[16] = 1;
  memset (batch + 24, 0xee, 4);
  crc = (guint32) crc32_z (0, batch + 4, 16);
  crc = GUINT32_TO_LE ((guint32) crc32_z (crc, batch + 24, 4));
  memcpy (batch + 20, &crc, sizeof crc);
  put_file (f, file, sizeof file);
  before = get_file (f);
  {
    g_autoptr (GError) error = NULL;

    g_assert_false (try_open (f, &error));
    g_assert_true (g_error_matches (error, JOB_ERROR, JOB_ERROR_CORRUPT) ||
                   g_error_matches (error, JOB_ERROR, JOB_ERROR_VERSION));
    g_assert_nonnull (strstr (error->message, f->path));
  }
  assert_unchanged (f, before);
}

#define ADD(path, func) ADD_TEST ("/journal/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("what-goes-in-comes-out", test_round_trip);
  ADD ("looking-leaves-nothing", test_looking_leaves_nothing);
  ADD ("only-for-its-owner", test_only_for_its_owner);
  ADD ("size-is-the-files", test_size_is_the_files);
  ADD ("reset-starts-anew", test_reset_starts_anew);
  ADD ("remove-takes-the-file-away", test_remove_takes_the_file_away);
  ADD ("failed-write-changes-nothing", test_failed_write_changes_nothing);
  ADD ("failed-creation-leaves-no-file", test_failed_creation_leaves_no_file);
  ADD ("no-folder-no-file", test_no_folder_no_file);
  ADD ("links-are-not-followed", test_links_are_not_followed);
  ADD ("link-that-comes-later-is-not-followed", test_link_that_comes_later_is_not_followed);
  ADD ("folder-in-the-way", test_folder_in_the_way);
  ADD ("newer-version-is-refused", test_newer_version_is_refused);
  ADD ("unreadable-change-is-refused", test_unreadable_change_is_refused);

  return g_test_run ();
}
