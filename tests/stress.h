/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the threads of the stress test share. The work is left to chance, but not what comes of it:
 * the jobs are known beforehand. What is seen of a job on the way is noted in its Plan, and the
 * verbs that end a job count who won.
 *
 *   the types      who ends them
 *   "plain"        its holder; nobody else touches them: one holder at a time is checked
 *   "contested"    its holder, and administrators who cancel, release and complete, in a race
 *   "ordered"      one thread takes them, one at a time: first in, first out is checked */

#pragma once

#include <jobqueue.h>

G_BEGIN_DECLS

#define STRESS_N_PRODUCERS 3

typedef enum
{
  PLAIN,
  CONTESTED,
  ORDERED,
  N_KINDS,
} Kind;

extern const char *const stress_types[N_KINDS];

typedef struct
{
  /* Constant when the threads run. */
  JobSpec *spec; /* owned */
  const char *id;
  Kind kind;
  guint number; /* its place in the plans, and what its args say */
  gint after;   /* the plan that it depends on, or -1 */
  JobCondition condition;

  gint n_holders; /* atomic */
  gint n_ends;    /* atomic: how many ended it, as the queue acknowledged */
  gint result;    /* atomic: what the one who completed it gave; 0: nobody did */
} Plan;

typedef struct
{
  JobQueue *queue;
  GPtrArray *plans; /* of Plan; constant when the threads run */
  GHashTable *by_id;
  GCancellable *over; /* fires when there is no more work */
  gint n_producers;   /* atomic: to number them */
  gint n_results;     /* atomic: to number them */
} Stress;

/* A thread with a main context of its own. */
typedef struct
{
  Stress *stress;
  GMainContext *context;
  GRand *rand;
  guint n_calls;    /* that are not answered */
  guint n_dequeues; /* of these */
} Looper;

Plan *stress_get_plan (Stress *stress, guint number);
/* Dies unless @error tells that somebody else was first. */
void stress_assert_late (const GError *error);
/* What came of a verb that ends a lease, and a job if @is_end. */
void stress_note_end (Plan *plan, gboolean done, gboolean is_end, GError **error);
void stress_note_completed (Plan *plan, gboolean done, gint result, GError **error);
/* Checks what must hold of a job that begins, and may end. */
Plan *stress_begin (Stress *stress, JobLease *lease);
void stress_let_go (Plan *plan);
/* Ends the job in one way or another, mostly well. */
void stress_end (Stress *stress, JobLease *lease, Plan *plan, guint32 chance);
void stress_await_calls (Looper *looper);

/* What the threads do; the data is the Stress. */
gpointer stress_produce (gpointer data);
gpointer stress_consume_blocking (gpointer data);
gpointer stress_consume_ordered (gpointer data);
gpointer stress_consume_in_context (gpointer data);
gpointer stress_administrate (gpointer data);

G_END_DECLS
