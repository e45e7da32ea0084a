/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long it takes from an event in one thread to a callback in another one, which sleeps in its
 * GMainContext: for a waiting dequeue, and, as the limit, for a bare source. */

#include "bench.h"

#define PAUSE 200 /* µs, so that the other thread is asleep again */

typedef struct
{
  GMainContext *context; /* the other thread's */
  JobQueue *queue;
  GMutex lock;
  GCond cond;
  gboolean ready; /* guarded by lock: the other thread waits for the next event */
  gboolean stop;  /* atomic */
  gint64 woken;   /* when; set before ready */
  JobSpec *spec;  /* owned: the next job. Of the thread that enqueues */
} Wake;

static void
set_ready (Wake *wake, gint64 woken)
{
  g_mutex_lock (&wake->lock);
  wake->woken = woken;
  wake->ready = TRUE;
  g_cond_signal (&wake->cond);
  g_mutex_unlock (&wake->lock);
}

static gint64
wait_ready (Wake *wake)
{
  gint64 woken;

  g_mutex_lock (&wake->lock);
  while (!wake->ready)
    g_cond_wait (&wake->cond, &wake->lock);
  wake->ready = FALSE;
  woken = wake->woken;
  g_mutex_unlock (&wake->lock);
  return woken;
}

static gpointer
run_loop (gpointer data)
{
  Wake *wake = data;

  g_main_context_push_thread_default (wake->context);
  set_ready (wake, 0);
  while (!g_atomic_int_get (&wake->stop))
    g_main_context_iteration (wake->context, TRUE);
  g_main_context_pop_thread_default (wake->context);
  return NULL;
}

static void
wake_init (Wake *wake)
{
  *wake = (Wake){ .context = g_main_context_new () };
  g_mutex_init (&wake->lock);
  g_cond_init (&wake->cond);
}

static void
wake_end (Wake *wake, GThread *thread)
{
  g_atomic_int_set (&wake->stop, TRUE);
  g_main_context_wakeup (wake->context);
  g_thread_join (thread);
  g_main_context_unref (wake->context);
  g_mutex_clear (&wake->lock);
  g_cond_clear (&wake->cond);
}

/* @prepare, which may be NULL, is not measured. */
static void
measure (const BenchTask *task, Wake *wake, void (*prepare) (Wake *wake, guint64 number),
         void (*event) (Wake *wake))
{
  g_autoptr (GArray) latencies = bench_samples_new (task->jobs);
  gint64 deadline = bench_deadline (task);

  for (guint64 i = 0; i < task->jobs && bench_now () < deadline; i++)
    {
      gint64 began;

      g_usleep (PAUSE);
      if (prepare)
        prepare (wake, i);
      began = bench_now ();
      event (wake);
      bench_samples_add (latencies, wait_ready (wake) - began);
    }
  bench_report ("jobs", latencies->len);
  bench_samples_report (latencies, "");
}

/* --- bare ------------------------------------------------------------------------------------- */

static gboolean
on_bare (gpointer data)
{
  set_ready (data, bench_now ());
  return G_SOURCE_REMOVE;
}

static void
attach_bare (Wake *wake)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_bare, wake, NULL);
  g_source_attach (source, wake->context);
}

void
probe_wake_bare (const BenchTask *task)
{
  Wake wake;
  GThread *thread;

  wake_init (&wake);
  thread = g_thread_new ("sleeper", run_loop, &wake);
  wait_ready (&wake);
  measure (task, &wake, NULL, attach_bare);
  wake_end (&wake, thread);
}

/* --- a dequeue -------------------------------------------------------------------------------- */

static void wait_for_job (Wake *wake);

/* The lease is dropped: who waits next is what counts. */
static void
on_job (GObject *source, GAsyncResult *result, gpointer data)
{
  gint64 now = bench_now ();
  Wake *wake = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue_finish (JOB_QUEUE (source), result, &error);

  if (g_error_matches (error, JOB_ERROR, JOB_ERROR_CLOSED))
    {
      g_atomic_int_set (&wake->stop, TRUE);
      return;
    }
  bench_check (error, "dequeue a job");
  wait_for_job (wake);
  set_ready (wake, now);
}

static void
wait_for_job (Wake *wake)
{
  static const char *const types[] = { BENCH_TYPE, NULL };

  job_queue_dequeue_async (wake->queue, types, NULL, -1, NULL, on_job, wake);
}

static gboolean
first_wait (gpointer data)
{
  wait_for_job (data);
  set_ready (data, 0);
  return G_SOURCE_REMOVE;
}

static void
make_spec (Wake *wake, guint64 number)
{
  g_clear_object (&wake->spec);
  wake->spec = bench_spec (number, BENCH_TYPE, NULL);
}

static void
enqueue_one (Wake *wake)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *id = job_queue_enqueue (wake->queue, wake->spec, NULL, &error);

  bench_check (error, "enqueue a job");
}

void
probe_wake (const BenchTask *task)
{
  GThread *thread;
  Wake wake;

  wake_init (&wake);
  wake.queue = bench_open (task->system, task->folder);
  thread = g_thread_new ("sleeper", run_loop, &wake);
  wait_ready (&wake);
  g_main_context_invoke (wake.context, first_wait, &wake);
  wait_ready (&wake);
  measure (task, &wake, make_spec, enqueue_one);
  bench_close (wake.queue);
  wake_end (&wake, thread);
  g_clear_object (&wake.spec);
  g_object_unref (wake.queue);
}
