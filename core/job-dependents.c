/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reverse of the dependencies of all jobs, in memory.
 *
 * One table holds a node for each job that is named as a dependency or has dependencies itself; an
 * edge is a pointer between two nodes. A node remembers that its own dependencies are in, so that
 * adding a job again costs one look-up, however many other jobs wait for the same one.
 *
 * Not locked: the calls of a store never overlap. */

#include "job-dependents.h"

#include "job-id-table.h"

typedef struct
{
  JobId id;          /* first: for a JobIdTable */
  gboolean added;    /* this job's own dependencies are in */
  GQueue dependents; /* of Node, not owned, in the order in which they were added */
} Node;

struct _JobDependents
{
  JobIdTable nodes; /* of Node, owned */
};

static Node *
ensure_node (JobDependents *self, const JobId *id)
{
  Node *node = job_id_table_lookup (&self->nodes, id);

  if (node == NULL)
    {
      node = g_new0 (Node, 1);
      node->id = *id;
      job_id_table_insert (&self->nodes, node);
    }
  return node;
}

JobDependents *
job_dependents_new (void)
{
  return g_new0 (JobDependents, 1);
}

void
job_dependents_free (JobDependents *self)
{
  job_dependents_clear (self);
  g_free (self);
}

/* A foreign record may name one dependency twice: then the dependent is the last one there. */
static void
add_edge (JobDependents *self, const JobId *dependency, Node *dependent)
{
  GQueue *dependents = &ensure_node (self, dependency)->dependents;

  if (g_queue_peek_tail (dependents) != dependent)
    g_queue_push_tail (dependents, dependent);
}

void
job_dependents_add (JobDependents *self, const JobRecord *record)
{
  Node *node;

  if (record->n_dependencies == 0)
    return;
  node = ensure_node (self, &record->id);
  if (node->added)
    return;
  node->added = TRUE;
  for (guint i = 0; i < record->n_dependencies; i++)
    add_edge (self, &record->dependencies[i].id, node);
}

void
job_dependents_list (JobDependents *self, const JobId *id, GArray *ids)
{
  Node *node = job_id_table_lookup (&self->nodes, id);

  if (node == NULL)
    return;
  for (GList *l = node->dependents.head; l != NULL; l = l->next)
    g_array_append_val (ids, ((Node *) l->data)->id);
}

void
job_dependents_clear (JobDependents *self)
{
  JobIdTableIter iter = { 0 };
  Node *node;

  while ((node = job_id_table_next (&self->nodes, &iter)))
    {
      g_queue_clear (&node->dependents);
      g_free (node);
    }
  job_id_table_clear (&self->nodes);
}
