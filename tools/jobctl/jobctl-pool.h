/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pool of workers until it is told to stop: what "jobctl work" and "jobctl run" have in common.
 */

#pragma once

#include "jobctl.h"

G_BEGIN_DECLS

/* The options of a pool, as the command line gives them. */
typedef struct
{
  int n_jobs;     /* --jobs; 0: one for each core */
  GStrv types;    /* --type, as TYPE=HANDLER; NULL: exec=exec */
  GStrv channels; /* --channel; NULL: any */
} JobctlPoolOptions;

void jobctl_pool_options_clear (JobctlPoolOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JobctlPoolOptions, jobctl_pool_options_clear)

typedef struct
{
  Jobctl *ctl;
  gboolean quiet; /* without --json: do not tell of each job that failed */
  JobWorker *worker;
  GCancellable *cancellable; /* ends the run: by a signal, or by jobctl_pool_stop() */
  int signal;                /* the signal that did; 0: none */
  gboolean running;
  GError *error; /* what ended the run */
  guint n_succeeded;
  guint n_failed;
} JobctlPool;

/* Loads the handlers. The queue is open. */
JobctlPool *jobctl_pool_new (Jobctl *ctl, const JobctlPoolOptions *options, GError **error);
void jobctl_pool_free (JobctlPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobctlPool, jobctl_pool_free)

/* Makes those jobs pending again that the store's former holder, which is dead, was running. */
gboolean jobctl_pool_take_back_leases (JobctlPool *self, GError **error);
/* Runs jobs in the default context: until a signal, until jobctl_pool_stop(), or with @drain until
 * nothing is left that the handlers can run. */
gboolean jobctl_pool_run (JobctlPool *self, gboolean drain, GError **error);
void jobctl_pool_stop (JobctlPool *self);
/* Prints {"event": @event, "id": …, "type": …} and, if they are not NULL, name and JSON value of
 * one more member. */
void jobctl_print_event (const char *event, const char *id, const char *type, const char *member,
                         const char *json);

G_END_DECLS
