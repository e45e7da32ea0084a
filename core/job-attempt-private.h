/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One job in a worker's hands, from its lease until the queue has taken the report. All of it
 * happens in one GMainContext. */

#pragma once

#include "job-handler.h"

G_BEGIN_DECLS

typedef struct _JobAttempt JobAttempt;

typedef struct
{
  /* The handler is back; its report is on its way. */
  void (*handled) (JobAttempt *self, gpointer data);
  /* All is over, and job_attempt_get_outcome() and job_attempt_get_error() say how. Called last. */
  void (*ended) (JobAttempt *self, gpointer data);
  /* The queue could not take a sign of life, for a reason that is not the job's. */
  void (*troubled) (JobAttempt *self, const GError *error, gpointer data);
} JobAttemptCallbacks;

JobAttempt *job_attempt_new (JobLease *lease, JobHandler *handler,
                             const JobAttemptCallbacks *callbacks, gpointer data);
JobAttempt *job_attempt_ref (JobAttempt *self);
void job_attempt_unref (JobAttempt *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobAttempt, job_attempt_unref)

/* Runs the handler. The callbacks may be called before it returns. */
void job_attempt_start (JobAttempt *self);
/* Cancels the handler, and releases the job unless the handler got done with it. */
void job_attempt_stop (JobAttempt *self);
/* Sends a sign of life, unless the last one has not been answered. */
void job_attempt_heartbeat (JobAttempt *self);

JobLease *job_attempt_get_lease (JobAttempt *self);
gboolean job_attempt_get_succeeded (JobAttempt *self);
const char *job_attempt_get_outcome (JobAttempt *self);
/* Why the queue took no outcome; NULL if it took one. */
const GError *job_attempt_get_error (JobAttempt *self);

/* Whether @error is about one job's lease, and not about the queue as a whole. */
gboolean job_attempt_error_is_own (const GError *error);

G_END_DECLS
