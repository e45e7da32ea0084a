/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several calls in flight at once: what they are, and what they were told. All are asynchronous, of
 * one thread, and made one after the other; so they share batches, and a trouble meets them in the
 * middle. */

#pragma once

#include "sim-act.h"

G_BEGIN_DECLS

typedef struct
{
  SimAct act;
  SimAnswer answer;
  GAsyncResult *result; /* owned; NULL: it is not answered yet */
  gboolean is_late;     /* it was answered when the process was dead, and so nobody heard it */
} SimBurstCall;

typedef struct
{
  SimBurstCall calls[SIM_MAX_BURST];
  guint n_calls;
} SimBurst;

void sim_burst_draw (SimBurst *self, const SimOp *op, const SimPlan *plan, const Model *model,
                     const GPtrArray *tokens);
void sim_burst_clear (SimBurst *self);
/* Until all are answered. */
void sim_burst_call (SimBurst *self, const SimOp *op, JobQueue *queue);
void sim_burst_describe (const SimBurst *self, const Model *model, GString *text);

G_END_DECLS
