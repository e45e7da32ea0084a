/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a graph of jobs from JSON text:
 *
 *   {"jobs": [{"name": "a", "type": "exec", "args": {…}, "channel": "", "priority": 0,
 *              "after": ["b", {"job": "c", "condition": "afterany"}],
 *              "delay": 1.5, "max_attempts": 1}, …]}
 *
 * Names are local to the file; "after" takes ids of jobs that are in the store as well. The text
 * passes the library's strict scanner as a whole and is then walked by its slices, so that the args
 * of a job go into the queue byte for byte. Three passes: read each job, then find out whom it
 * waits for (so that a job may come before the one that it waits for), then look for a cycle
 * (jobctl-cycle.c). What is not understood is an error, never ignored. */

#include <string.h>

#include "jobctl-cycle.h"
#include "jobctl-graph.h"
#include "jobctl-node.h"

typedef struct
{
  const char *file;
  gint64 now;        /* wall clock, ns */
  GPtrArray *nodes;  /* of JobctlNode, owned */
  GHashTable *names; /* name → JobctlNode */
} Parser;

static void
parser_clear (Parser *self)
{
  g_clear_pointer (&self->names, g_hash_table_unref);
  g_clear_pointer (&self->nodes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Parser, parser_clear)

/* What is wrong with the document as a whole, and what it should look like. */
static gboolean
refuse_document (Parser *self, const char *what, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID, "%s: %s: {\"jobs\": [{\"name\": ...}, ...]}",
               self->file, what);
  return FALSE;
}

static JobctlNode *
get_node (Parser *self, guint index)
{
  return g_ptr_array_index (self->nodes, index);
}

/* First pass: the jobs */

static gboolean
parse_job (Parser *self, JobctlSlice job, GError **error)
{
  JobctlNode *node = jobctl_node_new (self->file, self->nodes->len, self->now);
  JobctlNode *other;

  g_ptr_array_add (self->nodes, node);
  if (!jobctl_node_parse (node, job, error))
    return FALSE;
  other = g_hash_table_lookup (self->names, node->name);
  if (other != NULL)
    return jobctl_node_refuse (node, error, "job number %u and job number %u both have this name",
                               other->index + 1, node->index + 1);
  g_hash_table_insert (self->names, node->name, node);
  return TRUE;
}

static gboolean
parse_jobs (Parser *self, JobctlSlice jobs, GError **error)
{
  JobJsonIter iter;
  JobctlSlice job;

  if (!job_json_iter_init_array (&iter, jobs.text, jobs.length))
    return refuse_document (self, "\"jobs\" must be an array of jobs", error);
  while (job_json_iter_next_element (&iter, &job.text, &job.length))
    if (!parse_job (self, job, error))
      return FALSE;
  return TRUE;
}

static gboolean
parse_document (Parser *self, JobctlSlice document, GError **error)
{
  JobJsonIter iter;
  JobctlSlice key, value;
  gboolean found = FALSE;

  if (!job_json_iter_init (&iter, document.text, document.length))
    return refuse_document (self, "the document must be an object", error);
  while (job_json_iter_next (&iter, &key.text, &key.length, &value.text, &value.length))
    {
      if (key.length != 4 || memcmp (key.text, "jobs", 4) != 0)
        return refuse_document (self, "there must be no other member than \"jobs\"", error);
      if (!parse_jobs (self, value, error))
        return FALSE;
      found = TRUE;
    }
  return found || refuse_document (self, "the member \"jobs\" is missing", error);
}

/* The id of the job that an edge names: one of this file, or one that is in the store. */
static char *
dup_target (JobctlNode *node, const char *name, JobctlNode *target, GError **error)
{
  JobId id;

  if (target != NULL)
    return g_strdup (job_spec_get_id (target->spec));
  if (job_id_parse (name, "after", &id, NULL))
    return job_id_dup_text (&id);
  jobctl_node_refuse (
      node, error, "\"after\": \"%s\" is neither the name of a job in this file nor an id", name);
  return NULL;
}

static gboolean
add_edge (Parser *self, JobctlNode *node, const JobctlEdge *edge, GHashTable *seen, GError **error)
{
  JobctlNode *target = g_hash_table_lookup (self->names, edge->job);
  g_autofree char *id = dup_target (node, edge->job, target, error);

  if (id == NULL)
    return FALSE;
  job_spec_add_dependency (node->spec, id, edge->condition);
  if (target != NULL)
    g_array_append_val (node->dependencies, target->index);
  return g_hash_table_add (seen, g_steal_pointer (&id)) ||
         jobctl_node_refuse (node, error, "\"after\" names \"%s\" twice", edge->job);
}

static gboolean
resolve_node (Parser *self, JobctlNode *node, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  JobJsonIter iter;
  JobctlSlice text;

  if (node->after.text == NULL)
    return TRUE;
  job_json_iter_init_array (&iter, node->after.text, node->after.length);
  while (job_json_iter_next_element (&iter, &text.text, &text.length))
    {
      g_auto (JobctlEdge) edge = { 0 };

      if (!jobctl_node_parse_edge (node, text, &edge, error) ||
          !add_edge (self, node, &edge, seen, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
resolve (Parser *self, GError **error)
{
  for (guint i = 0; i < self->nodes->len; i++)
    if (!resolve_node (self, get_node (self, i), error))
      return FALSE;
  return TRUE;
}

/* Third pass: nobody may wait for itself, by whatever way. */

static gboolean
refuse_cycle (Parser *self, GArray *cycle, GError **error)
{
  g_autoptr (GString) way = g_string_new (NULL);
  JobctlNode *first = get_node (self, g_array_index (cycle, guint, 0));

  for (guint i = 0; i < MIN (cycle->len, 8); i++)
    g_string_append_printf (way, "\"%s\" waits for ",
                            get_node (self, g_array_index (cycle, guint, i))->name);
  if (cycle->len > 8)
    g_string_append_printf (way, "... (%u more) ", cycle->len - 8);
  g_string_append_printf (way, "\"%s\"", first->name);
  return jobctl_node_refuse (first, error, "\"after\" makes a cycle: %s", way->str);
}

static gboolean
check_cycle (Parser *self, GError **error)
{
  g_autoptr (GPtrArray) edges = g_ptr_array_new ();
  g_autoptr (GArray) cycle = NULL;

  for (guint i = 0; i < self->nodes->len; i++)
    g_ptr_array_add (edges, get_node (self, i)->dependencies);
  cycle = jobctl_find_cycle (edges);
  return cycle == NULL || refuse_cycle (self, cycle, error);
}

static JobctlGraph *
build_graph (Parser *self)
{
  JobctlGraph *graph = g_new0 (JobctlGraph, 1);

  graph->names = g_ptr_array_new_with_free_func (g_free);
  graph->specs = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < self->nodes->len; i++)
    {
      JobctlNode *node = get_node (self, i);

      g_ptr_array_add (graph->names, g_strdup (node->name));
      g_ptr_array_add (graph->specs, g_object_ref (node->spec));
    }
  return graph;
}

JobctlGraph *
jobctl_graph_parse (const char *text, gsize length, const char *file, GError **error)
{
  g_auto (Parser) self = {
    .file = strcmp (file, "-") == 0 ? "standard input" : file,
    .now = job_clock_get_wall_time (job_clock_get_system ()),
    .nodes = g_ptr_array_new_with_free_func ((GDestroyNotify) jobctl_node_free),
    .names = g_hash_table_new (g_str_hash, g_str_equal),
  };
  const char *start = NULL, *end = NULL;

  if (!job_json_check (text, length, "graph", &start, &end, error))
    {
      g_prefix_error (error, "%s: ", self.file);
      return NULL;
    }
  if (!parse_document (&self, (JobctlSlice){ start, end - start }, error) ||
      !resolve (&self, error) || !check_cycle (&self, error))
    return NULL;
  return build_graph (&self);
}

void
jobctl_graph_free (JobctlGraph *self)
{
  g_ptr_array_unref (self->names);
  g_ptr_array_unref (self->specs);
  g_free (self);
}
