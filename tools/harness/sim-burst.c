/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim-burst.h"

#include "sim-disk.h"
#include "sim-fiber.h"

#include <string.h>

/* --- what is drawn ---------------------------------------------------------------------------- */

/* One of them for each chance. */
static const SimVerb verbs[] = {
  SIM_ENQUEUE,  SIM_ENQUEUE,  SIM_ENQUEUE,   SIM_ENQUEUE,      SIM_ENQUEUE_MANY,
  SIM_DEQUEUE,  SIM_DEQUEUE,  SIM_DEQUEUE,   SIM_DEQUEUE,      SIM_DEQUEUE_BY_ID,
  SIM_COMPLETE, SIM_COMPLETE, SIM_COMPLETE,  SIM_COMPLETE,     SIM_FAIL,
  SIM_FAIL,     SIM_RELEASE,  SIM_RELEASE,   SIM_CANCEL,       SIM_CANCEL,
  SIM_RELEASE,  SIM_CANCEL,   SIM_HEARTBEAT, SIM_LOOKUP_TOKEN, SIM_GET_INFO,
};

/* About the same job as one before it, rather with the same token. */
static void
draw_same_job (SimAct *act, const SimAct *before)
{
  if (before->n_specs == 0)
    {
      g_strlcpy (act->id, before->id, sizeof act->id);
      if (act->has_token && before->has_token)
        g_strlcpy (act->token, before->token, sizeof act->token);
      return;
    }
  g_strlcpy (act->id, job_spec_get_id (before->specs[0].real), sizeof act->id);
}

static void
draw_same_dependency (SimAct *act, const SimAct *before)
{
  g_auto (GStrv) ids = job_spec_dup_dependencies (act->specs[0].real);
  const char *id = before->n_specs > 0 ? job_spec_get_id (before->specs[0].real) : before->id;

  if (act->specs[0].n_dependencies < MODEL_MAX_DEPENDENCIES &&
      !g_str_equal (id, job_spec_get_id (act->specs[0].real)) &&
      !g_strv_contains ((const char *const *) ids, id))
    model_spec_add_dependency (&act->specs[0], id, sim_below (JOB_CONDITION_AFTER_NOT_OK + 1));
}

static gboolean
has_job (const SimAct *act)
{
  return act->n_specs > 0 || act->text != NULL;
}

/* What came before is often about the same job, since that is where an order matters. */
static void
draw_relation (SimBurst *self, SimAct *act)
{
  const SimAct *before = &self->calls[sim_below (MAX (self->n_calls, 1))].act;

  if (self->n_calls == 0 || !has_job (act) || !has_job (before))
    return;
  if (act->n_specs > 0 && sim_chance (4))
    draw_same_dependency (act, before);
  else if (act->n_specs == 0 && sim_chance (2))
    draw_same_job (act, before);
}

/* Each has a chance of its own, so that it stays about the same when others are left out. */
void
sim_burst_draw (SimBurst *self, const SimOp *op, const SimPlan *plan, const Model *model,
                const GPtrArray *tokens)
{
  self->n_calls = 0;
  for (guint i = 0; i < SIM_MAX_BURST; i++)
    {
      SimBurstCall *call = &self->calls[self->n_calls];

      if ((op->calls & 1u << i) == 0)
        continue;
      *call = (SimBurstCall){ 0 };
      sim_seed (op->chance + i);
      sim_act_draw (&call->act, verbs[sim_below (G_N_ELEMENTS (verbs))], TRUE, plan, model, tokens);
      if (call->act.verb == SIM_DEQUEUE)
        call->act.timeout = 0;
      draw_relation (self, &call->act);
      self->n_calls++;
    }
}

void
sim_burst_clear (SimBurst *self)
{
  for (guint i = 0; i < self->n_calls; i++)
    {
      sim_act_clear (&self->calls[i].act);
      sim_answer_clear (&self->calls[i].answer);
    }
}

/* --- calls ------------------------------------------------------------------------------------ */

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  SimBurstCall *call = data;

  call->is_late = sim_disk_is_dead ();
  call->result = g_object_ref (result);
}

/* Either the library gets all that it wants, or the caller hears what there is to hear. */
static void
take_breath (void)
{
  if (sim_chance (2))
    sim_sleep (0);
  else
    g_main_context_iteration (NULL, FALSE);
}

void
sim_burst_call (SimBurst *self, const SimOp *op, JobQueue *queue)
{
  guint pauses;

  sim_seed (op->chance + SIM_MAX_BURST);
  pauses = sim_chance (4) ? 3 : 0;
  for (guint i = 0; i < self->n_calls; i++)
    {
      sim_act_begin (&self->calls[i].act, queue, on_answer, &self->calls[i]);
      if (sim_chance (pauses))
        take_breath ();
    }
  for (guint i = 0; i < self->n_calls; i++)
    {
      SimBurstCall *call = &self->calls[i];

      sim_await (&call->result);
      sim_act_finish (&call->act, queue, call->result, &call->answer);
      g_clear_object (&call->result); /* it keeps the queue */
    }
}

void
sim_burst_describe (const SimBurst *self, const Model *model, GString *text)
{
  for (guint i = 0; i < self->n_calls; i++)
    {
      const SimBurstCall *call = &self->calls[i];

      g_string_append_printf (text, "       %c. ", 'a' + i);
      sim_act_describe (&call->act, model, text);
      g_string_append (text, call->is_late ? " ✝ " : ": ");
      sim_answer_describe (&call->answer, model, text);
      g_string_append_c (text, '\n');
    }
}
