/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The binary form of a change. What can be read is the same when it is written and read again;
 * written once more it is the same to the byte; and it says how long it is. */

#include "fuzz.h"

#include "job-error.h"
#include "record-asserts.h"

#include <stdlib.h>
#include <string.h>

/* From a piece of memory of just that size. */
static gboolean
decode (const guint8 *data, gsize size, JobChange *change, gsize *used)
{
  guint8 *copy = malloc (size);
  g_autoptr (GError) error = NULL;
  gboolean done;

  if (size > 0)
    memcpy (copy, data, size);
  *used = 0;
  done = job_change_decode (copy, size, change, used, &error);
  free (copy);
  if (done)
    {
      g_assert_no_error (error);
      g_assert_cmpuint (*used, >, 0);
      g_assert_cmpuint (*used, <=, size);
      return TRUE;
    }
  fuzz_assert_error (error);
  g_assert_true (error->code == JOB_ERROR_CORRUPT || error->code == JOB_ERROR_VERSION);
  g_assert_null (change->record);
  g_assert_null (change->status.outcome);
  return FALSE;
}

/* What comes behind does not count, and less is not enough. */
static void
check_length (const guint8 *data, gsize used, const JobChange *change)
{
  JobChange alone, cut;
  gsize again;

  g_assert_true (decode (data, used, &alone, &again));
  g_assert_cmpuint (again, ==, used);
  assert_same_change (&alone, change);
  job_change_clear (&alone);
  g_assert_false (decode (data, used - 1, &cut, &again));
}

static void
check_round_trip (const JobChange *change)
{
  g_autoptr (GByteArray) written = g_byte_array_new ();
  g_autoptr (GByteArray) twice = g_byte_array_new ();
  JobChange read;
  gsize used;

  job_change_encode (change, written);
  g_assert_true (decode (written->data, written->len, &read, &used));
  g_assert_cmpuint (used, ==, written->len);
  assert_same_change (&read, change);
  job_change_encode (&read, twice);
  g_assert_cmpmem (written->data, written->len, twice->data, twice->len);
  job_change_clear (&read);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  JobChange change;
  gsize used;

  if (size > FUZZ_MAX_SIZE || !decode (data, size, &change, &used))
    return 0;
  check_length (data, used, &change);
  check_round_trip (&change);
  job_change_clear (&change);
  return 0;
}
