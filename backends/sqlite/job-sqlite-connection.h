/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One connection to one database: its settings, the statements that are used all the time, the
 * transaction, and SQLite's errors as ours. */

#pragma once

#include <jobqueue-backend.h>
#include <sqlite3.h>

G_BEGIN_DECLS

typedef enum
{
  JOB_SQLITE_INSERT,
  JOB_SQLITE_UPDATE,
  JOB_SQLITE_DELETE,
  JOB_SQLITE_READ,
  JOB_SQLITE_FIND_ID,
  JOB_SQLITE_FIND_KEY,
  JOB_SQLITE_FIRST_KEY,
  JOB_SQLITE_INSERT_DEPENDENCY,
  JOB_SQLITE_DELETE_DEPENDENCIES,
  JOB_SQLITE_READ_DEPENDENCIES,
  JOB_SQLITE_LIST_DEPENDENTS,
  JOB_SQLITE_N_STATEMENTS,
} JobSqliteStatement;

/* The columns of a statement that reads jobs, in this order. */
#define JOB_SQLITE_COLUMNS                                                                         \
  "key, id, state, reason, culprit, attempts, token, started_at, finished_at, priority, "          \
  "queued_at, run_at, max_attempts, dependencies, type, channel, args, outcome"

enum
{
  JOB_SQLITE_KEY,
  JOB_SQLITE_ID,
  JOB_SQLITE_STATE,
  JOB_SQLITE_REASON,
  JOB_SQLITE_CULPRIT,
  JOB_SQLITE_ATTEMPTS,
  JOB_SQLITE_TOKEN,
  JOB_SQLITE_STARTED_AT,
  JOB_SQLITE_FINISHED_AT,
  JOB_SQLITE_PRIORITY,
  JOB_SQLITE_QUEUED_AT,
  JOB_SQLITE_RUN_AT,
  JOB_SQLITE_MAX_ATTEMPTS,
  JOB_SQLITE_DEPENDENCIES,
  JOB_SQLITE_TYPE,
  JOB_SQLITE_CHANNEL,
  JOB_SQLITE_ARGS,
  JOB_SQLITE_OUTCOME,
  JOB_SQLITE_N_COLUMNS,
};

/* Whether it is blocked, scheduled or pending is not kept. */
#define job_sqlite_state_to_keep(state) ((int) MAX ((state), JOB_STATE_PENDING))

typedef struct _JobSqliteConnection JobSqliteConnection;

/* @file is what SQLite opens, absolute and without symbolic links; it must be there, and nothing is
 * read of it yet. @path is what errors call it. */
JobSqliteConnection *job_sqlite_connection_open (const char *file, const char *path,
                                                 GError **error);
/* Sets how it is read, written and locked. From here on nobody else can use the file. */
gboolean job_sqlite_connection_set_up (JobSqliteConnection *self, GError **error);
/* Rolls back what is not committed. */
void job_sqlite_connection_free (JobSqliteConnection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobSqliteConnection, job_sqlite_connection_free)

sqlite3 *job_sqlite_connection_get_handle (JobSqliteConnection *self);
const char *job_sqlite_connection_get_path (JobSqliteConnection *self);
/* Sets the error for SQLite's @code: "Cannot <verb> “<path>”: …". Returns FALSE. */
gboolean job_sqlite_connection_fail (JobSqliteConnection *self, int code, const char *verb,
                                     GError **error);

/* Whether a file could not be read since it was opened. SQLite calls that corruption, too. */
gboolean job_sqlite_connection_met_input_error (JobSqliteConnection *self);

/* Runs SQL that has no answer. */
gboolean job_sqlite_connection_execute (JobSqliteConnection *self, const char *sql,
                                        const char *verb, GError **error);
/* A statement for one use; sqlite3_finalize() it. */
sqlite3_stmt *job_sqlite_connection_prepare (JobSqliteConnection *self, const char *sql,
                                             GError **error);
/* Prepares those that are kept: the tables must be there. */
gboolean job_sqlite_connection_prepare_all (JobSqliteConnection *self, GError **error);
/* One of those, ready to be bound; sqlite3_reset() it after use. */
sqlite3_stmt *job_sqlite_connection_get (JobSqliteConnection *self, JobSqliteStatement which);
/* Steps: *more says whether there is a row. Resets the statement when there is none, or after an
 * error. */
gboolean job_sqlite_connection_step (JobSqliteConnection *self, sqlite3_stmt *statement,
                                     gboolean *more, GError **error);
/* Runs a bound statement that changes something; *n_changed (or NULL) is how many rows. */
gboolean job_sqlite_connection_run (JobSqliteConnection *self, sqlite3_stmt *statement,
                                    int *n_changed, GError **error);
/* Inserts jobs as rows with these keys; *n_inserted is how many of the keys were free. */
gboolean job_sqlite_connection_insert (JobSqliteConnection *self, const gint64 *keys,
                                       const JobChange *changes, gsize n_changes, int *n_inserted,
                                       GError **error);

/* Starts a transaction if there is none. */
gboolean job_sqlite_connection_begin (JobSqliteConnection *self, GError **error);
/* Makes the transaction durable, if there is one. After a failure all of it is undone. */
gboolean job_sqlite_connection_commit (JobSqliteConnection *self, GError **error);
/* Undoes the transaction, if there is one. */
void job_sqlite_connection_roll_back (JobSqliteConnection *self);

G_END_DECLS
