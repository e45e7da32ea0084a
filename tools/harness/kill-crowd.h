/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many calls in flight at once on one queue: of several threads, or of one main loop. What each of
 * them asks, and what it is told, stands in a table that another process sees, and that outlives
 * the one that is killed: each mark is made before the next call.
 *
 * From the table follows, for each job, how it has to stand afterwards: what was told is so; what
 * was under way was done whole, or not at all. */

#pragma once

#include <jobqueue.h>

G_BEGIN_DECLS

#define CROWD_MAX_HANDS 24
#define CROWD_MAX_JOBS 2000
#define CROWD_MAX_LEASES 6000

typedef enum
{
  CROWD_NOT,   /* not asked; or it is known that it was not done */
  CROWD_ASKED, /* nobody knows */
  CROWD_TOLD,  /* it is done */
} CrowdMark;

typedef enum
{
  CROWD_NOTHING,
  CROWD_ENQUEUE,
  CROWD_DEQUEUE,
  CROWD_COMPLETE,
  CROWD_FAIL,
  CROWD_RELEASE,
} CrowdVerb;

/* Everything else of a job follows from its number. */
typedef struct
{
  CrowdMark enqueued;
  guint first;    /* job of the same call */
  gboolean waits; /* for the one before it */
  guint asked_at; /* by the counter of the table … */
  guint told_at;  /* … until which it was certain; G_MAXUINT: it is not */
} CrowdJob;

/* In the order in which they were told; so are those of one job. */
typedef struct
{
  guint job; /* its number + 1; 0: not told yet */
  char token[40];
  CrowdVerb end; /* what was asked to end it */
  CrowdMark ended;
} CrowdLease;

typedef struct
{
  guint n_jobs;   /* atomic, as all counters here */
  guint n_leases; /* … */
  guint time;     /* one more for each question and answer */
  guint n_told;   /* answers to this process */
  gboolean same;  /* nothing was asked since … */
  guint64 print;  /* … the queue looked like this */
  CrowdVerb hands[CROWD_MAX_HANDS];
  CrowdJob jobs[CROWD_MAX_JOBS];
  CrowdLease leases[CROWD_MAX_LEASES];
  char complaint[4096];
} CrowdTable;

void crowd_complain (CrowdTable *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* What follows from a number; to be freed. */
char *crowd_dup_id (guint job);
char *crowd_dup_args (guint job);
char *crowd_dup_outcome (guint lease);
const char *crowd_get_type (guint job);
int crowd_get_priority (guint job);
guint crowd_get_max_attempts (guint job);
/* G_MAXUINT: it is none of these. */
guint crowd_parse_id (const char *id);

/* @n_calls calls by all hands together, from @seed. */
void crowd_play_threads (CrowdTable *self, JobQueue *queue, guint64 seed, guint n_calls);
void crowd_play_loop (CrowdTable *self, JobQueue *queue, guint64 seed, guint n_calls);

/* Compares a queue that was just opened with the table, and settles in the table what nobody knew.
 * FALSE with a complaint. */
gboolean crowd_check (CrowdTable *self, JobQueue *queue);
/* Tries the tokens that are over, and runs all jobs to their end, in their order. */
gboolean crowd_drain (CrowdTable *self, JobQueue *queue);

G_END_DECLS
