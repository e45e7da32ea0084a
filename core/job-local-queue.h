/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue that lives in one process: everything but where its jobs are kept. A backend derives from
 * it, says which store to open, and has its options as construct properties. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-queue-backend.h"
#include "job-store.h"

G_BEGIN_DECLS

#define JOB_TYPE_LOCAL_QUEUE (job_local_queue_get_type ())
JOB_API
G_DECLARE_DERIVABLE_TYPE (JobLocalQueue, job_local_queue, JOB, LOCAL_QUEUE, GObject)

struct _JobLocalQueueClass
{
  GObjectClass parent_class;

  /* Opens the store and takes its lock for as long as the store lives. Called once, in
   * g_initable_init(), in the caller's thread. JOB_ERROR_LOCKED, with the holder's pid where it can
   * be told, if another process or another queue of this one has it. */
  JobStore *(*open_store) (JobLocalQueue *self, GError **error);

  gpointer padding[8];
};

G_END_DECLS
