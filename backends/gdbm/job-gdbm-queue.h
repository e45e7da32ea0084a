/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue in one gdbm file. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

#define JOB_TYPE_GDBM_QUEUE (job_gdbm_queue_get_type ())
G_DECLARE_FINAL_TYPE (JobGdbmQueue, job_gdbm_queue, JOB, GDBM_QUEUE, JobLocalQueue)

G_END_DECLS
