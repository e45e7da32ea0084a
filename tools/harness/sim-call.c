/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An operation on the queue, blocking or asynchronous. */

#include "sim-act.h"
#include "sim-fiber.h"

static const char *
token_of (const SimAct *act)
{
  return act->has_token ? act->token : NULL;
}

static guint
list_specs (const SimAct *act, JobSpec **specs)
{
  for (guint i = 0; i < act->n_specs; i++)
    specs[i] = act->specs[i].real;
  return act->n_specs;
}

void
sim_answer_take_lease (SimAnswer *self, JobLease *lease)
{
  if (lease == NULL)
    return;
  self->id = g_strdup (job_lease_get_id (lease));
  self->token = g_strdup (job_lease_get_token (lease));
  self->args = g_strdup (job_lease_get_args (lease));
  self->attempt = job_lease_get_attempt (lease);
  g_object_unref (lease);
}

void
sim_answer_set_error (SimAnswer *self, const GError *error)
{
  if (error == NULL)
    return;
  if (error->domain == JOB_ERROR)
    self->error = error->code;
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    self->error = SIM_CANCELED;
  else
    self->error = SIM_OTHER_ERROR;
  self->message = g_strdup (error->message);
}

/* --- blocking --------------------------------------------------------------------------------- */

static void
call (const SimAct *self, JobQueue *queue, SimAnswer *answer, GError **error)
{
  const char *const *types = sim_act_get_types (self);
  const char *const *channels = sim_act_get_channels (self);
  const char *token = token_of (self);
  g_autoptr (JobInfo) info = NULL;
  JobSpec *specs[SIM_MAX_SPECS];

  if (self->verb == SIM_ENQUEUE)
    g_free (job_queue_enqueue (queue, self->specs[0].real, NULL, error));
  else if (self->verb == SIM_ENQUEUE_MANY)
    g_strfreev (job_queue_enqueue_many (queue, specs, list_specs (self, specs), NULL, error));
  else if (self->verb == SIM_DEQUEUE)
    sim_answer_take_lease (answer,
                           job_queue_dequeue (queue, types, channels, self->timeout, NULL, error));
  else if (self->verb == SIM_DEQUEUE_BY_ID)
    sim_answer_take_lease (answer, job_queue_dequeue_by_id (queue, self->id, NULL, error));
  else if (self->verb == SIM_COMPLETE)
    job_queue_complete (queue, self->id, token, self->text, NULL, error);
  else if (self->verb == SIM_FAIL)
    job_queue_fail (queue, self->id, token, self->text, NULL, error);
  else if (self->verb == SIM_RELEASE)
    job_queue_release (queue, self->id, token, NULL, error);
  else if (self->verb == SIM_CANCEL)
    job_queue_cancel (queue, self->id, NULL, error);
  else if (self->verb == SIM_HEARTBEAT)
    job_queue_heartbeat (queue, self->id, token, NULL, error);
  else if (self->verb == SIM_LOOKUP_TOKEN)
    answer->id = job_queue_lookup_token (queue, self->token, NULL, error);
  else if (self->verb == SIM_GET_INFO)
    info = job_queue_get_info (queue, self->id, NULL, error);
}

/* --- asynchronous ----------------------------------------------------------------------------- */

void
sim_act_begin (const SimAct *self, JobQueue *queue, GAsyncReadyCallback callback, gpointer data)
{
  const char *token = token_of (self);
  JobSpec *specs[SIM_MAX_SPECS];

  if (self->verb == SIM_ENQUEUE)
    job_queue_enqueue_async (queue, self->specs[0].real, NULL, callback, data);
  else if (self->verb == SIM_ENQUEUE_MANY)
    job_queue_enqueue_many_async (queue, specs, list_specs (self, specs), NULL, callback, data);
  else if (self->verb == SIM_DEQUEUE)
    job_queue_dequeue_async (queue, sim_act_get_types (self), sim_act_get_channels (self),
                             self->timeout, NULL, callback, data);
  else if (self->verb == SIM_DEQUEUE_BY_ID)
    job_queue_dequeue_by_id_async (queue, self->id, NULL, callback, data);
  else if (self->verb == SIM_COMPLETE)
    job_queue_complete_async (queue, self->id, token, self->text, NULL, callback, data);
  else if (self->verb == SIM_FAIL)
    job_queue_fail_async (queue, self->id, token, self->text, NULL, callback, data);
  else if (self->verb == SIM_RELEASE)
    job_queue_release_async (queue, self->id, token, NULL, callback, data);
  else if (self->verb == SIM_CANCEL)
    job_queue_cancel_async (queue, self->id, NULL, callback, data);
  else if (self->verb == SIM_HEARTBEAT)
    job_queue_heartbeat_async (queue, self->id, token, NULL, callback, data);
  else if (self->verb == SIM_LOOKUP_TOKEN)
    job_queue_lookup_token_async (queue, self->token, NULL, callback, data);
  else if (self->verb == SIM_GET_INFO)
    job_queue_get_info_async (queue, self->id, NULL, callback, data);
}

static void
finish (const SimAct *self, JobQueue *queue, GAsyncResult *result, SimAnswer *answer,
        GError **error)
{
  g_autoptr (JobInfo) info = NULL;

  if (self->verb == SIM_ENQUEUE)
    g_free (job_queue_enqueue_finish (queue, result, error));
  else if (self->verb == SIM_ENQUEUE_MANY)
    g_strfreev (job_queue_enqueue_many_finish (queue, result, error));
  else if (self->verb == SIM_DEQUEUE)
    sim_answer_take_lease (answer, job_queue_dequeue_finish (queue, result, error));
  else if (self->verb == SIM_DEQUEUE_BY_ID)
    sim_answer_take_lease (answer, job_queue_dequeue_by_id_finish (queue, result, error));
  else if (self->verb == SIM_COMPLETE)
    job_queue_complete_finish (queue, result, error);
  else if (self->verb == SIM_FAIL)
    job_queue_fail_finish (queue, result, error);
  else if (self->verb == SIM_RELEASE)
    job_queue_release_finish (queue, result, error);
  else if (self->verb == SIM_CANCEL)
    job_queue_cancel_finish (queue, result, error);
  else if (self->verb == SIM_HEARTBEAT)
    job_queue_heartbeat_finish (queue, result, error);
  else if (self->verb == SIM_LOOKUP_TOKEN)
    answer->id = job_queue_lookup_token_finish (queue, result, error);
  else if (self->verb == SIM_GET_INFO)
    info = job_queue_get_info_finish (queue, result, error);
}

void
sim_act_finish (const SimAct *self, JobQueue *queue, GAsyncResult *result, SimAnswer *answer)
{
  g_autoptr (GError) error = NULL;

  *answer = (SimAnswer){ .error = MODEL_OK };
  finish (self, queue, result, answer, &error);
  sim_answer_set_error (answer, error);
}

void
sim_await (GAsyncResult **result)
{
  while (*result == NULL)
    if (!g_main_context_iteration (NULL, FALSE))
      sim_block (g_main_context_default (), -1);
}

static void
note_result (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

void
sim_act_call (const SimAct *self, JobQueue *queue, SimAnswer *answer)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (self->async)
    {
      sim_act_begin (self, queue, note_result, &result);
      sim_await (&result);
      sim_act_finish (self, queue, result, answer);
      return;
    }
  *answer = (SimAnswer){ .error = MODEL_OK };
  call (self, queue, answer, &error);
  sim_answer_set_error (answer, error);
}
