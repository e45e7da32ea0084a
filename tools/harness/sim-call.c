/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An operation on the queue, blocking or asynchronous. */

#include "sim-act.h"
#include "sim-fiber.h"

static void
note_result (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

/* The fiber's context runs until the answer is there. */
static GAsyncResult *
await (GAsyncResult **result)
{
  while (*result == NULL)
    if (!g_main_context_iteration (NULL, FALSE))
      sim_block (g_main_context_default (), -1);
  return *result;
}

static const char *
token_of (const SimAct *act)
{
  return act->has_token ? act->token : NULL;
}

static void
enqueue (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!act->async)
    g_free (job_queue_enqueue (queue, act->specs[0].real, NULL, error));
  else
    {
      job_queue_enqueue_async (queue, act->specs[0].real, NULL, note_result, &result);
      g_free (job_queue_enqueue_finish (queue, await (&result), error));
    }
}

static void
enqueue_many (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  JobSpec *specs[SIM_MAX_SPECS];

  for (guint i = 0; i < act->n_specs; i++)
    specs[i] = act->specs[i].real;
  if (!act->async)
    g_strfreev (job_queue_enqueue_many (queue, specs, act->n_specs, NULL, error));
  else
    {
      job_queue_enqueue_many_async (queue, specs, act->n_specs, NULL, note_result, &result);
      g_strfreev (job_queue_enqueue_many_finish (queue, await (&result), error));
    }
}

static JobLease *
dequeue (const SimAct *act, JobQueue *queue, GError **error)
{
  const char *const *types = act->any_type ? NULL : act->types;
  const char *const *channels = act->any_channel ? NULL : act->channels;
  g_autoptr (GAsyncResult) result = NULL;

  if (!act->async)
    return job_queue_dequeue (queue, types, channels, act->timeout, NULL, error);
  job_queue_dequeue_async (queue, types, channels, act->timeout, NULL, note_result, &result);
  return job_queue_dequeue_finish (queue, await (&result), error);
}

static JobLease *
dequeue_by_id (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!act->async)
    return job_queue_dequeue_by_id (queue, act->id, NULL, error);
  job_queue_dequeue_by_id_async (queue, act->id, NULL, note_result, &result);
  return job_queue_dequeue_by_id_finish (queue, await (&result), error);
}

static void
complete (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!act->async)
    job_queue_complete (queue, act->id, token_of (act), act->text, NULL, error);
  else
    {
      job_queue_complete_async (queue, act->id, token_of (act), act->text, NULL, note_result,
                                &result);
      job_queue_complete_finish (queue, await (&result), error);
    }
}

static void
fail (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!act->async)
    job_queue_fail (queue, act->id, token_of (act), act->text, NULL, error);
  else
    {
      job_queue_fail_async (queue, act->id, token_of (act), act->text, NULL, note_result, &result);
      job_queue_fail_finish (queue, await (&result), error);
    }
}

static void
release (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!act->async)
    job_queue_release (queue, act->id, token_of (act), NULL, error);
  else
    {
      job_queue_release_async (queue, act->id, token_of (act), NULL, note_result, &result);
      job_queue_release_finish (queue, await (&result), error);
    }
}

static void
cancel (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!act->async)
    job_queue_cancel (queue, act->id, NULL, error);
  else
    {
      job_queue_cancel_async (queue, act->id, NULL, note_result, &result);
      job_queue_cancel_finish (queue, await (&result), error);
    }
}

static void
heartbeat (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!act->async)
    job_queue_heartbeat (queue, act->id, token_of (act), NULL, error);
  else
    {
      job_queue_heartbeat_async (queue, act->id, token_of (act), NULL, note_result, &result);
      job_queue_heartbeat_finish (queue, await (&result), error);
    }
}

static char *
lookup_token (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!act->async)
    return job_queue_lookup_token (queue, act->token, NULL, error);
  job_queue_lookup_token_async (queue, act->token, NULL, note_result, &result);
  return job_queue_lookup_token_finish (queue, await (&result), error);
}

static void
get_info (const SimAct *act, JobQueue *queue, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (JobInfo) info = NULL;

  if (!act->async)
    info = job_queue_get_info (queue, act->id, NULL, error);
  else
    {
      job_queue_get_info_async (queue, act->id, NULL, note_result, &result);
      info = job_queue_get_info_finish (queue, await (&result), error);
    }
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

static void
call (const SimAct *self, JobQueue *queue, SimAnswer *answer, GError **error)
{
  static void (*const funcs[SIM_N_VERBS]) (const SimAct *, JobQueue *, GError **) = {
    [SIM_ENQUEUE] = enqueue,     [SIM_ENQUEUE_MANY] = enqueue_many, [SIM_COMPLETE] = complete,
    [SIM_FAIL] = fail,           [SIM_RELEASE] = release,           [SIM_CANCEL] = cancel,
    [SIM_HEARTBEAT] = heartbeat, [SIM_GET_INFO] = get_info,
  };

  if (self->verb == SIM_DEQUEUE)
    sim_answer_take_lease (answer, dequeue (self, queue, error));
  else if (self->verb == SIM_DEQUEUE_BY_ID)
    sim_answer_take_lease (answer, dequeue_by_id (self, queue, error));
  else if (self->verb == SIM_LOOKUP_TOKEN)
    answer->id = lookup_token (self, queue, error);
  else if (funcs[self->verb])
    funcs[self->verb](self, queue, error);
}

void
sim_act_call (const SimAct *self, JobQueue *queue, SimAnswer *answer)
{
  g_autoptr (GError) error = NULL;

  *answer = (SimAnswer){ .error = MODEL_OK };
  call (self, queue, answer, &error);
  sim_answer_set_error (answer, error);
}
