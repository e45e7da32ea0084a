/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-ledger-private.h"

#include "job-error.h"
#include "job-overlay-private.h"

#define APPLY_AT_ONCE 1000 /* changes; how many are in memory during a checkpoint */

struct _JobLedger
{
  GMutex lock; /* guards all below, and everything that they point to */
  JobStore *store;
  JobJournal *journal; /* NULL: the store's apply() is the commit */
  JobOverlay overlay;
  guint64 configured_size; /* constant: how much journal the user wants at most */
  guint64 checkpoint_at;   /* size of the journal; moves on after a failed one */
  gboolean closed;
};

static void
note_replayed (const JobChange *change, JobPlace place, gpointer data)
{
  job_overlay_note (data, change, place);
}

static void
plan_checkpoint_locked (JobLedger *self)
{
  self->checkpoint_at = job_store_get_checkpoint_size (self->store, self->configured_size);
}

JobLedger *
job_ledger_open (JobStore *store, guint64 checkpoint_size, GError **error)
{
  JobLedger *self = g_new0 (JobLedger, 1);
  g_autofree char *path = job_store_dup_journal_path (store);

  g_mutex_init (&self->lock);
  self->store = store;
  self->configured_size = checkpoint_size;
  job_overlay_init (&self->overlay);
  plan_checkpoint_locked (self);
  if (path == NULL)
    return self;

  self->journal = job_journal_open (path, note_replayed, &self->overlay, error);
  if (self->journal)
    return self;
  job_store_close (self->store, FALSE, NULL);
  self->closed = TRUE;
  job_ledger_free (self);
  return NULL;
}

void
job_ledger_free (JobLedger *self)
{
  if (!self->closed)
    job_store_close (self->store, FALSE, NULL);
  g_clear_pointer (&self->journal, job_journal_free);
  job_overlay_clear (&self->overlay);
  g_object_unref (self->store);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
job_ledger_is_quick (JobLedger *self)
{
  return self->journal == NULL;
}

/* --- in --------------------------------------------------------------------------------------- */

gboolean
job_ledger_commit (JobLedger *self, const JobChange *changes, gsize n_changes, gboolean *unknown,
                   GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autofree JobPlace *places = NULL;

  *unknown = FALSE;
  if (self->journal == NULL)
    return job_store_apply (self->store, changes, n_changes, error);

  places = g_new (JobPlace, n_changes);
  if (!job_journal_append (self->journal, changes, n_changes, places, unknown, error))
    return FALSE;
  for (gsize i = 0; i < n_changes; i++)
    job_overlay_note (&self->overlay, &changes[i], places[i]);
  return TRUE;
}

gboolean
job_ledger_needs_checkpoint (JobLedger *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->journal && job_journal_get_size (self->journal) >= self->checkpoint_at;
}

/* The states of one job, folded into the last. */
static gboolean
read_folded_locked (JobLedger *self, const JobOverlayItem *item, JobChange *change, GError **error)
{
  JobChange record = { 0 };

  if (!job_journal_read (self->journal, item->status, change, error))
    return FALSE;
  if (item->record.length == 0 || item->record.offset == item->status.offset)
    return TRUE;
  if (!job_journal_read (self->journal, item->record, &record, error))
    {
      job_change_clear (change);
      return FALSE;
    }
  change->record = g_steal_pointer (&record.record);
  job_change_clear (&record);
  return TRUE;
}

static gboolean
apply_and_empty (JobLedger *self, GArray *changes, GError **error)
{
  if (!job_store_apply (self->store, (const JobChange *) changes->data, changes->len, error))
    return FALSE;
  g_array_set_size (changes, 0);
  return TRUE;
}

static int
compare_places (gconstpointer a, gconstpointer b)
{
  const JobOverlayItem *x = *(JobOverlayItem *const *) a;
  const JobOverlayItem *y = *(JobOverlayItem *const *) b;
  guint64 x_at = x->record.length > 0 ? x->record.offset : x->status.offset;
  guint64 y_at = y->record.length > 0 ? y->record.offset : y->status.offset;

  return x_at < y_at ? -1 : x_at > y_at;
}

/* In the order of the journal: it is read forwards, and stores that keep jobs by id grow at one
 * end. */
static GPtrArray *
sort_overlay_locked (JobLedger *self)
{
  GPtrArray *items = g_ptr_array_sized_new (self->overlay.items.length);

  for (gsize i = 0; i < self->overlay.items.n_slots; i++)
    if (self->overlay.items.slots[i])
      g_ptr_array_add (items, self->overlay.items.slots[i]);
  g_ptr_array_sort (items, compare_places);
  return items;
}

static gboolean
apply_overlay_locked (JobLedger *self, GError **error)
{
  g_autoptr (GArray) changes = g_array_new (FALSE, FALSE, sizeof (JobChange));
  g_autoptr (GPtrArray) items = sort_overlay_locked (self);

  g_array_set_clear_func (changes, (GDestroyNotify) job_change_clear);
  for (guint i = 0; i < items->len; i++)
    {
      JobChange change = { 0 };

      if (!read_folded_locked (self, g_ptr_array_index (items, i), &change, error))
        return FALSE;
      g_array_append_val (changes, change);
      if (changes->len >= APPLY_AT_ONCE && !apply_and_empty (self, changes, error))
        return FALSE;
    }
  return apply_and_empty (self, changes, error);
}

static gboolean
checkpoint_locked (JobLedger *self, GError **error)
{
  if (self->journal == NULL)
    return job_store_checkpoint (self->store, error);

  if (self->overlay.items.length > 0 &&
      (!apply_overlay_locked (self, error) || !job_store_checkpoint (self->store, error)))
    {
      self->checkpoint_at = job_journal_get_size (self->journal) + self->configured_size;
      return FALSE;
    }
  job_overlay_empty (&self->overlay);
  plan_checkpoint_locked (self);
  return job_journal_reset (self->journal, error);
}

gboolean
job_ledger_checkpoint (JobLedger *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return checkpoint_locked (self, error);
}

gboolean
job_ledger_close (JobLedger *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gboolean clean;

  if (self->closed)
    return TRUE;
  self->closed = TRUE;
  clean = checkpoint_locked (self, error) &&
          (self->journal == NULL || job_journal_remove (self->journal, error));
  return job_store_close (self->store, clean, clean ? error : NULL) && clean;
}

/* --- out -------------------------------------------------------------------------------------- */

/* Brings what the store said up to date: it may lag behind the journal. */
static gboolean
overlay_status_locked (JobLedger *self, const JobOverlayItem *item, JobStatus *status,
                       GError **error)
{
  JobChange change = { 0 };

  if (!job_journal_read (self->journal, item->status, &change, error))
    return FALSE;
  job_status_clear (status);
  *status = change.status;
  change.status = (JobStatus){ 0 };
  job_change_clear (&change);
  return TRUE;
}

static gboolean
read_locked (JobLedger *self, const JobId *id, JobRecord **record, JobStatus *status,
             GError **error)
{
  const JobOverlayItem *item = job_overlay_lookup (&self->overlay, id);
  JobChange change = { 0 };

  *record = NULL;
  if (item && item->record.length > 0)
    {
      if (!read_folded_locked (self, item, &change, error))
        return FALSE;
      *record = change.record;
      *status = change.status;
      return TRUE;
    }
  return job_store_read (self->store, id, record, status, error) &&
         (item == NULL || *record == NULL || overlay_status_locked (self, item, status, error));
}

gboolean
job_ledger_read (JobLedger *self, const JobId *id, JobRecord **record, JobStatus *status,
                 GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return read_locked (self, id, record, status, error);
}

typedef struct
{
  JobLedger *ledger;
  JobStoreVisitor visitor;
  gpointer data;
  gboolean stopped;
} Visit;

/* The jobs that the journal knows of come later, from there. */
static gboolean
visit_settled (JobRecord *record, const JobStatus *status, gpointer data)
{
  Visit *visit = data;

  if (job_overlay_lookup (&visit->ledger->overlay, &record->id))
    return TRUE;
  visit->stopped = !visit->visitor (record, status, visit->data);
  return !visit->stopped;
}

static gboolean
visit_overlay_locked (JobLedger *self, gboolean everything, Visit *visit, GError **error)
{
  for (gsize i = 0; !visit->stopped && i < self->overlay.items.n_slots; i++)
    {
      const JobOverlayItem *item = self->overlay.items.slots[i];
      g_autoptr (JobRecord) record = NULL;
      g_auto (JobStatus) status = { 0 };
      g_autoptr (GError) failure = NULL;

      if (item == NULL)
        continue;
      if (!read_locked (self, &item->id, &record, &status, &failure))
        {
          if (!g_error_matches (failure, JOB_ERROR, JOB_ERROR_CORRUPT) &&
              !g_error_matches (failure, JOB_ERROR, JOB_ERROR_VERSION))
            {
              g_propagate_error (error, g_steal_pointer (&failure));
              return FALSE;
            }
          continue; /* its record is in the store, and damaged: the store has it on its list */
        }
      if (record && (everything || !job_state_is_final (status.state)))
        visit->stopped = !visit->visitor (record, &status, visit->data);
    }
  return TRUE;
}

gboolean
job_ledger_visit (JobLedger *self, gboolean everything, JobStoreVisitor visitor, gpointer data,
                  GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Visit visit = { self, visitor, data, FALSE };

  return job_store_visit (self->store, everything, visit_settled, &visit, error) &&
         visit_overlay_locked (self, everything, &visit, error);
}

void
job_ledger_list_dependents (JobLedger *self, const JobId *id, GArray *ids)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GArray) settled = g_array_new (FALSE, FALSE, sizeof (JobId));
  g_autoptr (GHashTable) listed = g_hash_table_new (job_id_hash, job_id_equal);

  /* A job is in both when a checkpoint failed half-way. */
  job_store_list_dependents (self->store, id, settled);
  job_dependents_list (self->overlay.dependents, id, settled);
  for (guint i = 0; i < settled->len; i++)
    if (g_hash_table_add (listed, &g_array_index (settled, JobId, i)))
      g_array_append_vals (ids, &g_array_index (settled, JobId, i), 1);
}

/* A record that the journal has whole is not lost: the next checkpoint writes it anew. */
static gboolean
is_covered_locked (JobLedger *self, JobDamage *damage)
{
  const JobOverlayItem *item;
  JobId id;

  if (job_damage_get_id (damage) == NULL ||
      !job_id_parse (job_damage_get_id (damage), "id", &id, NULL))
    return FALSE;
  item = job_overlay_lookup (&self->overlay, &id);
  return item && item->record.length > 0;
}

GPtrArray *
job_ledger_list_damaged (JobLedger *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GPtrArray *damaged = job_store_list_damaged (self->store);

  for (guint i = damaged->len; i-- > 0;)
    if (is_covered_locked (self, g_ptr_array_index (damaged, i)))
      g_ptr_array_remove_index (damaged, i);
  return damaged;
}

gboolean
job_ledger_move_damaged (JobLedger *self, JobDamage *damage, const char *directory, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return job_store_move_damaged (self->store, damage, directory, error);
}
