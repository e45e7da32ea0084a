/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Conditions, and what happens down the graph when one can no longer come true. */

#include "conformance-private.h"
#include "../test-effort.h"

#define CHAIN_LENGTH test_effort (10 * 1000, 1000)
#define FAN_OUT 1000

/* How a dependency ends. */
typedef enum
{
  SUCCEEDS,
  FAILS,
  IS_CANCELED,
} Outcome;

static const struct
{
  JobCondition condition;
  Outcome outcome;
  gboolean runs; /* else it is canceled */
} cases[] = {
  { JOB_CONDITION_AFTER_OK, SUCCEEDS, TRUE },        { JOB_CONDITION_AFTER_OK, FAILS, FALSE },
  { JOB_CONDITION_AFTER_OK, IS_CANCELED, FALSE },    { JOB_CONDITION_AFTER_ANY, SUCCEEDS, TRUE },
  { JOB_CONDITION_AFTER_ANY, FAILS, TRUE },          { JOB_CONDITION_AFTER_ANY, IS_CANCELED, TRUE },
  { JOB_CONDITION_AFTER_NOT_OK, SUCCEEDS, FALSE },   { JOB_CONDITION_AFTER_NOT_OK, FAILS, TRUE },
  { JOB_CONDITION_AFTER_NOT_OK, IS_CANCELED, TRUE },
};

/* Ends a job of the type "d". */
static void
end (Fixture *f, const char *id, Outcome outcome)
{
  g_autoptr (JobLease) lease = must_dequeue_job (f, "d", id);

  if (outcome == SUCCEEDS)
    must_complete (f, lease);
  else if (outcome == FAILS)
    must_fail (f, lease);
  else
    must_cancel (f, id);
}

static void
assert_runs_or_canceled (Fixture *f, const char *id, const char *dependency, gboolean runs)
{
  if (!runs)
    {
      assert_reason (f, id, JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY, dependency);
      assert_none (f, "a");
      return;
    }

  assert_reason (f, id, JOB_STATE_PENDING, JOB_REASON_NONE, NULL);
  must_run (f, "a", id);
}

static void
test_over_after_enqueueing (Fixture *f)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *dependency = must_add (f, "d");
      g_autofree char *id = must_add_after (f, "a", dependency, cases[i].condition);

      assert_reason (f, id, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, dependency);
      assert_none (f, "a");
      end (f, dependency, cases[i].outcome);
      assert_runs_or_canceled (f, id, dependency, cases[i].runs);
    }
}

static void
test_over_before_enqueueing (Fixture *f)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *dependency = must_add (f, "d");
      g_autofree char *id = NULL;

      end (f, dependency, cases[i].outcome);
      id = must_add_after (f, "a", dependency, cases[i].condition);
      assert_runs_or_canceled (f, id, dependency, cases[i].runs);
    }
}

static void
test_over_in_another_opening (Fixture *f)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *dependency = must_add (f, "d");
      g_autofree char *early = must_add_after (f, "a", dependency, cases[i].condition);
      g_autofree char *late = NULL;

      fixture_reopen (f);
      assert_reason (f, early, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, dependency);
      end (f, dependency, cases[i].outcome);
      fixture_reopen (f);
      assert_runs_or_canceled (f, early, dependency, cases[i].runs);
      late = must_add_after (f, "a", dependency, cases[i].condition);
      assert_runs_or_canceled (f, late, dependency, cases[i].runs);
    }
}

static void
test_released_by_the_last_of_many (Fixture *f)
{
  g_autofree char *first = must_add (f, "d");
  g_autofree char *second = must_add (f, "d");
  g_autofree char *third = must_add (f, "d");
  g_autoptr (JobSpec) spec = new_dependent ("a", first, JOB_CONDITION_AFTER_OK);
  g_autofree char *id = NULL;

  job_spec_add_dependency (spec, second, JOB_CONDITION_AFTER_NOT_OK);
  job_spec_add_dependency (spec, third, JOB_CONDITION_AFTER_ANY);
  end (f, first, SUCCEEDS);
  id = must_enqueue (f, spec);
  assert_state (f, id, JOB_STATE_BLOCKED);
  end (f, second, FAILS);
  assert_reason (f, id, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, third);
  end (f, third, IS_CANCELED);
  must_run (f, "a", id);
}

static void
test_canceled_by_the_first_of_many (Fixture *f)
{
  g_autofree char *first = must_add (f, "d");
  g_autofree char *second = must_add (f, "d");
  g_autoptr (JobSpec) spec = new_dependent ("a", second, JOB_CONDITION_AFTER_OK);
  g_autofree char *id = NULL;

  job_spec_add_dependency (spec, first, JOB_CONDITION_AFTER_OK);
  id = must_enqueue (f, spec);
  end (f, first, FAILS);
  assert_reason (f, id, JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY, first);
  end (f, second, SUCCEEDS);
  assert_reason (f, id, JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY, first);
  assert_none (f, "a");
}

static void
test_diamond_released_once (Fixture *f)
{
  g_autofree char *top = must_add (f, "d");
  g_autofree char *left = must_add_after (f, "left", top, JOB_CONDITION_AFTER_OK);
  g_autofree char *right = must_add_after (f, "right", top, JOB_CONDITION_AFTER_OK);
  g_autoptr (JobSpec) spec = new_dependent ("a", left, JOB_CONDITION_AFTER_OK);
  g_autofree char *bottom = NULL;
  g_autoptr (JobLease) lease = NULL;

  job_spec_add_dependency (spec, right, JOB_CONDITION_AFTER_OK);
  bottom = must_enqueue (f, spec);
  end (f, top, SUCCEEDS);
  must_run (f, "right", right);
  assert_reason (f, bottom, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, left);
  must_run (f, "left", left);

  lease = must_dequeue_job (f, "a", bottom);
  assert_none (f, "a");
  must_complete (f, lease);
  assert_none (f, NULL);
}

static void
test_diamond_canceled_once (Fixture *f)
{
  g_autofree char *top = must_add (f, "d");
  g_autofree char *left = must_add_after (f, "left", top, JOB_CONDITION_AFTER_OK);
  g_autofree char *right = must_add_after (f, "right", top, JOB_CONDITION_AFTER_OK);
  g_autoptr (JobSpec) spec = new_dependent ("a", left, JOB_CONDITION_AFTER_OK);
  g_autofree char *bottom = NULL;
  g_auto (GStrv) canceled = NULL;

  job_spec_add_dependency (spec, right, JOB_CONDITION_AFTER_OK);
  bottom = must_enqueue (f, spec);
  end (f, top, FAILS);
  canceled = ids_in_state (f, JOB_STATE_CANCELED);
  g_assert_cmpuint (g_strv_length (canceled), ==, 3);
  assert_none (f, NULL);
}

/* A condition that comes true by a cascade releases its dependent, too. */
static void
test_cascade_releases_what_waits_for_a_failure (Fixture *f)
{
  g_autofree char *top = must_add (f, "d");
  g_autofree char *middle = must_add_after (f, "a", top, JOB_CONDITION_AFTER_OK);
  g_autofree char *cleanup = must_add_after (f, "cleanup", middle, JOB_CONDITION_AFTER_NOT_OK);
  g_autofree char *after_cleanup = must_add_after (f, "last", cleanup, JOB_CONDITION_AFTER_OK);

  end (f, top, IS_CANCELED);
  assert_state (f, middle, JOB_STATE_CANCELED);
  must_run (f, "cleanup", cleanup);
  must_run (f, "last", after_cleanup);
}

static void
test_canceled_dependents_end_waiting (Fixture *f)
{
  g_autofree char *top = must_add (f, "d");
  g_autofree char *dependent = must_add_after (f, "a", top, JOB_CONDITION_AFTER_OK);
  g_auto (Answer) answer = { NULL };
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_wait_async (f->queue, dependent, -1, NULL, answer_cb, &answer);
  end (f, top, FAILS);
  info = job_queue_wait_finish (f->queue, answer_wait (&answer), &error);
  g_assert_no_error (error);
  g_assert_cmpint (job_info_get_state (info), ==, JOB_STATE_CANCELED);
}

/* A chain of @n jobs, each after the one before it. */
static char **
add_chain (Fixture *f, const char *first, guint n)
{
  g_autoptr (GPtrArray) specs = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;
  char **ids;

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *id = new_id ();
      JobSpec *spec = new_spec ("link", id);

      job_spec_add_dependency (spec,
                               i == 0 ? first : job_spec_get_id (g_ptr_array_index (specs, i - 1)),
                               JOB_CONDITION_AFTER_OK);
      g_ptr_array_add (specs, spec);
    }

  ids = call_enqueue_many (f, (JobSpec **) specs->pdata, specs->len, &error);
  g_assert_no_error (error);
  return ids;
}

static void
test_long_chain_canceled_to_its_end (Fixture *f)
{
  g_autofree char *first = must_add (f, "d");
  g_auto (GStrv) ids = add_chain (f, first, CHAIN_LENGTH);
  g_auto (GStrv) canceled = NULL;

  end (f, first, FAILS);
  assert_reason (f, ids[0], JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY, first);
  assert_reason (f, ids[CHAIN_LENGTH - 1], JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY,
                 ids[CHAIN_LENGTH - 2]);
  canceled = ids_in_state (f, JOB_STATE_CANCELED);
  g_assert_cmpuint (g_strv_length (canceled), ==, CHAIN_LENGTH);
}

static void
test_fan_out (Fixture *f, Outcome outcome, JobState state)
{
  g_autofree char *top = must_add (f, "d");
  g_autoptr (GPtrArray) specs = g_ptr_array_new_with_free_func (g_object_unref);
  g_auto (GStrv) ids = NULL;
  g_auto (GStrv) listed = NULL;
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < FAN_OUT; i++)
    g_ptr_array_add (specs, new_dependent ("a", top, JOB_CONDITION_AFTER_OK));
  ids = call_enqueue_many (f, (JobSpec **) specs->pdata, specs->len, &error);
  g_assert_no_error (error);
  info = must_get_info (f, top);
  g_assert_cmpuint (g_strv_length ((char **) job_info_get_dependents (info)), ==, FAN_OUT);

  end (f, top, outcome);
  listed = ids_in_state (f, state);
  g_assert_cmpuint (g_strv_length (listed), ==, FAN_OUT);
  if (state == JOB_STATE_PENDING)
    must_run (f, "a", ids[0]);
}

static void
test_fan_out_released (Fixture *f)
{
  test_fan_out (f, SUCCEEDS, JOB_STATE_PENDING);
}

static void
test_fan_out_canceled (Fixture *f)
{
  test_fan_out (f, FAILS, JOB_STATE_CANCELED);
}

static void
test_told_in_both_directions (Fixture *f)
{
  g_autofree char *dependency = must_add (f, "d");
  g_autofree char *first = must_add_after (f, "a", dependency, JOB_CONDITION_AFTER_ANY);
  g_autofree char *second = must_add_after (f, "a", dependency, JOB_CONDITION_AFTER_NOT_OK);

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (JobInfo) info = must_get_info (f, dependency);
      g_autoptr (JobInfo) dependent = must_get_info (f, second);
      const char *const *dependents = job_info_get_dependents (info);

      g_assert_true (g_strv_contains (dependents, first));
      g_assert_true (g_strv_contains (dependents, second));
      g_assert_cmpuint (g_strv_length ((char **) dependents), ==, 2);
      g_assert_cmpstr (job_info_get_dependencies (dependent)[0], ==, dependency);
      g_assert_cmpint (job_info_get_condition (dependent, 0), ==, JOB_CONDITION_AFTER_NOT_OK);
      if (i == 0)
        end (f, dependency, SUCCEEDS); /* and also when it is over */
    }
}

static void
test_run_at_after_dependency (Fixture *f)
{
  g_autofree char *dependency = must_add (f, "d");
  g_autoptr (JobSpec) spec = new_dependent ("a", dependency, JOB_CONDITION_AFTER_OK);
  g_autofree char *id = NULL;

  job_spec_set_run_at (spec, START_OF_TIME + HOUR * NS_PER_US);
  id = must_enqueue (f, spec);
  assert_reason (f, id, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, dependency);
  end (f, dependency, SUCCEEDS);
  assert_reason (f, id, JOB_STATE_SCHEDULED, JOB_REASON_RUN_AT, NULL);
  assert_none (f, "a");
  fixture_step (f, HOUR);
  must_run (f, "a", id);
}

const ConformanceTest job_conformance_dependencies_tests[] = {
  { "over-after-enqueueing", test_over_after_enqueueing },
  { "over-before-enqueueing", test_over_before_enqueueing },
  { "over-in-another-opening", test_over_in_another_opening, JOB_CONFORMANCE_SURVIVES },
  { "released-by-the-last-of-many", test_released_by_the_last_of_many },
  { "canceled-by-the-first-of-many", test_canceled_by_the_first_of_many },
  { "diamond-released-once", test_diamond_released_once },
  { "diamond-canceled-once", test_diamond_canceled_once },
  { "cascade-releases-what-waits-for-a-failure", test_cascade_releases_what_waits_for_a_failure },
  { "canceled-dependents-end-waiting", test_canceled_dependents_end_waiting },
  { "long-chain-canceled-to-its-end", test_long_chain_canceled_to_its_end },
  { "fan-out-released", test_fan_out_released },
  { "fan-out-canceled", test_fan_out_canceled },
  { "told-in-both-directions", test_told_in_both_directions },
  { "run-at-after-dependency", test_run_at_after_dependency, JOB_CONFORMANCE_CLOCK },
  { NULL },
};
