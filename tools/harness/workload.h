/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A sequence of calls, drawn from a seed, against a real queue and the model side by side. Each is
 * compared with what the model says; one that fails has changed nothing, or says that nobody knows.
 *
 * What was answered is kept in a log, which can be in memory that another process sees: so that one
 * builds the model anew, for a queue whose process is dead. */

#pragma once

#include "model.h"

G_BEGIN_DECLS

#define WORKLOAD_MAX_STEPS 2000

typedef enum
{
  WORK_ENQUEUE,
  WORK_ENQUEUE_MANY,
  WORK_DEQUEUE,
  WORK_DEQUEUE_BY_ID,
  WORK_COMPLETE,
  WORK_FAIL,
  WORK_RELEASE,
  WORK_HEARTBEAT,
  WORK_CANCEL,
  WORK_GET_INFO,
  WORK_REOPEN,
  WORK_N_VERBS,
} WorkVerb;

/* Which job it is about follows from the chances and the model, when its turn comes: so that steps
 * can be left out. */
typedef struct
{
  WorkVerb verb;
  guint number; /* of the step, before others were left out */
  guint32 chances[6];
} WorkStep;

/* What became of a step. */
typedef enum
{
  WORK_NOT_YET,
  WORK_BEGUN,
  WORK_ANSWERED, /* as the model says */
  WORK_FAILED,   /* and nothing has changed */
  WORK_UNKNOWN,  /* it failed, and nobody knows */
} WorkOutcome;

typedef struct
{
  WorkOutcome outcome;
  char token[40]; /* of a dequeue */
} WorkEntry;

typedef struct
{
  guint n_steps;
  WorkEntry entries[WORKLOAD_MAX_STEPS];
  guint n_failed;
  guint n_reopened;      /* after a failure */
  char complaint[16384]; /* what was promised, and is not so; or empty */
} WorkLog;

typedef struct
{
  const char *backend;
  const char *folder;
  GArray *steps; /* of WorkStep */
  WorkLog *log;
  /* May be %NULL. Whether a call may fail just now. */
  gboolean (*may_fail) (gpointer data);
  /* May be %NULL. Before each opening. */
  void (*opening) (gpointer data);
  /* May be %NULL. After each step that was answered, well or not. */
  void (*answered) (guint step, gpointer data);
  gpointer data;
  gboolean fault_lasts; /* what fails, goes on failing */
  gboolean hurries;     /* the other threads do not come to rest between two steps */
  gboolean verbose;

  JobSteppedClock *clock;
  JobQueue *queue; /* %NULL: closed */
  Model *model;
  Model *maybe; /* what is as likely; or %NULL */
} Workload;

GArray *workload_plan (guint64 seed, guint n_steps);
/* "12 complete", a line each. */
char *workload_describe (GArray *steps, const WorkLog *log);

/* Leaves steps out as long as @attempt still has a story of what is wrong. Returns the last one,
 * and frees those before, @story first. */
char *workload_shrink (GArray **steps, char *story, char *(*attempt) (gpointer data),
                       gpointer data);

void workload_init (Workload *self, const char *backend, const char *folder, GArray *steps,
                    WorkLog *log);
void workload_clear (Workload *self);

/* Plays all steps; stops when something is not as promised, or the queue cannot be opened any more.
 * The queue stays open, if it is. */
void workload_run (Workload *self);
void workload_close (Workload *self);

/* In a process that has done none of it: makes the model what the log says after @n_entries, which
 * were answered; if the next one was begun, it may be as well. */
void workload_replay (Workload *self, guint n_entries);
/* Instead of workload_run(), after workload_replay(): opens the queue, which has to be as the model
 * says, and writes into the log what that shows of the step that was cut off. */
gboolean workload_resume (Workload *self);
/* Plays the next @n_steps of what is left. FALSE with a complaint in the log. */
gboolean workload_go_on (Workload *self, guint n_steps);
/* Opens the queue, which has to go, and to be as the model says: twice in a row. FALSE with a
 * complaint in the log. */
gboolean workload_check (Workload *self);

/* The options that say where the files are; *path has to be freed after them. */
GHashTable *workload_dup_options (const char *backend, const char *folder, char **path);
/* Waits until all other threads of this process wait. */
void workload_await_quiet (void);

G_END_DECLS
