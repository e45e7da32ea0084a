/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of a case share: sim-case.c (the operations) and sim-open.c (the ends of a queue,
 * and its beginnings). */

#pragma once

#include "model.h"
#include "sim-act.h"
#include "sim-case.h"

G_BEGIN_DECLS

typedef struct
{
  const SimPlan *plan;
  SimOutcome *outcome;
  JobQueue *queue;
  Model *model;
  GPtrArray *tokens; /* of char: id, token, id, token … : all that were told */
  GPtrArray *waits;  /* of SimWait: who waits for a job, or for the end of one */
  guint number;      /* of the operation */
} SimWorld;

void sim_world_violate (SimWorld *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The same; takes @difference, which may be NULL: then all is well. */
void sim_world_check (SimWorld *self, char *difference);
void sim_world_note (SimWorld *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The model gets to know the time. */
void sim_world_see_time (Model *model);

void sim_world_open (SimWorld *self, const SimTrouble *trouble);
/* Lets go of the queue, in whatever state it is. */
void sim_world_drop (SimWorld *self);
/* Opens it again, in whatever way the last one went. @others (of Model; NULL: none): how the jobs
 * may stand as well. */
void sim_world_reopen (SimWorld *self, const SimOp *op, GPtrArray *others);
/* What is in the queue now is the model, or one of @others, which is the model then. */
void sim_world_choose (SimWorld *self, GPtrArray *others);
gboolean sim_world_is_closed (SimWorld *self);

/* sim-several.c */
void sim_world_call_several (SimWorld *self, const SimOp *op, const SimTrouble *trouble);

G_END_DECLS
