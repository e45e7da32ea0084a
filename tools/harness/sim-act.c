/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim-act.h"

#include "sim-fiber.h"
#include "sim-store.h"

#include <string.h>

/* --- what is drawn ---------------------------------------------------------------------------- */

static const char *const type_names[SIM_MAX_NAMES] = { "compile", "test", "ship", "clean" };
static const char *const channel_names[SIM_MAX_NAMES] = { "", "red", "green", "blue" };
static const char *const texts[] = {
  "null",
  "{}",
  "[1,2.50,\"\\u00e9\"]",
  "{\"a\":{\"b\":[]}}",
  "\"0123456789012345678901234567890\"",
  "-1.5e3",
};

static void
draw_uuid (char *id)
{
  guint64 a = sim_random (), b = sim_random ();

  g_snprintf (id, 37, "%08x-%04x-4%03x-8%03x-%012" G_GINT64_MODIFIER "x", (guint) (a >> 32),
              (guint) (a >> 16) & 0xffff, (guint) a & 0xfff, (guint) (b >> 48) & 0xfff,
              b & G_GUINT64_CONSTANT (0xffffffffffff));
}

/* Rather one of the last ones. */
static const ModelJob *
draw_job (const Model *model)
{
  guint n = model->jobs->len;

  if (n == 0)
    return NULL;
  return model_get_job (model, sim_chance (2) ? sim_below (n) : n - 1 - sim_below (MIN (n, 8)));
}

static const ModelJob *
draw_job_in_state (const Model *model, JobState state)
{
  const ModelJob *found = NULL;
  guint n = 0;

  for (guint i = 0; i < model->jobs->len; i++)
    if (model_get_job (model, i)->state == state && sim_below (++n) == 0)
      found = model_get_job (model, i);
  return found;
}

static void
set_id (SimAct *self, const ModelJob *job)
{
  if (job && !sim_chance (32))
    g_strlcpy (self->id, job->id, sizeof self->id);
  else
    draw_uuid (self->id);
}

static gboolean
is_named_already (const SimAct *self, const char *id)
{
  g_auto (GStrv) ids = job_spec_dup_dependencies (self->specs[self->n_specs].real);

  return g_strv_contains ((const char *const *) ids, id);
}

static void
draw_dependency (SimAct *self, const Model *model)
{
  ModelSpec *spec = &self->specs[self->n_specs];
  const ModelJob *job = draw_job (model);
  char id[37];

  if (self->n_specs > 0 && sim_chance (2))
    g_strlcpy (id, job_spec_get_id (self->specs[sim_below (self->n_specs)].real), sizeof id);
  else if (job && !sim_chance (64))
    g_strlcpy (id, job->id, sizeof id);
  else
    draw_uuid (id);
  if (!is_named_already (self, id))
    model_spec_add_dependency (spec, id, sim_below (JOB_CONDITION_AFTER_NOT_OK + 1));
}

static void
draw_spec (SimAct *self, const SimPlan *plan, const Model *model)
{
  ModelSpec *spec = &self->specs[self->n_specs];
  const ModelJob *job;

  model_spec_init (spec, type_names[sim_below (plan->n_types)],
                   texts[sim_below (G_N_ELEMENTS (texts))]);
  job_spec_set_channel (spec->real, channel_names[sim_below (plan->n_types)]);
  if (sim_chance (3))
    job_spec_set_priority (spec->real, (int) sim_below (5) - 2);
  if (sim_chance (6))
    job_spec_set_run_at (spec->real, sim_get_wall_time () + (gint64) sim_below (5000) * 700001);
  if (sim_chance (3))
    job_spec_set_max_attempts (spec->real, 1 + sim_below (3));
  if (sim_chance (plan->dependencies))
    for (guint left = 1 + sim_below (3); left > 0; left--)
      draw_dependency (self, model);
  if (self->verb == SIM_ENQUEUE && spec->n_dependencies == 0 && sim_chance (32) &&
      (job = draw_job (model)))
    self->own_id = job_spec_set_id (spec->real, job->id, NULL);
  else if (sim_chance (8))
    {
      draw_uuid (self->id);
      self->own_id = job_spec_set_id (spec->real, self->id, NULL);
    }
  self->n_specs++;
}

/* The first one may wait for the last one, too: then there may be a circle. */
static void
draw_specs (SimAct *self, const SimPlan *plan, const Model *model)
{
  for (guint left = 1 + sim_below (SIM_MAX_SPECS); left > 0; left--)
    draw_spec (self, plan, model);
  if (self->n_specs > 1 && sim_chance (8) && self->specs[0].n_dependencies < 3)
    model_spec_add_dependency (&self->specs[0],
                               job_spec_get_id (self->specs[self->n_specs - 1].real),
                               JOB_CONDITION_AFTER_ANY);
}

static void
draw_names (const char **names, const char *const *from, guint n_from)
{
  guint n = 0;

  for (guint i = 0; i < n_from; i++)
    if (sim_chance (2))
      names[n++] = from[i];
  if (n == 0)
    names[n++] = from[sim_below (n_from)];
  names[n] = NULL;
}

static void
draw_dequeue (SimAct *self, const SimPlan *plan)
{
  self->any_type = sim_chance (3);
  self->any_channel = sim_chance (2);
  draw_names (self->types, type_names, plan->n_types);
  draw_names (self->channels, channel_names, plan->n_types);
  self->timeout = sim_chance (4) ? sim_below (3000000) : 0;
}

static gint64
draw_patience (void)
{
  return sim_chance (3) ? -1 : 1 + (gint64) sim_below (4000000);
}

/* The right one, as a rule; else an older one, none at all (an administrator), or a wrong one. */
static void
draw_token (SimAct *self, const ModelJob *job, const GPtrArray *tokens)
{
  guint kind = sim_below (8);

  self->has_token = kind != 0 || self->verb == SIM_HEARTBEAT || self->verb == SIM_LOOKUP_TOKEN;
  if (kind == 1)
    draw_uuid (self->token);
  else if ((kind == 2 || kind == 3) && tokens->len > 0)
    {
      guint pair = sim_below (tokens->len / 2) * 2;

      g_strlcpy (self->id, g_ptr_array_index (tokens, pair), sizeof self->id);
      g_strlcpy (self->token, g_ptr_array_index (tokens, pair + 1), sizeof self->token);
    }
  else if (job && job->token)
    g_strlcpy (self->token, job->token, sizeof self->token);
  else
    draw_uuid (self->token);
}

void
sim_act_draw (SimAct *self, SimVerb verb, gboolean async, const SimPlan *plan, const Model *model,
              const GPtrArray *tokens)
{
  const ModelJob *job;

  *self = (SimAct){ .verb = verb, .async = async };
  if (verb == SIM_ENQUEUE)
    draw_spec (self, plan, model);
  else if (verb == SIM_ENQUEUE_MANY)
    draw_specs (self, plan, model);
  else if (verb == SIM_DEQUEUE)
    draw_dequeue (self, plan);
  else if (verb == SIM_PASS)
    self->timeout = sim_below (2000000);
  else if (verb == SIM_WAIT)
    {
      draw_dequeue (self, plan);
      self->timeout = draw_patience ();
    }
  else if (verb == SIM_WATCH)
    {
      set_id (self, draw_job (model));
      self->text = texts[0];
      self->timeout = draw_patience ();
    }
  else
    {
      JobState wanted = verb == SIM_DEQUEUE_BY_ID ? JOB_STATE_PENDING : JOB_STATE_RUNNING;

      job = verb == SIM_CANCEL || sim_chance (8) ? NULL : draw_job_in_state (model, wanted);
      if (job == NULL)
        job = draw_job (model);
      set_id (self, job);
      draw_token (self, job, tokens);
      self->text = texts[sim_below (G_N_ELEMENTS (texts))];
    }
}

void
sim_act_clear (SimAct *self)
{
  for (guint i = 0; i < self->n_specs; i++)
    model_spec_clear (&self->specs[i]);
}

/* --- the model -------------------------------------------------------------------------------- */

static const char *
get_token (const SimAct *self)
{
  return self->has_token ? self->token : NULL;
}

const char *const *
sim_act_get_types (const SimAct *self)
{
  return self->any_type ? NULL : self->types;
}

const char *const *
sim_act_get_channels (const SimAct *self)
{
  return self->any_channel ? NULL : self->channels;
}

int
sim_act_model (const SimAct *self, Model *model, guint *number)
{
  *number = MODEL_NO_JOB;
  switch ((int) self->verb)
    {
    case SIM_ENQUEUE:
    case SIM_ENQUEUE_MANY:
      return model_enqueue (model, self->specs, self->n_specs);
    case SIM_DEQUEUE:
      return model_dequeue (model, sim_act_get_types (self), sim_act_get_channels (self), number);
    case SIM_DEQUEUE_BY_ID:
      return model_dequeue_by_id (model, self->id, number);
    case SIM_COMPLETE:
      return model_complete (model, self->id, get_token (self), self->text);
    case SIM_FAIL:
      return model_fail (model, self->id, get_token (self), self->text);
    case SIM_RELEASE:
      return model_release (model, self->id, get_token (self));
    case SIM_CANCEL:
      return model_cancel (model, self->id);
    case SIM_HEARTBEAT:
      return model_heartbeat (model, self->id, get_token (self));
    case SIM_LOOKUP_TOKEN:
      return model_lookup_token (model, self->token, number);
    case SIM_GET_INFO:
      return model_find (model, self->id) ? MODEL_OK : JOB_ERROR_NOT_FOUND;
    default:
      return MODEL_OK;
    }
}

/* --- words ------------------------------------------------------------------------------------ */

static void
describe_job (const Model *model, const char *id, GString *text)
{
  const ModelJob *job = model_find (model, id);

  if (job)
    g_string_append_printf (text, "job %u", job->number);
  else
    g_string_append_printf (text, "%.8s…", id);
}

static void
describe_spec (const ModelSpec *spec, const Model *model, GString *text)
{
  static const char *const conditions[] = { "after ok", "after any", "after not ok" };
  g_auto (GStrv) ids = job_spec_dup_dependencies (spec->real);

  g_string_append_printf (text, " [%.8s… %s/%s", job_spec_get_id (spec->real),
                          job_spec_get_job_type (spec->real), job_spec_get_channel (spec->real));
  if (job_spec_get_priority (spec->real) != 0)
    g_string_append_printf (text, ", priority %d", job_spec_get_priority (spec->real));
  if (job_spec_get_run_at (spec->real) != 0)
    g_string_append_printf (text, ", run at +%" G_GINT64_FORMAT " ns",
                            job_spec_get_run_at (spec->real) - SIM_EPOCH);
  if (job_spec_get_max_attempts (spec->real) != 1)
    g_string_append_printf (text, ", %u attempts", job_spec_get_max_attempts (spec->real));
  for (guint i = 0; ids[i]; i++)
    {
      g_string_append_printf (text, ", %s ", conditions[spec->conditions[i]]);
      describe_job (model, ids[i], text);
    }
  g_string_append_c (text, ']');
}

static void
describe_names (const char *what, const char *const *names, GString *text)
{
  g_autofree char *list = names ? g_strjoinv ("|", (char **) names) : NULL;

  g_string_append_printf (text, " %s %s", what, list ? list : "any");
}

void
sim_act_describe (const SimAct *self, const Model *model, GString *text)
{
  g_string_append_printf (text, "%s%s", sim_verb_get_name (self->verb),
                          self->async ? " (async)" : "");
  for (guint i = 0; i < self->n_specs; i++)
    describe_spec (&self->specs[i], model, text);
  if (self->verb == SIM_DEQUEUE || self->verb == SIM_WAIT)
    {
      describe_names ("type", sim_act_get_types (self), text);
      describe_names ("channel", sim_act_get_channels (self), text);
    }
  if (self->timeout > 0)
    g_string_append_printf (text, ", %" G_GINT64_FORMAT " µs", self->timeout);
  if (self->text)
    {
      g_string_append_c (text, ' ');
      describe_job (model, self->id, text);
    }
  if (self->text && self->verb != SIM_GET_INFO && self->verb != SIM_CANCEL &&
      self->verb != SIM_WATCH)
    g_string_append_printf (text, ", token %.8s", self->has_token ? self->token : "none");
}

void
sim_answer_describe (const SimAnswer *self, const Model *model, GString *text)
{
  if (self->error != MODEL_OK)
    g_string_append_printf (text, "%s", self->message);
  else if (self->id)
    describe_job (model, self->id, text);
  else
    g_string_append (text, "done");
  if (self->token)
    g_string_append_printf (text, ", token %.8s", self->token);
}

void
sim_answer_clear (SimAnswer *self)
{
  g_free (self->message);
  g_free (self->id);
  g_free (self->token);
  g_free (self->args);
}

/* --- answers ---------------------------------------------------------------------------------- */

char *
sim_answer_compare (const SimAnswer *self, const Model *model, int expected, guint number)
{
  const ModelJob *job = number == MODEL_NO_JOB ? NULL : model_get_job (model, number);

  if (self->error != expected)
    return g_strdup_printf ("the answer is error %d (%s), and should be %d", self->error,
                            self->message ? self->message : "none", expected);
  if (g_strcmp0 (self->id, job ? job->id : NULL) != 0)
    return g_strdup_printf ("job %s came, and should be %s", self->id ? self->id : "none",
                            job ? job->id : "none");
  if (self->token && g_strcmp0 (self->args, job->args) != 0)
    return g_strdup_printf ("job %u has args %s, and should have %s", number, self->args,
                            job->args);
  if (self->token && self->attempt != job->attempts)
    return g_strdup_printf ("job %u is in attempt %u, and should be in %u", number, self->attempt,
                            job->attempts);
  return NULL;
}

void
sim_answer_learn (const SimAnswer *self, Model *model, guint number, GPtrArray *tokens)
{
  model_learn_token (model, number, self->token);
  g_ptr_array_add (tokens, g_strdup (self->id));
  g_ptr_array_add (tokens, g_strdup (self->token));
}
