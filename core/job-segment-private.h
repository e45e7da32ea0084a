/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One file of the journal: batches, one behind the other, in blocks that were written in advance.
 * It is used again and again, under a number that rises by two each time. One thread at a time, but
 * for job_segment_read(). The format is described in job-segment.c. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define JOB_SEGMENT_HEADER 32
#define JOB_BATCH_HEADER 32

typedef struct
{
  char *path;         /* owned, constant */
  int fd;             /* -1: there is no file */
  guint64 number;     /* the segment with the next higher one comes behind it */
  guint64 end;        /* where the next batch goes */
  guint64 prepared;   /* the file has blocks up to here */
  gboolean left_over; /* there is a file that was to go, and could not be removed */
} JobSegment;

/* What stands in front of a batch. */
typedef struct
{
  guint32 length; /* of the changes, in bytes */
  guint64 sequence;
  guint32 n_changes;
} JobBatchHeader;

/* All that is in the file at its opening. */
typedef struct
{
  guint8 *bytes; /* owned; NULL: there is no file */
  gsize size;
  guint64 first_sequence; /* of the batches up to segment->end; 0: there are none */
  guint64 last_sequence;
  guint64 last_at;        /* where the last one of them begins */
  gboolean first_is_void; /* the first batch has no changes */
  gboolean damaged;       /* what follows behind segment->end cannot come from a crash */
} JobSegmentContent;

void job_segment_init (JobSegment *self, char *path);
void job_segment_clear (JobSegment *self);
void job_segment_content_clear (JobSegmentContent *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JobSegmentContent, job_segment_content_clear)

/* Opens the file, if there is one, reads it, and finds the batches that are whole: sets number and
 * end. The number is 0 if there is nothing to be told from. */
gboolean job_segment_open (JobSegment *self, JobSegmentContent *content, GError **error);
/* The batch at @at, which is before the end. */
JobBatchHeader job_segment_get_batch (const JobSegmentContent *content, gsize at);
/* Makes durable what was found: it may have been read from memory only, because the process died
 * before a sync, or because a sync failed, after which no other one would write it. */
gboolean job_segment_settle (JobSegment *self, const JobSegmentContent *content, GError **error);
/* Forgets the batches from @at on, and gives their blocks back. */
gboolean job_segment_cut (JobSegment *self, guint64 at, GError **error);

/* Room in @buffer for the header of a batch, whose changes come behind it. */
void job_segment_begin_batch (GByteArray *buffer);
/* Sees to it that there are blocks for @length more bytes, and up to @wanted bytes in the whole
 * file if it has to grow. After a failure nothing has changed. */
gboolean job_segment_prepare (JobSegment *self, gsize length, guint64 wanted, GError **error);
/* Writes a batch to where there are blocks for it, and returns TRUE when it is on disk. After a
 * failure the end is where it was, and nobody knows what is behind it. */
gboolean job_segment_write (JobSegment *self, GByteArray *buffer, guint64 sequence,
                            guint32 n_changes, GError **error);
gboolean job_segment_read (JobSegment *self, guint64 offset, guint8 *data, gsize size,
                           GError **error);

/* Makes it an empty one, with a higher number; only @keep bytes of the file stay. */
gboolean job_segment_recycle (JobSegment *self, guint64 number, guint64 keep, GError **error);
gboolean job_segment_remove (JobSegment *self, GError **error);

G_END_DECLS
