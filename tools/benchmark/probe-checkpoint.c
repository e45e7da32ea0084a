/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long acknowledgements take while the store is at work. */

#include "bench.h"

/* Of journal, roughly; and how often the store is to follow. */
#define BYTES_PER_JOB 400
#define CHECKPOINTS 10
#define MOST_BETWEEN (16 * 1024 * 1024)
#define MUCH_MORE 4

typedef struct
{
  GArray *begins;
  GArray *latencies;
} Calls;

static int
compare_begins (gconstpointer a, gconstpointer b)
{
  gint64 x = ((const BenchSpan *) a)->begin;
  gint64 y = ((const BenchSpan *) b)->begin;

  return (x > y) - (x < y);
}

/* The calls of a store do not overlap: both ends of @spans rise. */
static gboolean
overlaps (GArray *spans, gint64 begin, gint64 end)
{
  guint low = 0, high = spans->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (spans, BenchSpan, middle).end < begin)
        low = middle + 1;
      else
        high = middle;
    }
  return low < spans->len && g_array_index (spans, BenchSpan, low).begin <= end;
}

static void
report_calls (const Calls *calls, GArray *spans, gboolean during, const char *prefix)
{
  g_autoptr (GArray) selected = bench_samples_new (calls->latencies->len);

  for (guint i = 0; i < calls->latencies->len; i++)
    {
      gint64 begin = g_array_index (calls->begins, gint64, i);
      gint64 latency = g_array_index (calls->latencies, gint64, i);

      if (overlaps (spans, begin, begin + latency) == during)
        bench_samples_add (selected, latency);
    }
  bench_samples_report (selected, prefix);
}

/* Without: all is in one journal. Else there are some checkpoints, however few jobs there are. */
static guint64
choose_checkpoint_size (const BenchTask *task, gboolean without)
{
  guint64 all = task->jobs * BYTES_PER_JOB;

  return without ? all * MUCH_MORE : MIN (all / CHECKPOINTS, MOST_BETWEEN);
}

/* All that the store did, in its order: one thread does it. */
static GArray *
join_work (const BenchStoreWork *work)
{
  GArray *all = g_array_copy (work->applies);

  g_array_append_vals (all, work->checkpoints->data, work->checkpoints->len);
  g_array_sort (all, compare_begins);
  return all;
}

/* Variant "without": a store that is never at work. Else the calls during a checkpoint, and, beside
 * them, those while changes are brought into the store, and those at rest. */
void
probe_checkpoint (const BenchTask *task)
{
  gboolean without = g_str_has_prefix (task->variant, "without");
  g_autofree char *uri =
      bench_uri (task->system, task->folder, choose_checkpoint_size (task, without));
  g_autoptr (GArray) latencies = bench_samples_new (task->jobs);
  g_autoptr (GArray) begins = bench_samples_new (task->jobs);
  g_autoptr (JobQueue) queue = bench_open_uri (uri);
  Calls calls = { begins, latencies };
  BenchLoad load = {
    .queue = queue,
    .in_flight = task->in_flight,
    .jobs = task->jobs,
    .deadline = bench_deadline (task),
    .latencies = latencies,
    .begins = begins,
  };
  BenchStoreWork work;

  bench_store_watch ();
  bench_load_run (&load);
  work = bench_store_get_work ();
  bench_report_rate (load.n_done, load.ns);
  bench_report ("checkpoints", work.checkpoints->len);
  report_calls (&calls, work.checkpoints, !without, "");
  if (!without)
    {
      report_calls (&calls, work.applies, TRUE, "apply_");
      report_calls (&calls, join_work (&work), FALSE, "rest_");
    }
  bench_leave ();
}
