/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs of the model. How it is compared with a queue is in model-check.c. */

#include "model.h"

#include <string.h>

/* --- jobs ------------------------------------------------------------------------------------- */

static void
job_free (gpointer data)
{
  ModelJob *job = data;

  g_free (job->id);
  g_free (job->type);
  g_free (job->channel);
  g_free (job->args);
  g_free (job->token);
  g_free (job->outcome);
  g_array_unref (job->dependents);
  g_free (job);
}

static ModelJob *
job_copy (const ModelJob *job)
{
  ModelJob *copy = g_memdup2 (job, sizeof *job);

  copy->id = g_strdup (job->id);
  copy->type = g_strdup (job->type);
  copy->channel = g_strdup (job->channel);
  copy->args = g_strdup (job->args);
  copy->token = g_strdup (job->token);
  copy->outcome = g_strdup (job->outcome);
  copy->dependents = g_array_copy (job->dependents);
  return copy;
}

Model *
model_new (void)
{
  Model *self = g_new0 (Model, 1);

  self->jobs = g_ptr_array_new_with_free_func (job_free);
  self->ids = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

static void
add_job (Model *self, ModelJob *job)
{
  g_ptr_array_add (self->jobs, job);
  g_hash_table_insert (self->ids, job->id, job);
}

Model *
model_copy (const Model *self)
{
  Model *copy = model_new ();

  copy->wall = self->wall;
  copy->boot = self->boot;
  copy->exact_times = self->exact_times;
  for (guint i = 0; i < self->jobs->len; i++)
    add_job (copy, job_copy (model_get_job (self, i)));
  return copy;
}

void
model_free (Model *self)
{
  g_hash_table_unref (self->ids);
  g_ptr_array_unref (self->jobs);
  g_free (self);
}

ModelJob *
model_get_job (const Model *self, guint number)
{
  return g_ptr_array_index (self->jobs, number);
}

ModelJob *
model_find (const Model *self, const char *id)
{
  return g_hash_table_lookup (self->ids, id);
}

gboolean
model_is_over (const ModelJob *job)
{
  return job->state == JOB_STATE_SUCCEEDED || job->state == JOB_STATE_FAILED ||
         job->state == JOB_STATE_CANCELED;
}

/* --- where a job belongs ---------------------------------------------------------------------- */

static void
forget_token (ModelJob *job)
{
  g_clear_pointer (&job->token, g_free);
}

/* One that waits for no other job. */
static void
place (Model *self, ModelJob *job)
{
  job->state = job->run_at > self->wall ? JOB_STATE_SCHEDULED : JOB_STATE_PENDING;
}

gboolean
model_forbids (JobCondition condition, const ModelJob *dependency)
{
  if (!model_is_over (dependency) || condition == JOB_CONDITION_AFTER_ANY)
    return FALSE;
  return (dependency->state == JOB_STATE_SUCCEEDED) != (condition == JOB_CONDITION_AFTER_OK);
}

/* Looks at one blocked job; TRUE if it is blocked no longer. */
static gboolean
settle_one (Model *self, ModelJob *job)
{
  gboolean waits = FALSE;

  for (guint i = 0; i < job->n_dependencies; i++)
    {
      const ModelJob *dependency = model_get_job (self, job->dependencies[i]);

      if (model_forbids (job->conditions[i], dependency))
        {
          job->state = JOB_STATE_CANCELED;
          job->reason = JOB_REASON_DEPENDENCY;
          job->finished_at = self->wall;
          return TRUE;
        }
      waits |= !model_is_over (dependency);
    }
  if (!waits)
    place (self, job);
  return !waits;
}

/* Until nothing changes, which may take many rounds: nobody said that it had to be fast. */
static void
settle (Model *self)
{
  gboolean changed;

  do
    {
      changed = FALSE;
      for (guint i = 0; i < self->jobs->len; i++)
        if (model_get_job (self, i)->state == JOB_STATE_BLOCKED)
          changed |= settle_one (self, model_get_job (self, i));
    }
  while (changed);
}

void
model_set_time (Model *self, gint64 wall, gint64 boot)
{
  self->wall = wall;
  self->boot = boot;
  for (guint i = 0; i < self->jobs->len; i++)
    {
      ModelJob *job = model_get_job (self, i);

      if (job->state == JOB_STATE_SCHEDULED)
        place (self, job);
    }
}

void
model_reopen (Model *self)
{
  for (guint i = 0; i < self->jobs->len; i++)
    model_get_job (self, i)->heartbeat_at = self->boot;
}

/* --- enqueue ---------------------------------------------------------------------------------- */

static guint
find_spec (const ModelSpec *specs, guint n_specs, const char *id)
{
  guint i = 0;

  while (i < n_specs && strcmp (job_spec_get_id (specs[i].real), id) != 0)
    i++;
  return i;
}

static int
check_spec (const Model *self, const ModelSpec *specs, guint n_specs, guint number)
{
  g_auto (GStrv) dependencies = job_spec_dup_dependencies (specs[number].real);
  const char *id = job_spec_get_id (specs[number].real);

  if (model_find (self, id) || find_spec (specs, n_specs, id) != number)
    return JOB_ERROR_EXISTS;
  for (guint i = 0; dependencies[i]; i++)
    if (!model_find (self, dependencies[i]) &&
        find_spec (specs, n_specs, dependencies[i]) == n_specs)
      return JOB_ERROR_NOT_FOUND;
  return MODEL_OK;
}

/* Strikes out what waits for nothing that is left, as often as there are specs. */
static gboolean
has_circle (const ModelSpec *specs, guint n_specs)
{
  g_autofree gboolean *struck = g_new0 (gboolean, n_specs + 1);
  guint n_struck = 0;

  for (guint round = 0; round < n_specs; round++)
    for (guint i = 0; i < n_specs; i++)
      {
        g_auto (GStrv) dependencies = job_spec_dup_dependencies (specs[i].real);
        gboolean waits = struck[i];

        for (guint j = 0; !waits && dependencies[j]; j++)
          {
            guint other = find_spec (specs, n_specs, dependencies[j]);

            waits = other < n_specs && !struck[other];
          }
        if (!waits)
          n_struck++;
        struck[i] |= !waits;
      }
  return n_struck < n_specs;
}

/* What is kept of a JSON text: all but the white space around it. */
static char *
dup_json (const char *text)
{
  static const char space[] = " \t\r\n";
  char *copy = g_strdup (text ? text + strspn (text, space) : "null");
  gsize length = strlen (copy);

  while (length > 0 && strchr (space, copy[length - 1]))
    copy[--length] = '\0';
  return copy;
}

static void
add_spec (Model *self, const ModelSpec *spec)
{
  ModelJob *job = g_new0 (ModelJob, 1);

  job->number = self->jobs->len;
  job->id = g_strdup (job_spec_get_id (spec->real));
  job->type = g_strdup (job_spec_get_job_type (spec->real));
  job->channel = g_strdup (job_spec_get_channel (spec->real));
  job->args = dup_json (job_spec_get_args (spec->real));
  job->priority = job_spec_get_priority (spec->real);
  job->run_at = job_spec_get_run_at (spec->real);
  job->max_attempts = job_spec_get_max_attempts (spec->real);
  job->dependents = g_array_new (FALSE, FALSE, sizeof (guint));
  job->state = JOB_STATE_BLOCKED;
  add_job (self, job);
}

static void
draw_edges (Model *self, const ModelSpec *spec)
{
  g_auto (GStrv) dependencies = job_spec_dup_dependencies (spec->real);
  ModelJob *job = model_find (self, job_spec_get_id (spec->real));

  for (guint i = 0; dependencies[i]; i++)
    {
      const ModelJob *dependency = model_find (self, dependencies[i]);

      job->dependencies[i] = dependency->number;
      job->conditions[i] = spec->conditions[i];
      g_array_append_val (dependency->dependents, job->number);
    }
  job->n_dependencies = spec->n_dependencies;
}

int
model_enqueue (Model *self, const ModelSpec *specs, guint n_specs)
{
  for (guint i = 0; i < n_specs; i++)
    {
      int error = check_spec (self, specs, n_specs, i);

      if (error != MODEL_OK)
        return error;
    }
  if (n_specs > 1 && has_circle (specs, n_specs))
    return JOB_ERROR_INVALID;

  for (guint i = 0; i < n_specs; i++)
    add_spec (self, &specs[i]);
  for (guint i = 0; i < n_specs; i++)
    draw_edges (self, &specs[i]);
  settle (self);
  return MODEL_OK;
}

/* --- dequeue ---------------------------------------------------------------------------------- */

static gboolean
is_named (const char *const *names, const char *name)
{
  return names == NULL || g_strv_contains (names, name);
}

guint
model_get_first (const Model *self, const char *const *types, const char *const *channels)
{
  guint first = MODEL_NO_JOB;

  for (guint i = 0; i < self->jobs->len; i++)
    {
      const ModelJob *job = model_get_job (self, i);

      if (job->state == JOB_STATE_PENDING && is_named (types, job->type) &&
          is_named (channels, job->channel) &&
          (first == MODEL_NO_JOB || job->priority > model_get_job (self, first)->priority))
        first = i;
    }
  return first;
}

static void
lease (Model *self, ModelJob *job)
{
  job->state = JOB_STATE_RUNNING;
  job->attempts++;
  job->started_at = self->wall;
  job->heartbeat_at = self->boot;
  forget_token (job);
}

int
model_dequeue (Model *self, const char *const *types, const char *const *channels, guint *number)
{
  *number = model_get_first (self, types, channels);
  if (*number == MODEL_NO_JOB)
    return JOB_ERROR_TIMED_OUT;
  lease (self, model_get_job (self, *number));
  return MODEL_OK;
}

int
model_dequeue_by_id (Model *self, const char *id, guint *number)
{
  ModelJob *job = model_find (self, id);

  *number = MODEL_NO_JOB;
  if (job == NULL)
    return JOB_ERROR_NOT_FOUND;
  if (job->state != JOB_STATE_PENDING)
    return JOB_ERROR_NOT_PENDING;
  lease (self, job);
  *number = job->number;
  return MODEL_OK;
}

void
model_learn_token (Model *self, guint number, const char *token)
{
  ModelJob *job = model_get_job (self, number);

  forget_token (job);
  job->token = g_strdup (token);
}

/* --- the end of a lease ----------------------------------------------------------------------- */

/* Whether that goes with the job, in the order in which it is asked. */
static int
check_lease (const ModelJob *job, const char *token)
{
  if (job == NULL)
    return JOB_ERROR_NOT_FOUND;
  if (job->state == JOB_STATE_CANCELED)
    return JOB_ERROR_CANCELED;
  if (token && g_strcmp0 (token, job->token) != 0)
    return JOB_ERROR_LEASE_LOST;
  return job->state == JOB_STATE_RUNNING ? MODEL_OK : JOB_ERROR_NOT_RUNNING;
}

static void
set_outcome (ModelJob *job, const char *text)
{
  g_free (job->outcome);
  job->outcome = dup_json (text);
}

static void
finish (Model *self, ModelJob *job, JobState state)
{
  job->state = state;
  job->finished_at = self->wall;
  settle (self);
}

static void
give_back (Model *self, ModelJob *job)
{
  forget_token (job);
  job->started_at = 0;
  place (self, job);
}

int
model_complete (Model *self, const char *id, const char *token, const char *result)
{
  ModelJob *job = model_find (self, id);
  int error = check_lease (job, token);

  if (error != MODEL_OK)
    return error;
  set_outcome (job, result);
  finish (self, job, JOB_STATE_SUCCEEDED);
  return MODEL_OK;
}

int
model_fail (Model *self, const char *id, const char *token, const char *error_json)
{
  ModelJob *job = model_find (self, id);
  int error = check_lease (job, token);

  if (error != MODEL_OK)
    return error;
  set_outcome (job, error_json);
  if (job->attempts < job->max_attempts)
    give_back (self, job);
  else
    finish (self, job, JOB_STATE_FAILED);
  return MODEL_OK;
}

int
model_release (Model *self, const char *id, const char *token)
{
  ModelJob *job = model_find (self, id);
  int error = check_lease (job, token);

  if (error != MODEL_OK)
    return error;
  job->attempts--;
  give_back (self, job);
  return MODEL_OK;
}

int
model_cancel (Model *self, const char *id)
{
  ModelJob *job = model_find (self, id);

  if (job == NULL)
    return JOB_ERROR_NOT_FOUND;
  if (model_is_over (job))
    return job->state == JOB_STATE_CANCELED ? JOB_ERROR_CANCELED : JOB_ERROR_NOT_RUNNING;
  forget_token (job);
  job->reason = JOB_REASON_REQUESTED;
  finish (self, job, JOB_STATE_CANCELED);
  return MODEL_OK;
}

int
model_heartbeat (Model *self, const char *id, const char *token)
{
  ModelJob *job = model_find (self, id);
  int error = check_lease (job, token);

  if (error == MODEL_OK)
    job->heartbeat_at = self->boot;
  return error;
}

int
model_lookup_token (Model *self, const char *token, guint *number)
{
  *number = MODEL_NO_JOB;
  for (guint i = 0; i < self->jobs->len; i++)
    {
      const ModelJob *job = model_get_job (self, i);

      if (job->state == JOB_STATE_RUNNING && g_strcmp0 (job->token, token) == 0)
        *number = i;
    }
  return *number == MODEL_NO_JOB ? JOB_ERROR_NOT_FOUND : MODEL_OK;
}
