/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* clang-format off */
/* The life of a job, and the function that makes each step:
 *
 *   enqueue ──► blocked ──► scheduled ──► pending ──► running ──► succeeded
 *                  │            │            │ ▲         │  │
 *                  │            │            │ └─────────┘  └────► failed
 *                  └────────────┴────────────┴───────────┴───────► canceled
 *
 *   blocked, scheduled or pending   job_scheduler_settle_waiting(): after enqueueing, the end of the
 *                                   last dependency, a release, a failed attempt that is not the last
 *   scheduled → pending             job_scheduler_match()
 *   pending → running               lease_job()
 *   → a final state                 finish_job(), which also releases or cancels the dependents, and
 *                                   theirs
 *
 * Invariants: a PENDING entry, and no other, is in its lane; a SCHEDULED one in the heap of times; a
 * RUNNING one has a lease; n_waits counts the open edges of a BLOCKED one, plus one for each damaged
 * dependency. An entry that is over leaves the index at once. */
/* clang-format on */

#include "job-scheduler-inside-private.h"

#include "job-error.h"

static int
compare_run_at (gconstpointer a, gconstpointer b)
{
  const JobEntry *x = a;
  const JobEntry *y = b;

  if (x->more->run_at != y->more->run_at)
    return x->more->run_at < y->more->run_at ? -1 : 1;
  return job_entry_compare (x, y);
}

JobScheduler *
job_scheduler_new (JobTokenFunc new_token)
{
  JobScheduler *self = g_new0 (JobScheduler, 1);

  self->new_token = new_token;
  job_slab_init (&self->entry_slab, sizeof (JobEntry));
  g_queue_init (&self->ages);
  job_heap_init (&self->scheduled, compare_run_at, G_STRUCT_OFFSET (JobEntry, position));
  job_lanes_init (&self->lanes);
  self->loading = g_array_new (FALSE, FALSE, sizeof (JobLoadingEdge));
  self->over = g_ptr_array_new ();
  return self;
}

/* Everything at once, so no list has to stay right on the way. */
void
job_scheduler_free (JobScheduler *self)
{
  JobIdTableIter iter = { 0 };
  JobEntry *entry;

  while ((entry = job_id_table_next (&self->entries, &iter)))
    {
      job_entry_drop_more (entry);
      job_slab_free (&self->entry_slab, entry);
    }
  job_id_table_clear (&self->entries);
  job_slab_clear (&self->entry_slab);
  job_id_table_clear (&self->leases);
  job_heap_clear (&self->scheduled);
  job_lanes_clear (&self->lanes);
  g_array_unref (self->loading);
  g_ptr_array_unref (self->over);
  g_free (self);
}

/* --- entries ---------------------------------------------------------------------------------- */

JobEntry *
job_scheduler_add_entry (JobScheduler *self, const JobRecord *record)
{
  JobEntry *entry = job_slab_alloc (&self->entry_slab);

  entry->id = record->id;
  entry->queued_at = record->queued_at;
  entry->priority = record->priority;
  entry->max_attempts = record->max_attempts;
  entry->state = JOB_STATE_BLOCKED;
  if (record->run_at != 0)
    job_entry_get_more (entry)->run_at = record->run_at;
  entry->lane = job_lanes_use (&self->lanes, record->type, record->channel);
  job_id_table_insert (&self->entries, entry);
  self->last_queued_at = MAX (self->last_queued_at, record->queued_at);
  return entry;
}

static void
free_entry (JobScheduler *self, JobEntry *entry)
{
  job_graph_drop_dependencies (entry);
  job_lanes_unuse (&self->lanes, entry->lane);
  job_id_table_remove (&self->entries, entry);
  job_entry_drop_more (entry);
  job_slab_free (&self->entry_slab, entry);
}

/* Takes the entry to where a job that is neither leased nor over belongs now. */
void
job_scheduler_settle_waiting (JobScheduler *self, JobEntry *entry, JobNow now)
{
  if (job_entry_peek (entry)->n_waits > 0)
    {
      entry->state = JOB_STATE_BLOCKED;
      return;
    }

  job_graph_drop_dependencies (entry);
  job_entry_trim (entry);
  if (job_entry_peek (entry)->run_at > now.wall)
    {
      entry->state = JOB_STATE_SCHEDULED;
      job_heap_push (&self->scheduled, entry);
    }
  else
    {
      entry->state = JOB_STATE_PENDING;
      job_lanes_add_job (&self->lanes, entry);
    }
}

void
job_scheduler_add_lease (JobScheduler *self, JobEntry *entry, const JobId *token, gint64 started_at,
                         JobNow now)
{
  JobEntryLease *lease = g_slice_new0 (JobEntryLease);

  *lease = (JobEntryLease){
    .token = *token,
    .entry = entry,
    .started_at = started_at,
    .heartbeat_at = now.boot,
  };
  lease->age.data = lease;
  g_queue_push_tail_link (&self->ages, &lease->age);
  job_id_table_insert (&self->leases, lease);
  job_entry_get_more (entry)->lease = lease;
  entry->state = JOB_STATE_RUNNING;
}

static void
drop_lease (JobScheduler *self, JobEntry *entry)
{
  JobEntryLease *lease = g_steal_pointer (&entry->more->lease);

  g_queue_unlink (&self->ages, &lease->age);
  job_id_table_remove (&self->leases, lease);
  g_slice_free (JobEntryLease, lease);
}

static void
end_lease (JobScheduler *self, JobEntry *entry, gboolean by_holder, JobEffects *effects)
{
  const JobEntryLease *lease = entry->more->lease;
  JobEnd end = { lease->token, by_holder, lease->heartbeat_at };

  g_array_append_val (effects->ends, end);
  drop_lease (self, entry);
}

/* Takes the entry out of wherever its state has put it. */
static void
leave_state (JobScheduler *self, JobEntry *entry, gboolean by_holder, JobEffects *effects)
{
  if (entry->state == JOB_STATE_PENDING)
    job_lanes_remove_job (&self->lanes, entry);
  else if (entry->state == JOB_STATE_SCHEDULED)
    job_heap_remove (&self->scheduled, entry);
  else if (entry->state == JOB_STATE_RUNNING)
    end_lease (self, entry, by_holder, effects);
}

/* --- changes ---------------------------------------------------------------------------------- */

void
job_scheduler_get_status (const JobEntry *entry, JobStatus *status)
{
  const JobEntryMore *more = job_entry_peek (entry);

  *status = (JobStatus){
    .state = more->lease ? JOB_STATE_RUNNING : JOB_STATE_PENDING,
    .attempts = more->attempts,
  };
  if (more->lease)
    {
      status->token = more->lease->token;
      status->started_at = more->lease->started_at;
    }
}

/* A change of the entry as it stands; good until the next one. */
static JobStatus *
add_change (JobEffects *effects, const JobEntry *entry)
{
  JobChange change = { .id = entry->id };

  job_scheduler_get_status (entry, &change.status);
  change.status.outcome = g_strdup (job_entry_peek (entry)->error);
  g_array_append_val (effects->changes, change);
  return &g_array_index (effects->changes, JobChange, effects->changes->len - 1).status;
}

static void
set_outcome (JobStatus *status, const char *outcome)
{
  g_free (status->outcome);
  status->outcome = g_strdup (outcome);
}

/* What a job that is over does to the dependent at the other end of @edge: with the last open edge
 * it may run; by a condition that can no longer come true it is over, too, and joins those. */
static void
resolve_edge (JobScheduler *self, JobEdge *edge, const JobEntry *finished, JobNow now,
              JobEffects *effects)
{
  JobEntry *dependent = edge->dependent;
  JobStatus *status;

  job_graph_resolve_edge (edge);
  if (job_graph_holds (edge->condition, finished->state))
    {
      if (--dependent->more->n_waits == 0)
        job_scheduler_settle_waiting (self, dependent, now);
      return;
    }

  job_graph_drop_dependencies (dependent);
  status = add_change (effects, dependent);
  status->state = dependent->state = JOB_STATE_CANCELED;
  status->reason = JOB_REASON_DEPENDENCY;
  status->culprit = finished->id;
  status->finished_at = now.wall;
  g_ptr_array_add (self->over, dependent);
}

/* The one way into a final state. The caller has taken the entry out of its old one and has written
 * the change. Goes down the graph by a list, never by recursion. */
static void
finish_job (JobScheduler *self, JobEntry *entry, JobState state, JobNow now, JobEffects *effects)
{
  entry->state = state;
  g_ptr_array_add (self->over, entry);
  for (guint i = 0; i < self->over->len; i++)
    {
      JobEntry *finished = g_ptr_array_index (self->over, i);
      JobEdge *edge;

      while ((edge = job_entry_peek (finished)->dependents))
        resolve_edge (self, edge, finished, now, effects);
      g_array_append_val (effects->finals, finished->id);
      free_entry (self, finished);
    }
  g_ptr_array_set_size (self->over, 0);
}

/* The entry need not be blocked any more: another one that was cancelled just now may have been the
 * last that it waited for. */
void
job_scheduler_cancel_unsatisfiable (JobScheduler *self, JobEntry *entry, const JobId *culprit,
                                    JobNow now, JobEffects *effects)
{
  JobStatus *status = add_change (effects, entry);

  status->state = JOB_STATE_CANCELED;
  status->reason = JOB_REASON_DEPENDENCY;
  status->culprit = *culprit;
  status->finished_at = now.wall;
  leave_state (self, entry, FALSE, effects);
  finish_job (self, entry, JOB_STATE_CANCELED, now, effects);
}

/* --- leases ----------------------------------------------------------------------------------- */

static void
lease_job (JobScheduler *self, JobEntry *entry, gpointer data, JobNow now, JobEffects *effects)
{
  JobClaim claim = { .data = data, .id = entry->id };

  job_lanes_remove_job (&self->lanes, entry);
  self->new_token (&claim.token);
  claim.attempt = ++job_entry_get_more (entry)->attempts;
  job_scheduler_add_lease (self, entry, &claim.token, now.wall, now);
  add_change (effects, entry);
  g_array_append_val (effects->claims, claim);
}

static void
make_due_pending (JobScheduler *self, JobNow now)
{
  JobEntry *entry;

  while ((entry = job_heap_peek (&self->scheduled)) && entry->more->run_at <= now.wall)
    {
      job_heap_remove (&self->scheduled, entry);
      job_scheduler_settle_waiting (self, entry, now);
    }
}

gboolean
job_scheduler_claim (JobScheduler *self, const char *const *types, const char *const *channels,
                     gpointer data, JobNow now, JobEffects *effects)
{
  JobEntry *entry = job_lanes_first (&self->lanes, types, channels);

  if (entry == NULL)
    return FALSE;
  lease_job (self, entry, data, now, effects);
  return TRUE;
}

gboolean
job_scheduler_claim_by_id (JobScheduler *self, const JobId *id, gpointer data, JobNow now,
                           JobEffects *effects, GError **error)
{
  JobEntry *entry = job_scheduler_find (self, id, error);
  char text[JOB_ID_TEXT_SIZE];

  if (entry == NULL)
    return FALSE;
  if (entry->state == JOB_STATE_PENDING)
    {
      lease_job (self, entry, data, now, effects);
      return TRUE;
    }

  job_id_to_text (id, text);
  g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_PENDING,
               "Job %s cannot be dequeued: it is %s, not pending", text,
               job_state_to_string (entry->state));
  return FALSE;
}

void
job_scheduler_add_waiter (JobScheduler *self, JobWaiter *waiter, const char *const *types,
                          const char *const *channels, gpointer data)
{
  job_lanes_add_waiter (&self->lanes, waiter, types, channels, data);
}

void
job_scheduler_remove_waiter (JobScheduler *self, JobWaiter *waiter)
{
  job_lanes_remove_waiter (&self->lanes, waiter);
}

void
job_scheduler_move_waiter (JobScheduler *self, JobScheduler *former, JobWaiter *waiter)
{
  job_lanes_move_waiter (&self->lanes, &former->lanes, waiter);
}

void
job_scheduler_match (JobScheduler *self, JobNow now, JobEffects *effects)
{
  JobWaiter *waiter;
  JobEntry *entry;

  make_due_pending (self, now);
  while (job_lanes_match (&self->lanes, &waiter, &entry))
    {
      gpointer data = job_waiter_get_data (waiter);

      job_lanes_remove_waiter (&self->lanes, waiter);
      lease_job (self, entry, data, now, effects);
    }
}

gint64
job_scheduler_get_next_run_at (JobScheduler *self)
{
  JobEntry *entry = job_heap_peek (&self->scheduled);

  return entry ? entry->more->run_at : -1;
}

gboolean
job_scheduler_complete (JobScheduler *self, const JobId *id, const JobId *token, const char *result,
                        JobNow now, JobEffects *effects, GError **error)
{
  JobEntry *entry = job_scheduler_find_leased (self, id, token, error);
  JobStatus *status;

  if (entry == NULL)
    return FALSE;

  status = add_change (effects, entry);
  status->state = JOB_STATE_SUCCEEDED;
  status->finished_at = now.wall;
  set_outcome (status, result);
  leave_state (self, entry, token != NULL, effects);
  finish_job (self, entry, JOB_STATE_SUCCEEDED, now, effects);
  return TRUE;
}

/* Pending again, in its old place. */
static void
give_back (JobScheduler *self, JobEntry *entry, gboolean by_holder, JobNow now, JobEffects *effects)
{
  leave_state (self, entry, by_holder, effects);
  job_scheduler_settle_waiting (self, entry, now);
  add_change (effects, entry);
}

gboolean
job_scheduler_fail (JobScheduler *self, const JobId *id, const JobId *token, const char *outcome,
                    JobNow now, JobEffects *effects, GError **error)
{
  JobEntry *entry = job_scheduler_find_leased (self, id, token, error);
  JobStatus *status;

  if (entry == NULL)
    return FALSE;
  if (entry->more->attempts < entry->max_attempts)
    {
      g_free (entry->more->error);
      entry->more->error = g_strdup (outcome);
      give_back (self, entry, token != NULL, now, effects);
      return TRUE;
    }

  status = add_change (effects, entry);
  status->state = JOB_STATE_FAILED;
  status->finished_at = now.wall;
  set_outcome (status, outcome);
  leave_state (self, entry, token != NULL, effects);
  finish_job (self, entry, JOB_STATE_FAILED, now, effects);
  return TRUE;
}

gboolean
job_scheduler_release (JobScheduler *self, const JobId *id, const JobId *token, JobNow now,
                       JobEffects *effects, GError **error)
{
  JobEntry *entry = job_scheduler_find_leased (self, id, token, error);

  if (entry == NULL)
    return FALSE;
  if (entry->more->attempts > 0)
    entry->more->attempts--;
  give_back (self, entry, token != NULL, now, effects);
  return TRUE;
}

gboolean
job_scheduler_cancel (JobScheduler *self, const JobId *id, JobNow now, JobEffects *effects,
                      GError **error)
{
  JobEntry *entry = job_scheduler_find (self, id, error);
  JobStatus *status;

  if (entry == NULL)
    return FALSE;

  status = add_change (effects, entry);
  status->state = JOB_STATE_CANCELED;
  status->reason = JOB_REASON_REQUESTED;
  status->token = (JobId){ 0 };
  status->finished_at = now.wall;
  leave_state (self, entry, FALSE, effects);
  finish_job (self, entry, JOB_STATE_CANCELED, now, effects);
  return TRUE;
}

gboolean
job_scheduler_heartbeat (JobScheduler *self, const JobId *id, const JobId *token, JobNow now,
                         GError **error)
{
  JobEntry *entry = job_scheduler_find_leased (self, id, token, error);
  JobEntryLease *lease;

  if (entry == NULL)
    return FALSE;
  lease = entry->more->lease;
  lease->heartbeat_at = now.boot;
  g_queue_unlink (&self->ages, &lease->age);
  g_queue_push_tail_link (&self->ages, &lease->age);
  return TRUE;
}
