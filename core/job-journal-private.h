/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The redo log: what is on it is on disk, and is true. It has two segments. Batches go to the
 * active one, while what is in the other one is brought into the store; when that is done, the
 * other one is free, and they can change their parts.
 *
 * One thread at a time may write, switch and void; another one may release the segment that is not
 * active; both only know of each other by what the owner tells them. Reading a segment that is not
 * released goes from any thread. */

#pragma once

#include "job-record.h"

G_BEGIN_DECLS

#define JOB_JOURNAL_SEGMENTS 2
#define JOB_JOURNAL_MAX_CAPACITY G_MAXINT32 /* so that an offset has 32 bits */

typedef struct _JobJournal JobJournal;

/* Where one change is in its segment. */
typedef struct
{
  guint32 offset;
  guint32 length; /* 0: nowhere */
} JobPlace;

typedef void (*JobJournalVisitor) (const JobChange *change, guint segment, JobPlace place,
                                   gpointer data);

/* Opens the journal at @path, if there is one: PATH-1 and PATH-2. Shows what is on it, in order. A
 * batch that was being written when the machine or the process died is cut off: nobody was told
 * that it was accepted. From damage on, all is set aside in PATH-damaged-N. */
JobJournal *job_journal_open (const char *path, JobJournalVisitor visitor, gpointer data,
                              GError **error);
void job_journal_free (JobJournal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobJournal, job_journal_free)

/* The segment that batches go to; the other one is 1 - that. */
guint job_journal_get_active (JobJournal *self);
/* How many bytes of batches a segment has. */
guint64 job_journal_get_size (JobJournal *self, guint segment);

/* Makes the changes the next batch, without writing it, and says in *size how long that is.
 * JOB_ERROR_INVALID if it is too long. */
gboolean job_journal_stage (JobJournal *self, const JobChange *changes, gsize n_changes,
                            JobPlace *places, gsize *size, GError **error);
/* Has blocks on the disk ready for it, and up to @capacity bytes of batches. After a failure
 * nothing has changed. */
gboolean job_journal_prepare (JobJournal *self, guint64 capacity, GError **error);
/* Writes it, all or nothing, and returns TRUE when it is on disk; places[i] is where changes[i] is
 * then. After a failure nobody knows whether it will be found, before job_journal_void(). */
gboolean job_journal_write (JobJournal *self, JobPlace *places, GError **error);

/* From now on batches go to the other segment, which must be free. */
void job_journal_switch (JobJournal *self);
/* After a failed write, if the other segment is free: switches, and makes it durable that the
 * failed batch never was. A failure changes nothing, unless *unknown: then nobody knows before the
 * next opening, and this journal is of no more use. */
gboolean job_journal_void (JobJournal *self, gboolean *unknown, GError **error);
/* After a failed write, if that does not go: cuts the active segment off where it was. After
 * another failure nobody knows, as above. */
gboolean job_journal_cut_back (JobJournal *self, GError **error);
/* The store has all that is in the segment, which is not the active one: it is free, and keeps at
 * most @capacity. */
gboolean job_journal_release (JobJournal *self, guint segment, guint64 capacity, GError **error);

/* Some bytes of a segment, as they are in its file. */
gboolean job_journal_read_bytes (JobJournal *self, guint segment, guint64 offset, guint8 *data,
                                 gsize size, GError **error);
/* Reads back one change, to be cleared. */
gboolean job_journal_read (JobJournal *self, guint segment, JobPlace place, JobChange *change,
                           GError **error);

/* Reads changes of one segment that come about in their order: many at a time. */
typedef struct
{
  JobJournal *journal;
  guint segment;
  guint8 *bytes; /* owned: a part of the segment */
  guint64 start; /* where it begins */
  gsize size;
} JobJournalReader;

void job_journal_reader_init (JobJournalReader *self, JobJournal *journal, guint segment);
void job_journal_reader_clear (JobJournalReader *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JobJournalReader, job_journal_reader_clear)
gboolean job_journal_reader_read (JobJournalReader *self, JobPlace place, JobChange *change,
                                  GError **error);

/* The store has it all, and is about to be closed: takes the files away. */
gboolean job_journal_remove (JobJournal *self, GError **error);

G_END_DECLS
