/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs in an SQLite database. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

#define JOB_TYPE_SQLITE_STORE (job_sqlite_store_get_type ())
G_DECLARE_FINAL_TYPE (JobSqliteStore, job_sqlite_store, JOB, SQLITE_STORE, JobStore)

/* Opens the database @path, or makes it, and takes its locks. */
JobStore *job_sqlite_store_new (const char *path, GError **error);

G_END_DECLS
