/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls of a store, each failing the test at once, and what is compared with the table. */

#include "store-private.h"

#include <string.h>

/* --- calls ------------------------------------------------------------------------------------ */

static gboolean
ignore_job (JobRecord *record, const JobStatus *status, gpointer data)
{
  return TRUE;
}

void
store_open (StoreFixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (f->store);
  f->store = f->backend->open (f->folder, &error);
  g_assert_no_error (error);
  g_assert_true (JOB_IS_STORE (f->store));
  job_store_visit (f->store, FALSE, ignore_job, NULL, &error);
  g_assert_no_error (error);
}

void
store_close (StoreFixture *f)
{
  g_autoptr (GError) error = NULL;

  store_checkpoint (f);
  job_store_close (f->store, TRUE, &error);
  g_assert_no_error (error);
  g_clear_object (&f->store);
}

void
store_apply (StoreFixture *f, const GArray *changes)
{
  g_autoptr (GError) error = NULL;

  job_store_apply (f->store, (const JobChange *) (gpointer) changes->data, changes->len, &error);
  g_assert_no_error (error);
}

void
store_checkpoint (StoreFixture *f)
{
  g_autoptr (GError) error = NULL;

  job_store_checkpoint (f->store, &error);
  g_assert_no_error (error);
}

guint
store_count_damage (StoreFixture *f)
{
  g_autoptr (GPtrArray) list = job_store_list_damaged (f->store);

  return list->len;
}

/* --- comparing -------------------------------------------------------------------------------- */

static void
assert_same_record (const JobRecord *found, const JobRecord *expected)
{
  g_assert_true (job_id_equal (&found->id, &expected->id));
  g_assert_cmpint (found->queued_at, ==, expected->queued_at);
  g_assert_cmpint (found->run_at, ==, expected->run_at);
  g_assert_cmpint (found->priority, ==, expected->priority);
  g_assert_cmpuint (found->max_attempts, ==, expected->max_attempts);
  g_assert_cmpstr (found->type, ==, expected->type);
  g_assert_cmpstr (found->channel, ==, expected->channel);
  g_assert_cmpstr (found->args, ==, expected->args);
  g_assert_cmpuint (found->n_dependencies, ==, expected->n_dependencies);
  for (guint i = 0; i < found->n_dependencies; i++)
    {
      g_assert_true (job_id_equal (&found->dependencies[i].id, &expected->dependencies[i].id));
      g_assert_cmpint (found->dependencies[i].condition, ==, expected->dependencies[i].condition);
    }
}

static void
assert_same_status (const JobStatus *found, const JobStatus *expected)
{
  g_assert_cmpint (found->state, ==, expected->state);
  g_assert_cmpint (found->reason, ==, expected->reason);
  g_assert_cmpuint (found->attempts, ==, expected->attempts);
  g_assert_true (job_id_equal (&found->token, &expected->token));
  g_assert_true (job_id_equal (&found->culprit, &expected->culprit));
  g_assert_cmpint (found->started_at, ==, expected->started_at);
  g_assert_cmpint (found->finished_at, ==, expected->finished_at);
  g_assert_cmpstr (found->outcome, ==, expected->outcome);
}

void
store_assert_job (StoreFixture *f, const JobChange *job)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) error = NULL;

  job_store_read (f->store, &job->id, &record, &status, &error);
  g_assert_no_error (error);
  g_assert_nonnull (record);
  assert_same_record (record, job->record);
  assert_same_status (&status, &job->status);
}

static void
assert_absent (StoreFixture *f)
{
  JobId id = { { 1, 2, 3, 4 } };
  JobRecord *record = (JobRecord *) f;
  JobStatus status = { 0 };
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (JobId));
  g_autoptr (GError) error = NULL;

  g_assert_true (job_store_read (f->store, &id, &record, &status, &error));
  g_assert_no_error (error);
  g_assert_null (record);
  g_assert_true (job_store_list_dependents (f->store, &id, ids, NULL));
  g_assert_cmpuint (ids->len, ==, 0);
}

/* --- dependents ------------------------------------------------------------------------------- */

static gboolean
depends_on (const JobRecord *record, const JobId *id)
{
  for (guint i = 0; i < record->n_dependencies; i++)
    if (job_id_equal (&record->dependencies[i].id, id))
      return TRUE;
  return FALSE;
}

/* What is there already stays before them. */
static void
assert_dependents (StoreFixture *f, Story *story, const JobId *id)
{
  g_autoptr (GHashTable) found = g_hash_table_new (job_id_hash, job_id_equal);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (JobId));
  guint n_expected = 0;

  g_array_append_val (ids, *id);
  g_assert_true (job_store_list_dependents (f->store, id, ids, NULL));
  for (guint i = 1; i < ids->len; i++)
    g_assert_true (g_hash_table_add (found, &g_array_index (ids, JobId, i)));
  for (guint i = 0; i < story->order->len; i++)
    {
      const JobChange *job = g_ptr_array_index (story->order, i);

      if (!depends_on (job->record, id))
        continue;
      g_assert_true (g_hash_table_contains (found, &job->id));
      n_expected++;
    }
  g_assert_cmpuint (g_hash_table_size (found), ==, n_expected);
}

/* --- visits ----------------------------------------------------------------------------------- */

typedef struct
{
  Story *story;
  gboolean everything;
  GHashTable *seen; /* of JobId, owned */
} Visit;

static gboolean
check_visited (JobRecord *record, const JobStatus *status, gpointer data)
{
  Visit *visit = data;
  const JobChange *job = g_hash_table_lookup (visit->story->jobs, &record->id);

  g_assert_nonnull (job);
  g_assert_true (g_hash_table_add (visit->seen, g_memdup2 (&record->id, sizeof record->id)));
  g_assert_true (visit->everything || !job_state_is_final (status->state));
  assert_same_record (record, job->record);
  assert_same_status (status, &job->status);
  return TRUE;
}

static void
assert_visit (StoreFixture *f, Story *story, gboolean everything)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, NULL);
  Visit visit = { story, everything, seen };
  g_autoptr (GError) error = NULL;

  job_store_visit (f->store, everything, check_visited, &visit, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (seen), ==,
                    everything ? story->order->len : story->open->len);
}

void
store_assert_all (StoreFixture *f, Story *story)
{
  assert_visit (f, story, TRUE);
  assert_visit (f, story, FALSE);
  for (guint i = 0; i < story->order->len; i++)
    store_assert_job (f, g_ptr_array_index (story->order, i));
  for (guint i = 0; i < story->order->len; i += 1 + story->order->len / 50)
    assert_dependents (f, story, &((JobChange *) g_ptr_array_index (story->order, i))->id);
  assert_absent (f);
  g_assert_cmpuint (store_count_damage (f), ==, 0);
}

void
store_assert_some (StoreFixture *f, Story *story)
{
  for (guint i = 0; i < 4; i++)
    {
      gint number = g_test_rand_int_range (0, (gint32) story->order->len);
      const JobChange *job = g_ptr_array_index (story->order, number);

      store_assert_job (f, job);
      assert_dependents (f, story, &job->id);
    }
  assert_absent (f);
}
