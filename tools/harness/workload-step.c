/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One step of a workload: what it is about, as the model stands; the call; and what the model says
 * of the answer. */

#include "workload-private.h"

#include <string.h>

#define MAX_SPECS 3

/* A step that knows what it is about. */
typedef struct
{
  WorkVerb verb;
  ModelSpec specs[MAX_SPECS];
  guint n_specs;
  const char *types[3]; /* of a dequeue */
  gboolean any_type;
  const char *id; /* the model's */
  char *token;    /* owned */
  char *text;     /* owned: a result or error */
} Deed;

static void
deed_clear (Deed *deed)
{
  for (guint i = 0; i < deed->n_specs; i++)
    model_spec_clear (&deed->specs[i]);
  g_free (deed->token);
  g_free (deed->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Deed, deed_clear)

static const char *const all_types[] = { "build", "test" };
static const char *const all_channels[] = { "", "tenant" };

/* --- what it is about ------------------------------------------------------------------------- */

/* In the order of their enqueueing, as the library's own. */
static char *
make_id (const WorkStep *step, guint i)
{
  return g_strdup_printf ("018bcfe5-%04x-7%03x-8000-%012x", step->number, i, step->chances[5]);
}

/* Mostly small, sometimes some kilobytes. */
static char *
make_args (guint32 chance)
{
  guint length = chance % 16 == 0 ? 4000 + chance / 16 % 3000 : chance / 16 % 300;
  GString *text = g_string_new ("{\"for\": \"");

  for (guint i = 0; i < length; i++)
    g_string_append_c (text, (char) ('a' + (chance + i * 7) % 26));
  g_string_append_printf (text, "\", \"number\": %u}", chance);
  return g_string_free (text, FALSE);
}

static void
add_dependencies (const Model *model, ModelSpec *spec, guint32 chance)
{
  guint n = chance % 4 == 0 ? chance / 4 % 3 + 1 : 0;
  guint span = MIN (model->jobs->len, 12);
  guint last = G_MAXUINT;

  for (guint i = 0; span > 0 && i < n; i++)
    {
      guint number = model->jobs->len - 1 - (chance / 16 + i * 5) % span;

      if (number != last && (i < 2 || span > 10))
        model_spec_add_dependency (spec, model_get_job (model, number)->id,
                                   (JobCondition) ((chance / 64 + i) % 3));
      last = number;
    }
}

static void
make_spec (Deed *deed, const Model *model, const WorkStep *step)
{
  guint i = deed->n_specs++;
  guint32 chance = step->chances[0] + i * 977;
  g_autofree char *id = make_id (step, i);
  g_autofree char *args = make_args (step->chances[1] + i);
  ModelSpec *spec = &deed->specs[i];

  model_spec_init (spec, all_types[chance % 2], args);
  job_spec_set_id (spec->real, id, NULL);
  job_spec_set_channel (spec->real, all_channels[chance / 2 % 2]);
  job_spec_set_priority (spec->real, chance / 4 % 8 == 0 ? (int) (chance / 32 % 3) - 1 : 0);
  job_spec_set_max_attempts (spec->real, 1 + chance / 128 % 3);
  if (chance / 512 % 8 == 0)
    job_spec_set_run_at (spec->real, model->wall + (gint64) (chance / 4096 % 30) * 1000000);
  add_dependencies (model, spec, step->chances[2] + i);
  if (i > 0 && step->chances[3] % 2 == 0 && spec->n_dependencies < MODEL_MAX_DEPENDENCIES)
    model_spec_add_dependency (spec, job_spec_get_id (deed->specs[0].real), JOB_CONDITION_AFTER_OK);
}

/* A job in that state, if there is one. */
static const ModelJob *
choose_job (const Model *model, JobState state, guint32 chance)
{
  guint n = 0, at;

  for (guint i = 0; i < model->jobs->len; i++)
    n += model_get_job (model, i)->state == state;
  if (n == 0)
    return NULL;
  at = chance % n;
  for (guint i = 0; i < model->jobs->len; i++)
    if (model_get_job (model, i)->state == state && at-- == 0)
      return model_get_job (model, i);
  return NULL;
}

static void
choose_types (Deed *deed, guint32 chance)
{
  deed->any_type = chance % 3 == 0;
  deed->types[0] = all_types[chance / 3 % 2];
  deed->types[1] = chance / 6 % 4 == 0 ? all_types[1 - chance / 3 % 2] : NULL;
}

/* The token is the right one, but for one in sixteen. */
static void
choose_lease (Deed *deed, const Model *model, const WorkStep *step)
{
  const ModelJob *job = choose_job (model, JOB_STATE_RUNNING, step->chances[0]);

  if (job == NULL)
    {
      deed->verb = WORK_DEQUEUE;
      deed->any_type = TRUE;
      return;
    }
  deed->id = job->id;
  deed->token = step->chances[1] % 16 == 0 ? g_strdup ("11111111-2222-4333-8444-555555555555")
                                           : g_strdup (job->token);
  deed->text = make_args (step->chances[2]);
}

static void
choose_any (Deed *deed, const Model *model, const WorkStep *step, JobState state)
{
  const ModelJob *job = choose_job (model, state, step->chances[0]);

  if (job == NULL && model->jobs->len > 0)
    job = model_get_job (model, step->chances[0] % model->jobs->len);
  deed->id = job ? job->id : "018bcfe5-ffff-7000-8000-000000000000";
}

static void
decide (Deed *deed, const Model *model, const WorkStep *step)
{
  static const JobState states[] = { JOB_STATE_PENDING, JOB_STATE_RUNNING, JOB_STATE_BLOCKED,
                                     JOB_STATE_SUCCEEDED };

  *deed = (Deed){ .verb = step->verb };
  if (step->verb == WORK_ENQUEUE)
    make_spec (deed, model, step);
  else if (step->verb == WORK_ENQUEUE_MANY)
    for (guint i = 0; i <= step->chances[4] % MAX_SPECS; i++)
      make_spec (deed, model, step);
  else if (step->verb == WORK_DEQUEUE)
    choose_types (deed, step->chances[0]);
  else if (step->verb == WORK_DEQUEUE_BY_ID)
    choose_any (deed, model, step, JOB_STATE_PENDING);
  else if (step->verb == WORK_CANCEL || step->verb == WORK_GET_INFO)
    choose_any (deed, model, step, states[step->chances[1] % G_N_ELEMENTS (states)]);
  else
    choose_lease (deed, model, step);
}

/* --- by the model ----------------------------------------------------------------------------- */

/* MODEL_OK, or how the call has to end; *number: the job of a new lease. */
static int
do_by_model (Model *model, const Deed *deed, guint *number)
{
  const char *const *types = deed->any_type ? NULL : deed->types;

  *number = MODEL_NO_JOB;
  switch (deed->verb)
    {
    case WORK_ENQUEUE:
    case WORK_ENQUEUE_MANY:
      return model_enqueue (model, deed->specs, deed->n_specs);
    case WORK_DEQUEUE:
      return model_dequeue (model, types, NULL, number);
    case WORK_DEQUEUE_BY_ID:
      return model_dequeue_by_id (model, deed->id, number);
    case WORK_COMPLETE:
      return model_complete (model, deed->id, deed->token, deed->text);
    case WORK_FAIL:
      return model_fail (model, deed->id, deed->token, deed->text);
    case WORK_RELEASE:
      return model_release (model, deed->id, deed->token);
    case WORK_HEARTBEAT:
      return model_heartbeat (model, deed->id, deed->token);
    case WORK_CANCEL:
      return model_cancel (model, deed->id);
    case WORK_GET_INFO:
      return model_find (model, deed->id) ? MODEL_OK : JOB_ERROR_NOT_FOUND;
    case WORK_REOPEN:
    case WORK_N_VERBS:
    default:
      return MODEL_OK;
    }
}

void
workload_model_step (Workload *self, Model *model, const WorkStep *step, const char *token)
{
  g_auto (Deed) deed = { 0 };
  guint number;

  decide (&deed, model, step);
  do_by_model (model, &deed, &number);
  if (number != MODEL_NO_JOB && token && *token)
    model_learn_token (model, number, token);
}

/* --- by the queue ----------------------------------------------------------------------------- */

static gboolean
enqueue_many (JobQueue *queue, const Deed *deed, GError **error)
{
  JobSpec *specs[MAX_SPECS];
  g_auto (GStrv) ids = NULL;

  for (guint i = 0; i < deed->n_specs; i++)
    specs[i] = deed->specs[i].real;
  ids = job_queue_enqueue_many (queue, specs, deed->n_specs, NULL, error);
  return ids != NULL;
}

static gboolean
enqueue_one (JobQueue *queue, const Deed *deed, GError **error)
{
  g_autofree char *id = job_queue_enqueue (queue, deed->specs[0].real, NULL, error);

  return id != NULL;
}

static void
do_by_queue (JobQueue *queue, const Deed *deed, JobLease **lease, GError **error)
{
  const char *const *types = deed->any_type ? NULL : deed->types;
  g_autoptr (JobInfo) info = NULL;

  switch (deed->verb)
    {
    case WORK_ENQUEUE:
      enqueue_one (queue, deed, error);
      break;
    case WORK_ENQUEUE_MANY:
      enqueue_many (queue, deed, error);
      break;
    case WORK_DEQUEUE:
      *lease = job_queue_dequeue (queue, types, NULL, 0, NULL, error);
      break;
    case WORK_DEQUEUE_BY_ID:
      *lease = job_queue_dequeue_by_id (queue, deed->id, NULL, error);
      break;
    case WORK_COMPLETE:
      job_queue_complete (queue, deed->id, deed->token, deed->text, NULL, error);
      break;
    case WORK_FAIL:
      job_queue_fail (queue, deed->id, deed->token, deed->text, NULL, error);
      break;
    case WORK_RELEASE:
      job_queue_release (queue, deed->id, deed->token, NULL, error);
      break;
    case WORK_HEARTBEAT:
      job_queue_heartbeat (queue, deed->id, deed->token, NULL, error);
      break;
    case WORK_CANCEL:
      job_queue_cancel (queue, deed->id, NULL, error);
      break;
    case WORK_GET_INFO:
      info = job_queue_get_info (queue, deed->id, NULL, error);
      break;
    case WORK_REOPEN:
    case WORK_N_VERBS:
    default:
      break;
    }
}

/* --- both ------------------------------------------------------------------------------------- */

static void
compare_lease (Workload *self, guint number, JobLease *lease)
{
  const ModelJob *job = number != MODEL_NO_JOB ? model_get_job (self->model, number) : NULL;

  if (job == NULL)
    workload_complain (self, "job %s was leased, though none may be", job_lease_get_id (lease));
  else if (!g_str_equal (job->id, job_lease_get_id (lease)))
    workload_complain (self, "job %s was leased, though job %u (%s) comes first",
                       job_lease_get_id (lease), number, job->id);
  else if (!g_str_equal (job->args, job_lease_get_args (lease)))
    workload_complain (self, "job %u (%s) was leased with other args: %s", number, job->id,
                       job_lease_get_args (lease));
}

static void
compare (Workload *self, const Deed *deed, JobLease *lease, const GError *error, char token[40])
{
  guint number;
  int expected = do_by_model (self->model, deed, &number);
  int real = error ? error->code : MODEL_OK;

  if (expected != real)
    {
      workload_complain (self, "it ended with %d (%s), and should have with %d", real,
                         error ? error->message : "no error", expected);
      return;
    }
  if (lease == NULL)
    return;
  compare_lease (self, number, lease);
  if (number == MODEL_NO_JOB)
    return;
  g_strlcpy (token, job_lease_get_token (lease), 40);
  model_learn_token (self->model, number, token);
}

/* An error of the disk, not of the caller. */
static gboolean
is_fault (const GError *error)
{
  return error && (g_error_matches (error, JOB_ERROR, JOB_ERROR_STORAGE) ||
                   g_error_matches (error, JOB_ERROR, JOB_ERROR_CLOSED) ||
                   g_error_matches (error, JOB_ERROR, JOB_ERROR_CORRUPT));
}

/* A lease that cannot be handed out, since the args cannot be read, is given back. If the disk does
 * not take that either, it stays, as after a crash before the answer. */
static gboolean
may_be_leased (Workload *self, const Deed *deed)
{
  return self->fault_lasts && (deed->verb == WORK_DEQUEUE || deed->verb == WORK_DEQUEUE_BY_ID);
}

static WorkAnswer
tell_fault (Workload *self, const Deed *deed, const GError *error)
{
  guint number;

  if (self->verbose)
    g_printerr ("      %s\n", error->message);
  if (!workload_may_fail (self))
    workload_complain (self, "it failed without a reason: %s", error->message);
  if (g_error_matches (error, JOB_ERROR, JOB_ERROR_CLOSED))
    return WORK_ANSWER_CLOSED;
  if (strstr (error->message, "outcome is unknown") == NULL && !may_be_leased (self, deed))
    return WORK_ANSWER_FAILED;
  self->maybe = model_copy (self->model);
  do_by_model (self->maybe, deed, &number);
  return WORK_ANSWER_UNKNOWN;
}

WorkAnswer
workload_play_step (Workload *self, const WorkStep *step, char token[40])
{
  g_auto (Deed) deed = { 0 };
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  decide (&deed, self->model, step);
  do_by_queue (self->queue, &deed, &lease, &error);
  if (is_fault (error))
    return tell_fault (self, &deed, error);
  compare (self, &deed, lease, error, token);
  return WORK_ANSWER_AS_MODEL;
}
