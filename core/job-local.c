/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening, closing, time, and the service thread of a local queue. The thread ends waits whose time
 * is up, makes scheduled jobs pending when they are due, commits what nobody else commits, and at
 * the end closes the store. */

#include "job-local-private.h"

#include "job-error.h"

/* The JobLocal whose service thread or reader this is: they must never wait for their own end. */
static GPrivate own_thread;

/* --- time ------------------------------------------------------------------------------------- */

/* In this order: if time passes in between, a deadline that is made of the two comes out too early,
 * which costs another look, and never too late. */
JobNow
job_local_now (JobLocal *self)
{
  gint64 boot = job_clock_get_boot_time (self->clock);
  gint64 wall = job_clock_get_wall_time (self->clock);

  return (JobNow){ .wall = wall, .boot = boot };
}

/* -1 is never. */
static gint64
earlier (gint64 a, gint64 b)
{
  return a < 0 ? b : b < 0 ? a : MIN (a, b);
}

static gint64
next_deadline (JobLocal *self)
{
  const JobLocalWait *first = job_heap_peek (&self->deadlines);
  gint64 run_at = job_scheduler_get_next_run_at (self->scheduler);
  gint64 deadline = earlier (first ? first->deadline : -1, self->retry_at);

  if (run_at >= 0)
    {
      JobNow now = job_local_now (self);
      gint64 left = MAX (0, run_at - now.wall);
      gint64 due = now.boot + left / 1000 + (left % 1000 > 0); /* and not a µs later */

      deadline = earlier (deadline, due);
    }
  return deadline;
}

void
job_local_plan (JobLocal *self)
{
  gint64 deadline = next_deadline (self);

  if (deadline >= 0 && (self->planned < 0 || deadline < self->planned))
    job_local_wake (self);
}

/* If it is awake it has yet to look at everything before it sleeps. */
void
job_local_wake (JobLocal *self)
{
  if (!self->sleeping)
    return;
  self->sleeping = FALSE;
  g_cond_signal (&self->wake);
}

static void
sleep_until (JobLocal *self, gint64 deadline)
{
  self->sleeping = TRUE;
  self->planned = deadline;
  job_clock_wait (self->clock, &self->wake, &self->lock, deadline);
  self->planned = -1;
  self->sleeping = FALSE;
}

/* --- committing ------------------------------------------------------------------------------- */

void
job_local_match (JobLocal *self, JobNow now)
{
  GArray *claims = job_committer_get_open (self->committer)->effects.claims;
  guint before = claims->len;

  if (self->closed) /* whoever waits gets that for an answer */
    return;
  job_scheduler_match (self->scheduler, now, job_local_open_effects (self));
  for (guint i = before; i < claims->len; i++)
    {
      JobLocalWait *wait = g_array_index (claims, JobClaim, i).data;

      job_local_wait_ref (wait);
      job_local_wait_stop (wait);
      job_committer_add_caller (self->committer, wait->call);
    }
}

static gboolean
is_watched (JobLocal *self)
{
  return job_local_open_effects (self)->finals->len > 0 && g_hash_table_size (self->watches) > 0;
}

void
job_local_commit (JobLocal *self, JobNow now, gboolean may_lead)
{
  job_local_match (self, now);
  if (is_watched (self))
    job_committer_hurry (self->committer);
  if ((may_lead || job_ledger_is_quick (self->ledger)) && job_committer_is_due (self->committer))
    job_committer_lead (self->committer);
  else
    job_committer_hand_over (self->committer);
  job_local_plan (self);
}

/* --- service thread --------------------------------------------------------------------------- */

/* Consumes @waits, without the lock: a call that is answered may have been all that kept the queue.
 */
static void
end_waits (JobLocal *self, GPtrArray *waits, const GError *error)
{
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < waits->len; i++)
    job_local_wait_fail (g_ptr_array_index (waits, i), g_error_copy (error));
  g_ptr_array_unref (waits);
  g_mutex_lock (&self->lock);
}

static void
expire_waits (JobLocal *self)
{
  GPtrArray *expired = job_local_take_expired (self);
  g_autoptr (GError) error =
      g_error_new (JOB_ERROR, JOB_ERROR_TIMED_OUT, "Nothing came within the time given");

  end_waits (self, expired, error);
}

static gboolean
is_wait_over (JobLocal *self)
{
  const JobLocalWait *first = job_heap_peek (&self->deadlines);

  return first && first->deadline <= job_clock_get_boot_time (self->clock);
}

/* First jobs that are due, then waits whose time is up: who waited long enough for a job gets it,
 * however late this thread looks at the clock. */
static void
serve (JobLocal *self)
{
  JobNow now = job_local_now (self);

  if (self->retry_at >= 0 && self->retry_at <= now.boot)
    job_local_give_back_strays (self, now);
  job_local_match (self, now);
  if (is_wait_over (self))
    {
      expire_waits (self);
      return;
    }
  if (job_committer_is_ripe (self->committer))
    {
      job_committer_commit (self->committer);
      return;
    }
  sleep_until (self, next_deadline (self));
}

/* What was accepted before the end is committed still, and answered: after that nobody looks into
 * the ledger any more. */
static void
settle_everything (JobLocal *self)
{
  end_waits (self, job_local_take_all (self), self->closed);
  job_local_give_back_strays (self, job_local_now (self));
  for (;;)
    {
      job_committer_finish (self->committer);
      if (self->n_reads == 0)
        break;
      sleep_until (self, -1);
    }
}

static gpointer
service_thread (gpointer data)
{
  g_autoptr (JobLocal) self = data;
  g_autoptr (GError) error = NULL;

  g_private_set (&own_thread, self);
  g_mutex_lock (&self->lock);
  while (self->closed == NULL)
    serve (self);
  settle_everything (self);
  g_mutex_unlock (&self->lock);

  g_thread_pool_free (self->reader, FALSE, TRUE);
  job_ledger_close (self->ledger, &error);

  g_mutex_lock (&self->lock);
  self->close_error = g_steal_pointer (&error);
  self->stopped = TRUE;
  g_cond_broadcast (&self->stopped_cond);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static void
run_reader (gpointer data, gpointer unused)
{
  JobLocalRead *read = data;

  g_private_set (&own_thread, read->local);
  job_local_read_work (read);
  g_private_set (&own_thread, NULL);
}

/* The one place where foreign code runs: handlers of "cancelled". */
static void
run_messenger (gpointer data, gpointer unused)
{
  g_autoptr (GPtrArray) to_fire = data;

  for (guint i = 0; i < to_fire->len; i++)
    job_alarm_fire (g_ptr_array_index (to_fire, i));
}

/* --- opening and closing ---------------------------------------------------------------------- */

static void
free_watches (gpointer queue)
{
  g_queue_free (queue);
}

static JobLocal *
local_new (JobLedger *ledger, JobClock *clock)
{
  JobLocal *self = g_new0 (JobLocal, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->ledger = ledger;
  self->clock = g_object_ref (clock);
  self->planned = self->retry_at = -1;
  self->strays = g_array_new (FALSE, FALSE, sizeof (JobClaim));
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  g_cond_init (&self->stopped_cond);
  g_cond_init (&self->unreserved);
  self->reserved = g_hash_table_new (job_id_hash, job_id_equal);
  self->none_known = g_hash_table_new (job_id_hash, job_id_equal);
  self->unknown = g_array_new (FALSE, FALSE, sizeof (JobId));
  self->watches = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, free_watches);
  g_queue_init (&self->dequeues);
  job_heap_init (&self->deadlines, job_local_wait_compare,
                 G_STRUCT_OFFSET (JobLocalWait, position));
  self->committer = job_committer_new (&self->lock, &job_local_committer_funcs, self);
  return self;
}

JobLocal *
job_local_ref (JobLocal *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
clear_alarms (JobLocal *self)
{
  JobIdTableIter iter = { 0 };
  JobAlarm *alarm;

  while ((alarm = job_id_table_next (&self->alarms, &iter)))
    job_alarm_unref (alarm);
  job_id_table_clear (&self->alarms);
}

void
job_local_unref (JobLocal *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->scheduler, job_scheduler_free);
  g_clear_pointer (&self->committer, job_committer_free);
  g_clear_pointer (&self->ledger, job_ledger_free);
  clear_alarms (self);
  g_clear_pointer (&self->watches, g_hash_table_unref);
  g_clear_pointer (&self->reserved, g_hash_table_unref);
  g_clear_pointer (&self->none_known, g_hash_table_unref);
  g_clear_pointer (&self->unknown, g_array_unref);
  g_clear_pointer (&self->strays, g_array_unref);
  g_clear_pointer (&self->thread, g_thread_unref);
  if (self->messenger) /* this may be its thread */
    g_thread_pool_free (self->messenger, FALSE, FALSE);
  job_heap_clear (&self->deadlines);
  g_clear_error (&self->closed);
  g_clear_error (&self->close_error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_cond_clear (&self->stopped_cond);
  g_cond_clear (&self->unreserved);
  g_object_unref (self->clock);
  g_free (self);
}

/* What the opening had to cancel is made durable before anybody sees it. */
static gboolean
load (JobLocal *self, GError **error)
{
  JobEffects effects;
  gboolean unknown;
  gboolean loaded;

  job_effects_init (&effects);
  self->scheduler = job_local_build_scheduler (self, &effects, error);
  loaded = self->scheduler &&
           (effects.changes->len == 0 ||
            job_ledger_commit (self->ledger, (const JobChange *) effects.changes->data,
                               effects.changes->len, &unknown, error));
  job_effects_clear (&effects);
  return loaded;
}

JobLocal *
job_local_open (JobStore *store, guint64 checkpoint_size, JobClock *clock, GError **error)
{
  JobLedger *ledger = job_ledger_open (store, checkpoint_size, error);
  g_autoptr (JobLocal) self = NULL;

  if (ledger == NULL)
    return NULL;
  self = local_new (ledger, clock);
  if (!load (self, error))
    return NULL;

  self->reader = g_thread_pool_new (run_reader, NULL, 1, FALSE, NULL);
  self->messenger = g_thread_pool_new (run_messenger, NULL, 1, FALSE, NULL);
  self->thread = g_thread_new ("jobqueue", service_thread, job_local_ref (self));
  return g_steal_pointer (&self);
}

gboolean
job_local_check_open (JobLocal *self, GError **error)
{
  if (self->closed)
    g_propagate_error (error, g_error_copy (self->closed));
  return self->closed == NULL;
}

void
job_local_shut (JobLocal *self, GError *reason)
{
  if (self->closed)
    {
      g_error_free (reason);
      return;
    }
  self->closed = reason;
  job_local_wake (self);
}

static void
shut_by_request (JobLocal *self)
{
  job_local_shut (self, g_error_new (JOB_ERROR, JOB_ERROR_CLOSED,
                                     "The queue is closed; open it again to go on"));
}

static void
wait_for_end (JobLocal *self)
{
  while (!self->stopped)
    g_cond_wait (&self->stopped_cond, &self->lock);
}

gboolean
job_local_close (JobLocal *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->close_asked)
    return job_local_check_open (self, error);
  if (g_private_get (&own_thread) == self)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED,
                   "A queue cannot wait for its own end in a thread of its own; use the "
                   "asynchronous close");
      return FALSE;
    }
  self->close_asked = TRUE;
  shut_by_request (self);
  wait_for_end (self);
  if (self->close_error)
    g_propagate_error (error, g_error_copy (self->close_error));
  return self->close_error == NULL;
}

void
job_local_abandon (JobLocal *self)
{
  g_mutex_lock (&self->lock);
  shut_by_request (self);
  if (g_private_get (&own_thread) != self)
    wait_for_end (self);
  g_mutex_unlock (&self->lock);
  job_local_unref (self);
}
