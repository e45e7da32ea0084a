/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim-wait.h"

#include "job-error.h"
#include "sim-fiber.h"

static SimWait *
wait_ref (SimWait *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

static void
wait_unref (SimWait *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;
  g_object_unref (self->cancellable);
  sim_answer_clear (&self->answer);
  g_free (self);
}

GPtrArray *
sim_waits_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) wait_unref);
}

static SimWait *
get (GPtrArray *self, guint number)
{
  return g_ptr_array_index (self, number);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void
on_job (GObject *source, GAsyncResult *result, gpointer data)
{
  SimWait *self = data;
  g_autoptr (GError) error = NULL;

  sim_answer_take_lease (&self->answer,
                         job_queue_dequeue_finish (JOB_QUEUE (source), result, &error));
  sim_answer_set_error (&self->answer, error);
  self->ended = TRUE;
  wait_unref (self);
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer data)
{
  SimWait *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = job_queue_wait_finish (JOB_QUEUE (source), result, &error);

  if (info)
    self->state = job_info_get_state (info);
  sim_answer_set_error (&self->answer, error);
  self->ended = TRUE;
  wait_unref (self);
}

void
sim_waits_begin (GPtrArray *self, const SimAct *act, JobQueue *queue)
{
  SimWait *wait = g_new0 (SimWait, 1);

  g_ref_count_init (&wait->ref_count);
  wait->act = *act;
  wait->cancellable = g_cancellable_new ();
  wait->deadline = act->timeout < 0 ? -1 : sim_get_time () + act->timeout;
  wait->answer.error = MODEL_OK;
  g_ptr_array_add (self, wait);
  if (act->verb == SIM_WATCH)
    job_queue_wait_async (queue, act->id, act->timeout, wait->cancellable, on_end, wait_ref (wait));
  else
    job_queue_dequeue_async (queue, sim_act_get_types (&wait->act),
                             sim_act_get_channels (&wait->act), act->timeout, wait->cancellable,
                             on_job, wait_ref (wait));
}

void
sim_waits_hear (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
await (SimWait *self)
{
  while (!self->ended)
    if (!g_main_context_iteration (NULL, FALSE))
      sim_block (g_main_context_default (), -1);
}

/* --- what has to be told ---------------------------------------------------------------------- */

gint64
sim_waits_get_next (GPtrArray *self, const Model *model)
{
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < self->len; i++)
    if (get (self, i)->deadline >= 0)
      next = MIN (next, get (self, i)->deadline);
  for (guint i = 0; self->len > 0 && i < model->jobs->len; i++)
    {
      const ModelJob *job = model_get_job (model, i);

      if (job->state == JOB_STATE_SCHEDULED)
        next = MIN (next, model->boot + (job->run_at - model->wall + 999) / 1000);
    }
  return next;
}

/* FALSE: nothing yet. */
static gboolean
is_due (const SimWait *self, Model *model, int *error, guint *number)
{
  const ModelJob *job;

  *number = MODEL_NO_JOB;
  *error = MODEL_OK;
  if (self->act.verb == SIM_WAIT)
    {
      if (model_dequeue (model, sim_act_get_types (&self->act), sim_act_get_channels (&self->act),
                         number) == MODEL_OK)
        return TRUE;
    }
  else if ((job = model_find (model, self->act.id)) == NULL)
    {
      *error = JOB_ERROR_NOT_FOUND;
      return TRUE;
    }
  else if (model_is_over (job))
    return TRUE;
  *error = JOB_ERROR_TIMED_OUT;
  return self->deadline >= 0 && self->deadline <= model->boot;
}

void
sim_waits_model (GPtrArray *self, Model *model)
{
  for (guint i = 0; i < self->len; i++)
    {
      guint number;
      int error;

      is_due (get (self, i), model, &error, &number);
    }
}

static char *
compare_state (const SimWait *self, const Model *model)
{
  const ModelJob *job = model_find (model, self->act.id);

  if (self->act.verb != SIM_WATCH || self->answer.error != MODEL_OK ||
      (job && job->state == self->state))
    return NULL;
  return g_strdup_printf ("a watch of job %s was told that it is %s", self->act.id,
                          job_state_to_string (self->state));
}

static char *
settle_one (SimWait *self, Model *model, GPtrArray *tokens, int expected, guint number)
{
  char *difference;

  await (self);
  if (sim_get_time () != model->boot)
    return g_strdup_printf ("somebody who waited was told %" G_GINT64_FORMAT " µs late",
                            sim_get_time () - model->boot);
  difference = sim_answer_compare (&self->answer, model, expected, number);
  if (difference == NULL)
    difference = compare_state (self, model);
  if (difference == NULL && self->answer.token)
    sim_answer_learn (&self->answer, model, number, tokens);
  return difference;
}

char *
sim_waits_settle (GPtrArray *self, Model *model, GPtrArray *tokens)
{
  char *difference = NULL;

  for (guint i = 0; difference == NULL && i < self->len;)
    {
      guint number;
      int error;

      if (!is_due (get (self, i), model, &error, &number))
        {
          i++;
          continue;
        }
      difference = settle_one (get (self, i), model, tokens, error, number);
      g_ptr_array_remove_index (self, i);
    }
  for (guint i = 0; difference == NULL && i < self->len; i++)
    if (get (self, i)->ended)
      difference =
          g_strdup_printf ("somebody who waits for something else was answered: %s",
                           get (self, i)->answer.id ? get (self, i)->answer.id : "an error");
  return difference;
}

/* --- the end ---------------------------------------------------------------------------------- */

char *
sim_waits_cancel (GPtrArray *self, guint number)
{
  SimWait *wait = get (self, number);
  char *difference = NULL;

  g_cancellable_cancel (wait->cancellable);
  await (wait);
  if (wait->answer.error != SIM_CANCELED)
    difference = g_strdup_printf ("who cancelled got %s, error %d",
                                  wait->answer.id ? wait->answer.id : "no job", wait->answer.error);
  g_ptr_array_remove_index (self, number);
  return difference;
}

char *
sim_waits_cancel_dequeues (GPtrArray *self)
{
  char *difference = NULL;

  for (guint i = self->len; difference == NULL && i-- > 0;)
    if (get (self, i)->act.verb == SIM_WAIT)
      difference = sim_waits_cancel (self, i);
  return difference;
}

void
sim_waits_drop_served (GPtrArray *self)
{
  for (guint i = self->len; i-- > 0;)
    if (get (self, i)->answer.token)
      g_ptr_array_remove_index (self, i);
}

/* Whichever job it was: the order of those that failed and came again is not followed. */
static char *
take_lease (const SimWait *self, Model *model, GPtrArray *tokens)
{
  const ModelJob *job = model_find (model, self->answer.id);
  guint number;

  if (job == NULL || model_dequeue_by_id (model, job->id, &number) != MODEL_OK)
    return g_strdup_printf ("job %s was leased, and should not be", self->answer.id);
  sim_answer_learn (&self->answer, model, number, tokens);
  return NULL;
}

char *
sim_waits_give_up (GPtrArray *self, Model *model, GPtrArray *tokens)
{
  char *difference = NULL;

  for (guint i = 0; i < self->len; i++)
    g_cancellable_cancel (get (self, i)->cancellable);
  for (guint i = 0; i < self->len; i++)
    {
      SimWait *wait = get (self, i);

      await (wait);
      if (difference == NULL && wait->answer.token)
        difference = take_lease (wait, model, tokens);
      if (difference == NULL)
        difference = compare_state (wait, model);
    }
  g_ptr_array_set_size (self, 0);
  return difference;
}

char *
sim_waits_end (GPtrArray *self)
{
  char *difference = NULL;

  sim_waits_hear ();
  for (guint i = 0; difference == NULL && i < self->len; i++)
    {
      const SimWait *wait = get (self, i);

      if (!wait->ended)
        difference = g_strdup ("who waited was not told that the queue was closed");
      else if (wait->answer.error != JOB_ERROR_CLOSED)
        difference =
            g_strdup_printf ("who waited until the queue was closed got error %d (%s)",
                             wait->answer.error, wait->answer.message ? wait->answer.message : "");
    }
  g_ptr_array_set_size (self, 0);
  return difference;
}
