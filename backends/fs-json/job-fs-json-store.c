/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store: a folder with a file for each job, in the seed's format (docs/fs-json.md).
 *
 *   apply, a new job       <id>.json, written where it stays
 *   apply, a new status    <id>.json-<random>.tmp, with all that the old file said; "pending"
 *   checkpoint             syncfs; then each pending file takes its name; then fsync of the folder
 *
 * Until a checkpoint is through, the journal has all of it, so that a torn new file is written
 * again, and a temporary file that is left over is worth nothing. An old file is never changed in
 * place: it is whole before the rename, and after it. Between the two, a job is read from its
 * pending file.
 *
 * Of the jobs, only who depends on whom stays in memory. The calls never overlap, so that nothing
 * is guarded. */

#include "job-fs-json-store.h"

#include <string.h>

#include "job-fs-json-damage.h"
#include "job-fs-json-folder.h"
#include "job-fs-json-record.h"

#define LARGE_TEXT (4 * 1024 * 1024) /* the buffer of a larger one is not kept */
#define JOURNAL_NAME "journal"

struct _JobFsJsonStore
{
  JobStore parent_instance;

  JobFsJsonFolder *folder;       /* NULL: closed */
  GHashTable *pending;           /* JobId to the name of the temporary file that has its new text */
  JobFsJsonDamageTable *damaged; /* NULL: closed */
  JobDependents *dependents;
  GString *text;        /* what is being written */
  gboolean mapped;      /* the dependents of all files are known */
  gboolean dirty;       /* something was applied since the last checkpoint */
  gboolean sync_failed; /* what was written may be lost, whatever a later sync says */
};

/* clang-format off */
G_DEFINE_FINAL_TYPE (JobFsJsonStore, job_fs_json_store, JOB_TYPE_STORE)
/* clang-format on */

static GPtrArray *
job_fs_json_store_list_damaged (JobStore *store)
{
  return job_fs_json_damage_table_list (JOB_FS_JSON_STORE (store)->damaged);
}

static gboolean
job_fs_json_store_move_damaged (JobStore *store, JobDamage *damage, const char *directory,
                                GError **error)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (store);
  const char *name = job_fs_json_damage_table_find (self->damaged, damage);

  if (name == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND, "“%s” is not listed as damaged",
                   job_damage_get_location (damage));
      return FALSE;
    }
  if (!job_fs_json_folder_move_out (self->folder, name, directory, error))
    return FALSE;
  job_fs_json_damage_table_remove (self->damaged, name);
  return TRUE;
}

/* Reading. */

static JobFsJsonRead
read_text (JobFsJsonStore *self, const JobId *id, const char *name, const char **text,
           gsize *length, GError **error)
{
  const char *pending = g_hash_table_lookup (self->pending, id);

  return job_fs_json_folder_read (self->folder, pending != NULL ? pending : name, text, length,
                                  error);
}

/* One job, its damage noted. */
static JobFsJsonRead
read_job (JobFsJsonStore *self, const JobId *id, JobRecord **record, JobStatus *status,
          GError **error)
{
  g_autoptr (GError) cause = NULL;
  char name[JOB_FS_JSON_NAME_SIZE];
  const char *text;
  gsize length;
  JobFsJsonRead result;

  job_fs_json_get_name (id, name);
  result = read_text (self, id, name, &text, &length, &cause);
  if (result == JOB_FS_JSON_READ_OK &&
      !job_fs_json_record_parse (text, length, id, record, status, &cause))
    result = JOB_FS_JSON_READ_DAMAGED;
  if (result == JOB_FS_JSON_READ_OK)
    job_fs_json_damage_table_remove (self->damaged, name);
  else if (result == JOB_FS_JSON_READ_DAMAGED)
    {
      g_autofree char *path = job_fs_json_folder_dup_path (self->folder, name);

      job_fs_json_damage_table_add (self->damaged, name, id, cause->message);
      g_prefix_error (&cause, "The job file “%s” cannot be used: ", path);
    }
  if (cause != NULL)
    g_propagate_error (error, g_steal_pointer (&cause));
  return result;
}

static gboolean
job_fs_json_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                        GError **error)
{
  JobFsJsonRead result;

  *record = NULL;
  result = read_job (JOB_FS_JSON_STORE (store), id, record, status, error);
  return result == JOB_FS_JSON_READ_OK || result == JOB_FS_JSON_READ_ABSENT;
}

static void
job_fs_json_store_list_dependents (JobStore *store, const JobId *id, GArray *ids)
{
  job_dependents_list (JOB_FS_JSON_STORE (store)->dependents, id, ids);
}

/* Visiting: the names first, then the files in the order of their inodes, which is about that in
 * which they lie on the disk. */

typedef struct
{
  ino_t inode;
  JobId id;
} Found;

typedef struct
{
  JobFsJsonStore *store;
  GArray *jobs;         /* of Found */
  GPtrArray *leftovers; /* names */
} Listing;

static gboolean
is_pending (JobFsJsonStore *self, const JobId *id, const char *name)
{
  return g_strcmp0 (g_hash_table_lookup (self->pending, id), name) == 0;
}

static void
take_name (const struct dirent *entry, gpointer data)
{
  Listing *listing = data;
  const char *name = entry->d_name, *rest;
  Found found = { .inode = entry->d_ino };

  if (!job_fs_json_parse_name (name, &found.id, &rest))
    {
      if (g_str_has_prefix (name, JOURNAL_NAME "-damaged-"))
        job_fs_json_damage_table_add (listing->store->damaged, name, NULL,
                                      "it was set aside from a damaged journal");
      else if (!g_str_has_prefix (name, JOURNAL_NAME))
        job_fs_json_damage_table_add (listing->store->damaged, name, NULL,
                                      "it is not named as a job: <id>.json");
    }
  else if (*rest == '\0')
    g_array_append_val (listing->jobs, found);
  else if (!g_str_has_suffix (rest, ".tmp"))
    job_fs_json_damage_table_add (listing->store->damaged, name, NULL,
                                  "it is not named as a job: <id>.json");
  else if (!is_pending (listing->store, &found.id, name))
    g_ptr_array_add (listing->leftovers, g_strdup (name));
}

/* Of writes that never were, ours or the seed's: the journal had them, or nobody was told. */
static void
remove_leftovers (Listing *listing)
{
  for (guint i = 0; i < listing->leftovers->len; i++)
    {
      const char *name = g_ptr_array_index (listing->leftovers, i);
      g_autoptr (GError) error = NULL;

      if (job_fs_json_folder_remove (listing->store->folder, name, &error))
        job_fs_json_damage_table_remove (listing->store->damaged, name);
      else
        job_fs_json_damage_table_add (listing->store->damaged, name, NULL, error->message);
    }
}

static int
compare_inodes (gconstpointer a, gconstpointer b)
{
  ino_t x = ((const Found *) a)->inode, y = ((const Found *) b)->inode;

  return x < y ? -1 : x > y;
}

/* FALSE without an error: the visitor wants no more. */
static gboolean
visit_job (JobFsJsonStore *self, const JobId *id, gboolean everything, JobStoreVisitor visitor,
           gpointer data, GError **error)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) cause = NULL;
  JobFsJsonRead result = read_job (self, id, &record, &status, &cause);

  if (result == JOB_FS_JSON_READ_HOPELESS)
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  if (result == JOB_FS_JSON_READ_FAILED)
    {
      char name[JOB_FS_JSON_NAME_SIZE];

      job_fs_json_get_name (id, name);
      job_fs_json_damage_table_add (self->damaged, name, id, cause->message);
    }
  if (result != JOB_FS_JSON_READ_OK)
    return TRUE;
  if (!self->mapped)
    job_dependents_add (self->dependents, record);
  return (!everything && job_state_is_final (status.state)) || visitor (record, &status, data);
}

static gboolean
visit_jobs (JobFsJsonStore *self, GArray *jobs, gboolean everything, JobStoreVisitor visitor,
            gpointer data, GError **error)
{
  GError *cause = NULL;

  g_array_sort (jobs, compare_inodes);
  for (guint i = 0; i < jobs->len; i++)
    if (!visit_job (self, &g_array_index (jobs, Found, i).id, everything, visitor, data, &cause))
      {
        if (cause != NULL)
          g_propagate_error (error, cause);
        return cause == NULL;
      }
  self->mapped = TRUE;
  return TRUE;
}

static gboolean
job_fs_json_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor,
                         gpointer data, GError **error)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (store);
  g_autoptr (GArray) jobs = g_array_new (FALSE, FALSE, sizeof (Found));
  g_autoptr (GPtrArray) leftovers = g_ptr_array_new_with_free_func (g_free);
  Listing listing = { self, jobs, leftovers };

  if (!job_fs_json_folder_list (self->folder, take_name, &listing, error))
    return FALSE;
  remove_leftovers (&listing);
  return visit_jobs (self, jobs, everything, visitor, data, error);
}

/* Applying. */

static GArray *
list_dependents (JobFsJsonStore *self, const JobId *id)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (JobId));

  job_dependents_list (self->dependents, id, ids);
  return ids;
}

/* An empty text, in a buffer that did not stay as large as the largest job. */
static GString *
begin_text (JobFsJsonStore *self)
{
  if (self->text->allocated_len > LARGE_TEXT)
    {
      g_string_free (self->text, TRUE);
      self->text = g_string_new (NULL);
    }
  return g_string_truncate (self->text, 0);
}

/* What was pending for the job is out of date. A file that cannot be removed now is a left-over at
 * the next visit. */
static void
drop_pending (JobFsJsonStore *self, const JobId *id)
{
  const char *name = g_hash_table_lookup (self->pending, id);

  if (name == NULL)
    return;
  job_fs_json_folder_remove (self->folder, name, NULL);
  g_hash_table_remove (self->pending, id);
}

/* The text takes the place of what is there at the next checkpoint. */
static gboolean
write_pending (JobFsJsonStore *self, const JobId *id, const char *name, GError **error)
{
  char *temporary = job_fs_json_folder_create_temporary (self->folder, name, self->text, error);

  if (temporary == NULL)
    return FALSE;
  drop_pending (self, id);
  g_hash_table_insert (self->pending, g_memdup2 (id, sizeof *id), temporary);
  return TRUE;
}

static gboolean
apply_new (JobFsJsonStore *self, const JobChange *change, GError **error)
{
  g_autoptr (GArray) dependents = list_dependents (self, &change->id);
  char name[JOB_FS_JSON_NAME_SIZE];
  gboolean exists;

  job_fs_json_get_name (&change->id, name);
  job_fs_json_record_write (change->record, &change->status, dependents, begin_text (self));
  if (!g_hash_table_contains (self->pending, &change->id))
    {
      if (job_fs_json_folder_create (self->folder, name, self->text, &exists, error))
        return TRUE;
      if (!exists)
        return FALSE;
    }
  return write_pending (self, &change->id, name, error);
}

/* A record that is damaged by now costs that one record: the change is lost with it, and the rest
 * goes on. */
static gboolean
skip_damaged (JobFsJsonStore *self, const JobChange *change, const char *name, GError *cause)
{
  job_fs_json_damage_table_add (self->damaged, name, &change->id, cause->message);
  g_warning ("The change of a job to “%s” is lost, since its file %s/%s is damaged: %s",
             job_state_to_string (change->status.state), self->folder->path, name, cause->message);
  return TRUE;
}

static gboolean
apply_status (JobFsJsonStore *self, const JobChange *change, GError **error)
{
  g_autoptr (GArray) dependents = list_dependents (self, &change->id);
  g_autoptr (GError) cause = NULL;
  char name[JOB_FS_JSON_NAME_SIZE];
  const char *text;
  gsize length;
  JobFsJsonRead result;

  job_fs_json_get_name (&change->id, name);
  result = read_text (self, &change->id, name, &text, &length, &cause);
  if (result == JOB_FS_JSON_READ_ABSENT)
    g_set_error (&cause, JOB_ERROR, JOB_ERROR_CORRUPT, "it is gone");
  else if (result == JOB_FS_JSON_READ_FAILED || result == JOB_FS_JSON_READ_HOPELESS)
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  if (result == JOB_FS_JSON_READ_OK &&
      job_fs_json_record_update (text, length, &change->id, &change->status, dependents,
                                 begin_text (self), &cause))
    return write_pending (self, &change->id, name, error);
  return skip_damaged (self, change, name, cause);
}

static gboolean
job_fs_json_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (store);

  /* First, so that a file names those of its dependents that come with it. */
  for (gsize i = 0; i < n_changes; i++)
    if (changes[i].record != NULL)
      job_dependents_add (self->dependents, changes[i].record);
  self->dirty = self->dirty || n_changes > 0;
  for (gsize i = 0; i < n_changes; i++)
    if (!(changes[i].record != NULL ? apply_new (self, &changes[i], error)
                                    : apply_status (self, &changes[i], error)))
      return FALSE;
  return TRUE;
}

/* Checkpoints. */

static gboolean
rename_pending (JobFsJsonStore *self, GError **error)
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
      g_hash_table_iter_remove (&iter);
    }
  return TRUE;
}

static gboolean
set_sync_failed (JobFsJsonStore *self, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
               "An earlier sync of “%s” failed, so that what was written may be lost: close the "
               "queue and open it again, which takes it from the journal",
               self->folder->path);
  return FALSE;
}

static gboolean
job_fs_json_store_checkpoint (JobStore *store, GError **error)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (store);

  if (self->sync_failed)
    return set_sync_failed (self, error);
  if (!self->dirty)
    return TRUE;
  self->sync_failed = !job_fs_json_folder_sync_files (self->folder, error);
  if (self->sync_failed || !rename_pending (self, error))
    return FALSE;
  self->sync_failed = !job_fs_json_folder_sync_names (self->folder, error);
  self->dirty = self->sync_failed;
  return !self->sync_failed;
}

static char *
job_fs_json_store_dup_journal_path (JobStore *store)
{
  return g_build_filename (JOB_FS_JSON_STORE (store)->folder->path, JOURNAL_NAME, NULL);
}

static gboolean
job_fs_json_store_close (JobStore *store, gboolean clean, GError **error)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (store);

  g_clear_pointer (&self->damaged, job_fs_json_damage_table_free);
  g_clear_pointer (&self->folder, job_fs_json_folder_free);
  return TRUE;
}

static void
job_fs_json_store_finalize (GObject *object)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (object);

  g_clear_pointer (&self->damaged, job_fs_json_damage_table_free);
  g_clear_pointer (&self->folder, job_fs_json_folder_free);
  g_hash_table_unref (self->pending);
  job_dependents_free (self->dependents);
  g_string_free (self->text, TRUE);
  G_OBJECT_CLASS (job_fs_json_store_parent_class)->finalize (object);
}

static void
job_fs_json_store_class_init (JobFsJsonStoreClass *klass)
{
  JobStoreClass *store_class = JOB_STORE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = job_fs_json_store_finalize;
  store_class->dup_journal_path = job_fs_json_store_dup_journal_path;
  store_class->visit = job_fs_json_store_visit;
  store_class->apply = job_fs_json_store_apply;
  store_class->checkpoint = job_fs_json_store_checkpoint;
  store_class->read = job_fs_json_store_read;
  store_class->list_dependents = job_fs_json_store_list_dependents;
  store_class->list_damaged = job_fs_json_store_list_damaged;
  store_class->move_damaged = job_fs_json_store_move_damaged;
  store_class->close = job_fs_json_store_close;
}

static void
job_fs_json_store_init (JobFsJsonStore *self)
{
  self->pending = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, g_free);
  self->dependents = job_dependents_new ();
  self->text = g_string_new (NULL);
}

JobStore *
job_fs_json_store_new (const char *directory, GError **error)
{
  JobFsJsonFolder *folder = job_fs_json_folder_open (directory, error);
  JobFsJsonStore *self;

  if (folder == NULL)
    return NULL;
  self = g_object_new (JOB_TYPE_FS_JSON_STORE, NULL);
  self->folder = folder;
  self->damaged = job_fs_json_damage_table_new (folder);
  return JOB_STORE (self);
}
