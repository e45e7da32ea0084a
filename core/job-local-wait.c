/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that wait: a dequeue until there is a job for it, a watch until a job is over. Waiting is
 * an entry in a list: no thread, no timer of its own. Whoever takes an entry out of the list, with
 * the lock, answers its call. */

#include "job-local-private.h"

#include "job-error.h"

#define MAX_WAITING 100000 /* for jobs, or for the end of one job: some 400 bytes each */

int
job_local_wait_compare (gconstpointer a, gconstpointer b)
{
  const JobLocalWait *x = a;
  const JobLocalWait *y = b;

  return x->deadline < y->deadline ? -1 : x->deadline > y->deadline;
}

JobLocalWait *
job_local_wait_new (JobLocal *local, JobCall *call, gint64 timeout)
{
  JobLocalWait *self = g_slice_new0 (JobLocalWait);

  g_atomic_ref_count_init (&self->ref_count);
  self->local = job_local_ref (local);
  self->call = job_call_ref (call);
  self->timeout = timeout;
  self->link.data = self;
  return self;
}

JobLocalWait *
job_local_wait_ref (JobLocalWait *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
job_local_wait_unref (JobLocalWait *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  job_call_unref (self->call);
  job_local_unref (self->local);
  g_slice_free (JobLocalWait, self);
}

/* --- in and out of the lists ------------------------------------------------------------------ */

static GQueue *
watches_of (JobLocal *local, const JobId *id)
{
  GQueue *queue = g_hash_table_lookup (local->watches, id);

  if (queue == NULL)
    {
      queue = g_queue_new ();
      g_hash_table_insert (local->watches, g_memdup2 (id, sizeof *id), queue);
    }
  return queue;
}

static gboolean
check_room (const GQueue *queue, gboolean is_watch, GError **error)
{
  if (queue->length < MAX_WAITING)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED,
               "%d calls wait for %s already, which is the limit: let fewer wait at a time, or use "
               "a timeout of 0",
               MAX_WAITING, is_watch ? "the end of this job" : "a job");
  return FALSE;
}

gboolean
job_local_wait_start (JobLocalWait *self, GError **error)
{
  JobLocal *local = self->local;
  GQueue *queue;

  if (self->canceled)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled");
      return FALSE;
    }
  queue = self->is_watch ? watches_of (local, &self->id) : &local->dequeues;
  if (!check_room (queue, self->is_watch, error))
    return FALSE;

  job_local_wait_ref (self);
  self->waiting = TRUE;
  g_queue_push_tail_link (queue, &self->link);
  if (self->timeout >= 0)
    {
      gint64 now = job_clock_get_boot_time (local->clock);

      self->deadline = self->timeout > G_MAXINT64 - now ? G_MAXINT64 : now + self->timeout;
      job_heap_push (&local->deadlines, self);
      job_local_plan (local);
    }
  return TRUE;
}

static void
unlink_watch (JobLocalWait *self)
{
  GQueue *queue = g_hash_table_lookup (self->local->watches, &self->id);

  g_queue_unlink (queue, &self->link);
  if (queue->length == 0)
    g_hash_table_remove (self->local->watches, &self->id);
}

void
job_local_wait_stop (JobLocalWait *self)
{
  JobLocal *local = self->local;

  if (!self->waiting)
    return;
  self->waiting = FALSE;
  if (self->is_watch)
    unlink_watch (self);
  else
    g_queue_unlink (&local->dequeues, &self->link);
  if (job_waiter_waits (&self->waiter))
    job_scheduler_remove_waiter (local->scheduler, &self->waiter);
  if (job_heap_contains (&local->deadlines, self))
    job_heap_remove (&local->deadlines, self);
  job_local_wait_unref (self);
}

/* Takes it for the caller, who answers it. */
static void
take (JobLocalWait *self, GPtrArray *taken)
{
  g_ptr_array_add (taken, job_local_wait_ref (self));
  job_local_wait_stop (self);
}

static GPtrArray *
new_list (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) job_local_wait_unref);
}

GPtrArray *
job_local_take_expired (JobLocal *self)
{
  gint64 now = job_clock_get_boot_time (self->clock);
  GPtrArray *taken = new_list ();
  JobLocalWait *wait;

  while ((wait = job_heap_peek (&self->deadlines)) && wait->deadline <= now)
    take (wait, taken);
  return taken;
}

/* The queue goes with its last one. */
static void
take_watches_of (JobLocal *self, const JobId *id, GPtrArray *taken)
{
  GQueue *queue = g_hash_table_lookup (self->watches, id);

  for (guint left = queue->length; left > 0; left--)
    take (queue->head->data, taken);
}

GPtrArray *
job_local_take_watches (JobLocal *self, const JobId *id)
{
  GPtrArray *taken;

  if (!g_hash_table_contains (self->watches, id))
    return NULL;
  taken = new_list ();
  take_watches_of (self, id, taken);
  return taken;
}

static gboolean
is_just_over (JobLocal *self, const JobId *id)
{
  const GArray *finals = job_committer_get_open (self->committer)->effects.finals;

  for (guint i = 0; i < finals->len; i++)
    if (job_id_equal (&g_array_index (finals, JobId, i), id))
      return TRUE;
  return FALSE;
}

GPtrArray *
job_local_take_orphans (JobLocal *self)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (JobId));
  GPtrArray *taken = new_list ();
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, self->watches);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if (!job_scheduler_contains (self->scheduler, id) && !is_just_over (self, id))
      g_array_append_vals (ids, id, 1);

  for (guint i = 0; i < ids->len; i++)
    take_watches_of (self, &g_array_index (ids, JobId, i), taken);
  return taken;
}

GPtrArray *
job_local_take_all (JobLocal *self)
{
  GPtrArray *taken = new_list ();
  GHashTableIter iter;
  gpointer queue;

  while (self->dequeues.head)
    take (self->dequeues.head->data, taken);
  g_hash_table_iter_init (&iter, self->watches);
  while (g_hash_table_iter_next (&iter, NULL, &queue))
    {
      for (guint left = ((GQueue *) queue)->length; left > 0; left--)
        take (((GQueue *) queue)->head->data, taken);
      g_hash_table_iter_init (&iter, self->watches);
    }
  return taken;
}

/* --- cancellation ----------------------------------------------------------------------------- */

void
job_local_wait_fail (JobLocalWait *self, GError *error)
{
  job_local_wait_unhook (self);
  job_call_return_error (self->call, error);
}

/* From g_cancellable_cancel(), in whatever thread. One that was matched with a job already is
 * judged when it is delivered. */
static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  JobLocalWait *self = data;
  gboolean was_waiting;

  g_mutex_lock (&self->local->lock);
  self->canceled = TRUE;
  was_waiting = self->waiting;
  job_local_wait_stop (self);
  g_mutex_unlock (&self->local->lock);

  if (was_waiting)
    job_local_wait_fail (
        self, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled"));
}

void
job_local_wait_hook (JobLocalWait *self)
{
  GCancellable *cancellable = job_call_get_cancellable (self->call);

  if (cancellable)
    self->handler =
        g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), job_local_wait_ref (self),
                               (GDestroyNotify) job_local_wait_unref);
}

/* Not g_cancellable_disconnect(): that waits for other handlers of the cancellable, which may wait
 * for us. The handler's own reference keeps all that it needs. */
void
job_local_wait_unhook (JobLocalWait *self)
{
  if (self->handler != 0)
    g_signal_handler_disconnect (job_call_get_cancellable (self->call), self->handler);
  self->handler = 0;
}

/* --- verbs ------------------------------------------------------------------------------------ */

/* With the lock. Leases the first job to the dequeue, which then waits for its batch. */
static gboolean
try_claim (JobLocalWait *wait, const char *const *types, const char *const *channels)
{
  JobLocal *self = wait->local;
  JobNow now = job_local_now (self);

  job_local_match (self, now);
  if (!job_scheduler_claim (self->scheduler, types, channels, wait, now,
                            job_local_open_effects (self)))
    {
      job_committer_hand_over (self->committer);
      return FALSE;
    }
  job_local_wait_ref (wait);
  job_committer_add_caller (self->committer, wait->call);
  job_local_commit (self, now, job_call_is_blocking (wait->call));
  return TRUE;
}

/* With the lock. TRUE: a job is on its way. FALSE without an error: there is none. */
static gboolean
claim_or_fail (JobLocalWait *wait, const char *const *types, const char *const *channels,
               GError **error)
{
  return job_local_check_open (wait->local, error) && try_claim (wait, types, channels);
}

/* With the lock. FALSE, with an error, if it was cancelled meanwhile. */
static gboolean
wait_for_job (JobLocalWait *wait, const char *const *types, const char *const *channels,
              GError **error)
{
  if (!job_local_wait_start (wait, error))
    return FALSE;
  job_scheduler_add_waiter (wait->local->scheduler, &wait->waiter, types, channels, wait);
  return TRUE;
}

void
job_local_dequeue (JobLocal *self, const char *const *types, const char *const *channels,
                   gint64 timeout, JobCall *call)
{
  g_autoptr (JobLocalWait) wait = job_local_wait_new (self, call, timeout);
  g_autoptr (GError) error = NULL;
  gboolean claimed;

  g_mutex_lock (&self->lock);
  claimed = claim_or_fail (wait, types, channels, &error);
  g_mutex_unlock (&self->lock);
  if (claimed)
    return;

  if (error == NULL && timeout != 0)
    {
      job_local_wait_hook (wait);
      g_mutex_lock (&self->lock);
      claimed = claim_or_fail (wait, types, channels, &error) ||
                (error == NULL && wait_for_job (wait, types, channels, &error));
      g_mutex_unlock (&self->lock);
      if (claimed)
        return;
    }

  if (error == NULL)
    g_set_error (&error, JOB_ERROR, JOB_ERROR_TIMED_OUT,
                 "No job of these types and channels is pending");
  job_local_wait_fail (wait, g_steal_pointer (&error));
}

static gboolean
try_claim_by_id (JobLocalRead *read, GError **error)
{
  JobLocal *self = read->local;

  if (!job_scheduler_claim_by_id (self->scheduler, &read->id, read->wait, read->now,
                                  job_local_open_effects (self), error))
    return FALSE;
  job_local_wait_ref (read->wait);
  job_committer_add_caller (self->committer, read->wait->call);
  return TRUE;
}

static void
refuse_claim (JobLocalRead *read, int state, const JobId *last_token)
{
  char id[JOB_ID_TEXT_SIZE];

  if (state < 0)
    {
      job_local_refuse (read, state, last_token);
      return;
    }
  job_id_to_text (&read->id, id);
  job_local_wait_fail (read->wait, g_error_new (JOB_ERROR, JOB_ERROR_NOT_PENDING,
                                                "Job %s cannot be dequeued: it is over (%s)", id,
                                                job_state_to_string (state)));
}

void
job_local_dequeue_by_id (JobLocal *self, const JobId *id, JobCall *call)
{
  g_autoptr (JobLocalWait) wait = job_local_wait_new (self, call, 0);
  JobLocalRead read = { .local = self, .call = call, .id = *id, .wait = wait };

  job_local_attempt (&read, try_claim_by_id, refuse_claim);
}

static gboolean
try_watch (JobLocalRead *read, GError **error)
{
  if (!job_scheduler_contains (read->local->scheduler, &read->id))
    {
      g_set_error_literal (error, JOB_ERROR, JOB_ERROR_NOT_FOUND, "The job is not in the index");
      return FALSE;
    }
  if (read->wait->timeout != 0)
    return job_local_wait_start (read->wait, error);
  g_set_error_literal (error, JOB_ERROR, JOB_ERROR_TIMED_OUT, "The job is not over yet");
  return FALSE;
}

static void
tell_outcome (JobLocalRead *read, int state, const JobId *last_token)
{
  GError *error = NULL;
  JobInfo *info = job_local_read_final (read->local, &read->id, &error);

  if (info == NULL)
    {
      job_local_wait_fail (read->wait, error);
      return;
    }
  job_local_wait_unhook (read->wait);
  job_call_return_pointer (read->call, info, g_object_unref);
}

void
job_local_wait (JobLocal *self, const JobId *id, gint64 timeout, JobCall *call)
{
  g_autoptr (JobLocalWait) wait = job_local_wait_new (self, call, timeout);
  JobLocalRead read = { .local = self, .call = call, .id = *id, .wait = wait };

  wait->is_watch = TRUE;
  wait->id = *id;
  job_local_wait_hook (wait);
  job_local_attempt (&read, try_watch, tell_outcome);
}
