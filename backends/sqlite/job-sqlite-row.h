/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job as a row of the table, both ways. */

#pragma once

#include "job-sqlite-connection.h"

G_BEGIN_DECLS

/* The key of the row that an id in order has by itself: greater than 0. 0 for any other id. */
gint64 job_sqlite_row_get_home (const JobId *id);

/* For JOB_SQLITE_UPDATE. The memory of @change is used until the statement has run. */
void job_sqlite_row_bind_status (sqlite3_stmt *statement, gint64 key, const JobChange *change);
void job_sqlite_row_bind_id (sqlite3_stmt *statement, int parameter, const JobId *id);

/* FALSE if the column has no id. */
gboolean job_sqlite_row_get_id (sqlite3_stmt *statement, int column, JobId *id);
/* The job of a row of JOB_SQLITE_COLUMNS. JOB_ERROR_CORRUPT if it is no job. */
gboolean job_sqlite_row_read (JobSqliteConnection *connection, sqlite3_stmt *statement,
                              JobRecord **record, JobStatus *status, GError **error);

G_END_DECLS
