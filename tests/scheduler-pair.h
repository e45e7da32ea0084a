/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A scheduler and a naive one side by side, driven by chance from a seed. */

#pragma once

#include "naive-scheduler.h"
#include "scheduler-fixture.h"

typedef struct
{
  guint64 random;
  guint seed, step;
  Fixture real; /* scheduler, time, effects, records */
  NaiveScheduler naive;
  JobStatus disk[NAIVE_MAX_JOBS]; /* as the changes say; without outcomes */
  gboolean was_over[NAIVE_MAX_JOBS];
  JobWaiter waiters[NAIVE_MAX_JOBS]; /* as those of naive */
  JobId old_token;
  guint n_claims; /* of this step, seen so far */
} Run;

extern Run run;

/* Says from which seed, and at which step. */
#define check(condition)                                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (G_UNLIKELY (!(condition)))                                                                 \
      g_error ("%s:%d: not so: %s (seed %u, step %u)", __FILE__, __LINE__, #condition, run.seed,   \
               run.step);                                                                          \
  }                                                                                                \
  G_STMT_END

/* Chance: 0 to @limit - 1. */
guint below (guint limit);

void run_begin (guint seed);
void run_end (void);

/* A step: begin, requests to both, end; then both have matched, and said and done the same. */
void begin_step (void);
void match_both (void);
/* Both leased the same jobs, in the same order, to the same dequeues; the naive one is told the
 * tokens. */
void check_claims (void);
/* @n_ends: of leases. */
void end_step (guint n_ends);
