/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a simulation does: operations, each with all that chance has to say about it, so that any
 * part of a plan is a plan, and still does about the same. */

#pragma once

#include "sim-disk.h"

G_BEGIN_DECLS

#define SIM_MAX_BURST 8

typedef enum
{
  SIM_ENQUEUE,
  SIM_ENQUEUE_MANY,
  SIM_DEQUEUE,
  SIM_DEQUEUE_BY_ID,
  SIM_COMPLETE,
  SIM_FAIL,
  SIM_RELEASE,
  SIM_CANCEL,
  SIM_HEARTBEAT,
  SIM_LOOKUP_TOKEN,
  SIM_WAIT,    /* for a job, while others go on */
  SIM_WATCH,   /* until a job is over, while others go on */
  SIM_GIVE_UP, /* one that waits */
  SIM_GET_INFO,
  SIM_BURST,  /* several calls at once */
  SIM_CHECK,  /* the whole queue */
  SIM_PASS,   /* time passes */
  SIM_REOPEN, /* closes it, and opens it again */
  SIM_CRASH,  /* now, between two operations */
  SIM_N_VERBS,
} SimVerb;

typedef struct
{
  SimVerb verb;
  guint64 chance; /* what is drawn in it comes from here */
  gboolean async;
  guint calls;        /* of a SIM_BURST: a bit for each that is made */
  SimTrouble trouble; /* while it goes on, or behind it */
  SimTrouble opening; /* when the queue is opened after it */
} SimOp;

typedef struct
{
  guint64 seed;
  guint restlessness; /* see sim_set_restlessness() */
  guint64 checkpoint_size;
  guint n_types;      /* of jobs, and of channels */
  guint dependencies; /* one job in so many has some; 0: none */
  SimOp *ops;         /* owned */
  guint n_ops;
} SimPlan;

SimPlan *sim_plan_new (guint64 seed, guint n_ops);
SimPlan *sim_plan_copy (const SimPlan *self);
void sim_plan_free (SimPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimPlan, sim_plan_free)
void sim_plan_cut (SimPlan *self, guint first, guint n);
const char *sim_verb_get_name (SimVerb verb);

G_END_DECLS
