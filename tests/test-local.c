/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the local queue promises to threads and main contexts, where it takes a gate in the store,
 * or a look at who holds what, to see it. */

#include "local-fixture.h"

#define UNKNOWN "00000002-0000-7000-8000-000000000000"

/* --- contexts --------------------------------------------------------------------------------- */

typedef struct
{
  GAsyncResult *inner; /* owned: what the outer callback waits for */
  GAsyncResult *outer; /* owned */
} Nested;

static void
iterate_for_inner (GObject *source, GAsyncResult *result, gpointer data)
{
  Nested *nested = data;

  g_assert_null (nested->inner);
  iterate_ready ();
  g_assert_nonnull (nested->inner);
  nested->outer = g_object_ref (result);
}

/* Both are answered before the context runs: they come together. */
static void
test_callback_may_wait_for_another (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add (f, 0);
  Nested nested = { NULL };
  g_autoptr (JobInfo) info = NULL;

  job_queue_get_info_async (f->queue, id, NULL, iterate_for_inner, &nested);
  job_queue_get_info_async (f->queue, id, NULL, keep_answer, &nested.inner);
  await (&nested.outer);
  info = job_queue_get_info_finish (f->queue, nested.inner, NULL);
  g_assert_cmpstr (job_info_get_id (info), ==, id);
  g_object_unref (nested.inner);
  g_object_unref (nested.outer);
}

typedef struct
{
  Fixture *f;
  guint n_answers;
  gboolean stopped;
} Chain;

static void
ask_again (GObject *source, GAsyncResult *result, gpointer data)
{
  Chain *chain = data;

  chain->n_answers++;
  if (!chain->stopped)
    job_queue_list_leases_async (chain->f->queue, 0, NULL, ask_again, chain);
}

static gboolean
stop_chain (gpointer data)
{
  Chain *chain = data;

  chain->stopped = TRUE;
  return G_SOURCE_REMOVE;
}

/* A chain of calls, each answered at once, leaves other sources their turn. */
static void
test_answers_leave_others_their_turn (Fixture *f, gconstpointer data)
{
  Chain chain = { f };
  g_autoptr (GSource) source = g_timeout_source_new (0);

  g_source_set_callback (source, stop_chain, &chain, NULL);
  g_source_attach (source, NULL);
  ask_again (NULL, NULL, &chain);
  iterate_ready ();
  g_assert_true (chain.stopped);
  g_assert_cmpuint (chain.n_answers, >, 1);
}

/* Whoever gave no callback waits for nothing: not even for a context that nobody runs. */
static void
test_without_callback_needs_no_context (Fixture *f, gconstpointer data)
{
  g_autoptr (GMainContext) idle = g_main_context_new ();
  g_autofree char *id = add (f, 0);
  g_autoptr (JobLease) lease = NULL;

  g_main_context_push_thread_default (idle);
  job_queue_dequeue_async (f->queue, NULL, NULL, 0, NULL, NULL, NULL);
  g_main_context_pop_thread_default (idle);

  lease = take (f);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
  g_assert_cmpuint (job_lease_get_attempt (lease), ==, 1);
}

static gpointer
enqueue (gpointer data)
{
  gpointer *both = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = job_queue_enqueue (both[0], both[1], NULL, &error);

  g_assert_no_error (error);
  return NULL;
}

/* Whoever commits the claim gives it back, and must not wait for the batch that says otherwise. */
static void
test_lease_of_nobody_is_canceled (Fixture *f, gconstpointer data)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  gpointer both[] = { f->queue, spec };
  g_autoptr (GAsyncResult) answer = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;

  job_queue_dequeue_async (f->queue, NULL, NULL, -1, NULL, NULL, NULL);
  gated_queue_shut_gate (f->gated);
  thread = g_thread_new ("enqueues", enqueue, both);
  gated_queue_await_commit (f->gated);
  job_queue_cancel_async (f->queue, job_spec_get_id (spec), NULL, keep_answer, &answer);
  gated_queue_open_gate (f->gated, FALSE);
  g_thread_join (thread);
  await (&answer);
  g_assert_true (job_queue_cancel_finish (f->queue, answer, &error));
  g_assert_no_error (error);
}

static void
test_waiting_without_callback_ends_with_close (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  job_queue_dequeue_async (f->queue, NULL, NULL, -1, NULL, NULL, NULL);
  job_queue_wait_async (f->queue, UNKNOWN, -1, NULL, NULL, NULL);
  g_assert_true (job_queue_close (f->queue, NULL, &error));
  g_assert_no_error (error);
}

/* --- time ------------------------------------------------------------------------------------- */

static void
test_due_job_before_timeout (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add (f, START + 10 * SECOND_NS);
  g_autoptr (GAsyncResult) answer = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_dequeue_async (f->queue, NULL, NULL, 20 * G_USEC_PER_SEC, NULL, keep_answer, &answer);
  job_stepped_clock_step (f->clock, 30 * G_USEC_PER_SEC);
  await (&answer);
  lease = job_queue_dequeue_finish (f->queue, answer, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
}

/* The last reference goes while the answer is on its way; the queue ends, in whatever thread. */
static void
test_timeout_of_a_dropped_queue (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 100; i++)
    {
      JobQueue *queue = JOB_QUEUE (gated_queue_new (JOB_CLOCK (f->clock)));

      job_queue_dequeue_async (queue, NULL, NULL, G_USEC_PER_SEC, NULL, NULL, NULL);
      job_stepped_clock_step (f->clock, G_USEC_PER_SEC);
      drop (queue);
    }
}

/* --- leases that end -------------------------------------------------------------------------- */

typedef struct
{
  Fixture *f;
  GMutex lock;
  GCond cond;
  gboolean entered; /* lock: the handler has begun */
  gboolean go_on;   /* lock: it may end */
  gboolean left;    /* lock: it has ended */
} Handler;

static void
set_flag (Handler *handler, gboolean *flag)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&handler->lock);

  *flag = TRUE;
  g_cond_broadcast (&handler->cond);
}

static void
await_flag (Handler *handler, gboolean *flag)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&handler->lock);

  while (!*flag)
    g_cond_wait (&handler->cond, &handler->lock);
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  Handler *handler = data;
  g_autofree char *id = NULL;
  g_autoptr (GError) error = NULL;

  set_flag (handler, &handler->entered);
  await_flag (handler, &handler->go_on);
  id = add (handler->f, 0);
  g_assert_true (job_queue_cancel (handler->f->queue, id, NULL, &error));
  g_assert_null (job_queue_dequeue (handler->f->queue, NULL, NULL, G_USEC_PER_SEC, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_TIMED_OUT);
  set_flag (handler, &handler->left);
}

static void
handler_init (Handler *handler, Fixture *f)
{
  *handler = (Handler){ .f = f };
  g_mutex_init (&handler->lock);
  g_cond_init (&handler->cond);
}

static void
handler_clear (Handler *handler)
{
  g_mutex_clear (&handler->lock);
  g_cond_clear (&handler->cond);
}

static gpointer
step_until_left (gpointer data)
{
  Handler *handler = data;
  gboolean left = FALSE;

  while (!left)
    {
      job_stepped_clock_step (handler->f->clock, G_USEC_PER_SEC);
      g_thread_yield ();
      g_mutex_lock (&handler->lock);
      left = handler->left;
      g_mutex_unlock (&handler->lock);
    }
  return NULL;
}

/* While the handler runs, the queue does all that it does for others; and the handler may ask for
 * anything, a wait with a timeout too. */
static void
test_handler_of_cancelled_holds_up_nobody (Fixture *f, gconstpointer data)
{
  Handler handler;
  g_autofree char *id = add (f, 0);
  g_autofree char *other = NULL;
  g_autoptr (JobLease) lease = take (f);
  g_autoptr (JobLease) other_lease = NULL;
  g_autoptr (GAsyncResult) answer = NULL;
  g_autoptr (GError) error = NULL;

  handler_init (&handler, f);
  g_cancellable_connect (job_lease_get_cancellable (lease), G_CALLBACK (on_cancelled), &handler,
                         NULL);
  g_assert_true (job_queue_cancel (f->queue, id, NULL, &error));
  await_flag (&handler, &handler.entered);

  job_queue_dequeue_async (f->queue, NULL, NULL, G_USEC_PER_SEC, NULL, keep_answer, &answer);
  job_stepped_clock_step (f->clock, G_USEC_PER_SEC);
  await (&answer);
  g_assert_null (job_queue_dequeue_finish (f->queue, answer, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_TIMED_OUT);
  other = add (f, 0);
  other_lease = take (f);
  g_assert_true (job_lease_complete (other_lease, NULL, NULL, NULL));

  set_flag (&handler, &handler.go_on);
  step_until_left (&handler);
  handler_clear (&handler);
}

static void
close_in_handler (GCancellable *cancellable, gpointer data)
{
  Handler *handler = data;
  g_autoptr (GError) error = NULL;

  g_assert_true (job_queue_close (handler->f->queue, NULL, &error));
  g_assert_no_error (error);
  set_flag (handler, &handler->left);
}

static void
test_handler_of_cancelled_may_close (Fixture *f, gconstpointer data)
{
  Handler handler;
  g_autofree char *id = add (f, 0);
  g_autoptr (JobLease) lease = take (f);

  handler_init (&handler, f);
  g_cancellable_connect (job_lease_get_cancellable (lease), G_CALLBACK (close_in_handler), &handler,
                         NULL);
  job_queue_cancel_async (f->queue, id, NULL, NULL, NULL);
  await_flag (&handler, &handler.left);
  handler_clear (&handler);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("callback-may-wait-for-another", test_callback_may_wait_for_another);
  ADD ("answers-leave-others-their-turn", test_answers_leave_others_their_turn);
  ADD ("without-callback-needs-no-context", test_without_callback_needs_no_context);
  ADD ("lease-of-nobody-is-canceled", test_lease_of_nobody_is_canceled);
  ADD ("waiting-without-callback-ends-with-close", test_waiting_without_callback_ends_with_close);
  ADD ("due-job-before-timeout", test_due_job_before_timeout);
  ADD ("timeout-of-a-dropped-queue", test_timeout_of_a_dropped_queue);
  ADD ("handler-of-cancelled-holds-up-nobody", test_handler_of_cancelled_holds_up_nobody);
  ADD ("handler-of-cancelled-may-close", test_handler_of_cancelled_may_close);
  return g_test_run ();
}
