/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of records share. Every encoded change is decoded from a heap block of exactly its
 * size, so that a sanitizer sees any reading beyond it. */

#pragma once

#include "job-error.h"
#include "job-record.h"
#include "record-asserts.h"

#include <string.h>

static inline JobId
make_id (guint8 first)
{
  JobId id;

  for (guint i = 0; i < sizeof id.bytes; i++)
    id.bytes[i] = first + i;
  return id;
}

static inline JobRecord *
make_record (guint8 first, guint n_dependencies, const char *args)
{
  JobRecord *record = job_record_new (n_dependencies);

  record->id = make_id (first);
  record->queued_at = G_GINT64_CONSTANT (0x1122334455667788);
  record->run_at = -2;
  record->priority = -3;
  record->max_attempts = 4;
  record->type = g_strdup ("type");
  record->channel = g_strdup ("größe");
  record->args = g_strdup (args);
  for (guint i = 0; i < n_dependencies; i++)
    {
      record->dependencies[i].id = make_id (100 + i);
      record->dependencies[i].condition = i % 3;
    }
  return record;
}

/* A change with everything in it. */
static inline void
fill_change (JobChange *change)
{
  *change = (JobChange){
    .id = make_id (1),
    .record = make_record (1, 2, "{\"a\":1}"),
    .status = { .state = JOB_STATE_CANCELED,
                .reason = JOB_REASON_DEPENDENCY,
                .attempts = 0x01020304,
                .token = make_id (33),
                .culprit = make_id (65),
                .started_at = 5,
                .finished_at = -6,
                .outcome = g_strdup ("[]") },
  };
}

static inline GByteArray *
encode (const JobChange *change)
{
  GByteArray *out = g_byte_array_new ();

  job_change_encode (change, out);
  return out;
}

/* Decodes what @bytes begin with, from a block of exactly @size. */
static inline gboolean
decode (const guint8 *bytes, gsize size, JobChange *change, gsize *used, GError **error)
{
  g_autofree guint8 *exact = g_memdup2 (bytes, size);

  memset (change, 0x55, sizeof *change);
  return job_change_decode (exact, size, change, used, error);
}

static inline void
assert_round_trip (const JobChange *change)
{
  g_autoptr (GByteArray) bytes = encode (change);
  g_autoptr (GError) error = NULL;
  JobChange decoded;
  gsize used = 0;

  g_assert_true (decode (bytes->data, bytes->len, &decoded, &used, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (used, ==, bytes->len);
  assert_same_change (change, &decoded);
  job_change_clear (&decoded);
}
