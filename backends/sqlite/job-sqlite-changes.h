/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes as a table that a statement can read. */

#pragma once

#include <jobqueue-backend.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/* What is in the table at the moment: for each change, which has a record, the key of its row. */
typedef struct
{
  const gint64 *keys;
  const JobChange *changes;
  gsize n_changes;
} JobSqliteChanges;

/* Makes @self the table "changes" of this connection, with JOB_SQLITE_COLUMNS; returns SQLite's
 * code. It must live as long as @db. */
int job_sqlite_changes_declare (JobSqliteChanges *self, sqlite3 *db);

G_END_DECLS
