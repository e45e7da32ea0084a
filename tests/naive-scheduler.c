/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "naive-scheduler.h"

#include "job-error.h"

#include <string.h>

int
naive_find (const NaiveScheduler *self, const JobId *id)
{
  for (int i = 0; i < self->n_jobs; i++)
    if (memcmp (&self->jobs[i].record->id, id, sizeof *id) == 0)
      return i;
  return -1;
}

gboolean
naive_is_over (const NaiveJob *job)
{
  return job->state == JOB_STATE_SUCCEEDED || job->state == JOB_STATE_FAILED ||
         job->state == JOB_STATE_CANCELED;
}

static gboolean
is_named (const char *const *names, const char *name)
{
  for (int i = 0; names && names[i]; i++)
    if (strcmp (names[i], name) == 0)
      return TRUE;
  return names == NULL;
}

static gboolean
comes_before (const JobRecord *a, const JobRecord *b)
{
  return a->priority > b->priority || (a->priority == b->priority && a->queued_at < b->queued_at);
}

int
naive_first (const NaiveScheduler *self, const char *const *types, const char *const *channels)
{
  int first = -1;

  for (int i = 0; i < self->n_jobs; i++)
    {
      const NaiveJob *job = &self->jobs[i];

      if (job->state == JOB_STATE_PENDING && is_named (types, job->record->type) &&
          is_named (channels, job->record->channel) &&
          (first < 0 || comes_before (job->record, self->jobs[first].record)))
        first = i;
    }
  return first;
}

/* --- enqueue ---------------------------------------------------------------------------------- */

/* Takes away what waits for nothing in the call, as often as there are jobs. */
static gboolean
has_circle (JobRecord *const *records, int n_records)
{
  gboolean done[NAIVE_MAX_JOBS] = { FALSE };
  int n_done = 0;

  for (int round = 0; round < n_records; round++)
    for (int i = 0; i < n_records; i++)
      {
        gboolean waits = done[i];

        for (guint j = 0; !waits && j < records[i]->n_dependencies; j++)
          for (int k = 0; k < n_records; k++)
            waits |= !done[k] && memcmp (&records[k]->id, &records[i]->dependencies[j].id, 16) == 0;
        if (!waits)
          {
            done[i] = TRUE;
            n_done++;
          }
      }
  return n_done < n_records;
}

static int
count (JobRecord *const *records, int n_records, const JobId *id)
{
  int n = 0;

  for (int i = 0; i < n_records; i++)
    n += memcmp (&records[i]->id, id, sizeof *id) == 0;
  return n;
}

int
naive_check (const NaiveScheduler *self, JobRecord *const *records, int n_records)
{
  for (int i = 0; i < n_records; i++)
    {
      if (naive_find (self, &records[i]->id) >= 0 ||
          count (records, n_records, &records[i]->id) > 1)
        return JOB_ERROR_EXISTS;
      for (guint j = 0; j < records[i]->n_dependencies; j++)
        {
          const JobId *id = &records[i]->dependencies[j].id;
          int known = naive_find (self, id);

          if (count (records, n_records, id) > 0)
            continue;
          if (known < 0)
            return JOB_ERROR_NOT_FOUND;
          if (self->jobs[known].damaged)
            return JOB_ERROR_CORRUPT;
        }
    }
  return has_circle (records, n_records) ? JOB_ERROR_INVALID : -1;
}

gint64
naive_next_queued_at (NaiveScheduler *self)
{
  self->last_queued_at++;
  if (self->last_queued_at < self->wall)
    self->last_queued_at = self->wall;
  return self->last_queued_at;
}

void
naive_enqueue (NaiveScheduler *self, JobRecord *const *records, int n_records)
{
  int first = self->n_jobs;

  for (int i = 0; i < n_records; i++)
    self->jobs[self->n_jobs++] = (NaiveJob){ .record = records[i], .state = JOB_STATE_BLOCKED };
  for (int i = first; i < self->n_jobs; i++)
    for (guint j = 0; j < self->jobs[i].record->n_dependencies; j++)
      self->jobs[i].dependencies[j] = naive_find (self, &self->jobs[i].record->dependencies[j].id);
  naive_settle (self);
}

/* --- changes ---------------------------------------------------------------------------------- */

static gboolean
forbids (const NaiveJob *dependency, JobCondition condition)
{
  if (condition == JOB_CONDITION_AFTER_OK)
    return dependency->state == JOB_STATE_FAILED || dependency->state == JOB_STATE_CANCELED;
  return condition == JOB_CONDITION_AFTER_NOT_OK && dependency->state == JOB_STATE_SUCCEEDED;
}

/* Looks at one blocked job; TRUE if it is blocked no longer. */
static gboolean
settle_one (NaiveScheduler *self, NaiveJob *job)
{
  gboolean waits = FALSE;

  for (guint i = 0; i < job->record->n_dependencies; i++)
    {
      const JobDependency *edge = &job->record->dependencies[i];
      const NaiveJob *dependency = &self->jobs[job->dependencies[i]];

      if (dependency->damaged || !naive_is_over (dependency))
        waits = TRUE;
      else if (forbids (dependency, edge->condition))
        {
          job->state = JOB_STATE_CANCELED;
          return TRUE;
        }
    }
  if (!waits)
    job->state = job->record->run_at > self->wall ? JOB_STATE_SCHEDULED : JOB_STATE_PENDING;
  return !waits;
}

void
naive_settle (NaiveScheduler *self)
{
  gboolean changed;

  do
    {
      changed = FALSE;
      for (int i = 0; i < self->n_jobs; i++)
        if (self->jobs[i].state == JOB_STATE_BLOCKED && settle_one (self, &self->jobs[i]))
          changed = TRUE;
    }
  while (changed);
}

void
naive_reload (NaiveScheduler *self)
{
  for (int i = 0; i < self->n_jobs; i++)
    if (self->jobs[i].state == JOB_STATE_SCHEDULED || self->jobs[i].state == JOB_STATE_PENDING)
      self->jobs[i].state = JOB_STATE_BLOCKED;
  naive_settle (self);
}

void
naive_lease (NaiveScheduler *self, int job, guint number)
{
  NaiveClaim claim = { number, job };

  self->jobs[job].state = JOB_STATE_RUNNING;
  self->jobs[job].attempts++;
  self->jobs[job].beat = ++self->n_beats;
  self->jobs[job].heartbeat_at = self->boot;
  g_array_append_val (self->claims, claim);
}

void
naive_end (NaiveScheduler *self, int job, JobState state)
{
  self->jobs[job].state = state;
  if (state == JOB_STATE_PENDING)
    self->jobs[job].state =
        self->jobs[job].record->run_at > self->wall ? JOB_STATE_SCHEDULED : JOB_STATE_PENDING;
  naive_settle (self);
}

void
naive_match (NaiveScheduler *self)
{
  for (int i = 0; i < self->n_jobs; i++)
    if (self->jobs[i].state == JOB_STATE_SCHEDULED && self->jobs[i].record->run_at <= self->wall)
      self->jobs[i].state = JOB_STATE_PENDING;

  for (int i = 0; i < self->n_waiters; i++)
    {
      NaiveWaiter *waiter = &self->waiters[i];
      int job = waiter->waiting ? naive_first (self, waiter->types, waiter->channels) : -1;

      if (job < 0)
        continue;
      waiter->waiting = FALSE;
      naive_lease (self, job, waiter->number);
    }
}
