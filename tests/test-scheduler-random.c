/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The scheduler against a naive one: random requests, good and bad, from a seed; after each of them
 * both must have said the same, and must be in the same state. What is applied to an imagined disk
 * must be enough to build the scheduler anew. */

#include "scheduler-pair.h"
#include "test-effort.h"

#define N_SEEDS test_effort (2000, 100)
#define N_STEPS 200

/* --- chance ----------------------------------------------------------------------------------- */

static const char *const type_names[] = { "a", "b", "c", "d", "e" };
static const char *const channel_names[] = { "", "x", "y" };
static const char *const type_lists[][6] = {
  { "a" },      { "b" },    { "a", "b" }, { "b", "a" },         { "a", "b" }, /* as another */
  { "a", "a" }, { "none" }, { "c", "d" }, { "c", "none", "a" }, { "e", "d", "c", "b", "a" },
};
static const char *const channel_lists[][4] = {
  { "" }, { "x" }, { "x", "" }, { "none" }, { "", "x", "y" }
};

static const char *const *
some_types (void)
{
  guint number = below (G_N_ELEMENTS (type_lists) + 4);

  return number < G_N_ELEMENTS (type_lists) ? type_lists[number] : NULL;
}

static const char *const *
some_channels (void)
{
  guint number = below (G_N_ELEMENTS (channel_lists) + 4);

  return number < G_N_ELEMENTS (channel_lists) ? channel_lists[number] : NULL;
}

/* One that is not over, more often than not; -1 if there is none at all. */
static int
some_job (void)
{
  int job = -1;

  for (guint tries = 0; run.naive.n_jobs > 0 && tries < 4; tries++)
    {
      job = (int) below (run.naive.n_jobs);
      if (!naive_is_over (&run.naive.jobs[job]))
        break;
    }
  return job;
}

/* --- requests --------------------------------------------------------------------------------- */

static JobRecord *
make_record (guint number, guint first)
{
  guint n_dependencies = below (3) ? 0 : below (4);
  JobRecord *record =
      new_job (&run.real, type_names[below (G_N_ELEMENTS (type_names))], n_dependencies);
  guint n = 0;

  g_free (record->channel);
  record->channel = g_strdup (channel_names[below (G_N_ELEMENTS (channel_names))]);
  record->priority = (int) below (3) - 1;
  record->run_at = below (4) ? 0 : run.real.now.wall + below (20) - 4;
  record->max_attempts = 1 + below (3);
  for (guint i = 0; i < n_dependencies; i++)
    {
      /* Of those that are there, or of the same call; now and then of none. */
      const JobId on = id_of (1 + below (below (8) ? number : first + 5));
      gboolean twice = job_id_equal (&on, &record->id); /* a spec cannot name itself */

      for (guint j = 0; j < n; j++)
        twice |= job_id_equal (&record->dependencies[j].id, &on);
      if (!twice)
        record->dependencies[n++] = (JobDependency){ on, below (3) };
    }
  record->n_dependencies = n;
  return record;
}

static void
step_enqueue (void)
{
  JobRecord *records[5];
  guint n = below (3) ? 1 : 1 + below (4);
  guint first = run.real.records->len;
  g_autoptr (GError) error = NULL;
  int expected;
  gboolean done;

  begin_step ();
  for (guint i = 0; i < n; i++)
    records[i] = make_record (first + n, first);
  if (below (30) == 0 && first > 0)
    records[n++] = g_ptr_array_index (run.real.records, below (first));

  expected = naive_check (&run.naive, records, (int) n);
  for (int i = 0; i < run.naive.n_jobs; i++)
    if (naive_is_over (&run.naive.jobs[i]))
      g_hash_table_replace (run.real.over,
                            g_memdup2 (&run.naive.jobs[i].record->id, sizeof (JobId)),
                            GINT_TO_POINTER (run.naive.jobs[i].damaged ? JOB_KNOWN_DAMAGED
                                                                       : run.naive.jobs[i].state));
  if (expected < 0)
    naive_enqueue (&run.naive, records, (int) n);
  done = try_enqueue (&run.real, records, n, &error);
  check (done == (expected < 0));
  check (done || g_error_matches (error, JOB_ERROR, expected));
  for (guint i = 0; done && i < n; i++)
    check (records[i]->queued_at == naive_next_queued_at (&run.naive));
  end_step (0);
}

static void
step_claim (void)
{
  const char *const *types = some_types ();
  const char *const *channels = some_channels ();
  gboolean claimed;
  int first;

  begin_step ();
  match_both ();
  first = naive_first (&run.naive, types, channels);
  claimed = job_scheduler_claim (run.real.scheduler, types, channels, GUINT_TO_POINTER (4711),
                                 run.real.now, &run.real.effects);
  check (claimed == (first >= 0));
  if (claimed)
    naive_lease (&run.naive, first, 4711);
  end_step (0);
}

static void
step_claim_by_id (void)
{
  int job = some_job ();
  g_autoptr (GError) error = NULL;
  gboolean claimed;

  if (job < 0)
    return;
  begin_step ();
  match_both ();
  claimed =
      job_scheduler_claim_by_id (run.real.scheduler, &run.naive.jobs[job].record->id,
                                 GUINT_TO_POINTER (4712), run.real.now, &run.real.effects, &error);
  check (claimed == (run.naive.jobs[job].state == JOB_STATE_PENDING));
  check (claimed || g_error_matches (error, JOB_ERROR,
                                     naive_is_over (&run.naive.jobs[job]) ? JOB_ERROR_NOT_FOUND
                                                                          : JOB_ERROR_NOT_PENDING));
  if (claimed)
    naive_lease (&run.naive, job, 4712);
  end_step (0);
}

static void
step_wait (void)
{
  NaiveWaiter *waiter = &run.naive.waiters[run.naive.n_waiters];
  guint number = (guint) run.naive.n_waiters++;

  begin_step ();
  match_both ();
  *waiter = (NaiveWaiter){ some_types (), some_channels (), number, TRUE };
  job_scheduler_add_waiter (run.real.scheduler, &run.waiters[number], waiter->types,
                            waiter->channels, GUINT_TO_POINTER (number));
  end_step (0);
}

static void
step_go_away (void)
{
  guint number;

  if (run.naive.n_waiters == 0)
    return;
  number = below (run.naive.n_waiters);
  if (!run.naive.waiters[number].waiting)
    return;
  begin_step ();
  run.naive.waiters[number].waiting = FALSE;
  job_scheduler_remove_waiter (run.real.scheduler, &run.waiters[number]);
  end_step (0);
}

/* How a verb with that token has to end: a JobError, or -1. */
static int
expect (const NaiveJob *job, const JobId *token)
{
  if (naive_is_over (job))
    return JOB_ERROR_NOT_FOUND;
  if (token && (job->state != JOB_STATE_RUNNING || !job_id_equal (token, &job->token)))
    return JOB_ERROR_LEASE_LOST;
  return job->state == JOB_STATE_RUNNING ? -1 : JOB_ERROR_NOT_RUNNING;
}

static void
apply_verb (guint verb, int job, int expected, const JobId *token)
{
  const JobId *id = &run.naive.jobs[job].record->id;
  NaiveJob *naive = &run.naive.jobs[job];
  JobScheduler *real = run.real.scheduler;
  g_autoptr (GError) error = NULL;
  gboolean done;

  if (verb == 0)
    done = job_scheduler_complete (real, id, token, "1", run.real.now, &run.real.effects, &error);
  else if (verb == 1)
    done = job_scheduler_fail (real, id, token, "2", run.real.now, &run.real.effects, &error);
  else if (verb == 2)
    done = job_scheduler_release (real, id, token, run.real.now, &run.real.effects, &error);
  else
    done = job_scheduler_heartbeat (real, id, token, run.real.now, &error);
  check (done == (expected < 0));
  check (done || g_error_matches (error, JOB_ERROR, expected));
  if (!done)
    return;

  run.old_token = naive->token;
  if (verb == 3)
    {
      naive->beat = ++run.naive.n_beats;
      naive->heartbeat_at = run.naive.boot;
      return;
    }
  check (g_array_index (run.real.effects.ends, JobEnd, 0).by_holder == (token != NULL));
  check (job_id_equal (&g_array_index (run.real.effects.ends, JobEnd, 0).token, &naive->token));
  if (verb == 2)
    naive->attempts--;
  naive_end (&run.naive, job,
             verb == 0                                                     ? JOB_STATE_SUCCEEDED
             : verb == 1 && naive->attempts >= naive->record->max_attempts ? JOB_STATE_FAILED
                                                                           : JOB_STATE_PENDING);
}

static void
step_verb (void)
{
  guint verb = below (4), kind = below (8);
  int job = some_job (), expected;
  const JobId *token;
  JobId right;

  if (job < 0)
    return;
  begin_step ();
  if (below (2))
    match_both ();
  check_claims ();
  right = run.naive.jobs[job].token;
  token = kind == 0 ? NULL : kind == 1 ? &run.old_token : &right;
  expected = expect (&run.naive.jobs[job], token);
  apply_verb (verb, job, expected, token);
  end_step (expected < 0 && verb < 3);
}

static void
step_cancel (void)
{
  int job = some_job ();
  g_autoptr (GError) error = NULL;
  gboolean was_running, done;

  if (job < 0)
    return;
  begin_step ();
  was_running = run.naive.jobs[job].state == JOB_STATE_RUNNING;
  done = job_scheduler_cancel (run.real.scheduler, &run.naive.jobs[job].record->id, run.real.now,
                               &run.real.effects, &error);
  check (done == !naive_is_over (&run.naive.jobs[job]));
  check (done || g_error_matches (error, JOB_ERROR, JOB_ERROR_NOT_FOUND));
  if (done)
    naive_end (&run.naive, job, JOB_STATE_CANCELED);
  end_step (done && was_running);
}

/* The wall clock may go back; the other one never does. */
static void
step_time (void)
{
  begin_step ();
  fixture_step (&run.real, (gint64) below (12) - 3, below (10));
  run.naive.wall = run.real.now.wall;
  run.naive.boot = run.real.now.boot;
  end_step (0);
}

/* --- building anew ---------------------------------------------------------------------------- */

static int
tell_known (const JobId *id, gpointer data)
{
  const NaiveJob *job = &run.naive.jobs[naive_find (&run.naive, id)];

  return job->damaged ? JOB_KNOWN_DAMAGED : job->state;
}

/* In any order. As a new process does it, the heartbeats begin now. */
static void
load_all (JobScheduler *scheduler, gboolean inherits)
{
  int n = run.naive.n_jobs, at = (int) below (MAX (n, 1));

  for (int i = 0; i < n; i++, at = (at + 1) % n)
    {
      NaiveJob *job = &run.naive.jobs[at];

      if (naive_is_over (job))
        continue;
      job_scheduler_load (scheduler, job->record, &run.disk[at], run.real.now);
      if (!inherits)
        {
          job->beat = ++run.naive.n_beats;
          job->heartbeat_at = run.naive.boot;
          run.naive.last_queued_at = MAX (run.naive.last_queued_at, job->record->queued_at);
        }
    }
}

/* What happens to files while nobody looks: one cannot be read any more, one is cancelled. */
static void
meddle (void)
{
  int job = some_job ();

  if (job < 0)
    return;
  if (naive_is_over (&run.naive.jobs[job]))
    run.naive.jobs[job].damaged = TRUE;
  else if (run.naive.jobs[job].state != JOB_STATE_RUNNING)
    {
      run.naive.jobs[job].state = run.disk[job].state = JOB_STATE_CANCELED;
      run.was_over[job] = TRUE;
    }
}

static void
step_reload (void)
{
  JobScheduler *former = run.real.scheduler;
  JobScheduler *scheduler = job_scheduler_new (fixture_new_token);
  gboolean inherits = below (2);

  begin_step ();
  if (below (2))
    meddle ();
  if (!inherits)
    run.naive.last_queued_at = 0;
  load_all (scheduler, inherits);
  job_scheduler_settle (scheduler, tell_known, NULL, run.real.now, &run.real.effects);
  naive_reload (&run.naive);

  for (int i = 0; i < run.naive.n_waiters; i++)
    if (run.naive.waiters[i].waiting)
      job_scheduler_move_waiter (scheduler, former, &run.waiters[i]);
  if (inherits)
    job_scheduler_inherit (scheduler, former);
  job_scheduler_free (former);
  run.real.scheduler = scheduler;
  end_step (0);
}

/* ---------------------------------------------------------------------------------------------- */

static void
run_step (void)
{
  guint chance = below (100);

  if (chance < 22)
    step_enqueue ();
  else if (chance < 36)
    step_claim ();
  else if (chance < 42)
    step_claim_by_id ();
  else if (chance < 50)
    step_wait ();
  else if (chance < 53)
    step_go_away ();
  else if (chance < 82)
    step_verb ();
  else if (chance < 87)
    step_cancel ();
  else if (chance < 97)
    step_time ();
  else
    step_reload ();
}

static void
test_as_the_naive_one (void)
{
  for (guint seed = 1; seed <= N_SEEDS; seed++)
    {
      run_begin (seed);
      for (run.step = 0; run.step < N_STEPS; run.step++)
        run_step ();
      run_end ();
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/scheduler/random/does-as-the-naive-one", test_as_the_naive_one);

  return g_test_run ();
}
