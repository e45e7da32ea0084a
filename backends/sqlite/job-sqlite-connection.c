/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection, and how it is set up.
 *
 * What makes an acknowledged job durable is the queue's own journal, which holds all that came
 * since the last checkpoint. So SQLite has two duties only: at a checkpoint, all must be on disk;
 * and at any moment between two of them, whatever happens, the file must be one that was committed.
 * For that it has a rollback journal, and synchronous=FULL.
 *
 * Why not a write-ahead log: with one, every page is written twice, to the log and then to the
 * file. With a rollback journal, a page that is new to the file, as most are where jobs come in, is
 * written once; and an old one twice, as with the log. The log's gains, commits without a wait and
 * readers beside a writer, are not needed: there are only a few commits a second, in the
 * background, and one connection. Measured on the same machine, the rollback journal was never
 * slower.
 *
 * Why FULL and not less: with OFF, a power cut may leave a file that is half of two states, and our
 * journal could not mend it, for it does not have what was settled before. NORMAL has the same
 * risk, if a smaller one, with a rollback journal. The price of FULL is five fsyncs for each
 * transaction, and a transaction has thousands of changes.
 *
 * journal_mode=PERSIST: the journal is not removed after each transaction. Its header is
 * overwritten with zeros, durably, which is the commit. (In mode DELETE, a power cut could bring
 * the removed journal back, and with it the state before the commit.) Closing removes it.
 *
 * The exclusive locking mode spares a dozen system calls for each read; nobody else may have the
 * file anyway. There is no mapping: a sector that cannot be read would be a SIGBUS. */

#include "job-sqlite-connection.h"

#include <errno.h>

#include "job-sqlite-changes.h"

#define SETTINGS                                                                                   \
  "PRAGMA locking_mode = EXCLUSIVE;"                                                               \
  "PRAGMA journal_mode = PERSIST;"                                                                 \
  "PRAGMA synchronous = FULL;"                                                                     \
  "PRAGMA journal_size_limit = 16777216;"                                                          \
  "PRAGMA cache_size = -8192;" /* KiB: more pages are written before the commit */                 \
  "PRAGMA mmap_size = 0;"                                                                          \
  "PRAGMA secure_delete = OFF;"                                                                    \
  "PRAGMA cell_size_check = ON;"

struct _JobSqliteConnection
{
  /* All guarded by the store's owner, who serialises the calls. */
  sqlite3 *db;
  char *path;
  gboolean is_set_up;
  JobSqliteChanges changes; /* what is being inserted */
  sqlite3_stmt *statements[JOB_SQLITE_N_STATEMENTS];
};

/* A job is named by its key; one of an id that is not in order also by its id: see
 * job-sqlite-jobs.c. */
static const char *const sql[JOB_SQLITE_N_STATEMENTS] = {
  [JOB_SQLITE_INSERT] = "INSERT INTO job (" JOB_SQLITE_COLUMNS ") SELECT " JOB_SQLITE_COLUMNS
                        " FROM changes WHERE TRUE ON CONFLICT (key) DO NOTHING",
  [JOB_SQLITE_UPDATE] =
      "UPDATE job SET state = ?3, reason = ?4, culprit = ?5, attempts = ?6, token = ?7,"
      " started_at = ?8, finished_at = ?9, outcome = ?18 WHERE key = ?1 AND id = ?2",
  [JOB_SQLITE_DELETE] = "DELETE FROM job WHERE key = ?1",
  [JOB_SQLITE_READ] = "SELECT " JOB_SQLITE_COLUMNS " FROM job WHERE key = ?1",
  [JOB_SQLITE_FIND_ID] = "SELECT id FROM job WHERE key = ?1",
  [JOB_SQLITE_FIND_KEY] = "SELECT key FROM job INDEXED BY job_by_id WHERE id = ?1 AND key < 0",
  [JOB_SQLITE_FIRST_KEY] = "SELECT min (key) FROM job",
  [JOB_SQLITE_INSERT_DEPENDENCY] =
      "INSERT OR REPLACE INTO dependency (job, ordinal, id, condition) VALUES (?1, ?2, ?3, ?4)",
  [JOB_SQLITE_DELETE_DEPENDENCIES] = "DELETE FROM dependency WHERE job = ?1",
  [JOB_SQLITE_READ_DEPENDENCIES] =
      "SELECT ordinal, id, condition FROM dependency WHERE job = ?1 ORDER BY ordinal",
  [JOB_SQLITE_LIST_DEPENDENTS] =
      "SELECT job.id FROM dependency INDEXED BY dependency_by_id JOIN job"
      " ON job.key = dependency.job WHERE dependency.id = ?1",
};

/* --- errors ----------------------------------------------------------------------------------- */

/* SQLITE_ERROR is what a statement gets if a table or a column is missing. */
static JobError
translate (int code)
{
  switch (code & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return JOB_ERROR_LOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_ERROR:
      return JOB_ERROR_CORRUPT;
    default:
      return JOB_ERROR_STORAGE;
    }
}

static const char *
advise (int code)
{
  switch (code & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ": another program, such as sqlite3, has it open: close it there";
    case SQLITE_FULL:
      return ": make room";
    case SQLITE_READONLY:
      return ": give the right to write it, and its folder";
    default:
      return translate (code) == JOB_ERROR_CORRUPT
                 ? ": keep a copy, then see what “sqlite3 FILE .dump” finds"
                 : "";
    }
}

gboolean
job_sqlite_connection_fail (JobSqliteConnection *self, int code, const char *verb, GError **error)
{
  int cause = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN
                  ? sqlite3_system_errno (self->db)
                  : 0;

  g_set_error (error, JOB_ERROR, translate (code), "Cannot %s “%s”: %s%sSQLite: %s%s", verb,
               self->path, cause != 0 ? g_strerror (cause) : "", cause != 0 ? "; " : "",
               sqlite3_errmsg (self->db), advise (code));
  return FALSE;
}

static gboolean
has_input_error (sqlite3_file *file)
{
  int last = 0;

  return file != NULL && file->pMethods != NULL &&
         file->pMethods->xFileControl (file, SQLITE_FCNTL_LAST_ERRNO, &last) == SQLITE_OK &&
         (last == EIO || last == ENXIO || last == ERANGE);
}

gboolean
job_sqlite_connection_met_input_error (JobSqliteConnection *self)
{
  sqlite3_file *database = NULL, *journal = NULL;

  sqlite3_file_control (self->db, "main", SQLITE_FCNTL_FILE_POINTER, &database);
  sqlite3_file_control (self->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal);
  return has_input_error (database) || has_input_error (journal);
}

/* --- opening and closing ---------------------------------------------------------------------- */

/* SQLite opens what it may not write for reading alone. */
static gboolean
check_writable (JobSqliteConnection *self, GError **error)
{
  if (sqlite3_db_readonly (self->db, "main") == 0)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
               "Cannot open “%s”: it is read-only: give the right to write it", self->path);
  return FALSE;
}

/* Nothing in a file is trusted to run functions, or to change the schema under our statements. */
static gboolean
harden (JobSqliteConnection *self, GError **error)
{
  int code = sqlite3_db_config (self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

  if (code == SQLITE_OK)
    code = sqlite3_db_config (self->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_db_config (self->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  return code == SQLITE_OK || job_sqlite_connection_fail (self, code, "set up", error);
}

JobSqliteConnection *
job_sqlite_connection_open (const char *file, const char *path, GError **error)
{
  g_autoptr (JobSqliteConnection) self = g_new0 (JobSqliteConnection, 1);
  int code;

  self->path = g_strdup (path);
  code = sqlite3_open_v2 (file, &self->db,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
  if (code != SQLITE_OK)
    {
      job_sqlite_connection_fail (self, code, "open", error);
      return NULL;
    }
  sqlite3_extended_result_codes (self->db, 1);
  if (!check_writable (self, error) || !harden (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

gboolean
job_sqlite_connection_set_up (JobSqliteConnection *self, GError **error)
{
  self->is_set_up = job_sqlite_connection_execute (self, SETTINGS, "open", error);
  return self->is_set_up;
}

/* Only outside of the exclusive mode does SQLite remove its journal. The reading before that makes
 * sure that the journal is not needed: if an undoing failed, it plays the journal back, or fails,
 * and then the journal stays. (Without it, SQLite was seen to remove a journal that was hot.) */
static void
remove_rollback_journal (JobSqliteConnection *self)
{
  if (self->is_set_up)
    sqlite3_exec (self->db,
                  "PRAGMA locking_mode = NORMAL;"
                  "SELECT count (*) FROM sqlite_schema;"
                  "PRAGMA journal_mode = DELETE;",
                  NULL, NULL, NULL);
}

void
job_sqlite_connection_free (JobSqliteConnection *self)
{
  for (guint i = 0; i < JOB_SQLITE_N_STATEMENTS; i++)
    sqlite3_finalize (self->statements[i]);
  if (self->db != NULL)
    {
      job_sqlite_connection_roll_back (self);
      remove_rollback_journal (self);
      sqlite3_close (self->db);
    }
  g_free (self->path);
  g_free (self);
}

sqlite3 *
job_sqlite_connection_get_handle (JobSqliteConnection *self)
{
  return self->db;
}

const char *
job_sqlite_connection_get_path (JobSqliteConnection *self)
{
  return self->path;
}

/* --- statements ------------------------------------------------------------------------------- */

gboolean
job_sqlite_connection_execute (JobSqliteConnection *self, const char *text, const char *verb,
                               GError **error)
{
  int code = sqlite3_exec (self->db, text, NULL, NULL, NULL);

  return code == SQLITE_OK || job_sqlite_connection_fail (self, code, verb, error);
}

sqlite3_stmt *
job_sqlite_connection_prepare (JobSqliteConnection *self, const char *text, GError **error)
{
  sqlite3_stmt *statement;
  int code = sqlite3_prepare_v2 (self->db, text, -1, &statement, NULL);

  if (code == SQLITE_OK)
    return statement;
  job_sqlite_connection_fail (self, code, "read", error);
  return NULL;
}

gboolean
job_sqlite_connection_prepare_all (JobSqliteConnection *self, GError **error)
{
  int code = job_sqlite_changes_declare (&self->changes, self->db);

  for (guint i = 0; code == SQLITE_OK && i < JOB_SQLITE_N_STATEMENTS; i++)
    code = sqlite3_prepare_v3 (self->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->statements[i], NULL);
  return code == SQLITE_OK || job_sqlite_connection_fail (self, code, "read", error);
}

sqlite3_stmt *
job_sqlite_connection_get (JobSqliteConnection *self, JobSqliteStatement which)
{
  return self->statements[which];
}

gboolean
job_sqlite_connection_step (JobSqliteConnection *self, sqlite3_stmt *statement, gboolean *more,
                            GError **error)
{
  int code = sqlite3_step (statement);
  gboolean good = code == SQLITE_ROW || code == SQLITE_DONE;

  *more = code == SQLITE_ROW;
  if (!good)
    job_sqlite_connection_fail (self, code, sqlite3_stmt_readonly (statement) ? "read" : "write",
                                error);
  if (!*more)
    sqlite3_reset (statement);
  return good;
}

gboolean
job_sqlite_connection_run (JobSqliteConnection *self, sqlite3_stmt *statement, int *n_changed,
                           GError **error)
{
  gboolean more;

  if (!job_sqlite_connection_step (self, statement, &more, error))
    return FALSE;
  if (n_changed != NULL)
    *n_changed = sqlite3_changes (self->db);
  return TRUE;
}

gboolean
job_sqlite_connection_insert (JobSqliteConnection *self, const gint64 *keys,
                              const JobChange *changes, gsize n_changes, int *n_inserted,
                              GError **error)
{
  gboolean good;

  self->changes = (JobSqliteChanges){ keys, changes, n_changes };
  good = job_sqlite_connection_run (self, self->statements[JOB_SQLITE_INSERT], n_inserted, error);
  self->changes = (JobSqliteChanges){ 0 };
  return good;
}

/* --- the transaction -------------------------------------------------------------------------- */

gboolean
job_sqlite_connection_begin (JobSqliteConnection *self, GError **error)
{
  return sqlite3_get_autocommit (self->db) == 0 ||
         job_sqlite_connection_execute (self, "BEGIN", "write", error);
}

gboolean
job_sqlite_connection_commit (JobSqliteConnection *self, GError **error)
{
  if (sqlite3_get_autocommit (self->db) != 0 ||
      job_sqlite_connection_execute (self, "COMMIT", "write", error))
    return TRUE;
  job_sqlite_connection_roll_back (self);
  return FALSE;
}

/* After most errors SQLite did it by itself. If it fails, the file is as the kernel has it, and the
 * rollback journal, which stays, is played back before the next use. */
void
job_sqlite_connection_roll_back (JobSqliteConnection *self)
{
  if (sqlite3_get_autocommit (self->db) == 0)
    sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
}
