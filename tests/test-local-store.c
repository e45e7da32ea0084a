/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a local queue promises while its store is at work: nobody waits for the store who does not
 * need it. */

#include <jobqueue-backend.h>
#include <jobqueue.h>

#include "fault-store.h"
#include "job-memory-store.h"

#include <glib/gstdio.h>

#define START (G_GINT64_CONSTANT (1700000000) * 1000000000)

/* --- a queue on a store that can be held up --------------------------------------------------- */

static FaultStore *store; /* of the queue that was opened last */
static JobStore *disk;
static char *journal;
static JobId hidden;        /* at the next opening; nil: none */
static gboolean unreadable; /* at the next opening: the first read fails */

#define FAULT_TYPE_QUEUE (fault_queue_get_type ())
G_DECLARE_FINAL_TYPE (FaultQueue, fault_queue, FAULT, QUEUE, JobLocalQueue)

struct _FaultQueue
{
  JobLocalQueue parent_instance;
};

G_DEFINE_FINAL_TYPE (FaultQueue, fault_queue, JOB_TYPE_LOCAL_QUEUE)

static JobStore *
fault_queue_open_store (JobLocalQueue *queue, GError **error)
{
  g_clear_object (&store);
  store = fault_store_new (disk, journal);
  fault_store_hide (store, &hidden);
  if (unreadable)
    fault_store_fail (store, FAULT_READ, 1);
  return JOB_STORE (g_object_ref (store));
}

static void
fault_queue_class_init (FaultQueueClass *klass)
{
  JOB_LOCAL_QUEUE_CLASS (klass)->open_store = fault_queue_open_store;
}

static void
fault_queue_init (FaultQueue *self)
{
}

static JobQueue *
open_queue_with_clock (gpointer clock)
{
  g_autoptr (GError) error = NULL;
  JobQueue *queue = g_initable_new (FAULT_TYPE_QUEUE, NULL, &error, "checkpoint-size",
                                    (guint64) 4096, "clock", clock, NULL);

  g_assert_no_error (error);
  return queue;
}

static JobQueue *
open_queue (void)
{
  return open_queue_with_clock (job_clock_get_system ());
}

static void
close_queue (JobQueue *queue)
{
  g_autoptr (GError) error = NULL;

  job_queue_close (queue, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (queue);
}

static char *
add (JobQueue *queue)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (GError) error = NULL;
  char *id = job_queue_enqueue (queue, spec, NULL, &error);

  g_assert_no_error (error);
  return id;
}

static void
keep_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  GAsyncResult **answer = data;

  *answer = g_object_ref (result);
}

static JobLease *
await_lease (JobQueue *queue, GAsyncResult **answer)
{
  g_autoptr (GError) error = NULL;
  JobLease *lease;

  while (*answer == NULL)
    g_main_context_iteration (NULL, TRUE);
  lease = job_queue_dequeue_finish (queue, *answer, &error);
  g_assert_no_error (error);
  g_clear_object (answer);
  return lease;
}

/* --- tests ------------------------------------------------------------------------------------ */

/* The args of a lease are read from the store, which is slow: what others want is done meanwhile.
 */
static void
test_lease_from_the_store_holds_up_nobody (void)
{
  static const char *const types[] = { "a", NULL };
  JobQueue *queue = open_queue ();
  g_autofree char *settled = add (queue);
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  GAsyncResult *answer = NULL;

  close_queue (queue);
  queue = open_queue ();
  fault_store_hold (store, FAULT_READ, 1);
  job_queue_dequeue_async (queue, types, NULL, 0, NULL, keep_answer, &answer);
  fault_store_await_held (store);
  id = add (queue);
  g_assert_null (answer);
  fault_store_let_go (store);
  lease = await_lease (queue, &answer);
  g_assert_cmpstr (job_lease_get_id (lease), ==, settled);
  close_queue (queue);
}

/* If it cannot be read, the job is pending again, and that is committed, too. */
static void
test_failed_lease_gives_the_job_back (void)
{
  JobQueue *queue = open_queue ();
  g_autofree char *settled = add (queue);
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (JobLease) none = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *answer = NULL;

  close_queue (queue);
  queue = open_queue ();
  fault_store_fail (store, FAULT_READ, 1);
  none = job_queue_dequeue (queue, NULL, NULL, 0, NULL, &error);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  job_queue_dequeue_async (queue, NULL, NULL, -1, NULL, keep_answer, &answer);
  lease = await_lease (queue, &answer);
  g_assert_cmpstr (job_lease_get_id (lease), ==, settled);
  g_assert_cmpuint (job_lease_get_attempt (lease), ==, 1);
  close_queue (queue);
}

/* What was under way when this began fails. */
static void
await_running (JobQueue *queue, const char *id)
{
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JobInfo) info = job_queue_get_info (queue, id, NULL, &error);

      if (info)
        {
          g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_RUNNING);
          return;
        }
      g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
    }
}

/* If that cannot be written either, it is tried again until it can. */
static void
test_failed_giving_back_is_tried_again (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (START);
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  GAsyncResult *answer = NULL;
  JobQueue *queue;

  g_clear_pointer (&journal, g_free); /* each commit is one apply() */
  queue = open_queue_with_clock (clock);
  id = add (queue);
  fault_store_fail (store, FAULT_READ, 1);
  fault_store_fail (store, FAULT_APPLY, 2);
  g_assert_null (job_queue_dequeue (queue, NULL, NULL, 0, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  await_running (queue, id);

  fault_store_hold (store, FAULT_APPLY, 1);
  fault_store_fail (store, FAULT_APPLY, 1);
  job_stepped_clock_step (clock, G_USEC_PER_SEC);
  fault_store_await_held (store);
  fault_store_let_go (store);
  await_running (queue, id);

  job_queue_dequeue_async (queue, NULL, NULL, -1, NULL, keep_answer, &answer);
  job_stepped_clock_step (clock, G_USEC_PER_SEC);
  lease = await_lease (queue, &answer);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
  g_assert_cmpuint (job_lease_get_attempt (lease), ==, 1);
  close_queue (queue);
}

/* The same for a lease whose caller cancelled before the callback could run. */
static void
test_failed_discard_is_tried_again (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (START);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  GAsyncResult *answer = NULL;
  JobQueue *queue;

  g_clear_pointer (&journal, g_free); /* each commit is one apply() */
  queue = open_queue_with_clock (clock);
  id = add (queue);
  job_queue_dequeue_async (queue, NULL, NULL, 0, cancellable, keep_answer, &answer);
  await_running (queue, id);
  g_cancellable_cancel (cancellable);
  fault_store_fail (store, FAULT_APPLY, 1);
  while (answer == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (job_queue_dequeue_finish (queue, answer, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_object (&answer);
  await_running (queue, id);

  job_queue_dequeue_async (queue, NULL, NULL, -1, NULL, keep_answer, &answer);
  job_stepped_clock_step (clock, G_USEC_PER_SEC);
  lease = await_lease (queue, &answer);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
  close_queue (queue);
}

/* A checkpoint takes its time; calls are answered meanwhile. */
static void
test_checkpoint_holds_up_nobody (void)
{
  JobQueue *queue = open_queue ();
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *second = g_strconcat (journal, "-2", NULL);

  fault_store_hold (store, FAULT_CHECKPOINT, 1);
  while (!g_file_test (second, G_FILE_TEST_EXISTS))
    g_free (add (queue));
  fault_store_await_held (store);
  id = add (queue);
  lease = job_queue_dequeue (queue, NULL, NULL, 0, NULL, &error);
  g_assert_no_error (error);
  job_lease_complete (lease, "1", NULL, &error);
  g_assert_no_error (error);
  fault_store_let_go (store);
  close_queue (queue);
}

/* --- a job that could not be read at the opening, and can be read later ----------------------- */

static char *
add_after (JobQueue *queue, const char *dependency, JobCondition condition, GError **error)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);

  job_spec_add_dependency (spec, dependency, condition);
  return job_queue_enqueue (queue, spec, NULL, error);
}

static void
assert_state (JobQueue *queue, const char *id, JobState state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = job_queue_get_info (queue, id, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (job_info_get_state (info), ==, state);
}

static JobQueue *
open_without (const char *id)
{
  JobQueue *queue;

  g_assert_true (job_id_parse (id, "id", &hidden, NULL));
  queue = open_queue ();
  hidden = (JobId){ { 0 } };
  return queue;
}

static void
test_dependents_of_an_unread_job_stay_blocked (void)
{
  const JobCondition conditions[] = { JOB_CONDITION_AFTER_OK, JOB_CONDITION_AFTER_ANY,
                                      JOB_CONDITION_AFTER_NOT_OK };
  JobQueue *queue = open_queue ();
  g_autofree char *unread = add (queue);
  char *dependents[G_N_ELEMENTS (conditions)];
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (conditions); i++)
    dependents[i] = add_after (queue, unread, conditions[i], NULL);
  close_queue (queue);
  queue = open_without (unread);
  for (gsize i = 0; i < G_N_ELEMENTS (conditions); i++)
    assert_state (queue, dependents[i], JOB_STATE_BLOCKED);
  lease = job_queue_dequeue (queue, NULL, NULL, 0, NULL, &error);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_TIMED_OUT);
  close_queue (queue);
  queue = open_queue ();
  for (gsize i = 0; i < G_N_ELEMENTS (conditions); i++)
    {
      assert_state (queue, dependents[i], JOB_STATE_BLOCKED);
      g_free (dependents[i]);
    }
  g_clear_error (&error);
  lease = job_queue_dequeue (queue, NULL, NULL, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, unread);
  close_queue (queue);
}

/* The index has no such job, and the store has one that is not over: an answer all the same. */
static void
test_verbs_on_an_unread_job_end (void)
{
  JobQueue *queue = open_queue ();
  g_autofree char *unread = add (queue);
  g_autofree char *dependent = NULL;
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  close_queue (queue);
  queue = open_without (unread);
  g_assert_false (job_queue_cancel (queue, unread, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  g_clear_error (&error);
  g_assert_null (job_queue_dequeue_by_id (queue, unread, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  g_clear_error (&error);
  dependent = add_after (queue, unread, JOB_CONDITION_AFTER_ANY, &error);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  close_queue (queue);
}

/* Else a job whose dependency is sound would be called blocked on a damaged one. */
static void
test_opening_fails_if_a_dependency_cannot_be_read (void)
{
  JobQueue *queue = open_queue ();
  g_autofree char *first = add (queue);
  g_autofree char *second = add (queue);
  g_autofree char *dependent = NULL;
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autoptr (JobLease) lease = job_queue_dequeue_by_id (queue, first, NULL, NULL);
  g_autoptr (GError) error = NULL;

  job_spec_add_dependency (spec, first, JOB_CONDITION_AFTER_OK);
  job_spec_add_dependency (spec, second, JOB_CONDITION_AFTER_OK);
  dependent = job_queue_enqueue (queue, spec, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (job_lease_complete (lease, NULL, NULL, NULL));
  g_clear_object (&lease);
  close_queue (queue);
  unreadable = TRUE;
  g_assert_null (
      g_initable_new (FAULT_TYPE_QUEUE, NULL, &error, "checkpoint-size", (guint64) 4096, NULL));
  unreadable = FALSE;
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  queue = open_queue ();
  lease = job_queue_dequeue_by_id (queue, second, NULL, NULL);
  g_assert_true (job_lease_complete (lease, NULL, NULL, NULL));
  assert_state (queue, dependent, JOB_STATE_PENDING);
  close_queue (queue);
}

static void
run (gconstpointer test)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("job-local-store-XXXXXX", &error);

  g_assert_no_error (error);
  disk = job_memory_store_new ();
  journal = g_build_filename (folder, "journal", NULL);
  ((GTestFunc) test) ();
  g_clear_object (&store);
  g_clear_object (&disk);
  g_clear_pointer (&journal, g_free);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

#define ADD(path, test) g_test_add_data_func ("/local/store/" path, test, run)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("lease-from-the-store-holds-up-nobody", test_lease_from_the_store_holds_up_nobody);
  ADD ("failed-lease-gives-the-job-back", test_failed_lease_gives_the_job_back);
  ADD ("failed-giving-back-is-tried-again", test_failed_giving_back_is_tried_again);
  ADD ("failed-discard-is-tried-again", test_failed_discard_is_tried_again);
  ADD ("checkpoint-holds-up-nobody", test_checkpoint_holds_up_nobody);
  ADD ("dependents-of-an-unread-job-stay-blocked", test_dependents_of_an_unread_job_stay_blocked);
  ADD ("verbs-on-an-unread-job-end", test_verbs_on_an_unread_job_end);
  ADD ("opening-fails-if-a-dependency-cannot-be-read",
       test_opening_fails_if_a_dependency_cannot_be_read);
  return g_test_run ();
}
