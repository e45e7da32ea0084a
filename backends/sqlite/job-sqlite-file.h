/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The database as a file: who may open it, and how it comes to be. */

#pragma once

#include "job-sqlite-connection.h"

G_BEGIN_DECLS

/* Opens the database @path, or makes it, ready for use. The caller has its lock. */
JobSqliteConnection *job_sqlite_file_open (const char *path, GError **error);

G_END_DECLS
