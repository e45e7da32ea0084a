/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads changes back from the journal: one by its place, or many of one segment, which lie near
 * each other, from one piece of memory. */

#include "job-journal-private.h"

#include "job-segment-private.h"

#define READ_AT_ONCE (256 * 1024)

gboolean
job_journal_read (JobJournal *self, guint segment, JobPlace place, JobChange *change,
                  GError **error)
{
  g_autofree guint8 *bytes = g_malloc (place.length);
  gsize used;

  return job_journal_read_bytes (self, segment, place.offset, bytes, place.length, error) &&
         job_change_decode (bytes, place.length, change, &used, error);
}

void
job_journal_reader_init (JobJournalReader *self, JobJournal *journal, guint segment)
{
  *self = (JobJournalReader){ .journal = journal, .segment = segment };
}

void
job_journal_reader_clear (JobJournalReader *self)
{
  g_clear_pointer (&self->bytes, g_free);
}

static gboolean
fill_reader (JobJournalReader *self, JobPlace place, GError **error)
{
  guint64 end = JOB_SEGMENT_HEADER + job_journal_get_size (self->journal, self->segment);

  if (self->bytes == NULL)
    self->bytes = g_malloc (READ_AT_ONCE);
  self->start = place.offset;
  self->size = MIN (READ_AT_ONCE, end - place.offset);
  if (job_journal_read_bytes (self->journal, self->segment, self->start, self->bytes, self->size,
                              error))
    return TRUE;
  self->size = 0;
  return FALSE;
}

gboolean
job_journal_reader_read (JobJournalReader *self, JobPlace place, JobChange *change, GError **error)
{
  gsize used;

  if (place.length > READ_AT_ONCE)
    return job_journal_read (self->journal, self->segment, place, change, error);
  if ((place.offset < self->start || place.offset + place.length > self->start + self->size) &&
      !fill_reader (self, place, error))
    return FALSE;
  return job_change_decode (self->bytes + (place.offset - self->start), place.length, change, &used,
                            error);
}
