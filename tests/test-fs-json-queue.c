/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A whole queue on a folder of the seed's: opened here, worked on, closed, and opened by the seed.
 */

#include "fs-json-fixture.h"

#include <string.h>

#define CANCELED "2e62d615-b7f2-43d2-b6f3-7d06e69a679f"
#define RUNNING "95ec1a5a-46a6-4818-8ffd-176d69a366cc"
#define REQUEUED "bc85084e-c815-4646-b2c3-540b3b3a9934"
#define BLOCKED "be60d5c8-badd-4687-88b9-28f5669202af"
#define FINISHED "fbff9588-5a9a-4029-a0ef-d0717d0ab1d5"
#define WAITS "5c0b9a53-5f4b-4d8f-8d6e-2b1f4a7c9e10"
#define TOKEN "e4ffbbec-4cf0-4ef5-8ea2-102246271bde"

static void
put_sample (Fixture *fixture, const char *id)
{
  g_autofree char *name = g_strconcat (id, ".json", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "data", "osbuild-jobs", name, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  fixture_put (fixture, name, text);
}

static JobQueue *
open_queue (Fixture *fixture)
{
  g_autofree char *uri = g_strconcat ("fs-json:", fixture->folder, NULL);
  g_autoptr (GError) error = NULL;
  JobQueue *queue = job_queue_new_for_uri (uri, &error);

  g_assert_no_error (error);
  return queue;
}

static void
close_queue (JobQueue *queue)
{
  g_autoptr (GError) error = NULL;

  job_queue_close (queue, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (queue);
}

static void
assert_state (JobQueue *queue, const char *id, JobState state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = job_queue_get_info (queue, id, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (job_info_get_state (info), ==, state);
}

static char *
add_after (JobQueue *queue, const char *dependency)
{
  g_autoptr (JobSpec) spec = job_spec_new ("after", NULL);
  g_autoptr (GError) error = NULL;
  char *id;

  job_spec_add_dependency (spec, dependency, JOB_CONDITION_AFTER_OK);
  id = job_queue_enqueue (queue, spec, NULL, &error);
  g_assert_no_error (error);
  return id;
}

/* The running job goes on with its token, and then the one that waits for it. */
static void
work (JobQueue *queue)
{
  const char *types[] = { "osbuild:x86_64", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autofree char *id = job_queue_lookup_token (queue, TOKEN, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (id, ==, RUNNING);
  job_queue_heartbeat (queue, RUNNING, TOKEN, NULL, &error);
  g_assert_no_error (error);
  job_queue_complete (queue, RUNNING, TOKEN, "{\"done\": 1.0}", NULL, &error);
  g_assert_no_error (error);
  lease = job_queue_dequeue (queue, types, NULL, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, BLOCKED);
  job_queue_fail (queue, BLOCKED, job_lease_get_token (lease), "{\"exit\":1}", NULL, &error);
  g_assert_no_error (error);
}

static SeedState
seed_state (GHashTable *seed, const char *id)
{
  JobId parsed = parse_id (id);

  return seed_get (seed, &parsed);
}

static void
test_there_and_back (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) seed = NULL;
  g_autofree char *never = NULL, *waits = NULL;
  JobQueue *queue;

  put_sample (fixture, RUNNING);
  put_sample (fixture, REQUEUED);
  put_sample (fixture, BLOCKED);
  put_sample (fixture, FINISHED);
  queue = open_queue (fixture);
  assert_state (queue, RUNNING, JOB_STATE_RUNNING);
  assert_state (queue, REQUEUED, JOB_STATE_PENDING);
  assert_state (queue, BLOCKED, JOB_STATE_BLOCKED);
  assert_state (queue, FINISHED, JOB_STATE_SUCCEEDED);
  work (queue);
  never = add_after (queue, BLOCKED); /* it failed: this one is born cancelled */
  waits = add_after (queue, REQUEUED);
  close_queue (queue);

  seed = seed_open (fixture->folder);
  g_assert_cmpuint (g_hash_table_size (seed), ==, 6);
  g_assert_cmpint (seed_state (seed, RUNNING), ==, SEED_FINISHED);
  g_assert_cmpint (seed_state (seed, REQUEUED), ==, SEED_PENDING);
  g_assert_cmpint (seed_state (seed, BLOCKED), ==, SEED_FINISHED);
  g_assert_cmpint (seed_state (seed, never), ==, SEED_CANCELED);
  g_assert_cmpint (seed_state (seed, waits), ==, SEED_BLOCKED);

  queue = open_queue (fixture);
  assert_state (queue, BLOCKED, JOB_STATE_FAILED);
  assert_state (queue, never, JOB_STATE_CANCELED);
  assert_state (queue, waits, JOB_STATE_BLOCKED);
  close_queue (queue);
}

/* In the seed, it would wait for ever. */
static void
test_dependent_of_canceled (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = NULL;
  g_autofree char *text = NULL;
  JobQueue *queue;

  put_sample (fixture, CANCELED);
  fixture_put (fixture, WAITS ".json",
               "{\"id\":\"" WAITS "\",\"type\":\"t\",\"dependencies\":[\"" CANCELED
               "\"],\"queued_at\":\"2026-11-22T06:04:55Z\"}");
  queue = open_queue (fixture);
  info = job_queue_get_info (queue, WAITS, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_CANCELED);
  g_assert_cmpint (job_info_get_reason (info), ==, JOB_REASON_DEPENDENCY);
  g_assert_cmpstr (job_info_get_culprit (info), ==, CANCELED);
  close_queue (queue);
  text = fixture_get (fixture, WAITS ".json");
  g_assert_nonnull (strstr (text, "\"canceled\":true"));
  g_assert_nonnull (strstr (text, "\"never_started\":true"));
}

/* osbuild-composer #3779: one bad file stopped the server. */
static void
test_damage (Fixture *fixture, gconstpointer data)
{
  g_autofree char *directory = g_strconcat (fixture->folder, "-damaged", NULL);
  g_autoptr (GListModel) damaged = NULL, moved = NULL;
  g_autoptr (GHashTable) seed = NULL;
  g_autoptr (GError) error = NULL;
  JobQueue *queue;

  put_sample (fixture, REQUEUED);
  fixture_put (fixture, WAITS ".json", "");
  fixture_put (fixture, "README", "not a job");
  fixture_put (fixture, REQUEUED ".json-1.tmp", "{");
  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  queue = open_queue (fixture);
  assert_state (queue, REQUEUED, JOB_STATE_PENDING);
  damaged = job_queue_list_damaged (queue, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (damaged), ==, 2);
  moved = job_queue_move_damaged (queue, directory, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (moved), ==, 2);
  close_queue (queue);
  seed = seed_open (fixture->folder);
  g_assert_cmpuint (g_hash_table_size (seed), ==, 1);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/fs-json/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("queue/takes-over-and-gives-back", test_there_and_back);
  ADD ("queue/dependents-of-a-canceled-job-do-not-hang", test_dependent_of_canceled);
  ADD ("queue/opens-with-damage", test_damage);

  return g_test_run ();
}
