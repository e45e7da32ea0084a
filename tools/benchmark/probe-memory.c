/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What waiting dequeues and pending jobs take in memory: by how much the resident memory of the
 * process grows, divided by their number. */

#include "bench.h"

#define N_WARM 100
#define N_TYPES 16
#define SETTLE_STEP 100000 /* µs */
#define SETTLE_STEPS 50    /* that the memory has to stay, … */
#define MAX_STEPS 150      /* … of those at most */

static void
on_closed (GObject *source, GAsyncResult *result, gpointer data)
{
  guint64 *n_waiting = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue_finish (JOB_QUEUE (source), result, &error);

  if (!g_error_matches (error, JOB_ERROR, JOB_ERROR_CLOSED))
    bench_fail ("a dequeue did not wait until the close");
  (*n_waiting)--;
}

/* Each waits for all of the types. */
static void
wait_for_jobs (JobQueue *queue, guint64 n, guint64 *n_waiting)
{
  static const char *const types[N_TYPES + 1] = {
    "type-00", "type-01", "type-02", "type-03", "type-04", "type-05", "type-06", "type-07",
    "type-08", "type-09", "type-10", "type-11", "type-12", "type-13", "type-14", "type-15",
  };

  for (guint64 i = 0; i < n; i++)
    {
      job_queue_dequeue_async (queue, types, NULL, -1, NULL, on_closed, n_waiting);
      (*n_waiting)++;
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

void
probe_waiting (const BenchTask *task)
{
  g_autoptr (JobQueue) queue = bench_open (task->system, task->folder);
  guint64 n_waiting = 0, before;
  guint threads;

  wait_for_jobs (queue, N_WARM, &n_waiting);
  before = bench_resident_memory ();
  threads = bench_count_threads ();
  wait_for_jobs (queue, task->jobs, &n_waiting);
  bench_report ("bytes_per_waiter", (bench_resident_memory () - (double) before) / task->jobs);
  bench_report ("more_threads", bench_count_threads () - (double) threads);
  bench_close (queue);
  while (n_waiting > 0)
    g_main_context_iteration (NULL, TRUE);
}

/* --- pending jobs ----------------------------------------------------------------------------- */

/* Gives the store time to catch up: until the memory no longer shrinks. */
static guint64
settle (void)
{
  guint64 least = bench_resident_memory ();

  for (guint step = 0, unchanged = 0; step < MAX_STEPS && unchanged < SETTLE_STEPS; step++)
    {
      guint64 now;

      g_usleep (SETTLE_STEP);
      now = bench_resident_memory ();
      unchanged = now < least ? 0 : unchanged + 1;
      least = MIN (least, now);
    }
  return bench_resident_memory ();
}

static void
enqueue_in_flight (JobQueue *queue, const BenchTask *task, guint64 jobs)
{
  BenchLoad load = {
    .queue = queue, .in_flight = task->in_flight, .jobs = jobs, .deadline = G_MAXINT64
  };

  bench_load_run (&load);
}

static void
report_pending (guint64 before, guint64 jobs)
{
  bench_report ("jobs", jobs);
  bench_report ("bytes_per_job", (settle () - (double) before) / jobs);
}

/* In the process that enqueued them, or, with a prepared store, in one that opened it. */
void
probe_pending (const BenchTask *task)
{
  g_autofree char *uri = bench_uri (task->system, *task->store ? task->store : task->folder, 0);
  g_autoptr (JobQueue) other = bench_open ("memory", ""); /* loads all that any queue needs */
  g_autoptr (JobQueue) queue = NULL;
  guint64 before = bench_resident_memory ();

  queue = bench_open_uri (uri);
  if (*task->store)
    report_pending (before, task->jobs + task->pending);
  else
    {
      enqueue_in_flight (queue, task, 2 * task->in_flight);
      before = bench_resident_memory ();
      enqueue_in_flight (queue, task, task->jobs);
      report_pending (before, task->jobs);
    }
  bench_close (queue);
  bench_close (other);
}
