/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-graph-private.h"

#include "job-error.h"

#define MAX_NAMED 8 /* ids that an error names */

gboolean
job_graph_holds (JobCondition condition, JobState state)
{
  switch (condition)
    {
    case JOB_CONDITION_AFTER_OK:
      return state == JOB_STATE_SUCCEEDED;
    case JOB_CONDITION_AFTER_NOT_OK:
      return state != JOB_STATE_SUCCEEDED;
    case JOB_CONDITION_AFTER_ANY:
    default:
      return TRUE;
    }
}

void
job_graph_add_edge (JobEntry *dependent, JobEntry *dependency, JobCondition condition, guint room)
{
  JobEntryMore *more = job_entry_get_more (dependent);
  JobEdge *edge;

  if (more->dependencies == NULL)
    more->dependencies = g_new (JobEdge, room);
  edge = &more->dependencies[more->n_dependencies++];
  *edge = (JobEdge){
    .dependency = dependency,
    .dependent = dependent,
    .next = job_entry_peek (dependency)->dependents,
    .condition = condition,
  };
  if (edge->next)
    edge->next->previous = edge;
  job_entry_get_more (dependency)->dependents = edge;
  more->n_waits++;
}

void
job_graph_resolve_edge (JobEdge *edge)
{
  if (edge->previous)
    edge->previous->next = edge->next;
  else
    edge->dependency->more->dependents = edge->next;
  if (edge->next)
    edge->next->previous = edge->previous;
  edge->dependency = NULL;
}

void
job_graph_drop_dependencies (JobEntry *entry)
{
  JobEntryMore *more = entry->more;

  if (more == NULL)
    return;
  for (guint i = 0; more->n_waits > 0 && i < more->n_dependencies; i++)
    if (more->dependencies[i].dependency)
      job_graph_resolve_edge (&more->dependencies[i]);
  g_clear_pointer (&more->dependencies, g_free);
  more->n_dependencies = 0;
}

const JobEdge *
job_graph_first_open (const JobEntry *entry)
{
  const JobEntryMore *more = job_entry_peek (entry);

  for (guint i = more->n_dependencies; i-- > 0;)
    if (more->dependencies[i].dependency)
      return &more->dependencies[i];
  return NULL;
}

/* How many of the new records each record waits for, and who waits for it, as one flat list each.
 */
typedef struct
{
  gsize n_records;
  guint *n_waits;    /* of each record */
  gsize *first;      /* of each record, into dependents; one more at the end */
  gsize *dependents; /* numbers of records */
} InnerEdges;

static void
inner_edges_clear (InnerEdges *self)
{
  g_free (self->n_waits);
  g_free (self->first);
  g_free (self->dependents);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (InnerEdges, inner_edges_clear)

static gssize
number_of (GHashTable *index, const JobId *id)
{
  return (gssize) GPOINTER_TO_SIZE (g_hash_table_lookup (index, id)) - 1;
}

static void
collect_inner_edges (InnerEdges *self, JobRecord *const *records, gsize n_records,
                     GHashTable *index)
{
  g_autofree gsize *fill = g_new0 (gsize, n_records + 1);

  *self = (InnerEdges){ .n_records = n_records };
  self->n_waits = g_new0 (guint, n_records);
  self->first = g_new0 (gsize, n_records + 1);

  for (gsize i = 0; i < n_records; i++)
    for (guint j = 0; j < records[i]->n_dependencies; j++)
      {
        gssize from = number_of (index, &records[i]->dependencies[j].id);

        if (from < 0)
          continue;
        self->n_waits[i]++;
        self->first[from + 1]++;
      }
  for (gsize i = 0; i < n_records; i++)
    fill[i + 1] = self->first[i + 1] += self->first[i];

  self->dependents = g_new0 (gsize, self->first[n_records] + 1);
  for (gsize i = 0; i < n_records; i++)
    for (guint j = 0; j < records[i]->n_dependencies; j++)
      {
        gssize from = number_of (index, &records[i]->dependencies[j].id);

        if (from >= 0)
          self->dependents[fill[from]++] = i;
      }
}

/* Takes away, again and again, what waits for nothing; what is left is on a circle or behind one.
 */
static gsize
remove_free (InnerEdges *self)
{
  g_autofree gsize *free_ones = g_new (gsize, self->n_records + 1);
  gsize n_free = 0;
  gsize n_done = 0;

  for (gsize i = 0; i < self->n_records; i++)
    if (self->n_waits[i] == 0)
      free_ones[n_free++] = i;

  for (; n_done < n_free; n_done++)
    {
      gsize done = free_ones[n_done];

      for (gsize k = self->first[done]; k < self->first[done + 1]; k++)
        if (--self->n_waits[self->dependents[k]] == 0)
          free_ones[n_free++] = self->dependents[k];
    }
  return n_done;
}

/* From any record that is left, going to one that it waits for, again and again, ends up on the
 * circle. */
static gsize
step_back (const InnerEdges *self, JobRecord *const *records, GHashTable *index, gsize number)
{
  for (guint j = 0; j < records[number]->n_dependencies; j++)
    {
      gssize from = number_of (index, &records[number]->dependencies[j].id);

      if (from >= 0 && self->n_waits[from] > 0)
        return from;
    }
  g_assert_not_reached ();
}

static void
set_cycle_error (const InnerEdges *self, JobRecord *const *records, GHashTable *index,
                 GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  gsize start = 0;
  gsize at;
  guint n_named = 0;

  while (self->n_waits[start] == 0)
    start++;
  for (gsize i = 0; i < self->n_records; i++)
    start = step_back (self, records, index, start);

  at = start;
  do
    {
      char text[JOB_ID_TEXT_SIZE];

      job_id_to_text (&records[at]->id, text);
      g_string_append_printf (names, "%s%s", n_named > 0 ? " waits for " : "", text);
      at = step_back (self, records, index, at);
    }
  while (at != start && ++n_named < MAX_NAMED);

  g_set_error (
      error, JOB_ERROR, JOB_ERROR_INVALID,
      "The jobs depend on each other in a circle: %s%s; take one of these dependencies out",
      names->str, at == start ? ", which waits for the first" : " …");
}

gboolean
job_graph_check_acyclic (JobRecord *const *records, gsize n_records, GHashTable *index,
                         GError **error)
{
  g_auto (InnerEdges) edges = { 0 };

  collect_inner_edges (&edges, records, n_records, index);
  if (remove_free (&edges) == n_records)
    return TRUE;
  set_cycle_error (&edges, records, index, error);
  return FALSE;
}
