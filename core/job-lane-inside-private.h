/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of the lanes share: job-lane.c (lanes and their jobs), job-subscription.c (what
 * dequeues name) and job-waiter.c (those that wait). */

#pragma once

#include "job-lane-private.h"

#include <string.h>

G_BEGIN_DECLS

typedef struct _JobMember JobMember;

/* The narrow lanes of one type, or of one channel, or all; and the wide lane above them. */
typedef struct
{
  GPtrArray *lanes;
  JobLane *wide; /* NULL: nobody asked for it */
  char name[];
} JobLaneFamily;

typedef struct
{
  const char *type;    /* NULL: any */
  const char *channel; /* NULL: any */
} JobLaneName;

struct _JobLane
{
  JobLaneName name; /* first: the key; its strings are at the end */
  JobHeap jobs;     /* narrow: its pending JobEntry; wide: the narrow JobLane that have jobs */
  JobHeap members;  /* of JobMember: who has to be told of a new first job first */
  JobHeap waiting;  /* of JobMember: who may have waiters, by their longest */
  JobLaneFamily *families[JOB_N_FAMILIES];  /* a wide one has only the one under it */
  guint position_in_family[JOB_N_FAMILIES]; /* narrow: index */
  guint position_in_wide[JOB_N_FAMILIES];   /* narrow: in the jobs of its families' wide lanes */
  guint position_in_ready;
  guint n_uses; /* jobs that are not over, members */
  GList idle;   /* while n_uses is 0; data: this */
  char text[];
};

/* What orders jobs. */
typedef struct
{
  gint64 queued_at;
  JobId id;
  gint priority;
} JobRank;

/* A lane of a subscription.
 *
 * What it says of its lane may be out of date, to one side: the lane's first job is not before
 * @rank, and the first waiter did not come before @number. So a first job that goes, or a waiter
 * that is served, concerns nobody; a member at the top of a heap is looked at once more, and
 * brought up to date if need be. Only a first job that comes must be told at once, and only to
 * members that know of none, or of a later one: those that were brought up to date since the last
 * such job. */
struct _JobMember
{
  JobSubscription *subscription;
  JobLane *lane;
  JobRank rank;
  guint64 number;
  guint position_in_lanes;   /* of the subscription; 0: the lane has no job */
  guint position_in_members; /* of the lane */
  guint position_in_waiting; /* of the lane; 0: the subscription has no waiter */
};

struct _JobSubscription
{
  char **types; /* NULL: any */
  char **channels;
  guint hash;
  guint n_members;
  guint n_waiting; /* how many of them are in the waiting of their lanes */
  JobHeap lanes;   /* of JobMember: those whose lanes have jobs */
  GQueue waiters;  /* of JobWaiter.link, in the order of arrival */
  GList idle;      /* while there are none; data: this */
  JobMember members[];
};

static inline gboolean
job_lane_is_wide (const JobLane *lane)
{
  return lane->name.type == NULL || lane->name.channel == NULL;
}

static inline JobEntry *
job_lane_first (const JobLane *lane)
{
  gpointer first = job_heap_peek (&lane->jobs);

  return first && job_lane_is_wide (lane) ? job_heap_peek (&((const JobLane *) first)->jobs)
                                          : first;
}

/* A lane of either kind. */
JobLane *job_lanes_use_named (JobLanes *self, JobLaneName name);
/* The members of @lane that know of no job, or only of a later one, learn of its first job. */
void job_lane_tell_members (JobLane *lane);
/* To be called when the lane's longest waiter, or whether it has a job, may have changed. */
void job_lanes_refresh_ready (JobLanes *self, JobLane *lane);
int job_lane_compare_waiters (gconstpointer a, gconstpointer b);

/* The table of them, by their lists. */
GHashTable *job_subscriptions_new (void);
/* The one to these lists, old or new. */
JobSubscription *job_lanes_subscribe (JobLanes *self, const char *const *types,
                                      const char *const *channels);
JobEntry *job_subscription_first (JobSubscription *self);
/* To be called when the first waiter came, or the last one went. */
void job_lanes_refresh_idle (JobLanes *self, JobSubscription *subscription);
int job_member_compare_ranks (gconstpointer a, gconstpointer b);
int job_member_compare_needs (gconstpointer a, gconstpointer b);
int job_member_compare_numbers (gconstpointer a, gconstpointer b);

/* Eight bytes at a time: a dequeue may name some thousand. */
static inline guint64
job_lane_hash_name (guint64 hash, const char *name)
{
  gsize left = strlen (name);
  guint64 word = left + 1;

  for (;;)
    {
      hash = (hash ^ word) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
      hash ^= hash >> 32;
      if (left == 0)
        return hash;
      word = 0;
      memcpy (&word, name, MIN (left, sizeof word));
      name += MIN (left, sizeof word);
      left -= MIN (left, sizeof word);
    }
}

G_END_DECLS
