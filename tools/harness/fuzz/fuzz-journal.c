/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two files of a journal. An opening, whatever is in them, succeeds or says why; the next one
 * does the same and shows the same; what is written then is found behind it, also after the
 * segments have changed their parts.
 *
 * The input: a byte of flags; the length of the first file, in two bytes; the first file; the
 * second one. A file without a byte is not there, unless a flag says so. So that more gets in than
 * what the first checksum stops, a flag has them put right. */

#include "fuzz.h"

#include "job-error.h"
#include "job-journal-private.h"
#include "job-segment-private.h"
#include "record-asserts.h"

#include <string.h>
#include <zlib.h>

#define FLAG_SEAL 1
#define FLAG_EMPTY 2 /* files without a byte are there */
#define INPUT_HEAD 3

typedef struct
{
  JobChange change;
  guint segment;
} Shown;

static void
shown_free (Shown *self)
{
  job_change_clear (&self->change);
  g_free (self);
}

/* --- files ------------------------------------------------------------------------------------ */

static char *
make_base (void)
{
  return g_build_filename (fuzz_get_folder (), "journal", NULL);
}

static void
put_u32 (guint8 *at, gulong value)
{
  guint32 little = GUINT32_TO_LE ((guint32) value);

  memcpy (at, &little, sizeof little);
}

static guint32
get_u32 (const guint8 *at)
{
  guint32 value;

  memcpy (&value, at, sizeof value);
  return GUINT32_FROM_LE (value);
}

/* The checksum of one batch; what is longer than the file is left alone. */
static void
seal_batch (guint8 *batch, gsize left)
{
  guint32 length;
  gulong crc;

  if (left < JOB_BATCH_HEADER)
    return;
  length = get_u32 (batch + 4);
  if (length > left - JOB_BATCH_HEADER)
    return;
  crc = crc32_z (0, batch + 4, 24);
  put_u32 (batch + 28, crc32_z (crc, batch + JOB_BATCH_HEADER, length));
}

/* From behind: a batch may have another one's beginning in it. */
static void
seal (guint8 *file, gsize size)
{
  if (size >= JOB_SEGMENT_HEADER && memcmp (file, "jobqjrnl", 8) == 0)
    put_u32 (file + 28, crc32_z (0, file, 28));
  for (gsize at = size; at-- > JOB_SEGMENT_HEADER;)
    if (size - at >= 4 && memcmp (file + at, "JBAT", 4) == 0)
      seal_batch (file + at, size - at);
}

static void
put_file (guint number, const guint8 *data, gsize size, guint8 flags)
{
  g_autofree char *base = make_base ();
  g_autofree char *path = g_strdup_printf ("%s-%u", base, number);
  g_autofree guint8 *copy = g_memdup2 (data, size);
  g_autoptr (GError) error = NULL;

  if (size == 0 && (flags & FLAG_EMPTY) == 0)
    return;
  if ((flags & FLAG_SEAL) != 0 && size > 0)
    seal (copy, size);
  g_file_set_contents_full (path, copy != NULL ? (char *) copy : "", (gssize) size,
                            G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
}

static void
put_files (const guint8 *data, gsize size)
{
  gsize first = MIN ((gsize) (data[1] | data[2] << 8), size - INPUT_HEAD);

  fuzz_clear_folder ();
  put_file (1, data + INPUT_HEAD, first, data[0]);
  put_file (2, data + INPUT_HEAD + first, size - INPUT_HEAD - first, data[0]);
}

/* --- the journal ------------------------------------------------------------------------------ */

static void
show (const JobChange *change, guint segment, JobPlace place, gpointer data)
{
  Shown *shown = g_new0 (Shown, 1);

  g_assert_cmpuint (place.length, >, 0);
  shown->segment = segment;
  shown->change = *change;
  shown->change.record = change->record != NULL ? job_record_ref (change->record) : NULL;
  job_status_copy (&change->status, &shown->change.status);
  g_ptr_array_add (data, shown);
}

static JobJournal *
open_journal (GPtrArray **changes, GError **error)
{
  g_autofree char *base = make_base ();

  *changes = g_ptr_array_new_with_free_func ((GDestroyNotify) shown_free);
  return job_journal_open (base, show, *changes, error);
}

static void
assert_same (GPtrArray *found, GPtrArray *expected)
{
  g_assert_cmpuint (found->len, ==, expected->len);
  for (guint i = 0; i < found->len; i++)
    {
      const Shown *a = g_ptr_array_index (found, i), *b = g_ptr_array_index (expected, i);

      assert_same_change (&a->change, &b->change);
    }
}

static JobJournal *
reopen (JobJournal *journal, GPtrArray *expected)
{
  g_autoptr (GPtrArray) found = NULL;
  g_autoptr (GError) error = NULL;

  job_journal_free (journal);
  journal = open_journal (&found, &error);
  g_assert_no_error (error);
  assert_same (found, expected);
  return journal;
}

/* A batch of one change, which is expected from now on. */
static void
append (JobJournal *journal, guint8 number, GPtrArray *expected)
{
  JobChange change = { .status = { .state = JOB_STATE_PENDING, .attempts = number } };
  g_autoptr (GError) error = NULL;
  JobPlace place;
  gsize size;

  memset (&change.id, number, sizeof change.id);
  if (!job_journal_stage (journal, &change, 1, &place, &size, &error) ||
      !job_journal_prepare (journal, 0, &error) || !job_journal_write (journal, &place, &error))
    g_error ("%s", error->message);
  show (&change, job_journal_get_active (journal), place, expected);
}

/* The store has what is in the segment that is not active. */
static void
release (JobJournal *journal, GPtrArray *expected)
{
  guint active = job_journal_get_active (journal);
  g_autoptr (GError) error = NULL;

  job_journal_release (journal, 1 - active, 4096, &error);
  g_assert_no_error (error);
  for (guint i = expected->len; i-- > 0;)
    if (((Shown *) g_ptr_array_index (expected, i))->segment != active)
      g_ptr_array_remove_index (expected, i);
}

/* What cannot be opened stays so: nothing was taken away that the next one would stumble on. */
static void
check_refusal (const GError *refused)
{
  g_autoptr (GPtrArray) found = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobJournal) journal = NULL;

  fuzz_assert_error (refused);
  journal = open_journal (&found, &error);
  g_assert_null (journal);
  fuzz_assert_error (error);
  g_assert_cmpint (error->code, ==, refused->code);
}

/* An opening takes numbers below 2^62; the last ones before that have no next one that it would
 * take. No journal comes there, and they are not looked at. */
static gboolean
has_last_number (const guint8 *data, gsize size)
{
  for (gsize at = 0; at + sizeof (guint64) <= size; at++)
    {
      guint64 value;

      memcpy (&value, data + at, sizeof value);
      if (GUINT64_FROM_LE (value) >> 10 == (G_GUINT64_CONSTANT (1) << 52) - 1)
        return TRUE;
    }
  return FALSE;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GPtrArray) expected = NULL;
  g_autoptr (GError) error = NULL;
  JobJournal *journal;

  if (size < INPUT_HEAD || size > FUZZ_MAX_SIZE || has_last_number (data, size))
    return 0;
  put_files (data, size);
  journal = open_journal (&expected, &error);
  if (journal == NULL)
    {
      check_refusal (error);
      return 0;
    }
  journal = reopen (journal, expected);
  append (journal, 1, expected);
  journal = reopen (journal, expected);
  release (journal, expected);
  journal = reopen (journal, expected);
  job_journal_switch (journal);
  append (journal, 2, expected);
  journal = reopen (journal, expected);
  job_journal_free (journal);
  return 0;
}
