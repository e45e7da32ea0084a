/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a worker holds: its verbs are the queue's, and its dependencies come in their order. */

#include "recording-queue.h"

#include "job-alarm-private.h"
#include "job-error.h"
#include "test-effort.h"

#include <string.h>

static void
assert_asked (JobQueue *queue, const char *expected)
{
  g_autofree char *log = recording_queue_take_log (queue);

  g_assert_cmpstr (log, ==, expected);
}

static void
keep_result (GObject *source, GAsyncResult *async_result, gpointer data)
{
  GAsyncResult **kept = data;

  g_assert_true (JOB_IS_LEASE (source));
  g_assert_null (*kept);
  *kept = g_object_ref (async_result);
}

static void
wait_for (GAsyncResult **async_result)
{
  while (*async_result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_says_what_it_is_of (void)
{
  const char *const dependencies[] = { RECORDED_OTHER_ID, NULL };
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobLease) lease = recording_queue_make_lease (queue, (char **) dependencies);
  g_autofree char *type = NULL;
  guint attempt;

  g_assert_cmpstr (job_lease_get_id (lease), ==, RECORDED_ID);
  g_assert_cmpstr (job_lease_get_token (lease), ==, RECORDED_TOKEN);
  g_assert_cmpstr (job_lease_get_channel (lease), ==, "c");
  g_assert_cmpstr (job_lease_get_args (lease), ==, "[1]");
  g_assert_cmpstrv (job_lease_get_dependencies (lease), dependencies);
  g_assert_true (G_IS_CANCELLABLE (job_lease_get_cancellable (lease)));
  g_object_get (lease, "job-type", &type, "attempt", &attempt, NULL);
  g_assert_cmpstr (type, ==, "t");
  g_assert_cmpuint (attempt, ==, 2);
}

static void
test_keeps_its_queue_alive_and_drops_without_a_word (void)
{
  JobQueue *queue = recording_queue_new ();
  JobLease *lease = recording_queue_make_lease (queue, NULL);

  g_object_add_weak_pointer (G_OBJECT (queue), (gpointer *) &queue);
  g_object_unref (queue);
  g_assert_nonnull (queue);
  g_object_ref (queue);
  g_assert_finalize_object (lease);
  assert_asked (queue, "");
  g_object_unref (queue);
  g_assert_null (queue);
}

static void
test_blocking_verbs_are_the_queues (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobLease) lease = recording_queue_make_lease (queue, NULL);

  g_assert_true (job_lease_complete (lease, "{}", NULL, NULL));
  g_assert_true (job_lease_fail (lease, NULL, NULL, NULL));
  g_assert_true (job_lease_release (lease, NULL, NULL));
  g_assert_true (job_lease_heartbeat (lease, NULL, NULL));
  assert_asked (queue, "complete " RECORDED_ID " " RECORDED_TOKEN " {}\n"
                       "fail " RECORDED_ID " " RECORDED_TOKEN " null\n"
                       "release " RECORDED_ID " " RECORDED_TOKEN " -\n"
                       "heartbeat " RECORDED_ID " " RECORDED_TOKEN " -\n");
}

static void
test_asynchronous_verbs_have_the_lease_as_source (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobLease) lease = recording_queue_make_lease (queue, NULL);
  g_autoptr (GAsyncResult) completed = NULL;
  g_autoptr (GAsyncResult) failed = NULL;
  g_autoptr (GAsyncResult) released = NULL;
  g_autoptr (GAsyncResult) beaten = NULL;

  job_lease_complete_async (lease, "1", NULL, keep_result, &completed);
  job_lease_fail_async (lease, "2", NULL, keep_result, &failed);
  job_lease_release_async (lease, NULL, keep_result, &released);
  job_lease_heartbeat_async (lease, NULL, keep_result, &beaten);
  wait_for (&completed);
  wait_for (&failed);
  wait_for (&released);
  wait_for (&beaten);
  g_assert_true (job_lease_complete_finish (lease, completed, NULL));
  g_assert_true (job_lease_fail_finish (lease, failed, NULL));
  g_assert_true (job_lease_release_finish (lease, released, NULL));
  g_assert_true (job_lease_heartbeat_finish (lease, beaten, NULL));
  assert_asked (queue, "complete " RECORDED_ID " " RECORDED_TOKEN " 1\n"
                       "fail " RECORDED_ID " " RECORDED_TOKEN " 2\n"
                       "release " RECORDED_ID " " RECORDED_TOKEN " -\n"
                       "heartbeat " RECORDED_ID " " RECORDED_TOKEN " -\n");
}

static void
test_an_error_reaches_who_asked (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobLease) lease = recording_queue_make_lease (queue, NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  job_lease_complete_async (lease, "not JSON", NULL, keep_result, &result);
  wait_for (&result);
  g_assert_false (job_lease_complete_finish (lease, result, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_false (job_lease_fail (lease, "not JSON", NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
}

static void
test_verbs_work_without_a_callback (void)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  JobLease *lease = recording_queue_make_lease (queue, NULL);

  job_lease_release_async (lease, NULL, NULL, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  assert_asked (queue, "release " RECORDED_ID " " RECORDED_TOKEN " -\n");
  g_assert_finalize_object (lease);
}

/* --- the cancellable -------------------------------------------------------------------------- */

#define N_RACES 2000

static void
count (GCancellable *cancellable, gpointer data)
{
  g_atomic_int_inc ((guint *) data);
}

static void
test_alarm_fires_whoever_asked (void)
{
  JobAlarm *alarm = job_alarm_new (&(JobId){ 0 }, NULL);
  GCancellable *cancellable = job_alarm_get_cancellable (alarm);
  guint n = 0;

  g_assert_true (job_alarm_get_cancellable (alarm) == cancellable);
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  g_cancellable_connect (cancellable, G_CALLBACK (count), &n, NULL);
  job_alarm_fire (alarm);
  g_assert_cmpuint (n, ==, 1);
  job_alarm_unref (alarm);
}

static void
test_alarm_tells_who_comes_late (void)
{
  JobAlarm *alarm = job_alarm_new (&(JobId){ 0 }, NULL);

  job_alarm_fire (alarm);
  g_assert_true (g_cancellable_is_cancelled (job_alarm_get_cancellable (alarm)));
  job_alarm_unref (alarm);
}

static gpointer
fire (gpointer data)
{
  job_alarm_fire (data);
  job_alarm_unref (data);
  return NULL;
}

/* Whoever asks for it just when it fires is told, by whichever of the two. */
static void
test_alarm_while_somebody_asks (void)
{
  for (guint i = 0; i < N_RACES; i++)
    {
      JobAlarm *alarm = job_alarm_new (&(JobId){ 0 }, NULL);
      GThread *thread = g_thread_new ("fires", fire, job_alarm_ref (alarm));
      GCancellable *cancellable = job_alarm_get_cancellable (alarm);
      guint n = 0;

      g_cancellable_connect (cancellable, G_CALLBACK (count), &n, NULL);
      g_thread_join (thread);
      g_assert_true (g_cancellable_is_cancelled (cancellable));
      g_assert_cmpuint (n, ==, 1);
      job_alarm_unref (alarm);
    }
}

/* --- dependencies ----------------------------------------------------------------------------- */

static void
assert_lists (GListModel *list, const char *const *ids)
{
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, g_strv_length ((char **) ids));
  for (guint i = 0; ids[i] != NULL; i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);

      g_assert_cmpstr (job_info_get_id (info), ==, ids[i]);
    }
}

static void
assert_dependencies (const char *const *ids)
{
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobLease) lease = recording_queue_make_lease (queue, (char **) ids);
  g_autoptr (GListModel) blocking = job_lease_list_dependencies (lease, NULL, NULL);
  g_autoptr (GListModel) asynchronous = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  job_lease_list_dependencies_async (lease, NULL, keep_result, &result);
  g_assert_null (result);
  wait_for (&result);
  asynchronous = job_lease_list_dependencies_finish (lease, result, NULL);
  assert_lists (blocking, ids);
  assert_lists (asynchronous, ids);
}

static void
test_dependencies_come_in_their_order (void)
{
  const char *const two[] = { RECORDED_OTHER_ID, RECORDED_ID, NULL };
  const char *const none[] = { NULL };

  assert_dependencies (two);
  assert_dependencies (none);
}

/* Nests nothing: a deep stack would overflow. */
static void
test_many_dependencies_do_not_nest (void)
{
  guint n = test_effort (65535, 5000);
  g_auto (GStrv) ids = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    ids[i] = g_strdup_printf ("01890a5d-ac96-774b-8000-0000%08x", i);
  assert_dependencies ((const char *const *) ids);
}

static void
test_a_dependency_that_is_missing_is_an_error (void)
{
  const char *const ids[] = { RECORDED_ID, RECORDED_OTHER_ID, RECORDED_TOKEN, NULL };
  g_autoptr (JobQueue) queue = recording_queue_new ();
  g_autoptr (JobLease) lease = recording_queue_make_lease (queue, (char **) ids);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  recording_queue_set_missing (queue, RECORDED_OTHER_ID);
  g_assert_null (job_lease_list_dependencies (lease, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND);
  g_clear_error (&error);
  job_lease_list_dependencies_async (lease, NULL, keep_result, &result);
  wait_for (&result);
  g_assert_null (job_lease_list_dependencies_finish (lease, result, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, RECORDED_OTHER_ID));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, name) g_test_add_func ("/lease/" path, test_##name)
  ADD ("says-what-it-is-of", says_what_it_is_of);
  ADD ("keeps-its-queue-alive", keeps_its_queue_alive_and_drops_without_a_word);
  ADD ("blocking-verbs-are-the-queues", blocking_verbs_are_the_queues);
  ADD ("asynchronous-verbs-have-the-lease-as-source", asynchronous_verbs_have_the_lease_as_source);
  ADD ("error-reaches-who-asked", an_error_reaches_who_asked);
  ADD ("verbs-work-without-a-callback", verbs_work_without_a_callback);
  ADD ("alarm/fires-whoever-asked", alarm_fires_whoever_asked);
  ADD ("alarm/tells-who-comes-late", alarm_tells_who_comes_late);
  ADD ("alarm/while-somebody-asks", alarm_while_somebody_asks);
  ADD ("dependencies-come-in-their-order", dependencies_come_in_their_order);
  ADD ("many-dependencies-do-not-nest", many_dependencies_do_not_nest);
  ADD ("missing-dependency-is-an-error", a_dependency_that_is_missing_is_an_error);
  return g_test_run ();
}
