/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A gdbm file as this backend uses it: written once (job-gdbm-writer.c), then only read.
 *
 * What is in it: for each job a record under the 16 bytes of its id (its value is the store's
 * matter), and one under "jobqueue" that describes the file, in ASCII:
 *
 *   VERSION " " COUNT       "1 4711": format 1, 4711 records beside this one
 *
 * It is written last. The count is what tells that an iteration saw everything: gdbm has no other
 * way to know of a bucket that was lost.
 *
 * What is to be known of gdbm 1.23:
 * - With a function for fatal errors it calls exit(1) after that function; with NULL it goes on and
 *   returns the error. So it is NULL here.
 * - After an error that it calls fatal, a handle refuses everything, also what could be read: then
 *   it is opened anew, from the same descriptor.
 * - Reads go by read(), not by a mapping, where a file that is shorter than it says, or a bad
 *   sector, would be a SIGBUS; and so do writes, where it would be a full disk. */

#include "job-gdbm-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gdbm.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a new file; not the file system's, so that files are alike. Larger ones were slower. */
#define BLOCK_SIZE 4096

struct _JobGdbmFile
{
  gatomicrefcount ref_count;
  GMutex lock;   /* guards dbf, for one record at a time */
  GDBM_FILE dbf; /* remembers where it is and what failed */

  /* Constant once other threads know of the file. */
  int fd;        /* of the file, whatever its name is by now */
  char *path;    /* for errors */
  guint64 size;  /* bytes */
  guint64 count; /* records that must be there */
  gboolean made_here;
};

/* A seek fails only for an offset that is none. */
static gboolean
is_storage_error (gdbm_error code)
{
  return code == GDBM_MALLOC_ERROR ||
         (code != GDBM_FILE_EOF && code != GDBM_FILE_SEEK_ERROR && gdbm_check_syserr (code));
}

/* With the cause that the system gave, if it did. */
static void
set_storage_error (GError **error, gdbm_error code, int saved_errno, const char *verb,
                   const char *path)
{
  gboolean from_system = gdbm_check_syserr (code) && saved_errno != 0;

  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE, "Cannot %s “%s”: %s%sgdbm: %s", verb, path,
               from_system ? g_strerror (saved_errno) : "", from_system ? "; " : "",
               gdbm_strerror (code));
}

void
job_gdbm_set_error (GError **error, gdbm_error code, int saved_errno, const char *verb,
                    const char *path)
{
  if (is_storage_error (code))
    set_storage_error (error, code, saved_errno, verb, path);
  else
    g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "Cannot %s “%s”: it is damaged (gdbm: %s)",
                 verb, path, gdbm_strerror (code));
}

gboolean
job_gdbm_fail (GDBM_FILE dbf, const char *verb, const char *path, GError **error)
{
  job_gdbm_set_error (error, gdbm_last_errno (dbf), gdbm_last_syserr (dbf), verb, path);
  return FALSE;
}

gboolean
job_gdbm_fail_to_write (GDBM_FILE dbf, const char *path, GError **error)
{
  set_storage_error (error, gdbm_last_errno (dbf), gdbm_last_syserr (dbf), "write", path);
  return FALSE;
}

datum
job_gdbm_to_datum (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  /* gdbm takes what is empty, but not NULL. */
  return (datum){ .dptr = size > 0 ? (char *) data : (char *) "", .dsize = (int) size };
}

/* gdbm's memory is malloc's, which g_free() takes as well. */
static GBytes *
take_datum (datum value)
{
  return g_bytes_new_take (value.dptr, (gsize) value.dsize);
}

static gboolean
is_meta (datum key)
{
  return key.dsize == JOB_GDBM_META_KEY_SIZE &&
         memcmp (key.dptr, JOB_GDBM_META_KEY, JOB_GDBM_META_KEY_SIZE) == 0;
}

/* A handle that reads @fd from its start. */
GDBM_FILE
job_gdbm_open_handle (int fd, const char *path, int flags, GError **error)
{
  int copy = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  GDBM_FILE dbf;

  if (copy < 0 || lseek (copy, 0, SEEK_SET) != 0)
    {
      job_file_set_error (error, errno, "open", path);
      if (copy >= 0)
        close (copy);
      return NULL;
    }
  dbf = gdbm_fd_open (copy, path, BLOCK_SIZE, flags | GDBM_NOLOCK | GDBM_NOMMAP | GDBM_CLOERROR,
                      NULL);
  if (dbf == NULL)
    job_gdbm_set_error (error, gdbm_errno, errno, "open", path);
  return dbf;
}

static gboolean
check_file (JobGdbmFile *self, GError **error)
{
  struct stat st;

  if (fstat (self->fd, &st) != 0)
    return job_file_set_error (error, errno, "examine", self->path);
  if (!job_file_check_private (&st, self->path, error))
    return FALSE;
  if (st.st_size == 0)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                   "“%s” is empty, which a job queue's file never is: remove it to begin anew",
                   self->path);
      return FALSE;
    }
  self->size = (guint64) st.st_size;
  return TRUE;
}

static gboolean
open_descriptor (JobGdbmFile *self, GError **error)
{
  /* O_NONBLOCK: not to wait at a FIFO. */
  self->fd = open (self->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (self->fd >= 0)
    return TRUE;
  if (errno == ENOENT)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "There is no “%s”", self->path);
  else if (errno == ELOOP)
    g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
                 "Cannot open “%s”: it is a symbolic link: name the file itself", self->path);
  else
    job_file_set_error (error, errno, "open", self->path);
  return FALSE;
}

static gboolean
refuse (JobGdbmFile *self, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
               "“%s” is not a jobqueue file: name another one, or move it away", self->path);
  return FALSE;
}

static gboolean
parse_meta (JobGdbmFile *self, datum value, GError **error)
{
  g_autofree char *text = g_strndup (value.dptr, (gsize) value.dsize);
  char *blank = strchr (text, ' ');
  guint64 version;

  if (blank != NULL)
    *blank = '\0';
  if (!g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT32, &version, NULL))
    return refuse (self, error);
  if (version > JOB_GDBM_VERSION)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_VERSION,
                   "“%s” has format version %" G_GUINT64_FORMAT
                   ", and this library knows %d: open it with the newer library that wrote it",
                   self->path, version, JOB_GDBM_VERSION);
      return FALSE;
    }
  if (blank == NULL ||
      !g_ascii_string_to_unsigned (blank + 1, 10, 0, G_MAXUINT64, &self->count, NULL))
    return refuse (self, error);
  return TRUE;
}

/* A file without a description is ours only if there is nothing in it. */
static gboolean
check_empty (JobGdbmFile *self, GError **error)
{
  datum key;

  if (gdbm_last_errno (self->dbf) != GDBM_ITEM_NOT_FOUND)
    return job_gdbm_fail (self->dbf, "read", self->path, error);
  key = gdbm_firstkey (self->dbf);
  if (key.dptr != NULL)
    {
      free (key.dptr);
      return refuse (self, error);
    }
  if (gdbm_last_errno (self->dbf) != GDBM_ITEM_NOT_FOUND)
    return job_gdbm_fail (self->dbf, "read", self->path, error);
  return TRUE;
}

static gboolean
read_meta (JobGdbmFile *self, GError **error)
{
  datum key = { .dptr = (char *) JOB_GDBM_META_KEY, .dsize = JOB_GDBM_META_KEY_SIZE };
  datum value = gdbm_fetch (self->dbf, key);
  gboolean done;

  if (value.dptr == NULL)
    return check_empty (self, error);
  done = parse_meta (self, value, error);
  free (value.dptr);
  return done;
}

static JobGdbmFile *
open_unchecked (const char *path, GError **error)
{
  g_autoptr (JobGdbmFile) self = g_new0 (JobGdbmFile, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->path = g_strdup (path);
  if (!open_descriptor (self, error) || !check_file (self, error))
    return NULL;
  self->dbf = job_gdbm_open_handle (self->fd, path, GDBM_READER, error);
  return self->dbf != NULL ? g_steal_pointer (&self) : NULL;
}

JobGdbmFile *
job_gdbm_file_open (const char *path, GError **error)
{
  g_autoptr (JobGdbmFile) self = open_unchecked (path, error);

  if (self == NULL || !read_meta (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

JobGdbmFile *
job_gdbm_file_open_recovered (const char *path, GError **error)
{
  g_autoptr (JobGdbmFile) self = open_unchecked (path, error);
  datum meta = { .dptr = (char *) JOB_GDBM_META_KEY, .dsize = JOB_GDBM_META_KEY_SIZE };
  gdbm_count_t n;

  if (self == NULL)
    return NULL;
  if (gdbm_count (self->dbf, &n) != 0)
    {
      job_gdbm_fail (self->dbf, "read", path, error);
      return NULL;
    }
  self->count = gdbm_exists (self->dbf, meta) ? n - 1 : n;
  return g_steal_pointer (&self);
}

JobGdbmFile *
job_gdbm_file_ref (JobGdbmFile *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
job_gdbm_file_unref (JobGdbmFile *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  /* Nothing was written, so nothing can fail that matters. */
  if (self->dbf != NULL)
    gdbm_close (self->dbf);
  if (self->fd >= 0)
    close (self->fd);
  g_mutex_clear (&self->lock);
  g_free (self->path);
  g_free (self);
}

int
job_gdbm_file_get_fd (JobGdbmFile *self)
{
  return self->fd;
}

guint64
job_gdbm_file_get_size (JobGdbmFile *self)
{
  return self->size;
}

guint64
job_gdbm_file_get_count (JobGdbmFile *self)
{
  return self->count;
}

gboolean
job_gdbm_file_is_made_here (JobGdbmFile *self)
{
  return self->made_here;
}

void
job_gdbm_file_set_made_here (JobGdbmFile *self)
{
  self->made_here = TRUE;
}

void
job_gdbm_file_set_path (JobGdbmFile *self, const char *path)
{
  g_free (self->path);
  self->path = g_strdup (path);
}

/* See the opening: a handle that met with damage is of no use any more. */
static gboolean
ensure_handle_locked (JobGdbmFile *self, GError **error)
{
  GDBM_FILE dbf;

  if (!gdbm_needs_recovery (self->dbf))
    return TRUE;
  dbf = job_gdbm_open_handle (self->fd, self->path, GDBM_READER, error);
  if (dbf == NULL)
    return FALSE;
  gdbm_close (self->dbf);
  self->dbf = dbf;
  return TRUE;
}

gboolean
job_gdbm_file_fetch (JobGdbmFile *self, GBytes *key, GBytes **value, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  datum found;

  *value = NULL;
  if (!ensure_handle_locked (self, error))
    return FALSE;
  found = gdbm_fetch (self->dbf, job_gdbm_to_datum (key));
  if (found.dptr != NULL)
    *value = take_datum (found);
  else if (gdbm_last_errno (self->dbf) != GDBM_ITEM_NOT_FOUND)
    return job_gdbm_fail (self->dbf, "read", self->path, error);
  return TRUE;
}

/* --- the iteration ---------------------------------------------------------------------------- */

/* The lock is held for a step only, so that whoever fetches a record waits for no more than one.
 * gdbm finds its place again by the last key. */
typedef struct
{
  JobGdbmFile *file;
  datum key;         /* where it is, owned; .dptr is NULL at the start */
  guint64 n;         /* records so far, that of the description aside */
  GBytes *key_bytes; /* of the record found, owned */
  GBytes *value;     /* owned */
} Walk;

static void
walk_clear (Walk *self)
{
  g_clear_pointer (&self->key_bytes, g_bytes_unref);
  g_clear_pointer (&self->value, g_bytes_unref);
  free (self->key.dptr);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Walk, walk_clear)

static gboolean
check_count_locked (const Walk *walk, GError **error)
{
  const JobGdbmFile *self = walk->file;

  if (gdbm_last_errno (self->dbf) != GDBM_ITEM_NOT_FOUND && walk->n <= self->count)
    return job_gdbm_fail (self->dbf, "read", self->path, error);
  if (walk->n == self->count)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
               "“%s” is damaged: it has %" G_GUINT64_FORMAT
               " records, of which %s%" G_GUINT64_FORMAT " can be read",
               self->path, self->count, walk->n > self->count ? "more than " : "",
               MIN (walk->n, self->count));
  return FALSE;
}

static void
go_to_next_key_locked (Walk *walk)
{
  GDBM_FILE dbf = walk->file->dbf;
  datum next = walk->key.dptr != NULL ? gdbm_nextkey (dbf, walk->key) : gdbm_firstkey (dbf);

  free (walk->key.dptr);
  walk->key = next;
}

/* The record that the key belongs to must be there. */
static gboolean
take_record_locked (Walk *walk, GError **error)
{
  datum found = gdbm_fetch (walk->file->dbf, walk->key);

  if (found.dptr == NULL)
    return job_gdbm_fail (walk->file->dbf, "read", walk->file->path, error);
  walk->key_bytes = g_bytes_new (walk->key.dptr, (gsize) walk->key.dsize);
  walk->value = take_datum (found);
  return TRUE;
}

/* Without a value: that was all. */
static gboolean
step (Walk *walk, GError **error)
{
  JobGdbmFile *self = walk->file;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_clear_pointer (&walk->key_bytes, g_bytes_unref);
  g_clear_pointer (&walk->value, g_bytes_unref);
  if (!ensure_handle_locked (self, error))
    return FALSE;
  do
    go_to_next_key_locked (walk);
  while (walk->key.dptr != NULL && is_meta (walk->key));
  /* A damaged file can lead round in circles: the count ends that. */
  if (walk->key.dptr == NULL || ++walk->n > self->count)
    return check_count_locked (walk, error);
  return take_record_locked (walk, error);
}

gboolean
job_gdbm_file_visit (JobGdbmFile *self, JobGdbmVisitor visitor, gpointer data, GError **error)
{
  g_auto (Walk) walk = { .file = self };
  GError *local = NULL;

  while (step (&walk, error))
    {
      if (walk.value == NULL)
        return TRUE;
      if (!visitor (walk.key_bytes, walk.value, data, &local))
        {
          if (local != NULL)
            g_propagate_error (error, local);
          return local == NULL;
        }
    }
  return FALSE;
}

/* Reads every bucket back. */
gboolean
job_gdbm_file_verify (JobGdbmFile *self, guint64 count, gboolean is_copy, GError **error)
{
  gdbm_count_t n;

  if (gdbm_count (self->dbf, &n) != 0)
    return is_copy ? job_gdbm_fail (self->dbf, "read", self->path, error)
                   : job_gdbm_fail_to_write (self->dbf, self->path, error);
  if (n == count + 1 && self->count == count)
    return TRUE;
  g_set_error (error, JOB_ERROR, is_copy ? JOB_ERROR_CORRUPT : JOB_ERROR_STORAGE,
               "Cannot write “%s”: %" G_GUINT64_FORMAT " records came back of %" G_GUINT64_FORMAT,
               self->path, (guint64) n, count + 1);
  return FALSE;
}
