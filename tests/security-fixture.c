/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "security-fixture.h"

#include <ftw.h>
#include <stdio.h>

static const Backend backends[] = {
  { "memory", NULL, NULL },
  { "fs-json", "directory", "/journal-1" },
  { "gdbm", "file", ".journal-1" },
  { "sqlite", "file", ".journal-1" },
};

JobQueue *
try_open (Fixture *f, GError **error)
{
  g_autoptr (GHashTable) options = g_hash_table_new (g_str_hash, g_str_equal);

  if (f->backend->option != NULL)
    g_hash_table_insert (options, (gpointer) f->backend->option, f->place);
  return job_queue_new_for_backend (f->backend->name, options, NULL, error);
}

void
open_queue (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  f->queue = try_open (f, &error);
  g_assert_no_error (error);
}

void
close_queue (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  job_queue_close (f->queue, NULL, &error);
  g_assert_no_error (error);
  g_clear_object (&f->queue);
}

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->backend = data;
  f->folder = g_dir_make_tmp ("job-security-XXXXXX", &error);
  g_assert_no_error (error);
  f->place = g_build_filename (f->folder, "jobs", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->queue != NULL)
    close_queue (f);
  g_assert_cmpint (nftw (f->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_free (f->folder);
  g_free (f->place);
}

char *
add (Fixture *f, const char *type, const char *channel, const char *args)
{
  g_autoptr (JobSpec) spec = job_spec_new (type, args);
  g_autoptr (GError) error = NULL;
  char *id;

  job_spec_set_channel (spec, channel);
  id = job_queue_enqueue (f->queue, spec, NULL, &error);
  g_assert_no_error (error);
  return id;
}

JobLease *
take (Fixture *f, const char *type, const char *channel)
{
  const char *const types[] = { type, NULL };
  const char *const channels[] = { channel, NULL };
  g_autoptr (GError) error = NULL;
  JobLease *lease = job_queue_dequeue (f->queue, types, channels, 0, NULL, &error);

  if (lease == NULL)
    g_assert_error (error, JOB_ERROR, JOB_ERROR_TIMED_OUT);
  return lease;
}

guint
count (Fixture *f, const char *type)
{
  const char *const types[] = { type, NULL };
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GListModel) list = NULL;
  g_autoptr (GError) error = NULL;

  if (type != NULL)
    job_filter_set_types (filter, types);
  list = job_queue_list (f->queue, filter, NULL, &error);
  g_assert_no_error (error);
  return g_list_model_get_n_items (list);
}

/* --- all -------------------------------------------------------------------------------------- */

static void
add_test (const Backend *backend, const SecurityTest *test)
{
  g_autofree char *path = g_strdup_printf ("/security/%s/%s", backend->name, test->path);

  if (test->only == NULL || g_str_equal (test->only, backend->name))
    g_test_add (path, Fixture, backend, set_up, test->run, tear_down);
}

void
add_tests (const SecurityTest *tests, gsize n_tests, gboolean of_files)
{
  for (gsize i = 0; i < G_N_ELEMENTS (backends); i++)
    for (gsize k = 0; k < n_tests; k++)
      if (!of_files || backends[i].option != NULL)
        add_test (&backends[i], &tests[k]);
}
