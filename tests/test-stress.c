/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything at once: threads that block and threads with main contexts of their own enqueue,
 * dequeue, complete, fail, release, cancel, wait and look, on one queue. Then what must always hold
 * is looked at, on disk too. */

#include "stress.h"

#include <ftw.h>
#include <stdio.h>

#define N_BLOCKING 3 /* consumers */
#define N_CONTEXTS 2 /* consumers, with a main context each */
#define N_ADMINISTRATORS 2

static void
plan_free (gpointer data)
{
  Plan *plan = data;

  g_object_unref (plan->spec);
  g_free (plan);
}

/* Each depends at most on one of the same producer, which comes before it. */
static void
choose (Stress *stress, Plan *plan)
{
  gint before = (gint) plan->number - STRESS_N_PRODUCERS * (1 + (gint) plan->number % 3);

  plan->after = -1;
  plan->kind = plan->number / STRESS_N_PRODUCERS % 2 ? CONTESTED : PLAIN;
  if (plan->number % STRESS_N_PRODUCERS == 0 && plan->number % 4 == 0)
    plan->kind = ORDERED;
  else if (plan->number % 5 < 2 && before >= 0 &&
           stress_get_plan (stress, before)->kind == plan->kind)
    {
      plan->after = before;
      plan->condition = plan->kind == CONTESTED ? plan->number % 3 : JOB_CONDITION_AFTER_OK;
    }
}

static void
add_plan (Stress *stress, guint number)
{
  Plan *plan = g_new0 (Plan, 1);
  g_autofree char *args = g_strdup_printf ("{\"number\": %u}", number);
  g_autofree char *id = g_strdup_printf ("%08x-0000-7000-8000-000000000000", number);

  plan->number = number;
  choose (stress, plan);
  plan->spec = job_spec_new (stress_types[plan->kind], args);
  job_spec_set_max_attempts (plan->spec, 3);
  if (number % 4 == 3)
    g_assert_true (job_spec_set_id (plan->spec, id, NULL));
  if (plan->after >= 0)
    job_spec_add_dependency (plan->spec, stress_get_plan (stress, plan->after)->id,
                             plan->condition);
  plan->id = job_spec_get_id (plan->spec);
  g_ptr_array_add (stress->plans, plan);
  g_hash_table_insert (stress->by_id, (gpointer) plan->id, plan);
}

/* --- what must hold --------------------------------------------------------------------------- */

static void
check_plan (Stress *stress, Plan *plan)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = job_queue_get_info (stress->queue, plan->id, NULL, &error);
  g_autofree char *result = g_strdup_printf ("%d", plan->result);
  gboolean ended_by_another;

  g_assert_no_error (error);
  g_assert_cmpstr (job_info_get_args (info), ==, job_spec_get_args (plan->spec));
  g_assert_true (job_state_is_final (job_info_get_state (info)));
  g_assert_cmpint (job_info_get_state (info) == JOB_STATE_SUCCEEDED, ==, plan->result != 0);
  if (plan->result != 0)
    g_assert_cmpstr (job_info_get_result (info), ==, result);
  ended_by_another = job_info_get_reason (info) == JOB_REASON_DEPENDENCY;
  g_assert_cmpint (plan->n_ends, ==, ended_by_another ? 0 : 1);
  g_assert_cmpint (plan->n_holders, ==, 0);
  if (plan->kind != CONTESTED)
    g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_SUCCEEDED);
}

static void
check (Stress *stress)
{
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GListModel) all = job_queue_list (stress->queue, filter, NULL, NULL);
  g_autoptr (GListModel) leases = job_queue_list_leases (stress->queue, 0, NULL, NULL);

  for (guint i = 0; i < stress->plans->len; i++)
    check_plan (stress, stress_get_plan (stress, i));
  g_assert_cmpuint (g_list_model_get_n_items (all), ==, stress->plans->len);
  g_assert_cmpuint (g_list_model_get_n_items (leases), ==, 0);
}

/* --- all of it -------------------------------------------------------------------------------- */

static const struct
{
  GThreadFunc func;
  guint n;
  gboolean ends_by_itself;
} crews[] = {
  { stress_produce, STRESS_N_PRODUCERS, TRUE },
  { stress_consume_blocking, N_BLOCKING },
  { stress_consume_ordered, 1 },
  { stress_consume_in_context, N_CONTEXTS },
  { stress_administrate, N_ADMINISTRATORS },
};

static void
join (gpointer thread)
{
  g_thread_join (thread);
}

static void
start_crews (Stress *stress, GPtrArray *producers, GPtrArray *others)
{
  for (guint i = 0; i < G_N_ELEMENTS (crews); i++)
    for (guint j = 0; j < crews[i].n; j++)
      g_ptr_array_add (crews[i].ends_by_itself ? producers : others,
                       g_thread_new ("stress", crews[i].func, stress));
}

static void
run_crews (Stress *stress)
{
  g_autoptr (GPtrArray) producers = g_ptr_array_new_with_free_func (join);
  g_autoptr (GPtrArray) others = g_ptr_array_new_with_free_func (join);

  start_crews (stress, producers, others);
  g_ptr_array_set_size (producers, 0);
  for (guint i = 0; i < stress->plans->len; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JobInfo) info =
          job_queue_wait (stress->queue, stress_get_plan (stress, i)->id, -1, NULL, &error);

      g_assert_no_error (error);
    }
  g_cancellable_cancel (stress->over);
}

static JobQueue *
open_queue (const char *backend, const char *folder)
{
  g_autoptr (GHashTable) options = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;
  JobQueue *queue;

  if (folder)
    g_hash_table_insert (options, (gpointer) "directory", (gpointer) folder);
  queue = job_queue_new_for_backend (backend, options, NULL, &error);
  g_assert_no_error (error);
  return queue;
}

static void
close_queue (Stress *stress)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (job_queue_close (stress->queue, NULL, &error));
  g_assert_no_error (error);
  g_clear_object (&stress->queue);
}

static void
play (const char *backend, const char *folder, guint n_jobs)
{
  Stress stress = { open_queue (backend, folder) };

  stress.plans = g_ptr_array_new_with_free_func (plan_free);
  stress.by_id = g_hash_table_new (g_str_hash, g_str_equal);
  stress.over = g_cancellable_new ();
  for (guint i = 0; i < n_jobs; i++)
    add_plan (&stress, i);

  run_crews (&stress);
  check (&stress);
  for (guint i = 0; folder && i < 2; i++)
    {
      close_queue (&stress);
      stress.queue = open_queue (backend, folder);
      check (&stress);
    }
  close_queue (&stress);
  g_hash_table_unref (stress.by_id);
  g_ptr_array_unref (stress.plans);
  g_object_unref (stress.over);
}

static void
test_memory (void)
{
  play ("memory", NULL, 2400);
}

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

static void
test_fs_json (void)
{
  g_autofree char *folder = g_dir_make_tmp ("job-stress-XXXXXX", NULL);
  g_autofree char *jobs = g_build_filename (folder, "jobs", NULL);

  play ("fs-json", jobs, 900);
  g_assert_cmpint (nftw (folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stress/memory", test_memory);
  g_test_add_func ("/stress/fs-json", test_fs_json);
  return g_test_run ();
}
