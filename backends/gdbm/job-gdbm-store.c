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
 *      too; then the overlay; then the description with the count of records. If the overlay has
 *      new jobs only, and FILE was written by this process, all bytes of FILE are copied at once
 *      (why no others: job-gdbm-writer.c). What is in it is known then: after an opening it may be
 *      of another program or version, or damaged where only writing would meet with it;
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
 *
 * Reads may come beside all other calls. The store's lock guards the overlay, for one change or
 * one look-up at a time; what the file has guards itself (job-gdbm-settled.c), and so does the
 * file, for one record at a time (job-gdbm-file.c). No lock is held within another. What takes
 * long, the steps 1 to 4, needs none: the overlay does not change meanwhile, since only apply()
 * changes it, whose calls never overlap those of checkpoint(). Who reads asks the overlay first,
 * then the file; a checkpoint sets the new file first, then drops the overlay: so what is in
 * neither is not there.
 */

#include "job-gdbm-store.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "job-gdbm-settled.h"

struct _JobGdbmStore
{
  JobStore parent_instance;

  /* Constant after job_gdbm_store_new(). */
  char *path;
  char *new_path;
  char *folder;
  int lock_fd; /* -1 after close() */

  JobGdbmSettled *settled; /* what the file has; NULL after close() */

  GMutex lock; /* guards the rest */
  JobGdbmOverlay
      *overlay; /* what the file does not have yet; replaced and changed by who applies */
  JobDependents *dependents;
  gboolean indexed; /* the file's dependents are in */
};

G_DEFINE_FINAL_TYPE (JobGdbmStore, job_gdbm_store, JOB_TYPE_STORE)

/* --- out -------------------------------------------------------------------------------------- */

static void
add_dependents (JobGdbmStore *self, JobRecord *record)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  job_dependents_add (self->dependents, record);
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
visit_job (const JobChange *job, gpointer data)
{
  Visit *visit = data;

  add_dependents (visit->store, job->record);
  if (!visit->everything && job_state_is_final (job->status.state))
    return TRUE;
  visit->stopped = !visit->visitor (job->record, &job->status, visit->data);
  return !visit->stopped;
}

static void
set_indexed (JobGdbmStore *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->indexed = TRUE;
}

static gboolean
job_gdbm_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor, gpointer data,
                      GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);
  Visit visit = { self, everything, visitor, data, FALSE };

  if (!job_gdbm_settled_visit (self->settled, self->overlay, visit_job, &visit, error))
    return FALSE;
  if (!visit.stopped)
    {
      set_indexed (self);
      job_gdbm_overlay_visit (self->overlay, visit_job, &visit);
    }
  return TRUE;
}

static gboolean
get_from_overlay (JobGdbmStore *self, const JobId *id, JobChange *job)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return job_gdbm_overlay_get (self->overlay, id, job);
}

/* A job that is not in the overlay. */
static gboolean
read_settled (JobGdbmStore *self, const JobId *id, JobChange *job, GError **error)
{
  gboolean missing;

  return job_gdbm_settled_get (self->settled, id, job, &missing, error) &&
         (job->record != NULL || job_gdbm_settled_check (self->settled, id, error));
}

static gboolean
job_gdbm_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                     GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);
  JobChange job;

  *record = NULL;
  *status = (JobStatus){ 0 };
  if (!get_from_overlay (self, id, &job) && !read_settled (self, id, &job, error))
    return FALSE;
  *record = g_steal_pointer (&job.record);
  *status = job.status;
  return TRUE;
}

static gboolean
index_job (const JobChange *job, gpointer data)
{
  add_dependents (data, job->record);
  return TRUE;
}

/* What is in the overlay is in the index already, or in the file as well. */
static gboolean
index_file (JobGdbmStore *self, GError **error)
{
  if (!job_gdbm_settled_visit (self->settled, NULL, index_job, self, error))
    return FALSE;
  set_indexed (self);
  return TRUE;
}

static gboolean
is_indexed (JobGdbmStore *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->indexed;
}

static gboolean
job_gdbm_store_list_dependents (JobStore *store, const JobId *id, GArray *ids, GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);
  g_autoptr (GMutexLocker) locker = NULL;

  /* The owner's first visit fills the index; this is for one that did none. */
  if (!is_indexed (self) && !index_file (self, error))
    return FALSE;
  locker = g_mutex_locker_new (&self->lock);
  job_dependents_list (self->dependents, id, ids);
  return TRUE;
}

/* --- in --------------------------------------------------------------------------------------- */

static void
put (JobGdbmStore *self, const JobChange *job, gboolean settled)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  job_gdbm_overlay_put (self->overlay, job, settled);
}

static void
create_job (JobGdbmStore *self, const JobChange *change)
{
  put (self, change, FALSE);
  add_dependents (self, change->record);
  job_gdbm_settled_forget (self->settled, &change->id);
}

/* Takes @job's record. */
static void
fold (JobGdbmStore *self, JobChange *job, const JobChange *change, gboolean settled)
{
  JobChange whole = { .id = change->id, .record = job->record, .status = change->status };

  put (self, &whole, settled);
  job_change_clear (job);
}

static gboolean
update_job (JobGdbmStore *self, const JobChange *change, GError **error)
{
  JobChange job;
  gboolean missing = FALSE, settled = !get_from_overlay (self, &change->id, &job);

  if (settled && !job_gdbm_settled_get (self->settled, &change->id, &job, &missing, error))
    return FALSE;
  if (job.record != NULL)
    fold (self, &job, change, settled);
  else if (missing)
    job_gdbm_settled_add_orphan (self->settled, change);
  /* Else its record is damaged, and listed. */
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

/* --- checkpoints ------------------------------------------------------------------------------ */

/* Steps 1 to 3 with a copy of @base, which has none of the jobs in the overlay. */
static JobGdbmFile *
write_copy (JobGdbmStore *self, JobGdbmFile *base, GError **error)
{
  g_autoptr (JobGdbmWriter) writer = job_gdbm_writer_new_copy (self->new_path, base, error);

  if (writer == NULL || !job_gdbm_overlay_write (self->overlay, writer, error))
    return NULL;
  return job_gdbm_writer_finish (writer, error);
}

/* Steps 1 to 3 from nothing, or the first file of all. */
static JobGdbmFile *
write_anew (JobGdbmStore *self, GError **error)
{
  g_autoptr (JobGdbmWriter) writer = job_gdbm_writer_new (self->new_path, error);

  if (writer == NULL || !job_gdbm_settled_copy (self->settled, self->overlay, writer, error) ||
      !job_gdbm_overlay_write (self->overlay, writer, error))
    return NULL;
  return job_gdbm_writer_finish (writer, error);
}

/* If the base is not as it was written, or has one of the jobs after all, going through it record
 * by record tells what is to be told. */
static JobGdbmFile *
write_file (JobGdbmStore *self, GError **error)
{
  g_autoptr (JobGdbmFile) base = job_gdbm_settled_ref_base (self->settled);
  JobGdbmFile *file;
  GError *local = NULL;

  if (base == NULL || !job_gdbm_overlay_only_adds (self->overlay))
    return write_anew (self, error);
  file = write_copy (self, base, &local);
  if (g_error_matches (local, JOB_ERROR, JOB_ERROR_CORRUPT))
    {
      g_error_free (local);
      return write_anew (self, error);
    }
  if (local != NULL)
    g_propagate_error (error, local);
  return file;
}

/* Step 4. A read may have met with damage after the file was copied. */
static gboolean
rename_file (JobGdbmStore *self, GError **error)
{
  if (job_gdbm_settled_check_whole (self->settled, error) &&
      (rename (self->new_path, self->path) == 0 ||
       job_file_set_error (error, errno, "replace", self->path)))
    return job_file_sync_folder (-1, self->folder, error);
  unlink (self->new_path);
  return FALSE;
}

/* Step 5. */
static void
drop_overlay (JobGdbmStore *self)
{
  JobGdbmOverlay *overlay = job_gdbm_overlay_new (), *old;

  g_mutex_lock (&self->lock);
  old = self->overlay;
  self->overlay = overlay;
  g_mutex_unlock (&self->lock);
  job_gdbm_overlay_free (old);
}

/* Steps 1 to 5. */
static gboolean
replace_file (JobGdbmStore *self, GError **error)
{
  g_autoptr (JobGdbmFile) file = write_file (self, error);

  if (file == NULL || !rename_file (self, error))
    return FALSE;
  job_gdbm_file_set_path (file, self->path);
  job_gdbm_settled_set_file (self->settled, g_steal_pointer (&file));
  drop_overlay (self);
  return TRUE;
}

static gboolean
job_gdbm_store_checkpoint (JobStore *store, GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);

  if (job_gdbm_overlay_is_empty (self->overlay) && !job_gdbm_settled_is_dirty (self->settled))
    return TRUE;
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
  return MAX (configured, job_gdbm_settled_get_size (JOB_GDBM_STORE (store)->settled));
}

static GPtrArray *
job_gdbm_store_list_damaged (JobStore *store)
{
  return job_gdbm_settled_list_damaged (JOB_GDBM_STORE (store)->settled);
}

static gboolean
job_gdbm_store_move_damaged (JobStore *store, JobDamage *damage, const char *directory,
                             GError **error)
{
  return job_gdbm_settled_move_damaged (JOB_GDBM_STORE (store)->settled, damage, directory, error);
}

static gboolean
job_gdbm_store_close (JobStore *store, gboolean clean, GError **error)
{
  JobGdbmStore *self = JOB_GDBM_STORE (store);

  g_clear_pointer (&self->settled, job_gdbm_settled_free);
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
  job_dependents_free (self->dependents);
  g_mutex_clear (&self->lock);
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
  store_class->reads_overlap = TRUE;
}

static void
job_gdbm_store_init (JobGdbmStore *self)
{
  self->lock_fd = -1;
  g_mutex_init (&self->lock);
  self->overlay = job_gdbm_overlay_new ();
  self->dependents = job_dependents_new ();
}

static gboolean
open_file (JobGdbmStore *self, GError **error)
{
  g_autoptr (GError) local = NULL;
  JobGdbmFile *file;

  if (unlink (self->new_path) != 0 && errno != ENOENT)
    return job_file_set_error (error, errno, "remove the left-over", self->new_path);
  file = job_gdbm_file_open (self->path, &local);
  if (file != NULL)
    {
      job_gdbm_settled_set_file (self->settled, file);
      return TRUE;
    }
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
  self->settled = job_gdbm_settled_new (self->path);
  self->lock_fd = job_file_lock_beside (self->path, error);
  if (self->lock_fd < 0 || !open_file (self, error))
    return NULL;
  return JOB_STORE (g_steal_pointer (&self));
}
