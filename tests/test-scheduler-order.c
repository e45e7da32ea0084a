/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who gets which job: the order of jobs, what a dequeue names, the order of those who wait, and the
 * order of leases by age. */

#include "scheduler-fixture.h"

typedef const char *const Names[];

/* Who is named in the claims of the last step, in order. */
static void
assert_served (Fixture *f, guint index, gpointer data, const JobRecord *job)
{
  const JobClaim *claim = &g_array_index (f->effects.claims, JobClaim, index);

  g_assert_cmpuint (f->effects.claims->len, >, index);
  g_assert_true (claim->data == data);
  g_assert_true (job_id_equal (&claim->id, &job->id));
}

static JobRecord *
add_to (Fixture *f, const char *type, const char *channel)
{
  JobRecord *job = new_job (f, type, 0);

  g_free (job->channel);
  job->channel = g_strdup (channel);
  enqueue (f, job);
  return job;
}

static JobRecord *
add_with_priority (Fixture *f, const char *type, int priority)
{
  JobRecord *job = new_job (f, type, 0);

  job->priority = priority;
  enqueue (f, job);
  return job;
}

/* --- the order of jobs ------------------------------------------------------------------------ */

static void
test_first_in_first_out (Fixture *f, gconstpointer data)
{
  JobRecord *jobs[50];

  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    jobs[i] = add_job (f, i % 3 ? "a" : "b");
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    claim (f, NULL, jobs[i]);
}

static void
test_higher_priority_first (Fixture *f, gconstpointer data)
{
  JobRecord *low = add_with_priority (f, "a", G_MININT);
  JobRecord *normal = add_with_priority (f, "b", 0);
  JobRecord *high = add_with_priority (f, "a", G_MAXINT);
  JobRecord *next = add_with_priority (f, "b", G_MAXINT);

  claim (f, NULL, high);
  claim (f, NULL, next);
  claim (f, NULL, normal);
  claim (f, NULL, low);
}

static void
test_queued_at_rises_though_the_clock_goes_back (Fixture *f, gconstpointer data)
{
  JobRecord *jobs[] = { add_job (f, "a"), NULL, NULL, NULL };

  jobs[1] = add_job (f, "a");
  fixture_step (f, -3600 * SECOND_NS, 0);
  jobs[2] = add_job (f, "a");
  fixture_step (f, 7200 * SECOND_NS, 0);
  jobs[3] = add_job (f, "a");
  g_assert_cmpint (jobs[1]->queued_at, ==, START + 1);
  g_assert_cmpint (jobs[2]->queued_at, ==, START + 2);
  g_assert_cmpint (jobs[3]->queued_at, ==, START + 3600 * SECOND_NS);
  for (guint i = 0; i < 4; i++)
    claim (f, "a", jobs[i]);
}

static void
test_release_and_retry_keep_the_place (Fixture *f, gconstpointer data)
{
  JobRecord *first = new_job (f, "a", 0), *second;
  JobId token;

  first->max_attempts = 3;
  enqueue (f, first);
  second = add_job (f, "a");
  token = claim (f, "a", first);
  release (f, first, &token);
  token = claim (f, "a", first);
  fixture_step (f, SECOND_NS, 0);
  fail (f, first, &token);
  claim (f, "a", first);
  claim (f, "a", second);
}

static void
test_blocking_and_run_at_keep_the_place (Fixture *f, gconstpointer data)
{
  JobRecord *dependency = add_job (f, "d");
  JobRecord *blocked = new_dependent (f, "a", dependency, JOB_CONDITION_AFTER_OK);
  JobRecord *scheduled = new_job (f, "a", 0), *plain;

  scheduled->run_at = START + SECOND_NS;
  enqueue (f, blocked);
  enqueue (f, scheduled);
  plain = add_job (f, "a");
  fixture_step (f, SECOND_NS, 0);
  finish (f, dependency, JOB_STATE_SUCCEEDED);
  claim (f, "a", blocked);
  claim (f, "a", scheduled);
  claim (f, "a", plain);
}

/* --- what a dequeue names --------------------------------------------------------------------- */

static void
assert_claim (Fixture *f, const char *const *types, const char *const *channels,
              const JobRecord *expected)
{
  fixture_begin (f);
  g_assert_cmpint (job_scheduler_claim (f->scheduler, types, channels, f, f->now, &f->effects), ==,
                   expected != NULL);
  if (expected)
    assert_served (f, 0, f, expected);
}

static void
test_first_over_all_that_is_named (Fixture *f, gconstpointer data)
{
  JobRecord *a1 = add_to (f, "a", "1"), *b2 = add_to (f, "b", "2"), *c1 = add_to (f, "c", "1");
  JobRecord *b1 = add_to (f, "b", "1"), *a2 = add_to (f, "a", "2"), *any = add_to (f, "c", "");

  assert_claim (f, (Names){ "b", "x", NULL }, NULL, b2);
  assert_claim (f, (Names){ "b", "c", NULL }, (Names){ "1", "y", NULL }, c1);
  assert_claim (f, (Names){ "b", "c", NULL }, (Names){ "2", NULL }, NULL);
  assert_claim (f, NULL, (Names){ "2", NULL }, a2);
  assert_claim (f, NULL, (Names){ "", NULL }, any);
  assert_claim (f, (Names){ "a", "a", "b", NULL }, (Names){ "1", "1", NULL }, a1);
  assert_claim (f, NULL, NULL, b1);
  assert_claim (f, NULL, NULL, NULL);
}

/* --- those who wait --------------------------------------------------------------------------- */

static void
test_waiters_in_order_of_arrival (Fixture *f, gconstpointer data)
{
  /* All of these would take the same job; each names it in another way. */
  wait_for (f, (Names){ "x", "a", NULL }, (Names){ "1", "2", NULL }, GUINT_TO_POINTER (1));
  wait_for (f, NULL, NULL, GUINT_TO_POINTER (2));
  wait_for (f, (Names){ "a", NULL }, NULL, GUINT_TO_POINTER (3));
  wait_for (f, (Names){ "a", NULL }, (Names){ "1", NULL }, GUINT_TO_POINTER (4));
  wait_for (f, NULL, (Names){ "1", NULL }, GUINT_TO_POINTER (5));
  wait_for (f, (Names){ "a", "a", NULL }, (Names){ "1", NULL }, GUINT_TO_POINTER (6));

  for (guint i = 1; i <= 6; i++)
    {
      JobRecord *job = add_to (f, "a", "1");

      g_assert_cmpuint (f->effects.claims->len, ==, 1);
      assert_served (f, 0, GUINT_TO_POINTER (i), job);
    }
  add_to (f, "a", "1");
  g_assert_cmpuint (f->effects.claims->len, ==, 0);
}

static void
test_who_cannot_be_served_does_not_hold_up (Fixture *f, gconstpointer data)
{
  JobWaiter *first = wait_for (f, (Names){ "other", NULL }, NULL, GUINT_TO_POINTER (1));
  JobWaiter *second =
      wait_for (f, (Names){ "a", NULL }, (Names){ "other", NULL }, GUINT_TO_POINTER (2));
  JobRecord *job;

  wait_for (f, (Names){ "a", NULL }, NULL, GUINT_TO_POINTER (3));
  job = add_job (f, "a");
  assert_served (f, 0, GUINT_TO_POINTER (3), job);
  job_scheduler_remove_waiter (f->scheduler, second);
  job_scheduler_remove_waiter (f->scheduler, first);
}

/* All of a set of changes is there before anybody is served. */
static void
test_waiters_get_the_first_of_the_set (Fixture *f, gconstpointer data)
{
  JobRecord *jobs[] = { new_job (f, "a", 0), new_job (f, "b", 0), new_job (f, "a", 0) };
  g_autoptr (GError) error = NULL;

  jobs[1]->priority = 1;
  jobs[2]->priority = 2;
  wait_for (f, NULL, NULL, GUINT_TO_POINTER (1));
  wait_for (f, (Names){ "a", NULL }, NULL, GUINT_TO_POINTER (2));
  wait_for (f, NULL, NULL, GUINT_TO_POINTER (3));
  try_enqueue (f, jobs, 3, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (f->effects.claims->len, ==, 3);
  assert_served (f, 0, GUINT_TO_POINTER (1), jobs[2]);
  assert_served (f, 1, GUINT_TO_POINTER (2), jobs[0]);
  assert_served (f, 2, GUINT_TO_POINTER (3), jobs[1]);
}

static void
test_a_waiter_gets_one_job (Fixture *f, gconstpointer data)
{
  JobRecord *first, *second;

  wait_for (f, (Names){ "a", "b", NULL }, NULL, GUINT_TO_POINTER (1));
  first = add_job (f, "a");
  assert_served (f, 0, GUINT_TO_POINTER (1), first);
  second = add_job (f, "b");
  g_assert_cmpuint (f->effects.claims->len, ==, 0);
  claim (f, NULL, second);
}

static void
test_who_went_away_gets_nothing (Fixture *f, gconstpointer data)
{
  JobWaiter *first = wait_for (f, NULL, NULL, GUINT_TO_POINTER (1));
  JobWaiter *second = wait_for (f, (Names){ "a", "b", NULL }, NULL, GUINT_TO_POINTER (2));
  JobWaiter *third = wait_for (f, (Names){ "b", NULL }, NULL, GUINT_TO_POINTER (3));
  JobRecord *job;

  job_scheduler_remove_waiter (f->scheduler, first);
  job_scheduler_remove_waiter (f->scheduler, second);
  job = add_job (f, "a");
  g_assert_cmpuint (f->effects.claims->len, ==, 0);
  claim (f, "a", job);
  job_scheduler_remove_waiter (f->scheduler, third);
}

/* Whatever makes a job pending serves who waits. */
static void
test_every_way_to_pending_serves (Fixture *f, gconstpointer data)
{
  JobRecord *first = new_job (f, "a", 0), *blocked, *scheduled = new_job (f, "c", 0);
  JobId token;

  first->max_attempts = 2;
  enqueue (f, first);
  blocked = new_dependent (f, "b", first, JOB_CONDITION_AFTER_OK);
  enqueue (f, blocked);
  scheduled->run_at = START + SECOND_NS;
  enqueue (f, scheduled);

  token = claim (f, "a", first);
  wait_for (f, NULL, NULL, GUINT_TO_POINTER (1));
  release (f, first, &token);
  assert_served (f, 0, GUINT_TO_POINTER (1), first);
  token = g_array_index (f->effects.claims, JobClaim, 0).token;
  wait_for (f, NULL, NULL, GUINT_TO_POINTER (2));
  fail (f, first, &token);
  assert_served (f, 0, GUINT_TO_POINTER (2), first);
  token = g_array_index (f->effects.claims, JobClaim, 0).token;
  wait_for (f, NULL, NULL, GUINT_TO_POINTER (3));
  complete (f, first, &token);
  assert_served (f, 0, GUINT_TO_POINTER (3), blocked);
  wait_for (f, NULL, NULL, GUINT_TO_POINTER (4));
  fixture_begin (f);
  match (f);
  g_assert_cmpuint (f->effects.claims->len, ==, 0);
  fixture_step (f, SECOND_NS, 0);
  match (f);
  assert_served (f, 0, GUINT_TO_POINTER (4), scheduled);
}

/* --- leases by age ---------------------------------------------------------------------------- */

static void
assert_leases (Fixture *f, gint64 older_than, guint n, JobRecord *const *jobs)
{
  g_autoptr (GArray) views = g_array_new (FALSE, FALSE, sizeof (JobView));

  job_scheduler_list_leases (f->scheduler, older_than, f->now, views);
  g_assert_cmpuint (views->len, ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_true (job_id_equal (&g_array_index (views, JobView, i).id, &jobs[i]->id));
}

static void
test_leases_by_age (Fixture *f, gconstpointer data)
{
  JobRecord *jobs[] = { add_job (f, "a"), add_job (f, "b"), add_job (f, "c") };
  JobId tokens[3];
  g_autoptr (GError) error = NULL;

  tokens[0] = claim (f, "a", jobs[0]);
  fixture_step (f, 0, 10);
  tokens[1] = claim (f, "b", jobs[1]);
  fixture_step (f, 0, 10);
  tokens[2] = claim (f, "c", jobs[2]);
  assert_leases (f, 0, 3, jobs);
  assert_leases (f, 10, 2, jobs);
  assert_leases (f, 11, 1, jobs);
  assert_leases (f, 21, 0, jobs);

  job_scheduler_heartbeat (f->scheduler, &jobs[0]->id, &tokens[0], f->now, &error);
  g_assert_no_error (error);
  assert_leases (f, 0, 3, (JobRecord *[]){ jobs[1], jobs[2], jobs[0] });
  complete (f, jobs[2], &tokens[2]);
  assert_leases (f, 0, 2, (JobRecord *[]){ jobs[1], jobs[0] });
  cancel (f, jobs[1]);
  release (f, jobs[0], &tokens[0]);
  assert_leases (f, 0, 0, NULL);
}

/* Leases follow the boot-time clock alone. */
static void
test_ages_ignore_the_wall_clock (Fixture *f, gconstpointer data)
{
  JobRecord *job = add_job (f, "a");

  claim (f, "a", job);
  fixture_step (f, 3600 * SECOND_NS, 5);
  g_assert_cmpint (view_of (f, job).heartbeat_age, ==, 5);
  fixture_step (f, -7200 * SECOND_NS, 5);
  g_assert_cmpint (view_of (f, job).heartbeat_age, ==, 10);
}

#define ADD(path, func) ADD_TEST ("/scheduler/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("order/first-in-first-out", test_first_in_first_out);
  ADD ("order/higher-priority-first", test_higher_priority_first);
  ADD ("order/queued-at-rises-though-the-clock-goes-back",
       test_queued_at_rises_though_the_clock_goes_back);
  ADD ("order/release-and-retry-keep-the-place", test_release_and_retry_keep_the_place);
  ADD ("order/blocking-and-run-at-keep-the-place", test_blocking_and_run_at_keep_the_place);
  ADD ("order/first-over-all-that-is-named", test_first_over_all_that_is_named);
  ADD ("waiters/in-order-of-arrival", test_waiters_in_order_of_arrival);
  ADD ("waiters/who-cannot-be-served-does-not-hold-up", test_who_cannot_be_served_does_not_hold_up);
  ADD ("waiters/get-the-first-of-the-set", test_waiters_get_the_first_of_the_set);
  ADD ("waiters/get-one-job", test_a_waiter_gets_one_job);
  ADD ("waiters/who-went-away-gets-nothing", test_who_went_away_gets_nothing);
  ADD ("waiters/every-way-to-pending-serves", test_every_way_to_pending_serves);
  ADD ("leases/by-age", test_leases_by_age);
  ADD ("leases/ages-ignore-the-wall-clock", test_ages_ignore_the_wall_clock);

  return g_test_run ();
}
