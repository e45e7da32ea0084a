/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* No verb walks the backlog: the same work is done with an empty scheduler, and beside 100,000
 * pending jobs of another type, as many waiters, and as many leases. The CPU time of this thread is
 * compared, and the limit is far above what caches do to it, and far below what a walk would. */

#include "scheduler-fixture.h"

#include <time.h>

#include "test-effort.h"

#define N_CYCLES 1000
#define N_BACKLOG test_effort (100000, 10000)
#define N_WAITERS test_effort (100000, 10000)
#define N_LEASES test_effort (100000, 10000)
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

/* Jobs that nobody wants, leases, and waiters that get nothing. */
static void
fill (Fixture *f)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_LEASES; i++)
    g_ptr_array_add (jobs, new_job (f, "leased", 0));
  for (guint i = 0; i < N_BACKLOG; i++)
    g_ptr_array_add (jobs, new_job (f, "backlog", 0));
  try_enqueue (f, (JobRecord **) jobs->pdata, jobs->len, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < N_LEASES; i++)
    claim (f, "leased", g_ptr_array_index (jobs, i));
  for (guint i = 0; i < N_WAITERS; i++)
    {
      const char *channel[] = { i % 2 ? "nowhere" : NULL, NULL };

      wait_for (f, (Names){ "wanted", NULL }, i % 2 ? channel : NULL, NULL);
    }
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

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD_TEST ("/scheduler/cost/no-verb-walks-the-backlog", test_no_verb_walks);

  return g_test_run ();
}
