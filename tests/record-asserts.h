/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* That two jobs are the same, field by field: for tests, and for the targets that are fuzzed. */

#pragma once

#include "job-record.h"

#include <string.h>

static inline void
assert_same_record (const JobRecord *a, const JobRecord *b)
{
  g_assert_true (job_id_equal (&a->id, &b->id));
  g_assert_cmpint (a->queued_at, ==, b->queued_at);
  g_assert_cmpint (a->run_at, ==, b->run_at);
  g_assert_cmpint (a->priority, ==, b->priority);
  g_assert_cmpuint (a->max_attempts, ==, b->max_attempts);
  g_assert_cmpstr (a->type, ==, b->type);
  g_assert_cmpstr (a->channel, ==, b->channel);
  g_assert_true (strcmp (a->args, b->args) == 0);
  g_assert_cmpuint (a->n_dependencies, ==, b->n_dependencies);
  for (guint i = 0; i < a->n_dependencies; i++)
    {
      g_assert_true (job_id_equal (&a->dependencies[i].id, &b->dependencies[i].id));
      g_assert_cmpint (a->dependencies[i].condition, ==, b->dependencies[i].condition);
    }
}

static inline void
assert_same_status (const JobStatus *a, const JobStatus *b)
{
  g_assert_cmpint (a->state, ==, b->state);
  g_assert_cmpint (a->reason, ==, b->reason);
  g_assert_cmpuint (a->attempts, ==, b->attempts);
  g_assert_true (job_id_equal (&a->token, &b->token));
  g_assert_true (job_id_equal (&a->culprit, &b->culprit));
  g_assert_cmpint (a->started_at, ==, b->started_at);
  g_assert_cmpint (a->finished_at, ==, b->finished_at);
  g_assert_cmpstr (a->outcome, ==, b->outcome);
}

static inline void
assert_same_change (const JobChange *a, const JobChange *b)
{
  g_assert_true (job_id_equal (&a->id, &b->id));
  assert_same_status (&a->status, &b->status);
  g_assert_true ((a->record == NULL) == (b->record == NULL));
  if (a->record != NULL)
    assert_same_record (a->record, b->record);
}
