/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* New jobs: first all checks, then all changes. */

#include "job-scheduler-inside-private.h"

#include "job-error.h"

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

/* Strictly rising, up to the last nanosecond that there is, which a foreign record may have had. */
static gint64
next_queued_at (JobScheduler *self, JobNow now)
{
  if (self->last_queued_at < now.wall)
    return now.wall;
  return self->last_queued_at < G_MAXINT64 ? self->last_queued_at + 1 : G_MAXINT64;
}

/* One that depends on others is BLOCKED until their edges are drawn. */
static void
add_new (JobScheduler *self, JobRecord *record, JobNow now, JobEffects *effects)
{
  JobEntry *entry;
  JobChange change = { .record = job_record_ref (record), .status.state = JOB_STATE_PENDING };

  record->queued_at = next_queued_at (self, now);
  change.id = record->id;
  g_array_append_val (effects->changes, change);
  entry = job_scheduler_add_entry (self, record);
  if (record->n_dependencies == 0)
    job_scheduler_settle_waiting (self, entry, now);
}

static guint
count_open (JobScheduler *self, const JobRecord *record)
{
  guint n = 0;

  for (guint i = 0; i < record->n_dependencies; i++)
    n += job_scheduler_contains (self, &record->dependencies[i].id);
  return n;
}

/* Draws the edges of a new job. The first dependency that makes it impossible is the culprit. */
static const JobId *
draw_edges (JobScheduler *self, const JobRecord *record, GHashTable *known)
{
  JobEntry *entry = job_id_table_lookup (&self->entries, &record->id);
  guint n_open = count_open (self, record);
  const JobId *culprit = NULL;

  for (guint i = record->n_dependencies; i-- > 0;)
    {
      const JobDependency *dependency = &record->dependencies[i];
      JobEntry *other = job_id_table_lookup (&self->entries, &dependency->id);

      if (other)
        job_graph_add_edge (entry, other, dependency->condition, n_open);
      else if (!job_graph_holds (dependency->condition, get_known (known, &dependency->id)))
        culprit = &dependency->id;
    }
  return culprit;
}

static void
draw_all_edges (JobScheduler *self, JobRecord *const *records, gsize n_records, GHashTable *known,
                JobNow now, JobEffects *effects)
{
  g_autofree const JobId **culprits = g_new0 (const JobId *, n_records);

  for (gsize i = 0; i < n_records; i++)
    if (records[i]->n_dependencies > 0)
      culprits[i] = draw_edges (self, records[i], known);

  /* An entry may be gone by now: cancelled with one that it depends on. */
  for (gsize i = 0; i < n_records; i++)
    {
      JobEntry *entry = records[i]->n_dependencies > 0
                            ? job_id_table_lookup (&self->entries, &records[i]->id)
                            : NULL;

      if (entry && culprits[i])
        job_scheduler_cancel_unsatisfiable (self, entry, culprits[i], now, effects);
      else if (entry && entry->state == JOB_STATE_BLOCKED)
        job_scheduler_settle_waiting (self, entry, now);
    }
}

gboolean
job_scheduler_enqueue (JobScheduler *self, JobRecord *const *records, gsize n_records,
                       GHashTable *known, JobNow now, JobEffects *effects, GError **error)
{
  g_autoptr (GHashTable) index = n_records > 1 ? index_records (records, n_records) : NULL;
  gboolean any_edges = FALSE;

  if (!check_records (self, records, n_records, index, known, error))
    return FALSE;

  for (gsize i = 0; i < n_records; i++)
    {
      add_new (self, records[i], now, effects);
      any_edges |= records[i]->n_dependencies > 0;
    }
  if (any_edges)
    draw_all_edges (self, records, n_records, known, now, effects);
  return TRUE;
}
