/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One statement, "INSERT INTO job SELECT … FROM changes", takes hundreds of new jobs: binding,
 * starting and ending a statement for each of them costs more than their rows do (3.1 µs a job
 * against 1.4). The table is a virtual one of this connection alone, which SQLite reads row by row
 * while it inserts; nothing in the file can name it.
 *
 * https://www.sqlite.org/vtab.html (eponymous-only virtual tables) */

#include "job-sqlite-changes.h"

#include "job-sqlite-connection.h"

typedef struct
{
  sqlite3_vtab parent;
  const JobSqliteChanges *changes;
} Table;

typedef struct
{
  sqlite3_vtab_cursor parent;
  gsize at;
} Cursor;

static int
connect_table (sqlite3 *db, void *data, int argc, const char *const *argv, sqlite3_vtab **result,
               char **error)
{
  int code = sqlite3_declare_vtab (db, "CREATE TABLE changes (" JOB_SQLITE_COLUMNS ")");
  Table *self;

  if (code == SQLITE_OK)
    code = sqlite3_vtab_config (db, SQLITE_VTAB_DIRECTONLY);
  if (code != SQLITE_OK)
    return code;
  self = g_new0 (Table, 1);
  self->changes = data;
  *result = &self->parent;
  return SQLITE_OK;
}

static int
disconnect_table (sqlite3_vtab *table)
{
  g_free (table);
  return SQLITE_OK;
}

static int
plan (sqlite3_vtab *table, sqlite3_index_info *info)
{
  return SQLITE_OK;
}

/* --- the cursor ------------------------------------------------------------------------------- */

static const JobSqliteChanges *
get_changes (sqlite3_vtab_cursor *cursor)
{
  return ((Table *) cursor->pVtab)->changes;
}

static gsize
get_at (sqlite3_vtab_cursor *cursor)
{
  return ((Cursor *) cursor)->at;
}

static int
open_cursor (sqlite3_vtab *table, sqlite3_vtab_cursor **result)
{
  Cursor *self = g_new0 (Cursor, 1);

  *result = &self->parent;
  return SQLITE_OK;
}

static int
close_cursor (sqlite3_vtab_cursor *cursor)
{
  g_free (cursor);
  return SQLITE_OK;
}

static int
rewind_cursor (sqlite3_vtab_cursor *cursor, int plan_number, const char *plan_text, int argc,
               sqlite3_value **argv)
{
  ((Cursor *) cursor)->at = 0;
  return SQLITE_OK;
}

static int
advance (sqlite3_vtab_cursor *cursor)
{
  ((Cursor *) cursor)->at++;
  return SQLITE_OK;
}

static int
is_at_end (sqlite3_vtab_cursor *cursor)
{
  return get_at (cursor) >= get_changes (cursor)->n_changes;
}

static int
get_rowid (sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
  *rowid = get_changes (cursor)->keys[get_at (cursor)];
  return SQLITE_OK;
}

/* --- a row ------------------------------------------------------------------------------------ */

/* The memory of a change stays until the statement has run. */

static void
give_id (sqlite3_context *result, const JobId *id)
{
  sqlite3_result_blob (result, id->bytes, sizeof id->bytes, SQLITE_STATIC);
}

static void
give_id_or_null (sqlite3_context *result, const JobId *id)
{
  if (job_id_is_nil (id))
    sqlite3_result_null (result);
  else
    give_id (result, id);
}

/* NULL is NULL. */
static void
give_text (sqlite3_context *result, const char *text)
{
  sqlite3_result_text (result, text, -1, SQLITE_STATIC);
}

static void
give_status (sqlite3_context *result, int column, const JobStatus *status)
{
  switch (column)
    {
    case JOB_SQLITE_STATE:
      sqlite3_result_int (result, job_sqlite_state_to_keep (status->state));
      break;
    case JOB_SQLITE_REASON:
      sqlite3_result_int (result, (int) status->reason);
      break;
    case JOB_SQLITE_CULPRIT:
      give_id_or_null (result, &status->culprit);
      break;
    case JOB_SQLITE_ATTEMPTS:
      sqlite3_result_int64 (result, status->attempts);
      break;
    case JOB_SQLITE_TOKEN:
      give_id_or_null (result, &status->token);
      break;
    case JOB_SQLITE_STARTED_AT:
      sqlite3_result_int64 (result, status->started_at);
      break;
    case JOB_SQLITE_FINISHED_AT:
      sqlite3_result_int64 (result, status->finished_at);
      break;
    default:
      give_text (result, status->outcome);
    }
}

static void
give_record (sqlite3_context *result, int column, const JobRecord *record)
{
  switch (column)
    {
    case JOB_SQLITE_PRIORITY:
      sqlite3_result_int (result, record->priority);
      break;
    case JOB_SQLITE_QUEUED_AT:
      sqlite3_result_int64 (result, record->queued_at);
      break;
    case JOB_SQLITE_RUN_AT:
      sqlite3_result_int64 (result, record->run_at);
      break;
    case JOB_SQLITE_MAX_ATTEMPTS:
      sqlite3_result_int64 (result, record->max_attempts);
      break;
    case JOB_SQLITE_DEPENDENCIES:
      sqlite3_result_int64 (result, record->n_dependencies);
      break;
    case JOB_SQLITE_TYPE:
      give_text (result, record->type);
      break;
    case JOB_SQLITE_CHANNEL:
      give_text (result, record->channel);
      break;
    default:
      give_text (result, record->args);
    }
}

static int
give_column (sqlite3_vtab_cursor *cursor, sqlite3_context *result, int column)
{
  const JobSqliteChanges *changes = get_changes (cursor);
  gsize at = get_at (cursor);
  const JobChange *change = &changes->changes[at];

  if (column == JOB_SQLITE_KEY)
    sqlite3_result_int64 (result, changes->keys[at]);
  else if (column == JOB_SQLITE_ID)
    give_id (result, &change->id);
  else if (column >= JOB_SQLITE_PRIORITY && column <= JOB_SQLITE_ARGS)
    give_record (result, column, change->record);
  else
    give_status (result, column, &change->status);
  return SQLITE_OK;
}

int
job_sqlite_changes_declare (JobSqliteChanges *self, sqlite3 *db)
{
  static const sqlite3_module module = {
    .xConnect = connect_table,
    .xBestIndex = plan,
    .xDisconnect = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = rewind_cursor,
    .xNext = advance,
    .xEof = is_at_end,
    .xColumn = give_column,
    .xRowid = get_rowid,
  };

  return sqlite3_create_module (db, "changes", &module, self);
}
