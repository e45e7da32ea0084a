/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thousand calls in flight, for as long as it takes: jobs are enqueued, dequeued and completed
 * from one main context. What was acknowledged of each is noted in memory that outlives the
 * process, and how long the calls took in a table that does not grow. */

#pragma once

#include <jobqueue.h>

G_BEGIN_DECLS

#define ENDURANCE_ID_SIZE 37
#define ENDURANCE_ARGS_SIZE 64
#define ENDURANCE_RESULT "{\"done\":true}"

/* What was acknowledged of a job. */
typedef enum
{
  ENDURANCE_NOTHING, /* if it was begun, nobody knows */
  ENDURANCE_REFUSED, /* its enqueueing failed, and changed nothing */
  ENDURANCE_ENQUEUED,
  ENDURANCE_TAKEN, /* and is being completed */
  ENDURANCE_COMPLETED,
} EnduranceMark;

#define ENDURANCE_BUCKETS 320

/* How many calls took how long; eight steps for each doubling. */
typedef struct
{
  guint64 n;
  guint64 buckets[ENDURANCE_BUCKETS];
} EnduranceTimes;

void endurance_times_add (EnduranceTimes *self, gint64 us);
/* What the share @rank of the calls was faster than, in µs. */
guint64 endurance_times_get (const EnduranceTimes *self, double rank);

typedef struct
{
  JobQueue *queue;
  guint8 *marks;                /* EnduranceMark of each job, by its number */
  guint64 next;                 /* number of the next job */
  guint64 end;                  /* one more than the last number */
  gboolean cycle;               /* also dequeue and complete */
  void (*over) (gpointer data); /* may be %NULL: after each job */
  gpointer data;
  EnduranceTimes *times;

  guint n_busy;
  char *problem; /* the first call that failed; or %NULL */
} EnduranceLoad;

/* FALSE: a call failed. Others are still in flight then, and the process can only end. */
gboolean endurance_load_run (EnduranceLoad *self);

/* What the job with that number is like. Ids rise with the numbers, as the library's own. */
void endurance_write_id (guint64 number, char id[ENDURANCE_ID_SIZE]);
void endurance_write_args (guint64 number, char args[ENDURANCE_ARGS_SIZE]);
guint64 endurance_read_number (const char *args);

G_END_DECLS
