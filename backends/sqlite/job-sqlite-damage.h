/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rows that cannot be read. */

#pragma once

#include "job-sqlite-connection.h"

G_BEGIN_DECLS

typedef struct _JobSqliteDamages JobSqliteDamages;

JobSqliteDamages *job_sqlite_damages_new (JobSqliteConnection *connection);
void job_sqlite_damages_free (JobSqliteDamages *self);
/* Notes the row that @row (of JOB_SQLITE_COLUMNS) is at. Adding one twice is as adding it once. */
void job_sqlite_damages_add_row (JobSqliteDamages *self, sqlite3_stmt *row, const char *message);
/* Notes a change whose job is not there. */
void job_sqlite_damages_add_orphan (JobSqliteDamages *self, const JobChange *change);
void job_sqlite_damages_remove (JobSqliteDamages *self, const JobId *id);
/* Sets JOB_ERROR_CORRUPT if the job is damaged. */
gboolean job_sqlite_damages_check (JobSqliteDamages *self, const JobId *id, GError **error);
void job_sqlite_damages_list (JobSqliteDamages *self, GPtrArray *list);

/* Writes DIRECTORY/NAME.record, durably, never over a file. *has_row: the row *key is to be removed
 * then. JOB_ERROR_NOT_FOUND if it is not listed. */
gboolean job_sqlite_damages_write (JobSqliteDamages *self, JobDamage *damage, const char *directory,
                                   gboolean *has_row, gint64 *key, GError **error);
/* Forgets what was written. */
void job_sqlite_damages_forget (JobSqliteDamages *self, JobDamage *damage);

G_END_DECLS
