/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One simulation: a plan carried out, with the model beside it. */

#pragma once

#include "sim-plan.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 n_ops; /* that were done; each of several calls at once is one */
  guint64 n_crashes;
  guint64 n_faults;
  char *violation; /* what was promised and did not hold; NULL: all is well */
  GString *trace;  /* what was done, in words, if it is not NULL at the beginning */
} SimOutcome;

void sim_case_run (const SimPlan *plan, SimOutcome *outcome);

G_END_DECLS
