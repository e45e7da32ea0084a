/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bad input: an error that names the culprit, and nothing changes. (JSON: args.c; graphs:
 * enqueue.c and graph.c.) */

#include "conformance-private.h"

#define MAX_NAME 255

static const char *const bad_ids[] = {
  "",
  "x",
  "../../../../etc/passwd",
  "01890a5d-ac96-774b-bcce-b302099a805",
  "01890a5d-ac96-774b-bcce-b302099a80577",
  "01890a5dac96774bbcceb302099a8057",
  "{01890a5d-ac96-774b-bcce-b302099a8057}",
  " 01890a5d-ac96-774b-bcce-b302099a8057",
  "01890a5d-ac96-774b-bcce-b302099a805g",
  "01890a5d_ac96_774b_bcce_b302099a8057",
};

static void
assert_spec_invalid (Fixture *f, JobSpec *spec)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = NULL;

  g_assert_null (call_enqueue (f, spec, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
  list = call_list (f, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 0);
}

static void
test_type (Fixture *f)
{
  g_autofree char *longest = g_strnfill (MAX_NAME, 't');
  g_autofree char *too_long = g_strnfill (MAX_NAME + 1, 't');
  const char *const bad[] = { "", too_long, "\xff" };
  g_autofree char *id = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (JobSpec) spec = job_spec_new (bad[i], NULL);

      assert_spec_invalid (f, spec);
    }
  id = must_add (f, longest);
  must_run (f, longest, id);
}

static void
test_channel (Fixture *f)
{
  g_autofree char *longest = g_strnfill (MAX_NAME, 'c');
  g_autofree char *too_long = g_strnfill (MAX_NAME + 1, 'c');
  const char *const channels[] = { longest, NULL };
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  job_spec_set_channel (spec, too_long);
  assert_spec_invalid (f, spec);
  job_spec_set_channel (spec, longest);
  id = must_enqueue (f, spec);
  lease = call_dequeue (f, NULL, channels, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
}

static void
test_numbers (Fixture *f)
{
  g_autoptr (JobSpec) no_attempts = job_spec_new ("a", NULL);
  g_autoptr (JobSpec) before_time = job_spec_new ("a", NULL);

  job_spec_set_max_attempts (no_attempts, 0);
  assert_spec_invalid (f, no_attempts);
  job_spec_set_run_at (before_time, -1);
  assert_spec_invalid (f, before_time);
}

static void
test_malformed_dependency (Fixture *f)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_ids); i++)
    {
      g_autoptr (JobSpec) spec = new_dependent ("a", bad_ids[i], JOB_CONDITION_AFTER_OK);

      assert_spec_invalid (f, spec);
    }
}

static void
test_malformed_id_of_a_spec (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bad_ids); i++)
    {
      g_assert_false (job_spec_set_id (spec, bad_ids[i], &error));
      assert_job_error (error, JOB_ERROR_INVALID);
    }
  id = must_enqueue (f, spec);
}

static void
test_malformed_id (Fixture *f)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_ids); i++)
    {
      const char *id = bad_ids[i];
      g_autoptr (GError) error = NULL;

      g_assert_null (call_dequeue_by_id (f, id, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_false (call_complete (f, id, NULL, NULL, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_false (call_fail (f, id, NULL, NULL, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_false (call_release (f, id, NULL, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_false (call_cancel (f, id, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_false (call_heartbeat (f, id, UNKNOWN_TOKEN, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_null (call_get_info (f, id, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_null (call_wait (f, id, 0, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
    }
}

static void
test_malformed_token (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);

  for (gsize i = 0; i < G_N_ELEMENTS (bad_ids); i++)
    {
      const char *token = bad_ids[i];
      g_autoptr (GError) error = NULL;

      g_assert_false (call_complete (f, id, token, NULL, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_false (call_fail (f, id, token, NULL, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_false (call_release (f, id, token, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_false (call_heartbeat (f, id, token, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_null (call_lookup_token (f, token, &error));
      assert_job_error (error, JOB_ERROR_INVALID);
    }
  must_complete (f, lease);
}

static void
test_no_id_and_no_token (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (GError) error = NULL;

  g_assert_null (call_get_info (f, NULL, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
  g_assert_null (call_lookup_token (f, NULL, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
  g_assert_false (call_heartbeat (f, id, NULL, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
}

/* The nil UUID stands for "no token" on disk: it must not open any job. */
static void
test_nil_token_opens_nothing (Fixture *f)
{
  static const char nil[] = "00000000-0000-0000-0000-000000000000";
  g_autofree char *pending = must_add (f, "b");
  g_autofree char *id = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", id);
  g_autoptr (GError) error = NULL;

  g_assert_null (call_lookup_token (f, nil, &error));
  g_clear_error (&error);
  g_assert_false (call_complete (f, id, nil, NULL, &error));
  g_clear_error (&error);
  g_assert_false (call_complete (f, pending, nil, NULL, &error));
  g_clear_error (&error);
  assert_state (f, id, JOB_STATE_RUNNING);
  assert_state (f, pending, JOB_STATE_PENDING);
  must_complete (f, lease);
}

static void
assert_dequeue_invalid (Fixture *f, const char *const *types, const char *const *channels,
                        gint64 timeout)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call_dequeue (f, types, channels, timeout, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
}

static void
test_lists_of_a_dequeue (Fixture *f)
{
  g_autofree char *too_long = g_strnfill (MAX_NAME + 1, 'x');
  const char *const none[] = { NULL };
  const char *const empty_name[] = { "a", "", NULL };
  const char *const long_name[] = { "a", too_long, NULL };
  g_autofree char *id = must_add (f, "a");

  assert_dequeue_invalid (f, none, NULL, -1);
  assert_dequeue_invalid (f, NULL, none, -1);
  assert_dequeue_invalid (f, empty_name, NULL, -1);
  assert_dequeue_invalid (f, long_name, NULL, -1);
  assert_dequeue_invalid (f, NULL, long_name, -1);
  must_run (f, "a", id);
}

/* Each list is short enough, but a waiting dequeue would need an entry for each pair. */
static void
test_too_many_pairs (Fixture *f)
{
  const char *names[1002] = { NULL };
  g_autoptr (GPtrArray) owned = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *id = must_add (f, "a");

  for (guint i = 0; i < 1001; i++)
    {
      g_ptr_array_add (owned, g_strdup_printf ("n%u", i));
      names[i] = g_ptr_array_index (owned, i);
    }
  assert_dequeue_invalid (f, names, names, -1);
  must_run (f, "a", id);
}

static void
test_lists_of_a_filter (Fixture *f)
{
  const char *const none[] = { NULL };
  g_autoptr (JobFilter) types = job_filter_new ();
  g_autoptr (JobFilter) channels = job_filter_new ();
  g_autoptr (GError) error = NULL;

  job_filter_set_types (types, none);
  job_filter_set_channels (channels, none);
  g_assert_null (call_list (f, types, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
  g_assert_null (call_list (f, channels, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
}

static void
test_times (Fixture *f)
{
  g_autofree char *id = must_add (f, "a");
  g_autoptr (GError) error = NULL;

  assert_dequeue_invalid (f, NULL, NULL, -2);
  assert_dequeue_invalid (f, NULL, NULL, G_MININT64);
  g_assert_null (call_wait (f, id, -2, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
  g_assert_null (call_list_leases (f, -1, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
}

/* The longest timeout there is must not wrap around into the past. */
static void
test_longest_timeout (Fixture *f)
{
  g_auto (Answer) answer = { NULL };
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  fixture_step (f, HOUR);
  job_queue_dequeue_async (f->queue, NULL, NULL, G_MAXINT64, NULL, answer_cb, &answer);
  iterate_ready ();
  g_assert_null (answer.result);
  id = must_add (f, "a");
  lease = job_queue_dequeue_finish (f->queue, answer_wait (&answer), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
}

const ConformanceTest job_conformance_input_tests[] = {
  { "type", test_type },
  { "channel", test_channel },
  { "numbers", test_numbers },
  { "malformed-dependency", test_malformed_dependency },
  { "malformed-id-of-a-spec", test_malformed_id_of_a_spec },
  { "malformed-id", test_malformed_id },
  { "malformed-token", test_malformed_token },
  { "no-id-and-no-token", test_no_id_and_no_token },
  { "nil-token-opens-nothing", test_nil_token_opens_nothing },
  { "lists-of-a-dequeue", test_lists_of_a_dequeue },
  { "too-many-pairs", test_too_many_pairs },
  { "lists-of-a-filter", test_lists_of_a_filter },
  { "times", test_times },
  { "longest-timeout", test_longest_timeout },
  { NULL },
};
