/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One job in the scheduler's index: what is needed to schedule it, and nothing else. There may be
 * millions, most of which are pending and have never run: they are kept small, and what only others
 * need is aside. */

#pragma once

#include "job-record.h"

G_BEGIN_DECLS

typedef struct _JobEntry JobEntry;
typedef struct _JobEdge JobEdge;
typedef struct _JobEntryMore JobEntryMore;
typedef struct _JobLane JobLane;

/* A running job's lease. */
typedef struct
{
  JobId token; /* first: for a JobIdTable */
  JobEntry *entry;
  gint64 started_at;   /* wall clock, ns */
  gint64 heartbeat_at; /* boot time, µs */
  GList age; /* in the scheduler's list of leases, the oldest heartbeat first; data: this */
} JobEntryLease;

/* A dependency that was not over when the dependent came. */
struct _JobEdge
{
  JobEntry *dependency; /* NULL: over, and its condition holds */
  JobEntry *dependent;
  JobEdge *previous; /* among the dependency's dependents */
  JobEdge *next;
  JobCondition condition;
};

struct _JobEntry
{
  JobId id; /* first: for a JobIdTable */
  gint64 queued_at;
  JobLane *lane;
  JobEntryMore *more; /* NULL: all zero */
  gint priority;
  guint position; /* in its lane's heap (PENDING) or in the heap of SCHEDULED jobs */
  guint max_attempts;
  JobState state;
};

G_STATIC_ASSERT (sizeof (JobEntry) <= 56);

struct _JobEntryMore
{
  gint64 run_at;
  JobEdge *dependents;
  JobEdge *dependencies; /* owned: an array, the last one first */
  JobEntryLease *lease;  /* of a RUNNING job */
  char *error;           /* owned: of its last attempt, where one has failed */
  JobId *damaged;        /* owned: its first damaged dependency, or NULL */
  guint n_dependencies;  /* in dependencies */
  guint n_waits;         /* dependencies that are not over, or damaged */
  guint attempts;
};

/* To write to it; to read, there is job_entry_peek(). */
JobEntryMore *job_entry_get_more (JobEntry *self);
/* Drops it if it is all zero. */
void job_entry_trim (JobEntry *self);
/* Drops it in any case, and what it has; edges are in no list any more, or nobody looks. */
void job_entry_drop_more (JobEntry *self);

static inline const JobEntryMore *
job_entry_peek (const JobEntry *self)
{
  static const JobEntryMore none = { 0 };

  return self->more ? self->more : &none;
}

/* Higher priority first, then first in, first out. */
static inline int
job_entry_compare (gconstpointer a, gconstpointer b)
{
  const JobEntry *x = a;
  const JobEntry *y = b;

  if (x->priority != y->priority)
    return x->priority > y->priority ? -1 : 1;
  if (x->queued_at != y->queued_at)
    return x->queued_at < y->queued_at ? -1 : 1;
  return job_id_compare (&x->id, &y->id);
}

G_END_DECLS
