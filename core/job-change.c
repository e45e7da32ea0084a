/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The binary form of a change of one job.
 *
 * Version 1. All numbers are little-endian, times are nanoseconds since 1970, ids are 16 bytes as
 * they stand. A text is its length in 4 bytes, then so many bytes, none of them 0.
 *
 *   offset  bytes  what
 *
 *                  The head, of a fixed length:
 *    0       1     version of this form: 1
 *    1       1     flags: 1 = a record follows; 2 = an outcome follows; other bits: 0
 *    2       2     length of the head: 80 or more
 *    4       4     length of the whole change, head included
 *    8      16     id of the job
 *   24       1     state: 2 pending, 3 running, 4 succeeded, 5 failed, 6 canceled
 *   25       1     reason, as in JobReason: 0 to 5
 *   26       2     0
 *   28       4     attempts
 *   32      16     token, or zeros
 *   48      16     culprit, or zeros
 *   64       8     started at, or 0
 *   72       8     finished at, or 0
 *
 *                  Then, if there is an outcome:
 *            text  outcome, JSON
 *
 *                  Then, if there is a record, a second head, and what has no fixed length:
 *    0       2     length of this head: 32 or more
 *    2       2     0
 *    4       4     priority, signed
 *    8       8     queued at
 *   16       8     run at, or 0
 *   24       4     attempts at most
 *   28       4     number of dependencies, n
 *            text  type
 *            text  channel
 *            text  args, JSON
 *          n * 17  dependencies: id in 16 bytes, condition (as in JobCondition, 0 to 2) in 1
 *
 * Room for more: a writer that knows more, but nothing that a reader of version 1 must know, may
 * make either head longer and add to the end of the change; readers skip what they do not know.
 * Anything else takes a new version. To raise it: teach job_change_decode() both, by the first
 * byte, and write the new one only.
 *
 * There is no checksum: whoever keeps changes has one for what it keeps. */

#include "job-record-private.h"

#include "job-error.h"

#include <string.h>

#define FLAG_RECORD 1
#define FLAG_OUTCOME 2
#define CHANGE_HEAD_SIZE 80
#define RECORD_HEAD_SIZE 32
#define TEXT_HEAD_SIZE 4
#define DEPENDENCY_SIZE 17

void
job_change_clear (JobChange *self)
{
  g_clear_pointer (&self->record, job_record_unref);
  job_status_clear (&self->status);
  memset (&self->id, 0, sizeof self->id);
}

/* Writing. The length is known beforehand, so that the array grows once; each function returns
 * where the next one goes on. */

static guint8 *
put_u16 (guint8 *at, guint16 value)
{
  value = GUINT16_TO_LE (value);
  return (guint8 *) memcpy (at, &value, sizeof value) + sizeof value;
}

static guint8 *
put_u32 (guint8 *at, guint32 value)
{
  value = GUINT32_TO_LE (value);
  return (guint8 *) memcpy (at, &value, sizeof value) + sizeof value;
}

static guint8 *
put_i64 (guint8 *at, gint64 value)
{
  value = GINT64_TO_LE (value);
  return (guint8 *) memcpy (at, &value, sizeof value) + sizeof value;
}

static guint8 *
put_id (guint8 *at, const JobId *id)
{
  return (guint8 *) memcpy (at, id->bytes, sizeof id->bytes) + sizeof id->bytes;
}

static guint8 *
put_text (guint8 *at, const char *text, gsize length)
{
  at = put_u32 (at, length);
  return (guint8 *) memcpy (at, text, length) + length;
}

/* The lengths of a change's texts, each counted once. */
typedef struct
{
  gsize outcome;
  gsize type;
  gsize channel;
  gsize args;
} Lengths;

static gsize
measure (const JobChange *self, Lengths *lengths)
{
  const JobRecord *record = self->record;
  gsize total = CHANGE_HEAD_SIZE;

  if (self->status.outcome != NULL)
    {
      lengths->outcome = strlen (self->status.outcome);
      total += TEXT_HEAD_SIZE + lengths->outcome;
    }
  if (record != NULL)
    {
      lengths->type = strlen (record->type);
      lengths->channel = strlen (record->channel);
      lengths->args = strlen (record->args);
      total += RECORD_HEAD_SIZE + 3 * TEXT_HEAD_SIZE + lengths->type + lengths->channel +
               lengths->args + (gsize) record->n_dependencies * DEPENDENCY_SIZE;
    }
  return total;
}

/* What is neither leased nor over is kept as pending. */
static guint8
state_to_keep (JobState state)
{
  return MAX (state, JOB_STATE_PENDING);
}

static guint8 *
put_head (guint8 *at, const JobChange *self, gsize total)
{
  const JobStatus *status = &self->status;

  *at++ = JOB_RECORD_VERSION;
  *at++ = (self->record != NULL ? FLAG_RECORD : 0) | (status->outcome != NULL ? FLAG_OUTCOME : 0);
  at = put_u16 (at, CHANGE_HEAD_SIZE);
  at = put_u32 (at, total);
  at = put_id (at, &self->id);
  *at++ = state_to_keep (status->state);
  *at++ = status->reason;
  at = put_u16 (at, 0);
  at = put_u32 (at, status->attempts);
  at = put_id (at, &status->token);
  at = put_id (at, &status->culprit);
  at = put_i64 (at, status->started_at);
  return put_i64 (at, status->finished_at);
}

static guint8 *
put_record (guint8 *at, const JobRecord *record, const Lengths *lengths)
{
  at = put_u16 (at, RECORD_HEAD_SIZE);
  at = put_u16 (at, 0);
  at = put_u32 (at, record->priority);
  at = put_i64 (at, record->queued_at);
  at = put_i64 (at, record->run_at);
  at = put_u32 (at, record->max_attempts);
  at = put_u32 (at, record->n_dependencies);
  at = put_text (at, record->type, lengths->type);
  at = put_text (at, record->channel, lengths->channel);
  at = put_text (at, record->args, lengths->args);
  for (guint i = 0; i < record->n_dependencies; i++)
    {
      at = put_id (at, &record->dependencies[i].id);
      *at++ = record->dependencies[i].condition;
    }
  return at;
}

void
job_change_encode (const JobChange *self, GByteArray *out)
{
  Lengths lengths = { 0 };
  gsize total = measure (self, &lengths);
  guint start = out->len;
  guint8 *at;

  g_return_if_fail (total <= G_MAXUINT - start);
  g_byte_array_set_size (out, start + total);
  at = put_head (out->data + start, self, total);
  if (self->status.outcome != NULL)
    at = put_text (at, self->status.outcome, lengths.outcome);
  if (self->record != NULL)
    at = put_record (at, self->record, &lengths);
  g_assert (at == out->data + out->len);
}

/* Reading. */

/* What is left to read of a change, or of a head of it. */
typedef struct
{
  const guint8 *start; /* of the change: errors give offsets from here */
  const guint8 *at;
  const guint8 *end;
} Reader;

static gsize
bytes_left (const Reader *self)
{
  return self->end - self->at;
}

static gboolean
set_corrupt (const Reader *self, GError **error, const char *problem)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
               "The record of a job is damaged at its byte %" G_GSIZE_FORMAT ": %s; "
               "put it aside, or restore it from a backup",
               (gsize) (self->at - self->start), problem);
  return FALSE;
}

/* These read from a head, whose length was checked. */

static guint8
get_u8 (Reader *self)
{
  return *self->at++;
}

static guint16
get_u16 (Reader *self)
{
  guint16 value;

  memcpy (&value, self->at, sizeof value);
  self->at += sizeof value;
  return GUINT16_FROM_LE (value);
}

static guint32
get_u32 (Reader *self)
{
  guint32 value;

  memcpy (&value, self->at, sizeof value);
  self->at += sizeof value;
  return GUINT32_FROM_LE (value);
}

static gint64
get_i64 (Reader *self)
{
  gint64 value;

  memcpy (&value, self->at, sizeof value);
  self->at += sizeof value;
  return GINT64_FROM_LE (value);
}

static void
get_id (Reader *self, JobId *id)
{
  memcpy (id->bytes, self->at, sizeof id->bytes);
  self->at += sizeof id->bytes;
}

static gboolean
read_slice (Reader *self, JobSlice *slice, GError **error)
{
  guint32 length;

  if (bytes_left (self) < TEXT_HEAD_SIZE)
    return set_corrupt (self, error, "a text has no room for its length");
  length = get_u32 (self);
  if (length > bytes_left (self))
    return set_corrupt (self, error, "a text is longer than the record");
  if (memchr (self->at, 0, length) != NULL)
    return set_corrupt (self, error, "a text has a zero byte");
  *slice = (JobSlice){ (const char *) self->at, length };
  self->at += length;
  return TRUE;
}

static char *
dup_slice (const JobSlice *slice)
{
  char *text = g_malloc (slice->length + 1);

  memcpy (text, slice->at, slice->length);
  text[slice->length] = '\0';
  return text;
}

static gboolean
read_text (Reader *self, char **text, GError **error)
{
  JobSlice slice;

  if (!read_slice (self, &slice, error))
    return FALSE;
  *text = dup_slice (&slice);
  return TRUE;
}

/* Narrows the reader to the change that it begins with; its length was checked by the caller to be
 * at least that of a head. */
static gboolean
read_lengths (Reader *self, Reader *head, guint8 *flags, GError **error)
{
  guint16 head_size;
  guint32 total;

  *flags = get_u8 (self);
  if ((*flags & ~(FLAG_RECORD | FLAG_OUTCOME)) != 0)
    return set_corrupt (self, error, "unknown flags");
  head_size = get_u16 (self);
  total = get_u32 (self);
  if (total > (gsize) (self->end - self->start))
    return set_corrupt (self, error, "it is cut short");
  if (head_size < CHANGE_HEAD_SIZE || head_size > total)
    return set_corrupt (self, error, "its head has an impossible length");

  self->end = self->start + total;
  *head = *self;
  head->end = self->start + head_size;
  self->at = head->end;
  return TRUE;
}

static gboolean
read_status (Reader *head, JobChange *change, GError **error)
{
  JobStatus *status = &change->status;
  guint8 state, reason;

  get_id (head, &change->id);
  state = get_u8 (head);
  if (state < JOB_STATE_PENDING || state > JOB_STATE_CANCELED)
    return set_corrupt (head, error, "there is no such state");
  reason = get_u8 (head);
  if (reason > JOB_REASON_LEASE_WITHOUT_TOKEN)
    return set_corrupt (head, error, "there is no such reason");
  status->state = state;
  status->reason = reason;
  get_u16 (head);
  status->attempts = get_u32 (head);
  get_id (head, &status->token);
  get_id (head, &status->culprit);
  status->started_at = get_i64 (head);
  status->finished_at = get_i64 (head);
  return TRUE;
}

/* Moves behind the second head, whose numbers @head then reads. */
static gboolean
read_record_lengths (Reader *self, Reader *head, GError **error)
{
  guint16 head_size;

  *head = *self;
  if (bytes_left (self) < RECORD_HEAD_SIZE)
    return set_corrupt (self, error, "it ends before what was asked for");
  head_size = get_u16 (head);
  if (head_size < RECORD_HEAD_SIZE || head_size > bytes_left (self))
    return set_corrupt (self, error, "its second head has an impossible length");
  self->at += head_size;
  get_u16 (head);
  return TRUE;
}

static guint32
read_numbers (Reader *head, JobRecord *record)
{
  record->priority = (gint32) get_u32 (head);
  record->queued_at = get_i64 (head);
  record->run_at = get_i64 (head);
  record->max_attempts = get_u32 (head);
  return get_u32 (head);
}

static gboolean
read_dependencies (Reader *self, JobRecord *record, GError **error)
{
  for (guint i = 0; i < record->n_dependencies; i++)
    {
      guint8 condition;

      get_id (self, &record->dependencies[i].id);
      condition = get_u8 (self);
      if (condition > JOB_CONDITION_AFTER_NOT_OK)
        return set_corrupt (self, error, "there is no such condition");
      record->dependencies[i].condition = condition;
    }
  return TRUE;
}

/* The record is one piece of memory: it is made when the lengths of its parts are known. */
static gboolean
read_record (Reader *self, JobChange *change, GError **error)
{
  JobRecord numbers = { 0 };
  JobSlice texts[3];
  Reader head;
  guint32 n_dependencies;

  if (!read_record_lengths (self, &head, error))
    return FALSE;
  n_dependencies = read_numbers (&head, &numbers);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (!read_slice (self, &texts[i], error))
      return FALSE;
  if (n_dependencies > bytes_left (self) / DEPENDENCY_SIZE)
    return set_corrupt (self, error, "it ends before its dependencies");

  change->record = job_record_new_from_slices (n_dependencies, texts);
  change->record->id = change->id;
  change->record->priority = numbers.priority;
  change->record->queued_at = numbers.queued_at;
  change->record->run_at = numbers.run_at;
  change->record->max_attempts = numbers.max_attempts;
  return read_dependencies (self, change->record, error);
}

static gboolean
read_version (Reader *self, GError **error)
{
  guint8 version;

  if (bytes_left (self) == 0)
    return set_corrupt (self, error, "it is empty");
  version = *self->at;
  if (version > JOB_RECORD_VERSION)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_VERSION,
                   "The record of a job has format version %u, and this jobqueue reads up to %u; "
                   "open it with the newer jobqueue that wrote it",
                   version, JOB_RECORD_VERSION);
      return FALSE;
    }
  if (version == 0)
    return set_corrupt (self, error, "there is no format version 0");
  if (bytes_left (self) < CHANGE_HEAD_SIZE)
    return set_corrupt (self, error, "it is cut short");
  self->at++;
  return TRUE;
}

static gboolean
read_change (Reader *self, JobChange *change, GError **error)
{
  Reader head;
  guint8 flags;

  if (!read_version (self, error) || !read_lengths (self, &head, &flags, error) ||
      !read_status (&head, change, error))
    return FALSE;
  if ((flags & FLAG_OUTCOME) != 0 && !read_text (self, &change->status.outcome, error))
    return FALSE;
  return (flags & FLAG_RECORD) == 0 || read_record (self, change, error);
}

gboolean
job_change_decode (const guint8 *data, gsize size, JobChange *self, gsize *used, GError **error)
{
  Reader reader = { data, data, data + size };

  memset (self, 0, sizeof *self);
  if (!read_change (&reader, self, error))
    {
      job_change_clear (self);
      return FALSE;
    }
  if (used != NULL)
    *used = reader.end - reader.start;
  return TRUE;
}
