/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The interface: what gets through its guards, in which form, and how an answer comes back. */

#include "recording-queue.h"

#include "job-error.h"

#include <string.h>

#define MANY_NAMES 10000

static void
assert_asked (JobQueue *queue, const char *expected)
{
  g_autofree char *log = recording_queue_take_log (queue);

  g_assert_cmpstr (log, ==, expected);
}

/* Refused, the culprit is named, and the backend was not asked. */
static void
assert_refused (JobQueue *queue, GError **error, const char *culprit)
{
  g_assert_error (*error, JOB_ERROR, JOB_ERROR_INVALID);
  if (strstr ((*error)->message, culprit) == NULL)
    g_error ("\"%s\" does not name \"%s\"", (*error)->message, culprit);
  g_clear_error (error);
  assert_asked (queue, "");
}

static void
keep_result (GObject *source, GAsyncResult *async_result, gpointer data)
{
  GAsyncResult **kept = data;

  g_assert_null (*kept);
  *kept = g_object_ref (async_result);
}

static void
wait_for (GAsyncResult **async_result)
{
  while (*async_result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

/* What gets through */

static void
test_arguments_arrive_parsed (void)
{
  const char *const types[] = { "a", "b", NULL };
  const char *const channels[] = { "", NULL };
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (JobLease) any = NULL;

  lease = job_queue_dequeue (queue, types, channels, 5, NULL, &error);
  any = job_queue_dequeue (queue, NULL, NULL, -1, NULL, &error);
  g_assert_true (JOB_IS_LEASE (lease) && JOB_IS_LEASE (any));
  assert_asked (queue, "dequeue [a,b] [] 5\ndequeue any any -1\n");

  g_assert_true (job_queue_complete (queue, RECORDED_ID, RECORDED_TOKEN, " {} ", NULL, &error));
  g_assert_true (job_queue_fail (queue, RECORDED_ID, NULL, NULL, NULL, &error));
  g_assert_true (job_queue_release (queue, RECORDED_ID, NULL, NULL, &error));
  assert_asked (queue, "complete " RECORDED_ID " " RECORDED_TOKEN " {}\n"
                       "fail " RECORDED_ID " nobody null\n"
                       "release " RECORDED_ID " nobody -\n");
}

static void
test_enqueue_gives_the_id_of_the_spec (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobSpec) spec = job_spec_new ("t", "1");
  g_autofree char *id = job_queue_enqueue (queue, spec, NULL, NULL);
  g_autofree char *again = job_queue_enqueue (queue, spec, NULL, NULL);

  g_assert_cmpstr (id, ==, job_spec_get_id (spec));
  g_assert_cmpstr (again, ==, id);
  assert_asked (queue, "enqueue t 1 fresh\nenqueue t 1 not fresh\n");
}

static void
test_enqueue_many_keeps_the_order (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobSpec) a = job_spec_new ("a", NULL);
  g_autoptr (JobSpec) b = job_spec_new ("b", NULL);
  JobSpec *specs[] = { a, b };
  g_auto (GStrv) ids = job_queue_enqueue_many (queue, specs, 2, NULL, NULL);

  g_assert_cmpuint (g_strv_length (ids), ==, 2);
  g_assert_cmpstr (ids[0], ==, job_spec_get_id (a));
  g_assert_cmpstr (ids[1], ==, job_spec_get_id (b));
  assert_asked (queue, "enqueue a null fresh\nenqueue b null fresh\n");
}

static void
test_no_specs_give_no_ids (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) ids = job_queue_enqueue_many (queue, NULL, 0, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (ids), ==, 0);
  assert_asked (queue, "");
}

/* What does not */

static void
test_one_bad_spec_stops_all (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobSpec) good = job_spec_new ("t", NULL);
  g_autoptr (JobSpec) bad = job_spec_new ("", NULL);
  JobSpec *specs[] = { good, bad };
  JobSpec *missing[] = { good, NULL };
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_enqueue_many (queue, specs, 2, NULL, &error));
  assert_refused (queue, &error, "Spec 2 of 2: The type is empty");
  g_assert_null (job_queue_enqueue_many (queue, missing, 2, NULL, &error));
  assert_refused (queue, &error, "Spec 2 of 2");
  g_assert_null (job_queue_enqueue_many (queue, NULL, 1, NULL, &error));
  assert_refused (queue, &error, "specs");
  g_assert_null (job_queue_enqueue (queue, NULL, NULL, &error));
  assert_refused (queue, &error, "spec");
}

static void
test_malformed_ids_are_refused (void)
{
  const char *const wrong[] = { NULL, "", "nope", RECORDED_ID "0", "{" RECORDED_ID "}" };
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_null (job_queue_dequeue_by_id (queue, wrong[i], NULL, &error));
      assert_refused (queue, &error, "id");
      g_assert_false (job_queue_complete (queue, wrong[i], NULL, NULL, NULL, &error));
      assert_refused (queue, &error, "id");
      g_assert_false (job_queue_fail (queue, wrong[i], NULL, NULL, NULL, &error));
      assert_refused (queue, &error, "id");
      g_assert_false (job_queue_release (queue, wrong[i], NULL, NULL, &error));
      assert_refused (queue, &error, "id");
      g_assert_false (job_queue_cancel (queue, wrong[i], NULL, &error));
      assert_refused (queue, &error, "id");
      g_assert_false (job_queue_heartbeat (queue, wrong[i], RECORDED_TOKEN, NULL, &error));
      assert_refused (queue, &error, "id");
      g_assert_null (job_queue_get_info (queue, wrong[i], NULL, &error));
      assert_refused (queue, &error, "id");
      g_assert_null (job_queue_wait (queue, wrong[i], -1, NULL, &error));
      assert_refused (queue, &error, "id");
    }
}

static void
test_malformed_tokens_are_refused_and_not_shown (void)
{
  const char *secret = "8d3c2a1e-0f4b-4c6d-9e8f";
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (job_queue_complete (queue, RECORDED_ID, secret, NULL, NULL, &error));
  g_assert_null (strstr (error->message, secret));
  assert_refused (queue, &error, "token");
  g_assert_false (job_queue_fail (queue, RECORDED_ID, "", NULL, NULL, &error));
  assert_refused (queue, &error, "token");
  g_assert_false (job_queue_release (queue, RECORDED_ID, secret, NULL, &error));
  assert_refused (queue, &error, "token");
  g_assert_false (job_queue_heartbeat (queue, RECORDED_ID, NULL, NULL, &error));
  assert_refused (queue, &error, "token");
  g_assert_null (job_queue_lookup_token (queue, NULL, NULL, &error));
  assert_refused (queue, &error, "token");
}

static void
test_results_and_errors_must_be_json (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (job_queue_complete (queue, RECORDED_ID, NULL, "{'a':1}", NULL, &error));
  assert_refused (queue, &error, "result");
  g_assert_false (job_queue_fail (queue, RECORDED_ID, NULL, "1e999", NULL, &error));
  assert_refused (queue, &error, "error");
}

static char **
make_names (guint n)
{
  char **names = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    names[i] = g_strdup ("t");
  return names;
}

static void
assert_lists_refused (JobQueue *queue, const char *const *types, const char *const *channels,
                      const char *culprit)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_dequeue (queue, types, channels, 0, NULL, &error));
  assert_refused (queue, &error, culprit);
}

static void
test_lists_of_names_are_checked (void)
{
  const char *const empty[] = { NULL };
  const char *const nameless[] = { "a", "", NULL };
  const char *const foreign[] = { "a", "\xff", NULL };
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_auto (GStrv) many = make_names (MANY_NAMES);
  g_auto (GStrv) too_many = make_names (MANY_NAMES + 1);
  g_autoptr (JobLease) lease = NULL;

  assert_lists_refused (queue, empty, NULL, "types");
  assert_lists_refused (queue, NULL, empty, "channels");
  assert_lists_refused (queue, nameless, NULL, "type");
  assert_lists_refused (queue, foreign, NULL, "type");
  assert_lists_refused (queue, NULL, foreign, "channel");
  assert_lists_refused (queue, (const char *const *) too_many, NULL, "10000");
  lease = job_queue_dequeue (queue, (const char *const *) many, nameless, 0, NULL, NULL);
  g_assert_nonnull (lease);
}

static void
test_numbers_and_folders_are_checked (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_dequeue (queue, NULL, NULL, -2, NULL, &error));
  assert_refused (queue, &error, "-2");
  g_assert_null (job_queue_wait (queue, RECORDED_ID, G_MININT64, NULL, &error));
  assert_refused (queue, &error, "timeout");
  g_assert_null (job_queue_list_leases (queue, -1, NULL, &error));
  assert_refused (queue, &error, "-1");
  g_assert_null (job_queue_move_damaged (queue, NULL, NULL, &error));
  assert_refused (queue, &error, "directory");
  g_assert_null (job_queue_move_damaged (queue, "", NULL, &error));
  assert_refused (queue, &error, "directory");
}

static void
test_a_filter_is_checked_and_copied (void)
{
  const char *const empty[] = { NULL };
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GListModel) all = job_queue_list (queue, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (all);
  assert_asked (queue, "list 0\n");
  job_filter_set_types (filter, empty);
  g_assert_null (job_queue_list (queue, filter, NULL, &error));
  assert_refused (queue, &error, "types");
}

/* How an answer comes back */

static void
test_a_cancelled_call_asks_nothing (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (job_queue_cancel (queue, "nope", cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  job_queue_close_async (queue, cancellable, keep_result, &result);
  wait_for (&result);
  g_assert_false (job_queue_close_finish (queue, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_asked (queue, "");
}

static void
test_a_refusal_comes_through_the_callback (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_cancel_async (queue, "nope", NULL, keep_result, &result);
  g_assert_null (result);
  wait_for (&result);
  g_assert_false (job_queue_cancel_finish (queue, result, &error));
  assert_refused (queue, &error, "nope");
}

static void
test_arguments_need_not_outlive_the_call (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  JobSpec *spec = job_spec_new ("t", "[2]");
  g_autofree char *expected = g_strdup (job_spec_get_id (spec));
  g_autofree char *id = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  job_queue_enqueue_async (queue, spec, NULL, keep_result, &result);
  g_assert_finalize_object (spec);
  wait_for (&result);
  id = job_queue_enqueue_finish (queue, result, NULL);
  g_assert_cmpstr (id, ==, expected);
}

/* Asks, waits for the answer, takes it, and looks whether the backend was asked. */
#define ASSERT_ANSWERED(queue, asked, verb, ...)                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GAsyncResult) kept = NULL;                                                          \
    verb##_async (queue, __VA_ARGS__, keep_result, &kept);                                         \
    wait_for (&kept);                                                                              \
    g_assert_true (verb##_finish (queue, kept, NULL));                                             \
    assert_asked (queue, asked);                                                                   \
  }                                                                                                \
  G_STMT_END

static void
test_verbs_that_answer_yes_do_so_asynchronously (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();

  ASSERT_ANSWERED (queue, "complete " RECORDED_ID " nobody 1\n", job_queue_complete, RECORDED_ID,
                   NULL, "1", NULL);
  ASSERT_ANSWERED (queue, "fail " RECORDED_ID " nobody 1\n", job_queue_fail, RECORDED_ID, NULL, "1",
                   NULL);
  ASSERT_ANSWERED (queue, "release " RECORDED_ID " nobody -\n", job_queue_release, RECORDED_ID,
                   NULL, NULL);
  ASSERT_ANSWERED (queue, "heartbeat " RECORDED_ID " " RECORDED_TOKEN " -\n", job_queue_heartbeat,
                   RECORDED_ID, RECORDED_TOKEN, NULL);
  ASSERT_ANSWERED (queue, "cancel " RECORDED_ID "\n", job_queue_cancel, RECORDED_ID, NULL);
  ASSERT_ANSWERED (queue, "close\n", job_queue_close, NULL);
}

/* The same, for an answer that has to be freed. */
#define ASSERT_GIVEN(queue, asked, free_func, verb, ...)                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GAsyncResult) kept = NULL;                                                          \
    gpointer given;                                                                                \
    verb##_async (queue, __VA_ARGS__, keep_result, &kept);                                         \
    wait_for (&kept);                                                                              \
    given = verb##_finish (queue, kept, NULL);                                                     \
    g_assert_nonnull (given);                                                                      \
    free_func (given);                                                                             \
    assert_asked (queue, asked);                                                                   \
  }                                                                                                \
  G_STMT_END

static void
test_verbs_that_give_something_do_so_asynchronously (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobSpec) spec = job_spec_new ("t", NULL);

  ASSERT_GIVEN (queue, "enqueue t null fresh\n", g_strfreev, job_queue_enqueue_many, &spec, 1,
                NULL);
  ASSERT_GIVEN (queue, "dequeue any any 0\n", g_object_unref, job_queue_dequeue, NULL, NULL, 0,
                NULL);
  ASSERT_GIVEN (queue, "dequeue_by_id " RECORDED_ID "\n", g_object_unref, job_queue_dequeue_by_id,
                RECORDED_ID, NULL);
  ASSERT_GIVEN (queue, "lookup_token " RECORDED_TOKEN "\n", g_free, job_queue_lookup_token,
                RECORDED_TOKEN, NULL);
  ASSERT_GIVEN (queue, "get_info " RECORDED_ID "\n", g_object_unref, job_queue_get_info,
                RECORDED_ID, NULL);
  ASSERT_GIVEN (queue, "wait 3\n", g_object_unref, job_queue_wait, RECORDED_ID, 3, NULL);
  ASSERT_GIVEN (queue, "list 0\n", g_object_unref, job_queue_list, NULL, NULL);
  ASSERT_GIVEN (queue, "list_leases 4\n", g_object_unref, job_queue_list_leases, 4, NULL);
  ASSERT_GIVEN (queue, "list_damaged\n", g_object_unref, job_queue_list_damaged, NULL);
  ASSERT_GIVEN (queue, "move_damaged /x\n", g_object_unref, job_queue_move_damaged, "/x", NULL);
}

typedef struct
{
  GMainContext *context;
  JobQueue *queue;
  gboolean called;
} Expected;

static void
check_result (GObject *source, GAsyncResult *result, gpointer data)
{
  Expected *expected = data;
  g_autoptr (GObject) object = g_async_result_get_source_object (result);

  g_assert_true (source == G_OBJECT (expected->queue) && object == source);
  g_assert_true (g_async_result_get_user_data (result) == data);
  g_assert_true (g_async_result_is_tagged (result, job_queue_cancel_async));
  g_assert_false (g_async_result_is_tagged (result, job_queue_release_async));
  g_assert_true (g_main_context_get_thread_default () == expected->context);
  g_assert_true (job_queue_cancel_finish (expected->queue, result, NULL));
  expected->called = TRUE;
}

/* Also if whoever iterates the context has another default. */
static void
test_callback_is_told_what_it_is_of (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (JobQueue) queue = recording_queue_new ();
  Expected expected = { context, queue, FALSE };

  g_main_context_push_thread_default (context);
  job_queue_cancel_async (queue, RECORDED_ID, NULL, check_result, &expected);
  g_main_context_pop_thread_default (context);
  while (!expected.called)
    g_main_context_iteration (context, TRUE);
  g_assert_null (g_main_context_get_thread_default ());
}

typedef struct
{
  gpointer *trace; /* the data that it leaves at its result, or NULL */
  gboolean keeps;  /* its result */
  GAsyncResult *kept;
  gboolean called;
} Visitor;

static void
visit_result (GObject *source, GAsyncResult *result, gpointer data)
{
  Visitor *visitor = data;

  g_assert_null (g_object_get_data (G_OBJECT (result), "trace"));
  g_assert_true (g_async_result_get_user_data (result) == data);
  if (visitor->trace)
    g_object_set_data (G_OBJECT (result), "trace", visitor->trace);
  if (visitor->keeps)
    visitor->kept = g_object_ref (result);
  else
    g_assert_true (job_queue_cancel_finish (JOB_QUEUE (source), result, NULL));
  visitor->called = TRUE;
}

/* Objects of results are used again, but nobody can tell. */
static void
test_a_result_is_nobody_elses (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  Visitor visitors[] = { { NULL },       { (gpointer *) "a" },       { NULL }, { NULL, TRUE },
                         { NULL, TRUE }, { (gpointer *) "b", TRUE }, { NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (visitors); i++)
    {
      job_queue_cancel_async (queue, RECORDED_ID, NULL, visit_result, &visitors[i]);
      while (!visitors[i].called)
        g_main_context_iteration (NULL, TRUE);
    }
  for (guint i = 0; i < G_N_ELEMENTS (visitors); i++)
    if (visitors[i].keeps)
      {
        g_assert_true (g_async_result_get_user_data (visitors[i].kept) == &visitors[i]);
        g_assert_true (job_queue_cancel_finish (queue, visitors[i].kept, NULL));
        g_object_unref (visitors[i].kept);
      }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, name) g_test_add_func ("/verbs/" path, test_##name)
  ADD ("arguments-arrive-parsed", arguments_arrive_parsed);
  ADD ("enqueue-gives-the-id-of-the-spec", enqueue_gives_the_id_of_the_spec);
  ADD ("enqueue-many-keeps-the-order", enqueue_many_keeps_the_order);
  ADD ("no-specs-give-no-ids", no_specs_give_no_ids);
  ADD ("one-bad-spec-stops-all", one_bad_spec_stops_all);
  ADD ("malformed-ids-are-refused", malformed_ids_are_refused);
  ADD ("malformed-tokens-are-refused-and-not-shown", malformed_tokens_are_refused_and_not_shown);
  ADD ("results-and-errors-must-be-json", results_and_errors_must_be_json);
  ADD ("lists-of-names-are-checked", lists_of_names_are_checked);
  ADD ("numbers-and-folders-are-checked", numbers_and_folders_are_checked);
  ADD ("filter-is-checked-and-copied", a_filter_is_checked_and_copied);
  ADD ("cancelled-call-asks-nothing", a_cancelled_call_asks_nothing);
  ADD ("refusal-comes-through-the-callback", a_refusal_comes_through_the_callback);
  ADD ("arguments-need-not-outlive-the-call", arguments_need_not_outlive_the_call);
  ADD ("yes-comes-asynchronously", verbs_that_answer_yes_do_so_asynchronously);
  ADD ("things-come-asynchronously", verbs_that_give_something_do_so_asynchronously);
  ADD ("callback-is-told-what-it-is-of", callback_is_told_what_it_is_of);
  ADD ("result-is-nobody-elses", a_result_is_nobody_elses);
  return g_test_run ();
}
