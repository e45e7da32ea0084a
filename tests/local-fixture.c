/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "local-fixture.h"

void
set_up (Fixture *f, gconstpointer data)
{
  f->clock = job_stepped_clock_new (START);
  f->gated = gated_queue_new (JOB_CLOCK (f->clock));
  f->queue = JOB_QUEUE (f->gated);
}

void
iterate_ready (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

void
drop (gpointer queue)
{
  GWeakRef weak;
  gpointer left;

  g_weak_ref_init (&weak, queue);
  g_object_unref (queue);
  while ((left = g_weak_ref_get (&weak)))
    {
      g_object_unref (left);
      g_thread_yield ();
    }
  g_weak_ref_clear (&weak);
}

void
tear_down (Fixture *f, gconstpointer data)
{
  iterate_ready ();
  drop (f->queue);
  g_object_unref (f->clock);
}

void
keep_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  GAsyncResult **answer = data;

  g_assert_null (*answer);
  *answer = g_object_ref (result);
}

void
await (GAsyncResult **answer)
{
  while (*answer == NULL)
    g_main_context_iteration (NULL, TRUE);
}

char *
add (Fixture *f, gint64 run_at)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (GError) error = NULL;
  char *id;

  job_spec_set_run_at (spec, run_at);
  id = job_queue_enqueue (f->queue, spec, NULL, &error);
  g_assert_no_error (error);
  return id;
}

JobLease *
take (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  JobLease *lease = job_queue_dequeue (f->queue, NULL, NULL, 0, NULL, &error);

  g_assert_no_error (error);
  return lease;
}
