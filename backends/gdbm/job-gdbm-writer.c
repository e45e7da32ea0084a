/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The making of a gdbm file, from nothing, or from the bytes of one that was made here before.
 *
 * Such a copy costs a fraction of storing its records anew, at five system calls each. But it is
 * only added to, for three reasons. Where gdbm 1.23 takes freed space back into use, it has an
 * error: it may join a block with what lies before its table of them (1.25 corrects that). A file
 * whose records were replaced by others of another size was seen to grow to four times what is in
 * it; one that is only added to stays as large as one from nothing, however often it was copied,
 * and needs no bound. And a checkpoint is due when as much has changed as the file has: with most
 * of its records replaced, a copy saves nothing. (The one record that is replaced is the
 * description; with a digit more, that frees some bytes.)
 *
 * gdbm_store() and gdbm_sync() may return success after a failed write of a bucket or of the
 * header: so gdbm's state is looked at after each, and the file is read back and counted in the
 * end. That its pages reached the disk is known from fsync() of a descriptor of our own, which was
 * opened before the first write: the error of a page is told once to each open descriptor, and
 * gdbm's own may have swallowed it.
 *
 * The kernel is told to begin with the writing as the file grows: else all of it would be left to
 * that fsync(), and the journal's would queue behind some hundred megabytes. */

#include "job-gdbm-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_OUT_SIZE (4 * 1024 * 1024)

struct _JobGdbmWriter
{
  GDBM_FILE dbf;
  int fd;
  char *path;
  guint64 count;
  guint64 n_bytes;  /* of records that came since … */
  off_t written;    /* … the kernel was told to write the file up to here */
  gboolean is_copy; /* then what gdbm minds may be in the base, and is told as damage */
  gboolean finished;
};

static gboolean
fail (JobGdbmWriter *self, GError **error)
{
  return self->is_copy ? job_gdbm_fail (self->dbf, "write", self->path, error)
                       : job_gdbm_fail_to_write (self->dbf, self->path, error);
}

/* The descriptor that fsync() is called on. */
static gboolean
create_file (JobGdbmWriter *self, GError **error)
{
  self->fd = open (self->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (self->fd < 0)
    {
      self->finished = TRUE; /* nothing of ours is there to be removed */
      return job_file_set_error (error, errno, "create", self->path);
    }
  if (fchmod (self->fd, 0600) != 0)
    return job_file_set_error (error, errno, "set the mode of", self->path);
  return TRUE;
}

/* gdbm's descriptor, which must not be a copy of ours. */
static gboolean
open_handle (JobGdbmWriter *self, int flags, GError **error)
{
  int fd = open (self->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

  if (fd < 0)
    return job_file_set_error (error, errno, "open", self->path);
  self->dbf = job_gdbm_open_handle (fd, self->path, flags, error);
  close (fd);
  return self->dbf != NULL;
}

JobGdbmWriter *
job_gdbm_writer_new (const char *path, GError **error)
{
  g_autoptr (JobGdbmWriter) self = g_new0 (JobGdbmWriter, 1);

  self->path = g_strdup (path);
  if (!create_file (self, error) || !open_handle (self, GDBM_WRCREAT, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
copy_base (JobGdbmWriter *self, JobGdbmFile *base, GError **error)
{
  if (!job_gdbm_copy_bytes (job_gdbm_file_get_fd (base), self->fd, self->path, error))
    return FALSE;
  self->written = lseek (self->fd, 0, SEEK_CUR);
  if ((guint64) self->written == job_gdbm_file_get_size (base))
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "Cannot write “%s”: its base changed its size",
               self->path);
  return FALSE;
}

JobGdbmWriter *
job_gdbm_writer_new_copy (const char *path, JobGdbmFile *base, GError **error)
{
  g_autoptr (JobGdbmWriter) self = g_new0 (JobGdbmWriter, 1);

  self->path = g_strdup (path);
  self->is_copy = TRUE;
  self->count = job_gdbm_file_get_count (base);
  if (!create_file (self, error) || !copy_base (self, base, error) ||
      !open_handle (self, GDBM_WRITER, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
job_gdbm_writer_free (JobGdbmWriter *self)
{
  if (self->dbf != NULL)
    gdbm_close (self->dbf);
  if (self->fd >= 0)
    close (self->fd);
  if (!self->finished)
    unlink (self->path);
  g_free (self->path);
  g_free (self);
}

static gboolean
store (JobGdbmWriter *self, datum key, datum value, int mode, GError **error)
{
  int result = gdbm_store (self->dbf, key, value, mode);

  if (result > 0)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "Cannot write “%s”: a record came twice",
                   self->path);
      return FALSE;
    }
  /* It may also return success after a failed write, and refuse the next record, without the cause.
   */
  if (result == 0 && !gdbm_needs_recovery (self->dbf))
    return TRUE;
  return fail (self, error);
}

/* Only a hint: an error of a page comes at the fsync(). */
static void
write_out (JobGdbmWriter *self)
{
  off_t end = lseek (self->fd, 0, SEEK_END);

  if (end > self->written)
    sync_file_range (self->fd, self->written, end - self->written, SYNC_FILE_RANGE_WRITE);
  self->written = end;
  self->n_bytes = 0;
}

gboolean
job_gdbm_writer_add (JobGdbmWriter *self, GBytes *key, GBytes *value, GError **error)
{
  /* gdbm counts in int, key and value together. */
  if (g_bytes_get_size (key) + g_bytes_get_size (value) > G_MAXINT)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
                   "Cannot write “%s”: a job of %" G_GSIZE_FORMAT " bytes is too large for gdbm",
                   self->path, g_bytes_get_size (value));
      return FALSE;
    }
  if (!store (self, job_gdbm_to_datum (key), job_gdbm_to_datum (value), GDBM_INSERT, error))
    return FALSE;
  self->count++;
  self->n_bytes += g_bytes_get_size (value);
  if (self->n_bytes >= WRITE_OUT_SIZE)
    write_out (self);
  return TRUE;
}

/* Writes the description and gives the file's pages to the kernel. */
static gboolean
seal (JobGdbmWriter *self, GError **error)
{
  g_autofree char *meta = g_strdup_printf ("%d %" G_GUINT64_FORMAT, JOB_GDBM_VERSION, self->count);
  datum key = { .dptr = (char *) JOB_GDBM_META_KEY, .dsize = JOB_GDBM_META_KEY_SIZE };
  datum value = { .dptr = meta, .dsize = (int) strlen (meta) };

  if (!store (self, key, value, GDBM_REPLACE, error))
    return FALSE;
  if (gdbm_sync (self->dbf) != 0 || gdbm_last_errno (self->dbf) != GDBM_NO_ERROR ||
      gdbm_needs_recovery (self->dbf))
    return fail (self, error);
  if (gdbm_close (g_steal_pointer (&self->dbf)) != 0)
    {
      job_gdbm_set_error (error, gdbm_errno, errno, "close", self->path);
      return FALSE;
    }
  if (fsync (self->fd) != 0)
    return job_file_set_error (error, errno, "sync", self->path);
  return TRUE;
}

JobGdbmFile *
job_gdbm_writer_finish (JobGdbmWriter *self, GError **error)
{
  g_autoptr (JobGdbmFile) file = NULL;

  if (!seal (self, error))
    return NULL;
  file = job_gdbm_file_open (self->path, error);
  if (file == NULL || !job_gdbm_file_verify (file, self->count, self->is_copy, error))
    return NULL;
  job_gdbm_file_set_made_here (file);
  self->finished = TRUE;
  return g_steal_pointer (&file);
}
