/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue in one SQLite database. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

#define JOB_TYPE_SQLITE_QUEUE (job_sqlite_queue_get_type ())
G_DECLARE_FINAL_TYPE (JobSqliteQueue, job_sqlite_queue, JOB, SQLITE_QUEUE, JobLocalQueue)

G_END_DECLS
