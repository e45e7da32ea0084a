/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the store follows the journal. A thread of its own, the applier, brings the jobs of a sealed
 * segment into the store, the states of each folded into the last; makes the store durable; and
 * releases the segment. Batches go to the other segment meanwhile.
 *
 * A failure loses nothing, since the segment stays as it is. It is told by a warning, if nobody
 * waits for the outcome, and tried again when the other segment is full as well: whoever wants to
 * write waits for that attempt, and fails with it. */

#include "job-ledger-inside-private.h"

#include "job-error.h"

/* Changes for one call of the store: how long somebody who reads waits for it. */
#define APPLY_AT_ONCE 200

/* Without a journal there is no applier. */
void
job_ledger_take_store (JobLedger *self)
{
  if (self->journal)
    g_mutex_lock (&self->turnstile);
  g_mutex_lock (&self->store_lock);
  if (self->journal)
    g_mutex_unlock (&self->turnstile);
}

void
job_ledger_give_store (JobLedger *self)
{
  g_mutex_unlock (&self->store_lock);
}

void
job_ledger_take_store_to_read (JobLedger *self)
{
  if (!self->reads_overlap)
    job_ledger_take_store (self);
}

void
job_ledger_give_store_to_read (JobLedger *self)
{
  if (!self->reads_overlap)
    job_ledger_give_store (self);
}

/* --- the applier ------------------------------------------------------------------------------ */

/* Records and statuses lie apart, each about in order. */
typedef struct
{
  JobJournalReader records;
  JobJournalReader statuses;
} Readers;

static void
readers_clear (Readers *self)
{
  job_journal_reader_clear (&self->records);
  job_journal_reader_clear (&self->statuses);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Readers, readers_clear)

/* The states of one job, folded into the last. Nobody changes a sealed segment. */
static gboolean
read_folded (Readers *readers, const JobOverlayItem *item, JobChange *change, GError **error)
{
  JobChange status = { 0 };

  if (item->record.length == 0)
    return job_journal_reader_read (&readers->statuses, item->status, change, error);
  if (!job_journal_reader_read (&readers->records, item->record, change, error))
    return FALSE;
  if (item->record.offset == item->status.offset)
    return TRUE;
  if (!job_journal_reader_read (&readers->statuses, item->status, &status, error))
    {
      job_change_clear (change);
      return FALSE;
    }
  job_status_clear (&change->status);
  change->status = status.status;
  return TRUE;
}

/* FALSE if it has to stop. */
static gboolean
note_progress (JobLedger *self, guint n_applied, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->n_applied = n_applied;
  g_cond_broadcast (&self->progress);
  if (self->stopping)
    g_set_error_literal (error, JOB_ERROR, JOB_ERROR_CLOSED, "The queue is about to end");
  return !self->stopping;
}

static gboolean
apply_to_store (JobLedger *self, GArray *changes, GError **error)
{
  gboolean done;

  job_ledger_take_store (self);
  done = job_store_apply (self->store, (const JobChange *) changes->data, changes->len, error);
  job_ledger_give_store (self);
  g_array_set_size (changes, 0);
  return done;
}

static gboolean
apply_overlay (JobLedger *self, guint segment, GError **error)
{
  GPtrArray *items = self->overlays[segment].items;
  g_autoptr (GArray) changes = g_array_new (FALSE, FALSE, sizeof (JobChange));
  g_auto (Readers) readers;

  job_journal_reader_init (&readers.records, self->journal, segment);
  job_journal_reader_init (&readers.statuses, self->journal, segment);
  g_array_set_clear_func (changes, (GDestroyNotify) job_change_clear);
  for (guint i = 0; i < items->len; i++)
    {
      JobChange change = { 0 };

      if (!read_folded (&readers, g_ptr_array_index (items, i), &change, error))
        return FALSE;
      g_array_append_val (changes, change);
      if ((changes->len == APPLY_AT_ONCE || i + 1 == items->len) &&
          (!apply_to_store (self, changes, error) || !note_progress (self, i + 1, error)))
        return FALSE;
    }
  return TRUE;
}

/* From now on the jobs are read from the store. Both locks: who visits sees each job once. */
static void
drop_overlay (JobLedger *self, guint segment)
{
  JobOverlay old;

  job_ledger_take_store (self);
  g_mutex_lock (&self->lock);
  old = self->overlays[segment];
  job_overlay_init (&self->overlays[segment]);
  g_mutex_unlock (&self->lock);
  job_ledger_give_store (self);
  job_overlay_clear (&old);
}

static gboolean
checkpoint_store (JobLedger *self, GError **error)
{
  gboolean done;

  job_ledger_take_store (self);
  done = job_store_checkpoint (self->store, error);
  job_ledger_give_store (self);
  return done;
}

guint64
job_ledger_plan_capacity (JobLedger *self)
{
  guint64 size;

  job_ledger_take_store (self);
  size = job_store_get_checkpoint_size (self->store, self->configured_size);
  job_ledger_give_store (self);
  return MIN (size, JOB_JOURNAL_MAX_CAPACITY);
}

/* Without the lock. If only the release failed before, there is nothing left to apply. */
static gboolean
apply_segment (JobLedger *self, guint segment, guint64 *capacity, GError **error)
{
  if (self->overlays[segment].items->len > 0)
    {
      if (!apply_overlay (self, segment, error) || !checkpoint_store (self, error))
        return FALSE;
      drop_overlay (self, segment);
    }
  *capacity = job_ledger_plan_capacity (self);
  return job_journal_release (self->journal, segment, *capacity, error);
}

/* With the lock. */
static void
work (JobLedger *self)
{
  guint segment = 1 - self->active;
  guint64 capacity = self->capacity;
  g_autoptr (GError) error = NULL;

  g_mutex_unlock (&self->lock);
  apply_segment (self, segment, &capacity, &error);
  g_mutex_lock (&self->lock);

  self->sealed = error != NULL;
  self->capacity = capacity;
  if (error && self->n_awaiting == 0 && !self->stopping)
    g_warning ("A checkpoint failed: %s. Nothing is lost: the journal has it all, and it will be "
               "tried again.",
               error->message);
  self->failure = g_steal_pointer (&error);
  g_cond_broadcast (&self->progress);
}

static gpointer
run_applier (gpointer data)
{
  JobLedger *self = data;

  g_mutex_lock (&self->lock);
  while (!self->stopping)
    if (self->sealed && self->failure == NULL)
      work (self);
    else
      g_cond_wait (&self->wake, &self->lock);
  g_mutex_unlock (&self->lock);
  return NULL;
}

void
job_ledger_start_applier (JobLedger *self)
{
  g_clear_error (&self->failure);
  self->n_applied = 0;
  if (self->applier == NULL)
    self->applier = g_thread_new ("jobqueue-apply", run_applier, self);
  g_cond_signal (&self->wake);
}

void
job_ledger_seal (JobLedger *self)
{
  job_journal_switch (self->journal);
  self->active = 1 - self->active;
  self->sealed = TRUE;
  job_ledger_start_applier (self);
}

gboolean
job_ledger_await_applier (JobLedger *self, GError **error)
{
  if (self->sealed && (self->failure || self->applier == NULL))
    job_ledger_start_applier (self);
  self->n_awaiting++;
  while (self->sealed && self->failure == NULL)
    g_cond_wait (&self->progress, &self->lock);
  self->n_awaiting--;
  if (self->sealed)
    g_propagate_error (error, g_error_copy (self->failure));
  return !self->sealed;
}

void
job_ledger_stop_applier (JobLedger *self)
{
  GThread *applier;

  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  applier = g_steal_pointer (&self->applier);
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
  if (applier)
    g_thread_join (applier);
}
