/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The whole way of a job: enqueue, dequeue, complete. */

#include "bench.h"

#define LANE_JOBS 20 /* that wait in each lane */
#define N_TYPES 100
#define N_CHANNELS 10

typedef void (*Cycle) (JobQueue *queue, guint64 number, gpointer data);

static void
one_cycle (JobQueue *queue, guint64 number, gpointer data)
{
  static const char *const types[] = { BENCH_TYPE, NULL };

  bench_enqueue (queue, number);
  bench_work (queue, types, NULL);
}

/* One after the other from a blocking caller; the latencies are those of whole cycles. */
static void
run_blocking (JobQueue *queue, const BenchTask *task, Cycle cycle, gpointer data)
{
  g_autoptr (GArray) latencies = bench_samples_new (task->jobs);
  gint64 deadline = bench_deadline (task);
  gint64 began = bench_now (), before = began;
  guint64 n_done = 0;

  while (n_done < task->jobs && before < deadline)
    {
      gint64 now;

      cycle (queue, n_done++, data);
      now = bench_now ();
      bench_samples_add (latencies, now - before);
      before = now;
    }
  bench_report_rate (n_done, before - began);
  bench_samples_report (latencies, "");
}

static void
run_in_flight (JobQueue *queue, const BenchTask *task)
{
  g_autoptr (GArray) latencies = bench_samples_new (3 * task->jobs);
  BenchLoad load = {
    .queue = queue,
    .in_flight = task->in_flight,
    .jobs = task->jobs,
    .deadline = bench_deadline (task),
    .cycle = TRUE,
    .latencies = latencies,
  };

  bench_load_run (&load);
  bench_report_rate (load.n_done, load.ns);
  bench_samples_report (latencies, "");
}

void
probe_cycle (const BenchTask *task)
{
  g_autoptr (JobQueue) queue = bench_open (task->system, task->folder);

  if (task->in_flight == 1)
    run_blocking (queue, task, one_cycle, NULL);
  else
    run_in_flight (queue, task);
  bench_leave ();
}

/* --- behind a backlog ------------------------------------------------------------------------- */

/* One at a time, on the look for stalls. What this thread computed counts, so that a stall is not
 * somebody else's turn on the processor; what passed on the clock is told as well. */
static void
grow (JobQueue *queue, guint64 jobs)
{
  gint64 worst = 0, worst_wall = 0;

  for (guint64 i = 0; i < jobs; i++)
    {
      g_autoptr (JobSpec) spec = bench_spec (i, "other", "other");
      g_autoptr (GError) error = NULL;
      g_autofree char *id = NULL;
      gint64 wall = bench_now ();
      gint64 computed = bench_thread_time ();

      id = job_queue_enqueue (queue, spec, NULL, &error);
      worst = MAX (worst, bench_thread_time () - computed);
      worst_wall = MAX (worst_wall, bench_now () - wall);
      bench_check (error, "enqueue a job");
    }
  bench_report ("stall_us", worst / 1e3);
  bench_report ("stall_wall_us", worst_wall / 1e3);
}

/* With task->pending jobs of another type and channel in the queue. */
void
probe_cycle_behind (const BenchTask *task)
{
  g_autoptr (JobQueue) queue = bench_open (task->system, task->folder);

  if (task->pending > 0 && g_str_equal (task->system, "memory"))
    grow (queue, task->pending);
  else
    bench_fill (queue, task->pending, "other", "other");
  run_blocking (queue, task, one_cycle, NULL);
  bench_leave ();
}

/* --- many lanes ------------------------------------------------------------------------------- */

typedef struct
{
  GPtrArray *types; /* of char *, and NULL */
  GPtrArray *channels;
} Lanes;

static GPtrArray *
make_names (const char *format, guint n)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (names, g_strdup_printf ("%s-%u", format, i));
  g_ptr_array_add (names, NULL);
  return names;
}

static void
lanes_cycle (JobQueue *queue, guint64 number, gpointer data)
{
  Lanes *lanes = data;
  const char *const *types = (const char *const *) lanes->types->pdata;
  const char *const *channels = (const char *const *) lanes->channels->pdata;
  const char *type = types[number % (lanes->types->len - 1)];
  const char *channel = channels[number / 7 % (lanes->channels->len - 1)];
  g_autoptr (JobSpec) spec = bench_spec (number, type, channel);
  g_autoptr (GError) error = NULL;
  g_autofree char *id = job_queue_enqueue (queue, spec, NULL, &error);

  bench_check (error, "enqueue a job");
  bench_work (queue, types, channels);
}

static void
fill_lanes (JobQueue *queue, Lanes *lanes)
{
  guint n_types = lanes->types->len - 1, n_channels = lanes->channels->len - 1;
  guint64 jobs = (guint64) LANE_JOBS * N_TYPES * N_CHANNELS / (n_types * n_channels);

  for (guint i = 0; i < n_types; i++)
    for (guint j = 0; j < n_channels; j++)
      bench_fill (queue, jobs, g_ptr_array_index (lanes->types, i),
                  g_ptr_array_index (lanes->channels, j));
}

/* The worker serves all lanes, and there are as many jobs in all whatever the number of lanes. */
void
probe_cycle_lanes (const BenchTask *task)
{
  g_autoptr (JobQueue) queue = bench_open (task->system, task->folder);
  gboolean many = g_str_has_prefix (task->variant, "100");
  g_autoptr (GPtrArray) types = make_names ("type", many ? N_TYPES : 1);
  g_autoptr (GPtrArray) channels = make_names ("channel", many ? N_CHANNELS : 1);
  Lanes lanes = { types, channels };

  fill_lanes (queue, &lanes);
  run_blocking (queue, task, lanes_cycle, &lanes);
  bench_leave ();
}
