/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lanes and subscriptions: where pending jobs and dequeues meet.
 *
 * A lane is a (type, channel) pair. A narrow lane has both, and holds the pending jobs of that
 * pair. A wide lane has "any" for one or both, and holds the narrow lanes under it that have jobs,
 * the one with the first job at its top.
 *
 * A subscription is what a dequeue names: a list of types and one of channels, and so a lane of
 * either kind for each pair of the two. Dequeues with equal lists share one, which stays for the
 * next of them. It holds its lanes that have jobs, the one with the first job at its top, and the
 * dequeues that wait, in the order of arrival. So no dequeue walks jobs or lanes, and no job walks
 * dequeues.
 *
 * A lane that has both jobs and subscriptions with waiters is ready; the ready lanes are in a heap
 * by their longest waiter, so that whoever came first is served first. */

#pragma once

#include "job-entry-private.h"
#include "job-heap-private.h"

G_BEGIN_DECLS

typedef struct _JobSubscription JobSubscription;

/* A dequeue that waits; a part of its owner, zeroed before its first use. */
typedef struct
{
  GList link;                    /* first: in its subscription; data: the owner's */
  JobSubscription *subscription; /* NULL: it does not wait */
  guint64 number;                /* of arrival */
} JobWaiter;

/* What a narrow lane has in common with others: also what a wide lane covers. */
enum
{
  JOB_FAMILY_TYPE,
  JOB_FAMILY_CHANNEL,
  JOB_FAMILY_ALL,
  JOB_N_FAMILIES
};

typedef struct
{
  GHashTable *by_name;                  /* a set of JobLane: the narrow ones */
  GHashTable *families[JOB_N_FAMILIES]; /* of JobLaneFamily, by name */
  GHashTable *by_list;                  /* a set of JobSubscription */
  guint max_idle;                       /* of lanes, and of subscriptions; tests lower it */
  GQueue idle_lanes;         /* of JobLane.idle: those that nothing uses, the longest idle first */
  GQueue idle_subscriptions; /* of JobSubscription.idle: those without waiters, likewise */
  gsize n_idle_members;      /* of the idle subscriptions */
  JobSubscription *recent;   /* the one that was looked up last, or NULL */
  JobHeap ready;             /* of JobLane */
  guint64 n_waiters_ever;
} JobLanes;

void job_lanes_init (JobLanes *self);
/* With nobody waiting any more, or nobody who looks at it. */
void job_lanes_clear (JobLanes *self);

/* The narrow lane of a job; to be given back with job_lanes_unuse(). */
JobLane *job_lanes_use (JobLanes *self, const char *type, const char *channel);
void job_lanes_unuse (JobLanes *self, JobLane *lane);
const char *job_lane_get_type (const JobLane *lane);
const char *job_lane_get_channel (const JobLane *lane);

/* A job of entry->lane is pending now, or no longer. */
void job_lanes_add_job (JobLanes *self, JobEntry *entry);
void job_lanes_remove_job (JobLanes *self, JobEntry *entry);

/* The first job over all pairs of @types and @channels (NULL: any), or NULL. */
JobEntry *job_lanes_first (JobLanes *self, const char *const *types, const char *const *channels);

void job_lanes_add_waiter (JobLanes *self, JobWaiter *waiter, const char *const *types,
                           const char *const *channels, gpointer data);
void job_lanes_remove_waiter (JobLanes *self, JobWaiter *waiter);
/* From @former to @self, behind all that wait there. */
void job_lanes_move_waiter (JobLanes *self, JobLanes *former, JobWaiter *waiter);
/* The waiter that came first of those that can be served, and its job; FALSE if there is none. */
gboolean job_lanes_match (JobLanes *self, JobWaiter **waiter, JobEntry **entry);

static inline gboolean
job_waiter_waits (const JobWaiter *waiter)
{
  return waiter->subscription != NULL;
}

static inline gpointer
job_waiter_get_data (const JobWaiter *waiter)
{
  return waiter->link.data;
}

G_END_DECLS
