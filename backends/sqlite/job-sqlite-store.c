/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store that keeps jobs in an SQLite database.
 *
 * Changes gather in one transaction, which stays open from call to call and is committed by a
 * checkpoint, or when it has become large: no read can go on beside a commit, and the journal's
 * fdatasync() stands behind the flood of pages. 8 MiB, some 17,000 small jobs, are committed in 10
 * ms; with half of that, the syncs made it all a tenth slower. A commit is durable (see
 * job-sqlite-connection.c). What is not committed is undone by a failure or a crash, and the owner
 * has it all in its journal: changes are absolute, so that applying them again, over whatever part
 * of them was committed, comes to the same. Reads are on the same connection, and see what was
 * applied.
 *
 * A row that is no job costs that one job: it is listed and left as it is. If SQLite cannot read a
 * page, the file itself is listed, and what can be reached is served; but nothing is written to it
 * any more, since it is not known what the page had: the journal keeps what came since. */

#include "job-sqlite-store.h"

#include <string.h>
#include <unistd.h>

#include "job-sqlite-damage.h"
#include "job-sqlite-file.h"
#include "job-sqlite-jobs.h"
#include "job-sqlite-row.h"
#include "job-sqlite-scan.h"

/* Bytes of changes in one transaction; the last change may be larger than all that. */
#define LARGEST_TRANSACTION (8 * 1024 * 1024)
#define ROW_SIZE 200 /* about, without the long texts */

struct _JobSqliteStore
{
  JobStore parent_instance;

  /* Constant after job_sqlite_store_new(). */
  char *path;
  int lock_fd; /* -1 after close() */

  /* The rest is guarded by the owner, who serialises the calls; NULL after close(). */
  JobSqliteConnection *connection;
  JobSqliteJobs *jobs;
  JobSqliteDamages *damages;
  GError *broken; /* why the file cannot be read completely, or NULL */
  gsize n_bytes;  /* of the changes in the open transaction, about */
};

G_DEFINE_FINAL_TYPE (JobSqliteStore, job_sqlite_store, JOB_TYPE_STORE)

/* --- out -------------------------------------------------------------------------------------- */

/* Takes @error. FALSE, with the error in *out, if it is not about the row alone. */
static gboolean
note_damage (JobSqliteStore *self, sqlite3_stmt *row, GError *error, GError **out)
{
  if (!g_error_matches (error, JOB_ERROR, JOB_ERROR_CORRUPT))
    {
      g_propagate_error (out, error);
      return FALSE;
    }
  job_sqlite_damages_add_row (self->damages, row, error->message);
  g_error_free (error);
  return TRUE;
}

typedef struct
{
  JobSqliteStore *store;
  JobStoreVisitor visitor;
  gpointer data;
} Visit;

static gboolean
visit_row (sqlite3_stmt *row, gpointer data, GError **error)
{
  Visit *visit = data;
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  GError *local = NULL;

  if (!job_sqlite_row_read (visit->store->connection, row, &record, &status, &local))
    return note_damage (visit->store, row, local, error);
  return visit->visitor (record, &status, visit->data);
}

static gboolean
job_sqlite_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor,
                        gpointer data, GError **error)
{
  JobSqliteStore *self = JOB_SQLITE_STORE (store);
  Visit visit = { self, visitor, data };
  GError *broken = NULL;
  gboolean good = job_sqlite_scan (self->connection, everything, visit_row, &visit, &broken, error);

  if (self->broken == NULL)
    self->broken = broken;
  else
    g_clear_error (&broken);
  /* Most of these pages are not needed again. */
  sqlite3_db_release_memory (job_sqlite_connection_get_handle (self->connection));
  return good;
}

/* What the disk did not give is no damage of a record: it may give it the next time. */
static void
tell_input_error (JobSqliteStore *self, GError *error)
{
  if (g_error_matches (error, JOB_ERROR, JOB_ERROR_CORRUPT) &&
      job_sqlite_connection_met_input_error (self->connection))
    error->code = JOB_ERROR_STORAGE;
}

static gboolean
read_row (JobSqliteStore *self, sqlite3_stmt *row, const JobId *id, JobRecord **record,
          JobStatus *status, GError **error)
{
  g_autofree char *text = NULL;
  GError *local = NULL;

  if (job_sqlite_row_read (self->connection, row, record, status, &local))
    return TRUE;
  tell_input_error (self, local);
  if (g_error_matches (local, JOB_ERROR, JOB_ERROR_CORRUPT))
    {
      job_sqlite_damages_add_row (self->damages, row, local->message);
      text = job_id_dup_text (id);
      g_prefix_error (&local, "“%s: job %s” is damaged: ", self->path, text);
    }
  g_propagate_error (error, local);
  return FALSE;
}

static gboolean
job_sqlite_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                       GError **error)
{
  JobSqliteStore *self = JOB_SQLITE_STORE (store);
  GError *local = NULL;
  sqlite3_stmt *row;
  gboolean good;

  *record = NULL;
  *status = (JobStatus){ 0 };
  if (!job_sqlite_jobs_find (self->jobs, id, &row, &local))
    {
      tell_input_error (self, local);
      g_propagate_error (error, local);
      return FALSE;
    }
  if (row == NULL)
    return job_sqlite_damages_check (self->damages, id, error);
  good = read_row (self, row, id, record, status, error);
  sqlite3_reset (row);
  return good;
}

static gboolean
append_dependents (JobSqliteStore *self, sqlite3_stmt *statement, GArray *ids, GError **error)
{
  gboolean more;

  while (job_sqlite_connection_step (self->connection, statement, &more, error))
    {
      JobId id;

      if (!more)
        return TRUE;
      if (job_sqlite_row_get_id (statement, 0, &id))
        g_array_append_val (ids, id);
    }
  return FALSE;
}

static gboolean
job_sqlite_store_list_dependents (JobStore *store, const JobId *id, GArray *ids, GError **error)
{
  JobSqliteStore *self = JOB_SQLITE_STORE (store);
  sqlite3_stmt *statement =
      job_sqlite_connection_get (self->connection, JOB_SQLITE_LIST_DEPENDENTS);

  job_sqlite_row_bind_id (statement, 1, id);
  return append_dependents (self, statement, ids, error);
}

/* --- in --------------------------------------------------------------------------------------- */

static gboolean
check_whole (JobSqliteStore *self, GError **error)
{
  if (self->broken == NULL)
    return TRUE;
  g_propagate_prefixed_error (error, g_error_copy (self->broken),
                              "Not changed, since not all of it can be read: ");
  return FALSE;
}

static void
note_orphan (JobSqliteStore *self, const JobChange *change)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (&change->id, text);
  g_warning ("A change came for job %s, which is not in “%s”: it is listed as damaged", text,
             self->path);
  job_sqlite_damages_add_orphan (self->damages, change);
}

/* The row of a job that is known to be damaged stays as it is. */
static gboolean
update_job (JobSqliteStore *self, const JobChange *change, GError **error)
{
  gboolean found;

  if (!job_sqlite_damages_check (self->damages, &change->id, NULL))
    return TRUE;
  if (!job_sqlite_jobs_update (self->jobs, change, &found, error))
    return FALSE;
  if (!found)
    note_orphan (self, change);
  return TRUE;
}

static gboolean
create_jobs (JobSqliteStore *self, const JobChange *changes, gsize n_changes, GError **error)
{
  if (!job_sqlite_jobs_put (self->jobs, changes, n_changes, error))
    return FALSE;
  for (gsize i = 0; i < n_changes; i++)
    job_sqlite_damages_remove (self->damages, &changes[i].id);
  return TRUE;
}

static gboolean
commit (JobSqliteStore *self, GError **error)
{
  self->n_bytes = 0;
  return job_sqlite_connection_commit (self->connection, error);
}

static gsize
measure (const JobChange *change)
{
  return ROW_SIZE + (change->record != NULL ? strlen (change->record->args) : 0) +
         (change->status.outcome != NULL ? strlen (change->status.outcome) : 0);
}

/* How many of the changes are of one kind, and fit into the transaction; one at least. Counts their
 * bytes. */
static gsize
count_alike (JobSqliteStore *self, const JobChange *changes, gsize n_changes)
{
  gsize n = 0;

  do
    self->n_bytes += measure (&changes[n++]);
  while (n < n_changes && self->n_bytes < LARGEST_TRANSACTION &&
         (changes[n].record != NULL) == (changes[0].record != NULL));
  return n;
}

static gboolean
update_jobs (JobSqliteStore *self, const JobChange *changes, gsize n_changes, GError **error)
{
  for (gsize i = 0; i < n_changes; i++)
    if (!update_job (self, &changes[i], error))
      return FALSE;
  return TRUE;
}

/* *n_applied: how many of them. */
static gboolean
apply_some (JobSqliteStore *self, const JobChange *changes, gsize n_changes, gsize *n_applied,
            GError **error)
{
  *n_applied = count_alike (self, changes, n_changes);
  if (!job_sqlite_connection_begin (self->connection, error) ||
      !(changes->record != NULL ? create_jobs (self, changes, *n_applied, error)
                                : update_jobs (self, changes, *n_applied, error)))
    return FALSE;
  return self->n_bytes < LARGEST_TRANSACTION || commit (self, error);
}

static gboolean
job_sqlite_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  JobSqliteStore *self = JOB_SQLITE_STORE (store);
  gsize n;

  if (!check_whole (self, error))
    return FALSE;
  for (gsize i = 0; i < n_changes; i += n)
    if (!apply_some (self, &changes[i], n_changes - i, &n, error))
      {
        job_sqlite_connection_roll_back (self->connection);
        self->n_bytes = 0;
        return FALSE;
      }
  return TRUE;
}

static gboolean
job_sqlite_store_checkpoint (JobStore *store, GError **error)
{
  JobSqliteStore *self = JOB_SQLITE_STORE (store);

  return check_whole (self, error) && commit (self, error);
}

/* SQLite has FILE-journal for itself. */
static char *
job_sqlite_store_dup_journal_path (JobStore *store)
{
  return g_strconcat (JOB_SQLITE_STORE (store)->path, ".journal", NULL);
}

/* --- damage ----------------------------------------------------------------------------------- */

/* The file itself comes last, since it cannot be moved. */
static GPtrArray *
job_sqlite_store_list_damaged (JobStore *store)
{
  JobSqliteStore *self = JOB_SQLITE_STORE (store);
  GPtrArray *list = g_ptr_array_new_with_free_func (g_object_unref);

  job_sqlite_damages_list (self->damages, list);
  if (self->broken != NULL)
    g_ptr_array_add (list, job_damage_new (self->path, self->broken->message, NULL));
  return list;
}

static gboolean
remove_row (JobSqliteStore *self, gint64 key, GError **error)
{
  if (job_sqlite_connection_begin (self->connection, error) &&
      job_sqlite_jobs_remove (self->jobs, key, error))
    return commit (self, error);
  job_sqlite_connection_roll_back (self->connection);
  self->n_bytes = 0;
  return FALSE;
}

static gboolean
job_sqlite_store_move_damaged (JobStore *store, JobDamage *damage, const char *directory,
                               GError **error)
{
  JobSqliteStore *self = JOB_SQLITE_STORE (store);
  gboolean has_row;
  gint64 key;

  if (!check_whole (self, error) ||
      !job_sqlite_damages_write (self->damages, damage, directory, &has_row, &key, error) ||
      (has_row && !remove_row (self, key, error)))
    return FALSE;
  job_sqlite_damages_forget (self->damages, damage);
  return TRUE;
}

/* --- opening and closing ---------------------------------------------------------------------- */

static gboolean
job_sqlite_store_close (JobStore *store, gboolean clean, GError **error)
{
  JobSqliteStore *self = JOB_SQLITE_STORE (store);

  g_clear_pointer (&self->jobs, job_sqlite_jobs_free);
  g_clear_pointer (&self->damages, job_sqlite_damages_free);
  g_clear_pointer (&self->connection, job_sqlite_connection_free);
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  self->lock_fd = -1;
  return TRUE;
}

static void
job_sqlite_store_finalize (GObject *object)
{
  JobSqliteStore *self = JOB_SQLITE_STORE (object);

  job_sqlite_store_close (JOB_STORE (self), FALSE, NULL);
  g_clear_error (&self->broken);
  g_free (self->path);
  G_OBJECT_CLASS (job_sqlite_store_parent_class)->finalize (object);
}

static void
job_sqlite_store_class_init (JobSqliteStoreClass *klass)
{
  JobStoreClass *store_class = JOB_STORE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = job_sqlite_store_finalize;
  store_class->dup_journal_path = job_sqlite_store_dup_journal_path;
  store_class->visit = job_sqlite_store_visit;
  store_class->apply = job_sqlite_store_apply;
  store_class->checkpoint = job_sqlite_store_checkpoint;
  store_class->read = job_sqlite_store_read;
  store_class->list_dependents = job_sqlite_store_list_dependents;
  store_class->list_damaged = job_sqlite_store_list_damaged;
  store_class->move_damaged = job_sqlite_store_move_damaged;
  store_class->close = job_sqlite_store_close;
}

static void
job_sqlite_store_init (JobSqliteStore *self)
{
  self->lock_fd = -1;
}

JobStore *
job_sqlite_store_new (const char *path, GError **error)
{
  g_autoptr (JobSqliteStore) self = g_object_new (JOB_TYPE_SQLITE_STORE, NULL);

  self->path = g_canonicalize_filename (path, NULL);
  self->lock_fd = job_file_lock_beside (self->path, error);
  if (self->lock_fd < 0)
    return NULL;
  self->connection = job_sqlite_file_open (self->path, error);
  if (self->connection == NULL)
    return NULL;
  self->damages = job_sqlite_damages_new (self->connection);
  self->jobs = job_sqlite_jobs_new (self->connection, error);
  return self->jobs != NULL ? JOB_STORE (g_steal_pointer (&self)) : NULL;
}
