/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long acknowledgements take while the store is at work. */

#include "bench.h"

/* More journal than the jobs of the measurement make. */
#define BYTES_PER_JOB 1024
#define BYTES_MORE (64 * 1024 * 1024)

typedef struct
{
  GArray *begins;
  GArray *latencies;
} Calls;

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

/* Variant "without checkpoints": the calls outside of any. Else those during one, and, beside them,
 * those while changes are brought into the store. */
void
probe_checkpoint (const BenchTask *task)
{
  gboolean without = g_str_has_prefix (task->variant, "without");
  guint64 size = without ? task->jobs * BYTES_PER_JOB + BYTES_MORE : 0;
  g_autofree char *uri = bench_uri (task->system, task->folder, size);
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
    report_calls (&calls, work.applies, TRUE, "apply_");
  bench_leave ();
}
