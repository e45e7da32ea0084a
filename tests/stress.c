/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the stress test's threads note of jobs; and those that put jobs in, and meddle with them. */

#include "stress.h"

const char *const stress_types[N_KINDS] = { "plain", "contested", "ordered" };

Plan *
stress_get_plan (Stress *stress, guint number)
{
  return g_ptr_array_index (stress->plans, number);
}

/* --- ends ------------------------------------------------------------------------------------- */

/* Somebody else was first. */
void
stress_assert_late (const GError *error)
{
  if (g_error_matches (error, JOB_ERROR, JOB_ERROR_LEASE_LOST) ||
      g_error_matches (error, JOB_ERROR, JOB_ERROR_CANCELED) ||
      g_error_matches (error, JOB_ERROR, JOB_ERROR_NOT_RUNNING) ||
      g_error_matches (error, JOB_ERROR, JOB_ERROR_NOT_PENDING))
    return;
  g_assert_no_error (error);
}

void
stress_note_end (Plan *plan, gboolean done, gboolean is_end, GError **error)
{
  if (done && is_end)
    g_assert_cmpint (g_atomic_int_add (&plan->n_ends, 1), ==, 0);
  if (!done)
    {
      g_assert_cmpint (plan->kind, ==, CONTESTED);
      stress_assert_late (*error);
      g_clear_error (error);
    }
}

void
stress_note_completed (Plan *plan, gboolean done, gint result, GError **error)
{
  if (done)
    g_atomic_int_set (&plan->result, result);
  stress_note_end (plan, done, TRUE, error);
}

Plan *
stress_begin (Stress *stress, JobLease *lease)
{
  Plan *plan = g_hash_table_lookup (stress->by_id, job_lease_get_id (lease));

  g_assert_nonnull (plan);
  g_assert_cmpstr (job_lease_get_args (lease), ==, job_spec_get_args (plan->spec));
  g_assert_cmpstr (job_lease_get_job_type (lease), ==, stress_types[plan->kind]);
  if (plan->kind != CONTESTED)
    g_assert_cmpint (g_atomic_int_add (&plan->n_holders, 1), ==, 0);
  return plan;
}

void
stress_let_go (Plan *plan)
{
  if (plan->kind != CONTESTED)
    g_assert_cmpint (g_atomic_int_add (&plan->n_holders, -1), ==, 1);
}

void
stress_end (Stress *stress, JobLease *lease, Plan *plan, guint32 chance)
{
  GError *error = NULL;
  gint result = g_atomic_int_add (&stress->n_results, 1) + 1;
  g_autofree char *text = g_strdup_printf ("%d", result);

  if (chance % 8 == 0 && !job_lease_heartbeat (lease, NULL, &error))
    stress_note_end (plan, FALSE, FALSE, &error);
  stress_let_go (plan);
  if (chance % 16 == 1 && plan->kind != ORDERED)
    stress_note_end (plan, job_lease_release (lease, NULL, &error), FALSE, &error);
  else if (chance % 16 == 2 && plan->kind == CONTESTED)
    stress_note_end (plan, job_lease_fail (lease, text, NULL, &error),
                     job_lease_get_attempt (lease) == 3, &error);
  else
    stress_note_completed (plan, job_lease_complete (lease, text, NULL, &error), result, &error);
}

void
stress_await_calls (Looper *looper)
{
  while (looper->n_calls > 0)
    g_main_context_iteration (looper->context, TRUE);
}

/* --- producers -------------------------------------------------------------------------------- */

static void
on_enqueued (GObject *queue, GAsyncResult *async_result, gpointer data)
{
  Looper *looper = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = job_queue_enqueue_finish (JOB_QUEUE (queue), async_result, &error);

  g_assert_no_error (error);
  g_assert_true (g_hash_table_contains (looper->stress->by_id, id));
  looper->n_calls--;
}

/* What fails, changes nothing: at the end nothing is there but what was planned. */
static void
enqueue_in_vain (Stress *stress, Plan *existing)
{
  g_autoptr (JobSpec) spec = job_spec_new ("vain", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_enqueue (stress->queue, existing->spec, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_EXISTS);
  g_clear_error (&error);
  job_spec_add_dependency (spec, "0189ffff-0000-7000-8000-000000000000", JOB_CONDITION_AFTER_OK);
  g_assert_null (job_queue_enqueue (stress->queue, spec, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND);
}

/* What depends on a job comes after it: of the calls that are under way, only asynchronous ones
 * keep their order. */
static void
enqueue_one (Looper *looper, Plan *plan)
{
  JobQueue *queue = looper->stress->queue;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) ids = NULL;

  if (plan->kind != ORDERED && plan->number % 7 < 4)
    {
      looper->n_calls++;
      job_queue_enqueue_async (queue, plan->spec, NULL, on_enqueued, looper);
      return;
    }
  stress_await_calls (looper);
  ids = job_queue_enqueue_many (queue, &plan->spec, 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (ids[0], ==, plan->id);
  if (plan->number % 7 == 5)
    enqueue_in_vain (looper->stress, plan);
}

gpointer
stress_produce (gpointer data)
{
  Stress *stress = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainContextPusher) pusher = g_main_context_pusher_new (context);
  Looper looper = { stress, context };
  guint first = g_atomic_int_add (&stress->n_producers, 1);

  for (guint i = first; i < stress->plans->len; i += STRESS_N_PRODUCERS)
    enqueue_one (&looper, stress_get_plan (stress, i));
  stress_await_calls (&looper);
  return NULL;
}

/* --- administrators --------------------------------------------------------------------------- */

static void
take_by_id (Stress *stress, Plan *plan)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue_by_id (stress->queue, plan->id, NULL, &error);

  if (lease)
    stress_end (stress, lease, stress_begin (stress, lease), 5);
  else
    stress_assert_late (error);
}

static void
look (Stress *stress, Plan *plan)
{
  g_autoptr (GListModel) leases = job_queue_list_leases (stress->queue, 0, NULL, NULL);
  g_autoptr (JobInfo) lease = g_list_model_get_item (leases, 0);
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GListModel) list = NULL;
  g_autoptr (GError) error = NULL;

  if (lease)
    g_free (job_queue_lookup_token (stress->queue, job_info_get_token (lease), NULL, NULL));
  info = job_queue_wait (stress->queue, plan->id, 50, NULL, &error);
  if (info)
    g_assert_true (job_state_is_final (job_info_get_state (info)));
  else
    g_assert_error (error, JOB_ERROR, JOB_ERROR_TIMED_OUT);
  job_filter_add_state (filter, JOB_STATE_PENDING);
  job_filter_set_limit (filter, 3);
  list = job_queue_list (stress->queue, filter, NULL, NULL);
  g_assert_cmpuint (g_list_model_get_n_items (list), <=, 3);
}

static void
meddle (Stress *stress, Plan *plan, guint32 chance)
{
  GError *error = NULL;
  gint result = g_atomic_int_add (&stress->n_results, 1) + 1;
  g_autofree char *text = g_strdup_printf ("%d", result);

  if (plan->kind != CONTESTED || chance % 4 == 0)
    look (stress, plan);
  else if (chance % 16 == 1)
    stress_note_end (plan, job_queue_cancel (stress->queue, plan->id, NULL, &error), TRUE, &error);
  else if (chance % 16 == 2)
    stress_note_completed (plan,
                           job_queue_complete (stress->queue, plan->id, NULL, text, NULL, &error),
                           result, &error);
  else if (chance % 4 == 3)
    stress_note_end (plan, job_queue_release (stress->queue, plan->id, NULL, NULL, &error), FALSE,
                     &error);
  else
    take_by_id (stress, plan);
}

/* Of the jobs that are there: whoever asks for others gets NOT_FOUND. */
gpointer
stress_administrate (gpointer data)
{
  Stress *stress = data;
  g_autoptr (GRand) rand = g_rand_new ();

  while (!g_cancellable_is_cancelled (stress->over))
    {
      Plan *plan = stress_get_plan (stress, g_rand_int_range (rand, 0, stress->plans->len));
      g_autoptr (JobInfo) info = job_queue_get_info (stress->queue, plan->id, NULL, NULL);

      if (info)
        meddle (stress, plan, g_rand_int (rand));
    }
  return NULL;
}
