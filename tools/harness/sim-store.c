/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim-store.h"

#include "job-dependents.h"
#include "job-error.h"
#include "sim-disk.h"
#include "sim-fiber.h"

#include <errno.h>

/* --- what is kept ----------------------------------------------------------------------------- */

typedef struct
{
  JobRecord *record; /* a reference; NULL: torn */
  JobStatus status;
} Version;

typedef struct
{
  JobId id;
  GArray *versions; /* of Version, the newest last */
  gboolean is_safe; /* the first one */
} Kept;

static struct
{
  GHashTable *jobs; /* JobId → Kept */
  JobDependents *dependents;
  gboolean locked;
} medium;

static void
version_clear (gpointer data)
{
  Version *version = data;

  g_clear_pointer (&version->record, job_record_unref);
  job_status_clear (&version->status);
}

static void
kept_free (gpointer data)
{
  Kept *kept = data;

  g_array_unref (kept->versions);
  g_free (kept);
}

static Version *
get_newest (const Kept *kept)
{
  return &g_array_index (kept->versions, Version, kept->versions->len - 1);
}

void
sim_store_reset (void)
{
  g_clear_pointer (&medium.jobs, g_hash_table_unref);
  g_clear_pointer (&medium.dependents, job_dependents_free);
  medium.jobs = g_hash_table_new_full (job_id_hash, job_id_equal, NULL, kept_free);
  medium.dependents = job_dependents_new ();
  medium.locked = FALSE;
}

static Kept *
get_kept (const JobId *id)
{
  Kept *kept = g_hash_table_lookup (medium.jobs, id);

  if (kept)
    return kept;
  kept = g_new0 (Kept, 1);
  kept->id = *id;
  kept->versions = g_array_new (FALSE, FALSE, sizeof (Version));
  g_array_set_clear_func (kept->versions, version_clear);
  g_hash_table_insert (medium.jobs, &kept->id, kept);
  return kept;
}

static void
apply_one (const JobChange *change)
{
  Kept *kept =
      change->record ? get_kept (&change->id) : g_hash_table_lookup (medium.jobs, &change->id);
  Version version = { 0 };

  if (change->record == NULL && (kept == NULL || get_newest (kept)->record == NULL))
    {
      sim_disk_complain ("the store was given a state of a job that it has no record of");
      return;
    }
  version.record = job_record_ref (change->record ? change->record : get_newest (kept)->record);
  job_status_copy (&change->status, &version.status);
  g_array_append_val (kept->versions, version);
  job_dependents_add (medium.dependents, version.record);
}

static void
make_safe (Kept *kept)
{
  g_array_remove_range (kept->versions, 0, kept->versions->len - 1);
  kept->is_safe = TRUE;
}

/* Falls back to some version, perhaps to none. TRUE: that is gone. */
static gboolean
lose_some (gpointer id, gpointer data, gpointer unused)
{
  Kept *kept = data;
  guint n_safe = kept->is_safe ? 1 : 0;
  guint n = n_safe + sim_below (kept->versions->len - n_safe + 1);

  if (n == 0)
    return TRUE;
  g_array_set_size (kept->versions, n);
  if (!kept->is_safe && sim_chance (4))
    g_clear_pointer (&get_newest (kept)->record, job_record_unref);
  make_safe (kept);
  return FALSE;
}

void
sim_store_cut_power (void)
{
  GHashTableIter iter;
  gpointer data;

  g_hash_table_foreach_remove (medium.jobs, lose_some, NULL);
  job_dependents_clear (medium.dependents);
  g_hash_table_iter_init (&iter, medium.jobs);
  while (g_hash_table_iter_next (&iter, NULL, &data))
    if (get_newest (data)->record)
      job_dependents_add (medium.dependents, get_newest (data)->record);
}

/* --- the store -------------------------------------------------------------------------------- */

struct _SimStore
{
  JobStore parent_instance;

  GPtrArray *damaged; /* of JobDamage */
};

G_DEFINE_FINAL_TYPE (SimStore, sim_store, JOB_TYPE_STORE)

static gboolean
step (SimCall call, const char *verb, GError **error)
{
  int failure = sim_step_begin (call, NULL);

  if (failure == 0 || failure == EINTR)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE, "The simulated store cannot %s: %s", verb,
               g_strerror (failure));
  return FALSE;
}

static char *
sim_store_dup_journal_path (JobStore *store)
{
  return g_strdup (SIM_JOURNAL);
}

static void
note_damage (SimStore *self, const Kept *kept)
{
  for (guint i = 0; i < self->damaged->len; i++)
    {
      JobId id;

      if (job_id_parse (job_damage_get_id (g_ptr_array_index (self->damaged, i)), "id", &id,
                        NULL) &&
          job_id_equal (&id, &kept->id))
        return;
    }
  g_ptr_array_add (self->damaged, job_damage_new ("simulated", "It is torn", &kept->id));
}

static gboolean
sim_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor, gpointer data,
                 GError **error)
{
  GHashTableIter iter;
  gpointer value;

  if (!step (SIM_CALL_OTHER, "be walked", error))
    return FALSE;
  sim_step_end ();
  g_hash_table_iter_init (&iter, medium.jobs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Version *version = get_newest (value);

      if (version->record == NULL)
        note_damage (SIM_STORE (store), value);
      else if ((everything || !job_state_is_final (version->status.state)) &&
               !visitor (version->record, &version->status, data))
        break;
    }
  return TRUE;
}

/* After a failure any part may be there. */
static gboolean
sim_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  gboolean was_dead = sim_disk_is_dead ();
  gboolean fine = step (SIM_CALL_GROW, "take changes", error);

  if (was_dead || sim_disk_is_dead ())
    return fine;
  for (gsize i = 0; i < n_changes; i++)
    if (fine || sim_chance (2))
      apply_one (&changes[i]);
  sim_step_end ();
  return fine;
}

static gboolean
sim_store_checkpoint (JobStore *store, GError **error)
{
  gboolean was_dead = sim_disk_is_dead ();
  gboolean fine = step (SIM_CALL_GROW, "make a checkpoint", error);
  GHashTableIter iter;
  gpointer kept;

  if (was_dead || sim_disk_is_dead ())
    return fine;
  g_hash_table_iter_init (&iter, medium.jobs);
  while (g_hash_table_iter_next (&iter, NULL, &kept))
    if (fine || sim_chance (2))
      make_safe (kept);
  sim_step_end ();
  return fine;
}

static gboolean
sim_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                GError **error)
{
  Kept *kept;

  *record = NULL;
  if (!step (SIM_CALL_READ, "be read", error))
    return FALSE;
  sim_step_end ();
  kept = g_hash_table_lookup (medium.jobs, id);
  if (kept == NULL)
    return TRUE;
  if (get_newest (kept)->record == NULL)
    {
      note_damage (SIM_STORE (store), kept);
      g_set_error_literal (error, JOB_ERROR, JOB_ERROR_CORRUPT, "The record is torn");
      return FALSE;
    }
  *record = job_record_ref (get_newest (kept)->record);
  job_status_copy (&get_newest (kept)->status, status);
  return TRUE;
}

static gboolean
sim_store_list_dependents (JobStore *store, const JobId *id, GArray *ids, GError **error)
{
  if (!step (SIM_CALL_READ, "list dependents", error))
    return FALSE;
  sim_step_end ();
  job_dependents_list (medium.dependents, id, ids);
  return TRUE;
}

static GPtrArray *
sim_store_list_damaged (JobStore *store)
{
  GPtrArray *damaged = SIM_STORE (store)->damaged;
  GPtrArray *copy = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < damaged->len; i++)
    {
      JobId id;
      Kept *kept;

      job_id_parse (job_damage_get_id (g_ptr_array_index (damaged, i)), "id", &id, NULL);
      kept = g_hash_table_lookup (medium.jobs, &id);
      if (kept && get_newest (kept)->record == NULL)
        g_ptr_array_add (copy, g_object_ref (g_ptr_array_index (damaged, i)));
    }
  return copy;
}

static gboolean
sim_store_close (JobStore *store, gboolean clean, GError **error)
{
  medium.locked = FALSE;
  return TRUE;
}

static void
sim_store_finalize (GObject *object)
{
  g_ptr_array_unref (SIM_STORE (object)->damaged);
  G_OBJECT_CLASS (sim_store_parent_class)->finalize (object);
}

static void
sim_store_class_init (SimStoreClass *klass)
{
  JobStoreClass *store_class = JOB_STORE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = sim_store_finalize;
  store_class->dup_journal_path = sim_store_dup_journal_path;
  store_class->visit = sim_store_visit;
  store_class->apply = sim_store_apply;
  store_class->checkpoint = sim_store_checkpoint;
  store_class->read = sim_store_read;
  store_class->list_dependents = sim_store_list_dependents;
  store_class->list_damaged = sim_store_list_damaged;
  store_class->close = sim_store_close;
}

static void
sim_store_init (SimStore *self)
{
  self->damaged = g_ptr_array_new_with_free_func (g_object_unref);
}

/* --- the clock -------------------------------------------------------------------------------- */

struct _SimClock
{
  JobClock parent_instance;
};

G_DEFINE_FINAL_TYPE (SimClock, sim_clock, JOB_TYPE_CLOCK)

gint64
sim_get_wall_time (void)
{
  return SIM_EPOCH + sim_get_time () * 1000;
}

static gint64
sim_clock_get_wall_time (JobClock *clock)
{
  return sim_get_wall_time ();
}

static gint64
sim_clock_get_boot_time (JobClock *clock)
{
  return sim_get_time ();
}

static void
sim_clock_wait (JobClock *clock, GCond *cond, GMutex *mutex, gint64 deadline)
{
  if (deadline == -1)
    g_cond_wait (cond, mutex);
  else if (deadline > sim_get_time ())
    g_cond_wait_until (cond, mutex, deadline);
}

static void
sim_clock_class_init (SimClockClass *klass)
{
  JobClockClass *clock_class = JOB_CLOCK_CLASS (klass);

  clock_class->get_wall_time = sim_clock_get_wall_time;
  clock_class->get_boot_time = sim_clock_get_boot_time;
  clock_class->wait = sim_clock_wait;
}

static void
sim_clock_init (SimClock *self)
{
}

/* --- the queue -------------------------------------------------------------------------------- */

struct _SimQueue
{
  JobLocalQueue parent_instance;
};

G_DEFINE_FINAL_TYPE (SimQueue, sim_queue, JOB_TYPE_LOCAL_QUEUE)

static JobStore *
sim_queue_open_store (JobLocalQueue *self, GError **error)
{
  if (medium.locked)
    {
      g_set_error_literal (error, JOB_ERROR, JOB_ERROR_LOCKED, "The simulated store is in use");
      return NULL;
    }
  medium.locked = TRUE;
  return g_object_new (SIM_TYPE_STORE, NULL);
}

static void
sim_queue_class_init (SimQueueClass *klass)
{
  JOB_LOCAL_QUEUE_CLASS (klass)->open_store = sim_queue_open_store;
}

static void
sim_queue_init (SimQueue *self)
{
}

JobQueue *
sim_queue_open (guint64 checkpoint_size, GError **error)
{
  g_autoptr (JobClock) clock = g_object_new (SIM_TYPE_CLOCK, NULL);

  return g_initable_new (SIM_TYPE_QUEUE, NULL, error, "clock", clock, "checkpoint-size",
                         checkpoint_size, NULL);
}
