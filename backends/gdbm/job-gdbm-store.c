/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store that keeps jobs in a gdbm file.
 *
 * gdbm changes pages in place, and a crash between two of them loses keys that were long there. So
 * the file is never changed. Between checkpoints it is only read; what apply() takes is folded into
 * a table in memory, the overlay, which wins over the file (the journal has all that is in it). A
 * checkpoint makes a whole new file:
 *
 *   1. FILE.new is created, where nothing may be (what a crash left there went at the opening);
 *   2. every record of FILE that the overlay does not have is copied, byte for byte, damaged ones
 *      too; then the overlay; then the description with the count of records;
 *   3. gdbm closes it, fsync() makes it durable, and it is opened again and counted;
 *   4. rename() puts it in the place of FILE, fsync() of the folder makes that durable;
 *   5. the overlay is dropped.
 *
 * Why a crash at any point is harmless: up to the rename, FILE is the old one, of which no byte was
 * written, and the journal is still there; FILE.new never became the store. The rename is atomic in
 * the kernel, and after a power cut the folder's entry is the old or the new one, both of which are
 * durable as a whole (the new one since 3). From then on FILE is the new one, and the journal, if
 * it was not freed yet, holds nothing but changes that are in it: they are absolute, so that
 * applying them again changes nothing. A failure before 5 leaves overlay and journal as they were,
 * whichever file the name leads to.
 *
 * If the file itself is damaged, so that not all of it can be read, what can be read is served, the
 * damage is listed, and no checkpoint replaces the file: the journal keeps what came since.
 */

#include "job-gdbm-store.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "job-gdbm-damage.h"
#include "job-gdbm-file.h"
#include "job-gdbm-lock.h"
#include "job-gdbm-overlay.h"
#include "job-gdbm-value.h"

struct _JobGdbmStore
{
  JobStore parent_instance;

  /* Constant after job_gdbm_store_new(). */
  char *path;
  char *new_path;
  char *folder;
  int lock_fd; /* -1 after close() */

  /* The rest is guarded by the owner, who serialises the calls. */
  JobGdbmFile *file; /* NULL after close() */
  JobGdbmOverlay *overlay;
  GHashTable *dropped; /* a set of GBytes: keys that the next checkpoint leaves out */
  JobGdbmDamages *damages;
  GError *broken; /* why the file cannot be read completely, or NULL */
  JobDependents *dependents;
  gboolean indexed; /* the file's dependents are in */
};

G_DEFINE_FINAL_TYPE (JobGdbmStore, job_gdbm_store, JOB_TYPE_STORE)

/* Whether the file's record no longer counts. */
static gboolean
is_superseded (JobGdbmStore *self, GBytes *key)
{
  const JobId *id = job_gdbm_key_get_id (key);

  return g_hash_table_contains (self->dropped, key) ||
         (id != NULL && job_gdbm_overlay_contains (self->overlay, id));
}

/* Takes @local. A damage of the file itself is remembered; FALSE, with the error, if it is none. */
static gboolean
note_broken (JobGdbmStore *self, GError *local, GError **error)
{
  if (!g_error_matches (local, JOB_ERROR, JOB_ERROR_CORRUPT))
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (self->broken == NULL)
    self->broken = local;
  else
    g_error_free (local);
  return TRUE;
}

/* Fills in *job, or leaves it without a record, and notes the damage. A newer version is an error:
 * the checksum is right, so that whoever wrote it can read it. */
static gboolean
decode_or_note (JobGdbmStore *self, GBytes *key, GBytes *value, JobChange *job, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (job_gdbm_value_decode (key, value, job, &local))
    return TRUE;
  if (g_error_matches (local, JOB_ERROR, JOB_ERROR_CORRUPT))
    {
      job_gdbm_damages_add (self->damages, key, local->message, NULL);
      return TRUE;
    }
  g_propagate_prefixed_error (error, g_steal_pointer (&local), "“%s”: ", self->path);
  return FALSE;
}

/* The job as the file has it: without a record if it cannot be read, or is *missing. */
static gboolean
read_from_file (JobGdbmStore *self, GBytes *key, JobChange *job, gboolean *missing, GError **error)
{
  g_autoptr (GBytes) value = NULL;
  GError *local = NULL;

  *job = (JobChange){ 0 };
  *missing = g_hash_table_contains (self->dropped, key);
  if (*missing)
    return TRUE;
  if (!job_gdbm_file_fetch (self->file, key, &value, &local))
    return note_broken (self, local, error);
  *missing = value == NULL;
  return value == NULL || decode_or_note (self, key, value, job, error);
}

typedef struct
{
  JobGdbmStore *store;
  gboolean everything;
  JobStoreVisitor visitor;
  gpointer data;
  gboolean stopped;
} Visit;

static gboolean
visit_job (Visit *visit, const JobChange *job)
{
  job_dependents_add (visit->store->dependents, job->record);
  if (!visit->everything && job_state_is_final (job->status.state))
    return TRUE;
  visit->stopped = !visit->visitor (job->record, &job->status, visit->data);
  return !visit->stopped;
}

static gboolean
visit_value (GBytes *key, GBytes *value, gpointer data, GError **error)
{
  Visit *visit = data;
  JobChange job;
  gboolean more;

  if (is_superseded (visit->store, key))
    return TRUE;
  if (!decode_or_note (visit->store, key, value, &job, error))
    return FALSE;
  more = job.record == NULL || visit_job (visit, &job);
  job_change_clear (&job);
  return more;
}

static gboolean
visit_overlay (const JobChange *job, gpointer data)
{
  return visit_job (data, job);
}

static gboolean
job_gdbm_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor, gpointer data,
                      GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);
  Visit visit = { self, everything, visitor, data, FALSE };
  GError *local = NULL;

  if (!job_gdbm_file_visit (self->file, visit_value, &visit, &local) &&
      !note_broken (self, local, error))
    return FALSE;
  if (!visit.stopped)
    {
      self->indexed = TRUE;
      job_gdbm_overlay_visit (self->overlay, visit_overlay, &visit);
    }
  return TRUE;
}

static void
create_job (JobGdbmStore *self, const JobChange *change)
{
  g_autoptr (GBytes) key = job_gdbm_key_new (&change->id);

  job_gdbm_overlay_put (self->overlay, change);
  job_dependents_add (self->dependents, change->record);
  /* It goes over whatever was there. */
  job_gdbm_damages_remove (self->damages, key);
}

static void
note_orphan (JobGdbmStore *self, GBytes *key, const JobChange *change)
{
  GByteArray *data = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;

  job_change_encode (change, data);
  bytes = g_byte_array_free_to_bytes (data);
  job_gdbm_damages_add (self->damages, key, "A change came for a job that is not in the file",
                        bytes);
}

/* Takes @job's record. */
static void
fold (JobGdbmStore *self, JobChange *job, const JobChange *change)
{
  JobChange whole = { .id = change->id, .record = job->record, .status = change->status };

  job_gdbm_overlay_put (self->overlay, &whole);
  job_change_clear (job);
}

static gboolean
update_job (JobGdbmStore *self, const JobChange *change, GError **error)
{
  g_autoptr (GBytes) key = NULL;
  JobChange job;
  gboolean missing = FALSE;

  if (job_gdbm_overlay_get (self->overlay, &change->id, &job))
    {
      fold (self, &job, change);
      return TRUE;
    }
  key = job_gdbm_key_new (&change->id);
  if (!read_from_file (self, key, &job, &missing, error))
    return FALSE;
  if (job.record != NULL)
    fold (self, &job, change);
  else if (missing)
    note_orphan (self, key, change);
  return TRUE;
}

static gboolean
job_gdbm_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);

  for (gsize i = 0; i < n_changes; i++)
    {
      if (changes[i].record != NULL)
        create_job (self, &changes[i]);
      else if (!update_job (self, &changes[i], error))
        return FALSE;
    }
  return TRUE;
}

/* A job that is not in the overlay. */
static gboolean
read_settled (JobGdbmStore *self, const JobId *id, JobChange *job, GError **error)
{
  g_autoptr (GBytes) key = job_gdbm_key_new (id);
  gboolean missing;

  if (!read_from_file (self, key, job, &missing, error))
    return FALSE;
  if (job->record != NULL)
    return TRUE;
  if (!job_gdbm_damages_check (self->damages, key, error))
    return FALSE;
  if (missing)
    return TRUE;
  g_propagate_error (error, g_error_copy (self->broken));
  return FALSE;
}

static gboolean
job_gdbm_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                     GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);
  JobChange job;

  *record = NULL;
  *status = (JobStatus){ 0 };
  if (!job_gdbm_overlay_get (self->overlay, id, &job) && !read_settled (self, id, &job, error))
    return FALSE;
  *record = g_steal_pointer (&job.record);
  *status = job.status;
  return TRUE;
}

static gboolean
visit_nothing (JobRecord *record, const JobStatus *status, gpointer data)
{
  return TRUE;
}

static void
job_gdbm_store_list_dependents (JobStore *store, const JobId *id, GArray *ids)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);
  g_autoptr (GError) error = NULL;

  /* The owner's first visit fills the index; this is for one that did none. */
  if (!self->indexed && !job_gdbm_store_visit (store, FALSE, visit_nothing, NULL, &error))
    g_warning ("Not all dependents can be listed: %s", error->message);
  job_dependents_list (self->dependents, id, ids);
}

typedef struct
{
  JobGdbmStore *store;
  JobGdbmWriter *writer;
} Copy;

static gboolean
copy_value (GBytes *key, GBytes *value, gpointer data, GError **error)
{
  const Copy *copy = data;

  return is_superseded (copy->store, key) || job_gdbm_writer_add (copy->writer, key, value, error);
}

/* Steps 1 to 3 of a checkpoint, or the first file of all. */
static JobGdbmFile *
write_file (JobGdbmStore *self, GError **error)
{
  g_autoptr (JobGdbmWriter) writer = job_gdbm_writer_new (self->new_path, error);
  Copy copy = { self, writer };

  if (writer == NULL ||
      (self->file != NULL && !job_gdbm_file_visit (self->file, copy_value, &copy, error)) ||
      !job_gdbm_overlay_write (self->overlay, writer, error))
    return NULL;
  return job_gdbm_writer_finish (writer, error);
}

/* Steps 1 to 5. */
static gboolean
replace_file (JobGdbmStore *self, GError **error)
{
  g_autoptr (JobGdbmFile) file = write_file (self, error);

  if (file == NULL)
    return FALSE;
  if (rename (self->new_path, self->path) != 0)
    {
      job_file_set_error (error, errno, "replace", self->path);
      unlink (self->new_path);
      return FALSE;
    }
  if (!job_file_sync_folder (-1, self->folder, error))
    return FALSE;
  job_gdbm_file_set_path (file, self->path);
  g_clear_pointer (&self->file, job_gdbm_file_free);
  self->file = g_steal_pointer (&file);
  job_gdbm_overlay_clear (self->overlay);
  g_hash_table_remove_all (self->dropped);
  return TRUE;
}

static gboolean
job_gdbm_store_checkpoint (JobStore *store, GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);

  if (job_gdbm_overlay_is_empty (self->overlay) && g_hash_table_size (self->dropped) == 0)
    return TRUE;
  if (self->broken != NULL)
    {
      g_propagate_prefixed_error (error, g_error_copy (self->broken),
                                  "Not replaced, since not all of it can be read: ");
      return FALSE;
    }
  return replace_file (self, error);
}

static char *
job_gdbm_store_dup_journal_path (JobStore *store)
{
  return g_strconcat (JOB_GDBM_STORE (store)->path, ".journal", NULL);
}

/* A checkpoint costs as much as the whole file: so it is due when the journal has outgrown it. */
static guint64
job_gdbm_store_get_checkpoint_size (JobStore *store, guint64 configured)
{
  return MAX (configured, job_gdbm_file_get_size (JOB_GDBM_STORE (store)->file));
}

static GPtrArray *
job_gdbm_store_list_damaged (JobStore *store)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);
  GPtrArray *list = g_ptr_array_new_with_free_func (g_object_unref);

  if (self->broken != NULL)
    g_ptr_array_add (list, job_damage_new (self->path, self->broken->message, NULL));
  job_gdbm_damages_list (self->damages, list);
  return list;
}

static gboolean
job_gdbm_store_move_damaged (JobStore *store, JobDamage *damage, const char *directory,
                             GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);
  g_autoptr (GBytes) key = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (!job_gdbm_damages_find (self->damages, damage, &key, &bytes))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND, "There is no damaged record at “%s”",
                   job_damage_get_location (damage));
      return FALSE;
    }
  if (bytes == NULL && !job_gdbm_file_fetch (self->file, key, &bytes, error))
    return FALSE;
  if (bytes != NULL && !job_gdbm_damages_write (key, bytes, directory, error))
    return FALSE;
  job_gdbm_damages_remove (self->damages, key);
  g_hash_table_add (self->dropped, g_steal_pointer (&key));
  return TRUE;
}

static gboolean
job_gdbm_store_close (JobStore *store, gboolean clean, GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);

  g_clear_pointer (&self->file, job_gdbm_file_free);
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  self->lock_fd = -1;
  return TRUE;
}

static void
job_gdbm_store_finalize (GObject *object)
{
  JobGdbmStore *self = JOB_GDBM_STORE (object);

  job_gdbm_store_close (JOB_STORE (self), FALSE, NULL);
  g_free (self->path);
  g_free (self->new_path);
  g_free (self->folder);
  job_gdbm_overlay_free (self->overlay);
  g_hash_table_unref (self->dropped);
  g_clear_pointer (&self->damages, job_gdbm_damages_free);
  g_clear_error (&self->broken);
  job_dependents_free (self->dependents);
  G_OBJECT_CLASS (job_gdbm_store_parent_class)->finalize (object);
}

static void
job_gdbm_store_class_init (JobGdbmStoreClass *klass)
{
  JobStoreClass *store_class = JOB_STORE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = job_gdbm_store_finalize;
  store_class->dup_journal_path = job_gdbm_store_dup_journal_path;
  store_class->get_checkpoint_size = job_gdbm_store_get_checkpoint_size;
  store_class->visit = job_gdbm_store_visit;
  store_class->apply = job_gdbm_store_apply;
  store_class->checkpoint = job_gdbm_store_checkpoint;
  store_class->read = job_gdbm_store_read;
  store_class->list_dependents = job_gdbm_store_list_dependents;
  store_class->list_damaged = job_gdbm_store_list_damaged;
  store_class->move_damaged = job_gdbm_store_move_damaged;
  store_class->close = job_gdbm_store_close;
}

static void
job_gdbm_store_init (JobGdbmStore *self)
{
  self->lock_fd = -1;
  self->overlay = job_gdbm_overlay_new ();
  self->dropped =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  self->dependents = job_dependents_new ();
}

static gboolean
open_file (JobGdbmStore *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (unlink (self->new_path) != 0 && errno != ENOENT)
    return job_file_set_error (error, errno, "remove the left-over", self->new_path);
  self->file = job_gdbm_file_open (self->path, &local);
  if (self->file != NULL)
    return TRUE;
  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return replace_file (self, error);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

JobStore *
job_gdbm_store_new (const char *path, GError **error)
{
  g_autoptr (JobGdbmStore) self = g_object_new (JOB_TYPE_GDBM_STORE, NULL);

  self->path = g_canonicalize_filename (path, NULL);
  self->new_path = g_strconcat (self->path, ".new", NULL);
  self->folder = g_path_get_dirname (self->path);
  self->damages = job_gdbm_damages_new (self->path);
  self->lock_fd = job_gdbm_lock (self->path, error);
  if (self->lock_fd < 0 || !open_file (self, error))
    return NULL;
  return JOB_STORE (g_steal_pointer (&self));
}
