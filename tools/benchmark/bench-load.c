/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The asynchronous driver: a number of slots, each of which has one call in flight at any time, all
 * of them from the default main context of one thread. */

#include "bench.h"

typedef struct
{
  BenchLoad *load;
  guint64 n_begun;
  guint n_busy; /* slots */
  gint64 now;   /* as of the last acknowledgement */
  GError *error;
} Run;

typedef struct
{
  Run *run;
  gint64 began; /* the call that is in flight */
} Slot;

static void begin_job (Slot *slot);

static void
note (Slot *slot, GError *error)
{
  BenchLoad *load = slot->run->load;

  slot->run->now = bench_now ();
  bench_samples_add (load->latencies, slot->run->now - slot->began);
  bench_samples_add (load->begins, slot->began);
  slot->began = slot->run->now;
  if (error && slot->run->error == NULL)
    slot->run->error = error;
}

static void
end_job (Slot *slot)
{
  slot->run->load->n_done++;
  slot->run->n_busy--;
  begin_job (slot);
}

static void
on_completed (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *slot = data;
  GError *error = NULL;

  job_lease_complete_finish (JOB_LEASE (source), result, &error);
  note (slot, error);
  end_job (slot);
}

static void
on_dequeued (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *slot = data;
  GError *error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue_finish (JOB_QUEUE (source), result, &error);

  note (slot, error);
  if (lease)
    job_lease_complete_async (lease, BENCH_RESULT, NULL, on_completed, slot);
  else
    slot->run->n_busy--;
}

static void
on_enqueued (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *slot = data;
  JobQueue *queue = JOB_QUEUE (source);
  GError *error = NULL;
  g_autofree char *id = job_queue_enqueue_finish (queue, result, &error);

  note (slot, error);
  if (id && slot->run->load->cycle)
    job_queue_dequeue_async (queue, NULL, NULL, -1, NULL, on_dequeued, slot);
  else
    end_job (slot);
}

static void
begin_job (Slot *slot)
{
  Run *run = slot->run;
  g_autoptr (JobSpec) spec = NULL;

  if (run->error || run->n_begun == run->load->jobs || run->now > run->load->deadline)
    return;
  spec = bench_spec (run->n_begun++, BENCH_TYPE, NULL);
  run->n_busy++;
  slot->began = bench_now ();
  job_queue_enqueue_async (run->load->queue, spec, NULL, on_enqueued, slot);
}

static gboolean
wake_up (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

gboolean
bench_load_run (BenchLoad *load)
{
  Run run = { .load = load, .now = bench_now () };
  g_autofree Slot *slots = g_new0 (Slot, load->in_flight);
  gint64 began = run.now;
  guint timer = load->stuck_after > 0 ? g_timeout_add (100, wake_up, NULL) : 0;
  gboolean stuck = FALSE;

  for (guint i = 0; i < load->in_flight; i++)
    {
      slots[i].run = &run;
      begin_job (&slots[i]);
    }
  while (run.n_busy > 0 && !stuck)
    {
      g_main_context_iteration (NULL, TRUE);
      stuck = load->stuck_after > 0 && bench_now () - run.now > load->stuck_after;
    }
  load->ns = run.now - began;
  if (timer)
    g_source_remove (timer);
  bench_check (run.error, "have a call acknowledged");
  if (stuck)
    g_steal_pointer (&slots); /* calls in flight point to them */
  return !stuck;
}
