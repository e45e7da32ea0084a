/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What runs jobs of a type. Implemented by plugins, or by the application itself. */

#pragma once

#include "job-lease.h"

G_BEGIN_DECLS

#define JOB_TYPE_HANDLER (job_handler_get_type ())
JOB_API
G_DECLARE_INTERFACE (JobHandler, job_handler, JOB, HANDLER, GObject)

struct _JobHandlerInterface
{
  GTypeInterface parent_interface;

  /* Runs the job that @lease names, and calls back in the caller's thread-default context. It stops
   * early when @cancellable fires or when the lease's own cancellable does. It neither completes
   * nor fails the lease: who called it does, with what run_finish returns. */
  void (*run_async) (JobHandler *self, JobLease *lease, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data);
  /* TRUE: the job succeeded, and *outcome is its result. FALSE with *outcome set and no error: the
   * job failed, and *outcome says how. FALSE with an error: the handler could not run it. JSON
   * text. */
  gboolean (*run_finish) (JobHandler *self, GAsyncResult *async_result, char **outcome,
                          GError **error);

  gpointer padding[6];
};

JOB_API JobHandler *job_handler_load (const char *name, GError **error);
JOB_API void job_handler_run_async (JobHandler *self, JobLease *lease, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
JOB_API gboolean job_handler_run_finish (JobHandler *self, GAsyncResult *async_result,
                                         char **outcome, GError **error);

G_END_DECLS
