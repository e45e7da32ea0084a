/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the local queue promises of the order of its commits: what callers are told when one fails,
 * when two want the same, and when somebody looks on. */

#include "local-fixture.h"

/* --- commits that fail ------------------------------------------------------------------------ */

static gpointer
add_and_fail (gpointer data)
{
  Fixture *f = data;
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_enqueue (f->queue, spec, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  return NULL;
}

static GThread *
begin_to_fail (Fixture *f)
{
  GThread *thread;

  gated_queue_shut_gate (f->gated);
  thread = g_thread_new ("leader", add_and_fail, f);
  gated_queue_await_commit (f->gated);
  return thread;
}

static void
assert_fails (Fixture *f, GAsyncResult **answer,
              gpointer (*finish) (JobQueue *queue, GAsyncResult *result, GError **error))
{
  g_autoptr (GError) error = NULL;

  await (answer);
  g_assert_null (finish (f->queue, *answer, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_clear_object (answer);
}

/* The job was there to be waited for, and then it never was. */
static void
test_wait_ends_with_the_enqueueing (Fixture *f, gconstpointer data)
{
  GThread *leader = begin_to_fail (f);
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  GAsyncResult *enqueued = NULL;
  GAsyncResult *waited = NULL;

  job_queue_enqueue_async (f->queue, spec, NULL, keep_answer, &enqueued);
  job_queue_wait_async (f->queue, job_spec_get_id (spec), -1, NULL, keep_answer, &waited);
  gated_queue_open_gate (f->gated, TRUE);
  g_thread_join (leader);
  assert_fails (f, &enqueued, (gpointer) job_queue_enqueue_finish);
  assert_fails (f, &waited, (gpointer) job_queue_wait_finish);
}

static gpointer
add_again (gpointer data)
{
  gpointer *both = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = job_queue_enqueue (both[0], both[1], NULL, &error);

  if (id == NULL)
    g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  return NULL;
}

/* That a job exists is said only of one that a crash leaves: or it would be lost. */
static void
test_exists_is_durable (Fixture *f, gconstpointer data)
{
  GThread *leader = begin_to_fail (f);
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  gpointer both[] = { f->queue, spec };
  GAsyncResult *enqueued = NULL;
  GThread *again;

  job_queue_enqueue_async (f->queue, spec, NULL, keep_answer, &enqueued);
  again = g_thread_new ("again", add_again, both);
  for (guint i = 0; i < 1000; i++)
    g_thread_yield ();
  gated_queue_open_gate (f->gated, TRUE);
  g_thread_join (leader);
  g_thread_join (again);
  assert_fails (f, &enqueued, (gpointer) job_queue_enqueue_finish);
}

/* --- ids that come twice ---------------------------------------------------------------------- */

#define N_RIVALS 3

static gpointer
add_and_run (gpointer data)
{
  gpointer *both = data;
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  g_assert_true (job_spec_set_id (spec, both[1], NULL));
  id = job_queue_enqueue (both[0], spec, NULL, &error);
  if (id == NULL)
    {
      g_assert_error (error, JOB_ERROR, JOB_ERROR_EXISTS);
      return NULL;
    }
  lease = job_queue_dequeue (both[0], NULL, NULL, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (job_lease_complete (lease, NULL, NULL, &error));
  return GINT_TO_POINTER (TRUE);
}

static void
test_one_id_is_enqueued_once (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *id = g_strdup_printf ("%08x-0000-7000-8000-000000000000", i);
      gpointer both[] = { f->queue, id };
      GThread *threads[N_RIVALS];
      guint n_won = 0;

      for (guint j = 0; j < N_RIVALS; j++)
        threads[j] = g_thread_new ("rival", add_and_run, both);
      for (guint j = 0; j < N_RIVALS; j++)
        n_won += GPOINTER_TO_INT (g_thread_join (threads[j]));
      g_assert_cmpuint (n_won, ==, 1);
    }
}

/* --- looks ------------------------------------------------------------------------------------ */

#define N_LOOKS 20

static gpointer
add_one (gpointer data)
{
  g_free (add (data, 0));
  return NULL;
}

/* One commit waits at the gate, and the batch behind it is open, for what comes next. */
static GThread *
begin_batch (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  GThread *thread;

  gated_queue_shut_gate (f->gated);
  thread = g_thread_new ("leader", add_one, f);
  gated_queue_await_commit (f->gated);
  job_queue_enqueue_async (f->queue, spec, NULL, NULL, NULL);
  return thread;
}

typedef struct
{
  JobQueue *queue;
  const char *id;
  GThread *leader;
  GThread *thread;
} Look;

static gpointer
look (gpointer data)
{
  const Look *self = data;
  g_autoptr (GError) error = NULL;
  JobInfo *info = job_queue_get_info (self->queue, self->id, NULL, &error);

  if (error)
    g_assert_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND);
  return info;
}

/* It waits for the open batch, and so for what joins that after the look, if it has come so far. */
static void
begin_look (Look *self, Fixture *f, const char *id)
{
  *self = (Look){ f->queue, id, begin_batch (f) };
  self->thread = g_thread_new ("look", look, self);
  for (guint i = 0; i < 1000; i++)
    g_thread_yield ();
}

static JobInfo *
end_look (Look *self, Fixture *f)
{
  gated_queue_open_gate (f->gated, FALSE);
  g_thread_join (self->leader);
  return g_thread_join (self->thread);
}

/* The index did not know it; on disk, what waits for its time looks like what waits for a worker.
 */
static void
test_look_at_a_job_that_comes_meanwhile (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < N_LOOKS; i++)
    {
      g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
      g_autoptr (JobInfo) info = NULL;
      Look self;

      job_spec_set_run_at (spec, START + SECOND_NS);
      begin_look (&self, f, job_spec_get_id (spec));
      job_queue_enqueue_async (f->queue, spec, NULL, NULL, NULL);
      info = end_look (&self, f);
      if (info)
        g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_SCHEDULED);
    }
}

/* Its state is that of the look, and so is its error. */
static void
test_look_at_a_job_that_fails_meanwhile (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < N_LOOKS; i++)
    {
      g_autoptr (JobSpec) spec = job_spec_new ("b", NULL);
      g_autofree char *id = NULL;
      g_autoptr (JobLease) lease = NULL;
      g_autoptr (JobInfo) info = NULL;
      Look self;

      job_spec_set_max_attempts (spec, 2);
      id = job_queue_enqueue (f->queue, spec, NULL, NULL);
      lease = job_queue_dequeue_by_id (f->queue, id, NULL, NULL);
      begin_look (&self, f, id);
      job_lease_fail_async (lease, "1", NULL, NULL, NULL);
      info = end_look (&self, f);
      g_assert_nonnull (info);
      g_assert_cmpint (job_info_get_error (info) != NULL, ==,
                       job_info_get_state (info) == JOB_STATE_PENDING);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("wait-ends-with-the-enqueueing", test_wait_ends_with_the_enqueueing);
  ADD ("exists-is-durable", test_exists_is_durable);
  ADD ("one-id-is-enqueued-once", test_one_id_is_enqueued_once);
  ADD ("look-at-a-job-that-comes-meanwhile", test_look_at_a_job_that_comes_meanwhile);
  ADD ("look-at-a-job-that-fails-meanwhile", test_look_at_a_job_that_fails_meanwhile);
  return g_test_run ();
}
