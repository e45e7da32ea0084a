/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of a whole queue on sqlite and its faults share. */

#include "sqlite-queue-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PART "JOB_SQLITE_QUEUE_PART"
#define FOLDER "JOB_SQLITE_QUEUE_FOLDER"
#define LEAVING "leave-jobs"

/* --- a queue ---------------------------------------------------------------------------------- */

static void
fixture_init (Fixture *f, const char *folder)
{
  f->folder = g_strdup (folder);
  f->path = g_build_filename (folder, "jobs.sqlite", NULL);
}

static void
fixture_clear (Fixture *f)
{
  g_free (f->folder);
  g_free (f->path);
}

void
fixture_set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("job-sqlite-XXXXXX", &error);

  g_assert_no_error (error);
  fixture_init (f, folder);
}

void
fixture_tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (f->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (f->folder, name, NULL);

      g_assert_no_errno (g_unlink (path));
    }
  g_assert_no_errno (g_rmdir (f->folder));
  fixture_clear (f);
}

JobQueue *
open_queue (Fixture *f, GError **error)
{
  g_autoptr (GHashTable) options = g_hash_table_new (g_str_hash, g_str_equal);

  g_hash_table_insert (options, (gpointer) "file", f->path);
  g_hash_table_insert (options, (gpointer) "checkpoint-size", (gpointer) "65536");
  return job_queue_new_for_backend ("sqlite", options, NULL, error);
}

JobQueue *
must_open (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  JobQueue *queue = open_queue (f, &error);

  g_assert_no_error (error);
  return queue;
}

void
must_close (JobQueue *queue)
{
  g_autoptr (GError) error = NULL;

  job_queue_close (queue, NULL, &error);
  g_assert_no_error (error);
}

guint
count_jobs (JobQueue *queue)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = job_queue_list (queue, NULL, NULL, &error);

  g_assert_no_error (error);
  return g_list_model_get_n_items (list);
}

void
assert_in_store (Fixture *f, guint n_jobs)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (JobQueue) queue = must_open (f);

      g_assert_cmpuint (count_jobs (queue), ==, n_jobs);
      must_close (queue);
    }
}

char *
enqueue (JobQueue *queue, GError **error)
{
  g_autofree char *fill = g_strnfill (300, 'x');
  g_autofree char *args = g_strdup_printf ("\"%s\"", fill);
  g_autoptr (JobSpec) spec = job_spec_new ("work", args);

  return job_queue_enqueue (queue, spec, NULL, error);
}

/* --- what is on the disk ---------------------------------------------------------------------- */

/* All files but those that are never changed. */
static GHashTable *
read_folder (Fixture *f)
{
  GHashTable *files =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  g_autoptr (GDir) dir = g_dir_open (f->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (f->folder, name, NULL);
      g_autoptr (GError) error = NULL;
      char *data;
      gsize size;

      if (g_str_has_suffix (name, ".lock"))
        continue;
      g_file_get_contents (path, &data, &size, &error);
      g_assert_no_error (error);
      g_hash_table_insert (files, g_strdup (name), g_bytes_new_take (data, size));
    }
  return files;
}

static void
assert_same_files (GHashTable *before, GHashTable *after)
{
  GHashTableIter iter;
  gpointer name, content;

  g_assert_cmpuint (g_hash_table_size (before), ==, g_hash_table_size (after));
  g_hash_table_iter_init (&iter, before);
  while (g_hash_table_iter_next (&iter, &name, &content))
    {
      GBytes *other = g_hash_table_lookup (after, name);

      if (other == NULL || !g_bytes_equal (content, other))
        g_error ("“%s” has changed", (char *) name);
    }
}

void
assert_says (GError *error, Fixture *f, int code, const char *words)
{
  g_assert_error (error, JOB_ERROR, code);
  g_test_message ("%s", error->message);
  if (strstr (error->message, words) == NULL || strstr (error->message, f->path) == NULL)
    g_error ("“%s” or “%s” is not in “%s”", words, f->path, error->message);
}

void
assert_refused (Fixture *f, int code, const char *words)
{
  g_autoptr (GHashTable) before = read_folder (f);
  g_autoptr (GHashTable) after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (open_queue (f, &error));
  assert_says (error, f, code, words);
  after = read_folder (f);
  assert_same_files (before, after);
}

/* --- parts ------------------------------------------------------------------------------------ */

GSubprocess *
start_part (Fixture *f, const char *name)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  g_subprocess_launcher_setenv (launcher, PART, name, TRUE);
  g_subprocess_launcher_setenv (launcher, FOLDER, f->folder, TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, program, NULL);
  g_assert_no_error (error);
  return process;
}

void
wait_until_ready (GSubprocess *process)
{
  g_autoptr (GDataInputStream) output =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  g_autofree char *line = g_data_input_stream_read_line (output, NULL, NULL, NULL);

  g_assert_cmpstr (line, ==, "ready");
}

void
end_part (GSubprocess *process)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_close (g_subprocess_get_stdin_pipe (process), NULL, &error);
  g_assert_no_error (error);
  g_subprocess_wait_check (process, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (process);
}

void
hold (void)
{
  puts ("ready");
  fflush (stdout);
  while (getchar () != EOF)
    ;
}

static void
play_leaving (Fixture *f)
{
  JobQueue *queue = must_open (f);

  for (guint i = 0; i < N_LEFT; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *id = enqueue (queue, &error);

      g_assert_no_error (error);
    }
  raise (SIGKILL);
}

void
leave_jobs (Fixture *f)
{
  g_autoptr (GSubprocess) process = start_part (f, LEAVING);

  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_true (g_subprocess_get_if_signaled (process));
  g_assert_cmpint (g_subprocess_get_term_sig (process), ==, SIGKILL);
}

void
play_part (const Part *parts)
{
  const char *name = g_getenv (PART);
  Fixture f;

  if (name == NULL)
    return;
  fixture_init (&f, g_getenv (FOLDER));
  if (g_str_equal (name, LEAVING))
    play_leaving (&f);
  while (parts->name != NULL && !g_str_equal (parts->name, name))
    parts++;
  g_assert_nonnull (parts->name);
  parts->play (&f);
  fixture_clear (&f);
  exit (0);
}
