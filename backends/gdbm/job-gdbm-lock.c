/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lock of a gdbm file is on a file of its own, FILE.lock, which stays for ever: a lock on FILE
 * would stay with the old inode when a new file is renamed over it, and a lock file that is removed
 * can be locked by two at once. */

#include "job-gdbm-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where others could put files, they could put ours aside. */
static gboolean
check_folder (const char *folder, GError **error)
{
  struct stat st;

  if (stat (folder, &st) != 0)
    return job_file_set_error (error, errno, "find the folder", folder);
  if ((st.st_mode & S_IWOTH) == 0 || (st.st_mode & S_ISVTX) != 0)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
               "Cannot keep jobs in “%s”: anybody can write that folder: take that right from them",
               folder);
  return FALSE;
}

static gboolean
check_lock_file (int fd, const char *path, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return job_file_set_error (error, errno, "examine", path);
  if (!S_ISREG (st.st_mode) || st.st_uid != geteuid ())
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
                   "Cannot lock “%s”: it is not a regular file of this user", path);
      return FALSE;
    }
  return fchmod (fd, 0600) == 0 || job_file_set_error (error, errno, "set the mode of", path);
}

int
job_gdbm_lock (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *lock_path = g_strconcat (path, ".lock", NULL);
  int fd;

  if (!check_folder (folder, error))
    return -1;
  fd = open (lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      job_file_set_error (error, errno, "open", lock_path);
      return -1;
    }
  if (check_lock_file (fd, lock_path, error) && job_file_lock (fd, path, error))
    return fd;
  close (fd);
  return -1;
}
