/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lanes: where pending jobs and waiting dequeues meet.
 *
 * A lane is a (type, channel) pair. A narrow lane has both, and holds the pending jobs of that
 * pair. A wide lane has "any" for one or both, and holds the narrow lanes under it that have jobs,
 * the one with the first job at its top. A dequeue names lanes of either kind: its job is the first
 * of their first jobs, and if there is none it waits in each of them. So no dequeue walks jobs, and
 * no job walks dequeues.
 *
 * A lane that has both jobs and waiters is ready; the ready lanes are in a heap by their longest
 * waiter, so that whoever came first is served first. */

#pragma once

#include "job-entry-private.h"
#include "job-heap-private.h"

G_BEGIN_DECLS

typedef struct _JobWaiter JobWaiter;

typedef struct
{
  GHashTable *by_name; /* of JobLane, by type and channel */
  JobHeap ready;
  guint64 n_waiters_ever;
  guint n_wide;
  guint sweep_at; /* so many wide lanes make a sweep for unused ones worthwhile */
} JobLanes;

void job_lanes_init (JobLanes *self);
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

JobWaiter *job_lanes_add_waiter (JobLanes *self, const char *const *types,
                                 const char *const *channels, gpointer data);
void job_lanes_remove_waiter (JobLanes *self, JobWaiter *waiter);
gpointer job_waiter_get_data (const JobWaiter *waiter);
/* The waiter that came first of those that can be served, and its job; FALSE if there is none. */
gboolean job_lanes_match (JobLanes *self, JobWaiter **waiter, JobEntry **entry);

G_END_DECLS
