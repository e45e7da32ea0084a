/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pool that keeps a number of jobs running: dequeue, run the handler, heartbeat, report. */

#pragma once

#include "job-handler.h"
#include "job-queue.h"

G_BEGIN_DECLS

#define JOB_TYPE_WORKER (job_worker_get_type ())
JOB_API
G_DECLARE_FINAL_TYPE (JobWorker, job_worker, JOB, WORKER, GObject)

JOB_API JobWorker *job_worker_new (JobQueue *queue, guint n_jobs);
JOB_API void job_worker_add_handler (JobWorker *self, const char *type, JobHandler *handler);
JOB_API void job_worker_set_channels (JobWorker *self, const char *const *channels);
JOB_API guint job_worker_get_n_running (JobWorker *self);
JOB_API void job_worker_run_async (JobWorker *self, gboolean drain, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
JOB_API gboolean job_worker_run_finish (JobWorker *self, GAsyncResult *async_result,
                                        GError **error);

G_END_DECLS
