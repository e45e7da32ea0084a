/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the database looks like, and whether one is ours. */

#pragma once

#include "job-sqlite-connection.h"

G_BEGIN_DECLS

/* "JobQ": tells our databases from others. */
#define JOB_SQLITE_APPLICATION_ID 0x4a6f6251
/* The version of the schema: PRAGMA user_version. */
#define JOB_SQLITE_VERSION 1

/* Looks at the file's header, without changing or locking anything: JOB_ERROR_CORRUPT if it is not
 * ours, JOB_ERROR_VERSION if it is newer. */
gboolean job_sqlite_schema_check (JobSqliteConnection *connection, GError **error);
/* Brings it, from whatever older version, or from nothing, to this one, all or nothing. */
gboolean job_sqlite_schema_raise (JobSqliteConnection *connection, GError **error);

G_END_DECLS
