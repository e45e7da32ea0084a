/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A row as SQL, whatever is in it. */

#pragma once

#include "job-sqlite-connection.h"

G_BEGIN_DECLS

/* The statements that would bring the row of a job back, and those of its dependencies, each value
 * as it is. Empty if there is none. NULL on errors. */
GBytes *job_sqlite_dump_row (JobSqliteConnection *connection, gint64 key, GError **error);

G_END_DECLS
