/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The file, all numbers little-endian:
 *
 *   0   8  "jobqjrnl"
 *   8   4  version of this format: 1
 *   12  4  0
 *   16  8  number of the segment
 *   24  4  0
 *   28  4  CRC-32 of the 28 bytes before
 *   32     batches, one behind the other
 *   …      zeros, or batches of an earlier life of the file, which have a lower number
 *
 * A batch:
 *
 *   0   4  "JBAT"
 *   4   4  length of the changes in bytes
 *   8   8  sequence number: one more than that of the batch before
 *   16  8  number of the segment
 *   24  4  number of changes; 0: it only voids what the segment before has under this sequence
 *          number, and behind it
 *   28  4  CRC-32 of the bytes 4 to 27, continued over the changes
 *   32     the changes, as job_change_encode() writes them
 *
 * A batch is acknowledged when fdatasync() has returned, and the next one is not written before
 * that. So whatever a crash leaves, only the last batch can be torn, and what comes before it is
 * whole. Whole batches behind a torn one were no crash, but damage.
 *
 * Blocks are written (as zeros) before a batch needs them, and a file that was used is used again:
 * writing over blocks and fdatasync() is faster than growing a file, where the file system has its
 * own journal to write. A disk that is full is found out then, when nothing of a batch is written.
 *
 * If a crash tears the header, the file was just made, and has no batch; or it was about to be used
 * again, and the store has all that is in it: then its first batch tells the number that it had, so
 * that it is applied once more, in its place. */

#include "job-segment-private.h"

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
#define BATCH_MAGIC "JBAT"
#define MIN_GROWTH (64 * 1024)
#define MAX_GROWTH (1024 * 1024)

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

void
job_segment_init (JobSegment *self, char *path)
{
  *self = (JobSegment){ .path = path, .fd = -1, .end = JOB_SEGMENT_HEADER };
}

void
job_segment_clear (JobSegment *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  g_clear_pointer (&self->path, g_free);
}

void
job_segment_content_clear (JobSegmentContent *self)
{
  g_clear_pointer (&self->bytes, g_free);
}

/* --- reading ---------------------------------------------------------------------------------- */

gboolean
job_segment_read (JobSegment *self, guint64 offset, guint8 *data, gsize size, GError **error)
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
read_all (JobSegment *self, JobSegmentContent *content, GError **error)
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
  /* Whoever can write it can make the queue run anything. */
  if (!job_file_check_private (&info, self->path, error))
    return FALSE;

  content->size = self->prepared = info.st_size;
  content->bytes = g_malloc (MAX (content->size, 1));
  return job_segment_read (self, 0, content->bytes, content->size, error);
}

static guint32
batch_crc (const guint8 *batch, gsize length)
{
  guint32 crc = crc32_z (0, batch + 4, 24);

  return crc32_z (crc, batch + JOB_BATCH_HEADER, length);
}

/* Whether a whole batch begins at @at, under whatever number. */
static gboolean
is_batch (const JobSegmentContent *content, gsize at)
{
  const guint8 *batch = content->bytes + at;
  guint32 length;

  if (content->size < at || content->size - at < JOB_BATCH_HEADER ||
      memcmp (batch, BATCH_MAGIC, 4) != 0)
    return FALSE;
  length = get_u32 (batch + 4);
  return length <= content->size - at - JOB_BATCH_HEADER &&
         get_u32 (batch + 28) == batch_crc (batch, length);
}

JobBatchHeader
job_segment_get_batch (const JobSegmentContent *content, gsize at)
{
  const guint8 *batch = content->bytes + at;

  return (JobBatchHeader){ get_u32 (batch + 4), get_u64 (batch + 8), get_u32 (batch + 24) };
}

static guint64
get_number (const JobSegmentContent *content, gsize at)
{
  return get_u64 (content->bytes + at + 16);
}

/* Numbers begin with 1, and none comes near the end of 64 bits: there could be no next one. */
static gboolean
is_possible (guint64 number)
{
  return number > 0 && number >> 62 == 0;
}

/* The whole batches from the beginning on, as long as they follow on each other. */
static void
find_end (JobSegment *self, JobSegmentContent *content)
{
  while (is_batch (content, self->end) && get_number (content, self->end) == self->number)
    {
      JobBatchHeader batch = job_segment_get_batch (content, self->end);

      if (!is_possible (batch.sequence) ||
          (content->first_sequence != 0 && batch.sequence != content->last_sequence + 1))
        return;
      if (content->first_sequence == 0)
        {
          content->first_sequence = batch.sequence;
          content->first_is_void = batch.n_changes == 0;
        }
      content->last_sequence = batch.sequence;
      content->last_at = self->end;
      self->end += JOB_BATCH_HEADER + batch.length;
    }
}

/* One that the file has in this life: under another number it is left over from an earlier one.
 * (Sequence number 0, which there is not, passes for the greatest.) */
static gboolean
has_batch_behind (const JobSegment *self, const JobSegmentContent *content)
{
  gsize at = self->end;
  const guint8 *found;

  while (at < content->size &&
         (found = memmem (content->bytes + at, content->size - at, BATCH_MAGIC, 4)))
    {
      at = found - content->bytes;
      if (is_batch (content, at) &&
          (self->number == 0 ||
           (get_number (content, at) == self->number &&
            job_segment_get_batch (content, at).sequence - 1 >= content->last_sequence)))
        return TRUE;
      at++;
    }
  return FALSE;
}

static gboolean
has_good_header (const JobSegmentContent *content)
{
  return content->size >= JOB_SEGMENT_HEADER && memcmp (content->bytes, FILE_MAGIC, 8) == 0 &&
         get_u32 (content->bytes + 28) == crc32_z (0, content->bytes, 28);
}

/* Whether a crash can have left this where the header should be: some of the beginning that all
 * headers share, and zeros behind, or all of that, and anything. */
static gboolean
is_torn_header (const JobSegmentContent *content)
{
  static const guint8 beginning[12] = FILE_MAGIC "\1";
  gsize size = MIN (content->size, JOB_SEGMENT_HEADER), at = 0;

  while (at < MIN (size, sizeof beginning) && content->bytes[at] == beginning[at])
    at++;
  if (at == sizeof beginning)
    return TRUE;
  while (at < size && content->bytes[at] == 0)
    at++;
  return at == size;
}

static gboolean
check_version (JobSegment *self, const JobSegmentContent *content, GError **error)
{
  guint32 version = get_u32 (content->bytes + 8);

  if (version == FILE_VERSION)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_VERSION,
               "Journal “%s” has format version %u, and this library knows version %d: open it "
               "with the newer library that wrote it, and close it there",
               self->path, version, FILE_VERSION);
  return FALSE;
}

static gboolean
find_batches (JobSegment *self, JobSegmentContent *content, GError **error)
{
  gboolean good = has_good_header (content);

  if (good && !check_version (self, content, error))
    return FALSE;
  if (good)
    self->number = get_u64 (content->bytes + 16);
  else if (is_batch (content, JOB_SEGMENT_HEADER))
    self->number = get_number (content, JOB_SEGMENT_HEADER);
  if (!is_possible (self->number))
    self->number = 0;

  if (self->number > 0)
    find_end (self, content);
  else
    self->end = 0;
  content->damaged = has_batch_behind (self, content) ||
                     (self->number == 0 && (good || !is_torn_header (content)));
  return TRUE;
}

gboolean
job_segment_open (JobSegment *self, JobSegmentContent *content, GError **error)
{
  *content = (JobSegmentContent){ 0 };
  self->fd = open (self->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (self->fd < 0 && errno == ENOENT)
    return TRUE;
  if (self->fd < 0)
    return job_file_set_error (error, errno, "open", self->path);
  return read_all (self, content, error) && find_batches (self, content, error);
}

/* --- writing ---------------------------------------------------------------------------------- */

static gboolean
write_at (JobSegment *self, guint64 offset, gconstpointer data, gsize size, GError **error)
{
  if (lseek (self->fd, offset, SEEK_SET) < 0)
    return job_file_set_error (error, errno, "seek in", self->path);
  return job_file_write_all (self->fd, data, size, self->path, error);
}

static gboolean
sync_data (JobSegment *self, GError **error)
{
  return fdatasync (self->fd) == 0 || job_file_set_error (error, errno, "sync", self->path);
}

gboolean
job_segment_cut (JobSegment *self, guint64 at, GError **error)
{
  if (ftruncate (self->fd, at) != 0)
    return job_file_set_error (error, errno, "truncate", self->path);
  if (!sync_data (self, error))
    return FALSE;
  self->end = self->prepared = at;
  return TRUE;
}

static gboolean
write_header (JobSegment *self, guint64 number, GError **error)
{
  guint8 header[JOB_SEGMENT_HEADER] = FILE_MAGIC;

  put_u32 (header + 8, FILE_VERSION);
  put_u64 (header + 16, number);
  put_u32 (header + 28, crc32_z (0, header, 28));
  return write_at (self, 0, header, sizeof header, error) && sync_data (self, error);
}

static gboolean
sync_folder (JobSegment *self, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);

  return job_file_sync_folder (-1, folder, error);
}

/* Only the last batch, the header and the name can be in doubt: nothing is written behind a batch
 * that is not durable. The same bytes over the same bytes: a crash on the way tears nothing. */
gboolean
job_segment_settle (JobSegment *self, const JobSegmentContent *content, GError **error)
{
  if (self->fd < 0)
    return TRUE;
  if (has_good_header (content) && !write_at (self, 0, content->bytes, JOB_SEGMENT_HEADER, error))
    return FALSE;
  if (content->last_at > 0 && content->last_at < self->end &&
      !write_at (self, content->last_at, content->bytes + content->last_at,
                 self->end - content->last_at, error))
    return FALSE;
  return sync_data (self, error) && sync_folder (self, error);
}

/* Whatever the umask took away. */
static gboolean
set_mode (JobSegment *self, GError **error)
{
  struct stat info;

  if (fstat (self->fd, &info) != 0)
    return job_file_set_error (error, errno, "look at", self->path);
  return (info.st_mode & 07777) == 0600 || fchmod (self->fd, 0600) == 0 ||
         job_file_set_error (error, errno, "set the mode of", self->path);
}

/* The header is durable before there is a batch: what is torn there has no batch. */
static gboolean
create_file (JobSegment *self, GError **error)
{
  if (!job_segment_remove (self, error))
    return FALSE;
  self->fd = open (self->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (self->fd < 0)
    return job_file_set_error (error, errno, "create", self->path);
  self->end = self->prepared = JOB_SEGMENT_HEADER;
  if (set_mode (self, error) && write_header (self, self->number, error) &&
      sync_folder (self, error))
    return TRUE;
  job_segment_remove (self, NULL);
  return FALSE;
}

/* After a failure the file is as long as it was, or has zeros behind it, which are nothing. */
static gboolean
grow_to (JobSegment *self, guint64 size, GError **error)
{
  static const guint8 zeros[MIN_GROWTH];

  for (guint64 at = self->prepared; at < size; at += sizeof zeros)
    if (!write_at (self, at, zeros, MIN (sizeof zeros, size - at), error))
      {
        if (ftruncate (self->fd, self->prepared) != 0)
          g_info ("Zeros stay at the end of “%s”", self->path);
        return FALSE;
      }
  self->prepared = size;
  return TRUE;
}

gboolean
job_segment_prepare (JobSegment *self, gsize length, guint64 wanted, GError **error)
{
  guint64 needed, more;

  if (self->fd < 0 && !create_file (self, error))
    return FALSE;
  needed = self->end + length;
  if (needed <= self->prepared)
    return TRUE;

  more = self->prepared + CLAMP (self->prepared, MIN_GROWTH, MAX_GROWTH);
  return grow_to (self, MAX (needed, MIN (more, wanted)), NULL) || grow_to (self, needed, error);
}

void
job_segment_begin_batch (GByteArray *buffer)
{
  g_byte_array_set_size (buffer, JOB_BATCH_HEADER);
  memset (buffer->data, 0, JOB_BATCH_HEADER);
}

gboolean
job_segment_write (JobSegment *self, GByteArray *buffer, guint64 sequence, guint32 n_changes,
                   GError **error)
{
  guint8 *batch = buffer->data;
  gsize length = buffer->len - JOB_BATCH_HEADER;

  memcpy (batch, BATCH_MAGIC, 4);
  put_u32 (batch + 4, length);
  put_u64 (batch + 8, sequence);
  put_u64 (batch + 16, self->number);
  put_u32 (batch + 24, n_changes);
  put_u32 (batch + 28, batch_crc (batch, length));
  if (!write_at (self, self->end, buffer->data, buffer->len, error) || !sync_data (self, error))
    return FALSE;
  self->end += buffer->len;
  return TRUE;
}

/* --- the end of a life ------------------------------------------------------------------------ */

/* The space of a batch that was very large. */
static void
shrink (JobSegment *self, guint64 keep)
{
  if (self->fd < 0 || self->prepared <= keep)
    return;
  if (ftruncate (self->fd, keep) == 0)
    self->prepared = keep;
  else
    g_info ("“%s” stays larger than it should be", self->path);
}

/* The header first: as long as it has the old number, all the batches have to be there. */
gboolean
job_segment_recycle (JobSegment *self, guint64 number, guint64 keep, GError **error)
{
  if (self->fd >= 0 && !write_header (self, number, error))
    return FALSE;
  self->number = number;
  self->end = JOB_SEGMENT_HEADER;
  shrink (self, keep);
  return TRUE;
}

gboolean
job_segment_remove (JobSegment *self, GError **error)
{
  if (self->fd < 0 && !self->left_over)
    return TRUE;
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  self->end = JOB_SEGMENT_HEADER;
  self->prepared = 0;
  self->left_over = unlink (self->path) != 0;
  if (self->left_over)
    return job_file_set_error (error, errno, "remove", self->path);
  return sync_folder (self, error);
}
