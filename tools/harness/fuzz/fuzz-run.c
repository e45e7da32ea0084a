/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A graph of jobs, as "jobctl run" reads it. What is refused is refused with the name of the file;
 * what is accepted the queue would take, job by job, waits only for what is named, and says the
 * same when it is written down and read again. */

#include "fuzz.h"

#include "job-error.h"
#include "job-spec-private.h"
#include "jobctl-graph.h"

#include <string.h>

#define FILE_NAME "graph.json"

/* The queue's own check; the args in it are without the white space around them. */
static JobRecord *
make_record (JobSpec *spec)
{
  g_autoptr (GError) error = NULL;
  gboolean fresh;
  JobRecord *record = job_spec_to_record (spec, &fresh, &error);

  g_assert_no_error (error);
  return record;
}

/* A graph, and the places of its jobs, from 1, by their ids. */
typedef struct
{
  JobctlGraph *graph;
  GHashTable *places;
} View;

static void
view_init (View *self, JobctlGraph *graph)
{
  self->graph = graph;
  self->places = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < graph->specs->len; i++)
    {
      const char *id = job_spec_get_id (g_ptr_array_index (graph->specs, i));

      g_assert_true (g_hash_table_insert (self->places, (gpointer) id, GUINT_TO_POINTER (i + 1)));
    }
}

static void
view_clear (View *self)
{
  g_clear_pointer (&self->places, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (View, view_clear)

/* What a dependency is called: by the name in the file; the id of one of the store. */
static char *
dup_name (View *self, const JobId *id)
{
  g_autofree char *text = job_id_dup_text (id);
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (self->places, text));

  return place > 0 ? g_strdup (g_ptr_array_index (self->graph->names, place - 1))
                   : g_steal_pointer (&text);
}

/* --- writing it down -------------------------------------------------------------------------- */

/* The id of a job of the store that is a name in the file, too, can be told from it by its case. */
static char *
dup_reference (View *self, const JobId *id)
{
  g_autofree char *text = job_id_dup_text (id);

  if (g_hash_table_contains (self->places, text))
    return dup_name (self, id);
  return g_ptr_array_find_with_equal_func (self->graph->names, text, g_str_equal, NULL)
             ? g_ascii_strup (text, -1)
             : g_steal_pointer (&text);
}

static void
write_dependencies (View *self, const JobRecord *record, GString *out)
{
  for (guint i = 0; i < record->n_dependencies; i++)
    {
      const JobDependency *dependency = &record->dependencies[i];
      g_autofree char *reference = dup_reference (self, &dependency->id);

      g_string_append (out, i > 0 ? ",{\"job\":" : "{\"job\":");
      job_json_append_string (out, reference);
      g_string_append_printf (out, ",\"condition\":\"%s\"}",
                              job_condition_to_string (dependency->condition));
    }
}

static void
write_job (View *self, guint index, GString *out)
{
  g_autoptr (JobRecord) record = make_record (g_ptr_array_index (self->graph->specs, index));

  g_string_append (out, index > 0 ? ",{\"name\":" : "{\"name\":");
  job_json_append_string (out, g_ptr_array_index (self->graph->names, index));
  g_string_append (out, ",\"type\":");
  job_json_append_string (out, record->type);
  g_string_append (out, ",\"channel\":");
  job_json_append_string (out, record->channel);
  g_string_append_printf (out, ",\"args\":%s,\"priority\":%d,\"max_attempts\":%u", record->args,
                          record->priority, record->max_attempts);
  if (record->run_at != 0)
    g_string_append (out, ",\"delay\":1e9");
  g_string_append (out, ",\"after\":[");
  write_dependencies (self, record, out);
  g_string_append (out, "]}");
}

static GString *
write_graph (View *self)
{
  GString *out = g_string_new ("{\"jobs\":[");

  for (guint i = 0; i < self->graph->specs->len; i++)
    write_job (self, i, out);
  g_string_append (out, "]}");
  return out;
}

/* --- comparing -------------------------------------------------------------------------------- */

static void
assert_same_dependencies (View *a, const JobRecord *in_a, View *b, const JobRecord *in_b)
{
  g_assert_cmpuint (in_a->n_dependencies, ==, in_b->n_dependencies);
  for (guint i = 0; i < in_a->n_dependencies; i++)
    {
      g_autofree char *name_a = dup_name (a, &in_a->dependencies[i].id);
      g_autofree char *name_b = dup_name (b, &in_b->dependencies[i].id);

      g_assert_cmpstr (name_a, ==, name_b);
      g_assert_cmpint (in_a->dependencies[i].condition, ==, in_b->dependencies[i].condition);
    }
}

static void
assert_same_job (View *a, View *b, guint index)
{
  g_autoptr (JobRecord) in_a = make_record (g_ptr_array_index (a->graph->specs, index));
  g_autoptr (JobRecord) in_b = make_record (g_ptr_array_index (b->graph->specs, index));

  g_assert_cmpstr (g_ptr_array_index (a->graph->names, index), ==,
                   g_ptr_array_index (b->graph->names, index));
  g_assert_cmpstr (in_a->type, ==, in_b->type);
  g_assert_cmpstr (in_a->channel, ==, in_b->channel);
  g_assert_cmpstr (in_a->args, ==, in_b->args);
  g_assert_cmpint (in_a->priority, ==, in_b->priority);
  g_assert_cmpuint (in_a->max_attempts, ==, in_b->max_attempts);
  g_assert_cmpint (in_a->run_at != 0, ==, in_b->run_at != 0);
  assert_same_dependencies (a, in_a, b, in_b);
}

static void
check_round_trip (JobctlGraph *graph)
{
  g_auto (View) view = { 0 }, view_of_read = { 0 };
  g_autoptr (GString) written = NULL;
  g_autoptr (JobctlGraph) read = NULL;
  g_autoptr (GError) error = NULL;

  view_init (&view, graph);
  written = write_graph (&view);
  read = jobctl_graph_parse (written->str, written->len, FILE_NAME, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (read->specs->len, ==, graph->specs->len);
  view_init (&view_of_read, read);
  for (guint i = 0; i < graph->specs->len; i++)
    assert_same_job (&view, &view_of_read, i);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobctlGraph) graph = NULL;

  if (size > FUZZ_MAX_SIZE)
    return 0;
  graph = jobctl_graph_parse ((const char *) data, size, FILE_NAME, &error);
  if (graph == NULL)
    {
      fuzz_assert_error (error);
      g_assert_cmpint (error->code, ==, JOB_ERROR_INVALID);
      g_assert_true (g_str_has_prefix (error->message, FILE_NAME ": "));
      return 0;
    }
  g_assert_cmpuint (graph->names->len, ==, graph->specs->len);
  check_round_trip (graph);
  return 0;
}
