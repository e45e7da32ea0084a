/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several calls at once, as an operation of a plan: they are made, and then the answers, and what
 * is in the queue next, have to go with one of the orders that are allowed. */

#include "sim-case-inside.h"

#include "sim-disk.h"
#include "sim-fiber.h"
#include "sim-order.h"

/* How the jobs may stand: the first one is the model now. */
static GPtrArray *
order (SimWorld *self, const SimBurst *burst, SimOrderKind kind)
{
  g_autofree char *difference = NULL;
  GPtrArray *models =
      sim_order_find (burst, self->waits, kind, g_steal_pointer (&self->model), &difference);

  if (models->len == 0)
    sim_world_violate (self, "%s", difference ? difference : "no order goes with the answers");
  self->model = models->len > 0 ? g_ptr_array_steal_index (models, 0) : model_new ();
  return models;
}

/* As with one: what was told holds, and with it all that came before; of the rest a beginning. */
static void
settle_burst_death (SimWorld *self, const SimOp *op, const SimBurst *burst, gboolean had_faults)
{
  g_autoptr (GPtrArray) others =
      order (self, burst, had_faults ? SIM_ORDER_CUT_AFTER_FAULTS : SIM_ORDER_CUT);

  if (self->outcome->violation == NULL)
    sim_world_reopen (self, op, others);
}

/* Those that failed did not happen; where that cannot be known, the queue is closed. */
static void
settle_burst_fault (SimWorld *self, const SimOp *op, const SimBurst *burst)
{
  g_autoptr (GPtrArray) others = NULL;
  gboolean closed;

  sim_disk_calm ();
  sim_sleep (2 * G_USEC_PER_SEC);
  closed = sim_world_is_closed (self);
  others = order (self, burst, closed ? SIM_ORDER_CLOSED : SIM_ORDER_ALL);
  sim_world_check (self, sim_waits_give_up (self->waits, self->model, self->tokens));
  if (self->outcome->violation)
    return;
  if (closed)
    sim_world_note (self, "     the queue closed itself\n");
  if (closed)
    sim_world_reopen (self, op, others);
  else
    sim_world_choose (self, others);
}

/* The queue itself is asked only where the answers do not say which order it was. */
static void
settle_burst (SimWorld *self, const SimBurst *burst, gint64 start)
{
  g_autoptr (GPtrArray) others = order (self, burst, SIM_ORDER_ALL);

  if (sim_get_time () != start)
    sim_world_violate (self, "several at once took %" G_GINT64_FORMAT " µs",
                       sim_get_time () - start);
  if (self->outcome->violation == NULL && others->len > 0)
    sim_world_choose (self, others);
  sim_waits_drop_served (self->waits);
  if (self->outcome->violation == NULL)
    sim_world_check (self, sim_waits_settle (self->waits, self->model, self->tokens));
}

static void
note_burst (SimWorld *self, const SimBurst *burst)
{
  if (self->outcome->trace == NULL)
    return;
  sim_world_note (self, "%4u several at once%s\n", self->number, sim_disk_is_dead () ? " ✝" : "");
  sim_burst_describe (burst, self->model, self->outcome->trace);
}

static gboolean
has_failed (const SimBurst *burst)
{
  gboolean failed = FALSE;

  for (guint i = 0; i < burst->n_calls; i++)
    failed |= sim_order_is_failure (&burst->calls[i]);
  return failed;
}

static void
learn_token (SimWorld *self, const SimAnswer *answer)
{
  if (answer->token == NULL)
    return;
  g_ptr_array_add (self->tokens, g_strdup (answer->id));
  g_ptr_array_add (self->tokens, g_strdup (answer->token));
}

static void
learn_tokens (SimWorld *self, const SimBurst *burst)
{
  for (guint i = 0; i < burst->n_calls; i++)
    learn_token (self, &burst->calls[i].answer);
  for (guint i = 0; i < self->waits->len; i++)
    learn_token (self, &((const SimWait *) g_ptr_array_index (self->waits, i))->answer);
}

/* Where a fault may come, who waits for a job is sent away first: else nobody could say who was
 * served, and when. */
static void
make_calls (SimWorld *self, const SimOp *op, const SimTrouble *trouble, SimBurst *burst)
{
  sim_burst_draw (burst, op, self->plan, self->model, self->tokens);
  if (trouble->fault_in > 0)
    sim_world_check (self, sim_waits_cancel_dequeues (self->waits));
  sim_burst_call (burst, op, self->queue);
  if (self->waits->len > 0)
    {
      sim_sleep (0);
      sim_waits_hear ();
    }
  note_burst (self, burst);
  learn_tokens (self, burst);
}

void
sim_world_call_several (SimWorld *self, const SimOp *op, const SimTrouble *trouble)
{
  guint64 errors = sim_disk_count_errors ();
  gint64 start = sim_get_time ();
  SimBurst burst;

  sim_world_see_time (self->model);
  make_calls (self, op, trouble, &burst);
  if (sim_disk_is_dead ())
    settle_burst_death (self, op, &burst, sim_disk_count_errors () != errors);
  else if (has_failed (&burst) && sim_disk_count_errors () == errors)
    sim_world_violate (self, "some of several at once failed without a cause");
  else if (has_failed (&burst) || (self->waits->len > 0 && sim_disk_count_errors () != errors))
    settle_burst_fault (self, op, &burst);
  else
    settle_burst (self, &burst, start);
  self->outcome->n_ops += burst.n_calls;
  sim_burst_clear (&burst);
}
