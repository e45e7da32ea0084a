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
  sample->ends[0] = 16;
  for (guint i = 1; i <= N_BATCHES; i++)
    {
      append (f, i);
      sample->ends[i] = job_journal_get_size (f->journal);
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
  /* From the last batch on; and the first one, with the header. */
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
  memset (copy, 0, sample.ends[1]);
  put_file (f, copy, sample.ends[1]);
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
  for (gsize at = 0; at < sample.ends[N_BATCHES - 1]; at++)
    {
      guint8 bit = (guint8) (1 << (at % 8));

      copy[at] ^= bit;
      put_file (f, copy, size);
      expect_warning ();
      assert_opens (f, at, at < 16 ? 0 : count_whole (&sample, at));
      g_test_assert_expected_messages ();
      g_assert_cmpuint (count_set_aside (f), ==, 1);
      remove_set_aside (f);
      copy[at] ^= bit;
    }
  g_bytes_unref (sample.bytes);
}

/* What was set aside is all that was not taken, and it is not overwritten the next time. */
static void
test_set_aside_is_kept (Fixture *f, gconstpointer data)
{
  g_autofree char *first = g_strconcat (f->path, "-damaged-1", NULL);
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
  g_autofree char *aside = g_strconcat (f->path, "-damaged-1", NULL);

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

/* A file whose header was torn is begun anew, also if the first that happens is a reset. */
static void
test_reset_after_a_torn_header (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put_file (f, (const guint8 *) "jobqj", 5);
  open_journal (f);
  g_assert_true (job_journal_reset (f->journal, &error));
  g_assert_no_error (error);
  append (f, 1);
  close_journal (f);
  open_journal (f);
  assert_shown (f, 1);
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
  ADD ("reset-after-a-torn-header", test_reset_after_a_torn_header);

  return g_test_run ();
}
