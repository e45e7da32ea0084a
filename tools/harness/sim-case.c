/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a plan is carried out. After each operation the queue's answer is compared with the model's.
 * If the world ended meanwhile, or the answer is that nobody knows, the operation happened whole or
 * not at all: the queue that is opened next must be like the model before it or after it, in
 * everything. Before that it may die in its opening, more than once. Of several calls at once a
 * beginning happened, with all that was told (sim-order.h). */

#include "sim-case-inside.h"

#include "job-error.h"
#include "sim-fiber.h"
#include "sim-store.h"
#include "sim-wait.h"

/* --- what is not an operation of the queue ---------------------------------------------------- */

static void
close_and_reopen (SimWorld *self, const SimOp *op)
{
  guint64 errors = sim_disk_count_errors ();
  g_autoptr (GError) error = NULL;
  gboolean closed = job_queue_close (self->queue, NULL, &error);

  sim_world_note (self, "%4u close: %s\n", self->number, closed ? "done" : error->message);
  if (!closed && !sim_disk_is_dead () && sim_disk_count_errors () == errors)
    sim_world_violate (self, "the queue cannot be closed: %s", error->message);
  if (closed && !sim_disk_is_dead () && sim_disk_has_files ())
    sim_world_violate (self, "there still is a journal after a clean close");
  if (!sim_disk_is_dead ())
    sim_world_check (self, sim_waits_end (self->waits));
  sim_world_reopen (self, op, NULL);
}

static void
crash (SimWorld *self, const SimOp *op)
{
  sim_disk_kill (op->trouble.power);
  sim_world_note (self, "%4u %s\n", self->number, op->trouble.power ? "power cut" : "kill");
  sim_world_reopen (self, op, NULL);
}

/* Whoever waits is told in time. */
static void
pass_time (SimWorld *self, const SimAct *act)
{
  gint64 end = sim_get_time () + act->timeout;
  gint64 next;

  sim_world_see_time (self->model);
  while (self->outcome->violation == NULL &&
         (next = sim_waits_get_next (self->waits, self->model)) <= end)
    {
      sim_sleep (next - sim_get_time ());
      sim_world_see_time (self->model);
      sim_world_check (self, sim_waits_settle (self->waits, self->model, self->tokens));
    }
  sim_sleep (end - sim_get_time ());
}

static void
give_up (SimWorld *self)
{
  sim_world_note (self, "%4u give up waiting\n", self->number);
  if (self->waits->len > 0)
    sim_world_check (self, sim_waits_cancel (self->waits, sim_below (self->waits->len)));
}

/* --- an operation ----------------------------------------------------------------------------- */

/* When a dequeue that waits has to end: at once, as soon as a job that it can have is due, or when
 * its time is up. */
static gint64
get_end (const SimAct *act, const Model *model)
{
  const char *const *types = sim_act_get_types (act);
  const char *const *channels = sim_act_get_channels (act);
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

static gboolean
is_wait (const SimAct *act)
{
  return act->verb == SIM_WAIT || act->verb == SIM_WATCH;
}

/* The same to the model. */
static void
follow (SimWorld *self, const SimAct *act, const SimAnswer *answer)
{
  guint number;
  int expected;

  sim_world_see_time (self->model);
  expected = sim_act_model (act, self->model, &number);
  sim_world_check (self, sim_answer_compare (answer, self->model, expected, number));
  if (self->outcome->violation == NULL && answer->token)
    sim_answer_learn (answer, self->model, number, self->tokens);
}

static void
compare (SimWorld *self, const SimAct *act, const SimAnswer *answer, gint64 end)
{
  if (sim_get_time () != end)
    sim_world_violate (self, "it ended at %" G_GINT64_FORMAT " µs, and should at %" G_GINT64_FORMAT,
                       sim_get_time (), end);
  follow (self, act, answer);
}

/* What it would have been, had it happened: with all that it lets others have, which is of the same
 * batch. @act NULL: it has happened, and only that is open. */
static GPtrArray *
list_after (SimWorld *self, const SimAct *act)
{
  GPtrArray *others = g_ptr_array_new_with_free_func ((GDestroyNotify) model_free);
  Model *other = model_copy (self->model);
  guint number;

  sim_world_see_time (other);
  if (act)
    sim_act_model (act, other, &number);
  sim_waits_model (self->waits, other);
  g_ptr_array_add (others, other);
  return others;
}

/* What was answered before the end holds. */
static void
settle_death (SimWorld *self, const SimOp *op, const SimAct *act, const SimAnswer *answer)
{
  gboolean done = answer->error == MODEL_OK && !is_wait (act);
  g_autoptr (GPtrArray) others = NULL;

  if (done)
    follow (self, act, answer);
  others = list_after (self, done ? NULL : act);
  sim_world_reopen (self, op, others);
}

/* A call that failed changed nothing; where that cannot be known, the queue is closed. What is
 * under way comes to its end first: a job whose lease could not be told of goes back, and if that
 * failed, it is tried again after a second. */
static void
settle_failure (SimWorld *self, const SimOp *op, const SimAct *act, const SimAnswer *answer,
                guint64 errors)
{
  g_autoptr (GPtrArray) others = list_after (self, act);

  if (answer->error == JOB_ERROR_STORAGE && sim_disk_count_errors () == errors)
    sim_world_violate (self, "it failed without a cause: %s", answer->message);
  sim_disk_calm ();
  sim_world_check (self, sim_waits_give_up (self->waits, self->model, self->tokens));
  sim_sleep (2 * G_USEC_PER_SEC);
  if (sim_world_is_closed (self))
    {
      sim_world_note (self, "     the queue closed itself\n");
      sim_world_reopen (self, op, others);
    }
  else if (answer->error == JOB_ERROR_CLOSED)
    sim_world_violate (self, "the queue said that it is closed, and is not");
  else
    sim_world_choose (self, NULL);
}

/* It was done; but who waited may have met a fault. */
static void
settle_fault (SimWorld *self, const SimAct *act, const SimAnswer *answer, gint64 end)
{
  sim_disk_calm ();
  compare (self, act, answer, end);
  sim_world_check (self, sim_waits_give_up (self->waits, self->model, self->tokens));
  sim_sleep (2 * G_USEC_PER_SEC);
  sim_world_choose (self, NULL);
}

static void
note_answer (SimWorld *self, const SimAct *act, const SimAnswer *answer)
{
  if (self->outcome->trace == NULL)
    return;
  sim_world_note (self, "%4u ", self->number);
  sim_act_describe (act, self->model, self->outcome->trace);
  g_string_append (self->outcome->trace, sim_disk_is_dead () ? " ✝ " : ": ");
  sim_answer_describe (answer, self->model, self->outcome->trace);
  g_string_append_c (self->outcome->trace, '\n');
}

/* If others wait, they have been answered, too, if they are. */
static void
make_call (SimWorld *self, const SimAct *act, SimAnswer *answer)
{
  if (is_wait (act))
    {
      *answer = (SimAnswer){ .error = MODEL_OK };
      sim_waits_begin (self->waits, act, self->queue);
    }
  else
    sim_act_call (act, self->queue, answer);
  if (self->waits->len > 0)
    {
      sim_sleep (0);
      sim_waits_hear ();
    }
}

static void
call (SimWorld *self, const SimOp *op, const SimAct *act)
{
  guint64 errors = sim_disk_count_errors ();
  SimAnswer answer;
  gint64 end;

  sim_world_see_time (self->model);
  end = get_end (act, self->model);
  make_call (self, act, &answer);
  note_answer (self, act, &answer);
  if (sim_disk_is_dead ())
    settle_death (self, op, act, &answer);
  else if (answer.error == JOB_ERROR_STORAGE || answer.error == JOB_ERROR_CLOSED)
    settle_failure (self, op, act, &answer, errors);
  else if (self->waits->len > 0 && sim_disk_count_errors () != errors)
    settle_fault (self, act, &answer, end);
  else
    {
      compare (self, act, &answer, end);
      if (self->outcome->violation == NULL)
        sim_world_check (self, sim_waits_settle (self->waits, self->model, self->tokens));
    }
  sim_answer_clear (&answer);
}

/* --- what happens ----------------------------------------------------------------------------- */

/* While somebody waits, a fault is a single one, and comes without a crash: else nobody could say
 * who got what. */
static SimTrouble
get_trouble (SimWorld *self, const SimOp *op)
{
  gboolean waits = self->waits->len > 0 || op->verb == SIM_WAIT || op->verb == SIM_WATCH;
  SimTrouble trouble = op->trouble;

  if (op->verb == SIM_GIVE_UP || (waits && op->verb == SIM_PASS))
    return (SimTrouble){ 0 };
  if (waits && trouble.crash_in > 0)
    trouble.fault_in = 0;
  if (waits)
    trouble.fault_length = 1;
  return trouble;
}

static void
do_act (SimWorld *self, const SimOp *op, SimAct *act)
{
  if (op->verb == SIM_REOPEN)
    close_and_reopen (self, op);
  else if (op->verb == SIM_CRASH)
    crash (self, op);
  else if (op->verb == SIM_CHECK)
    sim_world_choose (self, NULL);
  else if (op->verb == SIM_GIVE_UP)
    give_up (self);
  else if (op->verb == SIM_PASS)
    {
      pass_time (self, act);
      if (sim_disk_is_dead ())
        sim_world_reopen (self, op, NULL);
    }
  else
    {
      if (op->verb == SIM_DEQUEUE && self->waits->len > 0)
        act->timeout = 0;
      call (self, op, act);
    }
}

static void
do_op (SimWorld *self, const SimOp *op)
{
  SimTrouble trouble = get_trouble (self, op);
  SimAct act;

  sim_seed (op->chance);
  sim_disk_trouble (&trouble);
  if (op->verb == SIM_BURST)
    {
      sim_world_call_several (self, op, &trouble);
      return;
    }
  sim_act_draw (&act, op->verb, op->async, self->plan, self->model, self->tokens);
  do_act (self, op, &act);
  sim_act_clear (&act);
  self->outcome->n_ops++;
}

/* --- a case ----------------------------------------------------------------------------------- */

static void
check_complaint (SimWorld *self)
{
  if (sim_disk_get_complaint ())
    sim_world_violate (self, "%s", sim_disk_get_complaint ());
}

static void
carry_out (gpointer data, gpointer unused)
{
  const SimOp last = { .verb = SIM_REOPEN };
  const SimTrouble none = { 0 };
  SimWorld *self = data;

  sim_world_open (self, &none);
  for (; self->outcome->violation == NULL && self->number < self->plan->n_ops; self->number++)
    {
      do_op (self, &self->plan->ops[self->number]);
      check_complaint (self);
    }
  if (self->outcome->violation == NULL)
    do_op (self, &last);
  check_complaint (self);
  sim_world_drop (self);
}

void
sim_case_run (const SimPlan *plan, SimOutcome *outcome)
{
  SimWorld self = { .plan = plan, .outcome = outcome };

  self.model = model_new ();
  self.model->exact_times = TRUE;
  self.tokens = g_ptr_array_new_with_free_func (g_free);
  self.waits = sim_waits_new ();
  sim_disk_reset ();
  sim_seed (plan->seed);
  sim_set_time (G_USEC_PER_SEC);
  sim_set_restlessness (plan->restlessness);
  if (!sim_run (carry_out, &self))
    sim_world_violate (&self, "operation %u is stuck: all threads wait, for nothing that can come",
                       self.number);
  outcome->n_crashes += sim_disk_count_crashes ();
  outcome->n_faults += sim_disk_count_faults ();
  model_free (self.model);
  g_ptr_array_unref (self.tokens);
  g_ptr_array_unref (self.waits);
}
