/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What job-store.h asks of a store, each promise by itself: it keeps what it is told, also over
 * another opening; one opening at a time; a damaged record costs itself. (A kill: store-kill.c.) */

#include "store-suite-private.h"

#include "job-local-queue.h"
#include "job-plugin.h"

#include <glib/gstdio.h>

#define N_ROUNDS 60
#define N_JOBS 40 /* of the tests with damage */

typedef struct
{
  const JobConformanceStore *backend;
  const StoreTest *test;
} Case;

static GPtrArray *cases; /* owned for ever, of Case: GTest may run them until the end */

/* --- a store of a backend --------------------------------------------------------------------- */

static JobLocalQueue *
new_unopened_queue (const char *backend, const char *location, GError **error)
{
  const JobPluginDescriptor *plugin = job_plugin_load (JOB_PLUGIN_BACKEND, backend, error);
  GType type;

  if (plugin == NULL)
    return NULL;
  type = plugin->get_type ();
  if (!g_type_is_a (type, JOB_TYPE_LOCAL_QUEUE))
    {
      g_set_error (
          error, JOB_ERROR, JOB_ERROR_PLUGIN,
          "The backend “%s” has no store: its type “%s” does not derive from JobLocalQueue",
          backend, g_type_name (type));
      return NULL;
    }
  return plugin->location_property != NULL
             ? g_object_new (type, plugin->location_property, location, NULL)
             : g_object_new (type, NULL);
}

JobStore *
job_conformance_open_store (const char *backend, const char *location, GError **error)
{
  g_autoptr (JobLocalQueue) queue = new_unopened_queue (backend, location, error);

  return queue != NULL ? JOB_LOCAL_QUEUE_GET_CLASS (queue)->open_store (queue, error) : NULL;
}

/* --- it keeps what it is told ----------------------------------------------------------------- */

static void
maybe_reopen (StoreFixture *f)
{
  if ((f->backend->capabilities & JOB_CONFORMANCE_SURVIVES) == 0 ||
      g_test_rand_int_range (0, 6) != 0)
    return;
  store_close (f);
  store_open (f);
}

static void
test_agrees_with_a_table (StoreFixture *f)
{
  g_auto (Story) story = { NULL };

  story_init (&story, (guint32) g_test_rand_int ());
  store_open (f);
  for (guint round = 0; round < N_ROUNDS; round++)
    {
      g_autoptr (GArray) changes = story_next (&story);

      store_apply (f, changes);
      store_assert_some (f, &story);
      if (g_test_rand_int_range (0, 4) == 0)
        store_checkpoint (f);
      if (g_test_rand_int_range (0, 12) == 0)
        store_assert_all (f, &story);
      maybe_reopen (f);
    }
  store_assert_all (f, &story);
  store_close (f);
}

static void
test_is_there_again (StoreFixture *f)
{
  g_auto (Story) story = { NULL };
  g_autoptr (GArray) changes = NULL;

  story_init (&story, (guint32) g_test_rand_int ());
  changes = story_next (&story);
  store_open (f);
  store_close (f);
  store_open (f);
  store_apply (f, changes);
  for (guint i = 0; i < 2; i++)
    {
      store_assert_all (f, &story);
      store_close (f);
      store_open (f);
    }
  store_assert_all (f, &story);
  store_close (f);
}

static gboolean
count_to_three (JobRecord *record, const JobStatus *status, gpointer data)
{
  guint *n = data;

  return ++*n < 3;
}

static void
test_visit_can_be_stopped (StoreFixture *f)
{
  g_auto (Story) story = { NULL };
  g_autoptr (GError) error = NULL;
  guint n = 0;

  story_init (&story, (guint32) g_test_rand_int ());
  store_open (f);
  while (story.order->len < N_JOBS)
    {
      g_autoptr (GArray) changes = story_next (&story);

      store_apply (f, changes);
    }
  g_assert_true (job_store_visit (f->store, TRUE, count_to_three, &n, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 3);
  store_assert_all (f, &story);
  store_close (f);
}

static void
test_second_opening_is_locked (StoreFixture *f)
{
  g_autoptr (GError) error = NULL;

  store_open (f);
  g_assert_null (f->backend->open (f->folder, &error));
  assert_job_error (error, JOB_ERROR_LOCKED);
  store_close (f);
  store_open (f);
  store_close (f);
}

/* --- damage ----------------------------------------------------------------------------------- */

/* Fills the store, damages one job, which the table does not have any more, and opens it again. */
static JobChange *
damage_one (StoreFixture *f, Story *story)
{
  JobChange *job;
  g_autofree char *text = NULL;

  store_open (f);
  while (story->order->len < N_JOBS)
    {
      g_autoptr (GArray) changes = story_next (story);

      store_apply (f, changes);
    }
  store_close (f);
  job = g_ptr_array_index (story->order, N_JOBS / 2);
  text = job_id_dup_text (&job->id);
  f->backend->damage (f->folder, text);
  g_ptr_array_remove (story->order, job);
  g_ptr_array_remove (story->open, job);
  g_assert_true (g_hash_table_steal (story->jobs, &job->id));
  store_open (f);
  return job;
}

static gboolean
note_damaged (JobRecord *record, const JobStatus *status, gpointer data)
{
  g_assert_false (job_id_equal (&record->id, data));
  return TRUE;
}

static void
assert_damaged (StoreFixture *f, Story *story, JobChange *job)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GError) error = NULL;
  const char *id;

  g_assert_true (job_store_visit (f->store, TRUE, note_damaged, &job->id, &error));
  g_assert_no_error (error);
  list = job_store_list_damaged (f->store);
  g_assert_cmpuint (list->len, ==, 1);
  id = job_damage_get_id (g_ptr_array_index (list, 0));
  if (id != NULL)
    {
      g_autofree char *expected = job_id_dup_text (&job->id);

      g_assert_cmpstr (id, ==, expected);
      g_assert_false (job_store_read (f->store, &job->id, &record, &status, &error));
      assert_job_error (error, JOB_ERROR_CORRUPT);
    }
  for (guint i = 0; i < story->order->len; i++)
    store_assert_job (f, g_ptr_array_index (story->order, i));
}

static void
free_job (JobChange *job)
{
  job_change_clear (job);
  g_free (job);
}

/* Also when all the others have changed since, and the file was written anew. */
static void
test_damage_costs_itself (StoreFixture *f)
{
  g_auto (Story) story = { NULL };
  JobChange *job;

  story_init (&story, (guint32) g_test_rand_int ());
  job = damage_one (f, &story);
  assert_damaged (f, &story, job);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GArray) changes = story_next (&story);

      store_apply (f, changes);
      store_close (f);
      store_open (f);
      assert_damaged (f, &story, job);
    }
  store_close (f);
  free_job (job);
}

static void
test_damage_goes_when_the_job_comes_anew (StoreFixture *f)
{
  g_auto (Story) story = { NULL };
  g_autoptr (GArray) changes = g_array_new (FALSE, FALSE, sizeof (JobChange));
  JobChange *job;

  story_init (&story, (guint32) g_test_rand_int ());
  job = damage_one (f, &story);
  g_array_append_val (changes, *job);
  store_apply (f, changes);
  g_hash_table_replace (story.jobs, &job->id, job);
  g_ptr_array_add (story.order, job);
  if (!job_state_is_final (job->status.state))
    g_ptr_array_add (story.open, job);
  store_assert_all (f, &story);
  store_close (f);
  store_open (f);
  store_assert_all (f, &story);
  store_close (f);
}

/* Out of the store, into a folder, where it is one file or more. */
static void
test_damage_can_be_moved_out (StoreFixture *f)
{
  g_auto (Story) story = { NULL };
  g_autofree char *folder = g_strconcat (f->folder, "-moved", NULL);
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GError) error = NULL;
  JobChange *job;

  story_init (&story, (guint32) g_test_rand_int ());
  job = damage_one (f, &story);
  free_job (job);
  list = job_store_list_damaged (f->store);
  g_assert_cmpuint (list->len, ==, 1);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  if (job_store_move_damaged (f->store, g_ptr_array_index (list, 0), folder, &error))
    {
      g_assert_cmpint (g_rmdir (folder), !=, 0);
      for (guint i = 0; i < 2; i++)
        {
          g_assert_cmpuint (store_count_damage (f), ==, 0);
          store_close (f);
          store_open (f);
        }
    }
  else if (g_error_matches (error, JOB_ERROR, JOB_ERROR_NOT_FOUND))
    g_test_skip ("this store does not move damaged records");
  else
    g_assert_no_error (error);
  store_close (f);
  store_remove_folder (folder);
}

/* --- running them ----------------------------------------------------------------------------- */

static const StoreTest tests[] = {
  { "agrees-with-a-table", test_agrees_with_a_table, 0 },
  { "is-there-again", test_is_there_again, JOB_CONFORMANCE_SURVIVES },
  { "visit-can-be-stopped", test_visit_can_be_stopped, 0 },
  { "second-opening-is-locked", test_second_opening_is_locked, JOB_CONFORMANCE_EXCLUSIVE },
  { "killed-at-any-moment", store_test_kills, JOB_CONFORMANCE_SURVIVES },
  { "damage-costs-itself", test_damage_costs_itself, STORE_DAMAGE },
  { "damage-goes-when-the-job-comes-anew", test_damage_goes_when_the_job_comes_anew, STORE_DAMAGE },
  { "damage-can-be-moved-out", test_damage_can_be_moved_out, STORE_DAMAGE },
};

static const char *
say_what_is_missing (const JobConformanceStore *backend, guint needs)
{
  guint has = backend->capabilities | (backend->damage != NULL ? STORE_DAMAGE : 0);
  guint missing = needs & ~has;

  if (missing & STORE_DAMAGE)
    return "the program does not say how to damage a record";
  if (missing & JOB_CONFORMANCE_SURVIVES)
    return "this store keeps jobs only as long as it is open";
  return missing != 0 ? "this store can be opened more than once at a time" : NULL;
}

static void
run_case (gconstpointer data)
{
  const Case *one = data;
  const char *missing = say_what_is_missing (one->backend, one->test->needs);
  StoreFixture f = { one->backend };
  g_autoptr (GError) error = NULL;

  if (missing != NULL)
    {
      g_test_skip (missing);
      return;
    }
  f.folder = g_dir_make_tmp ("job-store-XXXXXX", &error);
  g_assert_no_error (error);
  one->test->run (&f);
  g_assert_null (f.store);
  store_remove_folder (f.folder);
  g_free (f.folder);
}

void
job_conformance_store_add_tests (const JobConformanceStore *store)
{
  if (cases == NULL)
    cases = g_ptr_array_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strdup_printf ("/job-store/%s/%s", store->name, tests[i].promise);
      Case *one = g_new (Case, 1);

      *one = (Case){ store, &tests[i] };
      g_ptr_array_add (cases, one);
      g_test_add_data_func (path, one, run_case);
    }
}

int
job_conformance_store_main (const JobConformanceStore *store, int argc, char **argv)
{
  job_conformance_store_run_child (store);
  g_test_init (&argc, &argv, NULL);
  job_conformance_store_add_tests (store);

  return g_test_run ();
}
