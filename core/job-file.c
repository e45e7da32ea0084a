/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps on files that the journal and the stores share.
 *
 * The lock is flock(2): it belongs to the open file description, so that a second queue in the same
 * process is kept out as well, and the kernel frees it when the holder dies. Who holds it is told
 * by /proc/locks, whose lines name the device of the file system and the inode:
 *
 *   1: FLOCK  ADVISORY  WRITE 4711 fe:01:1835083 0 EOF
 *
 * The device there is that of the file system, which is not what fstat() says of a btrfs subvolume
 * or of some overlays; the mount table has it, at the mount that /proc/self/fdinfo names. The pid
 * is 0 or -1 for a holder that this process cannot see: then none is told.
 *
 * The lock of a store that is one file is on a file of its own, FILE.lock, which stays for ever: a
 * lock on FILE would stay with the old inode when a new file is renamed over it, and a lock file
 * that is removed can be locked by two at once. */

#include "job-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "job-error.h"

gboolean
job_file_set_error (GError **error, int saved_errno, const char *verb, const char *path)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE, "Cannot %s “%s”: %s", verb, path,
               g_strerror (saved_errno));
  return FALSE;
}

gboolean
job_file_write_all (int fd, gconstpointer data, gsize size, const char *path, GError **error)
{
  const guint8 *at = data;

  while (size > 0)
    {
      gssize n = write (fd, at, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return job_file_set_error (error, n < 0 ? errno : ENOSPC, "write", path);
      at += n;
      size -= (gsize) n;
    }
  return TRUE;
}

gboolean
job_file_sync_folder (int fd, const char *path, GError **error)
{
  int opened = -1, synced, saved_errno;

  if (fd < 0)
    {
      opened = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (opened < 0)
        return job_file_set_error (error, errno, "open the folder", path);
      fd = opened;
    }
  /* Never tried again after a failure: the kernel may then call lost data written. */
  synced = fsync (fd);
  saved_errno = errno;
  if (opened >= 0)
    close (opened);
  return synced == 0 || job_file_set_error (error, saved_errno, "sync the folder", path);
}

/* The first line of @text that begins with @prefix, after it; NULL if there is none. */
static const char *
find_line (const char *text, const char *prefix)
{
  gsize size = strlen (prefix);

  while (text != NULL && *text != '\0')
    {
      if (strncmp (text, prefix, size) == 0)
        return text + size;
      text = strchr (text, '\n');
      if (text != NULL)
        text++;
    }
  return NULL;
}

/* The device by which the kernel knows the file system of @fd; what fstat() said of it if the mount
 * table does not tell. */
static dev_t
find_device (int fd, dev_t fallback)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fdinfo/%d", fd);
  g_autofree char *info = NULL;
  g_autofree char *mounts = NULL;
  g_autofree char *prefix = NULL;
  const char *line;
  unsigned int mount, parent, major_number, minor_number;

  if (!g_file_get_contents (path, &info, NULL, NULL) ||
      !g_file_get_contents ("/proc/self/mountinfo", &mounts, NULL, NULL))
    return fallback;
  line = find_line (info, "mnt_id:");
  if (line == NULL || sscanf (line, "%u", &mount) != 1)
    return fallback;
  prefix = g_strdup_printf ("%u ", mount);
  line = find_line (mounts, prefix);
  if (line == NULL || sscanf (line, "%u %u:%u", &parent, &major_number, &minor_number) != 3)
    return fallback;
  return makedev (major_number, minor_number);
}

/* The pid of one line of /proc/locks, if it is a flock of that inode; else 0. */
static int
parse_lock (const char *line, dev_t device, ino_t inode)
{
  int pid;
  unsigned int major_number, minor_number;
  unsigned long long number;

  if (sscanf (line, "%*u: FLOCK %*s %*s %d %x:%x:%llu", &pid, &major_number, &minor_number,
              &number) != 4)
    return 0;
  if (makedev (major_number, minor_number) != device || number != inode)
    return 0;
  return MAX (pid, 0);
}

static int
find_holder (int fd)
{
  g_autofree char *locks = NULL;
  g_auto (GStrv) lines = NULL;
  struct stat st;
  dev_t device;
  int pid = 0;

  if (fstat (fd, &st) != 0 || !g_file_get_contents ("/proc/locks", &locks, NULL, NULL))
    return 0;
  device = find_device (fd, st.st_dev);
  lines = g_strsplit (locks, "\n", -1);
  for (gsize i = 0; lines[i] != NULL && pid == 0; i++)
    pid = parse_lock (lines[i], device, st.st_ino);
  return pid;
}

static gboolean
set_locked (int fd, const char *path, GError **error)
{
  int pid = find_holder (fd);

  if (pid == getpid ())
    g_set_error (error, JOB_ERROR, JOB_ERROR_LOCKED,
                 "“%s” is in use by another queue of this process (pid %d): close that one first",
                 path, pid);
  else if (pid > 0)
    g_set_error (error, JOB_ERROR, JOB_ERROR_LOCKED,
                 "“%s” is in use by the process with pid %d: wait for it to end, or stop it", path,
                 pid);
  else
    g_set_error (error, JOB_ERROR, JOB_ERROR_LOCKED,
                 "“%s” is in use by another process: wait for it to end, or stop it", path);
  return FALSE;
}

gboolean
job_file_lock (int fd, const char *path, GError **error)
{
  while (flock (fd, LOCK_EX | LOCK_NB) != 0)
    {
      if (errno == EINTR)
        continue;
      if (errno == EWOULDBLOCK)
        return set_locked (fd, path, error);
      return job_file_set_error (error, errno, "lock", path);
    }
  return TRUE;
}

static gboolean
find_and_check_folder (const char *folder, GError **error)
{
  struct stat st;

  if (stat (folder, &st) != 0)
    return job_file_set_error (error, errno, "find the folder", folder);
  return job_file_check_folder (&st, folder, TRUE, error);
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
job_file_lock_beside (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *lock_path = g_strconcat (path, ".lock", NULL);
  int fd;

  if (!find_and_check_folder (folder, error))
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

/* The owner of a folder can take out of it what he likes, sticky or not. */
gboolean
job_file_check_folder (const struct stat *st, const char *path, gboolean sticky_will_do,
                       GError **error)
{
  if (st->st_uid != geteuid () && st->st_uid != 0)
    g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
                 "Cannot keep jobs in “%s”: the folder belongs to user %u, who could change them: "
                 "use one of your own (user %u) or of root",
                 path, (guint) st->st_uid, (guint) geteuid ());
  else if (job_file_others_can_write (st) && !(sticky_will_do && (st->st_mode & S_ISVTX) != 0))
    g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
                 "Cannot keep jobs in “%s”: others than its owner can write the folder (mode "
                 "%04o), and so change them: take that right from them, as with “chmod go-w”",
                 path, (guint) (st->st_mode & 07777));
  else
    return TRUE;
  return FALSE;
}

gboolean
job_file_check_private (const struct stat *st, const char *path, GError **error)
{
  const char *complaint = NULL;

  if (S_ISLNK (st->st_mode))
    complaint = "it is a symbolic link: name the file itself";
  else if (!S_ISREG (st->st_mode))
    complaint = "it is not a regular file";
  else if (st->st_uid != geteuid ())
    complaint = "it belongs to another user";
  else if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
    complaint = "others can write it: take that right from them";
  if (complaint == NULL)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE, "Cannot open “%s”: %s", path, complaint);
  return FALSE;
}

static gboolean
fill_file (int fd, gconstpointer data, gsize size, const char *path, GError **error)
{
  if (!job_file_write_all (fd, data, size, path, error))
    return FALSE;
  return fsync (fd) == 0 || job_file_set_error (error, errno, "sync", path);
}

gboolean
job_file_write_new (const char *folder, const char *name, gconstpointer data, gsize size,
                    GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean done;

  if (fd < 0)
    return job_file_set_error (error, errno, "create", path);
  done = fill_file (fd, data, size, path, error);
  if (close (fd) != 0 && done)
    done = job_file_set_error (error, errno, "close", path);
  if (!done)
    unlink (path);
  return done && job_file_sync_folder (-1, folder, error);
}
