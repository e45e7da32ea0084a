/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a crash or damage leaves of the journal: always a prefix of whole batches. What a crash
 * cannot have done is set aside, and told. */

#include "journal-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define N_BATCHES 5

/* A journal of five batches, and where each ends; [0] is the end of the header. */
typedef struct
{
  GBytes *bytes;
  gsize ends[N_BATCHES + 1];
} Sample;

static void
make_sample (Fixture *f, Sample *sample)
{
  open_journal (f);
  sample->ends[0] = JOB_SEGMENT_HEADER;
  for (guint i = 1; i <= N_BATCHES; i++)
    {
      append (f, i);
      sample->ends[i] = get_end (f);
    }
  close_journal (f);
  sample->bytes = get_file (f);
}

static guint
count_whole (const Sample *sample, gsize size)
{
  guint n = 0;

  while (n < N_BATCHES && sample->ends[n + 1] <= size)
    n++;
  return n;
}

static void
expect_warning (void)
{
  g_test_expect_message ("jobqueue", G_LOG_LEVEL_WARNING, "*is damaged from byte*set aside*");
}

static void
assert_opens_to (Fixture *f, guint n)
{
  open_journal (f);
  assert_shown (f, n);
  close_journal (f);
}

/* And goes on from there. */
static void
assert_goes_on_from (Fixture *f, guint n)
{
  open_journal (f);
  assert_shown (f, n);
  append (f, n + 1);
  close_journal (f);
  assert_opens_to (f, n + 1);
}

/* Every so often: syncing takes its time. */
static void
assert_opens (Fixture *f, gsize at, guint n)
{
  if (at % 16 == 0)
    assert_goes_on_from (f, n);
  else
    assert_opens_to (f, n);
}

/* --- torn ------------------------------------------------------------------------------------- */

static void
test_every_truncation (Fixture *f, gconstpointer data)
{
  Sample sample;

  make_sample (f, &sample);
  for (gsize size = 0; size < g_bytes_get_size (sample.bytes); size++)
    {
      put_file (f, g_bytes_get_data (sample.bytes, NULL), size);
      assert_opens (f, size, count_whole (&sample, size));
    }
  g_assert_cmpuint (count_set_aside (f), ==, 0);
  g_bytes_unref (sample.bytes);
}

/* The size of the file was written, its last blocks were not. */
static void
test_every_tail_of_zeros (Fixture *f, gconstpointer data)
{
  Sample sample;
  g_autofree guint8 *copy = NULL;
  gsize size;

  make_sample (f, &sample);
  size = g_bytes_get_size (sample.bytes);
  copy = g_memdup2 (g_bytes_get_data (sample.bytes, NULL), size);
  /* From the last batch on; and the header of a new file. */
  for (gsize at = size; at-- > sample.ends[N_BATCHES - 1];)
    {
      copy[at] = 0;
      put_file (f, copy, size);
      open_journal (f);
      g_assert_cmpuint (count_shown (f), >=, N_BATCHES - 1);
      close_journal (f);
    }
  put_file (f, copy, size);
  assert_goes_on_from (f, N_BATCHES - 1);
  memset (copy, 0, sample.ends[0]);
  put_file (f, copy, sample.ends[0]);
  assert_goes_on_from (f, 0);
  g_assert_cmpuint (count_set_aside (f), ==, 0);
  g_bytes_unref (sample.bytes);
}

/* --- one byte --------------------------------------------------------------------------------- */

static void
test_any_byte_of_the_last_batch (Fixture *f, gconstpointer data)
{
  Sample sample;
  g_autofree guint8 *copy = NULL;
  gsize size;

  make_sample (f, &sample);
  size = g_bytes_get_size (sample.bytes);
  copy = g_memdup2 (g_bytes_get_data (sample.bytes, NULL), size);
  for (gsize at = sample.ends[N_BATCHES - 1]; at < size; at++)
    {
      guint8 bit = (guint8) (1 << (at % 8));

      copy[at] ^= bit;
      put_file (f, copy, size);
      assert_opens (f, at, N_BATCHES - 1);
      copy[at] ^= bit;
    }
  g_assert_cmpuint (count_set_aside (f), ==, 0);
  g_bytes_unref (sample.bytes);
}

static void
test_any_byte_before_is_damage (Fixture *f, gconstpointer data)
{
  Sample sample;
  g_autofree guint8 *copy = NULL;
  gsize size;

  make_sample (f, &sample);
  size = g_bytes_get_size (sample.bytes);
  copy = g_memdup2 (g_bytes_get_data (sample.bytes, NULL), size);
  for (gsize at = sample.ends[0]; at < sample.ends[N_BATCHES - 1]; at++)
    {
      guint8 bit = (guint8) (1 << (at % 8));

      copy[at] ^= bit;
      put_file (f, copy, size);
      expect_warning ();
      assert_opens (f, at, count_whole (&sample, at));
      g_test_assert_expected_messages ();
      g_assert_cmpuint (count_set_aside (f), ==, 1);
      remove_set_aside (f);
      copy[at] ^= bit;
    }
  g_bytes_unref (sample.bytes);
}

/* The header only says what each batch says as well. */
static void
test_any_byte_of_the_header (Fixture *f, gconstpointer data)
{
  Sample sample;
  g_autofree guint8 *copy = NULL;
  gsize size;

  make_sample (f, &sample);
  size = g_bytes_get_size (sample.bytes);
  copy = g_memdup2 (g_bytes_get_data (sample.bytes, NULL), size);
  for (gsize at = 0; at < sample.ends[0]; at++)
    {
      copy[at] ^= 0x10;
      put_file (f, copy, size);
      assert_goes_on_from (f, N_BATCHES);
      copy[at] ^= 0x10;
    }
  g_assert_cmpuint (count_set_aside (f), ==, 0);
  g_bytes_unref (sample.bytes);
}

/* What was set aside is all that was not taken, and it is not overwritten the next time. */
static void
test_set_aside_is_kept (Fixture *f, gconstpointer data)
{
  g_autofree char *first = g_strconcat (f->base, "-damaged-1", NULL);
  Sample sample;

  make_sample (f, &sample);
  for (guint times = 1; times <= 2; times++)
    {
      gsize size = g_bytes_get_size (sample.bytes), saved_size;
      g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (sample.bytes, NULL), size);
      g_autofree char *saved = NULL;
      gsize at = sample.ends[3 - times] + 30;

      copy[at] ^= 1;
      put_file (f, copy, size);
      expect_warning ();
      open_journal (f);
      g_test_assert_expected_messages ();
      assert_shown (f, 3 - times);
      close_journal (f);
      g_assert_cmpuint (count_set_aside (f), ==, times);
      g_assert_true (g_file_get_contents (first, &saved, &saved_size, NULL));
      g_assert_cmpuint (saved_size, ==, size - sample.ends[2]);
      if (times == 1)
        g_assert_true (memcmp (saved, copy + sample.ends[2], saved_size) == 0);
    }
  g_bytes_unref (sample.bytes);
}

/* --- no journal ------------------------------------------------------------------------------- */

/* Nothing of ours: it is not thrown away, and not in the way. */
static void
test_foreign_file_is_set_aside (Fixture *f, gconstpointer data)
{
  static const char *const texts[] = { "dear diary,", "what a day it was today!\n", "jobqjunk" };
  g_autofree char *aside = g_strconcat (f->base, "-damaged-1", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text = NULL;

      put_file (f, (const guint8 *) texts[i], strlen (texts[i]));
      expect_warning ();
      assert_goes_on_from (f, 0);
      g_test_assert_expected_messages ();
      g_assert_true (g_file_get_contents (aside, &text, NULL, NULL));
      g_assert_cmpstr (text, ==, texts[i]);
      remove_set_aside (f);
    }
}

/* --- two segments ----------------------------------------------------------------------------- */

static void
flip (const char *path, gsize at)
{
  g_autoptr (GBytes) bytes = get_bytes_of (path);
  gsize size = g_bytes_get_size (bytes);
  g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);

  copy[at] ^= 1;
  g_assert_true (g_file_set_contents (path, (const char *) copy, (gssize) size, NULL));
}

/* Batches 1 to 3 in the first, 4 and 5 in the second. Returns where the third one begins. */
static gsize
make_both (Fixture *f)
{
  gsize third;

  open_journal (f);
  append (f, 1);
  append (f, 2);
  third = get_end (f);
  append (f, 3);
  switch_segments (f);
  append (f, 4);
  append (f, 5);
  close_journal (f);
  return third;
}

/* No batch stands behind the last one of the lower segment, but the higher one tells that it was.
 */
static void
test_end_of_the_lower_segment (Fixture *f, gconstpointer data)
{
  gsize third = make_both (f);

  flip (f->path, third + 3);
  expect_warning ();
  g_test_expect_message ("jobqueue", G_LOG_LEVEL_WARNING, "*follows a damaged one*set aside*");
  open_journal (f);
  g_test_assert_expected_messages ();
  assert_shown (f, 2);
  g_assert_cmpuint (count_set_aside (f), ==, 2);
  close_journal (f);
  assert_goes_on_from (f, 2);
  g_assert_cmpuint (count_set_aside (f), ==, 2);
}

static void
test_beginning_of_the_higher_segment (Fixture *f, gconstpointer data)
{
  make_both (f);
  flip (f->other, JOB_SEGMENT_HEADER + 5);
  expect_warning ();
  assert_goes_on_from (f, 3);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (count_set_aside (f), ==, 1);
}

/* Whatever a crash leaves of the second segment, whose first batch is being written. */
static void
test_every_truncation_of_the_second (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = NULL;

  open_journal (f);
  append (f, 1);
  append (f, 2);
  switch_segments (f);
  append (f, 3);
  close_journal (f);
  bytes = get_bytes_of (f->other);
  for (gsize size = 0; size < g_bytes_get_size (bytes); size++)
    {
      g_assert_true (
          g_file_set_contents (f->other, g_bytes_get_data (bytes, NULL), (gssize) size, NULL));
      assert_opens_to (f, 2);
    }
  assert_goes_on_from (f, 2);
  g_assert_cmpuint (count_set_aside (f), ==, 0);
}

#define ADD(path, func) ADD_TEST ("/journal/damage/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("every-truncation-is-a-prefix", test_every_truncation);
  ADD ("every-tail-of-zeros-is-a-prefix", test_every_tail_of_zeros);
  ADD ("any-byte-of-the-last-batch", test_any_byte_of_the_last_batch);
  ADD ("any-byte-before-is-set-aside", test_any_byte_before_is_damage);
  ADD ("what-was-set-aside-is-kept", test_set_aside_is_kept);
  ADD ("foreign-file-is-set-aside", test_foreign_file_is_set_aside);
  ADD ("any-byte-of-the-header-is-known-twice", test_any_byte_of_the_header);
  ADD ("end-of-the-lower-segment", test_end_of_the_lower_segment);
  ADD ("beginning-of-the-higher-segment", test_beginning_of_the_higher_segment);
  ADD ("every-truncation-of-the-second", test_every_truncation_of_the_second);

  return g_test_run ();
}
