/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The folder, and what is done to the files in it.
 *
 * Whoever can write to the folder can make the queue run anything, so that one which others can
 * write to, or which is a stranger's, is refused. In it, only a regular file of our own with one
 * name is taken for a job: never a link (which may point anywhere), a FIFO (whose opening would
 * block) or a file that somebody else can change. */

#include "job-fs-json-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_ATTEMPTS 16

/* Opening. */

/* *created: it was not there. */
static gboolean
make_folder (const char *path, gboolean *created, GError **error)
{
  *created = mkdir (path, 0700) == 0;
  if (*created || errno == EEXIST)
    return TRUE;
  if (errno != ENOENT)
    return job_file_set_error (error, errno, "create the folder", path);
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
               "Cannot create the folder “%s”: the folder that it is to be in does not exist; "
               "create that first",
               path);
  return FALSE;
}

static gboolean
check_folder (int fd, const char *path, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return job_file_set_error (error, errno, "look at the folder", path);
  return job_file_check_folder (&st, path, FALSE, error);
}

/* The folder's own entry must last as well, also if the process that created it died before this.
 * Who may not open the folder above did not create this one. */
static gboolean
sync_parent (const char *path, gboolean created, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);

  if (!created && access (parent, R_OK) != 0)
    return TRUE;
  return job_file_sync_folder (-1, parent, error);
}

static char *
find_real_path (int fd, const char *path)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  char *real = g_file_read_link (link, NULL);

  return real != NULL ? real : g_strdup (path);
}

static gboolean
open_folder (JobFsJsonFolder *self, const char *path, GError **error)
{
  gboolean created;

  if (!make_folder (path, &created, error))
    return FALSE;
  self->fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (self->fd < 0)
    return job_file_set_error (error, errno, "open the folder", path);
  if (created && fchmod (self->fd, 0700) != 0)
    return job_file_set_error (error, errno, "set the mode of the folder", path);
  self->path = find_real_path (self->fd, path);
  return check_folder (self->fd, path, error) && sync_parent (self->path, created, error) &&
         job_file_lock (self->fd, self->path, error);
}

JobFsJsonFolder *
job_fs_json_folder_open (const char *directory, GError **error)
{
  g_autoptr (JobFsJsonFolder) self = g_new0 (JobFsJsonFolder, 1);
  g_autofree char *path = g_canonicalize_filename (directory, NULL);

  self->fd = -1;
  return open_folder (self, path, error) ? g_steal_pointer (&self) : NULL;
}

void
job_fs_json_folder_free (JobFsJsonFolder *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
  g_free (self);
}

/* Names. */

void
job_fs_json_get_name (const JobId *id, char name[JOB_FS_JSON_NAME_SIZE])
{
  job_id_to_text (id, name);
  strcat (name, ".json");
}

gboolean
job_fs_json_parse_name (const char *name, JobId *id, const char **rest)
{
  char text[JOB_ID_TEXT_SIZE], canonical[JOB_FS_JSON_NAME_SIZE];

  if (strlen (name) < JOB_FS_JSON_NAME_SIZE - 1)
    return FALSE;
  memcpy (text, name, sizeof text - 1);
  text[sizeof text - 1] = '\0';
  if (!job_id_parse (text, "id", id, NULL))
    return FALSE;
  job_fs_json_get_name (id, canonical);
  *rest = name + strlen (canonical);
  return strncmp (name, canonical, strlen (canonical)) == 0;
}

char *
job_fs_json_folder_dup_path (JobFsJsonFolder *self, const char *name)
{
  g_autofree char *shown = g_filename_display_name (name);

  return g_build_filename (self->path, shown, NULL);
}

static gboolean
set_error (JobFsJsonFolder *self, GError **error, int saved_errno, const char *verb,
           const char *name)
{
  g_autofree char *path = job_fs_json_folder_dup_path (self, name);

  return job_file_set_error (error, saved_errno, verb, path);
}

/* Listing. */

gboolean
job_fs_json_folder_list (JobFsJsonFolder *self, JobFsJsonNameFunc func, gpointer data,
                         GError **error)
{
  /* A descriptor of its own: one that is shared shares its position, too. */
  int fd = openat (self->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;
  int saved_errno = errno;

  if (folder == NULL)
    {
      if (fd >= 0)
        close (fd);
      return job_file_set_error (error, saved_errno, "open the folder", self->path);
    }
  while (errno = 0, (entry = readdir (folder)) != NULL)
    if (!g_str_equal (entry->d_name, ".") && !g_str_equal (entry->d_name, ".."))
      func (entry, data);
  saved_errno = errno;
  closedir (folder);
  return saved_errno == 0 || job_file_set_error (error, saved_errno, "list the folder", self->path);
}

/* Reading. */

static JobFsJsonRead
classify_failure (JobFsJsonFolder *self, int saved_errno, const char *verb, const char *name,
                  GError **error)
{
  if (saved_errno == ENOENT)
    return JOB_FS_JSON_READ_ABSENT;
  if (saved_errno == ELOOP || saved_errno == ENXIO || saved_errno == EACCES ||
      saved_errno == EPERM || saved_errno == ENODEV || saved_errno == EISDIR)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "it cannot be opened as a regular file: %s",
                   saved_errno == ELOOP ? "it is a symbolic link" : g_strerror (saved_errno));
      return JOB_FS_JSON_READ_DAMAGED;
    }
  set_error (self, error, saved_errno, verb, name);
  if (saved_errno == EMFILE || saved_errno == ENFILE || saved_errno == ENOMEM)
    return JOB_FS_JSON_READ_HOPELESS;
  return JOB_FS_JSON_READ_FAILED;
}

static gboolean
check_file (const struct stat *st, GError **error)
{
  if (!S_ISREG (st->st_mode))
    g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "it is not a regular file");
  else if (st->st_nlink != 1)
    g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                 "it has %u names (hard links): a job file must have one", (guint) st->st_nlink);
  else if (st->st_uid != geteuid ())
    g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "it belongs to another user (%u)",
                 (guint) st->st_uid);
  else if (job_file_others_can_write (st))
    g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                 "others than its owner can write it (mode %04o): set it to 0600",
                 (guint) (st->st_mode & 07777));
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_size (const struct stat *st, GError **error)
{
  if (st->st_size == 0)
    g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "it is empty");
  else if (st->st_size > JOB_FS_JSON_MAX_FILE_SIZE)
    g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                 "it has %" G_GINT64_FORMAT " bytes: a job file has %d at most",
                 (gint64) st->st_size, JOB_FS_JSON_MAX_FILE_SIZE);
  else
    return TRUE;
  return FALSE;
}

/* An errno, or 0. */
static int
read_all (int fd, char *buffer, gsize size, gsize *length)
{
  *length = 0;
  while (*length < size)
    {
      gssize n = read (fd, buffer + *length, size - *length);

      if (n < 0 && errno != EINTR)
        return errno;
      if (n == 0)
        break;
      if (n > 0)
        *length += (gsize) n;
    }
  return 0;
}

/* *removed: the file has no name any more. */
static JobFsJsonRead
read_open_file (JobFsJsonFolder *self, int fd, const char *name, gboolean *removed, char **text,
                gsize *length, GError **error)
{
  g_autofree char *buffer = NULL;
  struct stat st;
  int failure;

  if (fstat (fd, &st) != 0)
    return classify_failure (self, errno, "look at", name, error);
  *removed = S_ISREG (st.st_mode) && st.st_nlink == 0;
  if (*removed)
    return JOB_FS_JSON_READ_ABSENT;
  if (!check_file (&st, error) || !check_size (&st, error))
    return JOB_FS_JSON_READ_DAMAGED;
  buffer = g_malloc ((gsize) st.st_size);
  failure = read_all (fd, buffer, (gsize) st.st_size, length);
  if (failure != 0)
    return classify_failure (self, failure, "read", name, error);
  *text = g_steal_pointer (&buffer);
  return JOB_FS_JSON_READ_OK;
}

static int
open_to_read (JobFsJsonFolder *self, const char *name)
{
  int fd;

  do
    fd = openat (self->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  return fd;
}

JobFsJsonRead
job_fs_json_folder_read (JobFsJsonFolder *self, const char *name, char **text, gsize *length,
                         GError **error)
{
  gboolean removed = FALSE;
  JobFsJsonRead result;

  *text = NULL;
  /* One that was replaced after it was opened is opened anew. */
  do
    {
      int fd = open_to_read (self, name);

      if (fd < 0)
        return classify_failure (self, errno, "open", name, error);
      result = read_open_file (self, fd, name, &removed, text, length, error);
      close (fd);
    }
  while (removed);
  return result;
}

/* Writing. */

static gboolean
write_open_file (JobFsJsonFolder *self, int fd, const char *name, const GString *text,
                 GError **error)
{
  g_autofree char *path = job_fs_json_folder_dup_path (self, name);
  gboolean ok = TRUE;

  /* Whatever the umask took away. */
  if (fchmod (fd, 0600) != 0)
    ok = job_file_set_error (error, errno, "set the mode of", path);
  ok = ok && job_file_write_all (fd, text->str, text->len, path, error);
  if (close (fd) != 0 && errno != EINTR && ok)
    ok = job_file_set_error (error, errno, "write", path);
  return ok;
}

gboolean
job_fs_json_folder_create (JobFsJsonFolder *self, const char *name, const GString *text,
                           gboolean *exists, GError **error)
{
  int fd;

  do
    fd = openat (self->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  while (fd < 0 && errno == EINTR);
  *exists = fd < 0 && errno == EEXIST;
  if (*exists)
    return FALSE;
  if (fd < 0)
    return set_error (self, error, errno, "create", name);
  if (write_open_file (self, fd, name, text, error))
    return TRUE;
  unlinkat (self->fd, name, 0); /* if that fails as well, it is a torn file: written over later */
  return FALSE;
}

char *
job_fs_json_folder_create_temporary (JobFsJsonFolder *self, const char *name, const GString *text,
                                     GError **error)
{
  for (guint i = 0; i < NAME_ATTEMPTS; i++)
    {
      g_autofree char *temporary =
          g_strdup_printf ("%s-%08x%08x.tmp", name, g_random_int (), g_random_int ());
      gboolean exists;

      if (job_fs_json_folder_create (self, temporary, text, &exists, error))
        return g_steal_pointer (&temporary);
      if (!exists)
        return NULL;
    }
  set_error (self, error, EEXIST, "create a temporary file for", name);
  return NULL;
}

gboolean
job_fs_json_folder_rename (JobFsJsonFolder *self, const char *from, const char *to, GError **error)
{
  return renameat (self->fd, from, self->fd, to) == 0 ||
         set_error (self, error, errno, "replace", to);
}

gboolean
job_fs_json_folder_remove (JobFsJsonFolder *self, const char *name, GError **error)
{
  struct stat st;

  if (fstatat (self->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT || set_error (self, error, errno, "look at", name);
  if (!check_file (&st, error))
    return FALSE;
  return unlinkat (self->fd, name, 0) == 0 || errno == ENOENT ||
         set_error (self, error, errno, "remove", name);
}

gboolean
job_fs_json_folder_sync_files (JobFsJsonFolder *self, GError **error)
{
  int synced;

  do
    synced = syncfs (self->fd);
  while (synced != 0 && errno == EINTR);
  return synced == 0 || job_file_set_error (error, errno, "sync the file system of", self->path);
}

gboolean
job_fs_json_folder_sync_names (JobFsJsonFolder *self, GError **error)
{
  return job_file_sync_folder (self->fd, self->path, error);
}
