/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The file, all numbers little-endian:
 *
 *   0   8  "jobqjrnl"
 *   8   4  version of this format: 1
 *   12  4  CRC-32 of the twelve bytes before
 *   16     batches, one after the other
 *
 * A batch:
 *
 *   0   4  "JBAT"
 *   4   4  length of the changes in bytes
 *   8   8  sequence number: one more than that of the batch before
 *   16  4  number of changes
 *   20  4  CRC-32 of the bytes 4 to 19, continued over the changes
 *   24     the changes, as job_change_encode() writes them
 *
 * A batch is acknowledged when fdatasync() has returned, and the next is not written before that.
 * So whatever a crash leaves, only the last batch can be torn, and what comes before it is whole.
 * If whole batches are found behind a torn one, or no beginning of the header where it should be,
 * that was no crash but damage: the bytes from there on are set aside in a file of their own.
 *
 * The file is made with the first batch, and its folder synced, so that a queue which is only
 * looked at leaves nothing behind. After a failed write or sync it is cut back to the last good
 * batch. That a sync failed may mean that what was to be written is lost, though the kernel calls
 * it clean: so those bytes are never synced again, only cut off. */

#include "job-journal-private.h"

#include "job-error.h"
#include "job-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FILE_MAGIC "jobqjrnl"
#define FILE_VERSION 1
#define FILE_HEADER 16
#define BATCH_MAGIC "JBAT"
#define BATCH_HEADER 24
#define MAX_BATCH G_MAXINT32

struct _JobJournal
{
  char *path;
  int fd;           /* -1: there is no file yet */
  guint64 good_end; /* what comes from here on is not part of it */
  guint64 sequence; /* of the last good batch */
  gboolean broken;  /* it could not be cut back after a failure */
};

static void
put_u32 (guint8 *at, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (at, &value, 4);
}

static void
put_u64 (guint8 *at, guint64 value)
{
  value = GUINT64_TO_LE (value);
  memcpy (at, &value, 8);
}

static guint32
get_u32 (const guint8 *at)
{
  guint32 value;

  memcpy (&value, at, 4);
  return GUINT32_FROM_LE (value);
}

static guint64
get_u64 (const guint8 *at)
{
  guint64 value;

  memcpy (&value, at, 8);
  return GUINT64_FROM_LE (value);
}

static void
fill_file_header (guint8 header[FILE_HEADER])
{
  memcpy (header, FILE_MAGIC, 8);
  put_u32 (header + 8, FILE_VERSION);
  put_u32 (header + 12, crc32_z (0, header, 12));
}

static guint32
batch_crc (const guint8 *batch, gsize payload)
{
  guint32 crc = crc32_z (0, batch + 4, 16);

  return crc32_z (crc, batch + BATCH_HEADER, payload);
}

/* --- replay ----------------------------------------------------------------------------------- */

/* Whether a whole batch begins at @at, and how long it is. */
static gboolean
is_batch (const guint8 *data, gsize size, gsize at, gsize *length)
{
  const guint8 *batch = data + at;
  guint32 payload;

  if (size - at < BATCH_HEADER || memcmp (batch, BATCH_MAGIC, 4) != 0)
    return FALSE;
  payload = get_u32 (batch + 4);
  if (payload > size - at - BATCH_HEADER || get_u32 (batch + 20) != batch_crc (batch, payload))
    return FALSE;
  *length = BATCH_HEADER + payload;
  return TRUE;
}

static gboolean
has_batch_behind (const guint8 *data, gsize size, gsize at, guint64 sequence)
{
  const guint8 *found;
  gsize length;

  while (at < size && (found = memmem (data + at, size - at, BATCH_MAGIC, 4)))
    {
      at = found - data;
      if (is_batch (data, size, at, &length) && get_u64 (found + 8) > sequence)
        return TRUE;
      at++;
    }
  return FALSE;
}

static gboolean
show_batch (JobJournal *self, const guint8 *batch, gsize length, JobJournalVisitor visitor,
            gpointer data, GError **error)
{
  guint32 n_changes = get_u32 (batch + 16);
  gsize at = BATCH_HEADER;

  for (guint32 i = 0; i < n_changes; i++)
    {
      JobChange change = { 0 };
      gsize used;

      if (!job_change_decode (batch + at, length - at, &change, &used, error))
        {
          g_prefix_error (error, "Journal “%s”, byte %" G_GUINT64_FORMAT ": ", self->path,
                          self->good_end + at);
          return FALSE;
        }
      visitor (&change, (JobPlace){ self->good_end + at, used }, data);
      job_change_clear (&change);
      at += used;
    }
  return TRUE;
}

static gboolean
check_header (JobJournal *self, const guint8 *data, gsize size, gboolean *good, GError **error)
{
  *good = size >= FILE_HEADER && memcmp (data, FILE_MAGIC, 8) == 0 &&
          get_u32 (data + 12) == crc32_z (0, data, 12);
  if (!*good || get_u32 (data + 8) == FILE_VERSION)
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_VERSION,
               "Journal “%s” has format version %u, and this library knows version %d: open it "
               "with the newer "
               "library that wrote it, and close it there",
               self->path, get_u32 (data + 8), FILE_VERSION);
  return FALSE;
}

/* Damage: keeps the bytes that cannot be read, and what stands behind them, for somebody to look
 * at. */
static gboolean
set_aside (JobJournal *self, const guint8 *data, gsize size, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  guint number = 1;

  do
    {
      g_free (path);
      path = g_strdup_printf ("%s-damaged-%u", self->path, number++);
    }
  while (g_file_test (path, G_FILE_TEST_EXISTS));

  name = g_path_get_basename (path);
  if (!job_file_write_new (folder, name, data + self->good_end, size - self->good_end, error))
    return FALSE;
  g_warning ("Journal “%s” is damaged from byte %" G_GUINT64_FORMAT
             " on: what stands before was taken, the "
             "other %" G_GSIZE_FORMAT
             " bytes were set aside in “%s”. Changes that had been acknowledged are lost.",
             self->path, self->good_end, (gsize) (size - self->good_end), path);
  return TRUE;
}

static gboolean
cut_back (JobJournal *self, GError **error)
{
  if (ftruncate (self->fd, self->good_end) != 0)
    return job_file_set_error (error, errno, "truncate", self->path);
  if (fdatasync (self->fd) != 0)
    return job_file_set_error (error, errno, "sync", self->path);
  return TRUE;
}

/* Whether a crash can have left these bytes where the header should be: a beginning of it, or
 * nothing but zeros. */
static gboolean
is_torn_header (const guint8 *data, gsize size)
{
  guint8 header[FILE_HEADER], zeros[FILE_HEADER] = { 0 };

  fill_file_header (header);
  size = MIN (size, FILE_HEADER);
  return memcmp (data, header, size) == 0 || memcmp (data, zeros, size) == 0;
}

static gboolean
is_damage (JobJournal *self, const guint8 *data, gsize size)
{
  return (self->good_end == 0 && !is_torn_header (data, size)) ||
         has_batch_behind (data, size, self->good_end, self->sequence);
}

static gboolean
replay (JobJournal *self, const guint8 *data, gsize size, JobJournalVisitor visitor,
        gpointer user_data, GError **error)
{
  gboolean good;
  gsize length;

  if (!check_header (self, data, size, &good, error))
    return FALSE;
  if (good)
    self->good_end = FILE_HEADER;

  while (good && is_batch (data, size, self->good_end, &length))
    {
      guint64 sequence = get_u64 (data + self->good_end + 8);

      if (self->sequence != 0 && sequence != self->sequence + 1)
        break;
      if (!show_batch (self, data + self->good_end, length, visitor, user_data, error))
        return FALSE;
      self->good_end += length;
      self->sequence = sequence;
    }

  if (self->good_end == size)
    return TRUE;
  if (is_damage (self, data, size) && !set_aside (self, data, size, error))
    return FALSE;
  return cut_back (self, error);
}

static gboolean
read_at (JobJournal *self, guint64 offset, guint8 *data, gsize size, GError **error)
{
  gsize done = 0;

  while (done < size)
    {
      gssize n = pread (self->fd, data + done, size - done, offset + done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return job_file_set_error (error, n < 0 ? errno : EIO, "read", self->path);
      done += n;
    }
  return TRUE;
}

static gboolean
read_all (JobJournal *self, guint8 **data, gsize *size, GError **error)
{
  struct stat info;

  if (fstat (self->fd, &info) != 0)
    return job_file_set_error (error, errno, "look at", self->path);
  if (!S_ISREG (info.st_mode) || info.st_nlink != 1)
    {
      g_set_error (
          error, JOB_ERROR, JOB_ERROR_STORAGE,
          "“%s” is in the way of the journal: it is no regular file of its own; take it away",
          self->path);
      return FALSE;
    }

  *size = info.st_size;
  *data = g_malloc (MAX (*size, 1));
  return read_at (self, 0, *data, *size, error);
}

JobJournal *
job_journal_open (const char *path, JobJournalVisitor visitor, gpointer data, GError **error)
{
  g_autoptr (JobJournal) self = g_new0 (JobJournal, 1);
  g_autofree guint8 *bytes = NULL;
  gsize size = 0;

  self->path = g_strdup (path);
  self->fd = open (path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (self->fd < 0 && errno == ENOENT)
    return g_steal_pointer (&self);
  if (self->fd < 0)
    {
      job_file_set_error (error, errno, "open", path);
      return NULL;
    }
  if (!read_all (self, &bytes, &size, error) || !replay (self, bytes, size, visitor, data, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
job_journal_free (JobJournal *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
  g_free (self);
}

/* --- append ----------------------------------------------------------------------------------- */

static gboolean
create_file (JobJournal *self, GError **error)
{
  self->fd = open (self->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (self->fd < 0)
    return job_file_set_error (error, errno, "create", self->path);
  return TRUE;
}

/* Appends one batch to @bytes, which will be written at good_end. */
static gboolean
append_batch (JobJournal *self, GByteArray *bytes, const JobChange *changes, gsize n_changes,
              JobPlace *places, GError **error)
{
  guint8 header[BATCH_HEADER] = { 0 };
  gsize start = bytes->len;
  gsize payload;
  guint8 *batch;

  g_byte_array_append (bytes, header, sizeof header);
  for (gsize i = 0; i < n_changes; i++)
    {
      guint at = bytes->len;

      job_change_encode (&changes[i], bytes);
      places[i] = (JobPlace){ self->good_end + at, bytes->len - at };
      if (bytes->len > MAX_BATCH)
        {
          g_set_error (
              error, JOB_ERROR, JOB_ERROR_INVALID,
              "What was to be written at once is over %d bytes; enqueue fewer jobs in one call",
              MAX_BATCH);
          return FALSE;
        }
    }

  payload = bytes->len - start - BATCH_HEADER;
  batch = bytes->data + start;
  memcpy (batch, BATCH_MAGIC, 4);
  put_u32 (batch + 4, payload);
  put_u64 (batch + 8, self->sequence + 1);
  put_u32 (batch + 16, n_changes);
  put_u32 (batch + 20, batch_crc (batch, payload));
  return TRUE;
}

static gboolean
write_and_sync (JobJournal *self, const GByteArray *bytes, gboolean created, GError **error)
{
  if (lseek (self->fd, self->good_end, SEEK_SET) < 0)
    return job_file_set_error (error, errno, "seek in", self->path);
  if (!job_file_write_all (self->fd, bytes->data, bytes->len, self->path, error))
    return FALSE;
  if (fdatasync (self->fd) != 0)
    return job_file_set_error (error, errno, "sync", self->path);
  if (created)
    {
      g_autofree char *folder = g_path_get_dirname (self->path);

      return job_file_sync_folder (-1, folder, error);
    }
  return TRUE;
}

/* After a failed write: the journal ends where it did, or it is of no more use. */
static gboolean
take_back (JobJournal *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean done =
      self->good_end == 0 ? job_journal_remove (self, &failure) : cut_back (self, &failure);

  if (done)
    return TRUE;
  self->broken = TRUE;
  g_prefix_error (error,
                  "The outcome is unknown, since the journal could not be cut back either (%s): ",
                  failure->message);
  return FALSE;
}

gboolean
job_journal_append (JobJournal *self, const JobChange *changes, gsize n_changes, JobPlace *places,
                    gboolean *unknown, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gboolean created = self->good_end == 0;

  *unknown = self->broken;
  if (self->broken)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
                   "Journal “%s” failed before and cannot go on; close the queue and open it again",
                   self->path);
      return FALSE;
    }

  if (self->fd < 0 && !create_file (self, error))
    return FALSE;
  if (created)
    fill_file_header (g_byte_array_set_size (bytes, FILE_HEADER)->data);
  if (append_batch (self, bytes, changes, n_changes, places, error) &&
      write_and_sync (self, bytes, created, error))
    {
      self->good_end += bytes->len;
      self->sequence++;
      return TRUE;
    }

  *unknown = !take_back (self, error);
  return FALSE;
}

/* --- the rest --------------------------------------------------------------------------------- */

gboolean
job_journal_read (JobJournal *self, JobPlace place, JobChange *change, GError **error)
{
  g_autofree guint8 *bytes = g_malloc (place.length);
  gsize used;

  return read_at (self, place.offset, bytes, place.length, error) &&
         job_change_decode (bytes, place.length, change, &used, error);
}

guint64
job_journal_get_size (JobJournal *self)
{
  return self->good_end;
}

gboolean
job_journal_reset (JobJournal *self, GError **error)
{
  if (self->good_end == 0) /* there is no header yet, though there may be a file */
    return TRUE;
  self->good_end = FILE_HEADER;
  if (cut_back (self, error))
    return TRUE;
  self->broken = TRUE;
  return FALSE;
}

gboolean
job_journal_remove (JobJournal *self, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);

  if (self->fd < 0)
    return TRUE;
  close (self->fd);
  self->fd = -1;
  self->good_end = 0;
  self->sequence = 0;
  if (unlink (self->path) != 0)
    return job_file_set_error (error, errno, "remove", self->path);
  return job_file_sync_folder (-1, folder, error);
}
