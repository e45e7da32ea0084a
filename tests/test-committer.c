/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The stream of batches, with an owner that only writes down what it is told. */

#include "job-call-private.h"
#include "job-committer-private.h"

typedef struct _Owner Owner;

struct _Owner
{
  GMutex lock;
  JobCommitter *committer;
  void (*on_write) (Owner *owner); /* while the first batch is written, without the lock */
  JobCall *call;                   /* of a blocking caller */
  GThread *thread;
  GThread *writer;   /* who wrote the last batch */
  guint n_to_come;   /* how many times something joins while a batch is written */
  guint n_to_fail;   /* how many writes will fail */
  guint n_written;   /* batches */
  guint n_reverted;  /* failures */
  guint n_delivered; /* batches, well or not */
  guint n_handed_over;
  gboolean writing; /* atomic */
  gboolean waits;   /* guarded by lock: the thread is about to wait */
};

static void
add_change (Owner *owner)
{
  JobChange change = { 0 };

  g_array_append_val (job_committer_get_open (owner->committer)->effects.changes, change);
}

static gboolean
write_batch (const JobBatch *batch, gpointer data, GError **error)
{
  Owner *owner = data;

  g_atomic_int_set (&owner->writing, TRUE);
  owner->writer = g_thread_self ();
  if (owner->on_write)
    g_steal_pointer (&owner->on_write) (owner);
  if (owner->n_to_come > 0)
    {
      g_mutex_lock (&owner->lock);
      owner->n_to_come--;
      add_change (owner);
      g_mutex_unlock (&owner->lock);
    }
  if (owner->n_to_fail == 0)
    {
      owner->n_written++;
      return TRUE;
    }
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "failure %u", owner->n_to_fail--);
  return FALSE;
}

static void
settle (JobBatch *batch, gpointer data)
{
}

static void
revert (const JobBatch *failed, const JobBatch *behind, const GError *error, gpointer data)
{
  Owner *owner = data;

  owner->n_reverted++;
}

/* Slow, as far as others let it be. */
static void
deliver (JobBatch *batch, const GError *error, gpointer data)
{
  Owner *owner = data;

  for (guint i = 0; i < 100; i++)
    g_thread_yield ();
  g_mutex_lock (&owner->lock);
  owner->n_delivered++;
  g_mutex_unlock (&owner->lock);
  for (guint i = 0; i < batch->answers->len; i++)
    job_call_return_true (g_array_index (batch->answers, JobAnswer, i).call);
}

static void
hand_over (gpointer data)
{
  Owner *owner = data;

  owner->n_handed_over++;
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
  g_mutex_lock (&owner->lock);
}

static void
tear_down (Owner *owner, gconstpointer data)
{
  g_mutex_unlock (&owner->lock);
  job_committer_free (owner->committer);
  g_mutex_clear (&owner->lock);
}

static guint64
add_and_get_newest (Owner *owner)
{
  add_change (owner);
  return job_committer_get_newest (owner->committer);
}

/* Whoever only waits for one batch may lead it, and then goes away. */
static void
test_hands_over_what_came_meanwhile (Owner *owner, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  owner->n_to_come = 1;
  g_assert_true (job_committer_wait (owner->committer, add_and_get_newest (owner), &error));
  g_assert_no_error (error);
  g_assert_cmpuint (owner->n_written, ==, 1);
  g_assert_true (job_committer_is_due (owner->committer));
  g_assert_cmpuint (owner->n_handed_over, ==, 1);
}

static void
test_hands_over_nothing_else (Owner *owner, gconstpointer data)
{
  g_assert_true (job_committer_wait (owner->committer, add_and_get_newest (owner), NULL));
  g_assert_cmpuint (owner->n_delivered, ==, 1);
  g_assert_cmpuint (owner->n_handed_over, ==, 0);
}

static guint64
get_newest_ending (Owner *owner)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&owner->lock);

  return job_committer_get_newest_ending (owner->committer);
}

static void
look_for_endings (Owner *owner)
{
  g_assert_cmpuint (get_newest_ending (owner), ==, 2);
}

/* Of the open batch, and of the one that is written; not of others, nor when it is settled. */
static void
test_newest_ending (Owner *owner, gconstpointer data)
{
  JobCommitter *committer = owner->committer;
  JobId id = { { 1 } };

  g_assert_cmpuint (add_and_get_newest (owner), ==, 1);
  g_assert_cmpuint (job_committer_get_newest_ending (committer), ==, 0);
  g_assert_true (job_committer_wait (committer, 1, NULL));
  g_assert_cmpuint (add_and_get_newest (owner), ==, 2);
  g_array_append_val (job_committer_get_open (committer)->effects.finals, id);
  g_assert_cmpuint (job_committer_get_newest_ending (committer), ==, 2);
  owner->on_write = look_for_endings;
  g_assert_true (job_committer_wait (committer, 2, NULL));
  g_assert_cmpuint (add_and_get_newest (owner), ==, 3);
  g_assert_cmpuint (job_committer_get_newest_ending (committer), ==, 0);
  g_assert_true (job_committer_wait (committer, 3, NULL));
}

/* --- who is asked ----------------------------------------------------------------------------- */

static gpointer
wait_for_newest (gpointer data)
{
  Owner *owner = data;

  g_mutex_lock (&owner->lock);
  owner->waits = TRUE;
  g_assert_true (job_committer_wait (owner->committer, add_and_get_newest (owner), NULL));
  g_mutex_unlock (&owner->lock);
  return NULL;
}

static void
let_somebody_wait (Owner *owner)
{
  gboolean waits = FALSE;

  owner->thread = g_thread_new ("waits", wait_for_newest, owner);
  while (!waits)
    {
      g_mutex_lock (&owner->lock);
      waits = owner->waits;
      g_mutex_unlock (&owner->lock);
    }
}

static void
join_unlocked (Owner *owner)
{
  GThread *thread = owner->thread;

  g_mutex_unlock (&owner->lock);
  g_thread_join (thread);
  g_mutex_lock (&owner->lock);
  g_assert_cmpuint (owner->n_written, ==, 2);
  g_assert_cmpuint (owner->n_handed_over, ==, 0);
  g_assert_true (owner->writer == thread);
}

static void
test_who_waits_for_it_leads (Owner *owner, gconstpointer data)
{
  owner->on_write = let_somebody_wait;
  add_change (owner);
  job_committer_lead (owner->committer);
  join_unlocked (owner);
}

static gpointer
wait_for_answer (gpointer data)
{
  g_assert_nonnull (job_call_wait (data, NULL));
  return NULL;
}

/* An asynchronous caller is in no position to lead, even if it came first. */
static void
let_callers_join (Owner *owner)
{
  g_autoptr (GObject) queue = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (JobCall) asynchronous = job_call_new_async (queue, queue, NULL, NULL, NULL, NULL);

  owner->call = job_call_new_blocking (queue, NULL);
  g_mutex_lock (&owner->lock);
  add_change (owner);
  job_committer_add_answer (owner->committer, asynchronous, NULL, NULL);
  job_committer_add_answer (owner->committer, owner->call, NULL, NULL);
  g_mutex_unlock (&owner->lock);
  owner->thread = g_thread_new ("calls", wait_for_answer, owner->call);
}

static void
test_blocking_caller_leads (Owner *owner, gconstpointer data)
{
  owner->on_write = let_callers_join;
  add_change (owner);
  job_committer_lead (owner->committer);
  join_unlocked (owner);
}

/* Whoever was asked finds that somebody was faster, and gets the answer all the same. */
static void
test_who_comes_by_leads (Owner *owner, gconstpointer data)
{
  g_autoptr (GObject) queue = g_object_new (G_TYPE_OBJECT, NULL);
  JobCall *call = job_call_new_blocking (queue, NULL);
  guint64 newest = add_and_get_newest (owner);

  job_committer_add_answer (owner->committer, call, NULL, NULL);
  job_committer_hand_over (owner->committer);
  g_assert_true (job_committer_wait (owner->committer, newest, NULL));
  g_mutex_unlock (&owner->lock);
  wait_for_answer (call);
  g_mutex_lock (&owner->lock);
  g_assert_cmpuint (owner->n_written, ==, 1);
  g_assert_cmpuint (owner->n_handed_over, ==, 0);
}

static void
test_is_asked_once (Owner *owner, gconstpointer data)
{
  for (guint i = 1; i < 3; i++)
    {
      add_change (owner);
      job_committer_hand_over (owner->committer);
      job_committer_hand_over (owner->committer);
      g_assert_cmpuint (owner->n_handed_over, ==, i);
      job_committer_commit (owner->committer);
    }
  job_committer_hand_over (owner->committer);
  g_assert_cmpuint (owner->n_handed_over, ==, 2);
}

/* --- failures --------------------------------------------------------------------------------- */

static void
assert_failed (Owner *owner, guint64 number, gboolean failed)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (job_committer_wait (owner->committer, number, &error), ==, !failed);
  if (failed)
    g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
}

static guint64
commit_one (Owner *owner, gboolean fails)
{
  guint64 number = add_and_get_newest (owner);

  owner->n_to_fail = fails ? 1 : 0;
  job_committer_commit (owner->committer);
  return number;
}

/* Who waits for a batch may come to look only after several others. */
static void
test_every_failure_is_told (Owner *owner, gconstpointer data)
{
  static const gboolean fails[] = { FALSE, TRUE, TRUE, FALSE, FALSE, TRUE, FALSE, TRUE, FALSE };
  guint64 numbers[G_N_ELEMENTS (fails)];

  for (guint i = 0; i < G_N_ELEMENTS (fails); i++)
    numbers[i] = commit_one (owner, fails[i]);
  for (guint i = 0; i < G_N_ELEMENTS (fails); i++)
    assert_failed (owner, numbers[i], fails[i]);
  g_assert_cmpuint (owner->n_reverted, ==, 4);
}

static void
test_what_is_behind_fails_too (Owner *owner, gconstpointer data)
{
  guint64 number = add_and_get_newest (owner);

  owner->n_to_come = 1;
  owner->n_to_fail = 1;
  job_committer_commit (owner->committer);
  assert_failed (owner, number, TRUE);
  assert_failed (owner, number + 1, TRUE);
  g_assert_cmpuint (owner->n_reverted, ==, 1);
  g_assert_cmpuint (owner->n_delivered, ==, 2);
  assert_failed (owner, commit_one (owner, FALSE), FALSE);
}

static gpointer
commit_in_thread (gpointer data)
{
  Owner *owner = data;

  g_mutex_lock (&owner->lock);
  job_committer_commit (owner->committer);
  g_mutex_unlock (&owner->lock);
  return NULL;
}

/* A settled batch may still be on its way to those who are to be told. */
static void
test_finish_waits_for_deliveries (Owner *owner, gconstpointer data)
{
  GThread *thread;

  add_change (owner);
  owner->n_to_come = 1;
  thread = g_thread_new ("leader", commit_in_thread, owner);
  g_mutex_unlock (&owner->lock);
  while (!g_atomic_int_get (&owner->writing))
    g_thread_yield ();
  g_mutex_lock (&owner->lock);

  job_committer_finish (owner->committer);
  g_assert_cmpuint (owner->n_delivered, ==, 2);
  g_assert_cmpuint (job_committer_get_newest (owner->committer), ==, 0);
  g_mutex_unlock (&owner->lock);
  g_thread_join (thread);
  g_mutex_lock (&owner->lock);
}

#define ADD(path, test) g_test_add ("/committer/" path, Owner, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("hands-over-what-came-meanwhile", test_hands_over_what_came_meanwhile);
  ADD ("hands-over-nothing-else", test_hands_over_nothing_else);
  ADD ("newest-ending", test_newest_ending);
  ADD ("who-waits-for-it-leads", test_who_waits_for_it_leads);
  ADD ("blocking-caller-leads", test_blocking_caller_leads);
  ADD ("who-comes-by-leads", test_who_comes_by_leads);
  ADD ("is-asked-once", test_is_asked_once);
  ADD ("every-failure-is-told", test_every_failure_is_told);
  ADD ("what-is-behind-fails-too", test_what_is_behind_fails_too);
  ADD ("finish-waits-for-deliveries", test_finish_waits_for_deliveries);
  return g_test_run ();
}
