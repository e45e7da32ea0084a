/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a job, and the function that makes each step:
 *
 *   enqueue ──► blocked ──► scheduled ──► pending ──► running ──► succeeded
 *                  │            │            │ ▲         │  │
 *                  │            │            │ └─────────┘  └────► failed
 *                  └────────────┴────────────┴───────────┴───────► canceled
 *
 *   into blocked, scheduled or pending: settle_waiting(), from enqueue, the last dependency's end,
 * a release, a failed attempt that is not the last scheduled → pending: job_scheduler_match()
 * pending → running: lease_job() into a final state: finish_job(), which also releases or cancels
 * the dependents, and theirs
 *
 * Invariants: a PENDING entry, and no other, is in its lane; a SCHEDULED one in the heap of times;
 * a RUNNING one has a lease; n_waits counts the open edges of a BLOCKED one, plus one for each
 * damaged dependency. An entry that is over leaves the index at once. */

#include "job-scheduler-private.h"

#include "job-error.h"
#include "job-graph-private.h"
#include "job-id-table-private.h"

struct _JobScheduler
{
  JobTokenFunc new_token;
  JobIdTable entries; /* of JobEntry */
  JobIdTable leases;  /* of JobEntryLease, by token */
  GQueue ages;        /* of JobEntryLease.age, the oldest heartbeat first */
  JobHeap scheduled;  /* of JobEntry, by run_at */
  JobLanes lanes;
  GHashTable *damaged; /* JobEntry → JobId of its first damaged dependency */
  GArray *loading;     /* of LoadingEdge: until settle() */
  gint64 last_queued_at;
};

typedef struct
{
  JobEntry *dependent;
  JobDependency dependency;
} LoadingEdge;

static int
compare_run_at (gconstpointer a, gconstpointer b)
{
  const JobEntry *x = a;
  const JobEntry *y = b;

  if (x->run_at != y->run_at)
    return x->run_at < y->run_at ? -1 : 1;
  return job_entry_compare (x, y);
}

/* --- entries ---------------------------------------------------------------------------------- */

static JobEntry *
add_entry (JobScheduler *self, const JobRecord *record)
{
  JobEntry *entry = g_new0 (JobEntry, 1);

  entry->id = record->id;
  entry->queued_at = record->queued_at;
  entry->run_at = record->run_at;
  entry->priority = record->priority;
  entry->max_attempts = record->max_attempts;
  entry->state = JOB_STATE_BLOCKED;
  entry->lane = job_lanes_use (&self->lanes, record->type, record->channel);
  job_id_table_insert (&self->entries, entry);
  self->last_queued_at = MAX (self->last_queued_at, record->queued_at);
  return entry;
}

static void
free_entry (JobScheduler *self, JobEntry *entry)
{
  job_graph_drop_dependencies (entry);
  g_hash_table_remove (self->damaged, entry);
  job_lanes_unuse (&self->lanes, entry->lane);
  job_id_table_remove (&self->entries, entry);
  g_free (entry);
}

/* Takes the entry to where a job that is neither leased nor over belongs now. */
static void
settle_waiting (JobScheduler *self, JobEntry *entry, JobNow now)
{
  if (entry->n_waits > 0)
    {
      entry->state = JOB_STATE_BLOCKED;
      return;
    }

  job_graph_drop_dependencies (entry);
  if (entry->run_at > now.wall)
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

static JobEntryLease *
add_lease (JobScheduler *self, JobEntry *entry, const JobId *token, gint64 started_at, JobNow now)
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
  entry->lease = lease;
  entry->state = JOB_STATE_RUNNING;
  return lease;
}

static void
drop_lease (JobScheduler *self, JobEntry *entry)
{
  JobEntryLease *lease = g_steal_pointer (&entry->lease);

  g_queue_unlink (&self->ages, &lease->age);
  job_id_table_remove (&self->leases, lease);
  g_slice_free (JobEntryLease, lease);
}

static void
end_lease (JobScheduler *self, JobEntry *entry, gboolean by_holder, JobEffects *effects)
{
  JobEnd end = { entry->lease->token, by_holder };

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

static void
get_status (const JobEntry *entry, JobStatus *status)
{
  *status = (JobStatus){
    .state = entry->lease ? JOB_STATE_RUNNING : JOB_STATE_PENDING,
    .attempts = entry->attempts,
  };
  if (entry->lease)
    {
      status->token = entry->lease->token;
      status->started_at = entry->lease->started_at;
    }
}

/* A change of the entry as it stands; good until the next one. */
static JobStatus *
add_change (JobEffects *effects, const JobEntry *entry)
{
  JobChange change = { .id = entry->id };

  get_status (entry, &change.status);
  g_array_append_val (effects->changes, change);
  return &g_array_index (effects->changes, JobChange, effects->changes->len - 1).status;
}

/* What a job that is over does to the dependent at the other end of @edge: with the last open edge
 * it may run; by a condition that can no longer come true it is over, too, and joins @over. */
static void
resolve_edge (JobScheduler *self, JobEdge *edge, const JobEntry *finished, JobState state,
              JobNow now, JobEffects *effects, GPtrArray *over)
{
  JobEntry *dependent = edge->dependent;
  JobStatus *status;

  job_graph_resolve_edge (edge);
  if (job_graph_holds (edge->condition, state))
    {
      if (--dependent->n_waits == 0)
        settle_waiting (self, dependent, now);
      return;
    }

  job_graph_drop_dependencies (dependent);
  status = add_change (effects, dependent);
  status->state = dependent->state = JOB_STATE_CANCELED;
  status->reason = JOB_REASON_DEPENDENCY;
  status->culprit = finished->id;
  status->finished_at = now.wall;
  g_ptr_array_add (over, dependent);
}

/* The one way into a final state. The caller has taken the entry out of its old one and has written
 * the change. Goes down the graph by a list, never by recursion. */
static void
finish_job (JobScheduler *self, JobEntry *entry, JobState state, JobNow now, JobEffects *effects)
{
  g_autoptr (GPtrArray) over = g_ptr_array_new ();

  entry->state = state;
  g_ptr_array_add (over, entry);
  for (guint i = 0; i < over->len; i++)
    {
      JobEntry *finished = g_ptr_array_index (over, i);

      while (finished->dependents)
        resolve_edge (self, finished->dependents, finished, finished->state, now, effects, over);
      g_array_append_val (effects->finals, finished->id);
      free_entry (self, finished);
    }
}

/* --- errors ----------------------------------------------------------------------------------- */

static const char *
why_not_leased (const JobEntry *entry)
{
  return job_state_to_string (entry->state);
}

static void
set_not_found (const JobId *id, GError **error)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (id, text);
  g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND,
               "There is no job %s in this queue; check the id, or list the jobs", text);
}

static JobEntry *
find_entry (JobScheduler *self, const JobId *id, GError **error)
{
  JobEntry *entry = job_id_table_lookup (&self->entries, id);

  if (entry == NULL)
    set_not_found (id, error);
  return entry;
}

static void
set_lease_lost (const JobId *id, const char *state, GError **error)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (id, text);
  g_set_error (
      error, JOB_ERROR, JOB_ERROR_LEASE_LOST,
      "The token is not that of the running lease of job %s (the job is %s): the lease is over, so "
      "drop the work; the job goes on without it",
      text, state);
}

/* The entry of a running job whose lease @token is, or any running job for an administrator. */
static JobEntry *
find_leased (JobScheduler *self, const JobId *id, const JobId *token, GError **error)
{
  JobEntry *entry = find_entry (self, id, error);
  char text[JOB_ID_TEXT_SIZE];

  if (entry == NULL)
    return NULL;
  if (token && (entry->lease == NULL || !job_id_equal_secret (token, &entry->lease->token)))
    {
      set_lease_lost (id, why_not_leased (entry), error);
      return NULL;
    }
  if (entry->lease)
    return entry;

  job_id_to_text (id, text);
  g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_RUNNING,
               "Job %s is not running: it is %s; dequeue it first", text, why_not_leased (entry));
  return NULL;
}

void
job_scheduler_set_over_error (const JobId *id, const JobId *token, int state,
                              const JobId *last_token, GError **error)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (id, text);
  if (state == JOB_KNOWN_ABSENT)
    set_not_found (id, error);
  else if (state == JOB_KNOWN_DAMAGED)
    g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                 "The record of job %s is damaged; list the damaged records to see why", text);
  else if (state == JOB_STATE_CANCELED)
    g_set_error (error, JOB_ERROR, JOB_ERROR_CANCELED, "Job %s was cancelled; drop the work on it",
                 text);
  else if (token && !job_id_equal_secret (token, last_token))
    set_lease_lost (id, job_state_to_string (state), error);
  else
    g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_RUNNING, "Job %s is not running: it is over (%s)",
                 text, job_state_to_string (state));
}

/* --- opening ---------------------------------------------------------------------------------- */

JobScheduler *
job_scheduler_new (JobTokenFunc new_token)
{
  JobScheduler *self = g_new0 (JobScheduler, 1);

  self->new_token = new_token;
  g_queue_init (&self->ages);
  job_heap_init (&self->scheduled, compare_run_at, G_STRUCT_OFFSET (JobEntry, position));
  job_lanes_init (&self->lanes);
  self->damaged = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->loading = g_array_new (FALSE, FALSE, sizeof (LoadingEdge));
  return self;
}

/* Everything at once, so no list has to stay right on the way. */
void
job_scheduler_free (JobScheduler *self)
{
  for (gsize i = 0; i < self->entries.n_slots; i++)
    {
      JobEntry *entry = self->entries.slots[i];
      JobEdge *next;

      if (entry == NULL)
        continue;
      for (JobEdge *edge = entry->dependencies; edge; edge = next)
        {
          next = edge->next_dependency;
          g_slice_free (JobEdge, edge);
        }
      if (entry->lease)
        g_slice_free (JobEntryLease, entry->lease);
      g_free (entry);
    }
  job_id_table_clear (&self->entries);
  job_id_table_clear (&self->leases);
  job_heap_clear (&self->scheduled);
  job_lanes_clear (&self->lanes);
  g_hash_table_unref (self->damaged);
  g_array_unref (self->loading);
  g_free (self);
}

void
job_scheduler_load (JobScheduler *self, JobRecord *record, const JobStatus *status, JobNow now)
{
  JobEntry *entry = add_entry (self, record);

  entry->attempts = status->attempts;
  if (status->state == JOB_STATE_RUNNING)
    {
      add_lease (self, entry, &status->token, status->started_at, now);
      return;
    }
  for (guint i = record->n_dependencies; i-- > 0;)
    {
      LoadingEdge edge = { entry, record->dependencies[i] };

      g_array_append_val (self->loading, edge);
    }
}

static void
block_on_damage (JobScheduler *self, JobEntry *entry, const JobId *culprit)
{
  entry->n_waits++;
  g_hash_table_insert (self->damaged, entry, g_memdup2 (culprit, sizeof *culprit));
}

static void
cancel_unsatisfiable (JobScheduler *self, JobEntry *entry, const JobId *culprit, JobNow now,
                      JobEffects *effects)
{
  JobStatus *status = add_change (effects, entry);

  status->state = JOB_STATE_CANCELED;
  status->reason = JOB_REASON_DEPENDENCY;
  status->culprit = *culprit;
  status->finished_at = now.wall;
  finish_job (self, entry, JOB_STATE_CANCELED, now, effects);
}

/* A dependency that was not loaded is over, or cannot be read. TRUE if the dependent can never run.
 */
static gboolean
is_unsatisfiable (JobScheduler *self, const LoadingEdge *edge, int known)
{
  if (known >= 0)
    return !job_graph_holds (edge->dependency.condition, known);
  block_on_damage (self, edge->dependent, &edge->dependency.id);
  return FALSE;
}

/* First all edges, then what can never run (which may take others with it), then the rest finds its
 * place. */
void
job_scheduler_settle (JobScheduler *self, JobKnownFunc known, gpointer data, JobNow now,
                      JobEffects *effects)
{
  g_autoptr (GArray) hopeless = g_array_new (FALSE, FALSE, sizeof (JobId) * 2);

  for (guint i = 0; i < self->loading->len; i++)
    {
      LoadingEdge *edge = &g_array_index (self->loading, LoadingEdge, i);
      const JobDependency *dependency = &edge->dependency;
      JobEntry *entry = job_id_table_lookup (&self->entries, &dependency->id);
      JobId pair[2] = { edge->dependent->id, dependency->id };

      if (entry)
        job_graph_add_edge (edge->dependent, entry, dependency->condition);
      else if (is_unsatisfiable (self, edge, known (&dependency->id, data)))
        g_array_append_val (hopeless, pair);
    }
  g_array_set_size (self->loading, 0);

  for (guint i = 0; i < hopeless->len; i++)
    {
      const JobId *pair = (const JobId *) (hopeless->data + i * sizeof (JobId) * 2);
      JobEntry *entry = job_id_table_lookup (&self->entries, &pair[0]);

      if (entry)
        cancel_unsatisfiable (self, entry, &pair[1], now, effects);
    }

  for (gsize i = 0; i < self->entries.n_slots; i++)
    {
      JobEntry *entry = self->entries.slots[i];

      if (entry && entry->state == JOB_STATE_BLOCKED)
        settle_waiting (self, entry, now);
    }
}

void
job_scheduler_inherit (JobScheduler *self, JobScheduler *former)
{
  GQueue ages = G_QUEUE_INIT;

  for (GList *link = former->ages.head; link; link = link->next)
    {
      const JobEntryLease *old = link->data;
      JobEntryLease *lease = job_id_table_lookup (&self->leases, &old->token);

      if (lease == NULL)
        continue;
      lease->heartbeat_at = old->heartbeat_at;
      g_queue_unlink (&self->ages, &lease->age);
      g_queue_push_tail_link (&ages, &lease->age);
    }
  while (self->ages.head)
    {
      GList *link = g_queue_pop_head_link (&self->ages);

      g_queue_push_tail_link (&ages, link);
    }
  self->ages = ages;
  self->last_queued_at = MAX (self->last_queued_at, former->last_queued_at);
}

/* --- enqueue ---------------------------------------------------------------------------------- */

/* Maps the id of each new record to its number + 1. */
static GHashTable *
index_records (JobRecord *const *records, gsize n_records)
{
  GHashTable *index = g_hash_table_new (job_id_hash, job_id_equal);

  for (gsize i = 0; i < n_records; i++)
    g_hash_table_insert (index, &records[i]->id, GSIZE_TO_POINTER (i + 1));
  return index;
}

static void
list_if_unknown (JobScheduler *self, const JobId *id, GHashTable *inner, GHashTable *known,
                 GArray *ids)
{
  if (!job_id_table_lookup (&self->entries, id) && !(inner && g_hash_table_contains (inner, id)) &&
      !g_hash_table_contains (known, id))
    g_array_append_vals (ids, id, 1);
}

void
job_scheduler_list_unknown (JobScheduler *self, JobRecord *const *records, const gboolean *fresh,
                            gsize n_records, GHashTable *known, GArray *ids)
{
  g_autoptr (GHashTable) inner = n_records > 1 ? index_records (records, n_records) : NULL;

  for (gsize i = 0; i < n_records; i++)
    {
      if (!fresh[i])
        list_if_unknown (self, &records[i]->id, NULL, known, ids);
      for (guint j = 0; j < records[i]->n_dependencies; j++)
        list_if_unknown (self, &records[i]->dependencies[j].id, inner, known, ids);
    }
}

static int
get_known (GHashTable *known, const JobId *id)
{
  gpointer value;

  return g_hash_table_lookup_extended (known, id, NULL, &value) ? GPOINTER_TO_INT (value)
                                                                : JOB_KNOWN_ABSENT;
}

static gboolean
check_new_id (JobScheduler *self, const JobId *id, GHashTable *known, GError **error)
{
  char text[JOB_ID_TEXT_SIZE];

  if (!job_id_table_lookup (&self->entries, id) && get_known (known, id) == JOB_KNOWN_ABSENT)
    return TRUE;
  job_id_to_text (id, text);
  g_set_error (error, JOB_ERROR, JOB_ERROR_EXISTS,
               "There is a job %s already; make a new spec for another job", text);
  return FALSE;
}

static gboolean
check_dependency (JobScheduler *self, const JobRecord *record, const JobId *dependency,
                  GHashTable *index, GHashTable *known, GError **error)
{
  char id[JOB_ID_TEXT_SIZE], text[JOB_ID_TEXT_SIZE];
  int state;

  if ((index && g_hash_table_contains (index, dependency)) ||
      job_id_table_lookup (&self->entries, dependency))
    return TRUE;
  state = get_known (known, dependency);
  if (state >= 0)
    return TRUE;

  job_id_to_text (&record->id, id);
  job_id_to_text (dependency, text);
  if (state == JOB_KNOWN_DAMAGED)
    g_set_error (
        error, JOB_ERROR, JOB_ERROR_CORRUPT,
        "Dependency %s of job %s has a damaged record; list the damaged records to see why", text,
        id);
  else
    g_set_error (
        error, JOB_ERROR, JOB_ERROR_NOT_FOUND,
        "Dependency %s of job %s is not in this queue; enqueue it first, or in the same call", text,
        id);
  return FALSE;
}

static gboolean
check_records (JobScheduler *self, JobRecord *const *records, gsize n_records, GHashTable *index,
               GHashTable *known, GError **error)
{
  for (gsize i = 0; i < n_records; i++)
    {
      const JobRecord *record = records[i];

      if (!check_new_id (self, &record->id, known, error))
        return FALSE;
      if (index && g_hash_table_lookup (index, &record->id) != GSIZE_TO_POINTER (i + 1))
        {
          char text[JOB_ID_TEXT_SIZE];

          job_id_to_text (&record->id, text);
          g_set_error (error, JOB_ERROR, JOB_ERROR_EXISTS,
                       "Job %s is in this call twice; make a new spec for another job", text);
          return FALSE;
        }
      for (guint j = 0; j < record->n_dependencies; j++)
        if (!check_dependency (self, record, &record->dependencies[j].id, index, known, error))
          return FALSE;
    }
  return index == NULL || job_graph_check_acyclic (records, n_records, index, error);
}

static void
add_new (JobScheduler *self, JobRecord *record, JobNow now, JobEffects *effects)
{
  JobChange change = { .record = job_record_ref (record), .status.state = JOB_STATE_PENDING };

  record->queued_at = MAX (now.wall, self->last_queued_at + 1);
  change.id = record->id;
  g_array_append_val (effects->changes, change);
  add_entry (self, record);
}

/* Draws the edges of a new job. The first dependency that makes it impossible is the culprit. */
static const JobId *
draw_edges (JobScheduler *self, JobEntry *entry, const JobRecord *record, GHashTable *known)
{
  const JobId *culprit = NULL;

  for (guint i = record->n_dependencies; i-- > 0;)
    {
      const JobDependency *dependency = &record->dependencies[i];
      JobEntry *other = job_id_table_lookup (&self->entries, &dependency->id);

      if (other)
        job_graph_add_edge (entry, other, dependency->condition);
      else if (!job_graph_holds (dependency->condition, get_known (known, &dependency->id)))
        culprit = &dependency->id;
    }
  return culprit;
}

gboolean
job_scheduler_enqueue (JobScheduler *self, JobRecord *const *records, gsize n_records,
                       GHashTable *known, JobNow now, JobEffects *effects, GError **error)
{
  g_autoptr (GHashTable) index = n_records > 1 ? index_records (records, n_records) : NULL;
  g_autofree const JobId **culprits = NULL;

  if (!check_records (self, records, n_records, index, known, error))
    return FALSE;

  for (gsize i = 0; i < n_records; i++)
    add_new (self, records[i], now, effects);

  culprits = g_new0 (const JobId *, n_records);
  for (gsize i = 0; i < n_records; i++)
    culprits[i] =
        draw_edges (self, job_id_table_lookup (&self->entries, &records[i]->id), records[i], known);

  /* An entry may be gone by now: cancelled with one that it depends on. */
  for (gsize i = 0; i < n_records; i++)
    {
      JobEntry *entry = job_id_table_lookup (&self->entries, &records[i]->id);

      if (entry && culprits[i])
        cancel_unsatisfiable (self, entry, culprits[i], now, effects);
      else if (entry && entry->state == JOB_STATE_BLOCKED)
        settle_waiting (self, entry, now);
    }
  return TRUE;
}

/* --- leases ----------------------------------------------------------------------------------- */

static void
lease_job (JobScheduler *self, JobEntry *entry, gpointer data, JobNow now, JobEffects *effects)
{
  JobClaim claim = { .data = data, .id = entry->id };

  job_lanes_remove_job (&self->lanes, entry);
  self->new_token (&claim.token);
  claim.attempt = ++entry->attempts;
  add_lease (self, entry, &claim.token, now.wall, now);
  add_change (effects, entry);
  g_array_append_val (effects->claims, claim);
}

static void
make_due_pending (JobScheduler *self, JobNow now)
{
  JobEntry *entry;

  while ((entry = job_heap_peek (&self->scheduled)) && entry->run_at <= now.wall)
    {
      job_heap_remove (&self->scheduled, entry);
      settle_waiting (self, entry, now);
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
  JobEntry *entry = find_entry (self, id, error);
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

JobWaiter *
job_scheduler_add_waiter (JobScheduler *self, const char *const *types, const char *const *channels,
                          gpointer data)
{
  return job_lanes_add_waiter (&self->lanes, types, channels, data);
}

void
job_scheduler_remove_waiter (JobScheduler *self, JobWaiter *waiter)
{
  job_lanes_remove_waiter (&self->lanes, waiter);
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

  return entry ? entry->run_at : -1;
}

gboolean
job_scheduler_complete (JobScheduler *self, const JobId *id, const JobId *token, const char *result,
                        JobNow now, JobEffects *effects, GError **error)
{
  JobEntry *entry = find_leased (self, id, token, error);
  JobStatus *status;

  if (entry == NULL)
    return FALSE;

  status = add_change (effects, entry);
  status->state = JOB_STATE_SUCCEEDED;
  status->finished_at = now.wall;
  status->outcome = g_strdup (result);
  leave_state (self, entry, token != NULL, effects);
  finish_job (self, entry, JOB_STATE_SUCCEEDED, now, effects);
  return TRUE;
}

/* Pending again, in its old place. */
static JobStatus *
give_back (JobScheduler *self, JobEntry *entry, gboolean by_holder, JobNow now, JobEffects *effects)
{
  leave_state (self, entry, by_holder, effects);
  settle_waiting (self, entry, now);
  return add_change (effects, entry);
}

gboolean
job_scheduler_fail (JobScheduler *self, const JobId *id, const JobId *token, const char *outcome,
                    JobNow now, JobEffects *effects, GError **error)
{
  JobEntry *entry = find_leased (self, id, token, error);
  JobStatus *status;

  if (entry == NULL)
    return FALSE;
  if (entry->attempts < entry->max_attempts)
    {
      give_back (self, entry, token != NULL, now, effects)->outcome = g_strdup (outcome);
      return TRUE;
    }

  status = add_change (effects, entry);
  status->state = JOB_STATE_FAILED;
  status->finished_at = now.wall;
  status->outcome = g_strdup (outcome);
  leave_state (self, entry, token != NULL, effects);
  finish_job (self, entry, JOB_STATE_FAILED, now, effects);
  return TRUE;
}

gboolean
job_scheduler_release (JobScheduler *self, const JobId *id, const JobId *token, JobNow now,
                       JobEffects *effects, GError **error)
{
  JobEntry *entry = find_leased (self, id, token, error);

  if (entry == NULL)
    return FALSE;
  if (entry->attempts > 0)
    entry->attempts--;
  give_back (self, entry, token != NULL, now, effects);
  return TRUE;
}

gboolean
job_scheduler_cancel (JobScheduler *self, const JobId *id, JobNow now, JobEffects *effects,
                      GError **error)
{
  JobEntry *entry = find_entry (self, id, error);
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
  JobEntry *entry = find_leased (self, id, token, error);

  if (entry == NULL)
    return FALSE;
  entry->lease->heartbeat_at = now.boot;
  g_queue_unlink (&self->ages, &entry->lease->age);
  g_queue_push_tail_link (&self->ages, &entry->lease->age);
  return TRUE;
}

/* --- questions -------------------------------------------------------------------------------- */

static void
describe_entry (JobScheduler *self, const JobEntry *entry, JobNow now, JobView *view)
{
  const JobId *damaged = g_hash_table_lookup (self->damaged, entry);
  const JobEdge *open = job_graph_first_open (entry);

  *view = (JobView){
    .id = entry->id,
    .state = entry->state,
    .priority = entry->priority,
    .queued_at = entry->queued_at,
    .heartbeat_age = -1,
  };
  get_status (entry, &view->status);

  if (entry->lease)
    view->heartbeat_age = MAX (0, now.boot - entry->lease->heartbeat_at);
  else if (entry->state == JOB_STATE_SCHEDULED)
    view->reason = JOB_REASON_RUN_AT;
  else if (damaged)
    {
      view->reason = JOB_REASON_DAMAGED_DEPENDENCY;
      view->culprit = *damaged;
    }
  else if (open)
    {
      view->reason = JOB_REASON_DEPENDENCY;
      view->culprit = open->dependency->id;
    }
}

gboolean
job_scheduler_contains (JobScheduler *self, const JobId *id)
{
  return job_id_table_lookup (&self->entries, id) != NULL;
}

gboolean
job_scheduler_describe (JobScheduler *self, const JobId *id, JobNow now, JobView *view)
{
  JobEntry *entry = job_id_table_lookup (&self->entries, id);

  if (entry)
    describe_entry (self, entry, now, view);
  return entry != NULL;
}

gboolean
job_scheduler_lookup_token (JobScheduler *self, const JobId *token, JobId *id)
{
  JobEntryLease *lease = job_id_table_lookup (&self->leases, token);

  if (lease)
    *id = lease->entry->id;
  return lease != NULL;
}

static void
append_view (JobScheduler *self, const JobEntry *entry, JobNow now, GArray *views)
{
  JobView view;

  describe_entry (self, entry, now, &view);
  g_array_append_val (views, view);
}

void
job_scheduler_list (JobScheduler *self, JobEntryFilter filter, gpointer data, JobNow now,
                    GArray *views)
{
  for (gsize i = 0; i < self->entries.n_slots; i++)
    {
      JobEntry *entry = self->entries.slots[i];

      if (entry && (filter == NULL || filter (entry, data)))
        append_view (self, entry, now, views);
    }
}

void
job_scheduler_list_leases (JobScheduler *self, gint64 older_than, JobNow now, GArray *views)
{
  for (GList *link = self->ages.head; link; link = link->next)
    {
      const JobEntryLease *lease = link->data;

      if (now.boot - lease->heartbeat_at < older_than)
        break;
      append_view (self, lease->entry, now, views);
    }
}
