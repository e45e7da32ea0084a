/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The numbers of the two segments are next to each other, and the sequence numbers of batches go on
 * from the lower to the higher one. A segment that is free has the higher number already, and no
 * batch: it was made durable as such before it may be used. So the opening knows what is so:
 *
 *   one of them has batches    it is the active one
 *   both have                  the higher one is active; the lower one is not in the store yet, or
 *                              not known to be
 *
 * When a write fails, the batch may be on the disk or not; that a sync failed may even mean that it
 * is lost though the kernel calls it clean, so it is not synced again. The next batch goes into the
 * other segment under the same sequence number, has no changes, and voids it: in the lower segment
 * counts only what comes before the first batch of the higher one. Where the other segment is not
 * free, or the disk has no room for it, the file is cut off behind the last good batch instead,
 * which needs no room. */

#include "job-journal-private.h"

#include "job-error.h"
#include "job-file.h"
#include "job-segment-private.h"

#include <errno.h>
#include <string.h>

#define MAX_BATCH G_MAXINT32
#define KEPT_BUFFER (1024 * 1024) /* what a larger batch took is given back */

struct _JobJournal
{
  char *path;                                /* constant */
  JobSegment segments[JOB_JOURNAL_SEGMENTS]; /* each its writer's, or who releases it */
  guint active;                              /* the writer's, as all below */
  guint64 sequence;                          /* of the last good batch */
  GByteArray *staged;
  guint32 n_staged;
};

static JobSegment *
get_active (JobJournal *self)
{
  return &self->segments[self->active];
}

/* --- opening ---------------------------------------------------------------------------------- */

typedef struct
{
  JobJournal *journal;
  JobSegmentContent contents[JOB_JOURNAL_SEGMENTS];
  JobJournalVisitor visitor;
  gpointer data;
} Replay;

static void
replay_clear (Replay *self)
{
  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    job_segment_content_clear (&self->contents[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Replay, replay_clear)

/* Keeps the bytes that cannot be read, and what stands behind them, for somebody to look at. */
static gboolean
set_aside (Replay *replay, guint which, const char *reason, GError **error)
{
  const JobSegment *segment = &replay->journal->segments[which];
  const JobSegmentContent *content = &replay->contents[which];
  g_autofree char *folder = g_path_get_dirname (segment->path);
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  guint number = 1;

  do
    {
      g_free (path);
      path = g_strdup_printf ("%s-damaged-%u", replay->journal->path, number++);
    }
  while (g_file_test (path, G_FILE_TEST_EXISTS));

  name = g_path_get_basename (path);
  if (!job_file_write_new (folder, name, content->bytes + segment->end,
                           content->size - segment->end, error))
    return FALSE;
  g_warning ("Journal “%s” %s from byte %" G_GUINT64_FORMAT
             " on: what stands before was taken, the other %" G_GUINT64_FORMAT
             " bytes were set aside in “%s”. Changes that had been acknowledged are lost.",
             segment->path, reason, segment->end, (guint64) content->size - segment->end, path);
  return TRUE;
}

/* In the lower segment, what the first batch of the higher one voids. */
static void
cut_void (JobSegment *lower, JobSegmentContent *content, guint64 sequence)
{
  guint64 at = JOB_SEGMENT_HEADER;

  for (guint64 i = content->first_sequence; i < sequence; i++)
    at += JOB_BATCH_HEADER + job_segment_get_batch (content, at).length;
  lower->end = at;
  content->last_sequence = sequence - 1;
  content->damaged = FALSE;
}

static gboolean
are_next_to_each_other (const JobJournal *self, guint lower, guint higher)
{
  return self->segments[higher].number == self->segments[lower].number + 1;
}

/* The higher one has batches. Whether the lower one has all that comes before them: FALSE if some
 * are missing, or if the two are not of the same journal. */
static gboolean
join (Replay *replay, guint lower, guint higher)
{
  JobSegmentContent *before = &replay->contents[lower];
  const JobSegmentContent *behind = &replay->contents[higher];

  if (!are_next_to_each_other (replay->journal, lower, higher))
    return FALSE;
  if (before->first_sequence == 0)
    return behind->first_is_void && !before->damaged;
  if (before->last_sequence + 1 < behind->first_sequence)
    return FALSE;
  if (before->first_sequence > behind->first_sequence)
    return FALSE;
  cut_void (&replay->journal->segments[lower], before, behind->first_sequence);
  return TRUE;
}

/* What is behind damage goes, too: it has changes of jobs that may never have been. */
static gboolean
drop_all_behind (Replay *replay, guint lower, guint higher, GError **error)
{
  JobSegment *segments = replay->journal->segments;
  JobSegmentContent *content = &replay->contents[higher];

  segments[higher].end = JOB_SEGMENT_HEADER;
  if (!set_aside (replay, lower, "is damaged", error) ||
      !set_aside (replay, higher, "follows a damaged one and is of no use", error) ||
      !job_segment_cut (&segments[higher], JOB_SEGMENT_HEADER, error))
    return FALSE;
  replay->contents[lower].damaged = FALSE;
  content->first_sequence = content->last_sequence = 0;
  content->damaged = FALSE;
  return job_segment_cut (&segments[lower], segments[lower].end, error);
}

/* Damage at the very beginning of the higher one. */
static gboolean
drop_beginning (Replay *replay, guint higher, GError **error)
{
  replay->contents[higher].damaged = FALSE;
  return set_aside (replay, higher, "is damaged", error) &&
         job_segment_cut (&replay->journal->segments[higher], JOB_SEGMENT_HEADER, error);
}

/* The higher one has no batch, and is of another journal, as when one file was put back from a
 * backup: under its number, what it is going to have would be in the wrong place; under the right
 * one, so would be what an earlier life left in it. */
static gboolean
renumber (Replay *replay, guint lower, guint higher, GError **error)
{
  JobSegment *segments = replay->journal->segments;

  if (are_next_to_each_other (replay->journal, lower, higher))
    return TRUE;
  replay->contents[higher].size = 0; /* the header that was read does not count any more */
  return job_segment_cut (&segments[higher], JOB_SEGMENT_HEADER, error) &&
         job_segment_recycle (&segments[higher], segments[lower].number + 1, JOB_SEGMENT_HEADER,
                              error);
}

/* Which of the two comes first, as far as they have a number. */
static guint
find_lower (JobJournal *self)
{
  const JobSegment *segments = self->segments;

  if (segments[0].number == 0 || segments[1].number == 0)
    return segments[0].number == 0 ? 1 : 0;
  return segments[0].number < segments[1].number ? 0 : 1;
}

/* One that has no number is no segment: damage is set aside, what a crash left of a new file goes
 * without a word. */
static gboolean
discard_unreadable (Replay *replay, GError **error)
{
  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    {
      JobSegment *segment = &replay->journal->segments[i];
      JobSegmentContent *content = &replay->contents[i];

      if (segment->fd < 0 || segment->number > 0)
        continue;
      if (content->damaged && !set_aside (replay, i, "is damaged", error))
        return FALSE;
      content->damaged = FALSE;
      if (!job_segment_remove (segment, error))
        return FALSE;
    }
  return TRUE;
}

/* The disk did no harm to it: somebody wrote it so. What else that one meant, nobody can say here;
 * so nothing is dropped, and nothing taken. */
static gboolean
refuse_change (Replay *replay, guint which, guint64 at, GError **error)
{
  g_prefix_error (
      error,
      "Journal “%s” has a change at byte %" G_GUINT64_FORMAT
      " that is whole and cannot be understood; open it with the library that wrote it, "
      "or move both files of the journal away, and what only they have is lost: ",
      replay->journal->segments[which].path, at);
  return FALSE;
}

static gboolean
show_batch (Replay *replay, guint which, guint64 at, GError **error)
{
  const JobSegmentContent *content = &replay->contents[which];
  JobBatchHeader batch = job_segment_get_batch (content, at);
  guint64 end = at + JOB_BATCH_HEADER + batch.length;

  at += JOB_BATCH_HEADER;
  for (guint32 i = 0; i < batch.n_changes; i++)
    {
      JobChange change = { 0 };
      gsize used;

      if (!job_change_decode (content->bytes + at, end - at, &change, &used, error))
        return refuse_change (replay, which, at, error);
      replay->visitor (&change, which, (JobPlace){ at, used }, replay->data);
      job_change_clear (&change);
      at += used;
    }
  return TRUE;
}

static gboolean
show (Replay *replay, guint which, GError **error)
{
  const JobSegment *segment = &replay->journal->segments[which];
  guint64 at = JOB_SEGMENT_HEADER;

  while (segment->fd >= 0 && at < segment->end)
    {
      if (!show_batch (replay, which, at, error))
        return FALSE;
      at += JOB_BATCH_HEADER + job_segment_get_batch (&replay->contents[which], at).length;
    }
  return TRUE;
}

/* What is behind the last whole batch of the active segment is not part of it. */
static gboolean
end_active (Replay *replay, GError **error)
{
  JobSegment *active = get_active (replay->journal);
  const JobSegmentContent *content = &replay->contents[replay->journal->active];

  if (active->fd < 0 || active->end == content->size)
    return TRUE;
  if (content->damaged && !set_aside (replay, replay->journal->active, "is damaged", error))
    return FALSE;
  return job_segment_cut (active, active->end, error);
}

static gboolean
settle_segments (Replay *replay, GError **error)
{
  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    if (!job_segment_settle (&replay->journal->segments[i], &replay->contents[i], error))
      return FALSE;
  return TRUE;
}

/* For those that are not there. Returns the lower one. */
static guint
give_numbers (JobJournal *self)
{
  guint lower = find_lower (self);

  if (self->segments[lower].number == 0)
    {
      lower = 0;
      self->segments[lower].number = 1;
    }
  if (self->segments[1 - lower].number == 0)
    self->segments[1 - lower].number = self->segments[lower].number + 1;
  return lower;
}

static gboolean
replay_segments (Replay *replay, GError **error)
{
  JobJournal *self = replay->journal;
  guint lower, higher;

  if (!discard_unreadable (replay, error))
    return FALSE;
  lower = give_numbers (self);
  higher = 1 - lower;
  if (replay->contents[higher].first_sequence == 0 && replay->contents[higher].damaged &&
      !drop_beginning (replay, higher, error))
    return FALSE;
  if (replay->contents[higher].first_sequence != 0 && self->segments[lower].fd >= 0 &&
      !join (replay, lower, higher) && !drop_all_behind (replay, lower, higher, error))
    return FALSE;
  if (replay->contents[higher].first_sequence == 0 && !renumber (replay, lower, higher, error))
    return FALSE;

  self->active = replay->contents[higher].first_sequence != 0 ? higher : lower;
  self->sequence = replay->contents[self->active].last_sequence;
  return settle_segments (replay, error) && show (replay, lower, error) &&
         show (replay, higher, error) && end_active (replay, error);
}

static JobJournal *
journal_new (const char *path)
{
  JobJournal *self = g_new0 (JobJournal, 1);

  self->path = g_strdup (path);
  self->staged = g_byte_array_new ();
  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    job_segment_init (&self->segments[i], g_strdup_printf ("%s-%u", path, i + 1));
  return self;
}

JobJournal *
job_journal_open (const char *path, JobJournalVisitor visitor, gpointer data, GError **error)
{
  g_autoptr (JobJournal) self = journal_new (path);
  g_auto (Replay) replay = { .journal = self, .visitor = visitor, .data = data };

  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    if (!job_segment_open (&self->segments[i], &replay.contents[i], error))
      return NULL;
  return replay_segments (&replay, error) ? g_steal_pointer (&self) : NULL;
}

void
job_journal_free (JobJournal *self)
{
  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    job_segment_clear (&self->segments[i]);
  g_byte_array_unref (self->staged);
  g_free (self->path);
  g_free (self);
}

guint
job_journal_get_active (JobJournal *self)
{
  return self->active;
}

guint64
job_journal_get_size (JobJournal *self, guint segment)
{
  return self->segments[segment].end - JOB_SEGMENT_HEADER;
}

/* --- writing ---------------------------------------------------------------------------------- */

gboolean
job_journal_stage (JobJournal *self, const JobChange *changes, gsize n_changes, JobPlace *places,
                   gsize *size, GError **error)
{
  GByteArray *bytes = self->staged;

  job_segment_begin_batch (bytes);
  for (gsize i = 0; i < n_changes; i++)
    {
      guint at = bytes->len;

      job_change_encode (&changes[i], bytes);
      if (bytes->len > MAX_BATCH)
        {
          g_set_error (
              error, JOB_ERROR, JOB_ERROR_INVALID,
              "What was to be written at once is over %d bytes; enqueue fewer jobs in one call",
              MAX_BATCH);
          return FALSE;
        }
      places[i] = (JobPlace){ at, bytes->len - at };
    }
  self->n_staged = n_changes;
  *size = bytes->len;
  return TRUE;
}

gboolean
job_journal_prepare (JobJournal *self, guint64 capacity, GError **error)
{
  return job_segment_prepare (get_active (self), self->staged->len, JOB_SEGMENT_HEADER + capacity,
                              error);
}

static void
shrink_staged (JobJournal *self)
{
  if (self->staged->len <= KEPT_BUFFER)
    return;
  g_byte_array_unref (self->staged);
  self->staged = g_byte_array_new ();
}

gboolean
job_journal_write (JobJournal *self, JobPlace *places, GError **error)
{
  JobSegment *active = get_active (self);
  guint32 start = active->end;
  gboolean done =
      job_segment_write (active, self->staged, self->sequence + 1, self->n_staged, error);

  for (guint32 i = 0; done && i < self->n_staged; i++)
    places[i].offset += start;
  if (done)
    self->sequence++;
  shrink_staged (self);
  return done;
}

void
job_journal_switch (JobJournal *self)
{
  self->active = 1 - self->active;
}

gboolean
job_journal_void (JobJournal *self, gboolean *unknown, GError **error)
{
  job_journal_switch (self);
  job_segment_begin_batch (self->staged);
  self->n_staged = 0;
  *unknown = FALSE;
  if (!job_journal_prepare (self, 0, error))
    {
      job_journal_switch (self);
      return FALSE;
    }
  *unknown = !job_journal_write (self, NULL, error);
  return !*unknown;
}

gboolean
job_journal_cut_back (JobJournal *self, GError **error)
{
  return job_segment_cut (get_active (self), get_active (self)->end, error);
}

gboolean
job_journal_release (JobJournal *self, guint segment, guint64 capacity, GError **error)
{
  JobSegment *released = &self->segments[segment];

  return job_segment_recycle (released, released->number + 2, JOB_SEGMENT_HEADER + capacity, error);
}

/* --- reading --------------------------------------------------------------------------------- */

gboolean
job_journal_read_bytes (JobJournal *self, guint segment, guint64 offset, guint8 *data, gsize size,
                        GError **error)
{
  return job_segment_read (&self->segments[segment], offset, data, size, error);
}

/* The lower one first: what a crash leaves of the two can be replayed by itself. */
gboolean
job_journal_remove (JobJournal *self, GError **error)
{
  guint lower = find_lower (self);

  return job_segment_remove (&self->segments[lower], error) &&
         job_segment_remove (&self->segments[1 - lower], error);
}
