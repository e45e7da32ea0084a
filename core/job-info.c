/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a job looks like, at one moment. Everything is put into its final form when the object is
 * made, so that it may be read from any thread without a lock. Its getters are in job-info-get.c,
 * its texts for people and programs in job-info-text.c. */

#include "job-info-private.h"

/**
 * JobInfo:
 *
 * What a job looked like at one moment: what was asked for, how it stands, whom it waits for, who
 * waits for it, and why.
 *
 * It never changes, and may be used from any thread. For news, ask job_queue_get_info() again.
 *
 * Since: 1.0
 */

enum
{
  PROP_ID = 1,
  PROP_JOB_TYPE,
  PROP_CHANNEL,
  PROP_ARGS,
  PROP_STATE,
  PROP_RESULT,
  PROP_ERROR,
  PROP_PRIORITY,
  PROP_ATTEMPTS,
  PROP_MAX_ATTEMPTS,
  PROP_QUEUED_AT,
  PROP_RUN_AT,
  PROP_STARTED_AT,
  PROP_FINISHED_AT,
  PROP_DEPENDENCIES,
  PROP_DEPENDENTS,
  PROP_REASON,
  PROP_CULPRIT,
  PROP_TOKEN,
  PROP_HEARTBEAT_AGE,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (JobInfo, job_info, G_TYPE_OBJECT)

static gboolean
get_text_property (JobInfo *self, guint property, GValue *value)
{
  const char *const texts[N_PROPS] = {
    [PROP_ID] = self->id,
    [PROP_JOB_TYPE] = self->record->type,
    [PROP_CHANNEL] = self->record->channel,
    [PROP_ARGS] = self->record->args,
    [PROP_RESULT] = job_info_get_result (self),
    [PROP_ERROR] = job_info_get_error (self),
    [PROP_CULPRIT] = job_info_get_culprit (self),
    [PROP_TOKEN] = job_info_get_token (self),
  };

  if (!G_VALUE_HOLDS_STRING (value))
    return FALSE;
  g_value_set_string (value, texts[property]);
  return TRUE;
}

static gboolean
get_time_property (JobInfo *self, guint property, GValue *value)
{
  const gint64 times[N_PROPS] = {
    [PROP_QUEUED_AT] = self->record->queued_at,  [PROP_RUN_AT] = self->record->run_at,
    [PROP_STARTED_AT] = self->status.started_at, [PROP_FINISHED_AT] = self->status.finished_at,
    [PROP_HEARTBEAT_AGE] = self->heartbeat_age,
  };

  if (!G_VALUE_HOLDS_INT64 (value))
    return FALSE;
  g_value_set_int64 (value, times[property]);
  return TRUE;
}

static void
job_info_get_property (GObject *object, guint property, GValue *value, GParamSpec *pspec)
{
  JobInfo *self = JOB_INFO (object);

  if (get_text_property (self, property, value) || get_time_property (self, property, value))
    return;
  switch (property)
    {
    case PROP_STATE:
      g_value_set_enum (value, (int) self->state);
      break;
    case PROP_REASON:
      g_value_set_enum (value, (int) self->reason);
      break;
    case PROP_PRIORITY:
      g_value_set_int (value, self->record->priority);
      break;
    case PROP_ATTEMPTS:
      g_value_set_uint (value, self->status.attempts);
      break;
    case PROP_MAX_ATTEMPTS:
      g_value_set_uint (value, self->record->max_attempts);
      break;
    case PROP_DEPENDENCIES:
      g_value_set_boxed (value, self->dependencies);
      break;
    case PROP_DEPENDENTS:
      g_value_set_boxed (value, self->dependents);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, pspec);
    }
}

static void
job_info_finalize (GObject *object)
{
  JobInfo *self = JOB_INFO (object);

  job_record_unref (self->record);
  job_status_clear (&self->status);
  g_strfreev (self->dependencies);
  g_strfreev (self->dependents);
  G_OBJECT_CLASS (job_info_parent_class)->finalize (object);
}

/* What each is, is told by the getter of its name. */
static void
make_text_properties (GParamFlags flags)
{
  const char *const names[N_PROPS] = {
    [PROP_ID] = "id",           [PROP_JOB_TYPE] = "job-type", [PROP_CHANNEL] = "channel",
    [PROP_ARGS] = "args",       [PROP_RESULT] = "result",     [PROP_ERROR] = "error",
    [PROP_CULPRIT] = "culprit", [PROP_TOKEN] = "token",
  };

  for (guint i = 1; i < N_PROPS; i++)
    if (names[i] != NULL)
      properties[i] = g_param_spec_string (names[i], NULL, NULL, NULL, flags);
}

static void
make_time_properties (GParamFlags flags)
{
  const char *const names[N_PROPS] = {
    [PROP_QUEUED_AT] = "queued-at",         [PROP_RUN_AT] = "run-at",
    [PROP_STARTED_AT] = "started-at",       [PROP_FINISHED_AT] = "finished-at",
    [PROP_HEARTBEAT_AGE] = "heartbeat-age",
  };

  for (guint i = 1; i < N_PROPS; i++)
    if (names[i] != NULL)
      properties[i] = g_param_spec_int64 (names[i], NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
}

static void
make_other_properties (GParamFlags flags)
{
  properties[PROP_STATE] =
      g_param_spec_enum ("state", NULL, NULL, JOB_TYPE_STATE, JOB_STATE_BLOCKED, flags);
  properties[PROP_REASON] =
      g_param_spec_enum ("reason", NULL, NULL, JOB_TYPE_REASON, JOB_REASON_NONE, flags);
  properties[PROP_PRIORITY] =
      g_param_spec_int ("priority", NULL, NULL, G_MININT, G_MAXINT, 0, flags);
  properties[PROP_ATTEMPTS] = g_param_spec_uint ("attempts", NULL, NULL, 0, G_MAXUINT, 0, flags);
  properties[PROP_MAX_ATTEMPTS] =
      g_param_spec_uint ("max-attempts", NULL, NULL, 0, G_MAXUINT, 1, flags);
  properties[PROP_DEPENDENCIES] =
      g_param_spec_boxed ("dependencies", NULL, NULL, G_TYPE_STRV, flags);
  properties[PROP_DEPENDENTS] = g_param_spec_boxed ("dependents", NULL, NULL, G_TYPE_STRV, flags);
}

static void
job_info_class_init (JobInfoClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = job_info_get_property;
  object_class->finalize = job_info_finalize;
  make_text_properties (flags);
  make_time_properties (flags);
  make_other_properties (flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
job_info_init (JobInfo *self)
{
}

static char **
list_dependencies (const JobRecord *record)
{
  char **ids = g_new0 (char *, (gsize) record->n_dependencies + 1);

  for (guint i = 0; i < record->n_dependencies; i++)
    ids[i] = job_id_dup_text (&record->dependencies[i].id);
  return ids;
}

static char **
list_dependents (const GArray *dependents)
{
  guint n = dependents != NULL ? dependents->len : 0;
  char **ids = g_new0 (char *, (gsize) n + 1);

  for (guint i = 0; i < n; i++)
    ids[i] = job_id_dup_text (&g_array_index (dependents, JobId, i));
  return ids;
}

JobInfo *
job_info_new (const JobInfoParts *parts)
{
  JobInfo *self = g_object_new (JOB_TYPE_INFO, NULL);

  self->record = job_record_ref ((JobRecord *) parts->record);
  job_status_copy (parts->status, &self->status);
  self->state = parts->state;
  self->reason = parts->reason;
  job_id_to_text (&self->record->id, self->id);
  if (!job_id_is_nil (&parts->culprit))
    job_id_to_text (&parts->culprit, self->culprit);
  if (parts->with_lease && !job_id_is_nil (&self->status.token))
    job_id_to_text (&self->status.token, self->token);
  self->with_lease = parts->with_lease;
  self->heartbeat_age = parts->with_lease ? parts->heartbeat_age : -1;
  self->dependencies = list_dependencies (self->record);
  self->dependents = list_dependents (parts->dependents);
  return self;
}
