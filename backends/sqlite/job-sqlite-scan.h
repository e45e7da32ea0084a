/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All rows of the table, or those of the jobs that are not over, one after another. */

#pragma once

#include "job-sqlite-connection.h"

G_BEGIN_DECLS

/* Gets a row of JOB_SQLITE_COLUMNS. FALSE stops, with or without an error. */
typedef gboolean (*JobSqliteRowVisitor) (sqlite3_stmt *row, gpointer data, GError **error);

/* *broken is set, beside TRUE, if a part of the file could not be read: then all rows but those
 * were visited, none of them twice. */
gboolean job_sqlite_scan (JobSqliteConnection *connection, gboolean everything,
                          JobSqliteRowVisitor visitor, gpointer data, GError **broken,
                          GError **error);

G_END_DECLS
