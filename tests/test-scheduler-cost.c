/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* No verb walks the backlog: the same work is done with an empty scheduler, and beside 100,000
 * pending jobs of another type in 10,000 channels, as many waiters, as many leases, and 1,000 other
 * lists that name the type; and no dequeue walks what it names. The CPU time of this thread is
 * compared, and the limit is far above what caches do to it, and far below what a walk would. */

#include "scheduler-fixture.h"

#include <string.h>
#include <time.h>

#include "test-effort.h"

#define N_CYCLES 1000
#define N_BACKLOG test_effort (100000, 10000)
#define N_WAITERS test_effort (100000, 10000)
#define N_LEASES test_effort (100000, 10000)
#define N_BUSY_CHANNELS 10000
#define N_SUBSCRIPTIONS 1000
#define MOST_TIMES 5
#define N_TRIES 3

typedef const char *const Names[];

static gint64
cpu_time (void)
{
  struct timespec now;

  g_assert_cmpint (clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now), ==, 0);
  return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* Makes it known that there are dequeues of that type, in company of another. */
static void
look_for_two (Fixture *f, const char *type, guint number)
{
  g_autofree char *other = g_strdup_printf ("other-%u", number);
  const char *types[] = { other, type, NULL };

  g_assert_false (job_scheduler_claim (f->scheduler, types, NULL, NULL, f->now, &f->effects));
}

static void
look_in_new_channel (Fixture *f)
{
  g_autofree char *channel = g_strdup_printf ("new-%u", f->records->len);

  g_assert_false (job_scheduler_claim (f->scheduler, NULL, (Names){ channel, NULL }, NULL, f->now,
                                       &f->effects));
}

/* Jobs that nobody wants, leases, waiters that get nothing, and lists that are known. */
static void
fill (Fixture *f)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_LEASES; i++)
    g_ptr_array_add (jobs, new_job (f, "leased", 0));
  for (guint i = 0; i < N_BACKLOG; i++)
    {
      JobRecord *job = new_job (f, "backlog", 0);

      g_free (job->channel);
      job->channel = g_strdup_printf ("%u", i % N_BUSY_CHANNELS);
      g_ptr_array_add (jobs, job);
    }
  try_enqueue (f, (JobRecord **) jobs->pdata, jobs->len, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < N_LEASES; i++)
    claim (f, "leased", g_ptr_array_index (jobs, i));
  for (guint i = 0; i < N_WAITERS; i++)
    {
      const char *channel[] = { i % 2 ? "nowhere" : NULL, NULL };

      wait_for (f, (Names){ "wanted", NULL }, i % 2 ? channel : NULL, NULL);
    }
  for (guint i = 0; i < N_SUBSCRIPTIONS; i++)
    look_for_two (f, "work", i);
}

/* Every verb that a worker's cycle may have; each must find what it is about at once. */
static void
run_cycle (Fixture *f)
{
  JobRecord *job = new_job (f, "work", 0), *dependent, *canceled;
  g_autoptr (GArray) views = g_array_new (FALSE, FALSE, sizeof (JobView));
  g_autoptr (GError) error = NULL;
  JobWaiter waiter = { 0 };
  JobId token;

  job->max_attempts = 2;
  job->run_at = f->now.wall + 1;
  enqueue (f, job);
  dependent = new_dependent (f, "work", job, JOB_CONDITION_AFTER_OK);
  enqueue (f, dependent);
  fixture_step (f, 1, 1);
  token = claim (f, "work", job);
  job_scheduler_heartbeat (f->scheduler, &job->id, &token, f->now, &error);
  g_assert_no_error (error);
  release (f, job, &token);
  token = claim (f, "work", job);
  fail (f, job, &token);
  token = claim (f, "work", job);
  complete (f, job, &token);
  finish (f, dependent, JOB_STATE_SUCCEEDED);
  canceled = add_job (f, "work");
  view_of (f, canceled);
  cancel (f, canceled);
  assert_none (f, "work");
  look_in_new_channel (f);

  job_scheduler_add_waiter (f->scheduler, &waiter, (Names){ "work", "more", NULL }, NULL, f);
  job_scheduler_remove_waiter (f->scheduler, &waiter);
  job_scheduler_add_waiter (f->scheduler, &waiter, (Names){ "work", NULL }, (Names){ "", NULL }, f);
  job = add_job (f, "work");
  g_assert_cmpuint (f->effects.claims->len, ==, 1);
  complete (f, job, NULL);
  job_scheduler_list_leases (f->scheduler, G_MAXINT64, f->now, views);
  g_assert_cmpuint (views->len, ==, 0);
}

static gint64
measure (Fixture *f)
{
  gint64 best = G_MAXINT64;

  for (guint i = 0; i < N_TRIES; i++)
    {
      gint64 start = cpu_time ();

      for (guint j = 0; j < N_CYCLES; j++)
        run_cycle (f);
      best = MIN (best, cpu_time () - start);
    }
  return best;
}

static void
test_no_verb_walks (Fixture *f, gconstpointer data)
{
  gint64 alone = measure (f), beside;

  fill (f);
  beside = measure (f);
  g_test_message ("%d cycles: %" G_GINT64_FORMAT " us alone, %" G_GINT64_FORMAT
                  " us beside the backlog",
                  N_CYCLES, alone / 1000, beside / 1000);
  g_assert_cmpint (beside, <, alone * MOST_TIMES);
}

/* --- many types and channels ------------------------------------------------------------------ */

#define N_TYPES 100
#define N_CHANNELS 10
#define N_EACH 5 /* jobs of each pair */
#define MOST_TIMES_FOR_MANY 6

typedef struct
{
  char names[N_TYPES][16];
  const char *types[N_TYPES + 1];
  const char *channels[N_CHANNELS + 1];
  guint n_types, n_channels;
} Lists;

static void
lists_init (Lists *lists, guint n_types, guint n_channels)
{
  memset (lists, 0, sizeof *lists);
  lists->n_types = n_types;
  lists->n_channels = n_channels;
  for (guint i = 0; i < n_types; i++)
    {
      g_snprintf (lists->names[i], sizeof lists->names[i], "name-%u", i);
      lists->types[i] = lists->names[i];
    }
  for (guint i = 0; i < n_channels; i++)
    lists->channels[i] = lists->names[i];
}

static void
add_of (Fixture *f, const Lists *lists, guint number)
{
  JobRecord *job = new_job (f, lists->types[number % lists->n_types], 0);

  g_free (job->channel);
  job->channel = g_strdup (lists->channels[number / lists->n_types % lists->n_channels]);
  enqueue (f, job);
}

static void
work_on_any (Fixture *f, const Lists *lists)
{
  g_autoptr (GError) error = NULL;
  JobId id;

  fixture_begin (f);
  g_assert_true (
      job_scheduler_claim (f->scheduler, lists->types, lists->channels, NULL, f->now, &f->effects));
  id = g_array_index (f->effects.claims, JobClaim, 0).id;
  job_scheduler_complete (f->scheduler, &id, NULL, "1", f->now, &f->effects, &error);
  g_assert_no_error (error);
}

static gint64
measure_lists (Fixture *f, guint n_types, guint n_channels)
{
  gint64 best = G_MAXINT64;
  guint number = 0;
  Lists lists;

  lists_init (&lists, n_types, n_channels);
  for (; number < N_EACH * N_TYPES * N_CHANNELS; number++)
    add_of (f, &lists, number);
  for (guint i = 0; i < N_TRIES; i++)
    {
      gint64 start = cpu_time ();

      for (guint j = 0; j < N_CYCLES; j++, number++)
        {
          work_on_any (f, &lists);
          add_of (f, &lists, number);
        }
      best = MIN (best, cpu_time () - start);
    }
  for (; number > 3 * N_CYCLES; number--)
    work_on_any (f, &lists);
  return best;
}

/* A thousand pairs of type and channel, all with jobs, cost little more than one. To look at each
 * of them would cost a hundred times as much. */
static void
test_no_dequeue_walks (Fixture *f, gconstpointer data)
{
  gint64 one = measure_lists (f, 1, 1), many = measure_lists (f, N_TYPES, N_CHANNELS);

  g_test_message ("%d cycles: %" G_GINT64_FORMAT " us of one type and channel, %" G_GINT64_FORMAT
                  " us of many",
                  N_CYCLES, one / 1000, many / 1000);
  g_assert_cmpint (many, <, one * MOST_TIMES_FOR_MANY);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD_TEST ("/scheduler/cost/no-verb-walks-the-backlog", test_no_verb_walks);
  ADD_TEST ("/scheduler/cost/no-dequeue-walks-what-it-names", test_no_dequeue_walks);

  return g_test_run ();
}
