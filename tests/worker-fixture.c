/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker on a queue that does what the test says. */

#include "worker-fixture.h"

static void
on_started (JobWorker *worker, JobLease *lease, WorkerFixture *f)
{
  f->n_started++;
}

static void
on_ended (JobWorker *worker, JobLease *lease, gboolean succeeded, const char *outcome,
          const GError *error, WorkerFixture *f)
{
  f->n_ended++;
  f->succeeded = succeeded;
  g_free (f->outcome);
  f->outcome = g_strdup (outcome);
  g_clear_error (&f->job_error);
  f->job_error = error != NULL ? g_error_copy (error) : NULL;
}

void
worker_set_up (WorkerFixture *f, guint n_jobs)
{
  f->queue = scripted_queue_new ();
  f->handler = manual_handler_new (FALSE);
  f->clock = job_stepped_clock_new (WALL_TIME);
  f->cancellable = g_cancellable_new ();
  f->worker = g_object_new (JOB_TYPE_WORKER, "queue", f->queue, "n-jobs", n_jobs, "clock", f->clock,
                            "heartbeat-interval", (gint64) 1000, NULL);
  job_worker_add_handler (f->worker, "test", JOB_HANDLER (f->handler));
  g_signal_connect (f->worker, "job-started", G_CALLBACK (on_started), f);
  g_signal_connect (f->worker, "job-ended", G_CALLBACK (on_ended), f);
}

void
worker_tear_down (WorkerFixture *f)
{
  g_clear_error (&f->error);
  g_clear_error (&f->job_error);
  g_free (f->outcome);
  g_object_unref (f->cancellable);
  g_object_unref (f->clock);
  g_object_unref (f->handler);
  g_assert_finalize_object (f->worker);
  g_assert_finalize_object (f->queue);
}

void
worker_on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  WorkerFixture *f = data;

  f->result = job_worker_run_finish (JOB_WORKER (source), result, &f->error);
  f->done = TRUE;
}

void
worker_start (WorkerFixture *f, gboolean drain)
{
  job_worker_run_async (f->worker, drain, f->cancellable, worker_on_done, f);
}

void
worker_settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

void
worker_add_job (WorkerFixture *f, guint number)
{
  g_object_unref (scripted_queue_add (f->queue, number, "test"));
}

void
worker_set_error (WorkerFixture *f, ScriptedVerb verb, JobError code)
{
  scripted_queue_set_error (f->queue, verb, g_error_new (JOB_ERROR, code, "As the test says"));
}

void
worker_stop (WorkerFixture *f)
{
  g_cancellable_cancel (f->cancellable);
  WAIT_FOR (f->done);
  g_assert_no_error (f->error);
  g_assert_true (f->result);
}
