/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each plan has a character of its own: some have no troubles, some have nothing but; some have one
 * kind of job, some many. A plan that has a little of everything would hardly ever fill a segment,
 * or grow a long chain of dependents. */

#include "sim-plan.h"

#include "sim-fiber.h"

#include <string.h>

#define MAX_STEPS 24 /* of one operation, or an opening, about: when its troubles come */

static const guint common_weights[SIM_N_VERBS] = {
  [SIM_ENQUEUE] = 60,  [SIM_ENQUEUE_MANY] = 10, [SIM_DEQUEUE] = 60,  [SIM_DEQUEUE_BY_ID] = 8,
  [SIM_COMPLETE] = 30, [SIM_FAIL] = 15,         [SIM_RELEASE] = 10,  [SIM_CANCEL] = 8,
  [SIM_HEARTBEAT] = 5, [SIM_LOOKUP_TOKEN] = 5,  [SIM_GET_INFO] = 10, [SIM_CHECK] = 1,
  [SIM_PASS] = 8,      [SIM_REOPEN] = 1,        [SIM_CRASH] = 2,     [SIM_WAIT] = 10,
  [SIM_WATCH] = 8,     [SIM_GIVE_UP] = 3,       [SIM_BURST] = 12,
};

static SimVerb
draw_verb (const guint *weights)
{
  guint sum = 0, at;
  SimVerb verb = 0;

  for (guint i = 0; i < SIM_N_VERBS; i++)
    sum += weights[i];
  for (at = sim_below (sum); at >= weights[verb]; verb++)
    at -= weights[verb];
  return verb;
}

static void
draw_weights (guint *weights)
{
  for (guint i = 0; i < SIM_N_VERBS; i++)
    {
      weights[i] = common_weights[i] * 4;
      if (sim_chance (4))
        weights[i] = sim_chance (2) ? weights[i] / 4 : weights[i] * 4;
    }
}

/* How often a plan has troubles: one operation in so many. */
typedef struct
{
  guint crashes;
  guint faults;
} Rates;

/* Most operations have a few steps only. */
static guint
draw_step (void)
{
  return 1 + sim_below (sim_chance (2) ? 4 : MAX_STEPS);
}

static SimTrouble
draw_trouble (const Rates *rates)
{
  SimTrouble trouble = { .power = sim_chance (2) || sim_chance (2) };

  if (sim_chance (rates->crashes))
    trouble.crash_in = draw_step ();
  if (sim_chance (rates->faults))
    {
      trouble.fault_in = draw_step ();
      trouble.fault_length = sim_chance (3) ? 1 + sim_below (60) : 1 + sim_below (2);
      trouble.fault = sim_below (SIM_SHORT + 1);
    }
  return trouble;
}

/* 2 to SIM_MAX_BURST of them. */
static guint
draw_calls (void)
{
  return (2u << (1 + sim_below (SIM_MAX_BURST - 1))) - 1;
}

static guint
one_of (const guint *values, guint n)
{
  return values[sim_below (n)];
}

#define ONE_OF(...)                                                                                \
  one_of ((const guint[]){ __VA_ARGS__ }, sizeof ((const guint[]){ __VA_ARGS__ }) / sizeof (guint))

SimPlan *
sim_plan_new (guint64 seed, guint n_ops)
{
  SimPlan *self = g_new0 (SimPlan, 1);
  guint weights[SIM_N_VERBS], asyncs;
  Rates rates, burst_rates, opening_rates;

  sim_seed (seed);
  draw_weights (weights);
  rates = (Rates){ ONE_OF (0, 20, 40, 100), ONE_OF (0, 0, 10, 40) };
  burst_rates = (Rates){ rates.crashes / 2, rates.faults / 2 };
  opening_rates = (Rates){ ONE_OF (0, 4), ONE_OF (0, 4) };
  asyncs = ONE_OF (0, 1, 2, 4);
  self->seed = seed;
  self->restlessness = ONE_OF (0, 2, 8, 32);
  self->checkpoint_size = ONE_OF (4096, 4096, 8192, 65536);
  self->n_types = ONE_OF (1, 2, 4);
  self->dependencies = ONE_OF (0, 1, 2, 4);
  self->n_ops = n_ops;
  self->ops = g_new (SimOp, n_ops);
  for (guint i = 0; i < n_ops; i++)
    {
      SimVerb verb = draw_verb (weights);

      self->ops[i] = (SimOp){
        .verb = verb,
        .chance = sim_random (),
        .async = sim_chance (asyncs),
        .calls = draw_calls (),
        .trouble = draw_trouble (verb == SIM_BURST ? &burst_rates : &rates),
        .opening = draw_trouble (&opening_rates),
      };
    }
  return self;
}

SimPlan *
sim_plan_copy (const SimPlan *self)
{
  SimPlan *copy = g_memdup2 (self, sizeof *self);

  copy->ops = g_memdup2 (self->ops, self->n_ops * sizeof *self->ops);
  return copy;
}

void
sim_plan_free (SimPlan *self)
{
  g_free (self->ops);
  g_free (self);
}

void
sim_plan_cut (SimPlan *self, guint first, guint n)
{
  memmove (&self->ops[first], &self->ops[first + n], (self->n_ops - first - n) * sizeof *self->ops);
  self->n_ops -= n;
}

const char *
sim_verb_get_name (SimVerb verb)
{
  static const char *const names[SIM_N_VERBS] = {
    [SIM_ENQUEUE] = "enqueue",       [SIM_ENQUEUE_MANY] = "enqueue many",
    [SIM_DEQUEUE] = "dequeue",       [SIM_DEQUEUE_BY_ID] = "dequeue by id",
    [SIM_COMPLETE] = "complete",     [SIM_FAIL] = "fail",
    [SIM_RELEASE] = "release",       [SIM_CANCEL] = "cancel",
    [SIM_HEARTBEAT] = "heartbeat",   [SIM_LOOKUP_TOKEN] = "look up token",
    [SIM_GET_INFO] = "get info",     [SIM_CHECK] = "check all",
    [SIM_PASS] = "let time pass",    [SIM_REOPEN] = "close and open",
    [SIM_CRASH] = "crash",           [SIM_WAIT] = "wait for a job",
    [SIM_WATCH] = "watch",           [SIM_GIVE_UP] = "give up waiting",
    [SIM_BURST] = "several at once",
  };

  return names[verb];
}
