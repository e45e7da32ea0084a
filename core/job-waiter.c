/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dequeues that wait. They wait in their subscription, which is known to its lanes by its longest
 * waiter; that one goes without a word to the lanes, which find out when they have a job for it. */

#include "job-lane-inside-private.h"

static const JobMember *
longest_waiting (const JobLane *lane)
{
  return job_heap_peek (&lane->waiting);
}

int
job_lane_compare_waiters (gconstpointer a, gconstpointer b)
{
  return job_member_compare_numbers (longest_waiting (a), longest_waiting (b));
}

void
job_lanes_refresh_ready (JobLanes *self, JobLane *lane)
{
  gboolean ready = lane->waiting.length > 0 && job_lane_first (lane) != NULL;
  gboolean was_ready = job_heap_contains (&self->ready, lane);

  if (ready && was_ready)
    job_heap_update (&self->ready, lane);
  else if (ready)
    job_heap_push (&self->ready, lane);
  else if (was_ready)
    job_heap_remove (&self->ready, lane);
}

static void
tell_lanes (JobLanes *self, JobSubscription *subscription, guint64 number)
{
  for (guint i = 0; subscription->n_waiting < subscription->n_members; i++)
    {
      JobMember *member = &subscription->members[i];

      if (member->position_in_waiting != 0)
        continue;
      member->number = number;
      job_heap_push (&member->lane->waiting, member);
      subscription->n_waiting++;
      job_lanes_refresh_ready (self, member->lane);
    }
}

static void
wait_in (JobLanes *self, JobSubscription *subscription, JobWaiter *waiter)
{
  waiter->subscription = subscription;
  waiter->number = ++self->n_waiters_ever;
  g_queue_push_tail_link (&subscription->waiters, &waiter->link);
  if (subscription->waiters.length > 1)
    return;
  job_lanes_refresh_idle (self, subscription);
  tell_lanes (self, subscription, waiter->number);
}

void
job_lanes_add_waiter (JobLanes *self, JobWaiter *waiter, const char *const *types,
                      const char *const *channels, gpointer data)
{
  waiter->link.data = data;
  wait_in (self, job_lanes_subscribe (self, types, channels), waiter);
}

void
job_lanes_remove_waiter (JobLanes *self, JobWaiter *waiter)
{
  JobSubscription *subscription = g_steal_pointer (&waiter->subscription);

  g_queue_unlink (&subscription->waiters, &waiter->link);
  if (subscription->waiters.length == 0)
    job_lanes_refresh_idle (self, subscription);
}

void
job_lanes_move_waiter (JobLanes *self, JobLanes *former, JobWaiter *waiter)
{
  const char *const *types = (const char *const *) waiter->subscription->types;
  const char *const *channels = (const char *const *) waiter->subscription->channels;
  JobSubscription *subscription = job_lanes_subscribe (self, types, channels);

  job_lanes_remove_waiter (former, waiter);
  wait_in (self, subscription, waiter);
}

/* Brings the top of the lane's waiting up to date, or gives out its waiter if it is. */
static JobWaiter *
check_longest (JobLane *lane)
{
  JobMember *member = job_heap_peek (&lane->waiting);
  JobSubscription *subscription = member->subscription;
  JobWaiter *first = (JobWaiter *) subscription->waiters.head;

  if (first && first->number == member->number)
    return first;
  if (first)
    {
      member->number = first->number;
      job_heap_update (&lane->waiting, member);
    }
  else
    {
      job_heap_remove (&lane->waiting, member);
      subscription->n_waiting--;
    }
  return NULL;
}

gboolean
job_lanes_match (JobLanes *self, JobWaiter **waiter, JobEntry **entry)
{
  JobLane *lane;

  while ((lane = job_heap_peek (&self->ready)))
    {
      *waiter = check_longest (lane);
      if (*waiter)
        {
          *entry = job_subscription_first ((*waiter)->subscription);
          return TRUE;
        }
      job_lanes_refresh_ready (self, lane);
    }
  return FALSE;
}
