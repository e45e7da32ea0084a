/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The stream of batches as those see it who put changes and answers into it: everything is written
 * once, in order, before anybody is told; a failure reaches those who saw what it would have
 * written, and nobody else; also with many threads. */

#include "job-call-private.h"
#include "job-committer-private.h"
#include "job-error.h"

#include <string.h>

#define N_THREADS 8
#define N_EACH 200

typedef struct
{
  GMutex lock;
  JobCommitter *committer;
  GObject *queue;   /* for calls */
  GArray *written;  /* of guint: the numbers of changes, in order; of good batches */
  GString *trace;   /* what happened, in order */
  guint64 last;     /* number of the batch that was written last */
  guint fail_every; /* n-th write; 0: none */
  guint n_writes;
  guint joins; /* how many changes join behind the batch that is being written */
} Owner;

/* --- the owner -------------------------------------------------------------------------------- */

/* With the lock. */
static void
add_change (Owner *owner, guint number)
{
  JobChange change = { .status.attempts = number };

  g_array_append_val (job_committer_get_open (owner->committer)->effects.changes, change);
}

static void
trace (Owner *owner, const char *what, guint64 number)
{
  g_string_append_printf (owner->trace, "%s%" G_GUINT64_FORMAT " ", what, number);
}

/* One at a time: what it writes down needs no lock but that of those who add. */
static gboolean
write_batch (const JobBatch *batch, gpointer data, GError **error)
{
  Owner *owner = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&owner->lock);

  g_assert_cmpuint (batch->number, >, owner->last);
  owner->last = batch->number;
  trace (owner, "w", batch->number);
  for (; owner->joins > 0; owner->joins--)
    add_change (owner, 1000 + owner->joins);
  if (owner->fail_every > 0 && ++owner->n_writes % owner->fail_every == 0)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE, "It was made to fail");
      return FALSE;
    }
  for (guint i = 0; i < batch->effects.changes->len; i++)
    g_array_append_val (owner->written,
                        g_array_index (batch->effects.changes, JobChange, i).status.attempts);
  return TRUE;
}

static void
settle (JobBatch *batch, gpointer data)
{
  trace (data, "s", batch->number);
}

static void
revert (const JobBatch *failed, const JobBatch *behind, const GError *error, gpointer data)
{
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  trace (data, "r", 0);
}

static void
deliver (JobBatch *batch, const GError *error, gpointer data)
{
  Owner *owner = data;

  g_mutex_lock (&owner->lock);
  trace (owner, error ? "e" : "d", batch->number);
  g_mutex_unlock (&owner->lock);
  for (guint i = 0; i < batch->answers->len; i++)
    {
      JobAnswer *answer = &g_array_index (batch->answers, JobAnswer, i);

      if (error)
        job_call_return_error (answer->call, g_error_copy (error));
      else
        job_call_return_pointer (answer->call, g_steal_pointer (&answer->value), answer->destroy);
    }
}

/* Nobody is left out: the next to come leads. */
static void
hand_over (gpointer data)
{
}

static const JobCommitterFuncs funcs = {
  .write = write_batch,
  .settle = settle,
  .revert = revert,
  .deliver = deliver,
  .hand_over = hand_over,
};

static void
set_up (Owner *owner, gconstpointer data)
{
  g_mutex_init (&owner->lock);
  owner->committer = job_committer_new (&owner->lock, &funcs, owner);
  owner->queue = g_object_new (G_TYPE_OBJECT, NULL);
  owner->written = g_array_new (FALSE, FALSE, sizeof (guint));
  owner->trace = g_string_new (NULL);
  g_mutex_lock (&owner->lock);
}

static void
tear_down (Owner *owner, gconstpointer data)
{
  g_mutex_unlock (&owner->lock);
  job_committer_free (owner->committer);
  g_object_unref (owner->queue);
  g_array_unref (owner->written);
  g_string_free (owner->trace, TRUE);
  g_mutex_clear (&owner->lock);
}

static void
assert_trace (Owner *owner, const char *expected)
{
  g_assert_cmpstr (owner->trace->str, ==, expected);
  g_string_truncate (owner->trace, 0);
}

/* --- one thread ------------------------------------------------------------------------------- */

static void
test_empty_batch_is_not_due (Owner *owner, gconstpointer data)
{
  g_assert_false (job_committer_is_due (owner->committer));
  g_assert_cmpuint (job_committer_get_newest (owner->committer), ==, 0);
  g_assert_true (job_committer_wait (owner->committer, 0, NULL));
  assert_trace (owner, "");
}

static void
test_written_then_settled_then_told (Owner *owner, gconstpointer data)
{
  JobCall *call = job_call_new_blocking (owner->queue, NULL);
  g_autofree char *answer = NULL;

  add_change (owner, 1);
  add_change (owner, 2);
  job_committer_add_answer (owner->committer, call, g_strdup ("yes"), g_free);
  g_assert_true (job_committer_is_due (owner->committer));
  g_assert_cmpuint (job_committer_get_newest (owner->committer), ==, 1);
  job_committer_commit (owner->committer);
  assert_trace (owner, "w1 s1 d1 ");
  g_assert_cmpuint (owner->written->len, ==, 2);
  g_assert_cmpuint (job_committer_get_newest (owner->committer), ==, 0);

  g_mutex_unlock (&owner->lock);
  answer = job_call_wait (call, NULL);
  g_mutex_lock (&owner->lock);
  g_assert_cmpstr (answer, ==, "yes");
}

/* An answer without a change has its place in the stream, too. */
static void
test_answer_alone_is_due (Owner *owner, gconstpointer data)
{
  JobCall *call = job_call_new_blocking (owner->queue, NULL);
  g_autofree char *answer = NULL;

  job_committer_add_answer (owner->committer, call, g_strdup ("yes"), g_free);
  g_assert_true (job_committer_is_due (owner->committer));
  job_committer_commit (owner->committer);
  g_mutex_unlock (&owner->lock);
  answer = job_call_wait (call, NULL);
  g_mutex_lock (&owner->lock);
  g_assert_cmpstr (answer, ==, "yes");
}

/* The batch behind the one that fails was filled by those who believed in it. */
static void
test_failure_reaches_who_believed_in_it (Owner *owner, gconstpointer data)
{
  JobCall *call = job_call_new_blocking (owner->queue, NULL);
  g_autoptr (GError) error = NULL;

  owner->fail_every = 1;
  owner->joins = 2;
  add_change (owner, 1);
  job_committer_add_answer (owner->committer, call, g_strdup ("never"), g_free);
  job_committer_commit (owner->committer);
  assert_trace (owner, "w1 r0 e1 e2 ");
  g_assert_cmpuint (owner->written->len, ==, 0);
  g_assert_cmpuint (job_committer_get_newest (owner->committer), ==, 0);
  g_mutex_unlock (&owner->lock);
  g_assert_null (job_call_wait (call, &error));
  g_mutex_lock (&owner->lock);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);

  owner->fail_every = 0;
  add_change (owner, 3);
  g_assert_true (job_committer_wait (owner->committer, 3, NULL));
  assert_trace (owner, "w3 s3 d3 ");
}

/* Who waits for one batch does not wait for what comes behind it. */
static void
test_wait_leads_no_further_than_it_must (Owner *owner, gconstpointer data)
{
  add_change (owner, 1);
  owner->joins = 1;
  g_assert_true (job_committer_wait (owner->committer, 1, NULL));
  assert_trace (owner, "w1 s1 d1 ");
  g_assert_true (job_committer_is_due (owner->committer));
  g_assert_true (job_committer_wait (owner->committer, 2, NULL));
  assert_trace (owner, "w2 s2 d2 ");
}

/* --- many ------------------------------------------------------------------------------------- */

typedef struct
{
  Owner *owner;
  guint number;
  guint n_good;
} Client;

/* Adds changes, and waits for each: the answer and the wait must say the same. */
static gpointer
run_client (gpointer data)
{
  Client *client = data;
  Owner *owner = client->owner;

  for (guint i = 0; i < N_EACH; i++)
    {
      JobCall *call = job_call_new_blocking (owner->queue, NULL);
      g_autoptr (GError) error = NULL;
      gboolean good, answered;

      g_mutex_lock (&owner->lock);
      add_change (owner, client->number * N_EACH + i);
      job_committer_add_answer (owner->committer, call, GUINT_TO_POINTER (1), NULL);
      good =
          job_committer_wait (owner->committer, job_committer_get_newest (owner->committer), NULL);
      g_mutex_unlock (&owner->lock);
      answered = job_call_wait (call, &error) != NULL;
      g_assert_cmpint (good, ==, answered);
      g_assert_cmpint (good, ==, error == NULL);
      client->n_good += good;
    }
  return NULL;
}

static void
run_clients (Owner *owner)
{
  Client clients[N_THREADS];
  GThread *threads[N_THREADS];
  guint n_good = 0, next[N_THREADS] = { 0 };

  g_mutex_unlock (&owner->lock);
  for (guint i = 0; i < N_THREADS; i++)
    {
      clients[i] = (Client){ owner, i, 0 };
      threads[i] = g_thread_new ("client", run_client, &clients[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    {
      g_thread_join (threads[i]);
      n_good += clients[i].n_good;
    }
  g_mutex_lock (&owner->lock);

  /* All that was said to be written was, and nothing else; that of each client in its order. */
  g_assert_cmpuint (owner->written->len, ==, n_good);
  for (guint i = 0; i < owner->written->len; i++)
    {
      guint number = g_array_index (owner->written, guint, i);

      g_assert_cmpuint (number % N_EACH, >=, next[number / N_EACH]);
      next[number / N_EACH] = number % N_EACH + 1;
    }
}

static void
test_threads (Owner *owner, gconstpointer data)
{
  run_clients (owner);
  g_assert_cmpuint (owner->written->len, ==, N_THREADS * N_EACH);
}

static void
test_threads_and_failures (Owner *owner, gconstpointer data)
{
  owner->fail_every = 7;
  run_clients (owner);
  g_assert_cmpuint (owner->written->len, <, N_THREADS * N_EACH);
  g_assert_cmpuint (owner->written->len, >, 0);
}

#define ADD(path, func) g_test_add ("/committer/stream/" path, Owner, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("empty-batch-is-not-due", test_empty_batch_is_not_due);
  ADD ("written-then-settled-then-told", test_written_then_settled_then_told);
  ADD ("answer-alone-is-due", test_answer_alone_is_due);
  ADD ("failure-reaches-who-believed-in-it", test_failure_reaches_who_believed_in_it);
  ADD ("wait-leads-no-further-than-it-must", test_wait_leads_no_further_than_it_must);
  ADD ("what-is-told-was-written", test_threads);
  ADD ("what-is-told-was-written-though-others-fail", test_threads_and_failures);

  return g_test_run ();
}
