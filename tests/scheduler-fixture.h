/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the scheduler share: a scheduler with a stepped time and predictable tokens,
 * jobs with predictable ids, and a memory of what is over, as the store would have it. */

#pragma once

#include "job-error.h"
#include "job-scheduler-private.h"

#define SECOND_NS G_GINT64_CONSTANT (1000000000)
#define START (1700000000 * SECOND_NS)

typedef struct
{
  JobScheduler *scheduler;
  JobNow now;
  JobEffects effects; /* of the last step */
  GHashTable *over;   /* JobId → final state or JOB_KNOWN_DAMAGED */
  GPtrArray *records; /* of JobRecord: all that were made */
  GPtrArray *waiters; /* of JobWaiter: all that were made */
} Fixture;

void fixture_set_up (Fixture *self, gconstpointer data);
void fixture_tear_down (Fixture *self, gconstpointer data);
#define ADD_TEST(path, func)                                                                       \
  g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

/* Tokens are made from a count that begins here. */
void fixture_seed_tokens (guint64 seed);
void fixture_new_token (JobId *token);
/* The id of the job with that number: scattered, but always the same. */
JobId id_of (guint64 number);

void fixture_step (Fixture *self, gint64 wall_ns, gint64 boot_us);
/* Forgets the effects of the last step. */
void fixture_begin (Fixture *self);
/* Takes down which jobs are over by the effects. */
void fixture_note_finals (Fixture *self);

/* A new job, which is not in the queue yet; the fixture owns it. */
JobRecord *new_job (Fixture *self, const char *type, guint n_dependencies);
/* One with one dependency. */
JobRecord *new_dependent (Fixture *self, const char *type, const JobRecord *on,
                          JobCondition condition);
void set_dependency (JobRecord *record, guint index, const JobRecord *on, JobCondition condition);

/* Each of these is a step: the effects are its own. They match waiters at the end. */
gboolean try_enqueue (Fixture *self, JobRecord *const *records, gsize n_records, GError **error);
void enqueue (Fixture *self, JobRecord *record);
JobRecord *add_job (Fixture *self, const char *type);
/* The first job over the types (one, or NULL: any), which must be this one; returns its token. */
JobId claim (Fixture *self, const char *type, const JobRecord *expected);
void assert_none (Fixture *self, const char *type);
void complete (Fixture *self, const JobRecord *record, const JobId *token);
void fail (Fixture *self, const JobRecord *record, const JobId *token);
void release (Fixture *self, const JobRecord *record, const JobId *token);
void cancel (Fixture *self, const JobRecord *record);
/* Claims by id, and completes, fails or cancels. */
void finish (Fixture *self, const JobRecord *record, JobState state);
void match (Fixture *self);
/* Not a step: somebody waits; the fixture owns the waiter. */
JobWaiter *wait_for (Fixture *self, const char *const *types, const char *const *channels,
                     gpointer data);

JobView view_of (Fixture *self, const JobRecord *record);
void assert_state (Fixture *self, const JobRecord *record, JobState state);
void assert_waits (Fixture *self, const JobRecord *record, JobState state, JobReason reason,
                   const JobRecord *culprit);
/* The job left the index in this state. */
void assert_over (Fixture *self, const JobRecord *record, JobState state);
/* The last step's change of the job; fails if there is not exactly one. */
const JobStatus *change_of (Fixture *self, const JobRecord *record);
guint count_changes (Fixture *self, const JobRecord *record);

/* All that can be asked of the index, as text. */
char *dump (Fixture *self);
