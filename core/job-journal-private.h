/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The redo log: what is on it is on disk, and is true. One thread at a time. */

#pragma once

#include "job-record.h"

G_BEGIN_DECLS

typedef struct _JobJournal JobJournal;

/* Where one change is in the journal. */
typedef struct
{
  guint64 offset;
  guint32 length; /* 0: nowhere */
} JobPlace;

typedef void (*JobJournalVisitor) (const JobChange *change, JobPlace place, gpointer data);

/* Opens the journal at @path, if there is one, and shows what is on it, in order. A batch that was
 * being written when the machine or the process died is cut off: nobody was told that it was
 * accepted. */
JobJournal *job_journal_open (const char *path, JobJournalVisitor visitor, gpointer data,
                              GError **error);
void job_journal_free (JobJournal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobJournal, job_journal_free)

/* Appends the changes as one batch, all or nothing, and returns TRUE when they are on disk;
 * places[i] is where changes[i] is. After a failure the journal is as it was before, or, if that
 * cannot be had either, *unknown is TRUE: the batch may be found at the next opening or not, and
 * this journal is of no more use. */
gboolean job_journal_append (JobJournal *self, const JobChange *changes, gsize n_changes,
                             JobPlace *places, gboolean *unknown, GError **error);
/* Reads back one change, to be cleared. */
gboolean job_journal_read (JobJournal *self, JobPlace place, JobChange *change, GError **error);
/* The bytes on it. */
guint64 job_journal_get_size (JobJournal *self);
/* The store has it all: starts anew. */
gboolean job_journal_reset (JobJournal *self, GError **error);
/* The store has it all, and is about to be closed: takes the file away. */
gboolean job_journal_remove (JobJournal *self, GError **error);

G_END_DECLS
