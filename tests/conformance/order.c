/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Higher priority first, then first in, first out: fixed when a job is enqueued, whatever becomes
 * of it later. */

#include "conformance-private.h"

static void
test_first_in_first_out (Fixture *f)
{
  char *ids[50];

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = must_add (f, i % 2 == 0 ? "even" : "odd");
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      must_run (f, NULL, ids[i]);
      g_free (ids[i]);
    }
}

static void
test_higher_priority_first (Fixture *f)
{
  g_autofree char *lowest = must_add_with_priority (f, "p", G_MININT32);
  g_autofree char *normal = must_add_with_priority (f, "p", 0);
  g_autofree char *low = must_add_with_priority (f, "p", -1);
  g_autofree char *high = must_add_with_priority (f, "p", 1);
  g_autofree char *highest = must_add_with_priority (f, "p", G_MAXINT32);
  g_autofree char *normal_too = must_add_with_priority (f, "p", 0);

  must_run (f, "p", highest);
  must_run (f, "p", high);
  must_run (f, "p", normal);
  must_run (f, "p", normal_too);
  must_run (f, "p", low);
  must_run (f, "p", lowest);
}

/* The first by the key over all types and channels that the dequeue serves. */
static void
test_over_types_and_channels (Fixture *f)
{
  const char *const types[] = { "a", "b", NULL };
  const char *const channels[] = { "", "x", NULL };
  g_autofree char *a = must_add (f, "a");
  g_autofree char *b = must_add_with_priority (f, "b", 3);
  g_autofree char *c = must_add_with_priority (f, "c", 9);
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autofree char *x = NULL;
  const char *expected[3];

  job_spec_set_channel (spec, "x");
  job_spec_set_priority (spec, 2);
  x = must_enqueue (f, spec);
  expected[0] = b;
  expected[1] = x;
  expected[2] = a;

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JobLease) lease = call_dequeue (f, types, channels, 0, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (job_lease_get_id (lease), ==, expected[i]);
    }
  must_run (f, "c", c);
}

static void
test_release_keeps_the_place (Fixture *f)
{
  g_autofree char *a = must_add (f, "a");
  g_autofree char *b = must_add (f, "a");
  g_autofree char *c = must_add (f, "a");
  g_autoptr (JobLease) lease_a = must_dequeue_job (f, "a", a);
  g_autoptr (JobLease) lease_b = must_dequeue_job (f, "a", b);

  must_release (f, lease_b);
  must_release (f, lease_a);
  must_run (f, "a", a);
  must_run (f, "a", b);
  must_run (f, "a", c);
}

static void
test_retry_keeps_the_place (Fixture *f)
{
  g_autofree char *a = must_add_with_attempts (f, "a", 2);
  g_autofree char *b = must_add (f, "a");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "a", a);

  must_fail (f, lease);
  must_run (f, "a", a);
  must_run (f, "a", b);
}

static void
test_blocking_keeps_the_place (Fixture *f)
{
  g_autofree char *dependency = must_add (f, "d");
  g_autofree char *a = must_add_after (f, "a", dependency, JOB_CONDITION_AFTER_OK);
  g_autofree char *b = must_add (f, "a");

  must_run (f, "d", dependency);
  must_run (f, "a", a);
  must_run (f, "a", b);
}

static void
test_run_at_keeps_the_place (Fixture *f)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
  g_autofree char *a = NULL;
  g_autofree char *b = NULL;

  job_spec_set_run_at (spec, START_OF_TIME + HOUR * NS_PER_US);
  a = must_enqueue (f, spec);
  b = must_add (f, "a");
  fixture_step (f, HOUR);
  must_run (f, "a", a);
  must_run (f, "a", b);
}

static void
test_survives_reopening (Fixture *f)
{
  g_autofree char *a = must_add (f, "a");
  g_autofree char *high = must_add_with_priority (f, "a", 5);
  g_autofree char *b = must_add_with_attempts (f, "a", 2);
  g_autofree char *c = must_add (f, "a");
  g_autofree char *d = NULL;
  g_autoptr (JobLease) lease_high = must_dequeue_job (f, "a", high);
  g_autoptr (JobLease) lease_a = must_dequeue_job (f, "a", a);
  g_autoptr (JobLease) lease_b = must_dequeue_job (f, "a", b);

  must_release (f, lease_a);
  must_fail (f, lease_b);
  fixture_reopen (f);
  d = must_add (f, "a");
  must_run (f, "a", a);
  fixture_reopen (f);
  must_run (f, "a", b);
  must_run (f, "a", c);
  must_run (f, "a", d);
  assert_state (f, high, JOB_STATE_RUNNING);
}

/* Also when the wall clock was set back in between. */
static void
test_first_in_first_out_though_the_clock_went_back (Fixture *f)
{
  g_autofree char *a = NULL;
  g_autofree char *b = NULL;

  fixture_step (f, HOUR);
  a = must_add (f, "a");
  fixture_close (f);
  g_object_unref (f->clock);
  f->clock = job_stepped_clock_new (START_OF_TIME);
  fixture_open (f);
  b = must_add (f, "a");

  must_run (f, "a", a);
  must_run (f, "a", b);
}

const ConformanceTest job_conformance_order_tests[] = {
  { "first-in-first-out", test_first_in_first_out },
  { "higher-priority-first", test_higher_priority_first },
  { "over-types-and-channels", test_over_types_and_channels },
  { "release-keeps-the-place", test_release_keeps_the_place },
  { "retry-keeps-the-place", test_retry_keeps_the_place },
  { "blocking-keeps-the-place", test_blocking_keeps_the_place },
  { "run-at-keeps-the-place", test_run_at_keeps_the_place, JOB_CONFORMANCE_CLOCK },
  { "survives-reopening", test_survives_reopening, JOB_CONFORMANCE_SURVIVES },
  { "first-in-first-out-though-the-clock-went-back",
    test_first_in_first_out_though_the_clock_went_back,
    JOB_CONFORMANCE_SURVIVES | JOB_CONFORMANCE_CLOCK },
  { NULL },
};
