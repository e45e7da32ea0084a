/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A row is believed in nothing: anyone's tool can have written it, SQLite lets any column have any
 * type, and there are no checksums. What is read here is a job as the library could have written
 * it, or damage. */

#include "job-sqlite-row.h"

#include <string.h>

#define LONGEST_NAME 255

gint64
job_sqlite_row_get_home (const JobId *id)
{
  guint64 head;

  if (id->bytes[6] >> 4 != 7 || id->bytes[0] > 0x7f)
    return 0;
  memcpy (&head, id->bytes, sizeof head);
  return (gint64) GUINT64_FROM_BE (head);
}

/* --- in --------------------------------------------------------------------------------------- */

/* Parameters are numbered as columns are, from 1. */
#define PARAMETER(column) ((column) + 1)

void
job_sqlite_row_bind_id (sqlite3_stmt *statement, int parameter, const JobId *id)
{
  sqlite3_bind_blob (statement, parameter, id->bytes, sizeof id->bytes, SQLITE_STATIC);
}

static void
bind_id_or_null (sqlite3_stmt *statement, int column, const JobId *id)
{
  if (job_id_is_nil (id))
    sqlite3_bind_null (statement, PARAMETER (column));
  else
    job_sqlite_row_bind_id (statement, PARAMETER (column), id);
}

static void
bind_number (sqlite3_stmt *statement, int column, gint64 number)
{
  sqlite3_bind_int64 (statement, PARAMETER (column), number);
}

/* NULL is NULL. */
static void
bind_text (sqlite3_stmt *statement, int column, const char *text)
{
  sqlite3_bind_text (statement, PARAMETER (column), text, -1, SQLITE_STATIC);
}

void
job_sqlite_row_bind_status (sqlite3_stmt *statement, gint64 key, const JobChange *change)
{
  const JobStatus *status = &change->status;

  bind_number (statement, JOB_SQLITE_KEY, key);
  job_sqlite_row_bind_id (statement, PARAMETER (JOB_SQLITE_ID), &change->id);
  bind_number (statement, JOB_SQLITE_STATE, job_sqlite_state_to_keep (status->state));
  bind_number (statement, JOB_SQLITE_REASON, status->reason);
  bind_id_or_null (statement, JOB_SQLITE_CULPRIT, &status->culprit);
  bind_number (statement, JOB_SQLITE_ATTEMPTS, status->attempts);
  bind_id_or_null (statement, JOB_SQLITE_TOKEN, &status->token);
  bind_number (statement, JOB_SQLITE_STARTED_AT, status->started_at);
  bind_number (statement, JOB_SQLITE_FINISHED_AT, status->finished_at);
  bind_text (statement, JOB_SQLITE_OUTCOME, status->outcome);
}

/* --- out -------------------------------------------------------------------------------------- */

static gboolean
set_damaged (sqlite3_stmt *statement, int column, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
               "Its column “%s” has something that a job never has there",
               sqlite3_column_name (statement, column));
  return FALSE;
}

static gboolean
get_number (sqlite3_stmt *statement, int column, gint64 least, gint64 greatest, gint64 *number,
            GError **error)
{
  *number = sqlite3_column_int64 (statement, column);
  if (sqlite3_column_type (statement, column) == SQLITE_INTEGER && *number >= least &&
      *number <= greatest)
    return TRUE;
  return set_damaged (statement, column, error);
}

static gboolean
get_time (sqlite3_stmt *statement, int column, gint64 *time, GError **error)
{
  return get_number (statement, column, G_MININT64, G_MAXINT64, time, error);
}

gboolean
job_sqlite_row_get_id (sqlite3_stmt *statement, int column, JobId *id)
{
  if (sqlite3_column_type (statement, column) != SQLITE_BLOB ||
      sqlite3_column_bytes (statement, column) != sizeof id->bytes)
    return FALSE;
  memcpy (id->bytes, sqlite3_column_blob (statement, column), sizeof id->bytes);
  return TRUE;
}

static gboolean
get_id_or_null (sqlite3_stmt *statement, int column, JobId *id, GError **error)
{
  *id = (JobId){ { 0 } };
  return sqlite3_column_type (statement, column) == SQLITE_NULL ||
         job_sqlite_row_get_id (statement, column, id) || set_damaged (statement, column, error);
}

/* The text, valid until the next step, without a zero byte. */
static const char *
peek_text (sqlite3_stmt *statement, int column, gsize *length, GError **error)
{
  const char *text = NULL;

  if (sqlite3_column_type (statement, column) == SQLITE_TEXT)
    {
      text = (const char *) sqlite3_column_text (statement, column);
      *length = (gsize) sqlite3_column_bytes (statement, column);
    }
  if (text == NULL || memchr (text, 0, *length) != NULL)
    {
      set_damaged (statement, column, error);
      return NULL;
    }
  return text;
}

static gboolean
get_name (sqlite3_stmt *statement, int column, gsize least, char **name, GError **error)
{
  gsize length;
  const char *text = peek_text (statement, column, &length, error);

  if (text == NULL)
    return FALSE;
  if (length < least || length > LONGEST_NAME || !g_utf8_validate_len (text, length, NULL))
    return set_damaged (statement, column, error);
  *name = g_strndup (text, length);
  return TRUE;
}

static gboolean
get_json (sqlite3_stmt *statement, int column, char **json, GError **error)
{
  g_autoptr (GError) local = NULL;
  gsize length;
  const char *text = peek_text (statement, column, &length, error);

  if (text == NULL)
    return FALSE;
  if (!job_json_check (text, (gssize) length, sqlite3_column_name (statement, column), NULL, NULL,
                       &local))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "%s", local->message);
      return FALSE;
    }
  *json = g_strndup (text, length);
  return TRUE;
}

static gboolean
get_json_or_null (sqlite3_stmt *statement, int column, char **json, GError **error)
{
  return sqlite3_column_type (statement, column) == SQLITE_NULL ||
         get_json (statement, column, json, error);
}

static gboolean
read_key_and_id (sqlite3_stmt *row, JobId *id, GError **error)
{
  gint64 key = sqlite3_column_int64 (row, JOB_SQLITE_KEY);

  if (!job_sqlite_row_get_id (row, JOB_SQLITE_ID, id))
    return set_damaged (row, JOB_SQLITE_ID, error);
  return key < 0 || (key > 0 && key == job_sqlite_row_get_home (id)) ||
         set_damaged (row, JOB_SQLITE_KEY, error);
}

static gboolean
read_status (sqlite3_stmt *row, JobStatus *status, GError **error)
{
  gint64 state, reason, attempts;

  if (!get_number (row, JOB_SQLITE_STATE, JOB_STATE_PENDING, JOB_STATE_CANCELED, &state, error) ||
      !get_number (row, JOB_SQLITE_REASON, JOB_REASON_NONE, JOB_REASON_LEASE_WITHOUT_TOKEN, &reason,
                   error) ||
      !get_number (row, JOB_SQLITE_ATTEMPTS, 0, G_MAXUINT, &attempts, error) ||
      !get_id_or_null (row, JOB_SQLITE_CULPRIT, &status->culprit, error) ||
      !get_id_or_null (row, JOB_SQLITE_TOKEN, &status->token, error) ||
      !get_time (row, JOB_SQLITE_STARTED_AT, &status->started_at, error) ||
      !get_time (row, JOB_SQLITE_FINISHED_AT, &status->finished_at, error))
    return FALSE;
  status->state = (JobState) state;
  status->reason = (JobReason) reason;
  status->attempts = (guint) attempts;
  return get_json_or_null (row, JOB_SQLITE_OUTCOME, &status->outcome, error);
}

static gboolean
read_record (sqlite3_stmt *row, JobRecord *record, gint64 *n_dependencies, GError **error)
{
  gint64 priority, max_attempts;

  if (!read_key_and_id (row, &record->id, error) ||
      !get_number (row, JOB_SQLITE_PRIORITY, G_MININT, G_MAXINT, &priority, error) ||
      !get_number (row, JOB_SQLITE_MAX_ATTEMPTS, 0, G_MAXUINT, &max_attempts, error) ||
      !get_number (row, JOB_SQLITE_DEPENDENCIES, 0, G_MAXINT, n_dependencies, error) ||
      !get_time (row, JOB_SQLITE_QUEUED_AT, &record->queued_at, error) ||
      !get_time (row, JOB_SQLITE_RUN_AT, &record->run_at, error))
    return FALSE;
  record->priority = (gint) priority;
  record->max_attempts = (guint) max_attempts;
  return get_name (row, JOB_SQLITE_TYPE, 1, &record->type, error) &&
         get_name (row, JOB_SQLITE_CHANNEL, 0, &record->channel, error) &&
         get_json (row, JOB_SQLITE_ARGS, &record->args, error);
}

/* --- dependencies ----------------------------------------------------------------------------- */

static gboolean
read_dependency (sqlite3_stmt *row, gint64 ordinal, JobDependency *dependency, GError **error)
{
  gint64 found, condition;

  if (!get_number (row, 0, ordinal, ordinal, &found, error) ||
      !get_number (row, 2, JOB_CONDITION_AFTER_OK, JOB_CONDITION_AFTER_NOT_OK, &condition, error))
    return FALSE;
  dependency->condition = (JobCondition) condition;
  return job_sqlite_row_get_id (row, 1, &dependency->id) || set_damaged (row, 1, error);
}

/* As they come: their number is believed only once they are all there. */
static gboolean
collect_dependencies (JobSqliteConnection *connection, sqlite3_stmt *statement, GArray *found,
                      GError **error)
{
  gboolean more;

  while (job_sqlite_connection_step (connection, statement, &more, error))
    {
      JobDependency dependency;

      if (!more)
        return TRUE;
      if (!read_dependency (statement, found->len, &dependency, error))
        break;
      g_array_append_val (found, dependency);
    }
  sqlite3_reset (statement);
  return FALSE;
}

static gboolean
read_dependencies (JobSqliteConnection *connection, gint64 key, gint64 n, JobRecord *record,
                   GError **error)
{
  sqlite3_stmt *statement = job_sqlite_connection_get (connection, JOB_SQLITE_READ_DEPENDENCIES);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (JobDependency));

  if (n == 0)
    return TRUE;
  sqlite3_bind_int64 (statement, 1, key);
  if (!collect_dependencies (connection, statement, found, error))
    return FALSE;
  if (found->len != n)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                   "It has %u dependencies of %" G_GINT64_FORMAT, found->len, n);
      return FALSE;
    }
  record->n_dependencies = found->len;
  g_free (record->dependencies);
  record->dependencies = (JobDependency *) (gpointer) g_array_steal (found, NULL);
  return TRUE;
}

gboolean
job_sqlite_row_read (JobSqliteConnection *connection, sqlite3_stmt *statement, JobRecord **record,
                     JobStatus *status, GError **error)
{
  g_autoptr (JobRecord) read = job_record_new (0);
  gint64 key = sqlite3_column_int64 (statement, JOB_SQLITE_KEY);
  gint64 n_dependencies;

  *record = NULL;
  *status = (JobStatus){ 0 };
  if (!read_record (statement, read, &n_dependencies, error) ||
      !read_dependencies (connection, key, n_dependencies, read, error) ||
      !read_status (statement, status, error))
    {
      job_status_clear (status);
      return FALSE;
    }
  *record = g_steal_pointer (&read);
  return TRUE;
}
