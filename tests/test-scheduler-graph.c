/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dependencies in the scheduler: conditions, cascades of any size, circles, and bad graphs. */

#include "scheduler-fixture.h"

#include <pthread.h>
#include <string.h>

#include "test-effort.h"

#define CHAIN test_effort (100000, 10000)
#define FAN_OUT 10000
#define SMALL_STACK (256 * 1024)

static const JobCondition conditions[] = { JOB_CONDITION_AFTER_OK, JOB_CONDITION_AFTER_ANY,
                                           JOB_CONDITION_AFTER_NOT_OK };
static const JobState ends[] = { JOB_STATE_SUCCEEDED, JOB_STATE_FAILED, JOB_STATE_CANCELED };

/* By condition and end: whether the dependent may run. */
static const gboolean may_run[3][3] = {
  { TRUE, FALSE, FALSE },
  { TRUE, TRUE, TRUE },
  { FALSE, TRUE, TRUE },
};

static void
assert_canceled_by (Fixture *f, const JobRecord *job, const JobRecord *culprit)
{
  const JobStatus *status = NULL;

  for (guint i = 0; i < f->effects.changes->len; i++)
    {
      const JobChange *change = &g_array_index (f->effects.changes, JobChange, i);

      if (job_id_equal (&change->id, &job->id))
        status = &change->status;
    }
  g_assert_nonnull (status);
  g_assert_cmpint (status->state, ==, JOB_STATE_CANCELED);
  g_assert_cmpint (status->reason, ==, JOB_REASON_DEPENDENCY);
  g_assert_cmpint (status->finished_at, ==, f->now.wall);
  g_assert_true (job_id_equal (&status->culprit, &culprit->id));
  assert_over (f, job, JOB_STATE_CANCELED);
}

static guint
count_finals (Fixture *f, const JobRecord *job)
{
  guint n = 0;

  for (guint i = 0; i < f->effects.finals->len; i++)
    n += job_id_equal (&g_array_index (f->effects.finals, JobId, i), &job->id);
  return n;
}

/* --- one edge --------------------------------------------------------------------------------- */

static void
check_edge (Fixture *f, guint condition, guint end, gboolean over_before)
{
  JobRecord *first = add_job (f, "a");
  JobRecord *second = new_dependent (f, "b", first, conditions[condition]);

  if (over_before)
    finish (f, first, ends[end]);
  enqueue (f, second);
  if (!over_before)
    {
      assert_waits (f, second, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, first);
      finish (f, first, ends[end]);
    }

  if (may_run[condition][end])
    claim (f, "b", second);
  else
    {
      assert_canceled_by (f, second, first);
      g_assert_cmpuint (count_finals (f, second), ==, 1);
      assert_none (f, "b");
    }
}

static void
test_conditions_after (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 3; i++)
    for (guint j = 0; j < 3; j++)
      check_edge (f, i, j, FALSE);
}

static void
test_conditions_before (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 3; i++)
    for (guint j = 0; j < 3; j++)
      check_edge (f, i, j, TRUE);
}

static void
test_first_impossible_dependency_is_named (Fixture *f, gconstpointer data)
{
  JobRecord *good = add_job (f, "a"), *bad = add_job (f, "a"), *worse = add_job (f, "a");
  JobRecord *job = new_job (f, "b", 3);

  finish (f, good, JOB_STATE_SUCCEEDED);
  finish (f, bad, JOB_STATE_FAILED);
  finish (f, worse, JOB_STATE_CANCELED);
  set_dependency (job, 0, good, JOB_CONDITION_AFTER_OK);
  set_dependency (job, 1, bad, JOB_CONDITION_AFTER_OK);
  set_dependency (job, 2, worse, JOB_CONDITION_AFTER_OK);
  enqueue (f, job);
  assert_canceled_by (f, job, bad);
}

static void
test_waits_name_the_first_open_dependency (Fixture *f, gconstpointer data)
{
  JobRecord *first = add_job (f, "a"), *second = add_job (f, "a");
  JobRecord *job = new_job (f, "b", 2);

  set_dependency (job, 0, first, JOB_CONDITION_AFTER_OK);
  set_dependency (job, 1, second, JOB_CONDITION_AFTER_OK);
  enqueue (f, job);
  assert_waits (f, job, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, first);
  finish (f, first, JOB_STATE_SUCCEEDED);
  assert_waits (f, job, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, second);
  finish (f, second, JOB_STATE_SUCCEEDED);
  claim (f, "b", job);
}

/* A retry is no end. */
static void
test_dependents_wait_for_the_last_attempt (Fixture *f, gconstpointer data)
{
  JobRecord *first = new_job (f, "a", 0);
  JobRecord *second = new_dependent (f, "b", first, JOB_CONDITION_AFTER_NOT_OK);
  JobId token;

  first->max_attempts = 2;
  enqueue (f, first);
  enqueue (f, second);
  token = claim (f, "a", first);
  fail (f, first, &token);
  assert_state (f, second, JOB_STATE_BLOCKED);
  token = claim (f, "a", first);
  fail (f, first, &token);
  claim (f, "b", second);
}

/* --- shapes ----------------------------------------------------------------------------------- */

/* top → left and right → bottom */
static void
make_diamond (Fixture *f, JobRecord *diamond[4], JobCondition condition)
{
  g_autoptr (GError) error = NULL;

  diamond[0] = new_job (f, "top", 0);
  diamond[1] = new_dependent (f, "side", diamond[0], condition);
  diamond[2] = new_dependent (f, "side", diamond[0], condition);
  diamond[3] = new_job (f, "bottom", 2);
  set_dependency (diamond[3], 0, diamond[1], condition);
  set_dependency (diamond[3], 1, diamond[2], condition);
  try_enqueue (f, diamond, 4, &error);
  g_assert_no_error (error);
}

static void
test_diamond_is_released_once (Fixture *f, gconstpointer data)
{
  JobRecord *d[4];

  make_diamond (f, d, JOB_CONDITION_AFTER_OK);
  finish (f, d[0], JOB_STATE_SUCCEEDED);
  finish (f, d[2], JOB_STATE_SUCCEEDED);
  assert_waits (f, d[3], JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, d[1]);
  finish (f, d[1], JOB_STATE_SUCCEEDED);
  claim (f, "bottom", d[3]);
  assert_none (f, NULL);
}

static void
test_diamond_is_canceled_once (Fixture *f, gconstpointer data)
{
  JobRecord *d[4];

  make_diamond (f, d, JOB_CONDITION_AFTER_OK);
  cancel (f, d[0]);
  g_assert_cmpuint (f->effects.changes->len, ==, 4);
  g_assert_cmpuint (f->effects.finals->len, ==, 4);
  assert_canceled_by (f, d[1], d[0]);
  assert_canceled_by (f, d[2], d[0]);
  g_assert_cmpuint (count_changes (f, d[3]), ==, 1);
  assert_over (f, d[3], JOB_STATE_CANCELED);
  assert_none (f, NULL);
}

/* One end lets one dependent run, and the other not, whose own dependent was waiting for that. */
static void
test_cascade_releases_too (Fixture *f, gconstpointer data)
{
  JobRecord *first = add_job (f, "a");
  JobRecord *wanted = new_dependent (f, "b", first, JOB_CONDITION_AFTER_OK);
  JobRecord *mender = new_dependent (f, "c", first, JOB_CONDITION_AFTER_NOT_OK);
  JobRecord *last = new_dependent (f, "d", wanted, JOB_CONDITION_AFTER_ANY);

  enqueue (f, wanted);
  enqueue (f, mender);
  enqueue (f, last);
  finish (f, first, JOB_STATE_FAILED);
  assert_canceled_by (f, wanted, first);
  claim (f, "c", mender);
  claim (f, "d", last);
}

/* One request makes a job possible and impossible at a time: it waits for one that is born
 * cancelled, which would let it run, and for one that failed, which does not. */
static void
test_born_canceled_after_it_was_let_go (Fixture *f, gconstpointer data)
{
  JobRecord *failed = add_job (f, "x");
  JobRecord *jobs[] = { new_dependent (f, "a", failed, JOB_CONDITION_AFTER_OK), new_job (f, "b", 2),
                        new_job (f, "b", 2) };
  g_autoptr (GError) error = NULL;

  finish (f, failed, JOB_STATE_FAILED);
  for (guint i = 1; i < 3; i++)
    {
      set_dependency (jobs[i], 0, jobs[0], JOB_CONDITION_AFTER_ANY);
      set_dependency (jobs[i], 1, failed, JOB_CONDITION_AFTER_OK);
    }
  jobs[2]->run_at = START + SECOND_NS;
  try_enqueue (f, jobs, 3, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++)
    {
      assert_canceled_by (f, jobs[i], failed);
      g_assert_cmpuint (count_finals (f, jobs[i]), ==, 1);
    }
  g_assert_cmpint (job_scheduler_get_next_run_at (f->scheduler), ==, -1);
  fixture_step (f, SECOND_NS, 0);
  assert_none (f, NULL);
}

/* --- large ones, with a small stack ----------------------------------------------------------- */

static void
make_chain (Fixture *f, gboolean backwards)
{
  g_autofree JobRecord **jobs = g_new (JobRecord *, CHAIN);
  g_autoptr (GError) error = NULL;
  guint first = f->records->len;

  for (guint i = 0; i < CHAIN; i++)
    {
      JobRecord *job =
          i == 0 ? new_job (f, "link", 0)
                 : new_dependent (f, "link", g_ptr_array_index (f->records, first + i - 1),
                                  JOB_CONDITION_AFTER_OK);

      jobs[backwards ? CHAIN - 1 - i : i] = job;
    }
  try_enqueue (f, jobs, CHAIN, &error);
  g_assert_no_error (error);
}

static gpointer
cancel_chains (gpointer data)
{
  Fixture *f = data;

  for (guint backwards = 0; backwards < 2; backwards++)
    {
      const JobRecord *first, *last;

      make_chain (f, backwards);
      first = g_ptr_array_index (f->records, f->records->len - CHAIN);
      last = g_ptr_array_index (f->records, f->records->len - 1);
      assert_state (f, last, JOB_STATE_BLOCKED);
      cancel (f, first);
      g_assert_cmpuint (f->effects.changes->len, ==, CHAIN);
      g_assert_cmpuint (f->effects.finals->len, ==, CHAIN);
      assert_canceled_by (f, last, g_ptr_array_index (f->records, f->records->len - 2));
    }
  make_chain (f, FALSE);
  g_clear_pointer (&f->scheduler, job_scheduler_free);
  return NULL;
}

static void
run_with_small_stack (gpointer (*func) (gpointer), gpointer data)
{
  pthread_attr_t attributes;
  pthread_t thread;

  g_assert_cmpint (pthread_attr_init (&attributes), ==, 0);
  g_assert_cmpint (pthread_attr_setstacksize (&attributes, SMALL_STACK), ==, 0);
  g_assert_cmpint (pthread_create (&thread, &attributes, func, data), ==, 0);
  g_assert_cmpint (pthread_join (thread, NULL), ==, 0);
  pthread_attr_destroy (&attributes);
}

static void
test_long_chain (Fixture *f, gconstpointer data)
{
  run_with_small_stack (cancel_chains, f);
}

static JobRecord *
make_fan_out (Fixture *f)
{
  JobRecord *top = add_job (f, "top");
  g_autofree JobRecord **jobs = g_new (JobRecord *, FAN_OUT);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < FAN_OUT; i++)
    jobs[i] = new_dependent (f, "leaf", top, JOB_CONDITION_AFTER_OK);
  try_enqueue (f, jobs, FAN_OUT, &error);
  g_assert_no_error (error);
  return top;
}

static void
test_fan_out_is_released_in_order (Fixture *f, gconstpointer data)
{
  guint first = f->records->len + 1;

  finish (f, make_fan_out (f), JOB_STATE_SUCCEEDED);
  g_assert_cmpuint (f->effects.changes->len, ==, 1);
  for (guint i = 0; i < FAN_OUT; i++)
    claim (f, "leaf", g_ptr_array_index (f->records, first + i));
  assert_none (f, NULL);
}

static void
test_fan_out_is_canceled (Fixture *f, gconstpointer data)
{
  finish (f, make_fan_out (f), JOB_STATE_FAILED);
  g_assert_cmpuint (f->effects.finals->len, ==, FAN_OUT + 1);
  assert_none (f, NULL);
}

static void
test_fan_in_waits_for_the_last (Fixture *f, gconstpointer data)
{
  JobRecord *bottom = new_job (f, "bottom", FAN_OUT);

  for (guint i = 0; i < FAN_OUT; i++)
    set_dependency (bottom, i, add_job (f, "a"), JOB_CONDITION_AFTER_OK);
  enqueue (f, bottom);
  for (guint i = FAN_OUT; i > 0; i--)
    {
      assert_state (f, bottom, JOB_STATE_BLOCKED);
      finish (f, g_ptr_array_index (f->records, i), JOB_STATE_SUCCEEDED);
    }
  claim (f, "bottom", bottom);
}

/* --- bad graphs ------------------------------------------------------------------------------- */

static void
assert_enqueue_fails (Fixture *f, JobRecord *const *jobs, gsize n_jobs, JobError code,
                      GError **error)
{
  g_autofree char *before = dump (f);
  g_autofree char *after = NULL;

  g_assert_false (try_enqueue (f, jobs, n_jobs, error));
  g_assert_error (*error, JOB_ERROR, (int) code);
  after = dump (f);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpuint (f->effects.changes->len, ==, 0);
}

static gboolean
names (const GError *error, const JobRecord *job)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (&job->id, text);
  return strstr (error->message, text) != NULL;
}

static void
test_circle_is_named (Fixture *f, gconstpointer data)
{
  JobRecord *outside = add_job (f, "x");
  JobRecord *jobs[6];
  g_autoptr (GError) error = NULL;

  /* 1 → 2 → 3 → 1; 0 before it, 4 behind it, 5 free */
  for (guint i = 0; i < 6; i++)
    jobs[i] = new_job (f, "a", i == 1 || i == 5 ? 2 : 1);
  set_dependency (jobs[0], 0, outside, JOB_CONDITION_AFTER_OK);
  set_dependency (jobs[1], 0, jobs[0], JOB_CONDITION_AFTER_OK);
  set_dependency (jobs[1], 1, jobs[3], JOB_CONDITION_AFTER_OK);
  set_dependency (jobs[2], 0, jobs[1], JOB_CONDITION_AFTER_OK);
  set_dependency (jobs[3], 0, jobs[2], JOB_CONDITION_AFTER_ANY);
  set_dependency (jobs[4], 0, jobs[3], JOB_CONDITION_AFTER_OK);
  set_dependency (jobs[5], 0, jobs[0], JOB_CONDITION_AFTER_OK);
  set_dependency (jobs[5], 1, outside, JOB_CONDITION_AFTER_OK);
  assert_enqueue_fails (f, jobs, 6, JOB_ERROR_INVALID, &error);
  for (guint i = 0; i < 6; i++)
    g_assert_cmpint (names (error, jobs[i]), ==, i >= 1 && i <= 3);
}

static void
test_circle_of_one (Fixture *f, gconstpointer data)
{
  JobRecord *jobs[] = { new_job (f, "a", 1), new_job (f, "b", 0) };
  g_autoptr (GError) error = NULL;

  set_dependency (jobs[0], 0, jobs[0], JOB_CONDITION_AFTER_OK);
  assert_enqueue_fails (f, jobs, 2, JOB_ERROR_INVALID, &error);
  g_assert_true (names (error, jobs[0]));
  g_assert_false (names (error, jobs[1]));
}

static void
test_bad_batch_changes_nothing (Fixture *f, gconstpointer data)
{
  JobRecord *there = add_job (f, "x"), *over = add_job (f, "x"), *damaged = new_job (f, "x", 0);
  JobRecord *absent = new_job (f, "x", 0), *good = new_job (f, "a", 0);
  JobRecord *jobs[] = { good, NULL };
  g_autoptr (GError) error = NULL;

  finish (f, over, JOB_STATE_SUCCEEDED);
  g_hash_table_insert (f->over, g_memdup2 (&damaged->id, sizeof (JobId)),
                       GINT_TO_POINTER (JOB_KNOWN_DAMAGED));

  jobs[1] = new_dependent (f, "b", absent, JOB_CONDITION_AFTER_ANY);
  assert_enqueue_fails (f, jobs, 2, JOB_ERROR_NOT_FOUND, &error);
  g_assert_true (names (error, absent) && names (error, jobs[1]));
  g_clear_error (&error);
  jobs[1] = new_dependent (f, "b", damaged, JOB_CONDITION_AFTER_ANY);
  assert_enqueue_fails (f, jobs, 2, JOB_ERROR_CORRUPT, &error);
  g_assert_true (names (error, damaged));
  g_clear_error (&error);
  jobs[1] = there;
  assert_enqueue_fails (f, jobs, 2, JOB_ERROR_EXISTS, &error);
  g_clear_error (&error);
  jobs[1] = over;
  assert_enqueue_fails (f, jobs, 2, JOB_ERROR_EXISTS, &error);
  g_clear_error (&error);
  jobs[1] = good;
  assert_enqueue_fails (f, jobs, 2, JOB_ERROR_EXISTS, &error);
  enqueue (f, good);
}

#define ADD(path, func) ADD_TEST ("/scheduler/graph/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("conditions-over-after-enqueueing", test_conditions_after);
  ADD ("conditions-over-before-enqueueing", test_conditions_before);
  ADD ("first-impossible-dependency-is-named", test_first_impossible_dependency_is_named);
  ADD ("waits-name-the-first-open-dependency", test_waits_name_the_first_open_dependency);
  ADD ("dependents-wait-for-the-last-attempt", test_dependents_wait_for_the_last_attempt);
  ADD ("diamond-is-released-once", test_diamond_is_released_once);
  ADD ("diamond-is-canceled-once", test_diamond_is_canceled_once);
  ADD ("cascade-releases-too", test_cascade_releases_too);
  ADD ("born-canceled-after-it-was-let-go", test_born_canceled_after_it_was_let_go);
  ADD ("long-chain-needs-no-stack", test_long_chain);
  ADD ("fan-out-is-released-in-order", test_fan_out_is_released_in_order);
  ADD ("fan-out-is-canceled", test_fan_out_is_canceled);
  ADD ("fan-in-waits-for-the-last", test_fan_in_waits_for_the_last);
  ADD ("circle-is-named", test_circle_is_named);
  ADD ("circle-of-one", test_circle_of_one);
  ADD ("bad-batch-changes-nothing", test_bad_batch_changes_nothing);

  return g_test_run ();
}
