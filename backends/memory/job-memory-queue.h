/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue without a disk, for tests and for those who want speed. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

#define JOB_TYPE_MEMORY_QUEUE (job_memory_queue_get_type ())
G_DECLARE_FINAL_TYPE (JobMemoryQueue, job_memory_queue, JOB, MEMORY_QUEUE, JobLocalQueue)

G_END_DECLS
