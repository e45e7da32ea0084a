/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes what is damaged out of the folder: a rename where that works, else, for a regular file, a
 * copy that is durable before the original goes. Nothing is ever written over. */

#include "job-fs-json-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64 * 1024)

typedef struct
{
  JobFsJsonFolder *folder;
  const char *name;
  const char *from; /* where it is */
  const char *to;   /* where it shall be */
  int directory;    /* the folder where it shall be */
} Move;

static gboolean
set_exists (const Move *self, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_EXISTS,
               "“%s” is not moved, since “%s” exists: move it into another folder", self->from,
               self->to);
  return FALSE;
}

/* All of one descriptor's file to another's. */
static gboolean
copy_contents (const Move *self, int from, int to, GError **error)
{
  g_autofree char *chunk = g_malloc (CHUNK);

  for (;;)
    {
      gssize n = read (from, chunk, CHUNK);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return job_file_set_error (error, errno, "read", self->from);
      if (n == 0)
        return fsync (to) == 0 || job_file_set_error (error, errno, "sync", self->to);
      if (!job_file_write_all (to, chunk, (gsize) n, self->to, error))
        return FALSE;
    }
}

static gboolean
copy_to_new_file (const Move *self, int from, GError **error)
{
  int to = openat (self->directory, self->name,
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean ok;

  if (to < 0)
    return errno == EEXIST ? set_exists (self, error)
                           : job_file_set_error (error, errno, "create", self->to);
  ok = copy_contents (self, from, to, error);
  if (close (to) != 0 && errno != EINTR && ok)
    ok = job_file_set_error (error, errno, "write", self->to);
  if (!ok)
    unlinkat (self->directory, self->name, 0); /* only what was made here; the error is set */
  return ok;
}

static gboolean
copy_file (const Move *self, GError **error)
{
  struct stat st;
  gboolean ok;
  int from = openat (self->folder->fd, self->name,
                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

  if (from < 0)
    return job_file_set_error (error, errno, "open", self->from);
  if (fstat (from, &st) != 0 || !S_ISREG (st.st_mode))
    {
      g_set_error (
          error, JOB_ERROR, JOB_ERROR_STORAGE,
          "“%s” is not a regular file, and “%s” is on another file system: move it by hand",
          self->from, self->to);
      ok = FALSE;
    }
  else
    ok = copy_to_new_file (self, from, error);
  close (from);
  return ok;
}

static gboolean
copy_then_remove (const Move *self, GError **error)
{
  return copy_file (self, error) && job_file_sync_folder (self->directory, self->to, error) &&
         (unlinkat (self->folder->fd, self->name, 0) == 0 ||
          job_file_set_error (error, errno, "remove", self->from));
}

static gboolean
is_gone (const Move *self)
{
  struct stat st;

  return fstatat (self->folder->fd, self->name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static gboolean
rename_or_copy (const Move *self, GError **error)
{
  int failure;

  if (renameat2 (self->folder->fd, self->name, self->directory, self->name, RENAME_NOREPLACE) == 0)
    return job_file_sync_folder (self->directory, self->to, error);
  failure = errno;
  if (failure == EEXIST)
    return set_exists (self, error);
  /* Another file system, or one that cannot rename without replacing. */
  if (failure == EXDEV || failure == EINVAL || failure == ENOSYS)
    return copy_then_remove (self, error);
  if (failure == ENOENT && is_gone (self))
    return TRUE;
  return job_file_set_error (error, failure, "move", self->from);
}

gboolean
job_fs_json_folder_move_out (JobFsJsonFolder *self, const char *name, const char *directory,
                             GError **error)
{
  g_autofree char *from = job_fs_json_folder_dup_path (self, name);
  g_autofree char *to = g_build_filename (directory, name, NULL);
  Move move = { self, name, from, to, -1 };
  gboolean ok;

  move.directory = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (move.directory < 0)
    return job_file_set_error (error, errno, "open the folder", directory);
  ok = rename_or_copy (&move, error);
  close (move.directory);
  return ok && job_file_sync_folder (self->fd, self->path, error);
}
