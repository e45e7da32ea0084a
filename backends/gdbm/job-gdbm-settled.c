/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the file has, without the overlay, and its damage, of which there are two kinds.
 *
 * A record that cannot be read is listed and kept, byte for byte, from checkpoint to checkpoint;
 * moved out, it is left out of the next one.
 *
 * If gdbm cannot find its way through the file, so that not all records can be reached, the file
 * itself is listed as damaged, and what can be reached is served. No checkpoint replaces it: the
 * journal keeps what came since. Moved out, the file is copied as it is, and gdbm's recovery of
 * another copy takes its place, with all records that are still there; the next checkpoint makes
 * that the file. */

#include "job-gdbm-settled.h"

#include "job-gdbm-damage.h"
#include "job-gdbm-salvage.h"
#include "job-gdbm-value.h"

struct _JobGdbmSettled
{
  char *path; /* constant */

  GMutex lock; /* guards the rest; never held while the file is read */
  JobGdbmFile *file;
  GHashTable *dropped; /* a set of GBytes: keys that the next checkpoint leaves out */
  JobGdbmDamages *damages;
  GError *broken;    /* why the file cannot be read completely, or NULL */
  gboolean salvaged; /* @file is not the one at @path */
};

JobGdbmSettled *
job_gdbm_settled_new (const char *path)
{
  JobGdbmSettled *self = g_new0 (JobGdbmSettled, 1);

  self->path = g_strdup (path);
  g_mutex_init (&self->lock);
  self->dropped =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  self->damages = job_gdbm_damages_new (path);
  return self;
}

void
job_gdbm_settled_free (JobGdbmSettled *self)
{
  g_clear_pointer (&self->file, job_gdbm_file_unref);
  g_hash_table_unref (self->dropped);
  job_gdbm_damages_free (self->damages);
  g_clear_error (&self->broken);
  g_mutex_clear (&self->lock);
  g_free (self->path);
  g_free (self);
}

void
job_gdbm_settled_set_file (JobGdbmSettled *self, JobGdbmFile *file)
{
  g_autoptr (JobGdbmFile) old = NULL; /* closed out of the lock */
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  old = g_steal_pointer (&self->file);
  self->file = file;
  self->salvaged = FALSE;
  g_hash_table_remove_all (self->dropped);
}

/* NULL before there is one. */
static JobGdbmFile *
ref_file (JobGdbmSettled *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->file != NULL ? job_gdbm_file_ref (self->file) : NULL;
}

guint64
job_gdbm_settled_get_size (JobGdbmSettled *self)
{
  g_autoptr (JobGdbmFile) file = ref_file (self);

  return job_gdbm_file_get_size (file);
}

gboolean
job_gdbm_settled_is_dirty (JobGdbmSettled *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->salvaged || g_hash_table_size (self->dropped) > 0;
}

static gboolean
is_dropped (JobGdbmSettled *self, GBytes *key)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_hash_table_contains (self->dropped, key);
}

/* Takes @local. A damage of the file itself is remembered; FALSE, with the error, if it is none. */
static gboolean
note_broken (JobGdbmSettled *self, GError *local, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

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

static void
note_damage (JobGdbmSettled *self, GBytes *key, const char *message, GBytes *change)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  job_gdbm_damages_add (self->damages, key, message, change);
}

/* Fills in *job, or leaves it without a record, and notes the damage. A newer version is an error:
 * the checksum is right, so that whoever wrote it can read it. */
static gboolean
decode_or_note (JobGdbmSettled *self, GBytes *key, GBytes *value, JobChange *job, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (job_gdbm_value_decode (key, value, job, &local))
    return TRUE;
  if (g_error_matches (local, JOB_ERROR, JOB_ERROR_CORRUPT))
    {
      note_damage (self, key, local->message, NULL);
      return TRUE;
    }
  g_propagate_prefixed_error (error, g_steal_pointer (&local), "“%s”: ", self->path);
  return FALSE;
}

gboolean
job_gdbm_settled_get (JobGdbmSettled *self, const JobId *id, JobChange *job, gboolean *missing,
                      GError **error)
{
  g_autoptr (JobGdbmFile) file = ref_file (self);
  g_autoptr (GBytes) key = job_gdbm_key_new (id);
  g_autoptr (GBytes) value = NULL;
  GError *local = NULL;

  *job = (JobChange){ 0 };
  *missing = is_dropped (self, key);
  if (*missing)
    return TRUE;
  if (!job_gdbm_file_fetch (file, key, &value, &local))
    return note_broken (self, local, error);
  *missing = value == NULL;
  return *missing || decode_or_note (self, key, value, job, error);
}

gboolean
job_gdbm_settled_check (JobGdbmSettled *self, const JobId *id, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GBytes) key = job_gdbm_key_new (id);

  if (!job_gdbm_damages_check (self->damages, key, error))
    return FALSE;
  if (self->broken == NULL)
    return TRUE;
  /* Who knows what was lost. */
  g_propagate_error (error, g_error_copy (self->broken));
  return FALSE;
}

typedef struct
{
  JobGdbmSettled *settled;
  JobGdbmOverlay *overlay;
  JobGdbmOverlayVisitor visitor; /* either these … */
  gpointer data;
  JobGdbmWriter *writer; /* … or this */
} Walk;

static gboolean
is_superseded (const Walk *walk, GBytes *key)
{
  const JobId *id = job_gdbm_key_get_id (key);

  return is_dropped (walk->settled, key) ||
         (id != NULL && walk->overlay != NULL && job_gdbm_overlay_contains (walk->overlay, id));
}

static gboolean
visit_value (GBytes *key, GBytes *value, gpointer data, GError **error)
{
  const Walk *walk = data;
  JobChange job;
  gboolean more;

  if (is_superseded (walk, key))
    return TRUE;
  if (!decode_or_note (walk->settled, key, value, &job, error))
    return FALSE;
  more = job.record == NULL || walk->visitor (&job, walk->data);
  job_change_clear (&job);
  return more;
}

gboolean
job_gdbm_settled_visit (JobGdbmSettled *self, JobGdbmOverlay *overlay,
                        JobGdbmOverlayVisitor visitor, gpointer data, GError **error)
{
  Walk walk = { .settled = self, .overlay = overlay, .visitor = visitor, .data = data };
  g_autoptr (JobGdbmFile) file = ref_file (self);
  GError *local = NULL;

  return job_gdbm_file_visit (file, visit_value, &walk, &local) || note_broken (self, local, error);
}

static gboolean
copy_value (GBytes *key, GBytes *value, gpointer data, GError **error)
{
  const Walk *walk = data;

  return is_superseded (walk, key) || job_gdbm_writer_add (walk->writer, key, value, error);
}

gboolean
job_gdbm_settled_check_whole (JobGdbmSettled *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->broken == NULL)
    return TRUE;
  g_propagate_prefixed_error (error, g_error_copy (self->broken),
                              "Not replaced, since not all of it can be read: ");
  return FALSE;
}

gboolean
job_gdbm_settled_copy (JobGdbmSettled *self, JobGdbmOverlay *overlay, JobGdbmWriter *writer,
                       GError **error)
{
  Walk walk = { .settled = self, .overlay = overlay, .writer = writer };
  g_autoptr (JobGdbmFile) file = ref_file (self);
  GError *local = NULL;

  if (file != NULL && job_gdbm_settled_check_whole (self, NULL) &&
      !job_gdbm_file_visit (file, copy_value, &walk, &local) && !note_broken (self, local, error))
    return FALSE;
  return job_gdbm_settled_check_whole (self, error);
}

JobGdbmFile *
job_gdbm_settled_ref_base (JobGdbmSettled *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->file == NULL || !job_gdbm_file_is_made_here (self->file) || self->broken != NULL ||
      g_hash_table_size (self->dropped) > 0)
    return NULL;
  return job_gdbm_file_ref (self->file);
}

void
job_gdbm_settled_add_orphan (JobGdbmSettled *self, const JobChange *change)
{
  GByteArray *data = g_byte_array_new ();
  g_autoptr (GBytes) key = job_gdbm_key_new (&change->id);
  g_autoptr (GBytes) bytes = NULL;

  job_change_encode (change, data);
  bytes = g_byte_array_free_to_bytes (data);
  note_damage (self, key, "A change came for a job that is not in the file", bytes);
}

void
job_gdbm_settled_forget (JobGdbmSettled *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GBytes) key = NULL;

  if (job_gdbm_damages_is_empty (self->damages))
    return;
  key = job_gdbm_key_new (id);
  job_gdbm_damages_remove (self->damages, key);
}

GPtrArray *
job_gdbm_settled_list_damaged (JobGdbmSettled *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GPtrArray *list = g_ptr_array_new_with_free_func (g_object_unref);

  if (self->broken != NULL)
    g_ptr_array_add (list, job_damage_new (self->path, self->broken->message, NULL));
  job_gdbm_damages_list (self->damages, list);
  return list;
}

/* --- moving damage out ------------------------------------------------------------------------ */

static gboolean
move_file (JobGdbmSettled *self, const char *directory, GError **error)
{
  g_autoptr (JobGdbmFile) old = ref_file (self);
  JobGdbmFile *file = job_gdbm_salvage (old, self->path, directory, error);
  g_autoptr (GMutexLocker) locker = NULL;

  if (file == NULL)
    return FALSE;
  locker = g_mutex_locker_new (&self->lock);
  job_gdbm_file_unref (self->file);
  self->file = file;
  self->salvaged = TRUE;
  g_clear_error (&self->broken);
  return TRUE;
}

static gboolean
move_record (JobGdbmSettled *self, GBytes *key, GBytes *change, const char *directory,
             GError **error)
{
  g_autoptr (JobGdbmFile) file = ref_file (self);
  g_autoptr (GBytes) value = NULL;
  g_autoptr (GMutexLocker) locker = NULL;

  if (change == NULL && !job_gdbm_file_fetch (file, key, &value, error))
    return FALSE;
  if (change == NULL)
    change = value;
  /* Neither: it was in a part of the file that was lost since. */
  if (change != NULL && !job_gdbm_damages_write (key, change, directory, error))
    return FALSE;
  locker = g_mutex_locker_new (&self->lock);
  job_gdbm_damages_remove (self->damages, key);
  g_hash_table_add (self->dropped, g_bytes_ref (key));
  return TRUE;
}

/* Where the damage is: in a record, or in the whole file. FALSE: nowhere. */
static gboolean
find_damage (JobGdbmSettled *self, JobDamage *damage, gboolean *is_file, GBytes **key,
             GBytes **change)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  *is_file = self->broken != NULL && g_str_equal (job_damage_get_location (damage), self->path);
  return *is_file || job_gdbm_damages_find (self->damages, damage, key, change);
}

gboolean
job_gdbm_settled_move_damaged (JobGdbmSettled *self, JobDamage *damage, const char *directory,
                               GError **error)
{
  g_autoptr (GBytes) key = NULL;
  g_autoptr (GBytes) change = NULL;
  gboolean is_file;

  if (!find_damage (self, damage, &is_file, &key, &change))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND, "There is no damaged record at “%s”",
                   job_damage_get_location (damage));
      return FALSE;
    }
  return is_file ? move_file (self, directory, error)
                 : move_record (self, key, change, directory, error);
}
