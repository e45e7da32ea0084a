/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A page that is damaged ends a walk: SQLite does not know what comes behind it. Then the scan goes
 * on in another way, for what it has not visited yet:
 *
 *   1. by the index of what is not over (not if everything is wanted);
 *   2. through the table itself, forwards, to the first damaged page;
 *   3. through the table backwards, to the last one.
 *
 * So one damaged page costs the rows of that page, and a damaged index costs nothing but time. */

#include "job-sqlite-scan.h"

#define SELECT "SELECT " JOB_SQLITE_COLUMNS " FROM job "
#define NOT_OVER "state NOT IN (4, 5, 6)" /* as in the index */

/* ?1 and ?2: state and key of the last row of the first walk; ?3: key of the last one of the
 * second. */
static const char by_index[] =
    SELECT "INDEXED BY job_not_over WHERE " NOT_OVER " ORDER BY state, key";
static const char not_over_forwards[] =
    SELECT "NOT INDEXED WHERE " NOT_OVER " AND (state, key) > (?1, ?2) ORDER BY key";
static const char not_over_backwards[] = SELECT
    "NOT INDEXED WHERE " NOT_OVER " AND (state, key) > (?1, ?2) AND key > ?3 ORDER BY key DESC";
static const char all_forwards[] = SELECT "NOT INDEXED ORDER BY key";
static const char all_backwards[] = SELECT "NOT INDEXED WHERE key > ?3 ORDER BY key DESC";

typedef struct
{
  JobSqliteConnection *connection;
  JobSqliteRowVisitor visitor;
  gpointer data;
  gint64 state, key; /* of the last row by the index */
  gint64 table_key;  /* of the last row forwards */
  GError *damage;    /* the first that a walk met with */
} Scan;

typedef enum
{
  DONE,
  DAMAGED,
  FAILED,
} Outcome;

/* A state that is no number comes behind all others, and belongs to a damaged row: visiting such a
 * row twice does no harm. */
static void
note_place (Scan *scan, const char *sql, sqlite3_stmt *row)
{
  if (sql != by_index)
    scan->table_key = sqlite3_column_int64 (row, JOB_SQLITE_KEY);
  else if (sqlite3_column_type (row, JOB_SQLITE_STATE) == SQLITE_INTEGER)
    {
      scan->state = sqlite3_column_int64 (row, JOB_SQLITE_STATE);
      scan->key = sqlite3_column_int64 (row, JOB_SQLITE_KEY);
    }
}

/* What SQLite failed with. */
static Outcome
judge (Scan *scan, GError *failure, GError **error)
{
  if (!g_error_matches (failure, JOB_ERROR, JOB_ERROR_CORRUPT))
    {
      g_propagate_error (error, failure);
      return FAILED;
    }
  if (scan->damage == NULL)
    scan->damage = failure;
  else
    g_error_free (failure);
  return DAMAGED;
}

static Outcome
visit_rows (Scan *scan, const char *sql, sqlite3_stmt *statement, GError **error)
{
  GError *failure = NULL;
  gboolean more;

  while (job_sqlite_connection_step (scan->connection, statement, &more, &failure))
    {
      if (!more)
        return DONE;
      note_place (scan, sql, statement);
      if (!scan->visitor (statement, scan->data, &failure))
        {
          if (failure == NULL)
            return DONE;
          g_propagate_error (error, failure);
          return FAILED;
        }
    }
  return judge (scan, failure, error);
}

static Outcome
walk (Scan *scan, const char *sql, GError **error)
{
  GError *failure = NULL;
  sqlite3_stmt *statement = job_sqlite_connection_prepare (scan->connection, sql, &failure);
  Outcome outcome;

  if (statement == NULL)
    return judge (scan, failure, error);
  /* Those that a statement does not have are refused, without harm. */
  sqlite3_bind_int64 (statement, 1, scan->state);
  sqlite3_bind_int64 (statement, 2, scan->key);
  sqlite3_bind_int64 (statement, 3, scan->table_key);
  outcome = visit_rows (scan, sql, statement, error);
  sqlite3_finalize (statement);
  return outcome;
}

gboolean
job_sqlite_scan (JobSqliteConnection *connection, gboolean everything, JobSqliteRowVisitor visitor,
                 gpointer data, GError **broken, GError **error)
{
  Scan scan = { connection, visitor, data, G_MININT64, G_MININT64, G_MININT64, NULL };
  Outcome outcome = everything ? DAMAGED : walk (&scan, by_index, error);

  if (outcome == DAMAGED)
    outcome = walk (&scan, everything ? all_forwards : not_over_forwards, error);
  if (outcome == DAMAGED)
    outcome = walk (&scan, everything ? all_backwards : not_over_backwards, error);
  if (outcome != FAILED && scan.damage != NULL)
    g_propagate_error (broken, g_steal_pointer (&scan.damage));
  g_clear_error (&scan.damage);
  return outcome != FAILED;
}
