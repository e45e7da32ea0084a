/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "scheduler-pair.h"

#include <string.h>

Run run;

/* --- chance ----------------------------------------------------------------------------------- */

guint
below (guint limit)
{
  guint64 x = run.random += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  x = (x ^ x >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return (guint) ((x ^ x >> 31) % limit);
}

void
run_begin (guint seed)
{
  memset (&run, 0, sizeof run);
  run.seed = seed;
  run.random = seed;
  fixture_set_up (&run.real, NULL);
  fixture_seed_tokens (seed);
  run.naive.wall = run.real.now.wall;
  run.naive.boot = run.real.now.boot;
  run.naive.claims = g_array_new (FALSE, FALSE, sizeof (NaiveClaim));
}

void
run_end (void)
{
  for (int i = 0; i < run.naive.n_waiters; i++)
    if (run.naive.waiters[i].waiting)
      job_scheduler_remove_waiter (run.real.scheduler, &run.waiters[i]);
  g_array_unref (run.naive.claims);
  fixture_tear_down (&run.real, NULL);
}

/* --- what both say ---------------------------------------------------------------------------- */

static int
find (const JobId *id)
{
  int job = naive_find (&run.naive, id);

  check (job >= 0);
  return job;
}

/* A job that was cancelled for another must name one that forbids it to run. */
static void
check_culprit (int job, const JobStatus *status)
{
  const JobRecord *record = run.naive.jobs[job].record;
  gboolean found = FALSE;

  for (guint i = 0; i < record->n_dependencies; i++)
    {
      JobCondition condition = record->dependencies[i].condition;
      int state = run.naive.jobs[run.naive.jobs[job].dependencies[i]].state;

      found |= job_id_equal (&record->dependencies[i].id, &status->culprit) &&
               ((condition == JOB_CONDITION_AFTER_OK && state != JOB_STATE_SUCCEEDED) ||
                (condition == JOB_CONDITION_AFTER_NOT_OK && state == JOB_STATE_SUCCEEDED));
    }
  check (found);
}

void
check_claims (void)
{
  const GArray *claims = run.real.effects.claims;

  check (claims->len == run.naive.claims->len);
  for (guint i = run.n_claims; i < claims->len; i++)
    {
      const JobClaim *real = &g_array_index (claims, JobClaim, i);
      const NaiveClaim *naive = &g_array_index (run.naive.claims, NaiveClaim, i);
      NaiveJob *job = &run.naive.jobs[naive->job];

      check (GPOINTER_TO_UINT (real->data) == naive->number);
      check (job_id_equal (&real->id, &job->record->id));
      check (real->attempt == job->attempts);
      job->token = real->token;
    }
  run.n_claims = claims->len;
}

static void
check_finals (void)
{
  const GArray *finals = run.real.effects.finals;
  guint n = 0;

  for (int i = 0; i < run.naive.n_jobs; i++)
    n += naive_is_over (&run.naive.jobs[i]) && !run.was_over[i];
  check (finals->len == n);
  for (guint i = 0; i < finals->len; i++)
    {
      int job = find (&g_array_index (finals, JobId, i));

      check (naive_is_over (&run.naive.jobs[job]) && !run.was_over[job]);
      run.was_over[job] = TRUE;
    }
}

/* Puts the changes on the disk; what is there then must be how the jobs stand. */
static void
check_changes (void)
{
  const GArray *changes = run.real.effects.changes;

  for (guint i = 0; i < changes->len; i++)
    {
      const JobChange *change = &g_array_index (changes, JobChange, i);
      int job = find (&change->id);

      run.disk[job] = change->status;
      run.disk[job].outcome = NULL;
      if (change->status.reason == JOB_REASON_DEPENDENCY)
        check_culprit (job, &change->status);
    }
  for (int i = 0; i < run.naive.n_jobs; i++)
    {
      const NaiveJob *job = &run.naive.jobs[i];
      gboolean waits = !naive_is_over (job) && job->state != JOB_STATE_RUNNING;

      check ((int) run.disk[i].state == (waits ? JOB_STATE_PENDING : job->state));
      check (run.disk[i].attempts == job->attempts);
      check (job->state != JOB_STATE_RUNNING || job_id_equal (&run.disk[i].token, &job->token));
    }
}

static void
check_reason (const NaiveJob *job, const JobView *view)
{
  int open = -1, damaged = -1;

  for (int i = job->state == JOB_STATE_BLOCKED ? (int) job->record->n_dependencies : 0; i-- > 0;)
    {
      const NaiveJob *dependency = &run.naive.jobs[job->dependencies[i]];

      if (dependency->damaged)
        damaged = job->dependencies[i];
      else if (!naive_is_over (dependency))
        open = job->dependencies[i];
    }
  if (damaged >= 0)
    check (view->reason == JOB_REASON_DAMAGED_DEPENDENCY);
  else if (open >= 0)
    check (view->reason == JOB_REASON_DEPENDENCY);
  else
    check (view->reason ==
           (job->state == JOB_STATE_SCHEDULED ? JOB_REASON_RUN_AT : JOB_REASON_NONE));
  if (damaged >= 0 || open >= 0)
    check (
        job_id_equal (&view->culprit, &run.naive.jobs[damaged >= 0 ? damaged : open].record->id));
}

static void
check_states (void)
{
  gint64 next = -1;

  for (int i = 0; i < run.naive.n_jobs; i++)
    {
      const NaiveJob *job = &run.naive.jobs[i];
      JobView view;
      gboolean known =
          job_scheduler_describe (run.real.scheduler, &job->record->id, run.real.now, &view);

      check (known == !naive_is_over (job));
      if (!known)
        continue;
      check ((int) view.state == job->state);
      check (view.queued_at == job->record->queued_at);
      check_reason (job, &view);
      if (job->state == JOB_STATE_SCHEDULED && (next < 0 || job->record->run_at < next))
        next = job->record->run_at;
    }
  check (job_scheduler_get_next_run_at (run.real.scheduler) == next);
}

static void
check_leases (void)
{
  g_autoptr (GArray) views = g_array_new (FALSE, FALSE, sizeof (JobView));
  guint64 last_beat = 0;
  guint n = 0;

  for (int i = 0; i < run.naive.n_jobs; i++)
    n += run.naive.jobs[i].state == JOB_STATE_RUNNING;
  job_scheduler_list_leases (run.real.scheduler, 0, run.real.now, views);
  check (views->len == n);
  for (guint i = 0; i < views->len; i++)
    {
      const JobView *view = &g_array_index (views, JobView, i);
      const NaiveJob *job = &run.naive.jobs[find (&view->id)];

      check (job->state == JOB_STATE_RUNNING);
      check (job->beat > last_beat);
      check (view->heartbeat_age == run.naive.boot - job->heartbeat_at);
      last_beat = job->beat;
    }
}

void
begin_step (void)
{
  fixture_begin (&run.real);
  g_array_set_size (run.naive.claims, 0);
  run.n_claims = 0;
}

void
match_both (void)
{
  job_scheduler_match (run.real.scheduler, run.real.now, &run.real.effects);
  naive_match (&run.naive);
}

void
end_step (guint n_ends)
{
  match_both ();
  check_claims ();
  check (run.real.effects.ends->len == n_ends);
  check_finals ();
  check_changes ();
  check_states ();
  check_leases ();
}
