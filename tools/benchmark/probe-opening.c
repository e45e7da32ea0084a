/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening a store with many jobs. It is prepared once, and then opened again and again, each time
 * by a new process. */

#include "bench.h"

#include <unistd.h>

#define IN_FLIGHT 1000
#define STUCK_AFTER (G_GINT64_CONSTANT (2) * 1000 * 1000 * 1000)

static JobQueue *
fill (const BenchTask *task)
{
  JobQueue *queue = bench_open (task->system, task->folder);
  BenchLoad load = { .queue = queue,
                     .in_flight = IN_FLIGHT,
                     .jobs = task->jobs,
                     .deadline = G_MAXINT64,
                     .cycle = TRUE };

  bench_load_run (&load);
  bench_fill (queue, task->pending, BENCH_TYPE, NULL);
  return queue;
}

/* task->jobs that are over, and task->pending that are not. */
void
probe_build (const BenchTask *task)
{
  g_autoptr (JobQueue) queue = fill (task);

  bench_close (queue);
}

/* The same, and as many more as a journal takes whose store is never durable. As after a crash,
 * there is no close. */
void
probe_build_full_journal (const BenchTask *task)
{
  g_autoptr (JobQueue) queue = fill (task);
  BenchLoad load = {
    .in_flight = IN_FLIGHT, .jobs = G_MAXUINT64, .deadline = G_MAXINT64, .stuck_after = STUCK_AFTER
  };

  bench_close (queue);
  g_clear_object (&queue);
  queue = load.queue = bench_open (task->system, task->folder);
  bench_store_watch ();
  bench_store_block ();
  if (bench_load_run (&load))
    bench_fail ("the journal did not become full");
  _exit (0);
}

static void
copy_store (const BenchTask *task)
{
  g_autofree char *from = g_build_filename (task->store, ".", NULL);
  const char *argv[] = { "cp", "-a", from, task->folder, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                &error);
  bench_check (error, "copy the store");
  g_spawn_check_wait_status (status, &error);
  bench_check (error, "copy the store");
}

static guint64
count_pending (JobQueue *queue)
{
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GListModel) jobs = NULL;
  g_autoptr (GError) error = NULL;

  job_filter_add_state (filter, JOB_STATE_PENDING);
  job_filter_set_limit (filter, G_MAXUINT);
  jobs = job_queue_list (queue, filter, NULL, &error);
  bench_check (error, "list the pending jobs");
  return g_list_model_get_n_items (jobs);
}

/* With a journal, of a copy, so that each opening finds the same. */
void
probe_opening (const BenchTask *task)
{
  gboolean clean = g_str_equal (task->variant, "clean");
  const char *folder = clean ? task->store : task->folder;
  g_autoptr (JobQueue) queue = NULL;
  guint64 journal, n_pending;
  gint64 began, ended;

  if (!clean)
    copy_store (task);
  journal = bench_count_bytes (folder, "journal-");
  began = bench_now ();
  queue = bench_open (task->system, folder);
  ended = bench_now ();
  n_pending = count_pending (queue);
  if (clean ? journal > 0 || n_pending != task->pending : n_pending <= task->pending)
    bench_fail ("%" G_GUINT64_FORMAT " jobs are pending, with a journal of %" G_GUINT64_FORMAT
                " bytes, which is wrong",
                n_pending, journal);
  bench_report ("jobs", task->jobs + n_pending);
  bench_report ("seconds", (ended - began) / 1e9);
  bench_report ("journal_bytes", journal);
  if (!clean)
    bench_leave ();
  bench_close (queue);
}
