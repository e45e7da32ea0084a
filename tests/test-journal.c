/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The journal: what goes in comes out, what fails leaves it as it was, and what is in its way stays
 * as it is. */

#include "journal-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
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
  g_assert_cmpuint (job_journal_get_size (f->journal, 0), ==, 0);
  g_assert_true (job_journal_remove (f->journal, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (f->other, G_FILE_TEST_EXISTS));
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
test_blocks_are_written_in_advance (Fixture *f, gconstpointer data)
{
  GStatBuf before, after;
  JobChange changes[3];
  JobPlace places[3];
  gsize size;

  open_journal (f);
  fill_batch (3, changes); /* one change */
  for (guint i = 0; i < 10; i++)
    {
      g_assert_true (job_journal_stage (f->journal, changes, 1, places, &size, NULL));
      g_assert_true (job_journal_prepare (f->journal, 10000, NULL));
      g_assert_cmpint (g_stat (f->path, i == 0 ? &before : &after), ==, 0);
      g_assert_true (job_journal_write (f->journal, places, NULL));
      g_assert_cmpuint (job_journal_get_size (f->journal, 0), ==, (i + 1) * size);
    }
  g_assert_cmpuint (before.st_size, ==, JOB_SEGMENT_HEADER + 10000);
  g_assert_cmpuint (after.st_size, ==, before.st_size);
  job_change_clear (&changes[0]);
}

/* --- writes that fail ------------------------------------------------------------------------- */

static void
append_on_a_full_disk (Fixture *f, guint number, gsize size)
{
  g_autoptr (GError) error = NULL;

  limit_files (size);
  g_assert_false (try_append (f, number, &error));
  limit_files (RLIM_INFINITY);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, f->path));
}

/* It is found out before anything of the batch is written. */
static void
test_full_disk_changes_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) before = NULL;

  open_journal (f);
  append (f, 1);
  append (f, 2);
  before = get_file (f);
  for (gsize room = 0; room < 40; room += 13)
    {
      append_on_a_full_disk (f, 3, get_end (f) + room);
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
  open_journal (f);
  for (gsize room = 0; room < JOB_SEGMENT_HEADER; room += 13)
    {
      append_on_a_full_disk (f, 1, room);
      g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
    }
  append (f, 1);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 1);
}

/* However much of the failed batch got onto the disk. */
static void
test_failed_write_is_voided (Fixture *f, gconstpointer data)
{
  for (gsize room = 0; room < 60; room += 7)
    {
      open_journal (f);
      append (f, 1);
      append (f, 2);
      assert_write_fails (f, 9, room);
      void_failed (f);
      close_journal (f);
      open_journal (f);
      assert_shown (f, 2);
      append (f, 3);
      close_journal (f);
      open_journal (f);
      assert_shown (f, 3);
      g_assert_cmpuint (count_set_aside (f), ==, 0);
      job_journal_remove (f->journal, NULL);
      close_journal (f);
    }
}

/* The write was told to have failed, and all of it is there. */
static void
test_voided_though_it_is_whole (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) whole = NULL;

  open_journal (f);
  append (f, 1);
  append (f, 2);
  append (f, 9);
  whole = get_file (f);
  job_journal_remove (f->journal, NULL);
  close_journal (f);

  open_journal (f);
  append (f, 1);
  append (f, 2);
  assert_write_fails (f, 9, 10);
  void_failed (f);
  append (f, 3);
  close_journal (f);
  put_file (f, g_bytes_get_data (whole, NULL), g_bytes_get_size (whole));
  for (guint i = 0; i < 2; i++)
    {
      open_journal (f);
      assert_shown (f, 3);
      close_journal (f);
    }
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

/* Also the first one that a segment gets in a later life, when the one before is gone. */
static void
test_first_write_of_a_segment_fails (Fixture *f, gconstpointer data)
{
  open_journal (f);
  append (f, 7);
  switch_segments (f);
  append (f, 8);
  release_other (f);
  switch_segments (f);
  release_other (f);
  assert_write_fails (f, 9, 20);
  void_failed (f);
  append (f, 1);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 1);
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

/* There is no room for another file. */
static void
test_failed_write_is_cut_off (Fixture *f, gconstpointer data)
{
  for (gsize room = 0; room < 60; room += 7)
    {
      gboolean unknown = TRUE;

      open_journal (f);
      append (f, 1);
      append (f, 2);
      assert_write_fails (f, 9, room);
      limit_files (0);
      g_assert_false (job_journal_void (f->journal, &unknown, NULL));
      g_assert_false (unknown);
      g_assert_true (job_journal_cut_back (f->journal, NULL));
      limit_files (RLIM_INFINITY);
      append (f, 3);
      close_journal (f);
      open_journal (f);
      assert_shown (f, 3);
      g_assert_false (g_file_test (f->other, G_FILE_TEST_EXISTS));
      job_journal_remove (f->journal, NULL);
      close_journal (f);
    }
}

static void
test_no_folder_no_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  open_journal (f);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_assert_false (try_append (f, 1, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
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

  open_journal (f);
  g_assert_cmpint (symlink (other, f->path), ==, 0);
  g_assert_false (try_append (f, 1, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
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
  guint32 crc = GUINT32_TO_LE ((guint32) crc32_z (0, header, 28));
  g_autoptr (GBytes) before = NULL;

  memcpy (header + 28, &crc, sizeof crc);
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
  guint8 file[JOB_SEGMENT_HEADER + JOB_BATCH_HEADER + 4] = {
    'j', 'o', 'b', 'q', 'j', 'r', 'n', 'l', 1, [16] = 1,
  };
  guint32 crc = GUINT32_TO_LE ((guint32) crc32_z (0, file, 28));
  guint8 *batch = file + JOB_SEGMENT_HEADER;
  g_autoptr (GBytes) before = NULL;

  memcpy (file + 28, &crc, sizeof crc);
  memcpy (batch, "JBAT", 4);
  batch[4] = 4;
  batch[8] = 1;
  batch[16] = 1;
  batch[24] = 1;
  memset (batch + JOB_BATCH_HEADER, 0xee, 4);
  crc = (guint32) crc32_z (0, batch + 4, 24);
  crc = GUINT32_TO_LE ((guint32) crc32_z (crc, batch + JOB_BATCH_HEADER, 4));
  memcpy (batch + 28, &crc, sizeof crc);
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

/* The checksum is right, so this is no damage: it stays as it is, for who can read it. */
static void
test_what_is_not_understood_is_refused (Fixture *f, gconstpointer data)
{
  static const guint8 nonsense[] = "\1 is no change";
  g_autoptr (GByteArray) batch = g_byte_array_new ();
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GBytes) after = NULL;
  g_autoptr (GError) error = NULL;
  JobSegment segment;

  job_segment_init (&segment, g_strdup (f->path));
  segment.number = 1;
  job_segment_begin_batch (batch);
  g_byte_array_append (batch, nonsense, sizeof nonsense);
  g_assert_true (job_segment_prepare (&segment, batch->len, 4096, &error));
  g_assert_true (job_segment_write (&segment, batch, 1, 1, &error));
  g_assert_no_error (error);
  job_segment_clear (&segment);

  before = get_file (f);
  g_assert_false (try_open (f, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, f->path));
  after = get_file (f);
  g_assert_cmpmem (g_bytes_get_data (before, NULL), g_bytes_get_size (before),
                   g_bytes_get_data (after, NULL), g_bytes_get_size (after));
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

#define ADD(path, func) ADD_TEST ("/journal/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("what-goes-in-comes-out", test_round_trip);
  ADD ("looking-leaves-nothing", test_looking_leaves_nothing);
  ADD ("what-is-not-understood-is-refused", test_what_is_not_understood_is_refused);
  ADD ("only-for-its-owner", test_only_for_its_owner);
  ADD ("blocks-are-written-in-advance", test_blocks_are_written_in_advance);
  ADD ("full-disk-changes-nothing", test_full_disk_changes_nothing);
  ADD ("failed-creation-leaves-no-file", test_failed_creation_leaves_no_file);
  ADD ("failed-write-is-voided", test_failed_write_is_voided);
  ADD ("failed-write-is-cut-off", test_failed_write_is_cut_off);
  ADD ("voided-though-it-is-whole", test_voided_though_it_is_whole);
  ADD ("first-write-of-a-segment-fails", test_first_write_of_a_segment_fails);
  ADD ("no-folder-no-file", test_no_folder_no_file);
  ADD ("links-are-not-followed", test_links_are_not_followed);
  ADD ("link-that-comes-later-is-not-followed", test_link_that_comes_later_is_not_followed);
  ADD ("folder-in-the-way", test_folder_in_the_way);
  ADD ("newer-version-is-refused", test_newer_version_is_refused);
  ADD ("unreadable-change-is-refused", test_unreadable_change_is_refused);

  return g_test_run ();
}
