/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a queue is compared with the model: what it lists, as it is told to everybody. */

#include "model.h"

#include <string.h>

/* Says what is different, once. */
static gboolean differ (char **difference, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
differ (char **difference, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_free (*difference);
  *difference = g_strdup_vprintf (format, args);
  va_end (args);
  return FALSE;
}

static gboolean
is_same_text (const ModelJob *job, const char *what, const char *expected, const char *real,
              char **difference)
{
  return g_strcmp0 (expected, real) == 0 ||
         differ (difference, "job %u (%s): its %s is %s, and should be %s", job->number, job->id,
                 what, real ? real : "none", expected ? expected : "none");
}

static gboolean
is_same_number (const ModelJob *job, const char *what, gint64 expected, gint64 real,
                char **difference)
{
  return expected == real ||
         differ (difference,
                 "job %u (%s): its %s is %" G_GINT64_FORMAT ", and should be %" G_GINT64_FORMAT,
                 job->number, job->id, what, real, expected);
}

/* --- one job ---------------------------------------------------------------------------------- */

static gboolean
check_spec (const ModelJob *job, JobInfo *info, char **difference)
{
  return is_same_text (job, "id", job->id, job_info_get_id (info), difference) &&
         is_same_text (job, "type", job->type, job_info_get_job_type (info), difference) &&
         is_same_text (job, "channel", job->channel, job_info_get_channel (info), difference) &&
         is_same_text (job, "args", job->args, job_info_get_args (info), difference) &&
         is_same_number (job, "priority", job->priority, job_info_get_priority (info),
                         difference) &&
         is_same_number (job, "run-at", job->run_at, job_info_get_run_at (info), difference) &&
         is_same_number (job, "most attempts", job->max_attempts, job_info_get_max_attempts (info),
                         difference);
}

static gboolean
check_dependencies (const Model *self, const ModelJob *job, JobInfo *info, char **difference)
{
  const char *const *ids = job_info_get_dependencies (info);
  guint n = ids ? g_strv_length ((char **) ids) : 0;

  if (!is_same_number (job, "number of dependencies", job->n_dependencies, n, difference))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!is_same_text (job, "dependency", model_get_job (self, job->dependencies[i])->id, ids[i],
                       difference) ||
        !is_same_number (job, "condition", job->conditions[i], job_info_get_condition (info, i),
                         difference))
      return FALSE;
  return TRUE;
}

/* In no order. */
static gboolean
check_dependents (const Model *self, const ModelJob *job, JobInfo *info, char **difference)
{
  const char *const *ids = job_info_get_dependents (info);
  guint n = ids ? g_strv_length ((char **) ids) : 0;

  if (!is_same_number (job, "number of dependents", job->dependents->len, n, difference))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      guint number = g_array_index (job->dependents, guint, i);

      if (!g_strv_contains (ids, model_get_job (self, number)->id))
        return differ (difference, "job %u (%s): job %u is not among its dependents", job->number,
                       job->id, number);
    }
  return TRUE;
}

/* Of a job that waits, or that can never run. */
static gboolean
is_culprit (const Model *self, const ModelJob *job, const char *id)
{
  for (guint i = 0; i < job->n_dependencies; i++)
    {
      const ModelJob *dependency = model_get_job (self, job->dependencies[i]);

      if (g_strcmp0 (dependency->id, id) != 0)
        continue;
      return job->state == JOB_STATE_BLOCKED ? !model_is_over (dependency)
                                             : model_forbids (job->conditions[i], dependency);
    }
  return FALSE;
}

static JobReason
get_reason (const ModelJob *job)
{
  if (job->state == JOB_STATE_BLOCKED)
    return JOB_REASON_DEPENDENCY;
  if (job->state == JOB_STATE_SCHEDULED)
    return JOB_REASON_RUN_AT;
  return job->state == JOB_STATE_CANCELED ? job->reason : JOB_REASON_NONE;
}

static gboolean
check_reason (const Model *self, const ModelJob *job, JobInfo *info, char **difference)
{
  const char *culprit = job_info_get_culprit (info);

  if (!is_same_number (job, "reason", get_reason (job), job_info_get_reason (info), difference))
    return FALSE;
  if (get_reason (job) == JOB_REASON_DEPENDENCY ? is_culprit (self, job, culprit) : culprit == NULL)
    return TRUE;
  return differ (difference, "job %u (%s): the job at fault cannot be %s", job->number, job->id,
                 culprit ? culprit : "none");
}

static gboolean
check_stamps (const Model *self, const ModelJob *job, JobInfo *info, char **difference)
{
  gint64 started_at = job_info_get_started_at (info);
  gint64 finished_at = job_info_get_finished_at (info);

  if (job->queued_at != 0 &&
      !is_same_number (job, "queued-at", job->queued_at, job_info_get_queued_at (info), difference))
    return FALSE;
  if (self->exact_times)
    return is_same_number (job, "started-at", job->started_at, started_at, difference) &&
           is_same_number (job, "finished-at", job->finished_at, finished_at, difference);
  return is_same_number (job, "being started", job->started_at != 0, started_at != 0, difference) &&
         is_same_number (job, "being over", job->finished_at != 0, finished_at != 0, difference);
}

static gboolean
check_status (const Model *self, const ModelJob *job, JobInfo *info, char **difference)
{
  const char *result = job->state == JOB_STATE_SUCCEEDED ? job->outcome : NULL;
  const char *error = job->state == JOB_STATE_SUCCEEDED ? NULL : job->outcome;

  return is_same_text (job, "state", job_state_to_string (job->state),
                       job_state_to_string (job_info_get_state (info)), difference) &&
         is_same_number (job, "attempts", job->attempts, job_info_get_attempts (info),
                         difference) &&
         is_same_text (job, "result", result, job_info_get_result (info), difference) &&
         is_same_text (job, "error", error, job_info_get_error (info), difference) &&
         check_reason (self, job, info, difference) && check_stamps (self, job, info, difference);
}

static gboolean
check_info (const Model *self, const ModelJob *job, JobInfo *info, char **difference)
{
  return check_spec (job, info, difference) && check_status (self, job, info, difference) &&
         check_dependencies (self, job, info, difference) &&
         check_dependents (self, job, info, difference);
}

gboolean
model_check_job (Model *self, JobQueue *queue, guint number, char **difference)
{
  const ModelJob *job = model_get_job (self, number);
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = job_queue_get_info (queue, job->id, NULL, &error);

  if (info == NULL)
    return differ (difference, "job %u (%s) cannot be read: %s", number, job->id, error->message);
  return check_info (self, job, info, difference);
}

/* --- all of them ------------------------------------------------------------------------------ */

static int
compare_places (JobInfo *a, JobInfo *b)
{
  if (job_info_get_priority (a) != job_info_get_priority (b))
    return job_info_get_priority (a) > job_info_get_priority (b) ? -1 : 1;
  if (job_info_get_queued_at (a) != job_info_get_queued_at (b))
    return job_info_get_queued_at (a) < job_info_get_queued_at (b) ? -1 : 1;
  return strcmp (job_info_get_id (a), job_info_get_id (b));
}

/* Jobs that are not over must be listed in the order in which they would run: by priority, then as
 * they were enqueued. */
static gboolean
check_order (Model *self, GListModel *list, char **difference)
{
  const ModelJob *last = NULL;

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);
      g_autoptr (JobInfo) next = g_list_model_get_item (list, i + 1);
      const ModelJob *job = model_find (self, job_info_get_id (info));

      if (next && compare_places (info, next) >= 0)
        return differ (difference, "the list is not in order at job %u (%s)", job->number, job->id);
      if (model_is_over (job))
        continue;
      if (last && last->priority == job->priority && last->number > job->number)
        return differ (difference, "job %u (%s) comes before job %u, which was enqueued earlier",
                       last->number, last->id, job->number);
      last = job;
    }
  return TRUE;
}

static gboolean
check_jobs (Model *self, GListModel *list, char **difference)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);
      ModelJob *job = model_find (self, job_info_get_id (info));

      if (job == NULL)
        return differ (difference, "there is a job %s (%s) that should not be",
                       job_info_get_id (info), job_state_to_string (job_info_get_state (info)));
      if (!g_hash_table_add (seen, job))
        return differ (difference, "job %u (%s) is listed twice", job->number, job->id);
      if (!check_info (self, job, info, difference))
        return FALSE;
    }
  for (guint i = 0; i < self->jobs->len; i++)
    if (!g_hash_table_contains (seen, model_get_job (self, i)))
      return differ (difference, "job %u (%s, %s) is lost", i, model_get_job (self, i)->id,
                     job_state_to_string (model_get_job (self, i)->state));
  return check_order (self, list, difference);
}

static gboolean
check_lease (Model *self, JobInfo *info, char **difference)
{
  const ModelJob *job = model_find (self, job_info_get_id (info));

  if (job == NULL || job->state != JOB_STATE_RUNNING)
    return differ (difference, "job %s has a lease, and should have none", job_info_get_id (info));
  if (job->token && !is_same_text (job, "token", job->token, job_info_get_token (info), difference))
    return FALSE;
  return !self->exact_times ||
         is_same_number (job, "heartbeat's age", MAX (0, self->boot - job->heartbeat_at),
                         job_info_get_heartbeat_age (info), difference);
}

static guint
count_running (const Model *self)
{
  guint n = 0;

  for (guint i = 0; i < self->jobs->len; i++)
    n += model_get_job (self, i)->state == JOB_STATE_RUNNING;
  return n;
}

/* The oldest heartbeat comes first. */
static gboolean
check_leases (Model *self, GListModel *leases, char **difference)
{
  gint64 last = G_MAXINT64;

  for (guint i = 0; i < g_list_model_get_n_items (leases); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (leases, i);

      if (!check_lease (self, info, difference))
        return FALSE;
      if (job_info_get_heartbeat_age (info) > last)
        return differ (difference, "the leases are not in the order of their heartbeats");
      last = job_info_get_heartbeat_age (info);
    }
  return g_list_model_get_n_items (leases) == count_running (self) ||
         differ (difference, "there are %u leases, and should be %u",
                 g_list_model_get_n_items (leases), count_running (self));
}

/* --- what the model did not know -------------------------------------------------------------- */

static void
learn (Model *self, GListModel *list, GListModel *leases)
{
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);

      model_find (self, job_info_get_id (info))->queued_at = job_info_get_queued_at (info);
    }
  for (guint i = 0; i < g_list_model_get_n_items (leases); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (leases, i);
      ModelJob *job = model_find (self, job_info_get_id (info));

      model_learn_token (self, job->number, job_info_get_token (info));
    }
}

gboolean
model_check (Model *self, JobQueue *queue, char **difference)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = job_queue_list (queue, NULL, NULL, &error);
  g_autoptr (GListModel) leases = list ? job_queue_list_leases (queue, 0, NULL, &error) : NULL;
  g_autoptr (GListModel) damaged = leases ? job_queue_list_damaged (queue, NULL, &error) : NULL;

  if (damaged == NULL)
    return differ (difference, "the queue cannot be read: %s", error->message);
  if (g_list_model_get_n_items (damaged) > 0)
    return differ (difference, "%u records are damaged", g_list_model_get_n_items (damaged));
  if (!check_jobs (self, list, difference) || !check_leases (self, leases, difference))
    return FALSE;
  learn (self, list, leases);
  return TRUE;
}
