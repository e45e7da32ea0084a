/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How batches grow where callbacks make the next calls. One thread does all: it iterates the
 * context, and commits whenever the owner's thread would. */

#include "job-call-private.h"
#include "job-committer-private.h"
#include "job-delivery-private.h"

#define N_IN_FLIGHT 64

typedef struct
{
  GMutex lock;
  JobCommitter *committer;
  GObject *queue;
  gint64 commit_time; /* what the committer is taken to have measured */
  GArray *sizes;      /* of guint: calls in each batch */
  gboolean asked;
  gboolean hasty; /* nothing is put off */
  guint n_open;   /* calls in the open batch when the thread was asked to commit it, last time */
  gboolean stopped;
  guint n_answered;
} Owner;

static gboolean
write_batch (const JobBatch *batch, gpointer data, GError **error)
{
  Owner *owner = data;

  g_array_append_val (owner->sizes, batch->answers->len);
  return TRUE;
}

static void
settle (JobBatch *batch, gpointer data)
{
}

static void
revert (const JobBatch *failed, const JobBatch *behind, const GError *error, gpointer data)
{
}

static void
deliver (JobBatch *batch, const GError *error, gpointer data)
{
  GQueue round;

  job_delivery_begin_round (&round);
  for (guint i = 0; i < batch->answers->len; i++)
    job_call_return_true (g_array_index (batch->answers, JobAnswer, i).call);
  job_delivery_end_round (&round);
}

static void
hand_over (gpointer data)
{
  Owner *owner = data;

  owner->asked = TRUE;
  if (!owner->stopped)
    owner->n_open = job_committer_get_open (owner->committer)->answers->len;
}

static void
go_on (gpointer data)
{
  Owner *owner = data;

  g_mutex_lock (&owner->lock);
  job_committer_go_on (owner->committer);
  g_mutex_unlock (&owner->lock);
}

static gboolean
put_off (GMainContext *context, guint n_made, gint64 commit_time, gpointer data)
{
  Owner *owner = data;

  return !owner->hasty && job_delivery_put_off (context, n_made, owner->commit_time, go_on, owner);
}

static const JobCommitterFuncs funcs = {
  .write = write_batch,
  .settle = settle,
  .revert = revert,
  .deliver = deliver,
  .hand_over = hand_over,
  .put_off = put_off,
};

static void
set_up (Owner *owner, gconstpointer data)
{
  g_mutex_init (&owner->lock);
  owner->committer = job_committer_new (&owner->lock, &funcs, owner);
  owner->queue = g_object_new (G_TYPE_OBJECT, NULL);
  owner->sizes = g_array_new (FALSE, TRUE, sizeof (guint));
}

/* What was answered, and not told yet, would be told to the next test. */
static void
tear_down (Owner *owner, gconstpointer data)
{
  owner->stopped = TRUE;
  while (g_main_context_iteration (NULL, FALSE))
    ;
  job_committer_free (owner->committer);
  g_object_unref (owner->queue);
  g_array_unref (owner->sizes);
  g_mutex_clear (&owner->lock);
}

static void on_answer (GObject *source, GAsyncResult *result, gpointer data);

/* A verb, as the local queue has it. */
static void
make_call (Owner *owner)
{
  g_autoptr (JobCall) call =
      job_call_new_async (owner->queue, owner->queue, NULL, make_call, on_answer, owner);

  g_mutex_lock (&owner->lock);
  job_committer_add_answer (owner->committer, call, NULL, NULL);
  job_committer_hand_over (owner->committer);
  g_mutex_unlock (&owner->lock);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Owner *owner = data;

  owner->n_answered++;
  if (!owner->stopped)
    make_call (owner);
}

/* What the owner's thread does. */
static void
serve (Owner *owner)
{
  g_mutex_lock (&owner->lock);
  while (job_committer_is_ripe (owner->committer))
    job_committer_commit (owner->committer);
  owner->asked = FALSE;
  g_mutex_unlock (&owner->lock);
}

static void
run (Owner *owner, guint n_answers)
{
  for (guint i = 0; i < N_IN_FLIGHT; i++)
    {
      make_call (owner);
      if (i == 0)
        serve (owner); /* it is quick, and takes the first one alone */
    }
  serve (owner);
  while (owner->n_answered < n_answers)
    {
      g_main_context_iteration (NULL, TRUE);
      if (owner->asked)
        serve (owner);
    }
  owner->stopped = TRUE;
  serve (owner);
  while (g_main_context_iteration (NULL, FALSE))
    serve (owner);
}

/* However it begins: the first call alone, say, and all others in the batch behind it. */
static void
test_one_batch_if_commits_are_slow (Owner *owner, gconstpointer data)
{
  owner->commit_time = G_MAXINT32;
  run (owner, 20 * N_IN_FLIGHT);
  g_assert_cmpuint (g_array_index (owner->sizes, guint, 0), ==, 1);
  g_assert_cmpuint (owner->sizes->len, <=, 25);
  g_assert_cmpuint (owner->n_open, ==, N_IN_FLIGHT - 1);
}

static void
test_half_a_batch_if_callbacks_are_slow (Owner *owner, gconstpointer data)
{
  owner->commit_time = 0;
  run (owner, 20 * N_IN_FLIGHT);
  g_assert_cmpuint (owner->n_open, ==, N_IN_FLIGHT / 2);
}

static void
add_foreign_call (Owner *owner)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  owner->stopped = TRUE;
  make_call (owner);
  g_main_context_pop_thread_default (context);
}

static void
on_first_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Owner *owner = data;

  make_call (owner);
  g_assert_false (owner->asked);
  add_foreign_call (owner);
  g_assert_true (owner->asked);
}

static void
on_other_answer (GObject *source, GAsyncResult *result, gpointer data)
{
}

static void
add_answer (Owner *owner, GAsyncReadyCallback callback)
{
  g_autoptr (JobCall) call =
      job_call_new_async (owner->queue, owner->queue, NULL, make_call, callback, owner);

  job_committer_add_answer (owner->committer, call, NULL, NULL);
}

/* A batch of @first and eight more is committed, and its answers wait to be told. */
static void
commit_answers (Owner *owner, GAsyncReadyCallback first)
{
  g_mutex_lock (&owner->lock);
  add_answer (owner, first);
  for (guint i = 0; i < 8; i++)
    add_answer (owner, on_other_answer);
  job_committer_commit (owner->committer);
  g_mutex_unlock (&owner->lock);
}

/* Whoever is not in those callbacks waits for nothing. */
static void
test_others_do_not_wait (Owner *owner, gconstpointer data)
{
  commit_answers (owner, on_first_answer);
  g_main_context_iteration (NULL, TRUE);
  g_assert_true (owner->asked);
  serve (owner);
}

static void
on_hasty_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Owner *owner = data;

  owner->hasty = TRUE;
  make_call (owner);
  g_assert_true (owner->asked);
  owner->hasty = FALSE;
  serve (owner);
  g_assert_cmpuint (owner->sizes->len, ==, 1);
}

/* The owner's thread was asked, but finds when it looks that the batch is to be put off, and
 * sleeps: it is asked again. */
static void
test_what_is_put_off_late_is_not_forgotten (Owner *owner, gconstpointer data)
{
  owner->commit_time = G_MAXINT32;
  commit_answers (owner, on_hasty_answer);
  g_main_context_iteration (NULL, TRUE);
  g_assert_true (owner->asked);
  owner->stopped = TRUE;
  serve (owner);
  g_assert_cmpuint (owner->sizes->len, ==, 2);
}

/* A call that was not made by a callback: the context may not be iterated for long. */
static void
test_calls_from_elsewhere_do_not_wait (Owner *owner, gconstpointer data)
{
  g_mutex_lock (&owner->lock);
  for (guint i = 0; i < 8; i++)
    add_answer (owner, on_other_answer);
  job_committer_commit (owner->committer);
  g_mutex_unlock (&owner->lock);
  owner->stopped = TRUE;
  make_call (owner);
  g_assert_true (owner->asked);
  serve (owner);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

#define ADD(path, func) g_test_add ("/committer/growth/" path, Owner, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("one-batch-if-commits-are-slow", test_one_batch_if_commits_are_slow);
  ADD ("half-a-batch-if-callbacks-are-slow", test_half_a_batch_if_callbacks_are_slow);
  ADD ("others-do-not-wait", test_others_do_not_wait);
  ADD ("what-is-put-off-late-is-not-forgotten", test_what_is_put_off_late_is_not_forgotten);
  ADD ("calls-from-elsewhere-do-not-wait", test_calls_from_elsewhere_do_not_wait);
  return g_test_run ();
}
