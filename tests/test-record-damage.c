/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records that are damaged, or newer than the reader. */

#include "test-record-change.h"

#define GARBAGE_ROUNDS 20000

/* Where things are in an encoded change; see job-change.c. */
#define AT_FLAGS 1
#define AT_HEAD_SIZE 2
#define AT_TOTAL 4
#define AT_STATE 24
#define AT_REASON 25
#define HEAD_SIZE 80

static void
assert_refused (const guint8 *bytes, gsize size, JobError code, const char *message)
{
  static const JobChange nothing;
  g_autoptr (GError) error = NULL;
  JobChange decoded;

  g_assert_false (decode (bytes, size, &decoded, NULL, &error));
  g_assert_error (error, JOB_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, message));
  g_assert_cmpmem (&decoded, sizeof decoded, &nothing, sizeof nothing);
}

static void
test_every_beginning_is_refused (void)
{
  JobChange change;
  g_autoptr (GByteArray) bytes = NULL;

  fill_change (&change);
  bytes = encode (&change);
  for (gsize size = 0; size < bytes->len; size++)
    assert_refused (bytes->data, size, JOB_ERROR_CORRUPT, "damaged");
  job_change_clear (&change);
}

/* The same, when the change claims to be no longer than what is there. */
static void
test_every_shortened_change_is_refused (void)
{
  JobChange change;
  g_autoptr (GByteArray) bytes = NULL;

  fill_change (&change);
  bytes = encode (&change);
  for (gsize size = 8; size < bytes->len; size++)
    {
      guint32 total = GUINT32_TO_LE ((guint32) size);

      memcpy (bytes->data + AT_TOTAL, &total, sizeof total);
      assert_refused (bytes->data, size, JOB_ERROR_CORRUPT, "damaged");
    }
  job_change_clear (&change);
}

static void
assert_well_formed (const JobChange *change)
{
  const JobRecord *record = change->record;

  g_assert_cmpint (change->status.state, >=, JOB_STATE_PENDING);
  g_assert_cmpint (change->status.state, <=, JOB_STATE_CANCELED);
  g_assert_cmpint (change->status.reason, <=, JOB_REASON_LEASE_WITHOUT_TOKEN);
  if (record == NULL)
    return;
  g_assert_true (job_id_equal (&record->id, &change->id));
  g_assert_true (record->type != NULL && record->channel != NULL && record->args != NULL);
  for (guint i = 0; i < record->n_dependencies; i++)
    g_assert_cmpint (record->dependencies[i].condition, <=, JOB_CONDITION_AFTER_NOT_OK);
}

/* Whatever the bytes are: an error, or a change that can be encoded again and stays the same. */
static gboolean
decode_anything (const guint8 *bytes, gsize size)
{
  g_autoptr (GError) error = NULL;
  JobChange decoded;
  gsize used = 0;

  if (!decode (bytes, size, &decoded, &used, &error))
    {
      g_assert_true (g_error_matches (error, JOB_ERROR, JOB_ERROR_CORRUPT) ||
                     g_error_matches (error, JOB_ERROR, JOB_ERROR_VERSION));
      return FALSE;
    }
  g_assert_cmpuint (used, <=, size);
  assert_well_formed (&decoded);
  assert_round_trip (&decoded);
  job_change_clear (&decoded);
  return TRUE;
}

static void
test_every_wrong_byte_is_survived (void)
{
  JobChange change;
  g_autoptr (GByteArray) bytes = NULL;

  fill_change (&change);
  bytes = encode (&change);
  for (gsize i = 0; i < bytes->len; i++)
    {
      guint8 right = bytes->data[i];

      for (guint byte = 0; byte < 256; byte++)
        {
          bytes->data[i] = byte;
          decode_anything (bytes->data, bytes->len);
        }
      bytes->data[i] = right;
    }
  g_assert_true (decode_anything (bytes->data, bytes->len));
  job_change_clear (&change);
}

static void
test_garbage_is_survived (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20240601);
  JobChange change;
  g_autoptr (GByteArray) bytes = NULL;
  guint accepted = 0;

  fill_change (&change);
  bytes = encode (&change);
  for (guint i = 0; i < GARBAGE_ROUNDS; i++)
    {
      g_autofree guint8 *copy = g_memdup2 (bytes->data, bytes->len);

      for (int n = g_rand_int_range (rand, 1, 6); n > 0; n--)
        copy[g_rand_int_range (rand, 0, bytes->len)] = g_rand_int (rand);
      accepted += decode_anything (copy, bytes->len);
      for (gsize at = g_rand_int_range (rand, 1, 9); at < bytes->len; at++)
        copy[at] = g_rand_int (rand);
      copy[0] = JOB_RECORD_VERSION;
      decode_anything (copy, bytes->len);
    }
  g_assert_cmpuint (accepted, >, 0);
  g_assert_cmpuint (accepted, <, GARBAGE_ROUNDS);
  job_change_clear (&change);
}

typedef struct
{
  gsize at;
  guint8 bytes[4];
  gsize n_bytes;
  const char *message;
} Damage;

static void
test_damage_is_named (void)
{
  static const Damage damages[] = {
    { 0, { 0 }, 1, "format version 0" },
    { AT_FLAGS, { 4 | 3 }, 1, "unknown flags" },
    { AT_HEAD_SIZE, { 79, 0 }, 2, "impossible length" },
    { AT_HEAD_SIZE, { 0xff, 0xff }, 2, "impossible length" },
    { AT_TOTAL, { 183, 0, 0, 0 }, 4, "cut short" },
    { AT_TOTAL, { 0xff, 0xff, 0xff, 0xff }, 4, "cut short" },
    { AT_TOTAL, { 0, 0, 0, 0 }, 4, "impossible length" },
    { AT_STATE, { JOB_STATE_SCHEDULED }, 1, "no such state" },
    { AT_STATE, { JOB_STATE_CANCELED + 1 }, 1, "no such state" },
    { AT_REASON, { JOB_REASON_LEASE_WITHOUT_TOKEN + 1 }, 1, "no such reason" },
    { HEAD_SIZE, { 0xff, 0xff, 0xff, 0xff }, 4, "longer than the record" },
    { HEAD_SIZE + 4, { 0 }, 1, "zero byte" },
    { HEAD_SIZE + 6, { 31, 0 }, 2, "impossible length" },
    { HEAD_SIZE + 6, { 0xff, 0xff }, 2, "impossible length" },
    { HEAD_SIZE + 34, { 3, 0, 0, 0 }, 4, "before its dependencies" },
    { HEAD_SIZE + 34, { 0xff, 0xff, 0xff, 0xff }, 4, "before its dependencies" },
    { HEAD_SIZE + 42, { 0 }, 1, "zero byte" },
    { HEAD_SIZE + 101, { JOB_CONDITION_AFTER_NOT_OK + 1 }, 1, "no such condition" },
  };
  JobChange change;
  g_autoptr (GByteArray) bytes = NULL;

  fill_change (&change);
  bytes = encode (&change);
  g_assert_cmpuint (bytes->len, ==, HEAD_SIZE + 102);
  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++)
    {
      g_autofree guint8 *copy = g_memdup2 (bytes->data, bytes->len);

      memcpy (copy + damages[i].at, damages[i].bytes, damages[i].n_bytes);
      assert_refused (copy, bytes->len, JOB_ERROR_CORRUPT, damages[i].message);
    }
  assert_refused (NULL, 0, JOB_ERROR_CORRUPT, "empty");
  job_change_clear (&change);
}

static void
test_newer_version_is_refused (void)
{
  JobChange change;
  g_autoptr (GByteArray) bytes = NULL;

  fill_change (&change);
  bytes = encode (&change);
  bytes->data[0] = JOB_RECORD_VERSION + 1;
  assert_refused (bytes->data, bytes->len, JOB_ERROR_VERSION, "newer jobqueue");
  assert_refused (bytes->data, 1, JOB_ERROR_VERSION, "newer jobqueue");
  job_change_clear (&change);
}

/* A later writer of the same version may add to both heads and to the end. */
static void
test_additions_are_skipped (void)
{
  static const guint8 addition[] = { 9, 8, 7, 6, 5 };
  JobChange change, decoded;
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GByteArray) longer = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  gsize second = HEAD_SIZE + 6, second_end = second + 32, used;

  fill_change (&change);
  bytes = encode (&change);
  g_byte_array_append (longer, bytes->data, HEAD_SIZE);
  g_byte_array_append (longer, addition, sizeof addition);
  g_byte_array_append (longer, bytes->data + HEAD_SIZE, second_end - HEAD_SIZE);
  g_byte_array_append (longer, addition, sizeof addition);
  g_byte_array_append (longer, bytes->data + second_end, bytes->len - second_end);
  g_byte_array_append (longer, addition, sizeof addition);
  longer->data[AT_HEAD_SIZE] += sizeof addition;
  longer->data[second + sizeof addition] += sizeof addition;
  longer->data[AT_TOTAL] += 3 * sizeof addition;
  g_byte_array_append (longer, addition, sizeof addition); /* the next change */

  g_assert_true (decode (longer->data, longer->len, &decoded, &used, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (used, ==, bytes->len + 3 * sizeof addition);
  assert_same_change (&change, &decoded);
  job_change_clear (&decoded);
  job_change_clear (&change);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record/every-beginning-is-refused", test_every_beginning_is_refused);
  g_test_add_func ("/record/every-shortened-change-is-refused",
                   test_every_shortened_change_is_refused);
  g_test_add_func ("/record/every-wrong-byte-is-survived", test_every_wrong_byte_is_survived);
  g_test_add_func ("/record/garbage-is-survived", test_garbage_is_survived);
  g_test_add_func ("/record/damage-is-named", test_damage_is_named);
  g_test_add_func ("/record/newer-version-is-refused", test_newer_version_is_refused);
  g_test_add_func ("/record/additions-are-skipped", test_additions_are_skipped);
  return g_test_run ();
}
