/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asynchronous calls: many that wait, in the order in which they came, each answered in its own
 * context. */

#include "conformance-private.h"
#include "../test-effort.h"

#define N_WAITERS test_effort (10 * 1000, 1000)
#define N_BACKLOG test_effort (100 * 1000, 10 * 1000)
#define N_AT_ONCE test_effort (10 * 1000, 1000)

static void
start_dequeue (Fixture *f, const char *type, GCancellable *cancellable, Answer *answer)
{
  const char *const types[] = { type, NULL };

  job_queue_dequeue_async (f->queue, types, NULL, -1, cancellable, answer_cb, answer);
}

static JobLease *
finish_dequeue (Fixture *f, Answer *answer)
{
  g_autoptr (GError) error = NULL;
  JobLease *lease = job_queue_dequeue_finish (f->queue, answer_wait (answer), &error);

  g_assert_no_error (error);
  g_assert_true (JOB_IS_LEASE (lease));
  answer_clear (answer);

  return lease;
}

static void
test_waiters_served_in_order_of_arrival (Fixture *f)
{
  Answer answers[20] = { { NULL } };
  char *ids[20];

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    start_dequeue (f, "a", NULL, &answers[i]);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = must_add (f, "a");

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (JobLease) lease = finish_dequeue (f, &answers[i]);

      g_assert_cmpstr (job_lease_get_id (lease), ==, ids[i]);
      g_free (ids[i]);
    }
}

static void
test_a_hundred_dequeuers (Fixture *f)
{
  Answer answers[100] = { { NULL } };
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    start_dequeue (f, "a", NULL, &answers[i]);
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    g_hash_table_add (ids, must_add (f, "a"));

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (JobLease) lease = finish_dequeue (f, &answers[i]);

      g_assert_true (g_hash_table_remove (ids, job_lease_get_id (lease)));
      must_complete (f, lease);
    }
  g_assert_cmpuint (g_hash_table_size (ids), ==, 0);
}

static void
add_backlog (Fixture *f, guint n)
{
  g_autoptr (GPtrArray) specs = g_ptr_array_new_with_free_func (g_object_unref);
  g_auto (GStrv) ids = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (specs, job_spec_new ("backlog", NULL));
  ids = job_queue_enqueue_many (f->queue, (JobSpec **) specs->pdata, specs->len, NULL, &error);
  g_assert_no_error (error);
}

/* Ten thousand that wait, each for a type of its own, beside a backlog of a hundred thousand jobs
 * that nobody takes: no verb walks either. (It would take hours if one did.) */
static void
test_many_waiters_beside_a_backlog (Fixture *f)
{
  g_autofree Answer *answers = g_new0 (Answer, N_WAITERS);

  for (guint i = 0; i < N_WAITERS; i++)
    {
      g_autofree char *type = g_strdup_printf ("type-%u", i);

      start_dequeue (f, type, NULL, &answers[i]);
    }
  for (guint i = 0; i < N_BACKLOG; i += N_AT_ONCE)
    add_backlog (f, N_AT_ONCE);
  for (guint i = 0; i < N_WAITERS; i += 100)
    {
      g_autofree char *type = g_strdup_printf ("type-%u", i);
      g_autofree char *id = must_add (f, type);
      g_autoptr (JobLease) lease = finish_dequeue (f, &answers[i]);

      g_assert_cmpstr (job_lease_get_id (lease), ==, id);
      must_complete (f, lease);
    }

  fixture_close (f);
  for (guint i = 0; i < N_WAITERS; i++)
    if (i % 100 != 0)
      {
        answer_wait (&answers[i]);
        answer_clear (&answers[i]);
      }
}

static void
test_cancelled_waiter_takes_nothing (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Answer) first = { NULL };
  g_auto (Answer) second = { NULL };
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  start_dequeue (f, "a", cancellable, &first);
  start_dequeue (f, "a", NULL, &second);
  g_cancellable_cancel (cancellable);
  g_assert_null (job_queue_dequeue_finish (f->queue, answer_wait (&first), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  id = must_add (f, "a");
  lease = finish_dequeue (f, &second);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
}

static gpointer
cancel_in_thread (gpointer data)
{
  g_cancellable_cancel (data);
  return NULL;
}

static void
test_blocking_waiter_can_be_cancelled (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("canceller", cancel_in_thread, cancellable);
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  g_assert_null (job_queue_dequeue (f->queue, NULL, NULL, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  id = must_add (f, "a");
  must_run (f, "a", id);
}

#define assert_cancelled(error)                                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);                                      \
    g_clear_error (&(error));                                                                      \
  }                                                                                                \
  G_STMT_END

static void
test_cancelled_before_the_call_does_nothing (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autofree char *running = must_add (f, "b");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "b", running);
  g_autofree char *before = snapshot (f);
  g_autofree char *after = NULL;
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (GCancellable) c = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (c);
  g_assert_null (job_queue_enqueue (f->queue, spec, c, &error));
  assert_cancelled (error);
  g_assert_null (job_queue_enqueue_many (f->queue, &spec, 1, c, &error));
  assert_cancelled (error);
  g_assert_null (job_queue_dequeue (f->queue, NULL, NULL, -1, c, &error));
  assert_cancelled (error);
  g_assert_null (job_queue_dequeue_by_id (f->queue, id, c, &error));
  assert_cancelled (error);
  g_assert_false (job_lease_complete (lease, NULL, c, &error));
  assert_cancelled (error);
  g_assert_false (job_lease_fail (lease, NULL, c, &error));
  assert_cancelled (error);
  g_assert_false (job_lease_release (lease, c, &error));
  assert_cancelled (error);
  g_assert_false (job_queue_cancel (f->queue, id, c, &error));
  assert_cancelled (error);
  g_assert_null (job_queue_get_info (f->queue, id, c, &error));
  assert_cancelled (error);
  g_assert_null (job_queue_wait (f->queue, id, -1, c, &error));
  assert_cancelled (error);
  g_assert_null (job_queue_list (f->queue, NULL, c, &error));
  assert_cancelled (error);
  g_assert_false (job_queue_close (f->queue, c, &error));
  assert_cancelled (error);

  after = snapshot (f);
  g_assert_cmpstr (after, ==, before);
}

static void
test_cancelled_before_an_async_call_does_nothing (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (GCancellable) c = g_cancellable_new ();
  g_auto (Answer) enqueue = { NULL };
  g_auto (Answer) dequeue = { NULL };
  g_auto (Answer) cancel = { NULL };
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (c);
  job_queue_enqueue_async (f->queue, spec, c, answer_cb, &enqueue);
  start_dequeue (f, "a", c, &dequeue);
  job_queue_cancel_async (f->queue, id, c, answer_cb, &cancel);
  g_assert_null (enqueue.result); /* never from within the call */
  g_assert_null (job_queue_enqueue_finish (f->queue, answer_wait (&enqueue), &error));
  assert_cancelled (error);
  g_assert_null (job_queue_dequeue_finish (f->queue, answer_wait (&dequeue), &error));
  assert_cancelled (error);
  g_assert_false (job_queue_cancel_finish (f->queue, answer_wait (&cancel), &error));
  assert_cancelled (error);

  must_run (f, "a", id);
  assert_none (f, "a");
}

/* A change that is on its way is not taken back, and its outcome is told. */
static void
test_cancelled_after_the_call_is_done_and_told (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Answer) answer = { NULL };
  g_autofree char *id = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_enqueue_async (f->queue, spec, cancellable, answer_cb, &answer);
  g_cancellable_cancel (cancellable);
  id = job_queue_enqueue_finish (f->queue, answer_wait (&answer), &error);
  g_assert_no_error (error);
  must_run (f, "a", id);
}

static void
test_changes_without_callback_are_done (Fixture *f)
{
  const char *const types[] = { "a", NULL };
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autofree char *id = g_strdup (job_spec_get_id (spec));
  g_autofree char *other = must_add (f, "b");
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_enqueue_async (f->queue, spec, NULL, NULL, NULL);
  job_queue_cancel_async (f->queue, other, NULL, NULL, NULL);
  info = call_wait (f, other, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_CANCELED);
  lease = call_dequeue (f, types, NULL, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
}

/* Also when nobody waits for one before making the next. */
static void
test_enqueued_in_the_order_of_the_calls (Fixture *f)
{
  Answer answers[50] = { { NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);

      job_queue_enqueue_async (f->queue, spec, NULL, answer_cb, &answers[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *id = job_queue_enqueue_finish (f->queue, answer_wait (&answers[i]), &error);

      g_assert_no_error (error);
      must_run (f, "a", id);
      answer_clear (&answers[i]);
    }
}

/* --- contexts --------------------------------------------------------------------------------- */

typedef struct
{
  Fixture *f;
  const char *type;
  GMutex lock;
  GCond cond;
  gboolean waiting; /* guarded by lock */
  char *id;
} Worker;

/* A thread with a context of its own; the answer comes there. */
static gpointer
dequeue_in_own_context (gpointer data)
{
  Worker *worker = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_auto (Answer) answer = { NULL };
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  start_dequeue (worker->f, worker->type, NULL, &answer);
  g_mutex_lock (&worker->lock);
  worker->waiting = TRUE;
  g_cond_signal (&worker->cond);
  g_mutex_unlock (&worker->lock);

  lease = finish_dequeue (worker->f, &answer);
  g_assert_true (answer.thread == g_thread_self ());
  worker->id = g_strdup (job_lease_get_id (lease));
  g_assert_true (job_lease_complete (lease, NULL, NULL, &error));
  g_assert_no_error (error);
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
worker_await_waiting (Worker *worker)
{
  g_mutex_lock (&worker->lock);
  while (!worker->waiting)
    g_cond_wait (&worker->cond, &worker->lock);
  g_mutex_unlock (&worker->lock);
}

static void
test_answered_in_the_context_of_the_caller (Fixture *f)
{
  const char *const types[] = { "a", "b", "c" };
  Worker workers[3] = { { NULL } };
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      workers[i].f = f;
      workers[i].type = types[i];
      g_mutex_init (&workers[i].lock);
      g_cond_init (&workers[i].cond);
      threads[i] = g_thread_new ("worker", dequeue_in_own_context, &workers[i]);
      worker_await_waiting (&workers[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autofree char *id = must_add (f, types[i]);

      g_thread_join (threads[i]);
      g_assert_cmpstr (workers[i].id, ==, id);
      g_mutex_clear (&workers[i].lock);
      g_cond_clear (&workers[i].cond);
      g_free (workers[i].id);
    }
}

/* --- from within callbacks -------------------------------------------------------------------- */

typedef struct
{
  Fixture *f;
  guint left;
  char *last;
} Relay;

/* Each callback makes a blocking call and the next asynchronous one. */
static void
relay_enqueued (GObject *source, GAsyncResult *result, gpointer data)
{
  Relay *relay = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);

  g_free (relay->last);
  relay->last = job_queue_enqueue_finish (JOB_QUEUE (source), result, &error);
  g_assert_no_error (error);
  info = job_queue_get_info (relay->f->queue, relay->last, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_PENDING);
  if (--relay->left > 0)
    job_queue_enqueue_async (relay->f->queue, spec, NULL, relay_enqueued, relay);
}

static void
test_calls_from_within_callbacks (Fixture *f)
{
  Relay relay = { f, 100, NULL };
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_auto (GStrv) ids = NULL;

  job_queue_enqueue_async (f->queue, spec, NULL, relay_enqueued, &relay);
  while (relay.left > 0)
    g_main_context_iteration (NULL, TRUE);

  ids = ids_in_state (f, JOB_STATE_PENDING);
  g_assert_cmpuint (g_strv_length (ids), ==, 100);
  g_assert_cmpstr (ids[99], ==, relay.last);
  g_free (relay.last);
}

static void
close_from_callback (GObject *source, GAsyncResult *result, gpointer data)
{
  gboolean *closed = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = job_queue_enqueue_finish (JOB_QUEUE (source), result, &error);

  g_assert_no_error (error);
  *closed = job_queue_close (JOB_QUEUE (source), NULL, &error);
  g_assert_no_error (error);
}

static void
test_close_from_within_a_callback (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_auto (Answer) waiter = { NULL };
  g_autoptr (GError) error = NULL;
  gboolean closed = FALSE;

  start_dequeue (f, "none", NULL, &waiter);
  job_queue_enqueue_async (f->queue, spec, NULL, close_from_callback, &closed);
  g_assert_null (job_queue_dequeue_finish (f->queue, answer_wait (&waiter), &error));
  assert_job_error (error, JOB_ERROR_CLOSED);
  g_assert_true (closed);
  g_clear_object (&f->queue);
}

static void
cancel_from_lease (GCancellable *cancellable, gpointer data)
{
  Fixture *f = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) leases = job_queue_list_leases (f->queue, 0, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (leases), ==, 0);
}

/* A lease's cancellable fires out of every lock: its handlers may call any verb. */
static void
test_calls_from_within_a_cancelled_handler (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  GCancellable *cancellable = job_lease_get_cancellable (lease);
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (cancel_from_lease), f, NULL);

  must_cancel (f, id);
  await_cancelled (cancellable);
  g_cancellable_disconnect (cancellable, handler);
}

const ConformanceTest job_conformance_async_tests[] = {
  { "waiters-served-in-order-of-arrival", test_waiters_served_in_order_of_arrival },
  { "a-hundred-dequeuers", test_a_hundred_dequeuers },
  { "many-waiters-beside-a-backlog", test_many_waiters_beside_a_backlog, 0, TRUE },
  { "cancelled-waiter-takes-nothing", test_cancelled_waiter_takes_nothing },
  { "blocking-waiter-can-be-cancelled", test_blocking_waiter_can_be_cancelled },
  { "cancelled-before-the-call-does-nothing", test_cancelled_before_the_call_does_nothing, 0,
    TRUE },
  { "cancelled-before-an-async-call-does-nothing", test_cancelled_before_an_async_call_does_nothing,
    0, TRUE },
  { "cancelled-after-the-call-is-done-and-told", test_cancelled_after_the_call_is_done_and_told },
  { "changes-without-callback-are-done", test_changes_without_callback_are_done },
  { "enqueued-in-the-order-of-the-calls", test_enqueued_in_the_order_of_the_calls },
  { "answered-in-the-context-of-the-caller", test_answered_in_the_context_of_the_caller },
  { "calls-from-within-callbacks", test_calls_from_within_callbacks, 0, TRUE },
  { "close-from-within-a-callback", test_close_from_within_a_callback, 0, TRUE },
  { "calls-from-within-a-cancelled-handler", test_calls_from_within_a_cancelled_handler },
  { NULL },
};
