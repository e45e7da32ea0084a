/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the worker share: a worker on a queue that does what the test says, with a
 * handler whose jobs end when the test says so. */

#pragma once

#include "manual-handler.h"
#include "scripted-queue.h"

G_BEGIN_DECLS

#define WALL_TIME (G_GINT64_CONSTANT (1700000000) * 1000000000) /* of the stepped clock */

typedef struct
{
  ScriptedQueue *queue;
  ManualHandler *handler;
  JobSteppedClock *clock;
  JobWorker *worker;
  GCancellable *cancellable;
  gboolean done;
  gboolean result;
  GError *error;   /* of the run */
  guint n_started; /* signals */
  guint n_ended;
  gboolean succeeded; /* of the last job-ended */
  char *outcome;
  GError *job_error;
} WorkerFixture;

void worker_set_up (WorkerFixture *f, guint n_jobs);
void worker_tear_down (WorkerFixture *f);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WorkerFixture, worker_tear_down)

void worker_add_job (WorkerFixture *f, guint number);
void worker_set_error (WorkerFixture *f, ScriptedVerb verb, JobError code);
/* The callback of a run, whose data is a fixture. */
void worker_on_done (GObject *source, GAsyncResult *result, gpointer data);
void worker_start (WorkerFixture *f, gboolean drain);
/* Stops the run; that is no error. */
void worker_stop (WorkerFixture *f);

#define WAIT_FOR(condition)                                                                        \
  while (!(condition))                                                                             \
  g_main_context_iteration (NULL, TRUE)

/* Until nothing is left to be dispatched: whatever was about to happen has happened. */
void worker_settle (void);

G_END_DECLS
