/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The stress test's threads that take jobs. */

#include "stress.h"

#define N_OUTSTANDING 8 /* dequeues of a thread with a context */

static void
check_dependency (Stress *stress, const Plan *plan)
{
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;
  gboolean succeeded;

  if (plan->after < 0)
    return;
  info =
      job_queue_get_info (stress->queue, stress_get_plan (stress, plan->after)->id, NULL, &error);
  g_assert_no_error (error);
  succeeded = job_info_get_state (info) == JOB_STATE_SUCCEEDED;
  g_assert_true (job_state_is_final (job_info_get_state (info)));
  if (plan->condition != JOB_CONDITION_AFTER_ANY)
    g_assert_cmpint (succeeded, ==, plan->condition == JOB_CONDITION_AFTER_OK);
}

/* --- threads that block ----------------------------------------------------------------------- */

static JobLease *
dequeue_once (Stress *stress, const char *const *types, gint64 timeout, GCancellable *cancellable)
{
  GError *error = NULL;
  JobLease *lease = job_queue_dequeue (stress->queue, types, NULL, timeout, cancellable, &error);

  if (lease == NULL)
    g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
                   g_error_matches (error, JOB_ERROR, JOB_ERROR_TIMED_OUT));
  g_clear_error (&error);
  return lease;
}

gpointer
stress_consume_blocking (gpointer data)
{
  static const char *const types[] = { "plain", "contested", NULL };
  static const gint64 timeouts[] = { 0, 1, 200, -1 };
  Stress *stress = data;
  g_autoptr (GRand) rand = g_rand_new ();

  while (!g_cancellable_is_cancelled (stress->over))
    {
      guint32 chance = g_rand_int (rand);
      g_autoptr (JobLease) lease = dequeue_once (stress, types, timeouts[chance % 4], stress->over);
      Plan *plan;

      if (lease == NULL)
        continue;
      plan = stress_begin (stress, lease);
      check_dependency (stress, plan);
      stress_end (stress, lease, plan, chance >> 2);
    }
  return NULL;
}

gpointer
stress_consume_ordered (gpointer data)
{
  static const char *const types[] = { "ordered", NULL };
  Stress *stress = data;
  gint last = -1;

  for (;;)
    {
      g_autoptr (JobLease) lease = dequeue_once (stress, types, -1, stress->over);
      Plan *plan;

      if (lease == NULL)
        return NULL;
      plan = stress_begin (stress, lease);
      g_assert_cmpint (plan->number, >, last);
      last = plan->number;
      stress_end (stress, lease, plan, 5);
    }
}

/* --- threads with a main context -------------------------------------------------------------- */

/* A report that is on its way. */
typedef struct
{
  Looper *looper;
  Plan *plan;
  gint result;
  GCancellable *cancellable; /* of a dequeue that may be taken back */
} Report;

static void dequeue_more (Looper *looper);

static void
on_completed (GObject *lease, GAsyncResult *async_result, gpointer data)
{
  g_autofree Report *report = data;
  GError *error = NULL;
  gboolean done = job_lease_complete_finish (JOB_LEASE (lease), async_result, &error);

  report->looper->n_calls--;
  stress_note_completed (report->plan, done, report->result, &error);
}

static void
on_released (GObject *lease, GAsyncResult *async_result, gpointer data)
{
  g_autofree Report *report = data;
  GError *error = NULL;
  gboolean done = job_lease_release_finish (JOB_LEASE (lease), async_result, &error);

  report->looper->n_calls--;
  stress_note_end (report->plan, done, FALSE, &error);
}

static Report *
report_new (Looper *looper, Plan *plan)
{
  Report *report = g_new0 (Report, 1);

  *report = (Report){ .looper = looper, .plan = plan };
  looper->n_calls++;
  return report;
}

static void
end_async (Looper *looper, JobLease *lease, Plan *plan)
{
  Report *report = report_new (looper, plan);
  g_autofree char *text = NULL;

  stress_let_go (plan);
  if (g_rand_int_range (looper->rand, 0, 16) == 0)
    {
      job_lease_release_async (lease, NULL, on_released, report);
      return;
    }
  report->result = g_atomic_int_add (&looper->stress->n_results, 1) + 1;
  text = g_strdup_printf ("%d", report->result);
  job_lease_complete_async (lease, text, NULL, on_completed, report);
}

static void
on_dequeued (GObject *queue, GAsyncResult *async_result, gpointer data)
{
  g_autofree Report *report = data;
  Looper *looper = report->looper;
  g_autoptr (GCancellable) cancellable = report->cancellable;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue_finish (JOB_QUEUE (queue), async_result, &error);

  looper->n_calls--;
  looper->n_dequeues--;
  if (lease)
    end_async (looper, lease, stress_begin (looper->stress, lease));
  else
    g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
                   g_error_matches (error, JOB_ERROR, JOB_ERROR_TIMED_OUT));
  dequeue_more (looper);
}

/* Some are taken back while others are matched; of some, nobody will want to know. */
static void
dequeue_more (Looper *looper)
{
  static const char *const types[] = { "contested", "plain", NULL };
  static const char *const channels[] = { "", NULL };
  JobQueue *queue = looper->stress->queue;

  while (looper->n_dequeues < N_OUTSTANDING && !g_cancellable_is_cancelled (looper->stress->over))
    {
      Report *report = report_new (looper, NULL);
      guint32 chance = g_rand_int (looper->rand);

      looper->n_dequeues++;
      report->cancellable =
          chance % 8 < 3 ? g_cancellable_new () : g_object_ref (looper->stress->over);
      job_queue_dequeue_async (queue, types, chance % 2 ? channels : NULL,
                               chance % 8 == 1 ? 100 : -1, report->cancellable, on_dequeued,
                               report);
      if (chance % 8 < 3)
        g_cancellable_cancel (report->cancellable);
      if (chance % 32 == 5)
        job_queue_dequeue_async (queue, types, NULL, 0, NULL, NULL, NULL);
    }
}

static void
on_over (GCancellable *cancellable, gpointer data)
{
  g_main_context_wakeup (data);
}

gpointer
stress_consume_in_context (gpointer data)
{
  Stress *stress = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainContextPusher) pusher = g_main_context_pusher_new (context);
  g_autoptr (GRand) rand = g_rand_new ();
  Looper looper = { stress, context, rand };
  gulong handler = g_cancellable_connect (stress->over, G_CALLBACK (on_over), context, NULL);

  dequeue_more (&looper);
  while (!g_cancellable_is_cancelled (stress->over))
    g_main_context_iteration (context, TRUE);
  g_cancellable_disconnect (stress->over, handler);
  stress_await_calls (&looper);
  return NULL;
}
