/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening: the checks, in an order that leaves whatever is not ours as it is.
 *
 *   1. the caller has the lock FILE.lock, so that no other queue touches any of these files;
 *   2. what a crash left of FILE.new is removed;
 *   3. FILE, FILE-journal and FILE-wal, as far as they are there, must be files that nobody else
 *      can have written: SQLite would play back whatever journal it finds;
 *   4. if there is no FILE, a whole one is made as FILE.new, made durable, and renamed;
 *   5. SQLite opens FILE, and its header tells whether it is ours;
 *   6. only then is the database read, locked, recovered by its rollback journal if a crash left
 *      one that is hot, and brought to this version.
 *
 * A new database never stands under its own name before it is complete, so that an empty file, or
 * one with a strange header, is never one of ours that a crash left.
 *
 * The file itself is examined by its name only, never opened beside SQLite: closing a second
 * descriptor would drop all locks that this process has on it. */

#include "job-sqlite-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job-sqlite-schema.h"

/* Its journal is in memory, as a file that failed half-way is thrown away. */
#define NEW_SETTINGS                                                                               \
  "PRAGMA page_size = 16384;"                                                                      \
  "PRAGMA journal_mode = MEMORY;"                                                                  \
  "PRAGMA synchronous = FULL;"

typedef struct
{
  const char *path; /* as the user knows it */
  char *folder;     /* without symbolic links, as SQLite wants it */
  char *file;       /* in that folder */
  char *new_file;
} Place;

static void
place_clear (Place *self)
{
  g_free (self->folder);
  g_free (self->file);
  g_free (self->new_file);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static gboolean
place_init (Place *self, const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);

  self->path = path;
  self->folder = realpath (folder, NULL); /* malloc's memory, which g_free() takes as well */
  if (self->folder == NULL)
    return job_file_set_error (error, errno, "find the folder", folder);
  self->file = g_build_filename (self->folder, name, NULL);
  self->new_file = g_strconcat (self->file, ".new", NULL);
  return TRUE;
}

/* --- what is there ---------------------------------------------------------------------------- */

/* *present: there is such a file, and it is good. */
static gboolean
check_file (const char *path, struct stat *st, gboolean *present, GError **error)
{
  *present = lstat (path, st) == 0;
  if (!*present)
    return errno == ENOENT || job_file_set_error (error, errno, "examine", path);
  return job_file_check_private (st, path, error);
}

static gboolean
check_contents (const char *path, const struct stat *st, GError **error)
{
  if (st->st_size == 0)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                   "“%s” is empty, which a job queue's file never is: remove it to begin anew",
                   path);
      return FALSE;
    }
  if ((st->st_mode & S_IWUSR) == 0)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE,
                   "Cannot open “%s”: it is read-only: give the right to write it", path);
      return FALSE;
    }
  return TRUE;
}

/* With a new database in front of it, an old journal would be played back into that one. */
static gboolean
refuse_widow (const char *path, const char *journal, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
               "There is no “%s”, but there is its “%s”: put the former back, or move the latter "
               "away to begin anew",
               path, journal);
  return FALSE;
}

static gboolean
check_sqlite_journal (const char *path, const char *suffix, gboolean has_database, GError **error)
{
  g_autofree char *journal = g_strconcat (path, suffix, NULL);
  struct stat st;
  gboolean present;

  if (!check_file (journal, &st, &present, error))
    return FALSE;
  return !present || has_database || refuse_widow (path, journal, error);
}

static gboolean
check_place (const Place *place, gboolean *present, GError **error)
{
  struct stat st;

  return check_file (place->path, &st, present, error) &&
         (!*present || check_contents (place->path, &st, error)) &&
         check_sqlite_journal (place->path, "-journal", *present, error) &&
         check_sqlite_journal (place->path, "-wal", *present, error);
}

/* --- a new one -------------------------------------------------------------------------------- */

static gboolean
remove_left_over (const char *path, GError **error)
{
  return unlink (path) == 0 || errno == ENOENT ||
         job_file_set_error (error, errno, "remove the left-over", path);
}

/* SQLite would make it with a mode of its own; its journals get the mode of the database. */
static gboolean
create_empty (const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean done;

  if (fd < 0)
    return job_file_set_error (error, errno, "create", path);
  done = fchmod (fd, 0600) == 0 || job_file_set_error (error, errno, "set the mode of", path);
  close (fd);
  return done;
}

static gboolean
fill_new (const Place *place, GError **error)
{
  g_autoptr (JobSqliteConnection) connection =
      job_sqlite_connection_open (place->new_file, place->new_file, error);

  return connection != NULL &&
         job_sqlite_connection_execute (connection, NEW_SETTINGS, "set up", error) &&
         job_sqlite_schema_raise (connection, error);
}

static gboolean
create (const Place *place, GError **error)
{
  if (!create_empty (place->new_file, error))
    return FALSE;
  if (fill_new (place, error) && (rename (place->new_file, place->file) == 0 ||
                                  job_file_set_error (error, errno, "create", place->path)))
    return job_file_sync_folder (-1, place->folder, error);
  unlink (place->new_file);
  return FALSE;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* SQLite would make its rollback journal with the first transaction, sync the folder, and go on if
 * that failed. A power cut could then take the name away, and with it what undoes the transaction.
 * So the journal is there before, and its name is durable. An empty one has nothing to be undone.
 */
static gboolean
name_rollback_journal (const Place *place, GError **error)
{
  g_autofree char *journal = g_strconcat (place->file, "-journal", NULL);
  int fd = open (journal, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean done;

  if (fd < 0)
    return job_file_set_error (error, errno, "create", journal);
  done = fchmod (fd, 0600) == 0 || job_file_set_error (error, errno, "set the mode of", journal);
  close (fd);
  return done && job_file_sync_folder (-1, place->folder, error);
}

static JobSqliteConnection *
open_existing (const Place *place, GError **error)
{
  g_autoptr (JobSqliteConnection) connection =
      job_sqlite_connection_open (place->file, place->path, error);

  if (connection == NULL || !job_sqlite_schema_check (connection, error) ||
      !job_sqlite_connection_set_up (connection, error) || !name_rollback_journal (place, error) ||
      !job_sqlite_schema_raise (connection, error) ||
      !job_sqlite_connection_prepare_all (connection, error))
    return NULL;
  return g_steal_pointer (&connection);
}

JobSqliteConnection *
job_sqlite_file_open (const char *path, GError **error)
{
  g_auto (Place) place = { NULL };
  gboolean present;

  if (!place_init (&place, path, error) || !remove_left_over (place.new_file, error) ||
      !check_place (&place, &present, error) || (!present && !create (&place, error)))
    return NULL;
  return open_existing (&place, error);
}
