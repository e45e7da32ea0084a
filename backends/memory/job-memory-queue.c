/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The backend "memory": no options, no location, nothing left after the queue is closed. Two of
 * them in one process are two queues, so there is nothing to lock. */

#include "job-memory-queue.h"

#include "job-memory-store.h"

struct _JobMemoryQueue
{
  JobLocalQueue parent_instance;
};

G_DEFINE_FINAL_TYPE (JobMemoryQueue, job_memory_queue, JOB_TYPE_LOCAL_QUEUE)

static JobStore *
job_memory_queue_open_store (JobLocalQueue *self, GError **error)
{
  return job_memory_store_new ();
}

static void
job_memory_queue_class_init (JobMemoryQueueClass *klass)
{
  JOB_LOCAL_QUEUE_CLASS (klass)->open_store = job_memory_queue_open_store;
}

static void
job_memory_queue_init (JobMemoryQueue *self)
{
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "memory", job_memory_queue_get_type, NULL)
