/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A JobInfo in words for people, and in JSON for programs. */

#include "job-info-private.h"

#include "job-json.h"
#include "job-time.h"

/* The condition under which the job waits for its culprit, or NULL if that is no dependency of its
 * own. */
static const JobDependency *
find_culprit (JobInfo *self)
{
  for (guint i = 0; i < self->record->n_dependencies; i++)
    if (g_str_equal (self->dependencies[i], self->culprit))
      return &self->record->dependencies[i];
  return NULL;
}

static char *
explain_blocked (JobInfo *self)
{
  const JobDependency *dependency = find_culprit (self);

  if (dependency == NULL)
    return g_strdup ("waits for a dependency");
  return g_strdup_printf ("waits for job %s (%s)", self->culprit,
                          job_condition_to_string (dependency->condition));
}

static char *
explain_cascade (JobInfo *self)
{
  const JobDependency *dependency = find_culprit (self);

  if (self->culprit[0] == '\0')
    return g_strdup ("canceled: the condition of a dependency can no longer come true");
  if (dependency == NULL)
    return g_strdup_printf ("canceled because of job %s", self->culprit);
  return g_strdup_printf ("canceled because job %s %s (%s)", self->culprit,
                          dependency->condition == JOB_CONDITION_AFTER_NOT_OK ? "succeeded"
                                                                              : "did not succeed",
                          job_condition_to_string (dependency->condition));
}

static char *
explain_run_at (JobInfo *self)
{
  g_autofree char *time = job_time_format (self->record->run_at);

  return g_strdup_printf ("waits until %s", time);
}

/**
 * job_info_dup_reason_text:
 * @self: what a job looks like
 *
 * Why the job waits, or why it was canceled, in words for people: "waits for job … (afterok)", say.
 * The words may change; for programs there are job_info_get_reason() and job_info_get_culprit().
 *
 * Returns: (transfer full) (nullable): English text without a full stop, or %NULL if there is
 * nothing to say; free with g_free()
 *
 * Since: 1.0
 */
char *
job_info_dup_reason_text (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  switch (self->reason)
    {
    case JOB_REASON_REQUESTED:
      return g_strdup ("canceled on request");
    case JOB_REASON_DEPENDENCY:
      return self->state == JOB_STATE_CANCELED ? explain_cascade (self) : explain_blocked (self);
    case JOB_REASON_DAMAGED_DEPENDENCY:
      return g_strdup_printf ("waits for job %s, whose record cannot be read", self->culprit);
    case JOB_REASON_RUN_AT:
      return explain_run_at (self);
    case JOB_REASON_LEASE_WITHOUT_TOKEN:
      return g_strdup ("runs under a lease without a token: only an administrator can end it");
    case JOB_REASON_NONE:
    default:
      return NULL;
    }
}

static void
add_key (GString *json, const char *key)
{
  if (json->len > 1) /* more than the opening brace */
    g_string_append_c (json, ',');
  g_string_append_printf (json, "\"%s\":", key);
}

/* NULL: null. */
static void
add_string (GString *json, const char *key, const char *text)
{
  add_key (json, key);
  if (text != NULL)
    job_json_append_string (json, text);
  else
    g_string_append (json, "null");
}

/* NULL: null. */
static void
add_raw (GString *json, const char *key, const char *value)
{
  add_key (json, key);
  g_string_append (json, value != NULL ? value : "null");
}

static void
add_number (GString *json, const char *key, gint64 number)
{
  add_key (json, key);
  g_string_append_printf (json, "%" G_GINT64_FORMAT, number);
}

/* 0: null. */
static void
add_time (GString *json, const char *key, gint64 ns)
{
  g_autofree char *text = ns != 0 ? job_time_format (ns) : NULL;

  add_string (json, key, text);
}

static void
add_dependencies (GString *json, JobInfo *self)
{
  add_raw (json, "dependencies", "[");
  for (guint i = 0; i < self->record->n_dependencies; i++)
    g_string_append_printf (json, "%s{\"id\":\"%s\",\"condition\":\"%s\"}", i == 0 ? "" : ",",
                            self->dependencies[i],
                            job_condition_to_string (self->record->dependencies[i].condition));
  g_string_append_c (json, ']');
}

static void
add_dependents (GString *json, JobInfo *self)
{
  add_raw (json, "dependents", "[");
  for (char **id = self->dependents; *id != NULL; id++)
    g_string_append_printf (json, "%s\"%s\"", id == self->dependents ? "" : ",", *id);
  g_string_append_c (json, ']');
}

static void
add_times (GString *json, JobInfo *self)
{
  add_time (json, "queued_at", self->record->queued_at);
  add_time (json, "run_at", self->record->run_at);
  add_time (json, "started_at", self->status.started_at);
  add_time (json, "finished_at", self->status.finished_at);
}

static const char *
reason_to_string (JobReason reason)
{
  g_autoptr (GEnumClass) reasons = g_type_class_ref (JOB_TYPE_REASON);
  const GEnumValue *found = g_enum_get_value (reasons, (int) reason);

  return found != NULL && reason != JOB_REASON_NONE ? found->value_nick : NULL;
}

/**
 * job_info_to_json:
 * @self: what a job looks like
 *
 * All of it as a JSON object, for programs:
 *
 * |[
 * {"id":"…","state":"blocked","type":"…","channel":"","priority":0,"args":…,
 *  "dependencies":[{"id":"…","condition":"afterok"}],"dependents":["…"],
 *  "attempts":0,"max_attempts":1,
 *  "queued_at":"2026-11-22T13:54:27.0625Z","run_at":null,"started_at":null,"finished_at":null,
 *  "reason":"dependency","culprit":"…","result":null,"error":null}
 * ]|
 *
 * Times are RFC 3339 in UTC, with up to nine digits of fraction; what is not there (yet) is null.
 * args, result and error are the JSON that was given. What job_queue_list_leases() lists has
 * "heartbeat_age", too, in microseconds. The token, which is a secret, is never in it.
 *
 * Returns: (transfer full): JSON text on one line, unless args, result or error have line breaks;
 * free with g_free()
 *
 * Since: 1.0
 */
char *
job_info_to_json (JobInfo *self)
{
  GString *json;

  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  json = g_string_new ("{");
  add_string (json, "id", self->id);
  add_string (json, "state", job_state_to_string (self->state));
  add_string (json, "type", self->record->type);
  add_string (json, "channel", self->record->channel);
  add_number (json, "priority", self->record->priority);
  add_raw (json, "args", self->record->args);
  add_dependencies (json, self);
  add_dependents (json, self);
  add_number (json, "attempts", self->status.attempts);
  add_number (json, "max_attempts", self->record->max_attempts);
  add_times (json, self);
  add_string (json, "reason", reason_to_string (self->reason));
  add_string (json, "culprit", job_info_get_culprit (self));
  add_raw (json, "result", job_info_get_result (self));
  add_raw (json, "error", job_info_get_error (self));
  if (self->with_lease)
    add_number (json, "heartbeat_age", self->heartbeat_age);
  g_string_append_c (json, '}');
  return g_string_free (json, FALSE);
}
