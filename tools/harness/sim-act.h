/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One operation, as it is done: drawn for the jobs that there are, and done to the queue and to the
 * model. */

#pragma once

#include "model.h"
#include "sim-plan.h"

G_BEGIN_DECLS

#define SIM_MAX_SPECS 5
#define SIM_MAX_NAMES 4
#define SIM_OTHER_ERROR (-2)
#define SIM_CANCELED (-3)

typedef struct
{
  SimVerb verb;
  gboolean async;
  ModelSpec specs[SIM_MAX_SPECS];
  guint n_specs;
  gboolean own_id; /* one of the specs has an id that the library did not make */
  char id[37];
  char token[37];
  gboolean has_token;
  const char *text;
  const char *types[SIM_MAX_NAMES + 1];
  const char *channels[SIM_MAX_NAMES + 1];
  gboolean any_type;
  gboolean any_channel;
  gint64 timeout;
} SimAct;

typedef struct
{
  int error;     /* MODEL_OK, a JobError, SIM_CANCELED, or SIM_OTHER_ERROR */
  char *message; /* owned: of the error */
  char *id;      /* owned: the job that came */
  char *token;   /* owned: of the lease */
  char *args;    /* owned: of the lease */
  guint attempt;
} SimAnswer;

/* @tokens: all that were ever told, each with its job's id before it. */
void sim_act_draw (SimAct *self, SimVerb verb, gboolean async, const SimPlan *plan,
                   const Model *model, const GPtrArray *tokens);
void sim_act_clear (SimAct *self);
/* To the queue, until it is answered. */
void sim_act_call (const SimAct *self, JobQueue *queue, SimAnswer *answer);
/* The same in two steps; sim_act_finish() once @callback has been called. */
void sim_act_begin (const SimAct *self, JobQueue *queue, GAsyncReadyCallback callback,
                    gpointer data);
void sim_act_finish (const SimAct *self, JobQueue *queue, GAsyncResult *result, SimAnswer *answer);
/* The fiber's context runs until *@result is there. */
void sim_await (GAsyncResult **result);
/* To the model: how it has to end, and with which job. */
int sim_act_model (const SimAct *self, Model *model, guint *number);
void sim_act_describe (const SimAct *self, const Model *model, GString *text);
const char *const *sim_act_get_types (const SimAct *self);
const char *const *sim_act_get_channels (const SimAct *self);
void sim_answer_clear (SimAnswer *self);
/* Takes over @lease, which may be NULL. */
void sim_answer_take_lease (SimAnswer *self, JobLease *lease);
void sim_answer_set_error (SimAnswer *self, const GError *error);
/* What is wrong with it, in words; or NULL. @number: the job that had to come. */
char *sim_answer_compare (const SimAnswer *self, const Model *model, int expected, guint number);
/* The model, and @tokens, get to know the lease. */
void sim_answer_learn (const SimAnswer *self, Model *model, guint number, GPtrArray *tokens);
void sim_answer_describe (const SimAnswer *self, const Model *model, GString *text);

G_END_DECLS
