/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of one job in the scheduler: each transition, what it changes, what it says of ended
 * leases, and that a refused request changes nothing. */

#include "scheduler-fixture.h"

#include <string.h>

#define MINUTE (60 * SECOND_NS)

static void
assert_one_end (Fixture *f, const JobId *token, gboolean by_holder)
{
  const JobEnd *end = &g_array_index (f->effects.ends, JobEnd, 0);

  g_assert_cmpuint (f->effects.ends->len, ==, 1);
  g_assert_true (job_id_equal (&end->token, token));
  g_assert_cmpint (end->by_holder, ==, by_holder);
}

static void
assert_one_final (Fixture *f, const JobRecord *job)
{
  g_assert_cmpuint (f->effects.finals->len, ==, 1);
  g_assert_true (job_id_equal (&g_array_index (f->effects.finals, JobId, 0), &job->id));
}

/* --- into the queue --------------------------------------------------------------------------- */

static void
test_enqueued_is_pending (Fixture *f, gconstpointer data)
{
  JobRecord *job = add_job (f, "a");
  const JobChange *change = &g_array_index (f->effects.changes, JobChange, 0);

  g_assert_cmpuint (f->effects.changes->len, ==, 1);
  g_assert_true (change->record == job);
  g_assert_cmpint (change->status.state, ==, JOB_STATE_PENDING);
  g_assert_cmpint (job->queued_at, ==, START);
  g_assert_cmpuint (f->effects.finals->len, ==, 0);
  assert_waits (f, job, JOB_STATE_PENDING, JOB_REASON_NONE, NULL);
}

static void
test_blocked_until_the_dependency_is_over (Fixture *f, gconstpointer data)
{
  JobRecord *first = add_job (f, "a");
  JobRecord *second = new_dependent (f, "b", first, JOB_CONDITION_AFTER_OK);

  enqueue (f, second);
  assert_waits (f, second, JOB_STATE_BLOCKED, JOB_REASON_DEPENDENCY, first);
  assert_none (f, "b");
  finish (f, first, JOB_STATE_SUCCEEDED);
  g_assert_cmpuint (count_changes (f, second), ==, 0);
  assert_waits (f, second, JOB_STATE_PENDING, JOB_REASON_NONE, NULL);
}

static void
test_scheduled_until_its_time (Fixture *f, gconstpointer data)
{
  JobRecord *job = new_job (f, "a", 0);
  JobRecord *later = new_job (f, "a", 0);

  job->run_at = START + MINUTE;
  later->run_at = START + 2 * MINUTE;
  g_assert_cmpint (job_scheduler_get_next_run_at (f->scheduler), ==, -1);
  enqueue (f, later);
  enqueue (f, job);
  assert_waits (f, job, JOB_STATE_SCHEDULED, JOB_REASON_RUN_AT, NULL);
  g_assert_cmpint (job_scheduler_get_next_run_at (f->scheduler), ==, START + MINUTE);
  fixture_step (f, MINUTE - 1, 0);
  assert_none (f, NULL);
  fixture_step (f, 1, 0);
  claim (f, "a", job);
  g_assert_cmpint (job_scheduler_get_next_run_at (f->scheduler), ==, START + 2 * MINUTE);
}

static void
test_blocked_then_scheduled (Fixture *f, gconstpointer data)
{
  JobRecord *first = add_job (f, "a");
  JobRecord *second = new_dependent (f, "b", first, JOB_CONDITION_AFTER_OK);

  second->run_at = START + MINUTE;
  enqueue (f, second);
  assert_state (f, second, JOB_STATE_BLOCKED);
  g_assert_cmpint (job_scheduler_get_next_run_at (f->scheduler), ==, -1);
  finish (f, first, JOB_STATE_SUCCEEDED);
  assert_state (f, second, JOB_STATE_SCHEDULED);
  fixture_step (f, MINUTE, 0);
  claim (f, "b", second);
}

/* --- a lease and its end ---------------------------------------------------------------------- */

static void
test_claim_leases (Fixture *f, gconstpointer data)
{
  JobRecord *job = add_job (f, "a");
  const JobStatus *status;
  JobId token, found;

  fixture_step (f, 5, 7);
  token = claim (f, "a", job);
  status = change_of (f, job);
  g_assert_cmpint (status->state, ==, JOB_STATE_RUNNING);
  g_assert_cmpuint (status->attempts, ==, 1);
  g_assert_cmpint (status->started_at, ==, START + 5);
  g_assert_true (job_id_equal (&status->token, &token));
  g_assert_cmpuint (g_array_index (f->effects.claims, JobClaim, 0).attempt, ==, 1);
  g_assert_true (job_scheduler_lookup_token (f->scheduler, &token, &found));
  g_assert_true (job_id_equal (&found, &job->id));
  assert_state (f, job, JOB_STATE_RUNNING);
  assert_none (f, NULL);
}

static void
test_complete_succeeds (Fixture *f, gconstpointer data)
{
  JobRecord *job = add_job (f, "a");
  JobId token = claim (f, "a", job);
  const JobStatus *status;

  fixture_step (f, 9, 0);
  complete (f, job, &token);
  status = change_of (f, job);
  g_assert_cmpint (status->state, ==, JOB_STATE_SUCCEEDED);
  g_assert_cmpstr (status->outcome, ==, "1");
  g_assert_cmpint (status->started_at, ==, START);
  g_assert_cmpint (status->finished_at, ==, START + 9);
  g_assert_true (job_id_equal (&status->token, &token));
  assert_one_end (f, &token, TRUE);
  assert_one_final (f, job);
  assert_over (f, job, JOB_STATE_SUCCEEDED);
  g_assert_false (job_scheduler_lookup_token (f->scheduler, &token, &token));
}

static void
test_fail_gives_another_attempt (Fixture *f, gconstpointer data)
{
  JobRecord *job = new_job (f, "a", 0);
  const JobStatus *status;
  JobId first, second;

  job->max_attempts = 2;
  enqueue (f, job);
  first = claim (f, "a", job);
  fail (f, job, &first);
  status = change_of (f, job);
  g_assert_cmpint (status->state, ==, JOB_STATE_PENDING);
  g_assert_cmpuint (status->attempts, ==, 1);
  g_assert_cmpstr (status->outcome, ==, "\"no\"");
  g_assert_true (job_id_is_nil (&status->token));
  assert_one_end (f, &first, TRUE);
  g_assert_cmpuint (f->effects.finals->len, ==, 0);

  second = claim (f, "a", job);
  g_assert_false (job_id_equal (&first, &second));
  g_assert_cmpuint (g_array_index (f->effects.claims, JobClaim, 0).attempt, ==, 2);
  fail (f, job, &second);
  status = change_of (f, job);
  g_assert_cmpint (status->state, ==, JOB_STATE_FAILED);
  g_assert_cmpuint (status->attempts, ==, 2);
  g_assert_cmpstr (status->outcome, ==, "\"no\"");
  g_assert_cmpint (status->finished_at, ==, START);
  assert_one_final (f, job);
  assert_over (f, job, JOB_STATE_FAILED);
}

static void
test_release_counts_no_attempt (Fixture *f, gconstpointer data)
{
  JobRecord *job = add_job (f, "a");
  JobId token = claim (f, "a", job);
  const JobStatus *status;

  release (f, job, &token);
  status = change_of (f, job);
  g_assert_cmpint (status->state, ==, JOB_STATE_PENDING);
  g_assert_cmpuint (status->attempts, ==, 0);
  g_assert_true (job_id_is_nil (&status->token));
  g_assert_cmpint (status->started_at, ==, 0);
  assert_one_end (f, &token, TRUE);
  claim (f, "a", job);
  g_assert_cmpuint (g_array_index (f->effects.claims, JobClaim, 0).attempt, ==, 1);
}

static void
test_administrator_ends_a_lease (Fixture *f, gconstpointer data)
{
  JobRecord *jobs[] = { add_job (f, "a"), add_job (f, "b"), add_job (f, "c") };
  JobId tokens[] = { claim (f, "a", jobs[0]), claim (f, "b", jobs[1]), claim (f, "c", jobs[2]) };

  complete (f, jobs[0], NULL);
  assert_one_end (f, &tokens[0], FALSE);
  fail (f, jobs[1], NULL);
  assert_one_end (f, &tokens[1], FALSE);
  release (f, jobs[2], NULL);
  assert_one_end (f, &tokens[2], FALSE);
}

/* --- cancel ----------------------------------------------------------------------------------- */

static void
assert_canceled (Fixture *f, const JobRecord *job)
{
  const JobStatus *status = change_of (f, job);

  g_assert_cmpint (status->state, ==, JOB_STATE_CANCELED);
  g_assert_cmpint (status->reason, ==, JOB_REASON_REQUESTED);
  g_assert_cmpint (status->finished_at, ==, f->now.wall);
  g_assert_true (job_id_is_nil (&status->token));
  g_assert_true (job_id_is_nil (&status->culprit));
  assert_one_final (f, job);
  assert_over (f, job, JOB_STATE_CANCELED);
}

static void
test_cancel_from_any_state (Fixture *f, gconstpointer data)
{
  JobRecord *pending = add_job (f, "a");
  JobRecord *running = add_job (f, "b");
  JobRecord *blocked = new_dependent (f, "c", pending, JOB_CONDITION_AFTER_OK);
  JobRecord *scheduled = new_job (f, "d", 0);
  JobId token = claim (f, "b", running);

  scheduled->run_at = START + MINUTE;
  enqueue (f, blocked);
  enqueue (f, scheduled);
  cancel (f, blocked);
  assert_canceled (f, blocked);
  cancel (f, scheduled);
  assert_canceled (f, scheduled);
  cancel (f, pending);
  assert_canceled (f, pending);
  g_assert_cmpuint (f->effects.ends->len, ==, 0);
  cancel (f, running);
  assert_canceled (f, running);
  assert_one_end (f, &token, FALSE);

  fixture_step (f, MINUTE, 0);
  assert_none (f, NULL);
  g_assert_cmpint (job_scheduler_get_next_run_at (f->scheduler), ==, -1);
}

/* --- heartbeats ------------------------------------------------------------------------------- */

static void
test_heartbeat_makes_a_lease_young (Fixture *f, gconstpointer data)
{
  JobRecord *job = add_job (f, "a");
  JobId token = claim (f, "a", job);
  g_autoptr (GError) error = NULL;

  fixture_begin (f);
  fixture_step (f, 0, 50);
  g_assert_cmpint (view_of (f, job).heartbeat_age, ==, 50);
  g_assert_true (job_scheduler_heartbeat (f->scheduler, &job->id, &token, f->now, &error));
  g_assert_no_error (error);
  g_assert_cmpint (view_of (f, job).heartbeat_age, ==, 0);
  g_assert_cmpuint (f->effects.changes->len, ==, 0);
}

/* --- refused requests ------------------------------------------------------------------------- */

typedef struct
{
  Fixture *f;
  const JobId *id;
  const JobId *token;
} Request;

typedef gboolean (*Verb) (const Request *request, GError **error);

static gboolean
do_complete (const Request *r, GError **error)
{
  return job_scheduler_complete (r->f->scheduler, r->id, r->token, "1", r->f->now, &r->f->effects,
                                 error);
}

static gboolean
do_fail (const Request *r, GError **error)
{
  return job_scheduler_fail (r->f->scheduler, r->id, r->token, NULL, r->f->now, &r->f->effects,
                             error);
}

static gboolean
do_release (const Request *r, GError **error)
{
  return job_scheduler_release (r->f->scheduler, r->id, r->token, r->f->now, &r->f->effects, error);
}

static gboolean
do_heartbeat (const Request *r, GError **error)
{
  return job_scheduler_heartbeat (r->f->scheduler, r->id, r->token, r->f->now, error);
}

static gboolean
do_cancel (const Request *r, GError **error)
{
  return job_scheduler_cancel (r->f->scheduler, r->id, r->f->now, &r->f->effects, error);
}

static gboolean
do_claim (const Request *r, GError **error)
{
  return job_scheduler_claim_by_id (r->f->scheduler, r->id, r->f, r->f->now, &r->f->effects, error);
}

static const Verb lease_verbs[] = { do_complete, do_fail, do_release, do_heartbeat };

static void
assert_refused (Fixture *f, Verb verb, const JobId *id, const JobId *token, JobError code)
{
  Request request = { f, id, token };
  g_autofree char *before = dump (f);
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;
  char text[JOB_ID_TEXT_SIZE];

  fixture_begin (f);
  g_assert_false (verb (&request, &error));
  g_assert_error (error, JOB_ERROR, (int) code);
  job_id_to_text (id, text);
  g_assert_nonnull (strstr (error->message, text));
  after = dump (f);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpuint (f->effects.changes->len + f->effects.claims->len + f->effects.ends->len +
                        f->effects.finals->len,
                    ==, 0);
}

static void
test_refused_changes_nothing (Fixture *f, gconstpointer data)
{
  JobRecord *pending = add_job (f, "a");
  JobRecord *running = add_job (f, "b");
  JobRecord *blocked = new_dependent (f, "c", pending, JOB_CONDITION_AFTER_OK);
  JobRecord *scheduled = new_job (f, "d", 0);
  JobId old = claim (f, "b", running);
  JobId unknown = id_of (4711);
  const JobRecord *waiting[] = { pending, blocked, scheduled };

  release (f, running, &old);
  claim (f, "b", running);
  scheduled->run_at = START + MINUTE;
  enqueue (f, blocked);
  enqueue (f, scheduled);

  for (guint i = 0; i < G_N_ELEMENTS (lease_verbs); i++)
    {
      assert_refused (f, lease_verbs[i], &unknown, &old, JOB_ERROR_NOT_FOUND);
      assert_refused (f, lease_verbs[i], &unknown, NULL, JOB_ERROR_NOT_FOUND);
      assert_refused (f, lease_verbs[i], &running->id, &old, JOB_ERROR_LEASE_LOST);
      for (guint j = 0; j < G_N_ELEMENTS (waiting); j++)
        {
          assert_refused (f, lease_verbs[i], &waiting[j]->id, &old, JOB_ERROR_LEASE_LOST);
          assert_refused (f, lease_verbs[i], &waiting[j]->id, NULL, JOB_ERROR_NOT_RUNNING);
        }
    }
  assert_refused (f, do_cancel, &unknown, NULL, JOB_ERROR_NOT_FOUND);
  assert_refused (f, do_claim, &unknown, NULL, JOB_ERROR_NOT_FOUND);
  assert_refused (f, do_claim, &running->id, NULL, JOB_ERROR_NOT_PENDING);
  assert_refused (f, do_claim, &blocked->id, NULL, JOB_ERROR_NOT_PENDING);
  assert_refused (f, do_claim, &scheduled->id, NULL, JOB_ERROR_NOT_PENDING);
}

static void
test_nil_token_opens_nothing (Fixture *f, gconstpointer data)
{
  JobRecord *pending = add_job (f, "a");
  JobRecord *running = add_job (f, "b");
  JobId nil = { 0 };

  claim (f, "b", running);
  for (guint i = 0; i < G_N_ELEMENTS (lease_verbs); i++)
    {
      assert_refused (f, lease_verbs[i], &pending->id, &nil, JOB_ERROR_LEASE_LOST);
      assert_refused (f, lease_verbs[i], &running->id, &nil, JOB_ERROR_LEASE_LOST);
    }
  g_assert_false (job_scheduler_lookup_token (f->scheduler, &nil, &nil));
}

/* What the store knows of a job that is over, in the words of the index. */
static void
test_errors_of_what_is_over (Fixture *f, gconstpointer data)
{
  static const struct
  {
    int state;
    int with_token; /* 0: an administrator, 1: the last token, 2: another one */
    JobError code;
  } cases[] = {
    { JOB_KNOWN_ABSENT, 0, JOB_ERROR_NOT_FOUND },
    { JOB_KNOWN_ABSENT, 2, JOB_ERROR_NOT_FOUND },
    { JOB_KNOWN_DAMAGED, 2, JOB_ERROR_CORRUPT },
    { JOB_STATE_CANCELED, 0, JOB_ERROR_CANCELED },
    { JOB_STATE_CANCELED, 2, JOB_ERROR_CANCELED },
    { JOB_STATE_SUCCEEDED, 0, JOB_ERROR_NOT_RUNNING },
    { JOB_STATE_SUCCEEDED, 1, JOB_ERROR_NOT_RUNNING },
    { JOB_STATE_SUCCEEDED, 2, JOB_ERROR_LEASE_LOST },
    { JOB_STATE_FAILED, 1, JOB_ERROR_NOT_RUNNING },
    { JOB_STATE_FAILED, 2, JOB_ERROR_LEASE_LOST },
  };
  JobId id = id_of (1), last = id_of (2), other = id_of (3);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const JobId *tokens[] = { NULL, &last, &other };
      g_autoptr (GError) error = NULL;

      job_scheduler_set_over_error (&id, tokens[cases[i].with_token], cases[i].state, &last,
                                    &error);
      g_assert_error (error, JOB_ERROR, (int) cases[i].code);
    }
}

#define ADD(path, func) ADD_TEST ("/scheduler/life/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("enqueued-is-pending", test_enqueued_is_pending);
  ADD ("blocked-until-the-dependency-is-over", test_blocked_until_the_dependency_is_over);
  ADD ("scheduled-until-its-time", test_scheduled_until_its_time);
  ADD ("blocked-then-scheduled", test_blocked_then_scheduled);
  ADD ("claim-leases", test_claim_leases);
  ADD ("complete-succeeds", test_complete_succeeds);
  ADD ("fail-gives-another-attempt", test_fail_gives_another_attempt);
  ADD ("release-counts-no-attempt", test_release_counts_no_attempt);
  ADD ("administrator-ends-a-lease", test_administrator_ends_a_lease);
  ADD ("cancel-from-any-state", test_cancel_from_any_state);
  ADD ("heartbeat-makes-a-lease-young", test_heartbeat_makes_a_lease_young);
  ADD ("refused-changes-nothing", test_refused_changes_nothing);
  ADD ("nil-token-opens-nothing", test_nil_token_opens_nothing);
  ADD ("errors-of-what-is-over", test_errors_of_what_is_over);

  return g_test_run ();
}
