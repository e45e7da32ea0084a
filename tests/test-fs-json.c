/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The format of the fs-json store: the seed's files here, and ours for the seed. The samples in
 * data/osbuild-jobs were written by the seed. */

#include "fs-json-fixture.h"

#include <string.h>

#define CANCELED "2e62d615-b7f2-43d2-b6f3-7d06e69a679f"
#define RUNNING "95ec1a5a-46a6-4818-8ffd-176d69a366cc"
#define REQUEUED "bc85084e-c815-4646-b2c3-540b3b3a9934"
#define BLOCKED "be60d5c8-badd-4687-88b9-28f5669202af"
#define FINISHED "fbff9588-5a9a-4029-a0ef-d0717d0ab1d5"
#define NEVER "0001-01-01T00:00:00Z"
#define NIL "00000000-0000-0000-0000-000000000000"

#define SAMPLE_ARGS                                                                                \
  "{\"image_type\":\"qcow2\",\"name\":\"Zähler 🐙\",\"os\":\"fedora-40\",\"size\":10737418240}"

static char *
get_sample (const char *id)
{
  g_autofree char *name = g_strconcat (id, ".json", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "data", "osbuild-jobs", name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static void
put_sample (Fixture *fixture, const char *id)
{
  g_autofree char *text = get_sample (id);
  g_autofree char *name = g_strconcat (id, ".json", NULL);

  fixture_put (fixture, name, text);
}

static void
open_samples (Fixture *fixture)
{
  put_sample (fixture, CANCELED);
  put_sample (fixture, RUNNING);
  put_sample (fixture, REQUEUED);
  put_sample (fixture, BLOCKED);
  put_sample (fixture, FINISHED);
  fixture_open (fixture);
}

static void
assert_id (const JobId *id, const char *expected)
{
  g_autofree char *text = job_id_dup_text (id);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_opens (Fixture *fixture, gconstpointer data)
{
  g_autofree char *open = NULL, *all = NULL;

  open_samples (fixture);
  open = visit_ids (fixture->store, FALSE);
  all = visit_ids (fixture->store, TRUE);
  g_assert_cmpstr (open, ==, RUNNING " " REQUEUED " " BLOCKED);
  g_assert_cmpstr (all, ==, CANCELED " " RUNNING " " REQUEUED " " BLOCKED " " FINISHED);
  g_assert_cmpuint (count_damage (fixture->store), ==, 0);
}

static void
test_states (Fixture *fixture, gconstpointer data)
{
  g_auto (JobStatus) canceled = { 0 }, running = { 0 }, requeued = { 0 }, finished = { 0 };

  open_samples (fixture);
  canceled = read_status (fixture->store, CANCELED);
  g_assert_cmpint (canceled.state, ==, JOB_STATE_CANCELED);
  g_assert_cmpint (canceled.reason, ==, JOB_REASON_REQUESTED);
  g_assert_cmpint (canceled.started_at, ==, 0);
  running = read_status (fixture->store, RUNNING);
  g_assert_cmpint (running.state, ==, JOB_STATE_RUNNING);
  assert_id (&running.token, "e4ffbbec-4cf0-4ef5-8ea2-102246271bde");
  g_assert_cmpint (running.started_at, ==, G_GINT64_CONSTANT (1795327494484247209));
  g_assert_cmpint (running.finished_at, ==, 0);
  g_assert_cmpuint (running.attempts, ==, 1);
  requeued = read_status (fixture->store, REQUEUED);
  g_assert_cmpint (requeued.state, ==, JOB_STATE_PENDING);
  g_assert_cmpuint (requeued.attempts, ==, 1);
  g_assert_true (job_id_is_nil (&requeued.token));
  finished = read_status (fixture->store, FINISHED);
  g_assert_cmpint (finished.state, ==, JOB_STATE_SUCCEEDED);
  g_assert_cmpstr (finished.outcome, ==, "{\"ok\":true,\"rpms\":[1,2,3]}");
  assert_id (&finished.token, "757d8e18-9fdd-4f69-869c-f9dab9bb4eca");
  g_assert_cmpint (finished.finished_at, ==, G_GINT64_CONSTANT (1795327494483852002));
}

static void
test_records (Fixture *fixture, gconstpointer data)
{
  JobId blocked = parse_id (BLOCKED), requeued = parse_id (REQUEUED);
  g_auto (JobStatus) status = { 0 }, other = { 0 };
  g_autoptr (JobRecord) record = NULL, retry = NULL;

  open_samples (fixture);
  record = read_job (fixture->store, &blocked, &status);
  g_assert_cmpint (status.state, ==, JOB_STATE_PENDING);
  g_assert_cmpstr (record->type, ==, "osbuild:x86_64");
  g_assert_cmpstr (record->channel, ==, "org-1");
  g_assert_cmpstr (record->args, ==, SAMPLE_ARGS);
  g_assert_cmpint (record->queued_at, ==, G_GINT64_CONSTANT (1795327494482987067));
  g_assert_cmpuint (record->max_attempts, ==, 1);
  g_assert_cmpuint (record->n_dependencies, ==, 2);
  assert_id (&record->dependencies[0].id, FINISHED);
  assert_id (&record->dependencies[1].id, RUNNING);
  g_assert_cmpint (record->dependencies[1].condition, ==, JOB_CONDITION_AFTER_OK);
  retry = read_job (fixture->store, &requeued, &other);
  g_assert_cmpstr (retry->args, ==, "3.5");
  g_assert_cmpuint (retry->max_attempts, ==, 2);
}

static void
test_dependents_known (Fixture *fixture, gconstpointer data)
{
  JobId finished = parse_id (FINISHED), blocked = parse_id (BLOCKED);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (JobId));
  g_autofree char *all = NULL;

  open_samples (fixture);
  all = visit_ids (fixture->store, FALSE);
  g_assert_true (job_store_list_dependents (fixture->store, &finished, ids, NULL));
  g_assert_cmpuint (ids->len, ==, 2);
  g_assert_true (job_store_list_dependents (fixture->store, &blocked, ids, NULL));
  g_assert_cmpuint (ids->len, ==, 2);
}

/* Nothing but what the status says has other bytes, and what is ours is the last member. */
static void
test_status_change (Fixture *fixture, gconstpointer data)
{
  JobId running = parse_id (RUNNING);
  g_auto (JobStatus) status = { 0 };
  g_autofree char *text = NULL;

  open_samples (fixture);
  status = read_status (fixture->store, RUNNING);
  status.state = JOB_STATE_SUCCEEDED;
  status.finished_at = G_GINT64_CONSTANT (1795327500000000000);
  status.outcome = g_strdup ("[1,\"é\"]");
  apply_status (fixture->store, &running, &status);
  checkpoint (fixture->store);
  text = fixture_get_job (fixture, &running);
  g_assert_cmpstr (
      text, ==,
      "{\"id\":\"" RUNNING "\",\"token\":\"e4ffbbec-4cf0-4ef5-8ea2-102246271bde\","
      "\"type\":\"manifest-id-only\",\"args\":" SAMPLE_ARGS ",\"dependencies\":[\"" FINISHED "\"],"
      "\"dependents\":[\"" BLOCKED "\"],\"channel\":\"org-1\","
      "\"queued_at\":\"2026-11-22T06:04:54.482613532Z\","
      "\"started_at\":\"2026-11-22T06:04:54.484247209Z\",\"finished_at\":\"2026-11-22T06:05:00Z\","
      "\"expires_at\":\"0001-01-01T00:00:00Z\",\"retries\":0,\"result\":[1,\"é\"],"
      "\"jobqueue\":{\"version\":1,\"attempts\":1,\"max_attempts\":1}}\n");
}

static void
test_unknown_members (Fixture *fixture, gconstpointer data)
{
  JobId id = parse_id (REQUEUED);
  JobStatus status = make_status (JOB_STATE_RUNNING);
  g_autofree char *first = NULL, *second = NULL;

  fixture_put (fixture, REQUEUED ".json",
               "{ \"x\\u002dkey\" : { \"a\" : [ 1e2,\t1.50 ] } ,\n"
               "\"id\":\"" REQUEUED "\",\"\\u0074ype\" : \"t\\u00e4\", \"args\": { \"b\" : 1,"
               " \"a\": 0.10 },\"queued_at\":\"2026-11-22T08:04:54+02:00\","
               "\"expires_at\":\"2030-01-01T00:00:00+01:00\",\"jobqueue\":{\"version\":1,"
               "\"later\" : [ true ],\"attempts\":0},\"last\":\"\\/\"}");
  fixture_open (fixture);
  apply_status (fixture->store, &id, &status);
  checkpoint (fixture->store);
  first = fixture_get_job (fixture, &id);
  g_assert_true (g_str_has_prefix (first, "{\"x\\u002dkey\":{ \"a\" : [ 1e2,\t1.50 ] },\"id\""));
  g_assert_nonnull (
      strstr (first, ",\"\\u0074ype\":\"t\\u00e4\",\"args\":{ \"b\" : 1, \"a\": 0.10 },"));
  g_assert_nonnull (strstr (first, ",\"queued_at\":\"2026-11-22T08:04:54+02:00\","));
  g_assert_nonnull (strstr (first, ",\"expires_at\":\"2030-01-01T00:00:00+01:00\","));
  g_assert_nonnull (strstr (first, "\"max_attempts\":1,\"later\":[ true ]},\"last\":\"\\/\","));
  apply_status (fixture->store, &id, &status);
  checkpoint (fixture->store);
  second = fixture_get_job (fixture, &id);
  g_assert_cmpstr (first, ==, second);
}

static void
test_without_token (Fixture *fixture, gconstpointer data)
{
  g_autofree char *sample = get_sample (RUNNING);
  g_autofree char *open = NULL, *after = NULL;
  g_auto (JobStatus) status = { 0 };
  char *token = strstr (sample, "e4ffbbec-4cf0-4ef5-8ea2-102246271bde");

  memcpy (token, NIL, strlen (NIL));
  fixture_put (fixture, RUNNING ".json", sample);
  fixture_open (fixture);
  open = visit_ids (fixture->store, FALSE);
  g_assert_cmpstr (open, ==, "");
  status = read_status (fixture->store, RUNNING);
  g_assert_cmpint (status.state, ==, JOB_STATE_FAILED);
  g_assert_cmpint (status.reason, ==, JOB_REASON_LEASE_WITHOUT_TOKEN);
  g_assert_cmpint (status.finished_at, ==, status.started_at);
  g_assert_true (job_json_check (status.outcome, -1, "error", NULL, NULL, NULL));
  fixture_close (fixture);
  after = fixture_get (fixture, RUNNING ".json");
  g_assert_cmpstr (after, ==, sample);
}

/* One job in each state that there is, as they end after a clean close. */

typedef struct
{
  JobRecord *record;
  SeedState expected;
} Written;

static void
write_job (Fixture *fixture, GArray *jobs, JobStatus status, SeedState expected)
{
  Written written = { make_record ("t", "[]", 0, NULL), expected };
  JobStatus waiting = make_status (JOB_STATE_PENDING);

  /* As one change, or as two. */
  if (jobs->len % 2 == 0)
    apply_record (fixture->store, written.record, &status);
  else
    {
      apply_record (fixture->store, written.record, &waiting);
      checkpoint (fixture->store);
      apply_status (fixture->store, &written.record->id, &status);
    }
  g_array_append_val (jobs, written);
}

static void
write_every_state (Fixture *fixture, GArray *jobs)
{
  for (guint i = 0; i < 2; i++)
    {
      JobStatus status = make_status (JOB_STATE_PENDING);

      write_job (fixture, jobs, status, SEED_PENDING);
      status.token = make_status (JOB_STATE_RUNNING).token; /* it had an attempt */
      status.started_at = 5;
      status.attempts = 1;
      status.outcome = (char *) "{\"exit\":1}";
      write_job (fixture, jobs, status, SEED_PENDING);
      status = make_status (JOB_STATE_RUNNING);
      write_job (fixture, jobs, status, SEED_RUNNING);
      status.outcome = (char *) "{\"exit\":1}";
      status.attempts = 2;
      write_job (fixture, jobs, status, SEED_RUNNING);
      status = make_status (JOB_STATE_SUCCEEDED);
      write_job (fixture, jobs, status, SEED_FINISHED);
      status.outcome = (char *) "null";
      write_job (fixture, jobs, status, SEED_FINISHED);
      status = make_status (JOB_STATE_FAILED);
      write_job (fixture, jobs, status, SEED_FINISHED);
      status.outcome = (char *) "{}";
      write_job (fixture, jobs, status, SEED_FINISHED);
      status = make_status (JOB_STATE_CANCELED);
      status.reason = JOB_REASON_REQUESTED;
      write_job (fixture, jobs, status, SEED_CANCELED);
      status.started_at = 0; /* before it ever started */
      status.token = (JobId){ 0 };
      status.attempts = 0;
      status.reason = JOB_REASON_DEPENDENCY;
      job_id_new (&status.culprit, 1);
      write_job (fixture, jobs, status, SEED_CANCELED);
      write_job (fixture, jobs, status, SEED_CANCELED);
    }
}

static void
clear_written (gpointer data)
{
  job_record_unref (((Written *) data)->record);
}

static void
test_ours_for_the_seed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) jobs = g_array_new (FALSE, FALSE, sizeof (Written));
  g_autoptr (GHashTable) seed = NULL;

  g_array_set_clear_func (jobs, clear_written);
  fixture_open (fixture);
  write_every_state (fixture, jobs);
  fixture_close (fixture);
  seed = seed_open (fixture->folder);
  g_assert_cmpuint (g_hash_table_size (seed), ==, jobs->len);
  for (guint i = 0; i < jobs->len; i++)
    {
      const Written *written = &g_array_index (jobs, Written, i);

      g_assert_cmpint (seed_get (seed, &written->record->id), ==, written->expected);
    }
}

/* What a crash left of a new file is written anew from the journal: then it is no damage. */
static void
test_torn_file_made_whole (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JobRecord) record = make_record ("a", "null", 0, NULL);
  JobStatus waiting = make_status (JOB_STATE_PENDING);
  g_autofree char *id = job_id_dup_text (&record->id);
  g_autofree char *name = g_strconcat (id, ".json", NULL);
  g_autofree char *ids = NULL;

  fixture_put (fixture, name, "{");
  fixture_open (fixture);
  ids = visit_ids (fixture->store, FALSE);
  g_assert_cmpstr (ids, ==, "");
  g_assert_cmpuint (count_damage (fixture->store), ==, 1);
  apply_record (fixture->store, record, &waiting);
  g_assert_cmpuint (count_damage (fixture->store), ==, 0);
  fixture_close (fixture);
}

/* A graph, half-way: the seed goes on where we stopped. */
static void
test_graph_for_the_seed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JobRecord) a = make_record ("a", "null", 0, NULL);
  g_autoptr (JobRecord) b = make_record ("b", "null", 0, NULL);
  const JobRecord *both[] = { a, b };
  g_autoptr (JobRecord) c = make_record ("c", "null", 1, both);
  g_autoptr (JobRecord) d = make_record ("d", "null", 2, both);
  JobStatus waiting = make_status (JOB_STATE_PENDING), done = make_status (JOB_STATE_SUCCEEDED);
  g_autoptr (GHashTable) seed = NULL;
  g_autofree char *text = NULL, *c_id = job_id_dup_text (&c->id), *d_id = job_id_dup_text (&d->id);
  g_autofree char *expected = g_strdup_printf ("\"dependents\":[\"%s\",\"%s\"]", c_id, d_id);

  fixture_open (fixture);
  apply_record (fixture->store, a, &waiting);
  apply_record (fixture->store, b, &waiting);
  apply_record (fixture->store, c, &waiting);
  apply_record (fixture->store, d, &waiting);
  apply_status (fixture->store, &a->id, &done);
  fixture_close (fixture);
  seed = seed_open (fixture->folder);
  g_assert_cmpint (seed_get (seed, &a->id), ==, SEED_FINISHED);
  g_assert_cmpint (seed_get (seed, &b->id), ==, SEED_PENDING);
  g_assert_cmpint (seed_get (seed, &c->id), ==, SEED_PENDING);
  g_assert_cmpint (seed_get (seed, &d->id), ==, SEED_BLOCKED);
  text = fixture_get_job (fixture, &a->id);
  g_assert_nonnull (strstr (text, expected));
}

/* Those that the file names come first, in their order; then ours. */
static void
test_dependents_merged (Fixture *fixture, gconstpointer data)
{
  JobId id = parse_id (FINISHED);
  JobRecord dependency = { .id = id };
  const JobRecord *dependencies[] = { &dependency };
  g_autoptr (JobRecord) more = make_record ("t", "null", 1, dependencies);
  g_autofree char *more_id = job_id_dup_text (&more->id);
  JobStatus waiting = make_status (JOB_STATE_PENDING);
  g_auto (JobStatus) status = { 0 };
  g_autofree char *all = NULL, *text = NULL, *expected = NULL;

  open_samples (fixture);
  all = visit_ids (fixture->store, FALSE);
  apply_record (fixture->store, more, &waiting);
  status = read_status (fixture->store, FINISHED);
  apply_status (fixture->store, &id, &status);
  fixture_close (fixture);
  text = fixture_get_job (fixture, &id);
  expected = g_strdup_printf ("\"dependents\":[\"" RUNNING "\",\"" BLOCKED "\",\"%s\"]", more_id);
  g_assert_nonnull (strstr (text, expected));
}

#define ADD(path, func)                                                                            \
  g_test_add ("/fs-json/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("seed/opens-here", test_opens);
  ADD ("seed/has-the-right-states", test_states);
  ADD ("seed/args-come-byte-for-byte", test_records);
  ADD ("seed/dependents-are-known", test_dependents_known);
  ADD ("seed/a-new-status-changes-nothing-else", test_status_change);
  ADD ("seed/unknown-members-stay-byte-for-byte", test_unknown_members);
  ADD ("seed/running-without-a-token-is-failed", test_without_token);
  ADD ("seed/opens-what-was-written-here", test_ours_for_the_seed);
  ADD ("seed/goes-on-with-a-graph", test_graph_for_the_seed);
  ADD ("torn-file-that-is-made-whole-is-no-damage", test_torn_file_made_whole);
  ADD ("seed/dependents-are-merged", test_dependents_merged);

  return g_test_run ();
}
