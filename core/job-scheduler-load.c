/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening: the index is made from the records of the jobs that are not over. */

#include "job-scheduler-inside-private.h"

void
job_scheduler_load (JobScheduler *self, JobRecord *record, const JobStatus *status, JobNow now)
{
  JobEntry *entry = job_scheduler_add_entry (self, record);

  if (status->attempts > 0)
    job_entry_get_more (entry)->attempts = status->attempts;
  if (status->outcome)
    job_entry_get_more (entry)->error = g_strdup (status->outcome);
  if (status->state == JOB_STATE_RUNNING)
    {
      job_scheduler_add_lease (self, entry, &status->token, status->started_at, now);
      return;
    }
  for (guint i = record->n_dependencies; i-- > 0;)
    {
      JobLoadingEdge edge = { entry, record->dependencies[i] };

      g_array_append_val (self->loading, edge);
    }
}

static void
block_on_damage (JobEntry *entry, const JobId *culprit)
{
  JobEntryMore *more = job_entry_get_more (entry);

  more->n_waits++;
  g_free (more->damaged);
  more->damaged = g_memdup2 (culprit, sizeof *culprit);
}

/* A dependency that was not loaded is over, or cannot be read. TRUE if the dependent can never run.
 */
static gboolean
is_unsatisfiable (const JobLoadingEdge *edge, int known)
{
  if (known >= 0)
    return !job_graph_holds (edge->dependency.condition, known);
  block_on_damage (edge->dependent, &edge->dependency.id);
  return FALSE;
}

/* How many of the edges of one job, the first of which is at @first, are open. */
static guint
count_open (JobScheduler *self, guint first)
{
  const JobLoadingEdge *edges = (const JobLoadingEdge *) self->loading->data;
  guint n = 0;

  for (guint i = first; i < self->loading->len && edges[i].dependent == edges[first].dependent; i++)
    n += job_scheduler_contains (self, &edges[i].dependency.id);
  return n;
}

/* FALSE if the dependency is not in the index. */
static gboolean
draw_edge (JobScheduler *self, guint number)
{
  const JobLoadingEdge *edge = &g_array_index (self->loading, JobLoadingEdge, number);
  JobEntry *dependency = job_id_table_lookup (&self->entries, &edge->dependency.id);
  gboolean is_first = job_entry_peek (edge->dependent)->dependencies == NULL;

  if (dependency)
    job_graph_add_edge (edge->dependent, dependency, edge->dependency.condition,
                        is_first ? count_open (self, number) : 0);
  return dependency != NULL;
}

/* First all edges, then what can never run (which may take others with it), then the rest finds its
 * place. */
void
job_scheduler_settle (JobScheduler *self, JobKnownFunc known, gpointer data, JobNow now,
                      JobEffects *effects)
{
  g_autoptr (GArray) hopeless = g_array_new (FALSE, FALSE, sizeof (JobId) * 2);
  JobIdTableIter iter = { 0 };
  JobEntry *entry;

  for (guint i = 0; i < self->loading->len; i++)
    {
      const JobLoadingEdge *edge = &g_array_index (self->loading, JobLoadingEdge, i);
      JobId pair[2] = { edge->dependent->id, edge->dependency.id };

      if (!draw_edge (self, i) && is_unsatisfiable (edge, known (&edge->dependency.id, data)))
        g_array_append_val (hopeless, pair);
    }
  g_array_set_size (self->loading, 0);

  /* From the end: a job's dependencies were put down backwards, and the first is to be named. */
  for (guint i = hopeless->len; i-- > 0;)
    {
      const JobId *pair = (const JobId *) (hopeless->data + i * sizeof (JobId) * 2);

      entry = job_id_table_lookup (&self->entries, &pair[0]);
      if (entry)
        job_scheduler_cancel_unsatisfiable (self, entry, &pair[1], now, effects);
    }

  while ((entry = job_id_table_next (&self->entries, &iter)))
    if (entry->state == JOB_STATE_BLOCKED)
      job_scheduler_settle_waiting (self, entry, now);
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

static int
compare_ages (gconstpointer a, gconstpointer b, gpointer data)
{
  const JobEntryLease *x = a;
  const JobEntryLease *y = b;

  return x->heartbeat_at < y->heartbeat_at ? -1 : x->heartbeat_at > y->heartbeat_at;
}

void
job_scheduler_take_back_ends (JobScheduler *self, const GArray *ends)
{
  for (guint i = 0; i < ends->len; i++)
    {
      const JobEnd *end = &g_array_index (ends, JobEnd, i);
      JobEntryLease *lease = job_id_table_lookup (&self->leases, &end->token);

      if (lease)
        lease->heartbeat_at = end->heartbeat_at;
    }
  g_queue_sort (&self->ages, compare_ages, NULL);
}
