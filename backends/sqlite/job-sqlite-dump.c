/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is moved out of the database is written as SQL: it can be read and corrected by hand, and
 * given back by “sqlite3 FILE < ID.record”. No value is changed on the way, of whatever type. */

#include "job-sqlite-dump.h"

#include <math.h>
#include <string.h>

static void
append_hex (GString *out, const guint8 *data, int size)
{
  g_string_append (out, "X'");
  for (int i = 0; i < size; i++)
    g_string_append_printf (out, "%02x", data[i]);
  g_string_append_c (out, '\'');
}

/* Text that a text literal cannot hold goes by its bytes. */
static void
append_text (GString *out, const char *text, int size)
{
  if (memchr (text, 0, (gsize) size) == NULL && g_utf8_validate (text, size, NULL))
    {
      char *quoted = sqlite3_mprintf ("%Q", text);

      g_string_append (out, quoted);
      sqlite3_free (quoted);
      return;
    }
  g_string_append (out, "CAST (");
  append_hex (out, (const guint8 *) text, size);
  g_string_append (out, " AS TEXT)");
}

/* There is no literal for infinity; what is not a number is NULL in SQLite. */
static void
append_real (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (isinf (value))
    {
      g_string_append (out, value > 0 ? "9e999" : "-9e999");
      return;
    }
  g_string_append (out, g_ascii_formatd (text, sizeof text, "%.17e", value));
}

static void
append_value (GString *out, sqlite3_stmt *row, int column)
{
  switch (sqlite3_column_type (row, column))
    {
    case SQLITE_INTEGER:
      g_string_append_printf (out, "%" G_GINT64_FORMAT,
                              (gint64) sqlite3_column_int64 (row, column));
      break;
    case SQLITE_FLOAT:
      append_real (out, sqlite3_column_double (row, column));
      break;
    case SQLITE_TEXT:
      append_text (out, (const char *) sqlite3_column_text (row, column),
                   sqlite3_column_bytes (row, column));
      break;
    case SQLITE_BLOB:
      append_hex (out, sqlite3_column_blob (row, column), sqlite3_column_bytes (row, column));
      break;
    default:
      g_string_append (out, "NULL");
      break;
    }
}

static void
append_row (GString *out, const char *table, sqlite3_stmt *row)
{
  int n = sqlite3_column_count (row);

  g_string_append_printf (out, "INSERT INTO %s (", table);
  for (int i = 0; i < n; i++)
    g_string_append_printf (out, "%s%s", i > 0 ? ", " : "", sqlite3_column_name (row, i));
  g_string_append (out, ") VALUES (");
  for (int i = 0; i < n; i++)
    {
      g_string_append (out, i > 0 ? ", " : "");
      append_value (out, row, i);
    }
  g_string_append (out, ");\n");
}

static gboolean
append_rows (JobSqliteConnection *connection, GString *out, const char *table, const char *sql,
             gint64 key, GError **error)
{
  sqlite3_stmt *statement = job_sqlite_connection_prepare (connection, sql, error);
  gboolean more, good;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, key);
  while ((good = job_sqlite_connection_step (connection, statement, &more, error)) && more)
    append_row (out, table, statement);
  sqlite3_finalize (statement);
  return good;
}

GBytes *
job_sqlite_dump_row (JobSqliteConnection *connection, gint64 key, GError **error)
{
  GString *out = g_string_new (NULL);

  if (append_rows (connection, out, "job", "SELECT * FROM job WHERE key = ?1", key, error) &&
      append_rows (connection, out, "dependency",
                   "SELECT * FROM dependency WHERE job = ?1 ORDER BY ordinal", key, error))
    return g_string_free_to_bytes (out);
  g_string_free (out, TRUE);
  return NULL;
}
