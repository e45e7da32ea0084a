/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Folders, jobs and the calls of a store, each failing the test at once. */

#include "fs-json-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static void
remove_tree (const char *path)
{
  const char *argv[] = { "rm", "-rf", path, NULL };
  g_autoptr (GError) error = NULL;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                &error);
  g_assert_no_error (error);
}

void
fixture_set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *parent = g_dir_make_tmp ("fs-json-XXXXXX", &error);

  g_assert_no_error (error);
  self->folder = g_build_filename (parent, "jobs", NULL);
  self->store = NULL;
}

void
fixture_tear_down (Fixture *self, gconstpointer data)
{
  g_autofree char *parent = g_path_get_dirname (self->folder);

  g_clear_object (&self->store);
  remove_tree (parent);
  g_free (self->folder);
}

void
fixture_open (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (self->store);
  self->store = job_fs_json_store_new (self->folder, &error);
  g_assert_no_error (error);
  g_assert_true (JOB_IS_FS_JSON_STORE (self->store));
}

void
fixture_close (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  checkpoint (self->store);
  g_assert_true (job_store_close (self->store, TRUE, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (g_steal_pointer (&self->store));
}

void
fixture_crash (Fixture *self)
{
  g_assert_finalize_object (g_steal_pointer (&self->store));
}

void
fixture_put (Fixture *self, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (self->folder, 0700), ==, 0);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

char *
fixture_get (Fixture *self, const char *name)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

gboolean
fixture_has (Fixture *self, const char *name)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  GStatBuf st;

  return g_lstat (path, &st) == 0;
}

char *
fixture_get_job (Fixture *self, const JobId *id)
{
  g_autofree char *text = job_id_dup_text (id);
  g_autofree char *name = g_strconcat (text, ".json", NULL);

  return fixture_get (self, name);
}

guint
fixture_count (Fixture *self, const char *suffix)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) folder = g_dir_open (self->folder, 0, &error);
  const char *name;
  guint n = 0;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (folder)) != NULL)
    n += g_str_has_suffix (name, suffix);
  return n;
}

JobId
parse_id (const char *text)
{
  g_autoptr (GError) error = NULL;
  JobId id;

  job_id_parse (text, "id", &id, &error);
  g_assert_no_error (error);
  return id;
}

JobRecord *
make_record (const char *type, const char *args, guint n_dependencies,
             const JobRecord *const *dependencies)
{
  JobRecord *record = job_record_new (n_dependencies);

  record->queued_at = G_GINT64_CONSTANT (1790000000123456789);
  job_id_new (&record->id, record->queued_at);
  record->max_attempts = 1;
  record->type = g_strdup (type);
  record->channel = g_strdup ("");
  record->args = g_strdup (args);
  for (guint i = 0; i < n_dependencies; i++)
    record->dependencies[i].id = dependencies[i]->id;
  return record;
}

/* One as the scheduler makes it: with what belongs to the state. */
JobStatus
make_status (JobState state)
{
  JobStatus status = { .state = state };

  if (state != JOB_STATE_PENDING)
    {
      status.attempts = 1;
      status.token = parse_id ("6a1f3c2e-58b7-4d0c-9e21-7f4b8a0d5c63");
      status.started_at = G_GINT64_CONSTANT (1790000001500000000);
    }
  if (job_state_is_final (state))
    status.finished_at = G_GINT64_CONSTANT (1790000002000000000);
  return status;
}

gboolean
try_apply (JobStore *store, const JobId *id, const JobRecord *record, const JobStatus *status,
           GError **error)
{
  JobChange change = { .id = *id,
                       .record = record != NULL ? job_record_ref ((JobRecord *) record) : NULL };
  gboolean ok;

  job_status_copy (status, &change.status);
  ok = job_store_apply (store, &change, 1, error);
  job_change_clear (&change);
  return ok;
}

void
apply_record (JobStore *store, const JobRecord *record, const JobStatus *status)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = try_apply (store, &record->id, record, status, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
}

void
apply_status (JobStore *store, const JobId *id, const JobStatus *status)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = try_apply (store, id, NULL, status, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
}

void
checkpoint (JobStore *store)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = job_store_checkpoint (store, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
}

JobRecord *
read_job (JobStore *store, const JobId *id, JobStatus *status)
{
  g_autoptr (GError) error = NULL;
  JobRecord *record = NULL;
  gboolean ok = job_store_read (store, id, &record, status, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
  g_assert_nonnull (record);
  return record;
}

JobStatus
read_status (JobStore *store, const char *id)
{
  JobId parsed = parse_id (id);
  JobStatus status = { 0 };
  g_autoptr (JobRecord) record = read_job (store, &parsed, &status);

  return status;
}

static gboolean
add_id (JobRecord *record, const JobStatus *status, gpointer data)
{
  g_ptr_array_add (data, job_id_dup_text (&record->id));
  return TRUE;
}

static gint
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char *
visit_ids (JobStore *store, gboolean everything)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  gboolean ok = job_store_visit (store, everything, add_id, ids, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
  g_ptr_array_sort (ids, compare_texts);
  g_ptr_array_add (ids, NULL);
  return g_strjoinv (" ", (char **) ids->pdata);
}

JobDamage *
find_damage (JobStore *store, const char *name)
{
  g_autoptr (GPtrArray) list = job_store_list_damaged (store);

  for (guint i = 0; i < list->len; i++)
    {
      JobDamage *damage = g_ptr_array_index (list, i);
      g_autofree char *base = g_path_get_basename (job_damage_get_location (damage));

      if (g_str_equal (base, name))
        return g_object_ref (damage);
    }
  return NULL;
}

guint
count_damage (JobStore *store)
{
  g_autoptr (GPtrArray) list = job_store_list_damaged (store);

  return list->len;
}
