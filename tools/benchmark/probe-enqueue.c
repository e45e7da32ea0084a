/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Enqueueing: one at a time from a blocking caller, or many in flight. */

#include "bench.h"

static gint64
enqueue_blocking (JobQueue *queue, const BenchTask *task, GArray *latencies, guint64 *n_done)
{
  gint64 deadline = bench_deadline (task);
  gint64 began = bench_now (), before = began;

  for (*n_done = 0; *n_done < task->jobs && before < deadline;)
    {
      gint64 now;

      bench_enqueue (queue, (*n_done)++);
      now = bench_now ();
      bench_samples_add (latencies, now - before);
      before = now;
    }
  return before - began;
}

static gint64
enqueue_in_flight (JobQueue *queue, const BenchTask *task, GArray *latencies, guint64 *n_done)
{
  BenchLoad load = {
    .queue = queue,
    .in_flight = task->in_flight,
    .jobs = task->jobs,
    .deadline = bench_deadline (task),
    .latencies = latencies,
  };

  bench_load_run (&load);
  *n_done = load.n_done;
  return load.ns;
}

void
probe_enqueue (const BenchTask *task)
{
  g_autoptr (GArray) latencies = bench_samples_new (task->jobs);
  g_autoptr (JobQueue) queue = bench_open (task->system, task->folder);
  guint64 n_done;
  gint64 ns = task->in_flight == 1 ? enqueue_blocking (queue, task, latencies, &n_done)
                                   : enqueue_in_flight (queue, task, latencies, &n_done);

  bench_report_rate (n_done, ns);
  bench_samples_report (latencies, "");
  bench_leave ();
}

/* The time includes all checkpoints, and the close. */
void
probe_enqueue_and_close (const BenchTask *task)
{
  g_autoptr (GArray) latencies = bench_samples_new (task->jobs);
  g_autoptr (JobQueue) queue = bench_open (task->system, task->folder);
  guint64 n_done;
  gint64 ns = enqueue_in_flight (queue, task, latencies, &n_done);
  gint64 began = bench_now ();

  bench_close (queue);
  bench_report_rate (n_done, ns + bench_now () - began);
  bench_report ("close_seconds", (bench_now () - began) / 1e9);
  bench_samples_report (latencies, "");
}

/* For a time, not a number: does the store keep up? */
void
probe_enqueue_backlog (const BenchTask *task)
{
  g_autoptr (GArray) latencies = bench_samples_new (task->seconds * 300000);
  g_autoptr (JobQueue) queue = bench_open (task->system, task->folder);
  BenchStoreWork work;
  guint64 n_done;
  gint64 ns, began;

  bench_store_watch ();
  ns = enqueue_in_flight (queue, task, latencies, &n_done);
  work = bench_store_get_work ();
  began = bench_now ();
  bench_report_rate (n_done, ns);
  bench_report ("backlog_jobs", n_done - (double) work.n_records);
  bench_report ("journal_bytes", bench_count_bytes (task->folder, "journal-"));
  bench_close (queue);
  bench_report ("close_seconds", (bench_now () - began) / 1e9);
  bench_samples_report (latencies, "");
  g_array_unref (work.applies);
  g_array_unref (work.checkpoints);
}
