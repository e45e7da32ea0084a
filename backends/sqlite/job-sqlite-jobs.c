/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The key of a job's row, and why no two jobs share one.
 *
 * Ids of version 7 rise with time in their first 8 bytes (see core/job-id.c). Such a head, as a
 * number, is the key of the job's row: its home. So new rows go to the end of the table, and an id
 * is found in the table itself, without an index of ids, which would cost as much as the table.
 *
 * Two kinds of ids have no home: those of other versions, and those beyond the year 6429, whose
 * first bit is set. And a home can be taken: another process may have made an id with the same
 * head, or somebody wrote ids by hand. All these jobs get a free key instead: one less than the
 * least of all keys, and less than 0. The index job_by_id has them, and only them, since a partial
 * index "WHERE key < 0" has no entry for any other row. Its is usually empty, and costs nothing.
 *
 *   home:      head of the id           > 0, since the version's bits are in it
 *   free key:  min (least key, 0) - 1   < 0, and not in the table
 *
 * 1. Two rows never have one key: it is the table's primary key; a home is only taken if the
 *    insertion finds it free, and a free key is less than all there are.
 * 2. A job never has two rows. put() looks for the job at its home and in job_by_id before it takes
 *    a key; a home that becomes free later (a damaged row was moved out) is not taken by a job that
 *    has a free key, since job_by_id is asked first. The index is unique, besides.
 * 3. What has a row is found: it is at its home, or in job_by_id. find() looks into both.
 *
 * Each of these steps is one descent of a B-tree, at most three for a call: O(log n), also if all
 * ids have one head. While nothing is in job_by_id, which is remembered, one descent is enough.
 *
 * A row whose id is damaged is at nobody's home: another job can be written beside it, and if none
 * is found, the one that would be at home there is damaged, not missing. */

#include "job-sqlite-jobs.h"

#include "job-sqlite-row.h"

struct _JobSqliteJobs
{
  /* All guarded by the store's owner, who serialises the calls. */
  JobSqliteConnection *connection;
  gboolean has_free_keys; /* there may be something in job_by_id */
  GArray *homes;          /* of gint64: of the jobs that are being put */
};

static gboolean
get_least_key (JobSqliteJobs *self, gint64 *key, GError **error)
{
  sqlite3_stmt *statement = job_sqlite_connection_get (self->connection, JOB_SQLITE_FIRST_KEY);
  gboolean more;

  if (!job_sqlite_connection_step (self->connection, statement, &more, error))
    return FALSE;
  *key = more ? sqlite3_column_int64 (statement, 0) : 0;
  sqlite3_reset (statement);
  return TRUE;
}

JobSqliteJobs *
job_sqlite_jobs_new (JobSqliteConnection *connection, GError **error)
{
  JobSqliteJobs *self = g_new0 (JobSqliteJobs, 1);
  gint64 key;

  self->connection = connection;
  self->homes = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (!get_least_key (self, &key, error))
    {
      job_sqlite_jobs_free (self);
      return NULL;
    }
  self->has_free_keys = key < 0;
  return self;
}

void
job_sqlite_jobs_free (JobSqliteJobs *self)
{
  g_array_unref (self->homes);
  g_free (self);
}

/* --- keys ------------------------------------------------------------------------------------- */

static gboolean
take_free_key (JobSqliteJobs *self, gint64 *key, GError **error)
{
  gint64 least;

  if (!get_least_key (self, &least, error))
    return FALSE;
  if (least == G_MININT64)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                   "Cannot write “%s”: a row has the least of all keys, so that none is free",
                   job_sqlite_connection_get_path (self->connection));
      return FALSE;
    }
  self->has_free_keys = TRUE;
  *key = MIN (least, 0) - 1;
  return TRUE;
}

/* The job's free key; 0 if it has none. */
static gboolean
find_free_key (JobSqliteJobs *self, const JobId *id, gint64 *key, GError **error)
{
  sqlite3_stmt *statement = job_sqlite_connection_get (self->connection, JOB_SQLITE_FIND_KEY);
  gboolean more;

  *key = 0;
  if (!self->has_free_keys)
    return TRUE;
  job_sqlite_row_bind_id (statement, 1, id);
  if (!job_sqlite_connection_step (self->connection, statement, &more, error))
    return FALSE;
  if (more)
    *key = sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  return TRUE;
}

static gboolean
is_at (JobSqliteJobs *self, gint64 key, const JobId *id, gboolean *at_home, GError **error)
{
  sqlite3_stmt *statement = job_sqlite_connection_get (self->connection, JOB_SQLITE_FIND_ID);
  gboolean more;
  JobId found;

  sqlite3_bind_int64 (statement, 1, key);
  if (!job_sqlite_connection_step (self->connection, statement, &more, error))
    return FALSE;
  *at_home = more && job_sqlite_row_get_id (statement, 0, &found) && job_id_equal (&found, id);
  sqlite3_reset (statement);
  return TRUE;
}

/* --- changes ---------------------------------------------------------------------------------- */

static gboolean
insert_dependencies (JobSqliteJobs *self, gint64 key, const JobRecord *record, GError **error)
{
  sqlite3_stmt *statement =
      job_sqlite_connection_get (self->connection, JOB_SQLITE_INSERT_DEPENDENCY);

  for (guint i = 0; i < record->n_dependencies; i++)
    {
      sqlite3_bind_int64 (statement, 1, key);
      sqlite3_bind_int64 (statement, 2, i);
      job_sqlite_row_bind_id (statement, 3, &record->dependencies[i].id);
      sqlite3_bind_int (statement, 4, (int) record->dependencies[i].condition);
      if (!job_sqlite_connection_run (self->connection, statement, NULL, error))
        return FALSE;
    }
  return TRUE;
}

/* *inserted: the key was free. */
static gboolean
insert (JobSqliteJobs *self, gint64 key, const JobChange *change, gboolean *inserted,
        GError **error)
{
  int n_inserted;

  if (!job_sqlite_connection_insert (self->connection, &key, change, 1, &n_inserted, error))
    return FALSE;
  *inserted = n_inserted > 0;
  return !*inserted || insert_dependencies (self, key, change->record, error);
}

static gboolean
replace (JobSqliteJobs *self, gint64 key, const JobChange *change, GError **error)
{
  gboolean inserted;

  return job_sqlite_jobs_remove (self, key, error) && insert (self, key, change, &inserted, error);
}

static gboolean
put_at_free_key (JobSqliteJobs *self, const JobChange *change, GError **error)
{
  gboolean inserted;
  gint64 key;

  return take_free_key (self, &key, error) && insert (self, key, change, &inserted, error);
}

static gboolean
put (JobSqliteJobs *self, const JobChange *change, GError **error)
{
  gint64 home = job_sqlite_row_get_home (&change->id);
  gboolean inserted, at_home;
  gint64 key;

  if (!find_free_key (self, &change->id, &key, error))
    return FALSE;
  if (key != 0)
    return replace (self, key, change, error);
  if (home == 0)
    return put_at_free_key (self, change, error);
  if (!insert (self, home, change, &inserted, error))
    return FALSE;
  if (inserted)
    return TRUE;
  if (!is_at (self, home, &change->id, &at_home, error))
    return FALSE;
  return at_home ? replace (self, home, change, error) : put_at_free_key (self, change, error);
}

/* FALSE if not all of them can be where their ids put them. */
static gboolean
find_homes (JobSqliteJobs *self, const JobChange *changes, gsize n_changes)
{
  if (self->has_free_keys)
    return FALSE;
  g_array_set_size (self->homes, 0);
  for (gsize i = 0; i < n_changes; i++)
    {
      gint64 home = job_sqlite_row_get_home (&changes[i].id);

      if (home == 0)
        return FALSE;
      g_array_append_val (self->homes, home);
    }
  return TRUE;
}

/* What they usually are: new, and each at its home, all in one statement. *done: so it was. Else
 * some of them are there now, and are put once more, which comes to the same. */
static gboolean
put_new (JobSqliteJobs *self, const JobChange *changes, gsize n_changes, gboolean *done,
         GError **error)
{
  int n_inserted;

  if (!job_sqlite_connection_insert (self->connection, (const gint64 *) self->homes->data, changes,
                                     n_changes, &n_inserted, error))
    return FALSE;
  *done = (gsize) n_inserted == n_changes;
  for (gsize i = 0; *done && i < n_changes; i++)
    if (!insert_dependencies (self, g_array_index (self->homes, gint64, i), changes[i].record,
                              error))
      return FALSE;
  return TRUE;
}

gboolean
job_sqlite_jobs_put (JobSqliteJobs *self, const JobChange *changes, gsize n_changes, GError **error)
{
  gboolean done = FALSE;

  if (n_changes > 1 && find_homes (self, changes, n_changes) &&
      !put_new (self, changes, n_changes, &done, error))
    return FALSE;
  for (gsize i = 0; !done && i < n_changes; i++)
    if (!put (self, &changes[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
update_at (JobSqliteJobs *self, gint64 key, const JobChange *change, gboolean *found,
           GError **error)
{
  sqlite3_stmt *statement = job_sqlite_connection_get (self->connection, JOB_SQLITE_UPDATE);
  int n_changed;

  job_sqlite_row_bind_status (statement, key, change);
  if (!job_sqlite_connection_run (self->connection, statement, &n_changed, error))
    return FALSE;
  *found = n_changed > 0;
  return TRUE;
}

gboolean
job_sqlite_jobs_update (JobSqliteJobs *self, const JobChange *change, gboolean *found,
                        GError **error)
{
  gint64 home = job_sqlite_row_get_home (&change->id);
  gint64 key;

  *found = FALSE;
  if (home != 0 && (!update_at (self, home, change, found, error) || *found))
    return *found;
  if (!find_free_key (self, &change->id, &key, error))
    return FALSE;
  return key == 0 || update_at (self, key, change, found, error);
}

gboolean
job_sqlite_jobs_remove (JobSqliteJobs *self, gint64 key, GError **error)
{
  sqlite3_stmt *job = job_sqlite_connection_get (self->connection, JOB_SQLITE_DELETE);
  sqlite3_stmt *dependencies =
      job_sqlite_connection_get (self->connection, JOB_SQLITE_DELETE_DEPENDENCIES);

  sqlite3_bind_int64 (job, 1, key);
  sqlite3_bind_int64 (dependencies, 1, key);
  return job_sqlite_connection_run (self->connection, job, NULL, error) &&
         job_sqlite_connection_run (self->connection, dependencies, NULL, error);
}

/* --- reading ---------------------------------------------------------------------------------- */

static gboolean
read_at (JobSqliteJobs *self, gint64 key, sqlite3_stmt **row, GError **error)
{
  sqlite3_stmt *statement = job_sqlite_connection_get (self->connection, JOB_SQLITE_READ);
  gboolean more;

  sqlite3_bind_int64 (statement, 1, key);
  if (!job_sqlite_connection_step (self->connection, statement, &more, error))
    return FALSE;
  *row = more ? statement : NULL;
  return TRUE;
}

gboolean
job_sqlite_jobs_find (JobSqliteJobs *self, const JobId *id, sqlite3_stmt **row, GError **error)
{
  gint64 home = job_sqlite_row_get_home (id);
  gboolean is_damaged = FALSE;
  gint64 key;
  JobId found;

  *row = NULL;
  if (home != 0 && !read_at (self, home, row, error))
    return FALSE;
  if (*row != NULL)
    {
      is_damaged = !job_sqlite_row_get_id (*row, JOB_SQLITE_ID, &found);
      if (!is_damaged && job_id_equal (&found, id))
        return TRUE;
      sqlite3_reset (*row);
      *row = NULL;
    }
  if (!find_free_key (self, id, &key, error))
    return FALSE;
  if (key == 0)
    key = is_damaged ? home : 0;
  return key == 0 || read_at (self, key, row, error);
}
