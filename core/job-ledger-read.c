/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes out: jobs as they stand after the last durable change. The active segment knows best,
 * then the sealed one, then the store. */

#include "job-ledger-inside-private.h"

#include "job-error.h"

/* What the journal has of one job. */
typedef struct
{
  gboolean known;   /* it has its newest status */
  JobChange change; /* the status; and the record, if the journal has that, too */
} Found;

static void
found_clear (Found *self)
{
  if (self->known)
    job_change_clear (&self->change);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

/* With the lock, so that no segment is released meanwhile. */
static gboolean
read_record_locked (JobLedger *self, guint segment, const JobOverlayItem *item, Found *found,
                    GError **error)
{
  JobChange change = { 0 };

  if (!job_journal_read (self->journal, segment, item->record, &change, error))
    return FALSE;
  found->change.record = g_steal_pointer (&change.record);
  job_change_clear (&change);
  return TRUE;
}

static gboolean
find_locked (JobLedger *self, const JobId *id, Found *found, GError **error)
{
  const guint order[JOB_JOURNAL_SEGMENTS] = { self->active, 1 - self->active };

  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    {
      const JobOverlayItem *item = job_overlay_lookup (&self->overlays[order[i]], id);

      if (item == NULL)
        continue;
      if (!found->known)
        {
          if (!job_journal_read (self->journal, order[i], item->status, &found->change, error))
            return FALSE;
          found->known = TRUE;
        }
      if (found->change.record == NULL && item->record.length > 0 &&
          !read_record_locked (self, order[i], item, found, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
find (JobLedger *self, const JobId *id, Found *found, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return find_locked (self, id, found, error);
}

static void
take_status (Found *found, JobStatus *status)
{
  job_status_clear (status);
  *status = found->change.status;
  found->change.status = (JobStatus){ 0 };
}

/* The record is the store's, and perhaps the status, too: the journal, asked first, may know a
 * newer one. */
static gboolean
read_store (JobLedger *self, const JobId *id, Found *found, JobRecord **record, JobStatus *status,
            GError **error)
{
  if (!job_store_read (self->store, id, record, status, error))
    return FALSE;
  if (found->known && *record)
    take_status (found, status);
  return TRUE;
}

/* @taken: the caller has the store already. */
static gboolean
read_job (JobLedger *self, const JobId *id, gboolean taken, JobRecord **record, JobStatus *status,
          GError **error)
{
  g_auto (Found) found = { 0 };
  gboolean done;

  *record = NULL;
  if (self->journal && !find (self, id, &found, error))
    return FALSE;
  if (found.change.record)
    {
      *record = g_steal_pointer (&found.change.record);
      take_status (&found, status);
      return TRUE;
    }

  if (!taken)
    job_ledger_take_store_to_read (self);
  done = read_store (self, id, &found, record, status, error);
  if (!taken)
    job_ledger_give_store_to_read (self);
  return done;
}

gboolean
job_ledger_read (JobLedger *self, const JobId *id, JobRecord **record, JobStatus *status,
                 GError **error)
{
  return read_job (self, id, FALSE, record, status, error);
}

gboolean
job_ledger_read_record (JobLedger *self, const JobId *id, JobRecord **record, GError **error)
{
  g_auto (JobStatus) status = { 0 };

  *record = self->journal ? job_record_cache_lookup (&self->cache, id) : NULL;
  return *record || job_ledger_read (self, id, record, &status, error);
}

static gboolean
has_record (JobLedger *self, const JobId *id)
{
  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    {
      const JobOverlayItem *item = job_overlay_lookup (&self->overlays[i], id);

      if (item && item->record.length > 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_in_journal (JobLedger *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return has_record (self, id);
}

gboolean
job_ledger_is_at_hand (JobLedger *self, const JobId *id)
{
  g_autoptr (JobRecord) record = NULL;

  if (self->journal == NULL)
    return TRUE;
  record = job_record_cache_lookup (&self->cache, id);
  return record || is_in_journal (self, id);
}

/* --- visits ----------------------------------------------------------------------------------- */

/* With the store taken: no segment is emptied meanwhile, but the active one grows, and may change
 * its part. Jobs that come to the journal after the beginning are visited as the store has them. */
typedef struct
{
  JobLedger *ledger;
  JobStoreVisitor visitor;
  gpointer data;
  guint n_items[JOB_JOURNAL_SEGMENTS]; /* of the overlays, at the beginning */
  gboolean stopped;
} Visit;

static gboolean
is_covered (Visit *visit, const JobId *id)
{
  JobLedger *self = visit->ledger;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    {
      const JobOverlayItem *item = job_overlay_lookup (&self->overlays[i], id);

      if (item && item->number < visit->n_items[i])
        return TRUE;
    }
  return FALSE;
}

static gboolean
visit_settled (JobRecord *record, const JobStatus *status, gpointer data)
{
  Visit *visit = data;

  if (is_covered (visit, &record->id))
    return TRUE;
  visit->stopped = !visit->visitor (record, status, visit->data);
  return !visit->stopped;
}

/* The id of an item, unless it is in the segment that was visited before as well. */
static gboolean
get_next (Visit *visit, guint segment, guint number, JobId *id)
{
  JobLedger *self = visit->ledger;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const JobOverlayItem *item = g_ptr_array_index (self->overlays[segment].items, number), *other;

  *id = item->id;
  if (segment == 0)
    return TRUE;
  other = job_overlay_lookup (&self->overlays[0], id);
  return other == NULL || other->number >= visit->n_items[0];
}

/* One whose record is in the store, and damaged, is on the store's list. */
static gboolean
visit_one (Visit *visit, const JobId *id, gboolean everything, GError **error)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) failure = NULL;

  if (!read_job (visit->ledger, id, TRUE, &record, &status, &failure))
    {
      if (g_error_matches (failure, JOB_ERROR, JOB_ERROR_CORRUPT) ||
          g_error_matches (failure, JOB_ERROR, JOB_ERROR_VERSION))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (record && (everything || !job_state_is_final (status.state)))
    visit->stopped = !visit->visitor (record, &status, visit->data);
  return TRUE;
}

static gboolean
visit_journal (Visit *visit, gboolean everything, GError **error)
{
  for (guint segment = 0; segment < JOB_JOURNAL_SEGMENTS; segment++)
    for (guint i = 0; !visit->stopped && i < visit->n_items[segment]; i++)
      {
        JobId id;

        if (get_next (visit, segment, i, &id) && !visit_one (visit, &id, everything, error))
          return FALSE;
      }
  return TRUE;
}

static void
note_items (Visit *visit)
{
  JobLedger *self = visit->ledger;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    visit->n_items[i] = self->overlays[i].items->len;
}

/* Not before: stores learn from a visit what they need to apply. */
static void
resume_applier (JobLedger *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->sealed && self->applier == NULL)
    job_ledger_start_applier (self);
}

gboolean
job_ledger_visit (JobLedger *self, gboolean everything, JobStoreVisitor visitor, gpointer data,
                  GError **error)
{
  Visit visit = { .ledger = self, .visitor = visitor, .data = data };
  gboolean done;

  job_ledger_take_store (self);
  note_items (&visit);
  done = job_store_visit (self->store, everything, visit_settled, &visit, error) &&
         visit_journal (&visit, everything, error);
  job_ledger_give_store (self);
  if (done)
    resume_applier (self);
  return done;
}

/* --- lists ------------------------------------------------------------------------------------ */

static void
list_in_journal (JobLedger *self, const JobId *id, GArray *ids)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    job_dependents_list (self->overlays[i].dependents, id, ids);
}

/* The journal first: what leaves it meanwhile is in the store. A job may be in both. */
gboolean
job_ledger_list_dependents (JobLedger *self, const JobId *id, GArray *ids, GError **error)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (JobId));
  g_autoptr (GHashTable) listed = NULL;
  gboolean whole;

  list_in_journal (self, id, found);
  job_ledger_take_store_to_read (self);
  whole = job_store_list_dependents (self->store, id, found, error);
  job_ledger_give_store_to_read (self);
  if (!whole || found->len == 0)
    return whole;

  listed = g_hash_table_new (job_id_hash, job_id_equal);
  for (guint i = 0; i < found->len; i++)
    if (g_hash_table_add (listed, &g_array_index (found, JobId, i)))
      g_array_append_vals (ids, &g_array_index (found, JobId, i), 1);
  return TRUE;
}

/* A record that the journal has whole is not lost: the next checkpoint writes it anew. */
static gboolean
is_whole_in_journal (JobLedger *self, JobDamage *damage)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  JobId id;

  return job_damage_get_id (damage) && job_id_parse (job_damage_get_id (damage), "id", &id, NULL) &&
         has_record (self, &id);
}

GPtrArray *
job_ledger_list_damaged (JobLedger *self)
{
  GPtrArray *damaged;

  job_ledger_take_store (self);
  damaged = job_store_list_damaged (self->store);
  for (guint i = damaged->len; i-- > 0;)
    if (is_whole_in_journal (self, g_ptr_array_index (damaged, i)))
      g_ptr_array_remove_index (damaged, i);
  job_ledger_give_store (self);
  return damaged;
}

gboolean
job_ledger_move_damaged (JobLedger *self, JobDamage *damage, const char *directory, GError **error)
{
  gboolean done;

  job_ledger_take_store (self);
  done = job_store_move_damaged (self->store, damage, directory, error);
  job_ledger_give_store (self);
  return done;
}
