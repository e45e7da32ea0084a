/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two segments of the journal: in order, one after the other, and used again and again. */

#include "journal-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static void
test_both_segments_in_order (Fixture *f, gconstpointer data)
{
  open_journal (f);
  for (guint i = 1; i <= 10; i++)
    {
      append (f, i);
      if (i == 6)
        switch_segments (f);
    }
  for (guint i = 0; i < 2; i++)
    {
      close_journal (f);
      open_journal (f);
      assert_shown (f, 10);
      g_assert_cmpuint (job_journal_get_active (f->journal), ==, 1);
      g_assert_cmpuint (job_journal_get_size (f->journal, 0), >, 0);
    }
  append (f, 11);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 11);
}

/* Round after round in the same two files: what earlier rounds left in them is never shown. */
static void
test_recycled_again_and_again (Fixture *f, gconstpointer data)
{
  open_journal (f);
  for (guint round = 0; round < 12; round++)
    {
      for (guint i = 1; i <= 12 - round; i++)
        append (f, i);
      close_journal (f);
      open_journal (f);
      assert_shown (f, 12 - round);
      if (round % 3 == 0) /* a crash after the last batch is no reason to lose the blocks */
        append (f, 13 - round);
      switch_segments (f);
      release_other (f);
      close_journal (f);
      open_journal (f);
      assert_shown (f, 0);
    }
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

static void
test_released_keeps_its_blocks (Fixture *f, gconstpointer data)
{
  GStatBuf before, after;

  open_journal (f);
  for (guint i = 1; i <= 5; i++)
    append (f, i);
  g_assert_cmpint (g_stat (f->path, &before), ==, 0);
  switch_segments (f);
  release_other (f);
  switch_segments (f);
  append (f, 1);
  g_assert_cmpint (g_stat (f->path, &after), ==, 0);
  g_assert_cmpuint (before.st_size, ==, after.st_size);
  g_assert_true (job_journal_release (f->journal, 0, 10, NULL));
  g_assert_cmpint (g_stat (f->path, &after), ==, 0);
  g_assert_cmpuint (after.st_size, ==, JOB_SEGMENT_HEADER + 10);
}

/* A segment is applied, and the crash comes while its header is written for its next life: it is
 * shown again, in its old place. */
static void
test_torn_header_of_a_released_segment (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autofree guint8 *copy = NULL;

  open_journal (f);
  for (guint i = 1; i <= 4; i++)
    append (f, i);
  switch_segments (f);
  append (f, 5);
  release_other (f);
  close_journal (f);
  bytes = get_file (f);
  copy = g_memdup2 (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  copy[20] ^= 1;
  put_file (f, copy, g_bytes_get_size (bytes));
  open_journal (f);
  assert_shown (f, 5);
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

/* A new file has its size, and a part of its header. */
static void
test_torn_header_of_a_new_segment (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = NULL;
  guint8 header[JOB_SEGMENT_HEADER];

  open_journal (f);
  append (f, 1);
  close_journal (f);
  bytes = get_file (f);
  memcpy (header, g_bytes_get_data (bytes, NULL), sizeof header);
  for (guint at = sizeof header; at-- > 0;)
    {
      header[at] = 0;
      put_file (f, header, sizeof header);
      open_journal (f);
      assert_shown (f, 0);
      close_journal (f);
    }
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

static void
test_remove_takes_both_files_away (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  open_journal (f);
  append (f, 8);
  switch_segments (f);
  append (f, 9);
  g_assert_true (job_journal_remove (f->journal, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (f->other, G_FILE_TEST_EXISTS));
  append (f, 1);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 1);
}

/* What an attempt to make a segment left, because it could not be taken away either, is in nobody's
 * way. */
static void
test_left_over_file_is_in_nobodys_way (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  JobSegment segment;

  job_segment_init (&segment, g_strdup (f->path));
  segment.number = 1;
  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (g_file_set_contents (f->path, "jobq", -1, NULL));
      segment.left_over = TRUE;
      if (i == 0)
        g_assert_true (job_segment_prepare (&segment, 100, 100, &error));
      g_assert_no_error (error);
      g_assert_true (job_segment_remove (&segment, &error));
      g_assert_no_error (error);
      g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
      g_assert_false (segment.left_over);
    }
  job_segment_clear (&segment);
}

/* A crash between the two removals. */
static void
test_either_file_stands_alone (Fixture *f, gconstpointer data)
{
  open_journal (f);
  append (f, 7);
  switch_segments (f);
  append (f, 1);
  append (f, 2);
  close_journal (f);
  g_assert_cmpint (g_unlink (f->path), ==, 0);
  open_journal (f);
  assert_shown (f, 2);
  append (f, 3);
  switch_segments (f);
  append (f, 4);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 4);
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

/* As long as it counts, all of it has to be there: the segment behind it goes on from its end. */
static void
test_failed_release (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  open_journal (f);
  for (guint i = 1; i <= 4; i++)
    append (f, i);
  switch_segments (f);
  append (f, 5);
  limit_files (0);
  g_assert_false (job_journal_release (f->journal, 0, 10, &error));
  limit_files (RLIM_INFINITY);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 5);
  g_assert_true (job_journal_release (f->journal, 0, 10, NULL));
  close_journal (f);
  open_journal (f);
  g_assert_cmpuint (job_journal_get_size (f->journal, 0), ==, 0);
}

#define ADD(path, func) ADD_TEST ("/journal/segments/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("both-segments-in-order", test_both_segments_in_order);
  ADD ("recycled-again-and-again", test_recycled_again_and_again);
  ADD ("released-keeps-its-blocks", test_released_keeps_its_blocks);
  ADD ("torn-header-of-a-released-segment", test_torn_header_of_a_released_segment);
  ADD ("torn-header-of-a-new-segment", test_torn_header_of_a_new_segment);
  ADD ("remove-takes-both-files-away", test_remove_takes_both_files_away);
  ADD ("left-over-file-is-in-nobodys-way", test_left_over_file_is_in_nobodys_way);
  ADD ("either-file-stands-alone", test_either_file_stands_alone);
  ADD ("failed-release-takes-nothing-away", test_failed_release);

  return g_test_run ();
}
