/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What several threads asked of one queue, when, and what they were told: a history. An operation
 * lasts from its call to its return; both are numbers of one counter, so that of two operations
 * that did not overlap it is known which came first, and of two that did it is not.
 *
 * Jobs and leases have small numbers here: a job by its place in the plan, a lease by the operation
 * that was given it. Ids and tokens are looked up once, when the operation is recorded. */

#pragma once

#include <jobqueue.h>

G_BEGIN_DECLS

#define HISTORY_MAX_JOBS 10
#define HISTORY_MAX_DEPENDENCIES 2
#define HISTORY_MAX_OPERATIONS 64 /* a set of them is a guint64 */
#define HISTORY_N_NAMES 2         /* types, and channels */

#define HISTORY_OK (-1)
#define HISTORY_NO_JOB 255
#define HISTORY_NO_LEASE (-1)      /* no token: an administrator */
#define HISTORY_STRANGE_LEASE (-2) /* a token that nobody was given */
#define HISTORY_PENDING G_MAXUINT  /* it has not returned: nobody knows what it did */

typedef enum
{
  HISTORY_ENQUEUE,
  HISTORY_DEQUEUE,
  HISTORY_DEQUEUE_BY_ID,
  HISTORY_COMPLETE,
  HISTORY_FAIL,
  HISTORY_RELEASE,
  HISTORY_CANCEL,
  HISTORY_HEARTBEAT,
  HISTORY_GET_INFO,
  HISTORY_N_VERBS
} HistoryVerb;

/* A job that may be enqueued, any number of times: constant. */
typedef struct
{
  guint8 type;
  guint8 channel;
  gint8 priority;
  guint8 max_attempts;
  guint8 n_dependencies;
  guint8 dependencies[HISTORY_MAX_DEPENDENCIES]; /* numbers of jobs, lower than its own */
  guint8 conditions[HISTORY_MAX_DEPENDENCIES];
} HistoryJob;

/* How a job stands, as far as it is told. */
typedef struct
{
  guint8 state; /* a JobState */
  guint8 attempts;
  guint8 reason; /* a JobReason */
  guint8
      outcome; /* 1 + the operation that brought the result or the last error; 0: there is none */
} HistoryView;

typedef struct
{
  HistoryVerb verb;
  guint8 thread;
  guint8 job;      /* which one is named */
  gint8 lease;     /* whose token is named */
  guint8 types;    /* of a dequeue: a set of bits; 0: any */
  guint8 channels; /* likewise */

  guint called; /* when; rises with each event of the history */
  guint returned;
  int error;        /* HISTORY_OK, or a JobError */
  guint8 taken;     /* of a dequeue: the job */
  guint8 attempt;   /* of a dequeue: which one the lease says it is */
  HistoryView view; /* of a look at a job */
} HistoryOperation;

typedef struct
{
  guint n_jobs;
  HistoryJob jobs[HISTORY_MAX_JOBS];
  guint n_operations;
  guint64 kept; /* the set of those that count */
  HistoryOperation operations[HISTORY_MAX_OPERATIONS];
} History;

static inline gboolean
history_has (const History *self, guint number)
{
  return (self->kept >> number & 1) != 0;
}

/* Whether it changed nothing, whatever it was told. */
gboolean history_is_idle (const History *self, guint number);
/* One operation to a line, by the time of the call. */
char *history_describe (const History *self);

G_END_DECLS
