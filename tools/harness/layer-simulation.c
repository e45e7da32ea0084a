/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Layer E: deterministic simulation. The library's own scheduler, committer, ledger and journal, a
 * disk and a store that lose what was not synced, and a clock that jumps, all in one thread and out
 * of one seed: 200 operations, with crashes, faults and reopenings among them, compared with the
 * model after each; some of them are several calls at once. A plan that fails is cut down, by
 * dropping operations and troubles as long as it still fails. */

#include "torture.h"

#include "sim-case.h"
#include "sim-fiber.h"

#define N_OPS 200

static char *
get_violation (const SimPlan *plan, SimOutcome *outcome)
{
  *outcome = (SimOutcome){ .trace = outcome->trace };
  sim_case_run (plan, outcome);
  return outcome->violation;
}

static gboolean
fails (const SimPlan *plan)
{
  SimOutcome outcome = { 0 };
  g_autofree char *violation = get_violation (plan, &outcome);

  return violation != NULL;
}

/* Takes over @smaller, if that still fails. */
static gboolean
take (SimPlan **plan, SimPlan *smaller)
{
  if (!fails (smaller))
    {
      sim_plan_free (smaller);
      return FALSE;
    }
  sim_plan_free (*plan);
  *plan = smaller;
  return TRUE;
}

/* Drops as many operations at once as goes, and fewer and fewer. */
static void
drop_ops (SimPlan **plan)
{
  for (guint n = MAX ((*plan)->n_ops / 2, 1); n > 0; n /= 2)
    for (guint at = 0; at + n <= (*plan)->n_ops;)
      {
        SimPlan *smaller = sim_plan_copy (*plan);

        sim_plan_cut (smaller, at, n);
        if (!take (plan, smaller))
          at += n;
      }
}

static void
drop_troubles (SimPlan **plan)
{
  for (guint i = 0; i < (*plan)->n_ops; i++)
    for (guint which = 0; which < 5; which++)
      {
        SimPlan *smaller = sim_plan_copy (*plan);
        SimOp *op = &smaller->ops[i];

        if (which == 0)
          op->trouble.crash_in = 0;
        else if (which == 1)
          op->trouble.fault_in = 0;
        else if (which == 2)
          op->opening.crash_in = 0;
        else if (which == 3)
          op->opening.fault_in = 0;
        else
          op->async = FALSE;
        if (memcmp (op, &(*plan)->ops[i], sizeof *op) == 0)
          sim_plan_free (smaller);
        else
          take (plan, smaller);
      }
}

/* One by one. */
static void
drop_calls (SimPlan **plan)
{
  for (guint i = 0; i < (*plan)->n_ops; i++)
    for (guint bit = 1; bit < 1u << SIM_MAX_BURST; bit <<= 1)
      if ((*plan)->ops[i].verb == SIM_BURST && ((*plan)->ops[i].calls & bit))
        {
          SimPlan *smaller = sim_plan_copy (*plan);

          smaller->ops[i].calls &= ~bit;
          take (plan, smaller);
        }
}

static void
shrink (SimPlan **plan)
{
  SimPlan *calmer = sim_plan_copy (*plan);
  guint before;

  calmer->restlessness = 0;
  take (plan, calmer);
  do
    {
      before = (*plan)->n_ops;
      drop_ops (plan);
      drop_troubles (plan);
      drop_calls (plan);
    }
  while ((*plan)->n_ops < before);
}

static char *
tell_story (SimPlan **plan, gboolean whole)
{
  SimOutcome outcome = { .trace = g_string_new (NULL) };
  g_autofree char *violation = NULL;

  if (!whole)
    shrink (plan);
  violation = get_violation (*plan, &outcome);
  g_string_prepend (outcome.trace, ":\n");
  g_string_prepend (outcome.trace, violation ? violation : "it does not fail any more");
  g_string_append_printf (outcome.trace, "(seed %" G_GUINT64_FORMAT ", %u operations left of %d)",
                          (*plan)->seed, (*plan)->n_ops, N_OPS);
  return g_string_free (outcome.trace, FALSE);
}

/* What the library says in its log is of no interest, unless it is about itself. */
static void
hear (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  if (level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR))
    sim_disk_complain ("the library said: %s", message);
}

static void
run (const TortureTask *task, TortureResult *result)
{
  GLogFunc former = g_log_set_default_handler (hear, NULL);
  guint64 n_ops = 0;

  for (; result->violations == 0 && result->cases < task->cases; result->cases++)
    {
      g_autoptr (SimPlan) plan = sim_plan_new (task->seed + result->cases, N_OPS);
      SimOutcome outcome = { 0 };
      g_autofree char *violation = get_violation (plan, &outcome);

      n_ops += outcome.n_ops;
      result->states += outcome.n_crashes + outcome.n_faults;
      if (task->verbose && result->cases % 1000 == 0)
        g_print ("simulation: seed %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " operations\n",
                 plan->seed, n_ops);
      if (violation)
        torture_violation (result, tell_story (&plan, task->whole));
    }
  g_log_set_default_handler (former, NULL);
}

const TortureLayer layer_simulation = {
  .name = "simulation",
  .title = "The whole queue on a simulated disk, from a seed",
  .states = "crashes and faults",
  .short_cases = 2000,
  .long_cases = 1000000,
  .run = run,
};
