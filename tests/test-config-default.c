/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of an application that names no backend: it gets sqlite, in a file that it has to
 * name all the same, and a clear error where there is no sqlite. (What is wrong in such a config:
 * test-config.c.) */

#include <glib/gstdio.h>
#include <string.h>

#include "jobqueue-backend.h"

typedef struct
{
  char *folder;
  char *config;
  char *file;
} Fixture;

static void
setup (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("jobqueue-config-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
  fixture->config = g_build_filename (fixture->folder, "queue.conf", NULL);
  fixture->file = g_build_filename (fixture->folder, "jobs.sqlite", NULL);
}

static void
teardown (Fixture *fixture, gconstpointer data)
{
  g_autofree char *lock = g_strconcat (fixture->file, ".lock", NULL);

  g_remove (fixture->config);
  g_remove (fixture->file);
  g_remove (lock);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->config);
  g_free (fixture->file);
}

static JobQueue *
open_text (Fixture *fixture, const char *text, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  g_file_set_contents (fixture->config, text, -1, &local_error);
  g_assert_no_error (local_error);
  return job_queue_new_from_config (fixture->config, error);
}

/* @words: what the message must have, separated by "|". */
static void
assert_words (GError *error, const char *words)
{
  g_auto (GStrv) list = g_strsplit (words, "|", -1);

  g_assert_error (error, JOB_ERROR, JOB_ERROR_CONFIG);
  g_test_message ("%s", error->message);
  for (guint i = 0; list[i] != NULL; i++)
    if (strstr (error->message, list[i]) == NULL)
      g_error ("“%s” is not in “%s”", list[i], error->message);
}

/* It is sqlite, at its place, and works; @queue is closed then. */
static void
assert_sqlite (Fixture *fixture, JobQueue *queue, GError *error)
{
  g_autoptr (JobSpec) spec = job_spec_new ("work", "{}");
  g_autoptr (GError) local_error = NULL;
  g_autofree char *file = NULL;
  g_autofree char *id = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (G_OBJECT_TYPE_NAME (queue), ==, "JobSqliteQueue");
  g_object_get (queue, "file", &file, NULL);
  g_assert_cmpstr (file, ==, fixture->file);
  id = job_queue_enqueue (queue, spec, NULL, &local_error);
  g_assert_no_error (local_error);
  job_queue_close (queue, NULL, &local_error);
  g_assert_no_error (local_error);
  g_assert_true (g_file_test (fixture->file, G_FILE_TEST_IS_REGULAR));
}

static void
test_config_without_group (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue = open_text (fixture, "[sqlite]\nfile=jobs.sqlite\n", &error);

  assert_sqlite (fixture, queue, error);
}

/* A group of another backend does not name it. */
static void
test_config_without_key (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue = open_text (
      fixture, "[queue]\n[fs-json]\ndirectory=jobs\n[sqlite]\nfile=jobs.sqlite\n", &error);

  assert_sqlite (fixture, queue, error);
}

static void
test_caller_without_name (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) options = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue = NULL;

  g_hash_table_insert (options, (gpointer) "file", fixture->file);
  queue = job_queue_new_for_backend (NULL, options, JOB_CLOCK (clock), &error);
  assert_sqlite (fixture, queue, error);
}

static void
test_file_must_be_named (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) name_error = NULL;

  g_assert_null (open_text (fixture, "[queue]\n", &error));
  assert_words (error, "queue.conf|[sqlite]|no key “backend”|“file”|missing|file=/");
  g_assert_null (job_queue_new_for_backend (NULL, NULL, NULL, &name_error));
  assert_words (name_error, "“sqlite”|none is named|“file”|missing|file=/");
}

/* In a process that has only bad modules to search, besides what is installed on this machine. */
static void
test_not_installed (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strdup_printf ("[sqlite]\nfile=%s\n", fixture->file);
  g_autofree char *bad = g_test_build_filename (G_TEST_BUILT, "bad-modules", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) name_error = NULL;
  g_auto (GStrv) backends = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }

  g_setenv ("JOBQUEUE_BACKEND_PATH", bad, TRUE);
  backends = job_list_backends ();
  if (g_strv_contains ((const char *const *) backends, "sqlite"))
    return;
  g_assert_null (open_text (fixture, text, &error));
  assert_words (error,
                "queue.conf|[queue]|no “backend”|“sqlite”|sqlite.so|install|name another one|fake");
  g_assert_null (job_queue_new_for_backend (NULL, NULL, NULL, &name_error));
  assert_words (name_error, "“sqlite”|none is named|sqlite.so|install|fake");
  g_assert_false (g_file_test (fixture->file, G_FILE_TEST_EXISTS));
}

#define ADD(path, func) g_test_add ("/config/default/" path, Fixture, NULL, setup, func, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("config-without-the-group", test_config_without_group);
  ADD ("config-without-the-key", test_config_without_key);
  ADD ("caller-without-a-name", test_caller_without_name);
  ADD ("file-must-be-named", test_file_must_be_named);
  ADD ("not-installed-says-so", test_not_installed);

  return g_test_run ();
}
