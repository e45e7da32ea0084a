/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Between the two files that play a workload. */

#pragma once

#include "workload.h"

G_BEGIN_DECLS

typedef enum
{
  WORK_ANSWER_AS_MODEL,
  WORK_ANSWER_FAILED,  /* a fault was told */
  WORK_ANSWER_CLOSED,  /* the queue is closed, and nothing was done */
  WORK_ANSWER_UNKNOWN, /* self->maybe has it done */
} WorkAnswer;

void workload_complain (Workload *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean workload_may_fail (Workload *self);

/* By the queue, then by the model; the first complaint goes to the log. @token takes that of a new
 * lease. */
WorkAnswer workload_play_step (Workload *self, const WorkStep *step, char token[40]);
/* By @model only. */
void workload_model_step (Workload *self, Model *model, const WorkStep *step, const char *token);

G_END_DECLS
