/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The faults of the seed must not come over. Which test holds which of them; "conformance" is
 * tests/conformance/, for every backend, and the rest are files beside this one:
 *
 *   A damaged or foreign file, an empty one, a left-over temporary one: the queue opens, the rest
 *   works, the damage is reported and listed (osbuild-composer #3779)
 *     test-fs-json-queue.c   /fs-json/queue/opens-with-damage
 *     test-fs-json-folder.c  /fs-json/damage/costs-only-itself, leftovers-of-writes-are-removed, …
 *     test-gdbm-damage.c     the same for gdbm
 *     test-jobctl.py         check finds damage and moves it
 *
 *   A heartbeat of an unknown or old token creates nothing; a cancelled job has no heartbeat and no
 *   token (#4213)
 *     conformance            lease/heartbeat-creates-nothing, lease/only-running-jobs-have-one,
 *                            lease/token-unknown-after-every-end, lease/old-token-lease-lost
 *     here                   old-heartbeats-create-nothing-on-disk,
 *                            canceled-job-has-no-token-on-disk
 *
 *   A worker that died: its lease is listed, and the job can be taken back and run again (#1432); a
 *   late result of the old lease is refused
 *     conformance            lease/taken-back-and-run-again, reopen/old-token-stays-lost
 *     here                   worker-that-died-with-its-process
 *
 *   Dependents of a cancelled or failed job do not hang
 *     conformance            dependencies/over-after-enqueueing, over-before-enqueueing,
 *                            over-in-another-opening, diamond-canceled-once, …
 *     test-fs-json-queue.c   /fs-json/queue/dependents-of-a-canceled-job-do-not-hang
 *     test-scheduler-open.c  /scheduler/open/hopeless-jobs-are-canceled
 *     here                   nothing-hangs-over-a-restart
 *
 *   A job cancelled while pending does not come back after a restart, here or in the seed. First
 *   in, first out holds over a restart
 *     conformance            cancel/stays-over-a-reopening, order/survives-reopening
 *     test-fs-json.c         /fs-json/seed/opens-what-was-written-here
 *     here                   canceled-while-pending-stays-so
 *
 *   A write that fails leaves the job where it was, in memory and on disk, and the caller has the
 *   error
 *     conformance            storage/full-disk-changes-nothing, storage/torn-write-changes-nothing
 *     test-journal.c         /journal/failed-write-changes-nothing
 *     test-ledger-faults.c   whatever becomes of a checkpoint
 *     test-fs-json-write.c   /fs-json/write/a-failure-changes-nothing
 *     here                   failed-write-of-every-change, failed-ends-keep-the-heartbeat
 *
 *   Ten thousand waiting dequeues, and a backlog of 100,000 jobs of another type: no verb walks
 * them test-scheduler-cost.c  /scheduler/cost/no-verb-walks-the-backlog conformance
 * async/many-waiters-beside-a-backlog
 *
 *   A claim whose caller cancels before delivery, or that has no callback, is not lost
 *     conformance            claim/… (all of it)
 */

#include "fs-json-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define START (G_GINT64_CONSTANT (1700000000) * 1000000000)
#define HOUR (G_GINT64_CONSTANT (3600) * 1000000)
#define UNKNOWN_ID "01890a5d-ac96-774b-bcce-b302099a8057"
#define UNKNOWN_TOKEN "5f0c3a52-7d0b-4d55-9f6e-6d5f6f3b3c11"
#define NO_TOKEN "\"token\":\"00000000-0000-0000-0000-000000000000\""

typedef struct
{
  Fixture files;
  JobSteppedClock *clock;
  JobQueue *queue;
} Faults;

static void
open_queue (Faults *f)
{
  g_autoptr (GHashTable) options = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;

  g_hash_table_insert (options, (char *) "directory", f->files.folder);
  f->queue = job_queue_new_for_backend ("fs-json", options, JOB_CLOCK (f->clock), &error);
  g_assert_no_error (error);
}

static void
close_queue (Faults *f)
{
  g_autoptr (GError) error = NULL;

  job_queue_close (f->queue, NULL, &error);
  g_assert_no_error (error);
  g_clear_object (&f->queue);
}

static void
reopen (Faults *f)
{
  close_queue (f);
  open_queue (f);
}

static void
set_up (Faults *f, gconstpointer data)
{
  fixture_set_up (&f->files, NULL);
  f->clock = job_stepped_clock_new (START);
  open_queue (f);
}

static void
tear_down (Faults *f, gconstpointer data)
{
  if (f->queue)
    close_queue (f);
  g_object_unref (f->clock);
  fixture_tear_down (&f->files, NULL);
}

/* --- short forms ------------------------------------------------------------------------------ */

static char *
add_after (Faults *f, const char *type, const char *dependency, JobCondition condition)
{
  g_autoptr (JobSpec) spec = job_spec_new (type, NULL);
  g_autoptr (GError) error = NULL;
  char *id;

  if (dependency)
    job_spec_add_dependency (spec, dependency, condition);
  id = job_queue_enqueue (f->queue, spec, NULL, &error);
  g_assert_no_error (error);
  return id;
}

static char *
add (Faults *f, const char *type)
{
  return add_after (f, type, NULL, JOB_CONDITION_AFTER_OK);
}

static JobLease *
take (Faults *f, const char *type, const char *expected)
{
  const char *const types[] = { type, NULL };
  g_autoptr (GError) error = NULL;
  JobLease *lease = job_queue_dequeue (f->queue, types, NULL, 0, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, expected);
  return lease;
}

static void
assert_none (Faults *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_dequeue (f->queue, NULL, NULL, 0, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_TIMED_OUT);
}

static void
cancel (Faults *f, const char *id)
{
  g_autoptr (GError) error = NULL;

  job_queue_cancel (f->queue, id, NULL, &error);
  g_assert_no_error (error);
}

static void
assert_state (Faults *f, const char *id, JobState state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = job_queue_get_info (f->queue, id, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (job_info_get_state (info), ==, state);
}

static guint
count_leases (Faults *f, gint64 older_than)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) leases = job_queue_list_leases (f->queue, older_than, NULL, &error);

  g_assert_no_error (error);
  return g_list_model_get_n_items (leases);
}

static void
assert_no_heartbeat (Faults *f, const char *id, const char *token, JobError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (job_queue_heartbeat (f->queue, id, token, NULL, &error));
  g_assert_error (error, JOB_ERROR, (int) code);
}

static void
assert_token_unknown (Faults *f, const char *token)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_lookup_token (f->queue, token, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND);
}

static char *
get_file (Faults *f, const char *id)
{
  g_autofree char *name = g_strconcat (id, ".json", NULL);

  return fixture_get (&f->files, name);
}

static SeedState
seed_state (GHashTable *seed, const char *id)
{
  JobId parsed = parse_id (id);

  return seed_get (seed, &parsed);
}

/* --- heartbeats and tokens -------------------------------------------------------------------- */

static void
test_old_heartbeats (Faults *f, gconstpointer data)
{
  g_autofree char *id = add (f, "a");
  g_autoptr (JobLease) lease = take (f, "a", id);
  g_autofree char *before = NULL, *after = NULL;
  g_autoptr (GError) error = NULL;

  job_queue_release (f->queue, id, NULL, NULL, &error);
  g_assert_no_error (error);
  reopen (f);
  before = get_file (f, id);
  for (guint i = 0; i < 2; i++)
    {
      assert_no_heartbeat (f, id, job_lease_get_token (lease), JOB_ERROR_LEASE_LOST);
      assert_no_heartbeat (f, id, UNKNOWN_TOKEN, JOB_ERROR_LEASE_LOST);
      assert_no_heartbeat (f, UNKNOWN_ID, UNKNOWN_TOKEN, JOB_ERROR_NOT_FOUND);
      g_assert_cmpuint (count_leases (f, 0), ==, 0);
      reopen (f);
    }
  close_queue (f);
  after = get_file (f, id);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpuint (fixture_count (&f->files, ""), ==, 1);
}

static void
test_canceled_has_no_token (Faults *f, gconstpointer data)
{
  g_autofree char *id = add (f, "a");
  g_autoptr (JobLease) lease = take (f, "a", id);
  g_autofree char *text = NULL;

  cancel (f, id);
  for (guint i = 0; i < 2; i++)
    {
      assert_token_unknown (f, job_lease_get_token (lease));
      assert_no_heartbeat (f, id, job_lease_get_token (lease), JOB_ERROR_CANCELED);
      g_assert_cmpuint (count_leases (f, 0), ==, 0);
      reopen (f);
    }
  close_queue (f);
  text = get_file (f, id);
  g_assert_nonnull (strstr (text, NO_TOKEN));
  g_assert_null (strstr (text, job_lease_get_token (lease)));
}

/* --- a worker that died ----------------------------------------------------------------------- */

static void
test_dead_worker (Faults *f, gconstpointer data)
{
  g_autofree char *id = add (f, "a");
  g_autofree char *next = add (f, "a");
  g_autoptr (JobLease) dead = take (f, "a", id);
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  reopen (f);
  g_assert_cmpuint (count_leases (f, HOUR), ==, 0);
  job_stepped_clock_step (f->clock, HOUR);
  g_assert_cmpuint (count_leases (f, HOUR), ==, 1);
  job_queue_release (f->queue, id, NULL, NULL, &error);
  g_assert_no_error (error);

  lease = take (f, "a", id);
  g_assert_cmpuint (job_lease_get_attempt (lease), ==, 1);
  g_assert_false (
      job_queue_complete (f->queue, id, job_lease_get_token (dead), "\"late\"", NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_LEASE_LOST);
  g_clear_error (&error);
  job_lease_complete (lease, "\"in time\"", NULL, &error);
  g_assert_no_error (error);
  reopen (f);
  g_assert_false (
      job_queue_complete (f->queue, id, job_lease_get_token (dead), "\"later\"", NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_LEASE_LOST);
  {
    g_autoptr (JobInfo) info = job_queue_get_info (f->queue, id, NULL, NULL);

    g_assert_cmpstr (job_info_get_result (info), ==, "\"in time\"");
  }
  g_object_unref (take (f, "a", next));
}

/* --- dependents ------------------------------------------------------------------------------- */

/* Whichever way the dependency ends, and whenever the dependent comes, nothing stays blocked. */
static void
test_nothing_hangs (Faults *f, gconstpointer data)
{
  static const JobCondition conditions[] = { JOB_CONDITION_AFTER_OK, JOB_CONDITION_AFTER_ANY,
                                             JOB_CONDITION_AFTER_NOT_OK };
  g_autofree char *failed = add (f, "failed"), *canceled = add (f, "canceled");
  const char *const ends[] = { failed, canceled };
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (JobLease) lease = take (f, "failed", failed);
  g_autoptr (GError) error = NULL;

  for (guint after = 0; after < 2; after++)
    {
      for (guint i = 0; i < 6; i++)
        g_ptr_array_add (ids, add_after (f, "waits", ends[i % 2], conditions[i / 2]));
      reopen (f);
      if (after)
        break;
      job_queue_fail (f->queue, failed, job_lease_get_token (lease), NULL, NULL, &error);
      g_assert_no_error (error);
      cancel (f, canceled);
      reopen (f);
    }
  for (guint i = 0; i < ids->len; i++)
    assert_state (f, g_ptr_array_index (ids, i),
                  i % 6 < 2 ? JOB_STATE_CANCELED : JOB_STATE_PENDING);
}

/* --- restarts --------------------------------------------------------------------------------- */

static void
test_canceled_while_pending (Faults *f, gconstpointer data)
{
  char *ids[6];
  g_autoptr (GHashTable) seed = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = add (f, i % 2 ? "a" : "b");
  cancel (f, ids[0]);
  reopen (f);
  cancel (f, ids[3]);
  close_queue (f);
  seed = seed_open (f->files.folder);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_cmpint (seed_state (seed, ids[i]), ==, i % 3 ? SEED_PENDING : SEED_CANCELED);

  open_queue (f);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      assert_state (f, ids[i], i % 3 ? JOB_STATE_PENDING : JOB_STATE_CANCELED);
      if (i % 3)
        {
          g_object_unref (take (f, i % 2 ? "a" : "b", ids[i]));
          reopen (f);
        }
    }
  assert_none (f);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    g_free (ids[i]);
}

/* --- writes that fail ------------------------------------------------------------------------- */

static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (size, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
assert_failed (gboolean done, GError **error)
{
  g_assert_false (done);
  g_assert_error (*error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_clear_error (error);
}

static void
fail_every_change (Faults *f, const char *pending, JobLease *lease, const char *blocked)
{
  const char *const types[] = { "pending", NULL };
  const char *running = job_lease_get_id (lease), *token = job_lease_get_token (lease);
  g_autoptr (JobSpec) spec = job_spec_new ("new", NULL);
  g_autoptr (GError) error = NULL;

  assert_failed (job_queue_enqueue (f->queue, spec, NULL, &error) != NULL, &error);
  assert_failed (job_queue_dequeue (f->queue, types, NULL, 0, NULL, &error) != NULL, &error);
  assert_failed (job_queue_dequeue_by_id (f->queue, pending, NULL, &error) != NULL, &error);
  assert_failed (job_queue_complete (f->queue, running, token, "1", NULL, &error), &error);
  assert_failed (job_queue_fail (f->queue, running, token, NULL, NULL, &error), &error);
  assert_failed (job_queue_release (f->queue, running, token, NULL, &error), &error);
  assert_failed (job_queue_cancel (f->queue, running, NULL, &error), &error);
  assert_failed (job_queue_cancel (f->queue, pending, NULL, &error), &error);
  assert_failed (job_queue_cancel (f->queue, blocked, NULL, &error), &error);
  g_assert_true (job_queue_heartbeat (f->queue, running, token, NULL, &error));
  g_assert_no_error (error);
}

static void
test_failed_writes (Faults *f, gconstpointer data)
{
  g_autofree char *pending = add (f, "pending"), *running = add (f, "running");
  g_autofree char *blocked = add_after (f, "blocked", running, JOB_CONDITION_AFTER_OK);
  g_autoptr (JobLease) lease = take (f, "running", running);
  g_autoptr (GListModel) all = NULL;
  g_autoptr (GError) error = NULL;

  signal (SIGXFSZ, SIG_IGN);
  limit_files (0);
  fail_every_change (f, pending, lease, blocked);
  limit_files (RLIM_INFINITY);
  g_assert_false (g_cancellable_is_cancelled (job_lease_get_cancellable (lease)));
  for (guint i = 0; i < 2; i++)
    {
      assert_state (f, pending, JOB_STATE_PENDING);
      assert_state (f, running, JOB_STATE_RUNNING);
      assert_state (f, blocked, JOB_STATE_BLOCKED);
      g_clear_object (&all);
      all = job_queue_list (f->queue, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_list_model_get_n_items (all), ==, 3);
      reopen (f);
    }
  job_queue_complete (f->queue, running, job_lease_get_token (lease), NULL, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (take (f, "blocked", blocked));
  g_object_unref (take (f, "pending", pending));
}

/* Who could not end a lease has shown no sign of life. */
static void
test_failed_ends_keep_the_heartbeat (Faults *f, gconstpointer data)
{
  g_autofree char *id = add (f, "a"), *other = add (f, "a");
  g_autoptr (JobLease) lease = take (f, "a", id);
  const char *token = job_lease_get_token (lease);
  g_autoptr (JobLease) younger = NULL;
  g_autoptr (GError) error = NULL;

  job_stepped_clock_step (f->clock, HOUR);
  younger = take (f, "a", other);
  job_stepped_clock_step (f->clock, HOUR);
  signal (SIGXFSZ, SIG_IGN);
  limit_files (0);
  assert_failed (job_queue_complete (f->queue, id, token, "1", NULL, &error), &error);
  g_assert_cmpuint (count_leases (f, 2 * HOUR), ==, 1);
  assert_failed (job_queue_fail (f->queue, id, token, NULL, NULL, &error), &error);
  g_assert_cmpuint (count_leases (f, 2 * HOUR), ==, 1);
  assert_failed (job_queue_release (f->queue, id, token, NULL, &error), &error);
  g_assert_cmpuint (count_leases (f, 2 * HOUR), ==, 1);
  assert_failed (job_queue_cancel (f->queue, id, NULL, &error), &error);
  limit_files (RLIM_INFINITY);
  g_assert_cmpuint (count_leases (f, 2 * HOUR), ==, 1);
  g_assert_cmpuint (count_leases (f, HOUR), ==, 2);
}

#define ADD(path, func) g_test_add ("/faults/" path, Faults, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("old-heartbeats-create-nothing-on-disk", test_old_heartbeats);
  ADD ("canceled-job-has-no-token-on-disk", test_canceled_has_no_token);
  ADD ("worker-that-died-with-its-process", test_dead_worker);
  ADD ("nothing-hangs-over-a-restart", test_nothing_hangs);
  ADD ("canceled-while-pending-stays-so", test_canceled_while_pending);
  ADD ("failed-write-of-every-change", test_failed_writes);
  ADD ("failed-ends-keep-the-heartbeat", test_failed_ends_keep_the_heartbeat);

  return g_test_run ();
}
