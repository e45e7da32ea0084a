/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a job's row is, and what is done to it. */

#pragma once

#include "job-sqlite-connection.h"

G_BEGIN_DECLS

typedef struct _JobSqliteJobs JobSqliteJobs;

JobSqliteJobs *job_sqlite_jobs_new (JobSqliteConnection *connection, GError **error);
void job_sqlite_jobs_free (JobSqliteJobs *self);

/* Makes the jobs' rows, over whatever they had. The @changes have records. */
gboolean job_sqlite_jobs_put (JobSqliteJobs *self, const JobChange *changes, gsize n_changes,
                              GError **error);
/* Gives the job a new status, if it is there. */
gboolean job_sqlite_jobs_update (JobSqliteJobs *self, const JobChange *change, gboolean *found,
                                 GError **error);
/* The job's row as JOB_SQLITE_COLUMNS, to be reset, or NULL in *row if there is none. */
gboolean job_sqlite_jobs_find (JobSqliteJobs *self, const JobId *id, sqlite3_stmt **row,
                               GError **error);
/* Removes a row, whatever is in it, with its dependencies. */
gboolean job_sqlite_jobs_remove (JobSqliteJobs *self, gint64 key, GError **error);

G_END_DECLS
