/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker's fields, and its run, which is a file of its own. */

#pragma once

#include "job-attempt-private.h"
#include "job-worker.h"

G_BEGIN_DECLS

struct _JobWorker
{
  GObject parent_instance;

  /* Constant after construction. */
  JobQueue *queue;
  JobClock *clock;
  guint n_jobs;

  /* All else belongs to the context of the run, and to the caller while there is none. */
  gint64 heartbeat_interval; /* µs */
  GHashTable *handlers;      /* type → JobHandler, both owned */
  GPtrArray *types;          /* the keys of handlers, in the order of their adding, and NULL */
  char **channels;           /* owned; NULL: any */

  GTask *task; /* the run; owned; NULL: there is none */
  gboolean drain;
  gboolean ending;           /* nothing new is begun */
  gboolean probing;          /* the dequeue that is outstanding is step (2) */
  gboolean listing;          /* step (3) is under way */
  GError *error;             /* what ended the run */
  GCancellable *waiting;     /* of the dequeues that are outstanding */
  gboolean taken_back;       /* they have all been cancelled */
  guint n_waiting;           /* how many */
  guint n_handling;          /* handlers at work */
  GHashTable *attempts;      /* of JobAttempt, owned: handlers at work, and reports on their way */
  GSource *stop_source;      /* the run's cancellable; owned, may be NULL */
  GSource *heartbeat_source; /* owned */
  GSource *settle_source;    /* step (1) is due; owned, may be NULL */
};

/* job-worker.c */
void job_worker_emit_started (JobWorker *self, JobLease *lease);
void job_worker_emit_ended (JobWorker *self, JobAttempt *attempt);

/* job-worker-run.c: begins the run that self->task stands for, and returns that when it has ended.
 */
void job_worker_begin_run (JobWorker *self);

G_END_DECLS
