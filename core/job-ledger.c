/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What goes in: commits, and the end. */

#include "job-ledger-inside-private.h"

#include "job-error.h"

/* --- opening ---------------------------------------------------------------------------------- */

static void
note_replayed (const JobChange *change, guint segment, JobPlace place, gpointer data)
{
  JobLedger *self = data;

  job_overlay_note (&self->overlays[segment], change, place);
}

static JobLedger *
ledger_new (JobStore *store, guint64 checkpoint_size)
{
  JobLedger *self = g_new0 (JobLedger, 1);

  g_mutex_init (&self->turnstile);
  g_mutex_init (&self->store_lock);
  g_mutex_init (&self->lock);
  job_record_cache_init (&self->cache);
  g_cond_init (&self->wake);
  g_cond_init (&self->progress);
  self->store = store;
  self->configured_size = checkpoint_size;
  self->reads_overlap = JOB_STORE_GET_CLASS (store)->reads_overlap;
  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    job_overlay_init (&self->overlays[i]);
  self->capacity = job_ledger_plan_capacity (self);
  return self;
}

/* What a crash left in the lower segment is applied as soon as the store has been visited. */
static void
resume (JobLedger *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->active = job_journal_get_active (self->journal);
  self->sealed = job_journal_get_size (self->journal, 1 - self->active) > 0;
}

JobLedger *
job_ledger_open (JobStore *store, guint64 checkpoint_size, GError **error)
{
  JobLedger *self = ledger_new (store, checkpoint_size);
  g_autofree char *path = job_store_dup_journal_path (store);

  if (path == NULL)
    return self;

  self->journal = job_journal_open (path, note_replayed, self, error);
  if (self->journal == NULL)
    {
      job_ledger_free (self);
      return NULL;
    }
  resume (self);
  return self;
}

void
job_ledger_free (JobLedger *self)
{
  job_ledger_stop_applier (self);
  if (!self->closed)
    job_store_close (self->store, FALSE, NULL);
  g_clear_pointer (&self->journal, job_journal_free);
  for (guint i = 0; i < JOB_JOURNAL_SEGMENTS; i++)
    job_overlay_clear (&self->overlays[i]);
  job_record_cache_clear (&self->cache);
  g_clear_error (&self->failure);
  g_object_unref (self->store);
  g_mutex_clear (&self->turnstile);
  g_mutex_clear (&self->store_lock);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_cond_clear (&self->progress);
  g_free (self);
}

gboolean
job_ledger_is_quick (JobLedger *self)
{
  return self->journal == NULL;
}

void
job_ledger_keep_at_hand (JobLedger *self, JobRecord *const *records, gsize n_records)
{
  for (gsize i = 0; self->journal && i < n_records; i++)
    job_record_cache_add (&self->cache, records[i]);
}

/* --- commits ---------------------------------------------------------------------------------- */

/* With the lock. A segment without a batch takes one of any size. */
static gboolean
is_full (JobLedger *self, gsize more)
{
  guint64 size = job_journal_get_size (self->journal, self->active);

  return size > 0 && size + more > self->capacity;
}

/* With the lock. While a segment is brought into the store, the other one fills in proportion: up
 * to a quarter at once, up to three quarters with the jobs that were applied, and the rest while
 * the store is made durable. So who writes faster than the store is slowed down to its speed, batch
 * by batch, and does not stand still when both segments are full. */
static gboolean
is_ahead (JobLedger *self)
{
  guint64 size = job_journal_get_size (self->journal, self->active);
  guint n_jobs = self->overlays[1 - self->active].items->len;

  return self->sealed && self->applier && self->failure == NULL && self->n_applied < n_jobs &&
         size >= self->capacity / 4 + self->capacity / 2 * self->n_applied / n_jobs;
}

static gboolean
fail_full (GError **error)
{
  g_prefix_error (error,
                  "The journal is full, and what is in it cannot be brought into the store: ");
  return FALSE;
}

static gboolean
make_room (JobLedger *self, gsize size, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (;;)
    {
      if (is_full (self, size))
        {
          if (!job_ledger_await_applier (self, error))
            return fail_full (error);
          if (is_full (self, size)) /* still: the applier may have raised the limit */
            job_ledger_seal (self);
        }
      else if (is_ahead (self))
        g_cond_wait (&self->progress, &self->lock);
      else
        return job_journal_prepare (self->journal, self->capacity, error);
    }
}

static void
note_committed (JobLedger *self, const JobChange *changes, gsize n_changes, const JobPlace *places)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (gsize i = 0; i < n_changes; i++)
    job_overlay_note (&self->overlays[self->active], &changes[i], places[i]);
}

/* With the lock. FALSE without an error: that does not go, and nothing has changed. */
static gboolean
go_on_in_other (JobLedger *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean unknown;

  if (self->sealed)
    return FALSE;
  if (job_journal_void (self->journal, &unknown, &failure))
    {
      self->active = 1 - self->active;
      self->sealed = TRUE;
      job_ledger_start_applier (self);
      return TRUE;
    }
  if (unknown)
    g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* After a failed write: the failed batch never was, or the journal is of no more use. */
static gboolean
take_back (JobLedger *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GError) failure = NULL;

  if (go_on_in_other (self, &failure) ||
      (failure == NULL && job_journal_cut_back (self->journal, &failure)))
    return TRUE;
  self->broken = TRUE;
  g_prefix_error (error, "The outcome is unknown, since it could not be taken back either (%s): ",
                  failure->message);
  return FALSE;
}

static gboolean
check_usable (JobLedger *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->broken)
    g_set_error_literal (error, JOB_ERROR, JOB_ERROR_STORAGE,
                         "The journal failed before and cannot go on; close the queue and open it "
                         "again");
  return !self->broken;
}

static gboolean
commit_quickly (JobLedger *self, const JobChange *changes, gsize n_changes, GError **error)
{
  gboolean done;

  job_ledger_take_store (self);
  done = job_store_apply (self->store, changes, n_changes, error);
  job_ledger_give_store (self);
  return done;
}

gboolean
job_ledger_commit (JobLedger *self, const JobChange *changes, gsize n_changes, gboolean *unknown,
                   GError **error)
{
  g_autofree JobPlace *places = NULL;
  gsize size;

  *unknown = FALSE;
  if (self->journal == NULL)
    return commit_quickly (self, changes, n_changes, error);

  *unknown = !check_usable (self, error);
  if (*unknown)
    return FALSE;
  places = g_new (JobPlace, n_changes);
  if (!job_journal_stage (self->journal, changes, n_changes, places, &size, error) ||
      !make_room (self, size, error))
    return FALSE;
  if (job_journal_write (self->journal, places, error))
    {
      note_committed (self, changes, n_changes, places);
      return TRUE;
    }
  *unknown = !take_back (self, error);
  return FALSE;
}

/* --- the end ---------------------------------------------------------------------------------- */

static gboolean
checkpoint_journal (JobLedger *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!job_ledger_await_applier (self, error))
    return FALSE;
  if (job_journal_get_size (self->journal, self->active) > 0)
    job_ledger_seal (self);
  return job_ledger_await_applier (self, error);
}

gboolean
job_ledger_checkpoint (JobLedger *self, GError **error)
{
  gboolean done;

  if (self->journal)
    return checkpoint_journal (self, error);
  job_ledger_take_store (self);
  done = job_store_checkpoint (self->store, error);
  job_ledger_give_store (self);
  return done;
}

gboolean
job_ledger_close (JobLedger *self, GError **error)
{
  gboolean clean;

  if (self->closed)
    return TRUE;
  self->closed = TRUE;
  clean = check_usable (self, error) && job_ledger_checkpoint (self, error) &&
          (self->journal == NULL || job_journal_remove (self->journal, error));
  job_ledger_stop_applier (self);
  return job_store_close (self->store, clean, clean ? error : NULL) && clean;
}
