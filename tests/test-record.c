/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs as they are kept, and what is kept of them. */

#include "test-record-change.h"

static void
test_changes_survive_a_round_trip (void)
{
  JobChange change;

  fill_change (&change);
  assert_round_trip (&change);
  g_clear_pointer (&change.status.outcome, g_free);
  assert_round_trip (&change);
  change.status.outcome = g_strdup ("");
  assert_round_trip (&change);
  g_clear_pointer (&change.record, job_record_unref);
  assert_round_trip (&change);
  job_status_clear (&change.status);
  change.status.state = JOB_STATE_PENDING;
  assert_round_trip (&change);
  job_change_clear (&change);
}

static void
test_extremes_survive_a_round_trip (void)
{
  static const gint64 times[] = { G_MININT64, -1, 0, 1, G_MAXINT64 };
  static const gint priorities[] = { G_MININT, -1, 0, 1, G_MAXINT };

  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      JobChange change;

      fill_change (&change);
      change.record->queued_at = change.record->run_at = times[i];
      change.status.started_at = change.status.finished_at = times[i];
      change.record->priority = priorities[i];
      change.record->max_attempts = change.status.attempts = G_MAXUINT;
      assert_round_trip (&change);
      job_change_clear (&change);
    }
}

static void
test_every_state_and_reason_survives (void)
{
  for (int state = JOB_STATE_PENDING; state <= JOB_STATE_CANCELED; state++)
    for (int reason = JOB_REASON_NONE; reason <= JOB_REASON_LEASE_WITHOUT_TOKEN; reason++)
      {
        JobChange change = { .id = make_id (1), .status = { .state = state, .reason = reason } };

        assert_round_trip (&change);
      }
}

/* Whether a job is blocked or scheduled follows from its dependencies and the time. */
static void
test_waiting_is_kept_as_pending (void)
{
  static const JobState states[] = { JOB_STATE_BLOCKED, JOB_STATE_SCHEDULED };

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    {
      JobChange change = { .id = make_id (1), .status = { .state = states[i] } };
      g_autoptr (GByteArray) bytes = encode (&change);
      g_autoptr (GError) error = NULL;
      JobChange decoded;

      g_assert_true (decode (bytes->data, bytes->len, &decoded, NULL, &error));
      g_assert_no_error (error);
      g_assert_cmpint (decoded.status.state, ==, JOB_STATE_PENDING);
      job_change_clear (&decoded);
    }
}

static void
test_largest_job_survives (void)
{
  JobChange change = { .id = make_id (1), .status = { .state = JOB_STATE_SUCCEEDED } };
  gsize most = 64 * 1024 * 1024;

  change.record = make_record (1, 65535, "");
  g_free (change.record->args);
  change.record->args = g_strnfill (most, '1');
  change.status.outcome = g_strnfill (most, '2');
  assert_round_trip (&change);
  job_change_clear (&change);
}

/* The form itself, so that a change of it cannot go unnoticed: what is on a disk stays readable. */
static void
test_form_is_as_it_was (void)
{
  static const guint8 form[] = {
    0x01, 0x03, 80,   0,    182,  0,    0,    0, /* head */
    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,
    12,   13,   14,   15,   16,                     /* id */
    6,    2,    0,    0,    0x04, 0x03, 0x02, 0x01, /* state … attempts */
    33,   34,   35,   36,   37,   38,   39,   40,   41,   42,   43,
    44,   45,   46,   47,   48, /* token */
    65,   66,   67,   68,   69,   70,   71,   72,   73,   74,   75,
    76,   77,   78,   79,   80,                                      /* culprit */
    5,    0,    0,    0,    0,    0,    0,    0,                     /* started at */
    0xfa, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,                  /* finished at */
    2,    0,    0,    0,    '[',  ']',                               /* outcome */
    32,   0,    0,    0,    0xfd, 0xff, 0xff, 0xff,                  /* head, priority */
    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,                  /* queued at */
    0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,                  /* run at */
    4,    0,    0,    0,    2,    0,    0,    0,                     /* attempts, dependencies */
    4,    0,    0,    0,    't',  'y',  'p',  'e',                   /* type */
    7,    0,    0,    0,    'g',  'r',  0xc3, 0xb6, 0xc3, 0x9f, 'e', /* channel */
    7,    0,    0,    0,    '{',  '"',  'a',  '"',  ':',  '1',  '}', /* args */
    100,  101,  102,  103,  104,  105,  106,  107,  108,  109,  110,
    111,  112,  113,  114,  115,  0, /* first */
    101,  102,  103,  104,  105,  106,  107,  108,  109,  110,  111,
    112,  113,  114,  115,  116,  1, /* second */
  };
  JobChange change, decoded;
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GError) error = NULL;

  fill_change (&change);
  bytes = encode (&change);
  g_assert_cmpmem (bytes->data, bytes->len, form, sizeof form);
  g_assert_true (decode (form, sizeof form, &decoded, NULL, &error));
  g_assert_no_error (error);
  assert_same_change (&change, &decoded);
  job_change_clear (&decoded);
  job_change_clear (&change);
}

static void
test_changes_follow_each_other (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  JobChange changes[3];
  gsize at = 0;

  fill_change (&changes[0]);
  changes[1] = (JobChange){ .id = make_id (9), .status = { .state = JOB_STATE_RUNNING } };
  fill_change (&changes[2]);
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    job_change_encode (&changes[i], bytes);

  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autoptr (GError) error = NULL;
      JobChange decoded;
      gsize used = 0;

      g_assert_true (decode (bytes->data + at, bytes->len - at, &decoded, &used, &error));
      g_assert_no_error (error);
      assert_same_change (&changes[i], &decoded);
      job_change_clear (&decoded);
      job_change_clear (&changes[i]);
      at += used;
    }
  g_assert_cmpuint (at, ==, bytes->len);
}

static void
test_status_copies_own_their_outcome (void)
{
  JobChange change;
  JobStatus copy, zero = { 0 };

  fill_change (&change);
  job_status_copy (&change.status, &copy);
  assert_same_status (&change.status, &copy);
  g_assert_true (copy.outcome != change.status.outcome);
  job_change_clear (&change);
  g_assert_null (change.record);
  g_assert_cmpstr (copy.outcome, ==, "[]");
  job_status_clear (&copy);
  assert_same_status (&copy, &zero);
  job_status_copy (&zero, &copy);
  assert_same_status (&copy, &zero);
}

static void
test_record_lives_until_the_last_reference (void)
{
  JobRecord *record = make_record (1, 3, "null");
  g_autoptr (JobRecord) second = job_record_ref (record);
  g_autoptr (JobRecord) empty = job_record_new (0);

  g_assert_true (second == record);
  job_record_unref (record);
  g_assert_cmpstr (second->args, ==, "null");
  g_assert_cmpuint (empty->n_dependencies, ==, 0);
  g_assert_null (empty->type);
}

/* What somebody puts into a record in one piece is freed, too. */
static void
test_record_in_one_piece (void)
{
  g_autoptr (JobRecord) record = job_record_new_with (2, "type", "", "{} and more", 2);

  g_assert_cmpstr (record->type, ==, "type");
  g_assert_cmpstr (record->channel, ==, "");
  g_assert_cmpstr (record->args, ==, "{}");
  g_assert_cmpuint (record->n_dependencies, ==, 2);
  g_assert_cmpint (record->dependencies[1].condition, ==, 0);
  record->args = g_strdup ("[]");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record/survives-a-round-trip", test_changes_survive_a_round_trip);
  g_test_add_func ("/record/extremes-survive", test_extremes_survive_a_round_trip);
  g_test_add_func ("/record/every-state-and-reason-survives", test_every_state_and_reason_survives);
  g_test_add_func ("/record/waiting-is-kept-as-pending", test_waiting_is_kept_as_pending);
  g_test_add_func ("/record/largest-job-survives", test_largest_job_survives);
  g_test_add_func ("/record/form-is-as-it-was", test_form_is_as_it_was);
  g_test_add_func ("/record/changes-follow-each-other", test_changes_follow_each_other);
  g_test_add_func ("/record/status-copies-own-their-outcome", test_status_copies_own_their_outcome);
  g_test_add_func ("/record/in-one-piece", test_record_in_one_piece);
  g_test_add_func ("/record/lives-until-the-last-reference",
                   test_record_lives_until_the_last_reference);
  return g_test_run ();
}
