/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* gdbm's recovery walks the buckets and takes every record that it can read into a new file. It
 * works on a copy, FILE.new, which a crash may leave and the next opening removes (and gdbm's own
 * FILE.new.XXXXXX, which it does not; it is never read). The damaged file itself stays as it is. */

#include "job-gdbm-salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job-gdbm-file-private.h"

static gboolean
copy_file (JobGdbmFile *file, const char *path, GError **error)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean done;

  if (fd < 0)
    return job_file_set_error (error, errno, "create", path);
  done = fchmod (fd, 0600) == 0 || job_file_set_error (error, errno, "set the mode of", path);
  done = done && job_gdbm_copy_bytes (job_gdbm_file_get_fd (file), fd, path, error) &&
         (fsync (fd) == 0 || job_file_set_error (error, errno, "sync", path));
  if (close (fd) != 0 && done)
    done = job_file_set_error (error, errno, "close", path);
  if (!done)
    unlink (path);
  return done;
}

static gboolean
recover (const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  gdbm_recovery recovery;
  GDBM_FILE dbf;
  gboolean done;

  if (fd < 0)
    return job_file_set_error (error, errno, "open", path);
  dbf = job_gdbm_open_handle (fd, path, GDBM_WRITER, error);
  close (fd);
  if (dbf == NULL)
    return FALSE;
  done = gdbm_recover (dbf, &recovery, GDBM_RCVR_FORCE) == 0 ||
         job_gdbm_fail (dbf, "recover", path, error);
  gdbm_close (dbf);
  return done;
}

static JobGdbmFile *
recover_copy (JobGdbmFile *file, const char *path, GError **error)
{
  JobGdbmFile *recovered = NULL;

  if (!copy_file (file, path, error))
    return NULL;
  if (recover (path, error))
    recovered = job_gdbm_file_open_recovered (path, error);
  unlink (path);
  return recovered;
}

JobGdbmFile *
job_gdbm_salvage (JobGdbmFile *file, const char *path, const char *directory, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *kept = g_strdup_printf ("%s/%s.damaged", directory, name);
  g_autofree char *work = g_strconcat (path, ".new", NULL);
  JobGdbmFile *recovered = NULL;

  if (!copy_file (file, kept, error))
    return NULL;
  if (job_file_sync_folder (-1, directory, error))
    recovered = recover_copy (file, work, error);
  /* The damaged file stays where it is: then the copy is one too many. */
  if (recovered == NULL)
    unlink (kept);
  else
    job_gdbm_file_set_path (recovered, path);
  return recovered;
}
