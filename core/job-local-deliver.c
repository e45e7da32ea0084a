/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of a batch: written, settled, delivered; or reverted. */

#include "job-local-private.h"

#include "job-delivery-private.h"
#include "job-error.h"
#include "job-lease-private.h"

#define RETRY_DELAY G_USEC_PER_SEC /* a disk that fails is left in peace for so long */

static gboolean
write_batch (const JobBatch *batch, gpointer data, GError **error)
{
  JobLocal *self = data;
  const GArray *changes = batch->effects.changes;
  g_autoptr (GError) failure = NULL;
  gboolean unknown;

  if (changes->len == 0 || job_ledger_commit (self->ledger, (const JobChange *) changes->data,
                                              changes->len, &unknown, &failure))
    return TRUE;

  if (unknown)
    {
      g_mutex_lock (&self->lock);
      job_local_shut (self,
                      g_error_new (JOB_ERROR, JOB_ERROR_CLOSED,
                                   "The queue closed itself after a failure (%s); open it again to "
                                   "go on",
                                   failure->message));
      g_mutex_unlock (&self->lock);
    }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* --- settled ---------------------------------------------------------------------------------- */

static void
add_alarm (JobLocal *self, JobBatch *batch, const JobClaim *claim)
{
  JobAlarm *alarm = job_alarm_new (&claim->token, NULL);

  job_id_table_insert (&self->alarms, alarm);
  g_ptr_array_add (batch->alarms, job_alarm_ref (alarm));
}

static void
take_alarm (JobLocal *self, JobBatch *batch, const JobEnd *end)
{
  JobAlarm *alarm = job_id_table_lookup (&self->alarms, &end->token);

  if (alarm == NULL)
    return;
  job_id_table_remove (&self->alarms, alarm);
  if (!end->by_holder && batch->to_fire == NULL)
    batch->to_fire = g_ptr_array_new_with_free_func ((GDestroyNotify) job_alarm_unref);
  g_ptr_array_add (end->by_holder ? batch->to_drop : batch->to_fire, alarm);
}

static void
forget_stray (JobLocal *self, const JobId *token)
{
  for (guint i = 0; i < self->strays->len; i++)
    if (job_id_equal (&g_array_index (self->strays, JobClaim, i).token, token))
      {
        g_array_remove_index_fast (self->strays, i);
        return;
      }
}

/* A job may have been leased and its lease ended in one batch: first what began, then what ended.
 */
static void
settle_batch (JobBatch *batch, gpointer data)
{
  JobLocal *self = data;
  const JobEffects *effects = &batch->effects;

  for (guint i = 0; i < effects->claims->len; i++)
    add_alarm (self, batch, &g_array_index (effects->claims, JobClaim, i));
  for (guint i = 0; i < effects->ends->len; i++)
    {
      const JobEnd *end = &g_array_index (effects->ends, JobEnd, i);

      take_alarm (self, batch, end);
      forget_stray (self, &end->token);
    }
}

/* --- reverted --------------------------------------------------------------------------------- */

typedef struct
{
  JobLocal *self;
  JobScheduler *scheduler;
  JobNow now;
  GError *error; /* owned: why a dependency could not be read, though its record may be sound */
} Building;

static gboolean
load_job (JobRecord *record, const JobStatus *status, gpointer data)
{
  Building *building = data;

  job_scheduler_load (building->scheduler, record, status, building->now);
  return TRUE;
}

static int
look_up_state (const JobId *id, gpointer data)
{
  Building *building = data;
  JobId last_token;
  int state;

  /* One that is not over, and was not loaded, could not be read then, though it can be now. */
  if (building->error == NULL &&
      job_local_look_up (building->self, id, &state, &last_token, &building->error) &&
      state != JOB_KNOWN_ABSENT && job_state_is_final (state))
    return state;
  return JOB_KNOWN_DAMAGED;
}

JobScheduler *
job_local_build_scheduler (JobLocal *self, JobEffects *effects, GError **error)
{
  g_autoptr (JobScheduler) scheduler = job_scheduler_new (job_id_new_token);
  Building building = { self, scheduler, job_local_now (self), NULL };

  if (!job_ledger_visit (self->ledger, FALSE, load_job, &building, error))
    return NULL;
  job_scheduler_settle (scheduler, look_up_state, &building, building.now, effects);
  if (building.error)
    {
      g_propagate_error (error, building.error);
      return NULL;
    }
  return g_steal_pointer (&scheduler);
}

static void
move_waiters (JobLocal *self, JobScheduler *scheduler)
{
  for (GList *link = self->dequeues.head; link; link = link->next)
    {
      JobLocalWait *wait = link->data;

      job_scheduler_move_waiter (scheduler, self->scheduler, &wait->waiter);
    }
}

/* Leases that were to go back, and did not. */
static void
plan_retry (JobLocal *self, JobNow now)
{
  JobId id;

  for (guint i = self->strays->len; i-- > 0;)
    if (!job_scheduler_lookup_token (self->scheduler,
                                     &g_array_index (self->strays, JobClaim, i).token, &id))
      g_array_remove_index_fast (self->strays, i);
  self->retry_at = self->strays->len > 0 ? now.boot + RETRY_DELAY : -1;
}

/* The scheduler is built anew from what is durable: simpler than undoing, and as rare as failing
 * disks. */
static void
revert (const JobBatch *failed, const JobBatch *behind, const GError *reason, gpointer data)
{
  JobLocal *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobScheduler) scheduler = NULL;

  if (self->closed)
    return;
  scheduler =
      job_local_build_scheduler (self, &job_committer_get_open (self->committer)->effects, &error);
  if (scheduler == NULL)
    {
      job_local_shut (
          self,
          g_error_new (JOB_ERROR, JOB_ERROR_CLOSED,
                       "The queue closed itself, since after a failed write (%s) its jobs could "
                       "not be read (%s); open it again to go on",
                       reason->message, error->message));
      return;
    }
  move_waiters (self, scheduler);
  job_scheduler_inherit (scheduler, self->scheduler);
  job_scheduler_take_back_ends (scheduler, failed->effects.ends);
  job_scheduler_take_back_ends (scheduler, behind->effects.ends);
  job_scheduler_free (g_steal_pointer (&self->scheduler));
  self->scheduler = g_steal_pointer (&scheduler);
  plan_retry (self, job_local_now (self));
  job_local_match (self, job_local_now (self));
  job_local_wake (self); /* other jobs may be scheduled now */
}

/* --- delivered -------------------------------------------------------------------------------- */

static JobLease *
make_lease (JobLocal *self, const JobClaim *claim, JobAlarm *alarm, GError **error)
{
  JobLocalWait *wait = claim->data;
  g_autoptr (JobRecord) record = NULL;
  char id[JOB_ID_TEXT_SIZE];

  if (!job_ledger_read_record (self->ledger, &claim->id, &record, error))
    return NULL;
  if (record)
    return job_lease_new_for_record (job_call_get_queue (wait->call), record, claim->attempt,
                                     alarm);
  job_id_to_text (&claim->id, id);
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "The record of job %s is gone", id);
  return NULL;
}

void
job_local_give_back_strays (JobLocal *self, JobNow now)
{
  self->retry_at = -1;
  for (guint i = 0; i < self->strays->len; i++)
    {
      const JobClaim *stray = &g_array_index (self->strays, JobClaim, i);

      job_scheduler_release (self->scheduler, &stray->id, &stray->token, now,
                             job_local_open_effects (self), NULL);
    }
}

/* With the lock. Until it has gone back, it is among the strays: nobody has its token. */
static void
give_back (JobLocal *self, const JobClaim *claim)
{
  JobNow now = job_local_now (self);

  g_array_append_val (self->strays, *claim);
  job_local_give_back_strays (self, now);
  job_local_commit (self, now, FALSE);
}

/* An administrator may have ended it meanwhile; and a queue that is closed leaves its leases as
 * they are. */
void
job_local_discard (JobLocal *self, const JobId *id, const JobId *token)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  JobId running;

  if (self->closed == NULL && job_scheduler_lookup_token (self->scheduler, token, &running))
    give_back (self, &(JobClaim){ .id = *id, .token = *token });
}

/* Leased, but its args cannot be read: the job goes back, unless its record is damaged and would
 * only come again. The caller is told which. */
static void
refuse_lease (JobLocal *self, const JobClaim *claim, GError **error)
{
  if ((*error)->code != JOB_ERROR_CORRUPT)
    {
      g_prefix_error (error,
                      "A job was leased, and goes back as soon as that can be written, since "
                      "its record cannot be read: ");
      g_mutex_lock (&self->lock);
      give_back (self, claim);
      g_mutex_unlock (&self->lock);
      return;
    }
  g_prefix_error (error, "A job was leased, and stays so until somebody fails it, since its record "
                         "cannot be read: ");
  g_warning ("%s", (*error)->message);
}

static void
hand_out (JobLocal *self, const JobClaim *claim, JobAlarm *alarm)
{
  g_autoptr (JobLocalWait) wait = claim->data;
  GError *error = NULL;
  JobLease *lease = make_lease (self, claim, alarm, &error);

  job_local_wait_unhook (wait);
  if (lease)
    {
      job_call_return_lease (wait->call, lease);
      return;
    }
  refuse_lease (self, claim, &error);
  job_call_return_error (wait->call, error);
}

typedef struct
{
  JobClaim claim;
  JobAlarm *alarm; /* owned */
} SettledClaim;

static void
settled_claim_free (gpointer data)
{
  SettledClaim *settled = data;

  job_alarm_unref (settled->alarm);
  g_free (settled);
}

static void
hand_out_settled (JobLocalRead *read)
{
  const SettledClaim *settled = read->extra;

  hand_out (read->local, &settled->claim, settled->alarm);
}

/* Of a job that only the store has. That may be at work, so another thread waits for it, and the
 * batches behind this one do not. */
static void
deliver_settled_claim (JobLocal *self, const JobClaim *claim, JobAlarm *alarm)
{
  JobLocalWait *wait = claim->data;
  JobLocalRead *read = job_local_read_new (self, wait->call, hand_out_settled);
  SettledClaim *settled = g_new (SettledClaim, 1);

  *settled = (SettledClaim){ *claim, job_alarm_ref (alarm) };
  read->extra = settled;
  read->destroy = settled_claim_free;
  job_local_read_defer (read);
}

static void
fail_claim (const JobClaim *claim, const GError *failure)
{
  g_autoptr (JobLocalWait) wait = claim->data;

  job_local_wait_fail (wait, g_error_copy (failure));
}

static void
deliver_claims (JobLocal *self, const JobBatch *batch, const GError *failure)
{
  const GArray *claims = batch->effects.claims;

  for (guint i = 0; i < claims->len; i++)
    {
      const JobClaim *claim = &g_array_index (claims, JobClaim, i);

      if (failure)
        fail_claim (claim, failure);
      else if (job_ledger_is_at_hand (self->ledger, &claim->id))
        hand_out (self, claim, g_ptr_array_index (batch->alarms, i));
      else
        deliver_settled_claim (self, claim, g_ptr_array_index (batch->alarms, i));
    }
}

static void
deliver_answer (JobAnswer *answer, const GError *failure)
{
  if (failure)
    job_call_return_error (answer->call, g_error_copy (failure));
  else if (answer->value)
    job_call_return_pointer (answer->call, g_steal_pointer (&answer->value), answer->destroy);
  else
    job_call_return_true (answer->call);
}

static void
deliver_final (JobLocal *self, const JobId *id)
{
  g_autoptr (GPtrArray) watches = NULL;

  g_mutex_lock (&self->lock);
  watches = job_local_take_watches (self, id);
  g_mutex_unlock (&self->lock);

  for (guint i = 0; watches && i < watches->len; i++)
    {
      JobLocalWait *wait = g_ptr_array_index (watches, i);
      g_autoptr (GError) error = NULL;
      JobInfo *info = job_local_read_final (self, id, &error);

      if (info == NULL)
        {
          job_local_wait_fail (wait, g_steal_pointer (&error));
          continue;
        }
      job_local_wait_unhook (wait);
      job_call_return_pointer (wait->call, info, g_object_unref);
    }
}

static gboolean
is_watched (JobLocal *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_hash_table_size (self->watches) > 0;
}

/* Who waits for the end of a job that never came to be. */
static void
fail_orphans (JobLocal *self, const GError *error)
{
  g_autoptr (GPtrArray) orphans = NULL;

  g_mutex_lock (&self->lock);
  orphans = job_local_take_orphans (self);
  g_mutex_unlock (&self->lock);

  for (guint i = 0; i < orphans->len; i++)
    job_local_wait_fail (g_ptr_array_index (orphans, i), g_error_copy (error));
}

static void
answer_callers (JobLocal *self, JobBatch *batch, const GError *error)
{
  GQueue round;

  job_delivery_begin_round (&round);
  for (guint i = 0; i < batch->answers->len; i++)
    deliver_answer (&g_array_index (batch->answers, JobAnswer, i), error);
  deliver_claims (self, batch, error);
  job_delivery_end_round (&round);
}

static void
deliver_batch (JobBatch *batch, const GError *error, gpointer data)
{
  JobLocal *self = data;
  const JobEffects *effects = &batch->effects;

  answer_callers (self, batch, error);
  if (error)
    {
      fail_orphans (self, error);
      return;
    }
  if (batch->to_fire)
    g_thread_pool_push (self->messenger, g_steal_pointer (&batch->to_fire), NULL);
  if (effects->finals->len > 0 && is_watched (self))
    for (guint i = 0; i < effects->finals->len; i++)
      deliver_final (self, &g_array_index (effects->finals, JobId, i));
}

static void
hand_over (gpointer data)
{
  job_local_wake (data);
}

static void
go_on (gpointer data)
{
  g_autoptr (JobLocal) self = data;

  g_mutex_lock (&self->lock);
  job_committer_go_on (self->committer);
  g_mutex_unlock (&self->lock);
}

static gboolean
put_off (GMainContext *context, guint n_made, gint64 commit_time, gpointer data)
{
  if (!job_delivery_put_off (context, n_made, commit_time, go_on, data))
    return FALSE;
  job_local_ref (data);
  return TRUE;
}

const JobCommitterFuncs job_local_committer_funcs = {
  .write = write_batch,
  .settle = settle_batch,
  .revert = revert,
  .deliver = deliver_batch,
  .hand_over = hand_over,
  .put_off = put_off,
};
