/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Leases: one at a time, named by a token; the order in which tokens are checked; heartbeats. */

#include "conformance-private.h"

typedef gboolean (*TokenVerb) (Fixture *f, const char *id, const char *token, GError **error);

static gboolean
complete (Fixture *f, const char *id, const char *token, GError **error)
{
  return call_complete (f, id, token, "1", error);
}

static gboolean
fail (Fixture *f, const char *id, const char *token, GError **error)
{
  return call_fail (f, id, token, "1", error);
}

/* The last one takes no administrator. */
static const TokenVerb verbs[] = { complete, fail, call_release, call_heartbeat };

/* Every verb that takes a token is refused with @code, and changes nothing. */
static void
assert_token_refused (Fixture *f, const char *id, const char *token, int code)
{
  g_autofree char *before = snapshot (f);
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (verbs) - (token == NULL); i++)
    {
      g_assert_false (verbs[i](f, id, token, &error));
      g_assert_nonnull (error);
      assert_mentions (error, id);
      if (token != NULL)
        g_assert_null (strstr (error->message, token)); /* tokens are secrets */
      assert_job_error (error, code);
    }

  after = snapshot (f);
  g_assert_cmpstr (after, ==, before);
}

static void
assert_token_unknown (Fixture *f, const char *token)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call_lookup_token (f, token, &error));
  g_assert_null (strstr (error->message, token));
  assert_job_error (error, JOB_ERROR_NOT_FOUND);
}

static void
test_unknown_job_not_found (Fixture *f)
{
  assert_token_refused (f, UNKNOWN_ID, UNKNOWN_TOKEN, JOB_ERROR_NOT_FOUND);
  assert_token_refused (f, UNKNOWN_ID, NULL, JOB_ERROR_NOT_FOUND);
}

static void
test_canceled_job_canceled (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);

  must_cancel (f, id);
  assert_token_refused (f, id, job_lease_get_token (lease), JOB_ERROR_CANCELED);
  assert_token_refused (f, id, UNKNOWN_TOKEN, JOB_ERROR_CANCELED);
  assert_token_refused (f, id, NULL, JOB_ERROR_CANCELED);
}

static void
test_foreign_token_lease_lost (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autofree char *other = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) other_lease = must_dequeue_job (f, "a", other);

  assert_token_refused (f, id, UNKNOWN_TOKEN, JOB_ERROR_LEASE_LOST);
  assert_token_refused (f, id, job_lease_get_token (other_lease), JOB_ERROR_LEASE_LOST);
  must_complete (f, lease);
  assert_token_refused (f, id, UNKNOWN_TOKEN, JOB_ERROR_LEASE_LOST);
}

static void
test_old_token_lease_lost (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) old = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) lease = NULL;

  must_release (f, old);
  assert_token_refused (f, id, job_lease_get_token (old), JOB_ERROR_LEASE_LOST);
  lease = must_dequeue_job (f, "a", id);
  g_assert_cmpstr (job_lease_get_token (lease), !=, job_lease_get_token (old));
  assert_token_refused (f, id, job_lease_get_token (old), JOB_ERROR_LEASE_LOST);
  must_complete (f, lease);
  assert_token_refused (f, id, job_lease_get_token (old), JOB_ERROR_LEASE_LOST);
}

static void
test_token_of_a_failed_attempt_lease_lost (Fixture *f)
{
  g_autofree char *id = must_add_with_attempts (f, "a", 2);
  g_autoptr (JobLease) old = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) lease = NULL;

  must_fail (f, old);
  assert_token_refused (f, id, job_lease_get_token (old), JOB_ERROR_LEASE_LOST);
  lease = must_dequeue_job (f, "a", id);
  assert_token_refused (f, id, job_lease_get_token (old), JOB_ERROR_LEASE_LOST);
  must_complete (f, lease);
}

static void
test_own_token_of_finished_job_not_running (Fixture *f)
{
  g_autofree char *done = must_add (f, "a");
  g_autofree char *failed = must_add (f, "b");
  g_autoptr (JobLease) done_lease = must_dequeue_job (f, "a", done);
  g_autoptr (JobLease) failed_lease = must_dequeue_job (f, "b", failed);

  must_complete (f, done_lease);
  must_fail (f, failed_lease);
  assert_token_refused (f, done, job_lease_get_token (done_lease), JOB_ERROR_NOT_RUNNING);
  assert_token_refused (f, failed, job_lease_get_token (failed_lease), JOB_ERROR_NOT_RUNNING);
  assert_token_refused (f, done, NULL, JOB_ERROR_NOT_RUNNING);
}

static void
test_administrator_needs_a_running_job (Fixture *f)
{
  g_autofree char *pending = must_add (f, "a");
  g_autofree char *blocked = must_add_after (f, "b", pending, JOB_CONDITION_AFTER_OK);

  assert_token_refused (f, pending, NULL, JOB_ERROR_NOT_RUNNING);
  assert_token_refused (f, blocked, NULL, JOB_ERROR_NOT_RUNNING);
  assert_token_refused (f, pending, UNKNOWN_TOKEN, JOB_ERROR_LEASE_LOST);
}

static void
test_administrator_ends_the_lease (Fixture *f)
{
  g_autofree char *done = must_add (f, "a");
  g_autofree char *failed = must_add (f, "b");
  g_autofree char *back = must_add (f, "c");
  g_autoptr (JobLease) done_lease = must_dequeue_job (f, "a", done);
  g_autoptr (JobLease) failed_lease = must_dequeue_job (f, "b", failed);
  g_autoptr (JobLease) back_lease = must_dequeue_job (f, "c", back);
  g_autoptr (GError) error = NULL;

  g_assert_true (call_complete (f, done, NULL, "1", &error));
  g_assert_true (call_fail (f, failed, NULL, "1", &error));
  g_assert_true (call_release (f, back, NULL, &error));
  g_assert_no_error (error);

  await_cancelled (job_lease_get_cancellable (done_lease));
  await_cancelled (job_lease_get_cancellable (failed_lease));
  await_cancelled (job_lease_get_cancellable (back_lease));
  assert_state (f, done, JOB_STATE_SUCCEEDED);
  assert_state (f, failed, JOB_STATE_FAILED);
  assert_state (f, back, JOB_STATE_PENDING);
}

static void
test_cancellable_rests_when_the_holder_ends_it (Fixture *f)
{
  g_autofree char *done = must_add (f, "a");
  g_autofree char *failed = must_add (f, "b");
  g_autofree char *back = must_add (f, "c");
  g_autoptr (JobLease) done_lease = must_dequeue_job (f, "a", done);
  g_autoptr (JobLease) failed_lease = must_dequeue_job (f, "b", failed);
  g_autoptr (JobLease) back_lease = must_dequeue_job (f, "c", back);

  must_complete (f, done_lease);
  must_fail (f, failed_lease);
  must_release (f, back_lease);
  iterate_ready ();

  g_assert_false (g_cancellable_is_cancelled (job_lease_get_cancellable (done_lease)));
  g_assert_false (g_cancellable_is_cancelled (job_lease_get_cancellable (failed_lease)));
  g_assert_false (g_cancellable_is_cancelled (job_lease_get_cancellable (back_lease)));
}

static void
test_token_leads_to_the_job (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  g_autoptr (GError) error = NULL;
  g_autofree char *found = call_lookup_token (f, job_lease_get_token (lease), &error);

  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, id);
  assert_token_unknown (f, UNKNOWN_TOKEN);
  must_complete (f, lease);
  assert_token_unknown (f, job_lease_get_token (lease));
}

static void
test_token_unknown_after_every_end (Fixture *f)
{
  g_autofree char *back = must_add (f, "a");
  g_autofree char *failed = must_add (f, "b");
  g_autofree char *canceled = must_add (f, "c");
  g_autoptr (JobLease) back_lease = must_dequeue_job (f, "a", back);
  g_autoptr (JobLease) failed_lease = must_dequeue_job (f, "b", failed);
  g_autoptr (JobLease) canceled_lease = must_dequeue_job (f, "c", canceled);

  must_release (f, back_lease);
  must_fail (f, failed_lease);
  must_cancel (f, canceled);
  assert_token_unknown (f, job_lease_get_token (back_lease));
  assert_token_unknown (f, job_lease_get_token (failed_lease));
  assert_token_unknown (f, job_lease_get_token (canceled_lease));
}

/* The leases that are older, by their ids, the oldest first. */
static char **
ids_of_leases (Fixture *f, gint64 older_than)
{
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) leases = call_list_leases (f, older_than, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < g_list_model_get_n_items (leases); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (leases, i);

      g_assert_nonnull (job_info_get_token (info));
      g_assert_cmpint (job_info_get_heartbeat_age (info), >=, older_than);
      g_strv_builder_add (ids, job_info_get_id (info));
    }

  return g_strv_builder_end (ids);
}

static void
assert_leases (Fixture *f, gint64 older_than, const char *first, const char *second)
{
  g_auto (GStrv) ids = ids_of_leases (f, older_than);

  assert_ids (ids, first, first != NULL ? second : NULL, NULL);
}

static void
test_listed_by_age_of_heartbeat (Fixture *f)
{
  g_autofree char *a = must_add (f, "a");
  g_autofree char *b = must_add (f, "b");
  g_autoptr (JobLease) lease_a = must_dequeue_job (f, "a", a);
  g_autoptr (JobLease) lease_b = NULL;
  g_autoptr (GError) error = NULL;

  fixture_step (f, 10 * SECOND);
  lease_b = must_dequeue_job (f, "b", b);
  assert_leases (f, 0, a, b);
  fixture_step (f, 10 * SECOND);
  assert_leases (f, 0, a, b);
  assert_leases (f, 15 * SECOND, a, NULL);
  assert_leases (f, HOUR, NULL, NULL);

  g_assert_true (call_lease_heartbeat (f, lease_a, &error));
  g_assert_no_error (error);
  fixture_step (f, SECOND);
  assert_leases (f, 0, b, a);
  assert_leases (f, 5 * SECOND, b, NULL);
}

static void
test_listed_with_token_and_age (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  g_autoptr (GListModel) leases = NULL;
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  fixture_step (f, 7 * SECOND);
  leases = call_list_leases (f, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (leases), ==, 1);
  info = g_list_model_get_item (leases, 0);

  g_assert_cmpstr (job_info_get_id (info), ==, id);
  g_assert_cmpstr (job_info_get_token (info), ==, job_lease_get_token (lease));
  g_assert_cmpint (job_info_get_heartbeat_age (info), ==, 7 * SECOND);
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_RUNNING);
}

static void
test_only_running_jobs_have_one (Fixture *f)
{
  g_autofree char *pending = must_add (f, "a");
  g_autofree char *done = must_add (f, "b");
  g_autofree char *failed = must_add (f, "c");
  g_autofree char *canceled = must_add (f, "d");
  g_autofree char *back = must_add (f, "e");
  g_autoptr (JobLease) failed_lease = must_dequeue_job (f, "c", failed);
  g_autoptr (JobLease) canceled_lease = must_dequeue_job (f, "d", canceled);
  g_autoptr (JobLease) back_lease = must_dequeue_job (f, "e", back);

  g_assert_cmpuint (count_leases (f, 0), ==, 3);
  must_run (f, "b", done);
  must_fail (f, failed_lease);
  must_cancel (f, canceled);
  must_release (f, back_lease);
  g_assert_cmpuint (count_leases (f, 0), ==, 0);
}

static void
test_heartbeat_creates_nothing (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  g_autoptr (GError) error = NULL;

  must_cancel (f, id);
  g_assert_false (call_lease_heartbeat (f, lease, &error));
  assert_job_error (error, JOB_ERROR_CANCELED);
  g_assert_false (call_heartbeat (f, UNKNOWN_ID, UNKNOWN_TOKEN, &error));
  assert_job_error (error, JOB_ERROR_NOT_FOUND);
  g_assert_cmpuint (count_leases (f, 0), ==, 0);
}

/* A worker died: its lease is found, taken back, and the job runs again; what the old one brings
 * too late is refused. */
static void
test_taken_back_and_run_again (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) dead = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  fixture_step (f, HOUR);
  assert_leases (f, HOUR / 2, id, NULL);
  g_assert_true (call_release (f, id, NULL, &error));
  g_assert_no_error (error);
  lease = must_dequeue_job (f, "a", id);
  g_assert_false (call_lease_complete (f, dead, "\"late\"", &error));
  assert_job_error (error, JOB_ERROR_LEASE_LOST);
  must_complete (f, lease);
  g_assert_false (call_lease_complete (f, dead, "\"late\"", &error));
  assert_job_error (error, JOB_ERROR_LEASE_LOST);

  info = must_get_info (f, id);
  g_assert_cmpstr (job_info_get_result (info), ==, "{\"fine\":true}");
}

static void
test_leads_to_dependencies_and_their_results (Fixture *f)
{
  g_autofree char *first = must_add (f, "a");
  g_autofree char *second = must_add (f, "b");
  g_autoptr (JobSpec) spec = new_dependent ("c", second, JOB_CONDITION_AFTER_ANY);
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GListModel) list = NULL;
  g_autoptr (JobInfo) info_second = NULL;
  g_autoptr (JobInfo) info_first = NULL;
  g_autoptr (GError) error = NULL;

  job_spec_add_dependency (spec, first, JOB_CONDITION_AFTER_OK);
  id = must_enqueue (f, spec);
  must_run (f, "a", first);
  must_cancel (f, second);
  lease = must_dequeue_job (f, "c", id);
  list = call_lease_list_dependencies (f, lease, &error);
  g_assert_no_error (error);

  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 2);
  info_second = g_list_model_get_item (list, 0);
  info_first = g_list_model_get_item (list, 1);
  g_assert_cmpstr (job_info_get_id (info_second), ==, second);
  g_assert_cmpint (job_info_get_state (info_second), ==, JOB_STATE_CANCELED);
  g_assert_cmpstr (job_info_get_id (info_first), ==, first);
  g_assert_cmpstr (job_info_get_result (info_first), ==, "{\"fine\":true}");
}

/* Calls act in the order in which they were made: what comes too early is not done later. */
static void
test_ended_once_however_often_asked (Fixture *f)
{
  const char *const types[] = { "a", NULL };
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) first = must_dequeue_job (f, "a", id);
  g_autoptr (JobLease) second = NULL;
  g_auto (Answer) released = { NULL };
  g_auto (Answer) refused = { NULL };
  g_auto (Answer) leased = { NULL };
  g_autoptr (GError) error = NULL;

  job_queue_release_async (f->queue, id, NULL, NULL, answer_cb, &released);
  job_queue_release_async (f->queue, id, NULL, NULL, answer_cb, &refused);
  job_queue_dequeue_async (f->queue, types, NULL, 0, NULL, answer_cb, &leased);

  g_assert_true (job_queue_release_finish (f->queue, answer_wait (&released), &error));
  g_assert_no_error (error);
  second = job_queue_dequeue_finish (f->queue, answer_wait (&leased), &error);
  g_assert_no_error (error);
  g_assert_false (job_queue_release_finish (f->queue, answer_wait (&refused), &error));
  assert_job_error (error, JOB_ERROR_NOT_RUNNING);
  g_assert_true (call_complete (f, id, job_lease_get_token (second), NULL, &error));
  g_assert_no_error (error);
}

const ConformanceTest job_conformance_lease_tests[] = {
  { "unknown-job-not-found", test_unknown_job_not_found },
  { "canceled-job-canceled", test_canceled_job_canceled },
  { "foreign-token-lease-lost", test_foreign_token_lease_lost },
  { "old-token-lease-lost", test_old_token_lease_lost },
  { "token-of-a-failed-attempt-lease-lost", test_token_of_a_failed_attempt_lease_lost },
  { "own-token-of-finished-job-not-running", test_own_token_of_finished_job_not_running },
  { "administrator-needs-a-running-job", test_administrator_needs_a_running_job },
  { "administrator-ends-the-lease", test_administrator_ends_the_lease },
  { "cancellable-rests-when-the-holder-ends-it", test_cancellable_rests_when_the_holder_ends_it },
  { "ended-once-however-often-asked", test_ended_once_however_often_asked },
  { "token-leads-to-the-job", test_token_leads_to_the_job },
  { "token-unknown-after-every-end", test_token_unknown_after_every_end },
  { "listed-by-age-of-heartbeat", test_listed_by_age_of_heartbeat, JOB_CONFORMANCE_CLOCK },
  { "listed-with-token-and-age", test_listed_with_token_and_age, JOB_CONFORMANCE_CLOCK },
  { "only-running-jobs-have-one", test_only_running_jobs_have_one },
  { "heartbeat-creates-nothing", test_heartbeat_creates_nothing },
  { "taken-back-and-run-again", test_taken_back_and_run_again, JOB_CONFORMANCE_CLOCK },
  { "leads-to-dependencies-and-their-results", test_leads_to_dependencies_and_their_results },
  { NULL },
};
