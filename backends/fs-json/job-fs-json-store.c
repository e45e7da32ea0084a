/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store: a folder with a file for each job, in the seed's format (docs/fs-json.md).
 *
 *   apply, a new job       <id>.json, written where it stays
 *   apply, a new status    <id>.json-<random>.tmp, with all that the old file said; "pending"
 *   checkpoint             syncfs; then each pending file takes its name; then fsync of the folder
 *
 * Most of the syncing is done beside apply (job-fs-json-syncer.c).
 *
 * Until a checkpoint is through, the journal has all of it, so that a torn new file is written
 * again, and a temporary file that is left over is worth nothing. An old file is never changed in
 * place: it is whole before the rename, and after it. Between the two, a job is read from its
 * pending file.
 *
 * Of the jobs, only who depends on whom stays in memory.
 *
 * Reads may come beside all other calls: job-fs-json-files.c sees to the files, and a lock guards
 * the tables. */

#include "job-fs-json-store.h"

#include <string.h>

#include "job-fs-json-damage.h"
#include "job-fs-json-files.h"
#include "job-fs-json-folder.h"
#include "job-fs-json-record.h"
#include "job-fs-json-syncer.h"

#define LARGE_TEXT (4 * 1024 * 1024) /* the buffer of a larger one is not kept */
#define JOURNAL_NAME "journal"

struct _JobFsJsonStore
{
  JobStore parent_instance;

  JobFsJsonFolder *folder; /* constant; NULL: closed */
  JobFsJsonFiles *files;   /* constant; NULL: closed */
  JobFsJsonSyncer *syncer; /* constant; NULL: closed */

  GMutex lock;                   /* guards, up to the blank line: */
  JobFsJsonDamageTable *damaged; /* NULL: closed */
  JobDependents *dependents;

  /* Of whoever applies, makes a checkpoint or visits: these calls do not overlap. */
  GString *text;        /* what is being written */
  gboolean mapped;      /* the dependents of all files are known */
  gboolean dirty;       /* something was applied since the last checkpoint */
  gboolean sync_failed; /* what was written may be lost, whatever a later sync says */
};

/* clang-format off */
G_DEFINE_FINAL_TYPE (JobFsJsonStore, job_fs_json_store, JOB_TYPE_STORE)
/* clang-format on */

/* Damage. */

static void
add_damage (JobFsJsonStore *self, const char *name, const JobId *id, const char *message)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  job_fs_json_damage_table_add (self->damaged, name, id, message);
}

static void
remove_damage (JobFsJsonStore *self, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  job_fs_json_damage_table_remove (self->damaged, name);
}

static char *
dup_damaged_name (JobFsJsonStore *self, JobDamage *damage)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_strdup (job_fs_json_damage_table_find (self->damaged, damage));
}

static GPtrArray *
job_fs_json_store_list_damaged (JobStore *store)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (store);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return job_fs_json_damage_table_list (self->damaged);
}

static gboolean
job_fs_json_store_move_damaged (JobStore *store, JobDamage *damage, const char *directory,
                                GError **error)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (store);
  g_autofree char *name = dup_damaged_name (self, damage);

  if (name == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND, "“%s” is not listed as damaged",
                   job_damage_get_location (damage));
      return FALSE;
    }
  if (!job_fs_json_folder_move_out (self->folder, name, directory, error))
    return FALSE;
  remove_damage (self, name);
  return TRUE;
}

/* Reading. */

/* One job, its damage noted. */
static JobFsJsonRead
read_job (JobFsJsonStore *self, const JobId *id, JobRecord **record, JobStatus *status,
          GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *text = NULL;
  char name[JOB_FS_JSON_NAME_SIZE];
  gsize length;
  JobFsJsonRead result;

  job_fs_json_get_name (id, name);
  result = job_fs_json_files_read (self->files, id, &text, &length, &cause);
  if (result == JOB_FS_JSON_READ_OK &&
      !job_fs_json_record_parse (text, length, id, record, status, &cause))
    result = JOB_FS_JSON_READ_DAMAGED;
  if (result == JOB_FS_JSON_READ_OK)
    remove_damage (self, name);
  else if (result == JOB_FS_JSON_READ_DAMAGED)
    {
      g_autofree char *path = job_fs_json_folder_dup_path (self->folder, name);

      add_damage (self, name, id, cause->message);
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

static gboolean
job_fs_json_store_list_dependents (JobStore *store, const JobId *id, GArray *ids, GError **error)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (store);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  job_dependents_list (self->dependents, id, ids);
  return TRUE;
}

static void
add_dependents (JobFsJsonStore *self, JobRecord *record)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  job_dependents_add (self->dependents, record);
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

static void
take_name (const struct dirent *entry, gpointer data)
{
  Listing *listing = data;
  const char *name = entry->d_name, *rest;
  Found found = { .inode = entry->d_ino };

  if (!job_fs_json_parse_name (name, &found.id, &rest))
    {
      if (g_str_has_prefix (name, JOURNAL_NAME "-damaged-"))
        add_damage (listing->store, name, NULL, "it was set aside from a damaged journal");
      else if (!g_str_has_prefix (name, JOURNAL_NAME))
        add_damage (listing->store, name, NULL, "it is not named as a job: <id>.json");
    }
  else if (*rest == '\0')
    g_array_append_val (listing->jobs, found);
  else if (!g_str_has_suffix (rest, ".tmp"))
    add_damage (listing->store, name, NULL, "it is not named as a job: <id>.json");
  else if (!job_fs_json_files_is_pending (listing->store->files, &found.id, name))
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
        remove_damage (listing->store, name);
      else
        add_damage (listing->store, name, NULL, error->message);
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
      add_damage (self, name, id, cause->message);
    }
  if (result != JOB_FS_JSON_READ_OK)
    return TRUE;
  if (!self->mapped)
    add_dependents (self, record);
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

  job_fs_json_store_list_dependents (JOB_STORE (self), id, ids, NULL);
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

/* What was there, torn by a crash perhaps, is whole now. */
static gboolean
apply_new (JobFsJsonStore *self, const JobChange *change, GError **error)
{
  g_autoptr (GArray) dependents = list_dependents (self, &change->id);
  char name[JOB_FS_JSON_NAME_SIZE];

  job_fs_json_record_write (change->record, &change->status, dependents, begin_text (self));
  if (!job_fs_json_files_create (self->files, &change->id, self->text, error))
    return FALSE;
  job_fs_json_get_name (&change->id, name);
  remove_damage (self, name);
  return TRUE;
}

/* A record that is damaged by now costs that one record: the change is lost with it, and the rest
 * goes on. */
static gboolean
skip_damaged (JobFsJsonStore *self, const JobChange *change, const char *name, GError *cause)
{
  add_damage (self, name, &change->id, cause->message);
  g_warning ("The change of a job to “%s” is lost, since its file %s/%s is damaged: %s",
             job_state_to_string (change->status.state), self->folder->path, name, cause->message);
  return TRUE;
}

static gboolean
apply_status (JobFsJsonStore *self, const JobChange *change, GError **error)
{
  g_autoptr (GArray) dependents = list_dependents (self, &change->id);
  g_autoptr (GError) cause = NULL;
  g_autofree char *text = NULL;
  char name[JOB_FS_JSON_NAME_SIZE];
  gsize length;
  JobFsJsonRead result;

  job_fs_json_get_name (&change->id, name);
  result = job_fs_json_files_read (self->files, &change->id, &text, &length, &cause);
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
    return job_fs_json_files_replace (self->files, &change->id, self->text, error);
  return skip_damaged (self, change, name, cause);
}

static gboolean
job_fs_json_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (store);

  /* First, so that a file names those of its dependents that come with it. */
  for (gsize i = 0; i < n_changes; i++)
    if (changes[i].record != NULL)
      add_dependents (self, changes[i].record);
  self->dirty = self->dirty || n_changes > 0;
  for (gsize i = 0; i < n_changes; i++)
    if (!(changes[i].record != NULL ? apply_new (self, &changes[i], error)
                                    : apply_status (self, &changes[i], error)))
      return FALSE;
  job_fs_json_syncer_note (self->syncer, n_changes);
  return TRUE;
}

/* Checkpoints. */

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
  self->sync_failed = !job_fs_json_syncer_finish (self->syncer, error);
  if (self->sync_failed || !job_fs_json_files_settle (self->files, error))
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
  g_clear_pointer (&self->syncer, job_fs_json_syncer_free);
  g_clear_pointer (&self->files, job_fs_json_files_free);
  g_clear_pointer (&self->folder, job_fs_json_folder_free);
  return TRUE;
}

static void
job_fs_json_store_finalize (GObject *object)
{
  JobFsJsonStore *self = JOB_FS_JSON_STORE (object);

  job_fs_json_store_close (JOB_STORE (self), FALSE, NULL);
  job_dependents_free (self->dependents);
  g_mutex_clear (&self->lock);
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
  store_class->reads_overlap = TRUE;
}

static void
job_fs_json_store_init (JobFsJsonStore *self)
{
  g_mutex_init (&self->lock);
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
  self->files = job_fs_json_files_new (folder);
  self->syncer = job_fs_json_syncer_new (folder);
  self->damaged = job_fs_json_damage_table_new (folder);
  return JOB_STORE (self);
}
