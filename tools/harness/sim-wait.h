/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that wait while others come: dequeues until there is a job for them, watches until a job is
 * over. Whenever something has changed, the model says who has to be told of it, and what, in the
 * order in which they came. */

#pragma once

#include "sim-act.h"

G_BEGIN_DECLS

typedef struct
{
  grefcount ref_count;
  SimAct act; /* SIM_WAIT or SIM_WATCH */
  GCancellable *cancellable;
  gint64 deadline; /* boot time, µs; -1: none */
  gboolean ended;
  SimAnswer answer;
  JobState state; /* of a watched job, as it was told */
} SimWait;

/* Of SimWait, in the order in which they came. */
GPtrArray *sim_waits_new (void);
void sim_waits_begin (GPtrArray *self, const SimAct *act, JobQueue *queue);
/* When somebody may have to be told something next, if nothing else happens; G_MAXINT64: never. */
gint64 sim_waits_get_next (GPtrArray *self, const Model *model);
/* What all of them would get now, if it happened. */
void sim_waits_model (GPtrArray *self, Model *model);
/* Awaits what has to be told now. What is wrong with it, in words; or NULL. */
char *sim_waits_settle (GPtrArray *self, Model *model, GPtrArray *tokens);
/* Ends one of them. */
char *sim_waits_cancel (GPtrArray *self, guint number);
/* Ends those that wait for a job. */
char *sim_waits_cancel_dequeues (GPtrArray *self);
/* Those that have their job are through. */
void sim_waits_drop_served (GPtrArray *self);
/* Ends all of them, after a fault: jobs that came anyhow are leased. */
char *sim_waits_give_up (GPtrArray *self, Model *model, GPtrArray *tokens);
/* After a close: they have been told. */
char *sim_waits_end (GPtrArray *self);
/* What has been answered is told now. */
void sim_waits_hear (void);

G_END_DECLS
