/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening a scheduler: the jobs that are not over come in any order, and find their places; what
 * can never run is cancelled; what waits for a damaged record says so. And building one anew beside
 * another. */

#include "scheduler-fixture.h"

static const JobStatus waiting = { .state = JOB_STATE_PENDING };

static void
load (Fixture *f, JobRecord *job, const JobStatus *status)
{
  job_scheduler_load (f->scheduler, job, status, f->now);
}

static void
load_waiting (Fixture *f, JobRecord *job, gint64 queued_at)
{
  job->queued_at = queued_at;
  load (f, job, &waiting);
}

static void
be_over (Fixture *f, const JobRecord *job, int state)
{
  g_hash_table_insert (f->over, g_memdup2 (&job->id, sizeof (JobId)), GINT_TO_POINTER (state));
}

static int
known (const JobId *id, gpointer data)
{
  Fixture *f = data;
  gpointer state;

  g_assert_true (g_hash_table_lookup_extended (f->over, id, NULL, &state));
  return GPOINTER_TO_INT (state);
}

static void
settle (Fixture *f)
{
  fixture_begin (f);
  job_scheduler_settle (f->scheduler, known, f, f->now, &f->effects);
  match (f);
}

static JobStatus
running (guint64 token, gint64 started_at)
{
  return (JobStatus){
    .state = JOB_STATE_RUNNING, .attempts = 1, .token = id_of (token), .started_at = started_at
  };
}

/* --- places ----------------------------------------------------------------------------------- */

static void
test_order_is_kept (Fixture *f, gconstpointer data)
{
  JobRecord *jobs[4];

  for (guint i = 0; i < 4; i++)
    jobs[i] = new_job (f, "a", 0);
  jobs[3]->priority = 1;
  load_waiting (f, jobs[2], 30);
  load_waiting (f, jobs[0], 10);
  load_waiting (f, jobs[3], 40);
  load_waiting (f, jobs[1], 20);
  settle (f);
  g_assert_cmpuint (f->effects.changes->len, ==, 0);
  claim (f, "a", jobs[3]);
  for (guint i = 0; i < 3; i++)
    claim (f, "a", jobs[i]);
}

static void
test_queued_at_goes_on_rising (Fixture *f, gconstpointer data)
{
  load_waiting (f, new_job (f, "a", 0), START + SECOND_NS);
  settle (f);
  g_assert_cmpint (add_job (f, "b")->queued_at, ==, START + SECOND_NS + 1);
}

/* The last nanosecond that there is: ties go by the id, which is ordered, too. */
static void
test_queued_at_has_an_end (Fixture *f, gconstpointer data)
{
  JobRecord *first = new_job (f, "a", 0), *second, *third;

  load_waiting (f, first, G_MAXINT64);
  settle (f);
  second = add_job (f, "a");
  third = add_job (f, "a");
  g_assert_cmpint (third->queued_at, ==, G_MAXINT64);
  claim (f, "a", first);
  claim (f, "a", second);
  claim (f, "a", third);
}

static void
test_edges_are_drawn_in_any_order (Fixture *f, gconstpointer data)
{
  JobRecord *first = new_job (f, "a", 0);
  JobRecord *second = new_dependent (f, "b", first, JOB_CONDITION_AFTER_OK);
  JobRecord *third = new_dependent (f, "c", second, JOB_CONDITION_AFTER_OK);

  load_waiting (f, third, 3);
  load_waiting (f, first, 1);
  load_waiting (f, second, 2);
  settle (f);
  assert_waits (f, second, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, first);
  assert_waits (f, third, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, second);
  finish (f, first, JOB_STATE_SUCCEEDED);
  finish (f, second, JOB_STATE_SUCCEEDED);
  claim (f, "c", third);
}

static void
test_what_is_over_does_not_block (Fixture *f, gconstpointer data)
{
  JobRecord *over = new_job (f, "a", 0);
  JobRecord *job = new_dependent (f, "b", over, JOB_CONDITION_AFTER_OK);
  JobRecord *later = new_dependent (f, "c", over, JOB_CONDITION_AFTER_ANY);

  be_over (f, over, JOB_STATE_SUCCEEDED);
  later->run_at = START + SECOND_NS;
  load_waiting (f, job, 1);
  load_waiting (f, later, 2);
  settle (f);
  assert_state (f, job, JOB_STATE_PENDING);
  assert_waits (f, later, JOB_STATE_SCHEDULED, JOB_REASON_RUN_AT, NULL);
}

static void
test_attempts_are_kept (Fixture *f, gconstpointer data)
{
  JobRecord *job = new_job (f, "a", 0);
  JobStatus once = { .state = JOB_STATE_PENDING, .attempts = 1 };
  JobId token;

  job->max_attempts = 2;
  load (f, job, &once);
  settle (f);
  token = claim (f, "a", job);
  g_assert_cmpuint (g_array_index (f->effects.claims, JobClaim, 0).attempt, ==, 2);
  fail (f, job, &token);
  assert_over (f, job, JOB_STATE_FAILED);
}

static void
test_leases_are_kept (Fixture *f, gconstpointer data)
{
  JobRecord *over = new_job (f, "x", 0);
  JobRecord *job = new_dependent (f, "a", over, JOB_CONDITION_AFTER_OK);
  JobStatus status = running (99, START - 5);
  JobId found;
  JobView view;

  /* Its dependency is of no matter any more: it runs. */
  be_over (f, over, JOB_KNOWN_DAMAGED);
  load (f, job, &status);
  settle (f);
  view = view_of (f, job);
  g_assert_cmpint (view.state, ==, JOB_STATE_RUNNING);
  g_assert_cmpint (view.heartbeat_age, ==, 0);
  g_assert_cmpint (view.status.started_at, ==, START - 5);
  g_assert_true (job_scheduler_lookup_token (f->scheduler, &status.token, &found));
  g_assert_true (job_id_equal (&found, &job->id));
  release (f, job, &status.token);
  g_assert_cmpuint (change_of (f, job)->attempts, ==, 0);
  claim (f, "a", job);
}

/* --- what can never run ----------------------------------------------------------------------- */

static void
assert_canceled_by (Fixture *f, const JobRecord *job, const JobRecord *culprit)
{
  const JobStatus *status = change_of (f, job);

  g_assert_cmpint (status->state, ==, JOB_STATE_CANCELED);
  g_assert_cmpint (status->reason, ==, JOB_REASON_DEPENDENCY);
  g_assert_true (job_id_equal (&status->culprit, &culprit->id));
  g_assert_false (job_scheduler_contains (f->scheduler, &job->id));
}

static void
test_hopeless_jobs_are_canceled (Fixture *f, gconstpointer data)
{
  JobRecord *over = new_job (f, "x", 0);
  JobRecord *hopeless = new_dependent (f, "a", over, JOB_CONDITION_AFTER_OK);
  JobRecord *behind = new_dependent (f, "b", hopeless, JOB_CONDITION_AFTER_OK);
  JobRecord *mender = new_dependent (f, "c", hopeless, JOB_CONDITION_AFTER_NOT_OK);

  be_over (f, over, JOB_STATE_FAILED);
  load_waiting (f, mender, 3);
  load_waiting (f, behind, 2);
  load_waiting (f, hopeless, 1);
  settle (f);
  assert_canceled_by (f, hopeless, over);
  assert_canceled_by (f, behind, hopeless);
  g_assert_cmpuint (f->effects.changes->len, ==, 2);
  claim (f, "c", mender);
  assert_none (f, NULL);
}

static void
test_first_impossible_dependency_is_named (Fixture *f, gconstpointer data)
{
  JobRecord *good = new_job (f, "x", 0), *bad = new_job (f, "x", 0), *worse = new_job (f, "x", 0);
  JobRecord *job = new_job (f, "a", 3);

  be_over (f, good, JOB_STATE_SUCCEEDED);
  be_over (f, bad, JOB_STATE_FAILED);
  be_over (f, worse, JOB_STATE_CANCELED);
  set_dependency (job, 0, good, JOB_CONDITION_AFTER_OK);
  set_dependency (job, 1, bad, JOB_CONDITION_AFTER_OK);
  set_dependency (job, 2, worse, JOB_CONDITION_AFTER_OK);
  load_waiting (f, job, 1);
  settle (f);
  assert_canceled_by (f, job, bad);
}

/* Let go by one that is hopeless, and hopeless itself. */
static void
test_hopeless_after_it_was_let_go (Fixture *f, gconstpointer data)
{
  JobRecord *over = new_job (f, "x", 0);
  JobRecord *first = new_dependent (f, "a", over, JOB_CONDITION_AFTER_OK);
  JobRecord *jobs[2];

  be_over (f, over, JOB_STATE_FAILED);
  load_waiting (f, first, 1);
  for (guint i = 0; i < 2; i++)
    {
      jobs[i] = new_job (f, "b", 2);
      set_dependency (jobs[i], 0, first, JOB_CONDITION_AFTER_ANY);
      set_dependency (jobs[i], 1, over, JOB_CONDITION_AFTER_OK);
      jobs[i]->run_at = i * (START + SECOND_NS);
      load_waiting (f, jobs[i], 2 + i);
    }
  settle (f);
  assert_canceled_by (f, first, over);
  assert_canceled_by (f, jobs[0], over);
  assert_canceled_by (f, jobs[1], over);
  fixture_step (f, SECOND_NS, 0);
  assert_none (f, NULL);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void
test_damaged_dependency_blocks (Fixture *f, gconstpointer data)
{
  JobRecord *open = new_job (f, "x", 0);
  JobRecord *damaged[] = { new_job (f, "x", 0), new_job (f, "x", 0) };
  JobRecord *job = new_job (f, "a", 3);
  JobRecord *behind = new_dependent (f, "b", job, JOB_CONDITION_AFTER_ANY);

  be_over (f, damaged[0], JOB_KNOWN_DAMAGED);
  be_over (f, damaged[1], JOB_KNOWN_DAMAGED);
  set_dependency (job, 0, open, JOB_CONDITION_AFTER_OK);
  set_dependency (job, 1, damaged[0], JOB_CONDITION_AFTER_ANY);
  set_dependency (job, 2, damaged[1], JOB_CONDITION_AFTER_ANY);
  load_waiting (f, job, 2);
  load_waiting (f, behind, 3);
  load_waiting (f, open, 1);
  settle (f);
  assert_waits (f, job, JOB_STATE_BLOCKED, JOB_REASON_DAMAGED_DEPENDENCY, damaged[0]);
  finish (f, open, JOB_STATE_SUCCEEDED);
  assert_waits (f, job, JOB_STATE_BLOCKED, JOB_REASON_DAMAGED_DEPENDENCY, damaged[0]);
  assert_waits (f, behind, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, job);
  cancel (f, job);
  claim (f, "b", behind);
}

static void
test_damage_does_not_save_what_is_hopeless (Fixture *f, gconstpointer data)
{
  JobRecord *damaged = new_job (f, "x", 0), *over = new_job (f, "x", 0);
  JobRecord *job = new_job (f, "a", 2);

  be_over (f, damaged, JOB_KNOWN_DAMAGED);
  be_over (f, over, JOB_STATE_FAILED);
  set_dependency (job, 0, damaged, JOB_CONDITION_AFTER_OK);
  set_dependency (job, 1, over, JOB_CONDITION_AFTER_OK);
  load_waiting (f, job, 1);
  settle (f);
  assert_canceled_by (f, job, over);
}

/* --- built anew ------------------------------------------------------------------------------- */

/* A lease that both have keeps its heartbeat; one that only the new one has begins now; one that
 * only the old one had is gone. */
static void
test_inherits_heartbeats (Fixture *f, gconstpointer data)
{
  JobRecord *young = add_job (f, "young"), *old = add_job (f, "old"), *lost = add_job (f, "lost");
  JobId young_token = claim (f, "young", young), old_token, lost_token;
  JobScheduler *former = f->scheduler;
  g_autoptr (GArray) views = g_array_new (FALSE, FALSE, sizeof (JobView));
  g_autoptr (GError) error = NULL;
  JobStatus status = { .state = JOB_STATE_RUNNING, .attempts = 1 };
  JobRecord *restored = new_job (f, "restored", 0);

  fixture_step (f, 0, 10);
  lost_token = claim (f, "lost", lost);
  fixture_step (f, 0, 10);
  old_token = claim (f, "old", old);
  fixture_step (f, 0, 10);
  job_scheduler_heartbeat (former, &young->id, &young_token, f->now, &error);
  g_assert_no_error (error);
  fixture_step (f, 0, 10);

  f->scheduler = job_scheduler_new (fixture_new_token);
  status.token = id_of (77);
  load (f, restored, &status);
  status.token = young_token;
  load (f, young, &status);
  status.token = old_token;
  load (f, old, &status);
  load (f, lost, &waiting);
  settle (f);
  job_scheduler_inherit (f->scheduler, former);
  job_scheduler_free (former);

  job_scheduler_list_leases (f->scheduler, 0, f->now, views);
  g_assert_cmpuint (views->len, ==, 3);
  g_assert_true (job_id_equal (&g_array_index (views, JobView, 0).id, &old->id));
  g_assert_cmpint (g_array_index (views, JobView, 0).heartbeat_age, ==, 20);
  g_assert_true (job_id_equal (&g_array_index (views, JobView, 1).id, &young->id));
  g_assert_cmpint (g_array_index (views, JobView, 1).heartbeat_age, ==, 10);
  g_assert_cmpint (g_array_index (views, JobView, 2).heartbeat_age, ==, 0);
  g_assert_false (job_scheduler_lookup_token (f->scheduler, &lost_token, &lost_token));
  claim (f, "lost", lost);
}

/* One that ended in the old one, but not on disk, goes on as it was. */
static void
test_takes_back_ends (Fixture *f, gconstpointer data)
{
  JobRecord *old = add_job (f, "old"), *ended = add_job (f, "ended");
  JobId old_token = claim (f, "old", old), ended_token;
  JobScheduler *former = f->scheduler;
  g_autoptr (GArray) views = g_array_new (FALSE, FALSE, sizeof (JobView));
  JobStatus status = { .state = JOB_STATE_RUNNING, .attempts = 1 };

  fixture_step (f, 0, 10);
  ended_token = claim (f, "ended", ended);
  fixture_step (f, 0, 10);
  complete (f, ended, &ended_token);
  fixture_step (f, 0, 10);
  job_scheduler_heartbeat (former, &old->id, &old_token, f->now, NULL);

  f->scheduler = job_scheduler_new (fixture_new_token);
  status.token = old_token;
  load (f, old, &status);
  status.token = ended_token;
  load (f, ended, &status);
  job_scheduler_inherit (f->scheduler, former);
  job_scheduler_take_back_ends (f->scheduler, f->effects.ends);
  job_scheduler_free (former);
  settle (f);

  job_scheduler_list_leases (f->scheduler, 0, f->now, views);
  g_assert_cmpuint (views->len, ==, 2);
  g_assert_true (job_id_equal (&g_array_index (views, JobView, 0).id, &ended->id));
  g_assert_cmpint (g_array_index (views, JobView, 0).heartbeat_age, ==, 20);
  g_assert_cmpint (g_array_index (views, JobView, 1).heartbeat_age, ==, 0);
}

static void
test_inherits_the_last_queued_at (Fixture *f, gconstpointer data)
{
  JobScheduler *former = f->scheduler;
  JobRecord *job;

  fixture_step (f, SECOND_NS, 0);
  add_job (f, "a");
  fixture_step (f, -SECOND_NS, 0);
  f->scheduler = job_scheduler_new (fixture_new_token);
  settle (f);
  job_scheduler_inherit (f->scheduler, former);
  job_scheduler_free (former);
  job = add_job (f, "a");
  g_assert_cmpint (job->queued_at, ==, START + SECOND_NS + 1);
}

#define ADD(path, func) ADD_TEST ("/scheduler/open/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("order-is-kept", test_order_is_kept);
  ADD ("queued-at-goes-on-rising", test_queued_at_goes_on_rising);
  ADD ("queued-at-has-an-end", test_queued_at_has_an_end);
  ADD ("edges-are-drawn-in-any-order", test_edges_are_drawn_in_any_order);
  ADD ("what-is-over-does-not-block", test_what_is_over_does_not_block);
  ADD ("attempts-are-kept", test_attempts_are_kept);
  ADD ("leases-are-kept", test_leases_are_kept);
  ADD ("hopeless-jobs-are-canceled", test_hopeless_jobs_are_canceled);
  ADD ("first-impossible-dependency-is-named", test_first_impossible_dependency_is_named);
  ADD ("hopeless-after-it-was-let-go", test_hopeless_after_it_was_let_go);
  ADD ("damaged-dependency-blocks", test_damaged_dependency_blocks);
  ADD ("damage-does-not-save-what-is-hopeless", test_damage_does_not_save_what_is_hopeless);
  ADD ("inherits-heartbeats", test_inherits_heartbeats);
  ADD ("takes-back-ends", test_takes_back_ends);
  ADD ("inherits-the-last-queued-at", test_inherits_the_last_queued_at);

  return g_test_run ();
}
