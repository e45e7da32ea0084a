/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many threads on one queue: each job goes to one, and of two that end a lease one wins. */

#include "conformance-private.h"

#define N_PRODUCERS 4
#define N_CONSUMERS 4
#define N_EACH 100
#define N_RACES 50
#define N_RACERS 4

typedef struct
{
  Fixture *f;
  GMutex lock;
  GHashTable *seen; /* guarded by lock: ids that were delivered */
  guint number;     /* of a producer */
} Crowd;

static gpointer
produce (gpointer data)
{
  Crowd *crowd = data;

  for (guint i = 0; i < N_EACH; i++)
    {
      g_autofree char *args = g_strdup_printf ("%u", i);
      g_autoptr (JobSpec) spec = job_spec_new ("a", args);
      g_autoptr (GError) error = NULL;
      g_autofree char *id = job_queue_enqueue (crowd->f->queue, spec, NULL, &error);

      g_assert_no_error (error);
    }

  return NULL;
}

static void
note_delivered (Crowd *crowd, JobLease *lease)
{
  g_mutex_lock (&crowd->lock);
  g_assert_true (g_hash_table_add (crowd->seen, g_strdup (job_lease_get_id (lease))));
  g_mutex_unlock (&crowd->lock);
}

/* Until it gets a job of the type "end". */
static gpointer
consume (gpointer data)
{
  Crowd *crowd = data;

  for (;;)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JobLease) lease =
          job_queue_dequeue (crowd->f->queue, NULL, NULL, -1, NULL, &error);
      gboolean last;

      g_assert_no_error (error);
      last = g_str_equal (job_lease_get_job_type (lease), "end");
      note_delivered (crowd, lease);
      g_assert_true (job_lease_complete (lease, job_lease_get_args (lease), NULL, &error));
      g_assert_no_error (error);
      if (last)
        return NULL;
    }
}

static void
start_threads (GThread **threads, guint n, GThreadFunc function, gpointer data)
{
  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("crowd", function, data);
}

static void
join_threads (GThread **threads, guint n)
{
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
}

static void
crowd_init (Crowd *crowd, Fixture *f)
{
  crowd->f = f;
  crowd->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init (&crowd->lock);
}

static void
crowd_clear (Crowd *crowd)
{
  g_hash_table_unref (crowd->seen);
  g_mutex_clear (&crowd->lock);
}

static void
test_each_job_delivered_once (Fixture *f)
{
  Crowd crowd = { NULL };
  GThread *producers[N_PRODUCERS];
  GThread *consumers[N_CONSUMERS];
  g_auto (GStrv) done = NULL;

  crowd_init (&crowd, f);
  start_threads (consumers, N_CONSUMERS, consume, &crowd);
  start_threads (producers, N_PRODUCERS, produce, &crowd);
  join_threads (producers, N_PRODUCERS);
  for (guint i = 0; i < N_CONSUMERS; i++)
    g_free (must_add_with_priority (f, "end", -1));
  join_threads (consumers, N_CONSUMERS);

  done = ids_in_state (f, JOB_STATE_SUCCEEDED);
  g_assert_cmpuint (g_strv_length (done), ==, N_PRODUCERS * N_EACH + N_CONSUMERS);
  g_assert_cmpuint (g_hash_table_size (crowd.seen), ==, N_PRODUCERS * N_EACH + N_CONSUMERS);
  assert_none (f, NULL);
  crowd_clear (&crowd);
}

/* Within one producer's jobs and one consumer, first in is first out. */
static void
test_order_of_each_producer (Fixture *f)
{
  Crowd crowd = { NULL };
  GThread *producers[N_PRODUCERS];
  gint64 last = 0;

  crowd_init (&crowd, f);
  start_threads (producers, N_PRODUCERS, produce, &crowd);
  for (guint i = 0; i < N_PRODUCERS * N_EACH; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JobLease) lease = job_queue_dequeue (f->queue, NULL, NULL, -1, NULL, &error);
      g_autoptr (JobInfo) info = NULL;

      g_assert_no_error (error);
      note_delivered (&crowd, lease);
      info = must_get_info (f, job_lease_get_id (lease));
      g_assert_cmpint (job_info_get_queued_at (info), >, last);
      last = job_info_get_queued_at (info);
    }
  join_threads (producers, N_PRODUCERS);
  crowd_clear (&crowd);
}

/* --- races ------------------------------------------------------------------------------------ */

typedef struct _Race Race;
typedef gboolean (*Racer) (Race *race, GError **error);

struct _Race
{
  Fixture *f;
  JobLease *lease;
  gint n_ready; /* atomic: all begin together */
  gint n_next;  /* atomic: which racer a thread is */
  gint n_won;   /* atomic */
  gint winner;  /* atomic */
  Racer racers[N_RACERS];
};

static gboolean
race_complete (Race *race, GError **error)
{
  return job_lease_complete (race->lease, "1", NULL, error);
}

static gboolean
race_fail (Race *race, GError **error)
{
  return job_lease_fail (race->lease, "1", NULL, error);
}

static gboolean
race_cancel (Race *race, GError **error)
{
  return job_queue_cancel (race->f->queue, job_lease_get_id (race->lease), NULL, error);
}

static gpointer
run_racer (gpointer data)
{
  Race *race = data;
  gint number = g_atomic_int_add (&race->n_next, 1);
  g_autoptr (GError) error = NULL;

  g_atomic_int_inc (&race->n_ready);
  while (g_atomic_int_get (&race->n_ready) < N_RACERS)
    g_thread_yield ();

  if (race->racers[number](race, &error))
    {
      g_atomic_int_inc (&race->n_won);
      g_atomic_int_set (&race->winner, number);
    }
  else
    g_assert_true (g_error_matches (error, JOB_ERROR, JOB_ERROR_CANCELED) ||
                   g_error_matches (error, JOB_ERROR, JOB_ERROR_NOT_RUNNING));

  return NULL;
}

static void
test_one_ends_a_lease (Fixture *f)
{
  static const JobState states[] = { JOB_STATE_SUCCEEDED, JOB_STATE_FAILED, JOB_STATE_CANCELED,
                                     JOB_STATE_SUCCEEDED };

  for (guint i = 0; i < N_RACES; i++)
    {
      g_autofree char *id = must_add (f, "a");
      g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
      Race race = { .f = f,
                    .lease = lease,
                    .racers = { race_complete, race_fail, race_cancel, race_complete } };
      GThread *threads[N_RACERS];

      start_threads (threads, N_RACERS, run_racer, &race);
      join_threads (threads, N_RACERS);
      g_assert_cmpint (race.n_won, ==, 1);
      assert_state (f, id, states[race.winner]);
    }
}

static gpointer
take_by_id (gpointer data)
{
  Race *race = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = NULL;

  g_atomic_int_inc (&race->n_ready);
  while (g_atomic_int_get (&race->n_ready) < N_RACERS)
    g_thread_yield ();

  lease = job_queue_dequeue (race->f->queue, NULL, NULL, 0, NULL, &error);
  if (lease != NULL)
    g_atomic_int_inc (&race->n_won);
  else
    g_assert_error (error, JOB_ERROR, JOB_ERROR_TIMED_OUT);

  return NULL;
}

static void
test_one_takes_a_job (Fixture *f)
{
  for (guint i = 0; i < N_RACES; i++)
    {
      Race race = { .f = f };
      GThread *threads[N_RACERS];
      g_autofree char *id = must_add (f, "a");

      start_threads (threads, N_RACERS, take_by_id, &race);
      join_threads (threads, N_RACERS);
      g_assert_cmpint (race.n_won, ==, 1);
      must_cancel (f, id);
    }
}

static gpointer
dequeue_one (gpointer data)
{
  Crowd *crowd = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue (crowd->f->queue, NULL, NULL, -1, NULL, &error);

  g_assert_no_error (error);
  note_delivered (crowd, lease);
  return NULL;
}

static void
test_a_hundred_dequeuers (Fixture *f)
{
  Crowd crowd = { NULL };
  GThread *threads[100];

  crowd_init (&crowd, f);
  start_threads (threads, G_N_ELEMENTS (threads), dequeue_one, &crowd);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_free (must_add (f, "a"));
  join_threads (threads, G_N_ELEMENTS (threads));

  g_assert_cmpuint (g_hash_table_size (crowd.seen), ==, G_N_ELEMENTS (threads));
  assert_none (f, NULL);
  crowd_clear (&crowd);
}

/* A claim that is cancelled at about the time when it is made is either had or not made. */
static gpointer
dequeue_cancellable (gpointer data)
{
  gpointer *both = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue (both[0], NULL, NULL, -1, both[1], &error);

  if (lease == NULL)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return g_steal_pointer (&lease);
}

static void
test_cancelled_claim_is_had_or_not_made (Fixture *f)
{
  for (guint i = 0; i < N_RACES; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      gpointer both[] = { f->queue, cancellable };
      GThread *thread = g_thread_new ("dequeuer", dequeue_cancellable, both);
      g_autofree char *id = must_add (f, "a");
      g_autoptr (JobLease) lease = NULL;

      g_cancellable_cancel (cancellable);
      lease = g_thread_join (thread);
      if (lease == NULL)
        lease = must_dequeue_job (f, "a", id);
      must_complete (f, lease);
    }
}

const ConformanceTest job_conformance_threads_tests[] = {
  { "each-job-delivered-once", test_each_job_delivered_once, 0, TRUE },
  { "order-of-each-producer", test_order_of_each_producer, 0, TRUE },
  { "one-ends-a-lease", test_one_ends_a_lease, 0, TRUE },
  { "one-takes-a-job", test_one_takes_a_job, 0, TRUE },
  { "a-hundred-dequeuers", test_a_hundred_dequeuers, 0, TRUE },
  { "cancelled-claim-is-had-or-not-made", test_cancelled_claim_is_had_or_not_made, 0, TRUE },
  { NULL },
};
