/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where modules are: in the folders that the application added, then in those of an environment
 * variable, then in the compiled-in one.
 *
 * A module runs with all the rights of its process. So a name is never a path, and a file counts
 * only if nobody but root and the process's own user can have put it there or changed it: a regular
 * file (no link), owned by one of the two, in a folder owned by one of the two, neither of them
 * writable by anybody else. The environment is not heard where the process has more rights than its
 * caller. */

#include "job-plugin-path.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job-error.h"
#include "job-file.h"
#include "job-plugin-path-private.h"

#define MODULE_SUFFIX ".so"

static GMutex folders_lock;
static GPtrArray *backend_folders; /* folders_lock: absolute paths, or NULL for none yet */
static GPtrArray *plugin_folders;  /* folders_lock: the same */

static void
add_folder (GPtrArray **folders, const char *folder)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&folders_lock);
  g_autofree char *path = g_canonicalize_filename (folder, NULL);

  if (*folders == NULL)
    *folders = g_ptr_array_new_with_free_func (g_free);
  if (!g_ptr_array_find_with_equal_func (*folders, path, g_str_equal, NULL))
    g_ptr_array_add (*folders, g_steal_pointer (&path));
}

static void
append_added (GPtrArray *folders, JobPluginKind kind)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&folders_lock);
  GPtrArray *added = kind == JOB_PLUGIN_BACKEND ? backend_folders : plugin_folders;

  for (guint i = 0; added != NULL && i < added->len; i++)
    g_ptr_array_add (folders, g_strdup (g_ptr_array_index (added, i)));
}

static void
append_environment (GPtrArray *folders, const char *variable)
{
  const char *value = getauxval (AT_SECURE) != 0 ? NULL : g_getenv (variable);
  g_auto (GStrv) items = g_strsplit (value != NULL ? value : "", ":", -1);

  for (guint i = 0; items[i] != NULL; i++)
    if (items[i][0] != '\0')
      g_ptr_array_add (folders, g_canonicalize_filename (items[i], NULL));
}

char **
job_plugin_dup_folders (JobPluginKind kind)
{
  gboolean backend = kind == JOB_PLUGIN_BACKEND;
  GPtrArray *folders = g_ptr_array_new ();

  append_added (folders, kind);
  append_environment (folders, backend ? "JOBQUEUE_BACKEND_PATH" : "JOBQUEUE_PLUGIN_PATH");
  g_ptr_array_add (folders, g_strdup (backend ? JOB_BACKEND_DIR : JOB_PLUGIN_DIR));
  g_ptr_array_add (folders, NULL);

  return (char **) g_ptr_array_free (folders, FALSE);
}

gboolean
job_plugin_name_is_valid (const char *name)
{
  return name[0] != '\0' && name[strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static void
list_folder (const char *folder, GHashTable *names)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *file;

  while (dir != NULL && (file = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *name = NULL;

      if (!g_str_has_suffix (file, MODULE_SUFFIX))
        continue;
      name = g_strndup (file, strlen (file) - strlen (MODULE_SUFFIX));
      if (job_plugin_name_is_valid (name))
        g_hash_table_add (names, g_steal_pointer (&name));
    }
}

void
job_plugin_list_files (JobPluginKind kind, GHashTable *names)
{
  g_auto (GStrv) folders = job_plugin_dup_folders (kind);

  for (guint i = 0; folders[i] != NULL; i++)
    list_folder (folders[i], names);
}

static gboolean
check_trusted (const char *file, const char *path, const struct stat *status, GError **error)
{
  if (status->st_uid != 0 && status->st_uid != geteuid ())
    g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
                 "Cannot load the module “%s”: “%s” is owned by user %u; it must be owned by root "
                 "or by user %u, as whom this process runs",
                 file, path, (guint) status->st_uid, (guint) geteuid ());
  else if (job_file_others_can_write (status))
    g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
                 "Cannot load the module “%s”: “%s” can be written by other users (mode %04o); "
                 "take that right away, for example with “chmod go-w”",
                 file, path, (guint) (status->st_mode & 07777));
  else
    return TRUE;

  return FALSE;
}

static gboolean
check_stat (const char *file, const char *path, int result, GError **error)
{
  int saved_errno = errno;

  if (result == 0)
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
               "Cannot load the module “%s”: cannot look at “%s”: %s; correct its permissions, or "
               "take its folder out of the search path",
               file, path, g_strerror (saved_errno));
  return FALSE;
}

static gboolean
check_file (const char *folder, const char *file, const struct stat *status, GError **error)
{
  struct stat folder_status;

  if (!S_ISREG (status->st_mode))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
                   "Cannot load the module “%s”: it is not a regular file; put the module itself "
                   "there, no link to it",
                   file);
      return FALSE;
    }

  return check_trusted (file, file, status, error) &&
         check_stat (file, folder, stat (folder, &folder_status), error) &&
         check_trusted (file, folder, &folder_status, error);
}

char *
job_plugin_find_file (JobPluginKind kind, const char *name, GError **error)
{
  g_auto (GStrv) folders = job_plugin_dup_folders (kind);

  for (guint i = 0; folders[i] != NULL; i++)
    {
      g_autofree char *file = g_strconcat (folders[i], "/", name, MODULE_SUFFIX, NULL);
      struct stat status;
      int result = lstat (file, &status);

      if (result != 0 && (errno == ENOENT || errno == ENOTDIR))
        continue;
      if (check_stat (file, file, result, error) && check_file (folders[i], file, &status, error))
        return g_steal_pointer (&file);
      return NULL;
    }

  return NULL;
}

/**
 * job_add_backend_folder:
 * @folder: (type filename): a folder with backends; a relative one counts from the current one
 *
 * Adds a folder in which backends are looked for.
 *
 * Folders are searched in this order: those that were added, in the order in which they were; those
 * in the environment variable `JOBQUEUE_BACKEND_PATH`, separated by colons (it is ignored in a
 * process with more rights than its caller, such as a setuid one); the one that was compiled in.
 * The first that has a file of the backend's name counts. The folder and the file must be owned by
 * root or by the effective user, and nobody else may be able to write them; that is checked when a
 * backend is loaded, and a folder need not exist yet.
 *
 * May be called from any thread, at any time. A backend that is loaded already stays as it is.
 *
 * Since: 1.0
 */
void
job_add_backend_folder (const char *folder)
{
  g_return_if_fail (folder != NULL);

  add_folder (&backend_folders, folder);
}

/**
 * job_add_plugin_folder:
 * @folder: (type filename): a folder with plugins; a relative one counts from the current one
 *
 * Adds a folder in which plugins other than backends, such as handlers, are looked for.
 *
 * What job_add_backend_folder() says goes for this one too; the environment variable is
 * `JOBQUEUE_PLUGIN_PATH`.
 *
 * May be called from any thread, at any time. A plugin that is loaded already stays as it is.
 *
 * Since: 1.0
 */
void
job_add_plugin_folder (const char *folder)
{
  g_return_if_fail (folder != NULL);

  add_folder (&plugin_folders, folder);
}
