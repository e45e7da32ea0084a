/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is read of a job beside a change of it is its file as it was before the change, or as it is
 * after that. The lock is never held while a file is touched:
 *
 *   - a new file grows where it stays: who writes it, and who reads that job, wait for each other;
 *   - a temporary file is in the table once it is whole;
 *   - who reads may find the temporary file gone. Then there is a newer one, which the table has;
 *     or it took the job's name, and is found there: the table forgets it after the renaming. */

#include "job-fs-json-files.h"

struct _JobFsJsonFiles
{
  JobFsJsonFolder *folder; /* constant */

  GMutex lock;           /* guards the rest */
  GHashTable *pending;   /* JobId to the name of the temporary file that has its newest text */
  GSList *reading;       /* of JobId, the readers': whose file is being read */
  const JobId *creating; /* whose file is being written where it stays, or about to be; or NULL */
  GCond changed;         /* … either of them */
};

JobFsJsonFiles *
job_fs_json_files_new (JobFsJsonFolder *folder)
{
  JobFsJsonFiles *self = g_new0 (JobFsJsonFiles, 1);

  self->folder = folder;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->pending = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, g_free);
  return self;
}

void
job_fs_json_files_free (JobFsJsonFiles *self)
{
  g_hash_table_unref (self->pending);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* The name of the job's temporary file, or NULL. */
static char *
dup_pending (JobFsJsonFiles *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_strdup (g_hash_table_lookup (self->pending, id));
}

gboolean
job_fs_json_files_is_pending (JobFsJsonFiles *self, const JobId *id, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_strcmp0 (g_hash_table_lookup (self->pending, id), name) == 0;
}

static JobFsJsonRead
read_newest (JobFsJsonFiles *self, const JobId *id, char **text, gsize *length, GError **error)
{
  char name[JOB_FS_JSON_NAME_SIZE];

  job_fs_json_get_name (id, name);
  for (;;)
    {
      g_autofree char *pending = dup_pending (self, id);
      JobFsJsonRead result = job_fs_json_folder_read (
          self->folder, pending != NULL ? pending : name, text, length, error);

      if (pending == NULL || result != JOB_FS_JSON_READ_ABSENT)
        return result;
      if (job_fs_json_files_is_pending (self, id, pending))
        return job_fs_json_folder_read (self->folder, name, text, length, error);
    }
}

static void
begin_reading (JobFsJsonFiles *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->creating != NULL && job_id_equal (self->creating, id))
    g_cond_wait (&self->changed, &self->lock);
  self->reading = g_slist_prepend (self->reading, (gpointer) id);
}

static void
end_reading (JobFsJsonFiles *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->reading = g_slist_remove (self->reading, id);
  if (self->creating != NULL)
    g_cond_broadcast (&self->changed);
}

JobFsJsonRead
job_fs_json_files_read (JobFsJsonFiles *self, const JobId *id, char **text, gsize *length,
                        GError **error)
{
  JobFsJsonRead result;

  begin_reading (self, id);
  result = read_newest (self, id, text, length, error);
  end_reading (self, id);
  return result;
}

static gboolean
is_read_locked (JobFsJsonFiles *self, const JobId *id)
{
  for (GSList *l = self->reading; l != NULL; l = l->next)
    if (job_id_equal (l->data, id))
      return TRUE;
  return FALSE;
}

/* Readers who come now wait already. */
static void
begin_creating (JobFsJsonFiles *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->creating = id;
  while (is_read_locked (self, id))
    g_cond_wait (&self->changed, &self->lock);
}

static void
end_creating (JobFsJsonFiles *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->creating = NULL;
  g_cond_broadcast (&self->changed);
}

static gboolean
has_pending (JobFsJsonFiles *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_hash_table_contains (self->pending, id);
}

/* Where the file stays. *exists: there is one, and nothing was done. */
static gboolean
create_in_place (JobFsJsonFiles *self, const JobId *id, const GString *text, gboolean *exists,
                 GError **error)
{
  char name[JOB_FS_JSON_NAME_SIZE];
  gboolean created;

  job_fs_json_get_name (id, name);
  begin_creating (self, id);
  created = job_fs_json_folder_create (self->folder, name, text, exists, error);
  end_creating (self);
  return created;
}

gboolean
job_fs_json_files_create (JobFsJsonFiles *self, const JobId *id, const GString *text,
                          GError **error)
{
  gboolean exists = has_pending (self, id);

  if (!exists && create_in_place (self, id, text, &exists, error))
    return TRUE;
  return exists && job_fs_json_files_replace (self, id, text, error);
}

/* Returns the name that was there, or NULL. */
static char *
set_pending (JobFsJsonFiles *self, const JobId *id, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  char *old = g_strdup (g_hash_table_lookup (self->pending, id));

  g_hash_table_replace (self->pending, g_memdup2 (id, sizeof *id), g_strdup (name));
  return old;
}

gboolean
job_fs_json_files_replace (JobFsJsonFiles *self, const JobId *id, const GString *text,
                           GError **error)
{
  g_autofree char *temporary = NULL;
  g_autofree char *old = NULL;
  char name[JOB_FS_JSON_NAME_SIZE];

  job_fs_json_get_name (id, name);
  temporary = job_fs_json_folder_create_temporary (self->folder, name, text, error);
  if (temporary == NULL)
    return FALSE;
  old = set_pending (self, id, temporary);
  /* One that cannot be removed now is a left-over at the next visit. */
  if (old != NULL)
    job_fs_json_folder_remove (self->folder, old, NULL);
  return TRUE;
}

static void
forget (JobFsJsonFiles *self, GHashTableIter *iter)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_hash_table_iter_remove (iter);
}

/* Nobody else changes the table, so that it can be walked without the lock. */
gboolean
job_fs_json_files_settle (JobFsJsonFiles *self, GError **error)
{
  GHashTableIter iter;
  gpointer id, temporary;

  g_hash_table_iter_init (&iter, self->pending);
  while (g_hash_table_iter_next (&iter, &id, &temporary))
    {
      char name[JOB_FS_JSON_NAME_SIZE];

      job_fs_json_get_name (id, name);
      if (!job_fs_json_folder_rename (self->folder, temporary, name, error))
        return FALSE;
      forget (self, &iter);
    }
  return TRUE;
}
