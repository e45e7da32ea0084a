/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Graphs: the time for each edge that is released should not depend on how large they are. Each
 * measurement has the same number of edges, in few large graphs or in many small ones:
 * task->in_flight graphs of size task->pending. */

#include "bench.h"

#define AT_ONCE 1000

typedef struct
{
  JobQueue *queue;
  GPtrArray *specs; /* that are not enqueued yet */
  guint64 n_specs;  /* so far */
  gint64 deadline;  /* of bench_now() */
} Graph;

static void
graph_flush (Graph *graph)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) ids = job_queue_enqueue_many (graph->queue, (JobSpec **) graph->specs->pdata,
                                               graph->specs->len, NULL, &error);

  bench_check (error, "enqueue many jobs");
  g_ptr_array_set_size (graph->specs, 0);
}

/* Adds a job that depends on those in @dependencies, and returns its id (transfer full). */
static char *
graph_add (Graph *graph, const GPtrArray *dependencies)
{
  JobSpec *spec = bench_spec (graph->n_specs++, BENCH_TYPE, NULL);

  for (guint i = 0; dependencies && i < dependencies->len; i++)
    job_spec_add_dependency (spec, g_ptr_array_index (dependencies, i), JOB_CONDITION_AFTER_OK);
  g_ptr_array_add (graph->specs, spec);
  return g_strdup (job_spec_get_id (spec));
}

static GPtrArray *
graph_add_layer (Graph *graph, guint64 size, const GPtrArray *dependencies)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);

  for (guint64 i = 0; i < size; i++)
    {
      g_ptr_array_add (ids, graph_add (graph, dependencies));
      if (graph->specs->len >= AT_ONCE)
        graph_flush (graph);
    }
  return ids;
}

static void
graph_init (Graph *graph, const BenchTask *task)
{
  *graph = (Graph){
    .queue = bench_open (task->system, task->folder),
    .specs = g_ptr_array_new_with_free_func (g_object_unref),
  };
}

static void
graph_start (Graph *graph, const BenchTask *task)
{
  if (graph->specs->len > 0)
    graph_flush (graph);
  graph->deadline = bench_deadline (task);
}

static void
graph_end (Graph *graph, guint64 n_edges, gint64 ns)
{
  bench_report ("edges", n_edges);
  bench_report ("seconds", ns / 1e9);
  bench_report ("edge_ns", (double) ns / n_edges);
  bench_close (graph->queue);
  g_object_unref (graph->queue);
  g_ptr_array_unref (graph->specs);
}

/* Takes a job, and returns how long it takes to complete it. */
static gint64
complete_by_id (JobQueue *queue, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue_by_id (queue, id, NULL, &error);
  gint64 began = bench_now ();

  bench_check (error, "dequeue a job by its id");
  job_lease_complete (lease, BENCH_RESULT, NULL, &error);
  bench_check (error, "complete a job");
  return bench_now () - began;
}

/* Layers of @n_roots before layers of task->pending, all edges. */
static void
measure_layers (const BenchTask *task, guint64 n_roots)
{
  g_autoptr (GPtrArray) layers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  guint64 n_edges = 0;
  gint64 ns = 0;
  Graph graph;

  graph_init (&graph, task);
  for (guint i = 0; i < task->in_flight; i++)
    {
      GPtrArray *roots = graph_add_layer (&graph, n_roots, NULL);

      g_ptr_array_add (layers, roots);
      g_ptr_array_unref (graph_add_layer (&graph, task->pending, roots));
    }
  graph_start (&graph, task);
  for (guint i = 0; i < layers->len && bench_now () < graph.deadline; i++)
    {
      GPtrArray *roots = g_ptr_array_index (layers, i);

      for (guint j = 0; j < roots->len; j++)
        ns += complete_by_id (graph.queue, g_ptr_array_index (roots, j));
      n_edges += roots->len * task->pending;
    }
  bench_work (graph.queue, NULL, NULL); /* fails if nothing was released */
  graph_end (&graph, n_edges, ns);
}

void
probe_fan (const BenchTask *task)
{
  measure_layers (task, 1);
}

void
probe_layers (const BenchTask *task)
{
  measure_layers (task, task->pending);
}

/* Here taking the job counts, since each is taken only when the one before is complete. */
void
probe_chain (const BenchTask *task)
{
  guint64 n_edges = 0, total = task->in_flight * task->pending;
  gint64 began;
  Graph graph;

  graph_init (&graph, task);
  for (guint i = 0; i < task->in_flight; i++)
    {
      g_autoptr (GPtrArray) last = graph_add_layer (&graph, 1, NULL);

      for (guint64 j = 1; j < task->pending; j++)
        {
          GPtrArray *next = graph_add_layer (&graph, 1, last);

          g_ptr_array_unref (last);
          last = next;
        }
    }
  graph_start (&graph, task);
  began = bench_now ();
  for (; n_edges < total && bench_now () < graph.deadline; n_edges++)
    bench_work (graph.queue, NULL, NULL);
  graph_end (&graph, n_edges, bench_now () - began);
}
