/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The schema, as a list of steps: step n brings version n to n + 1, so that a new database takes
 * all of them. A step that was released is never changed.
 *
 * Tables are for the library: ids in 16 bytes, times in nanoseconds, states in numbers. Views are
 * for people.
 *
 *   job                one row a job; the key is explained in job-sqlite-jobs.c
 *   job_by_id          the ids of jobs that are not at the key that their id gives: usually none
 *   job_not_over       what opening reads. A state that is none is in it too: it must be seen
 *   dependency         one row an edge; job.dependencies is their number
 *   dependency_by_id   who depends on a job
 *   jobs, dependencies the same in words
 *
 * The columns of a job that change come first and those that can be long last, so that what is
 * short can be read without them. */

#include "job-sqlite-schema.h"

#include <string.h>

#define HEADER_SIZE 100
#define HEADER_VERSION 60     /* PRAGMA user_version, big-endian */
#define HEADER_APPLICATION 68 /* PRAGMA application_id, big-endian */

#define ID_TEXT(column)                                                                            \
  "CASE WHEN " column " IS NOT NULL THEN lower (substr (hex (" column "), 1, 8) || '-' || "        \
  "substr (hex (" column "), 9, 4) || '-' || substr (hex (" column "), 13, 4) || '-' || "          \
  "substr (hex (" column "), 17, 4) || '-' || substr (hex (" column "), 21)) END"

#define TIME_TEXT(column)                                                                          \
  "CASE WHEN " column " <> 0 THEN strftime ('%Y-%m-%dT%H:%M:%S', " column " / 1000000000, "        \
  "'unixepoch') || printf ('.%09dZ', " column " % 1000000000) END AS " column

static const char *const steps[JOB_SQLITE_VERSION] = {
  "CREATE TABLE job ("
  "  key INTEGER PRIMARY KEY,"
  "  id BLOB NOT NULL,"
  "  state INTEGER NOT NULL,"
  "  reason INTEGER NOT NULL,"
  "  culprit BLOB,"
  "  attempts INTEGER NOT NULL,"
  "  token BLOB,"
  "  started_at INTEGER NOT NULL,"
  "  finished_at INTEGER NOT NULL,"
  "  priority INTEGER NOT NULL,"
  "  queued_at INTEGER NOT NULL,"
  "  run_at INTEGER NOT NULL,"
  "  max_attempts INTEGER NOT NULL,"
  "  dependencies INTEGER NOT NULL,"
  "  type TEXT NOT NULL,"
  "  channel TEXT NOT NULL,"
  "  args TEXT NOT NULL,"
  "  outcome TEXT);"
  "CREATE UNIQUE INDEX job_by_id ON job (id) WHERE key < 0;"
  "CREATE INDEX job_not_over ON job (state) WHERE state NOT IN (4, 5, 6);"

  "CREATE TABLE dependency ("
  "  job INTEGER NOT NULL,"
  "  ordinal INTEGER NOT NULL,"
  "  id BLOB NOT NULL,"
  "  condition INTEGER NOT NULL,"
  "  PRIMARY KEY (job, ordinal)) WITHOUT ROWID;"
  "CREATE INDEX dependency_by_id ON dependency (id);"

  "CREATE VIEW jobs AS SELECT " ID_TEXT (
      "id") " AS id, type, channel, priority,"
            "  CASE state WHEN 2 THEN 'waiting' WHEN 3 THEN 'running' WHEN 4 THEN 'succeeded'"
            "    WHEN 5 THEN 'failed' WHEN 6 THEN 'canceled' ELSE 'damaged' END AS state,"
            "  CASE reason WHEN 1 THEN 'requested' WHEN 2 THEN 'dependency'"
            "    WHEN 3 THEN 'damaged-dependency' WHEN 4 THEN 'run-at'"
            "    WHEN 5 THEN 'lease-without-token' END AS reason,"
            "  " ID_TEXT (
                "culprit") " AS culprit, attempts, max_attempts,"
                           "  " TIME_TEXT ("queued_at") ", " TIME_TEXT ("run_at") ", " TIME_TEXT (
                               "started_at") ","
                                             "  " TIME_TEXT (
                                                 "finished_at") ", args,"
                                                                "  CASE WHEN state = 4 THEN "
                                                                "outcome END AS result,"
                                                                "  CASE WHEN state <> 4 THEN "
                                                                "outcome END AS error FROM job;"

                                                                "CREATE VIEW dependencies AS "
                                                                "SELECT " ID_TEXT (
                                                                    "job.id") " AS job,"
                                                                              "  " ID_TEXT (
                                                                                  "depend"
                                                                                  "ency."
                                                                                  "id") " AS "
                                                                                        "dependency"
                                                                                        ","
                                                                                        "  CASE "
                                                                                        "condition "
                                                                                        "WHEN 0 "
                                                                                        "THEN "
                                                                                        "'afterok' "
                                                                                        "WHEN 1 "
                                                                                        "THEN "
                                                                                        "'afterany'"
                                                                                        " WHEN 2 "
                                                                                        "THEN "
                                                                                        "'afternoto"
                                                                                        "k'"
                                                                                        "    ELSE "
                                                                                        "'damaged' "
                                                                                        "END AS "
                                                                                        "condition"
                                                                                        "  FROM "
                                                                                        "job JOIN "
                                                                                        "dependency"
                                                                                        " ON "
                                                                                        "dependency"
                                                                                        ".job = "
                                                                                        "job.key;",
};

/* --- whose file it is ------------------------------------------------------------------------- */

static guint32
get_number (const guint8 *at)
{
  guint32 value;

  memcpy (&value, at, sizeof value);
  return GUINT32_FROM_BE (value);
}

static gboolean
refuse (JobSqliteConnection *connection, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
               "“%s” is not a jobqueue file: name another one, or move it away",
               job_sqlite_connection_get_path (connection));
  return FALSE;
}

static gboolean
refuse_newer (JobSqliteConnection *connection, guint32 version, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_VERSION,
               "“%s” has schema version %u, and this library knows %d: open it with the newer "
               "library that wrote it",
               job_sqlite_connection_get_path (connection), version, JOB_SQLITE_VERSION);
  return FALSE;
}

static gboolean
check_header (JobSqliteConnection *connection, const guint8 *header, GError **error)
{
  guint32 version = get_number (header + HEADER_VERSION);

  if (memcmp (header, "SQLite format 3", 16) != 0 ||
      get_number (header + HEADER_APPLICATION) != JOB_SQLITE_APPLICATION_ID || version == 0)
    return refuse (connection, error);
  return version <= JOB_SQLITE_VERSION || refuse_newer (connection, version, error);
}

/* By the descriptor that SQLite has already: closing another one of the file would drop the locks
 * that this process holds on it, and asking by a statement would play back whatever rollback
 * journal is there, for whoever's file it is. What is looked at is in the first sector, and the
 * same in every state of a file of ours. */
gboolean
job_sqlite_schema_check (JobSqliteConnection *connection, GError **error)
{
  sqlite3 *db = job_sqlite_connection_get_handle (connection);
  guint8 header[HEADER_SIZE];
  sqlite3_file *file;
  int code = sqlite3_file_control (db, "main", SQLITE_FCNTL_FILE_POINTER, &file);

  if (code == SQLITE_OK)
    code = file->pMethods->xRead (file, header, sizeof header, 0);
  if (code == SQLITE_IOERR_SHORT_READ)
    return refuse (connection, error);
  if (code != SQLITE_OK)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE, "Cannot read “%s”: SQLite: %s",
                   job_sqlite_connection_get_path (connection), sqlite3_errstr (code));
      return FALSE;
    }
  return check_header (connection, header, error);
}

/* --- its version ------------------------------------------------------------------------------ */

static gboolean
read_version (JobSqliteConnection *connection, guint *version, GError **error)
{
  sqlite3_stmt *statement =
      job_sqlite_connection_prepare (connection, "PRAGMA user_version", error);
  gboolean more;

  if (statement == NULL || !job_sqlite_connection_step (connection, statement, &more, error))
    {
      sqlite3_finalize (statement);
      return FALSE;
    }
  *version = (guint) sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  return TRUE;
}

static gboolean
take_steps (JobSqliteConnection *connection, guint version, GError **error)
{
  g_autofree char *mark = g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %d;",
                                           JOB_SQLITE_APPLICATION_ID, JOB_SQLITE_VERSION);

  for (guint i = version; i < JOB_SQLITE_VERSION; i++)
    if (!job_sqlite_connection_execute (connection, steps[i], "set up", error))
      return FALSE;
  return job_sqlite_connection_execute (connection, mark, "set up", error);
}

static gboolean
raise_in_transaction (JobSqliteConnection *connection, GError **error)
{
  guint version;

  if (!read_version (connection, &version, error))
    return FALSE;
  if (version > JOB_SQLITE_VERSION)
    return refuse_newer (connection, version, error);
  return version == JOB_SQLITE_VERSION || take_steps (connection, version, error);
}

gboolean
job_sqlite_schema_raise (JobSqliteConnection *connection, GError **error)
{
  if (!job_sqlite_connection_execute (connection, "BEGIN EXCLUSIVE", "open", error))
    return FALSE;
  if (raise_in_transaction (connection, error))
    return job_sqlite_connection_commit (connection, error);
  job_sqlite_connection_roll_back (connection);
  return FALSE;
}
