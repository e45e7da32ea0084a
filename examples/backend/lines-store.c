/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store: all jobs in memory, and a file that is written anew at each checkpoint.
 *
 * The first line says what the file is; each other one is a job (lines-text.c). A line that cannot
 * be read is kept as it is, from file to file, until its job comes anew or it is moved out. */

#include "lines-store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LINE "jobqueue-lines 1"

typedef struct
{
  char *line; /* owned */
  JobId id;   /* nil: it cannot be told */
} BadLine;

struct _LinesStore
{
  JobStore parent_instance;
  char *path;
  int lock_fd;
  GHashTable *jobs; /* JobId, in the value → JobChange with record: a whole job */
  JobDependents *dependents;
  GPtrArray *bad; /* of BadLine */
};

G_DEFINE_FINAL_TYPE (LinesStore, lines_store, JOB_TYPE_STORE)

static void
free_job (gpointer job)
{
  job_change_clear (job);
  g_free (job);
}

static void
free_bad_line (gpointer data)
{
  BadLine *bad = data;

  g_free (bad->line);
  g_free (bad);
}

/* The line of that job that cannot be read, or NULL. */
static BadLine *
find_bad (LinesStore *self, const JobId *id)
{
  for (guint i = 0; i < self->bad->len; i++)
    {
      BadLine *bad = g_ptr_array_index (self->bad, i);

      if (!job_id_is_nil (&bad->id) && job_id_equal (&bad->id, id))
        return bad;
    }
  return NULL;
}

/* --- reading the file ------------------------------------------------------------------------- */

static void
add_job (LinesStore *self, const JobChange *job)
{
  JobChange *copy = g_new0 (JobChange, 1);

  copy->id = job->id;
  copy->record = job_record_ref (job->record);
  job_status_copy (&job->status, &copy->status);
  job_dependents_add (self->dependents, copy->record);
  g_hash_table_replace (self->jobs, &copy->id, copy);
  g_ptr_array_remove (self->bad, find_bad (self, &job->id));
}

static void
take_line (LinesStore *self, const char *line)
{
  JobChange job;
  JobId id;

  if (lines_text_parse (line, &job, &id))
    add_job (self, &job);
  else
    {
      BadLine *bad = g_new (BadLine, 1);

      *bad = (BadLine){ g_strdup (line), id };
      g_ptr_array_add (self->bad, bad);
    }
  job_change_clear (&job);
}

static gboolean
take_text (LinesStore *self, const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  if (lines[0] == NULL || !g_str_equal (lines[0], FIRST_LINE))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                   "“%s” is not a file of jobs: it does not begin with “%s”; move it away",
                   self->path, FIRST_LINE);
      return FALSE;
    }
  for (guint i = 1; lines[i] != NULL; i++)
    if (lines[i][0] != '\0')
      take_line (self, lines[i]);
  return TRUE;
}

static char *
read_all (int fd, gsize size, const char *path, GError **error)
{
  g_autofree char *text = g_malloc (size + 1);
  gsize done = 0;

  while (done < size)
    {
      gssize n = read (fd, text + done, size - done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          job_file_set_error (error, n < 0 ? errno : EIO, "read", path);
          return NULL;
        }
      done += n;
    }
  text[size] = '\0';
  return g_steal_pointer (&text);
}

/* Nobody else may have written it: who can do that can make the queue run anything. */
static char *
read_private (int fd, const char *path, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    {
      job_file_set_error (error, errno, "look at", path);
      return NULL;
    }
  return job_file_check_private (&st, path, error) ? read_all (fd, st.st_size, path, error) : NULL;
}

static gboolean
load (LinesStore *self, GError **error)
{
  int fd = open (self->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  g_autofree char *text = NULL;

  if (fd < 0 && errno == ENOENT)
    return TRUE;
  if (fd < 0)
    return job_file_set_error (error, errno, "open", self->path);
  text = read_private (fd, self->path, error);
  close (fd);
  return text != NULL && take_text (self, text, error);
}

JobStore *
lines_store_new (const char *path, GError **error)
{
  g_autoptr (LinesStore) self = g_object_new (lines_store_get_type (), NULL);

  self->path = g_strdup (path);
  self->lock_fd = job_file_lock_beside (path, error);
  return self->lock_fd >= 0 && load (self, error) ? JOB_STORE (g_steal_pointer (&self)) : NULL;
}

/* --- writing it ------------------------------------------------------------------------------- */

static char *
dup_text (LinesStore *self, gsize *size)
{
  GString *text = g_string_new (FIRST_LINE "\n");
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &job))
    {
      lines_text_append (text, job);
      g_string_append_c (text, '\n');
    }
  for (guint i = 0; i < self->bad->len; i++)
    g_string_append_printf (text, "%s\n", ((BadLine *) g_ptr_array_index (self->bad, i))->line);
  *size = text->len;
  return g_string_free (text, FALSE);
}

/* A whole new file, in the place of the old one only when it is durable: a crash leaves either. */
static gboolean
lines_store_checkpoint (JobStore *store, GError **error)
{
  LinesStore *self = LINES_STORE (store);
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autofree char *name = g_path_get_basename (self->path);
  g_autofree char *new_name = g_strconcat (name, ".new", NULL);
  g_autofree char *new_path = g_strconcat (self->path, ".new", NULL);
  gsize size;
  g_autofree char *text = dup_text (self, &size);

  if (unlink (new_path) != 0 && errno != ENOENT)
    return job_file_set_error (error, errno, "remove the left-over", new_path);
  if (!job_file_write_new (folder, new_name, text, size, error))
    return FALSE;
  if (rename (new_path, self->path) != 0)
    return job_file_set_error (error, errno, "replace", self->path);
  return job_file_sync_folder (-1, folder, error);
}

/* Memory has it; the file follows at the checkpoint. What is said of a damaged job is lost: the
 * rest of it is not known. */
static gboolean
lines_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  LinesStore *self = LINES_STORE (store);

  for (gsize i = 0; i < n_changes; i++)
    {
      JobChange *job = g_hash_table_lookup (self->jobs, &changes[i].id);

      if (changes[i].record != NULL)
        add_job (self, &changes[i]);
      else if (job != NULL)
        {
          job_status_clear (&job->status);
          job_status_copy (&changes[i].status, &job->status);
        }
    }
  return TRUE;
}

static char *
lines_store_dup_journal_path (JobStore *store)
{
  return g_strconcat (LINES_STORE (store)->path, ".journal", NULL);
}

/* --- asking it -------------------------------------------------------------------------------- */

static gboolean
lines_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor, gpointer data,
                   GError **error)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, LINES_STORE (store)->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const JobChange *job = value;

      if ((everything || !job_state_is_final (job->status.state)) &&
          !visitor (job->record, &job->status, data))
        break;
    }
  return TRUE;
}

static gboolean
lines_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                  GError **error)
{
  LinesStore *self = LINES_STORE (store);
  const JobChange *job = g_hash_table_lookup (self->jobs, id);

  if (job != NULL)
    {
      *record = job_record_ref (job->record);
      job_status_copy (&job->status, status);
    }
  else if (find_bad (self, id) != NULL)
    {
      g_autofree char *text = job_id_dup_text (id);

      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "The line of job %s in “%s” is damaged",
                   text, self->path);
      return FALSE;
    }
  return TRUE;
}

static gboolean
lines_store_list_dependents (JobStore *store, const JobId *id, GArray *ids, GError **error)
{
  job_dependents_list (LINES_STORE (store)->dependents, id, ids);
  return TRUE;
}

/* --- damage ----------------------------------------------------------------------------------- */

static GPtrArray *
lines_store_list_damaged (JobStore *store)
{
  LinesStore *self = LINES_STORE (store);
  GPtrArray *list = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < self->bad->len; i++)
    {
      const BadLine *bad = g_ptr_array_index (self->bad, i);

      g_ptr_array_add (list, job_damage_new (self->path, "The line of this job is damaged",
                                             job_id_is_nil (&bad->id) ? NULL : &bad->id));
    }
  return list;
}

static gboolean
lines_store_move_damaged (JobStore *store, JobDamage *damage, const char *directory, GError **error)
{
  LinesStore *self = LINES_STORE (store);
  const char *text = job_damage_get_id (damage);
  g_autofree char *name = g_strconcat (text != NULL ? text : "unknown", ".line", NULL);
  BadLine *bad = NULL;
  JobId id;

  if (text != NULL && job_id_parse (text, "id", &id, NULL))
    bad = find_bad (self, &id);
  if (bad == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND, "“%s” has no such line", self->path);
      return FALSE;
    }
  if (!job_file_write_new (directory, name, bad->line, strlen (bad->line), error))
    return FALSE;
  g_ptr_array_remove (self->bad, bad);
  return TRUE;
}

/* --- GObject ---------------------------------------------------------------------------------- */

static gboolean
lines_store_close (JobStore *store, gboolean clean, GError **error)
{
  LinesStore *self = LINES_STORE (store);

  close (self->lock_fd);
  self->lock_fd = -1;
  return TRUE;
}

static void
lines_store_finalize (GObject *object)
{
  LinesStore *self = LINES_STORE (object);

  if (self->lock_fd >= 0)
    close (self->lock_fd);
  g_free (self->path);
  g_hash_table_unref (self->jobs);
  job_dependents_free (self->dependents);
  g_ptr_array_unref (self->bad);
  G_OBJECT_CLASS (lines_store_parent_class)->finalize (object);
}

static void
lines_store_class_init (LinesStoreClass *klass)
{
  JobStoreClass *store_class = JOB_STORE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = lines_store_finalize;
  store_class->dup_journal_path = lines_store_dup_journal_path;
  store_class->visit = lines_store_visit;
  store_class->apply = lines_store_apply;
  store_class->checkpoint = lines_store_checkpoint;
  store_class->read = lines_store_read;
  store_class->list_dependents = lines_store_list_dependents;
  store_class->list_damaged = lines_store_list_damaged;
  store_class->move_damaged = lines_store_move_damaged;
  store_class->close = lines_store_close;
}

static void
lines_store_init (LinesStore *self)
{
  self->lock_fd = -1;
  self->jobs = g_hash_table_new_full (job_id_hash, job_id_equal, NULL, free_job);
  self->dependents = job_dependents_new ();
  self->bad = g_ptr_array_new_with_free_func (free_bad_line);
}
