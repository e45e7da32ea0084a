/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs, one after the other. */

#include "sequential.h"

static gboolean
is_over (const SequentialJob *job)
{
  return job->state == JOB_STATE_SUCCEEDED || job->state == JOB_STATE_FAILED ||
         job->state == JOB_STATE_CANCELED;
}

/* --- dependencies ----------------------------------------------------------------------------- */

static gboolean
forbids (guint condition, const SequentialJob *dependency)
{
  if (!is_over (dependency) || condition == JOB_CONDITION_AFTER_ANY)
    return FALSE;
  return (dependency->state == JOB_STATE_SUCCEEDED) != (condition == JOB_CONDITION_AFTER_OK);
}

/* Looks at one that is blocked. */
static void
settle_one (Sequential *self, const HistoryJob *plan, SequentialJob *job)
{
  gboolean waits = FALSE;

  for (guint i = 0; i < plan->n_dependencies; i++)
    {
      const SequentialJob *dependency = &self->jobs[plan->dependencies[i]];

      if (forbids (plan->conditions[i], dependency))
        {
          job->state = JOB_STATE_CANCELED;
          job->reason = JOB_REASON_DEPENDENCY;
          return;
        }
      waits |= !is_over (dependency);
    }
  if (waits)
    return;
  job->state = JOB_STATE_PENDING;
  job->reason = JOB_REASON_NONE;
}

/* A job depends on lower numbers only, so that one round goes down the whole graph. */
static void
settle (Sequential *self, const History *history)
{
  for (guint i = 0; i < history->n_jobs; i++)
    if (self->jobs[i].is_known && self->jobs[i].state == JOB_STATE_BLOCKED)
      settle_one (self, &history->jobs[i], &self->jobs[i]);
}

/* --- enqueue, dequeue ------------------------------------------------------------------------- */

static int
enqueue (Sequential *self, const History *history, guint number)
{
  const HistoryJob *plan = &history->jobs[number];
  SequentialJob *job = &self->jobs[number];

  if (job->is_known)
    return JOB_ERROR_EXISTS;
  for (guint i = 0; i < plan->n_dependencies; i++)
    if (!self->jobs[plan->dependencies[i]].is_known)
      return JOB_ERROR_NOT_FOUND;
  *job = (SequentialJob){ .is_known = TRUE,
                          .place = (guint8) self->n_known++,
                          .state = JOB_STATE_BLOCKED,
                          .reason = JOB_REASON_DEPENDENCY };
  settle (self, history);
  return HISTORY_OK;
}

static gboolean
serves (guint names, guint name)
{
  return names == 0 || (names & 1u << name) != 0;
}

static gboolean
is_before (const Sequential *self, const History *history, guint a, guint b)
{
  if (history->jobs[a].priority != history->jobs[b].priority)
    return history->jobs[a].priority > history->jobs[b].priority;
  return self->jobs[a].place < self->jobs[b].place;
}

static guint
find_first (const Sequential *self, const History *history, const HistoryOperation *operation)
{
  guint first = HISTORY_NO_JOB;

  for (guint i = 0; i < history->n_jobs; i++)
    if (self->jobs[i].is_known && self->jobs[i].state == JOB_STATE_PENDING &&
        serves (operation->types, history->jobs[i].type) &&
        serves (operation->channels, history->jobs[i].channel) &&
        (first == HISTORY_NO_JOB || is_before (self, history, i, first)))
      first = i;
  return first;
}

static int
lease (SequentialJob *job, guint operation)
{
  job->state = JOB_STATE_RUNNING;
  job->lease = (guint8) (operation + 1);
  job->attempts++;
  return HISTORY_OK;
}

static int
dequeue (Sequential *self, const History *history, guint number, guint *taken)
{
  guint first = find_first (self, history, &history->operations[number]);

  if (first == HISTORY_NO_JOB)
    return JOB_ERROR_TIMED_OUT;
  *taken = first;
  return lease (&self->jobs[first], number);
}

static int
dequeue_by_id (Sequential *self, const History *history, guint number, guint *taken)
{
  guint job = history->operations[number].job;

  if (!self->jobs[job].is_known)
    return JOB_ERROR_NOT_FOUND;
  if (self->jobs[job].state != JOB_STATE_PENDING)
    return JOB_ERROR_NOT_PENDING;
  *taken = job;
  return lease (&self->jobs[job], number);
}

/* --- the end of a lease ----------------------------------------------------------------------- */

static int
check_lease (const SequentialJob *job, int named)
{
  if (!job->is_known)
    return JOB_ERROR_NOT_FOUND;
  if (job->state == JOB_STATE_CANCELED)
    return JOB_ERROR_CANCELED;
  if (named != HISTORY_NO_LEASE && named + 1 != job->lease)
    return JOB_ERROR_LEASE_LOST;
  return job->state == JOB_STATE_RUNNING ? HISTORY_OK : JOB_ERROR_NOT_RUNNING;
}

static void
give_back (SequentialJob *job)
{
  job->state = JOB_STATE_PENDING;
  job->lease = 0;
}

static void
end_lease (Sequential *self, const History *history, guint number)
{
  const HistoryOperation *operation = &history->operations[number];
  SequentialJob *job = &self->jobs[operation->job];

  if (operation->verb == HISTORY_RELEASE)
    {
      job->attempts--;
      give_back (job);
      return;
    }
  job->outcome = (guint8) (number + 1);
  if (operation->verb == HISTORY_COMPLETE)
    job->state = JOB_STATE_SUCCEEDED;
  else if (job->attempts >= history->jobs[operation->job].max_attempts)
    job->state = JOB_STATE_FAILED;
  else
    give_back (job);
  settle (self, history);
}

static int
try_end_lease (Sequential *self, const History *history, guint number)
{
  const HistoryOperation *operation = &history->operations[number];
  int error = check_lease (&self->jobs[operation->job], operation->lease);

  if (error == HISTORY_OK && operation->verb != HISTORY_HEARTBEAT)
    end_lease (self, history, number);
  return error;
}

static int
cancel (Sequential *self, const History *history, guint number)
{
  SequentialJob *job = &self->jobs[number];

  if (!job->is_known)
    return JOB_ERROR_NOT_FOUND;
  if (is_over (job))
    return job->state == JOB_STATE_CANCELED ? JOB_ERROR_CANCELED : JOB_ERROR_NOT_RUNNING;
  job->state = JOB_STATE_CANCELED;
  job->reason = JOB_REASON_REQUESTED;
  job->lease = 0;
  settle (self, history);
  return HISTORY_OK;
}

/* --- all of them ------------------------------------------------------------------------------ */

static int
perform (Sequential *self, const History *history, guint number, guint *taken)
{
  const HistoryOperation *operation = &history->operations[number];

  switch (operation->verb)
    {
    case HISTORY_ENQUEUE:
      return enqueue (self, history, operation->job);
    case HISTORY_DEQUEUE:
      return dequeue (self, history, number, taken);
    case HISTORY_DEQUEUE_BY_ID:
      return dequeue_by_id (self, history, number, taken);
    case HISTORY_COMPLETE:
    case HISTORY_FAIL:
    case HISTORY_RELEASE:
    case HISTORY_HEARTBEAT:
      return try_end_lease (self, history, number);
    case HISTORY_CANCEL:
      return cancel (self, history, operation->job);
    case HISTORY_GET_INFO:
      return self->jobs[operation->job].is_known ? HISTORY_OK : JOB_ERROR_NOT_FOUND;
    case HISTORY_N_VERBS:
    default:
      g_assert_not_reached ();
    }
}

static gboolean
fits_view (const SequentialJob *job, const HistoryView *view)
{
  return view->state == job->state && view->attempts == job->attempts &&
         view->reason == job->reason && view->outcome == job->outcome;
}

gboolean
sequential_apply (Sequential *self, const History *history, guint number)
{
  const HistoryOperation *operation = &history->operations[number];
  guint taken = HISTORY_NO_JOB;
  int error = perform (self, history, number, &taken);

  if (operation->returned == HISTORY_PENDING)
    return TRUE;
  if (error != operation->error || taken != operation->taken)
    return FALSE;
  if (error != HISTORY_OK)
    return TRUE;
  if (taken != HISTORY_NO_JOB)
    return operation->attempt == self->jobs[taken].attempts;
  return operation->verb != HISTORY_GET_INFO ||
         fits_view (&self->jobs[operation->job], &operation->view);
}
