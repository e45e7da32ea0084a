/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a plan is carried out. After each operation the queue's answer is compared with the model's.
 * If the world ended meanwhile, or the answer is that nobody knows, the operation happened whole or
 * not at all: the queue that is opened next must be like the model before it or after it, in
 * everything. Before that it may die in its opening, more than once. */

#include "sim-case.h"

#include "job-error.h"
#include "sim-act.h"
#include "sim-fiber.h"
#include "sim-store.h"

#define MAX_OPENINGS 4 /* after so many that failed or died, nothing is in the way any more */

typedef struct
{
  const SimPlan *plan;
  SimOutcome *outcome;
  JobQueue *queue;
  Model *model;
  GPtrArray *tokens; /* of char: id, token, id, token … : all that were told */
  guint number;      /* of the operation */
} Case;

static void violate (Case *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
violate (Case *self, const char *format, ...)
{
  va_list args;

  if (self->outcome->violation)
    return;
  va_start (args, format);
  self->outcome->violation = g_strdup_vprintf (format, args);
  va_end (args);
}

static void note (Case *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (Case *self, const char *format, ...)
{
  va_list args;

  if (self->outcome->trace == NULL)
    return;
  va_start (args, format);
  g_string_append_vprintf (self->outcome->trace, format, args);
  va_end (args);
}

static void
see_time (Model *model)
{
  model_set_time (model, sim_get_wall_time (), sim_get_time ());
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Whoever is dead goes without a trace: its threads end, and nothing that they do comes to the
 * disk.
 */
static void
drop_queue (Case *self)
{
  if (self->queue)
    job_queue_close (self->queue, NULL, NULL);
  g_clear_object (&self->queue);
  if (sim_disk_is_dead ())
    sim_await_others ();
}

static gboolean
try_open (Case *self, guint attempt)
{
  guint64 errors = sim_disk_count_errors ();
  g_autoptr (GError) error = NULL;

  if (attempt == MAX_OPENINGS)
    sim_disk_calm ();
  self->queue = sim_queue_open (self->plan->checkpoint_size, &error);
  if (self->queue && !sim_disk_is_dead ())
    return TRUE;

  note (self, "     the opening %s\n", self->queue ? "was cut off" : error->message);
  drop_queue (self);
  if (!sim_disk_is_dead () && sim_disk_count_errors () == errors)
    violate (self, "the queue cannot be opened: %s", error->message);
  sim_disk_revive ();
  return FALSE;
}

static void
open_queue (Case *self, const SimTrouble *trouble)
{
  sim_disk_revive ();
  sim_disk_trouble (trouble);
  for (guint attempt = 0; self->outcome->violation == NULL && !try_open (self, attempt); attempt++)
    ;
}

/* What is in the queue now is the model, or @other (NULL: no other). */
static void
choose (Case *self, Model *other)
{
  g_autofree char *difference = NULL;
  g_autofree char *other_difference = NULL;

  sim_disk_calm ();
  see_time (self->model);
  if (model_check (self->model, self->queue, &difference))
    return;
  if (other)
    see_time (other);
  if (other && model_check (other, self->queue, &other_difference))
    {
      Model copy = *self->model;

      *self->model = *other;
      *other = copy;
      note (self, "     it had happened\n");
      return;
    }
  violate (self, "%s%s%s", difference,
           other ? "; or, if the operation that was cut off happened: " : "",
           other ? other_difference : "");
}

/* Opens it again, in whatever way the last one went. @other: how the jobs may stand as well. */
static void
reopen (Case *self, const SimOp *op, Model *other)
{
  const SimTrouble none = { 0 };

  drop_queue (self);
  open_queue (self, &op->opening);
  if (self->outcome->violation)
    return;
  see_time (self->model);
  model_reopen (self->model);
  if (other)
    {
      see_time (other);
      model_reopen (other);
    }
  choose (self, other);
  if (self->outcome->violation || !sim_chance (4))
    return;

  /* Once more: it is the same. */
  sim_disk_kill (sim_chance (2));
  drop_queue (self);
  open_queue (self, &none);
  if (self->outcome->violation == NULL)
    {
      see_time (self->model);
      model_reopen (self->model);
      choose (self, NULL);
    }
}

/* --- what is not an operation of the queue ---------------------------------------------------- */

static void
close_and_reopen (Case *self, const SimOp *op)
{
  guint64 errors = sim_disk_count_errors ();
  g_autoptr (GError) error = NULL;
  gboolean closed = job_queue_close (self->queue, NULL, &error);

  note (self, "%4u close: %s\n", self->number, closed ? "done" : error->message);
  if (!closed && !sim_disk_is_dead () && sim_disk_count_errors () == errors)
    violate (self, "the queue cannot be closed: %s", error->message);
  if (closed && !sim_disk_is_dead () && sim_disk_has_files ())
    violate (self, "there still is a journal after a clean close");
  reopen (self, op, NULL);
}

static void
crash (Case *self, const SimOp *op)
{
  sim_disk_kill (op->trouble.power);
  note (self, "%4u %s\n", self->number, op->trouble.power ? "power cut" : "kill");
  reopen (self, op, NULL);
}

static void
pass_time (Case *self, const SimAct *act)
{
  sim_sleep (act->timeout);
}

/* --- an operation ----------------------------------------------------------------------------- */

/* When a dequeue that waits has to end: at once, as soon as a job that it can have is due, or when
 * its time is up. */
static gint64
get_end (const SimAct *act, const Model *model)
{
  const char *const *types = act->any_type ? NULL : act->types;
  const char *const *channels = act->any_channel ? NULL : act->channels;
  gint64 end = model->boot + act->timeout;

  if (act->verb != SIM_DEQUEUE || model_get_first (model, types, channels) != MODEL_NO_JOB)
    return model->boot;
  for (guint i = 0; i < model->jobs->len; i++)
    {
      const ModelJob *job = model_get_job (model, i);

      if (job->state == JOB_STATE_SCHEDULED &&
          (types == NULL || g_strv_contains (types, job->type)) &&
          (channels == NULL || g_strv_contains (channels, job->channel)))
        end = MIN (end, model->boot + (job->run_at - model->wall + 999) / 1000);
    }
  return end;
}

static void
check_answer (Case *self, const SimAct *act, const SimAnswer *answer, int expected, guint number)
{
  const ModelJob *job = number == MODEL_NO_JOB ? NULL : model_get_job (self->model, number);

  if (answer->error != expected)
    violate (self, "the answer is error %d (%s), and should be %d", answer->error,
             answer->message ? answer->message : "none", expected);
  else if (g_strcmp0 (answer->id, job ? job->id : NULL) != 0)
    violate (self, "job %s came, and should be %s", answer->id ? answer->id : "none",
             job ? job->id : "none");
  else if (answer->token && g_strcmp0 (answer->args, job->args) != 0)
    violate (self, "job %u has args %s, and should have %s", number, answer->args, job->args);
  else if (answer->token && answer->attempt != job->attempts)
    violate (self, "job %u is in attempt %u, and should be in %u", number, answer->attempt,
             job->attempts);
}

static void
learn_token (Case *self, const SimAnswer *answer, guint number)
{
  model_learn_token (self->model, number, answer->token);
  g_ptr_array_add (self->tokens, g_strdup (answer->id));
  g_ptr_array_add (self->tokens, g_strdup (answer->token));
}

static void
compare (Case *self, const SimAct *act, const SimAnswer *answer, gint64 end)
{
  guint number;
  int expected;

  if (sim_get_time () != end)
    violate (self, "it ended at %" G_GINT64_FORMAT " µs, and should at %" G_GINT64_FORMAT,
             sim_get_time (), end);
  see_time (self->model);
  expected = sim_act_model (act, self->model, &number);
  check_answer (self, act, answer, expected, number);
  if (self->outcome->violation)
    return;
  if (answer->token)
    learn_token (self, answer, number);
}

/* What it would have been, had it happened. */
static Model *
copy_after (Case *self, const SimAct *act)
{
  Model *other = model_copy (self->model);
  guint number;

  see_time (other);
  sim_act_model (act, other, &number);
  return other;
}

static gboolean
is_closed (Case *self)
{
  SimAct probe = { .verb = SIM_LOOKUP_TOKEN, .token = "00000000-0000-4000-8000-000000000000" };
  SimAnswer answer;
  gboolean closed;

  sim_act_call (&probe, self->queue, &answer);
  closed = answer.error == JOB_ERROR_CLOSED;
  sim_answer_clear (&answer);
  return closed;
}

/* A call that failed changed nothing; where that cannot be known, the queue is closed. What is
 * under way comes to its end first: a job whose lease could not be told of goes back, and if that
 * failed, it is tried again after a second. */
static void
settle_failure (Case *self, const SimOp *op, const SimAct *act, const SimAnswer *answer,
                guint64 errors)
{
  gboolean is_dequeue = act->verb == SIM_DEQUEUE || act->verb == SIM_DEQUEUE_BY_ID;
  g_autoptr (Model) other = copy_after (self, act);

  if (answer->error == JOB_ERROR_STORAGE && sim_disk_count_errors () == errors)
    violate (self, "it failed without a cause: %s", answer->message);
  sim_disk_calm ();
  sim_sleep (is_dequeue ? 2 * G_USEC_PER_SEC : 1);
  if (is_closed (self))
    {
      note (self, "     the queue closed itself\n");
      reopen (self, op, other);
    }
  else if (answer->error == JOB_ERROR_CLOSED)
    violate (self, "the queue said that it is closed, and is not");
  else
    choose (self, NULL);
}

static void
note_answer (Case *self, const SimAct *act, const SimAnswer *answer)
{
  if (self->outcome->trace == NULL)
    return;
  note (self, "%4u ", self->number);
  sim_act_describe (act, self->model, self->outcome->trace);
  g_string_append (self->outcome->trace, sim_disk_is_dead () ? " ✝ " : ": ");
  sim_answer_describe (answer, self->model, self->outcome->trace);
  g_string_append_c (self->outcome->trace, '\n');
}

static void
call (Case *self, const SimOp *op, const SimAct *act)
{
  guint64 errors = sim_disk_count_errors ();
  SimAnswer answer;
  gint64 end;

  see_time (self->model);
  end = get_end (act, self->model);
  sim_act_call (act, self->queue, &answer);
  note_answer (self, act, &answer);
  if (sim_disk_is_dead ())
    {
      g_autoptr (Model) other = copy_after (self, act);

      reopen (self, op, other);
    }
  else if (answer.error == JOB_ERROR_STORAGE || answer.error == JOB_ERROR_CLOSED)
    settle_failure (self, op, act, &answer, errors);
  else
    compare (self, act, &answer, end);
  sim_answer_clear (&answer);
}

static void
do_op (Case *self, const SimOp *op)
{
  SimAct act;

  sim_seed (op->chance);
  sim_disk_trouble (&op->trouble);
  sim_act_draw (&act, op, self->plan, self->model, self->tokens);
  if (op->verb == SIM_REOPEN)
    close_and_reopen (self, op);
  else if (op->verb == SIM_CRASH)
    crash (self, op);
  else if (op->verb == SIM_CHECK)
    choose (self, NULL);
  else if (op->verb == SIM_PASS)
    {
      pass_time (self, &act);
      if (sim_disk_is_dead ())
        reopen (self, op, NULL);
    }
  else
    call (self, op, &act);
  sim_act_clear (&act);
  self->outcome->n_ops++;
}

/* --- a case ----------------------------------------------------------------------------------- */

static void
check_complaint (Case *self)
{
  if (sim_disk_get_complaint ())
    violate (self, "%s", sim_disk_get_complaint ());
}

static void
carry_out (gpointer data, gpointer unused)
{
  const SimOp last = { .verb = SIM_REOPEN };
  const SimTrouble none = { 0 };
  Case *self = data;

  open_queue (self, &none);
  for (; self->outcome->violation == NULL && self->number < self->plan->n_ops; self->number++)
    {
      do_op (self, &self->plan->ops[self->number]);
      check_complaint (self);
    }
  if (self->outcome->violation == NULL)
    do_op (self, &last);
  check_complaint (self);
  drop_queue (self);
}

void
sim_case_run (const SimPlan *plan, SimOutcome *outcome)
{
  Case self = { .plan = plan, .outcome = outcome };

  self.model = model_new ();
  self.model->exact_times = TRUE;
  self.tokens = g_ptr_array_new_with_free_func (g_free);
  sim_disk_reset ();
  sim_seed (plan->seed);
  sim_set_time (G_USEC_PER_SEC);
  sim_set_restlessness (plan->restlessness);
  if (!sim_run (carry_out, &self))
    violate (&self, "operation %u is stuck: all threads wait, for nothing that can come",
             self.number);
  outcome->n_crashes += sim_disk_count_crashes ();
  outcome->n_faults += sim_disk_count_faults ();
  model_free (self.model);
  g_ptr_array_unref (self.tokens);
}
