/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a JobInfo says. All of it was put there when it was made. */

#include "job-info-private.h"

/**
 * job_info_get_id:
 * @self: what a job looks like
 *
 * The id of the job.
 *
 * Returns: (transfer none): the id, a UUID in its canonical form
 *
 * Since: 1.0
 */
const char *
job_info_get_id (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return self->id;
}

/**
 * job_info_get_job_type:
 * @self: what a job looks like
 *
 * What kind of work the job is.
 *
 * Returns: (transfer none): the type
 *
 * Since: 1.0
 */
const char *
job_info_get_job_type (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return self->record->type;
}

/**
 * job_info_get_channel:
 * @self: what a job looks like
 *
 * The stream that the job belongs to.
 *
 * Returns: (transfer none): the channel; the empty string is the default one
 *
 * Since: 1.0
 */
const char *
job_info_get_channel (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return self->record->channel;
}

/**
 * job_info_get_args:
 * @self: what a job looks like
 *
 * What the worker of the job gets.
 *
 * Returns: (transfer none): JSON text, as it was enqueued
 *
 * Since: 1.0
 */
const char *
job_info_get_args (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return self->record->args;
}

/**
 * job_info_get_state:
 * @self: what a job looks like
 *
 * How the job stands.
 *
 * Returns: the state
 *
 * Since: 1.0
 */
JobState
job_info_get_state (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), JOB_STATE_BLOCKED);

  return self->state;
}

/**
 * job_info_get_result:
 * @self: what a job looks like
 *
 * What the job was completed with.
 *
 * Returns: (transfer none) (nullable): JSON text, or %NULL if the job did not succeed (yet)
 *
 * Since: 1.0
 */
const char *
job_info_get_result (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return self->state == JOB_STATE_SUCCEEDED ? self->status.outcome : NULL;
}

/**
 * job_info_get_error:
 * @self: what a job looks like
 *
 * What the last attempt of the job failed with: it is there for a failed job, and for one that has
 * another attempt.
 *
 * Returns: (transfer none) (nullable): JSON text, or %NULL if no attempt failed, or the job
 * succeeded in the end
 *
 * Since: 1.0
 */
const char *
job_info_get_error (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return self->state != JOB_STATE_SUCCEEDED ? self->status.outcome : NULL;
}

/**
 * job_info_get_priority:
 * @self: what a job looks like
 *
 * How urgent the job is: jobs of a higher priority are dequeued first.
 *
 * Returns: the priority
 *
 * Since: 1.0
 */
int
job_info_get_priority (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), 0);

  return self->record->priority;
}

/**
 * job_info_get_attempts:
 * @self: what a job looks like
 *
 * How many attempts were made so far; the running one counts, and one that was given back by
 * job_queue_release() does not.
 *
 * Returns: the number of attempts
 *
 * Since: 1.0
 */
guint
job_info_get_attempts (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), 0);

  return self->status.attempts;
}

/**
 * job_info_get_max_attempts:
 * @self: what a job looks like
 *
 * How many attempts the job has at most.
 *
 * Returns: the number of attempts
 *
 * Since: 1.0
 */
guint
job_info_get_max_attempts (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), 0);

  return self->record->max_attempts;
}

/**
 * job_info_get_queued_at:
 * @self: what a job looks like
 *
 * When the job was enqueued. Within one queue no two jobs have the same time: within a priority it
 * is the order.
 *
 * Returns: nanoseconds since 1970 (UTC)
 *
 * Since: 1.0
 */
gint64
job_info_get_queued_at (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), 0);

  return self->record->queued_at;
}

/**
 * job_info_get_run_at:
 * @self: what a job looks like
 *
 * Before when the job shall not start.
 *
 * Returns: nanoseconds since 1970 (UTC); 0: at once
 *
 * Since: 1.0
 */
gint64
job_info_get_run_at (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), 0);

  return self->record->run_at;
}

/**
 * job_info_get_started_at:
 * @self: what a job looks like
 *
 * When the running or the last attempt began.
 *
 * Returns: nanoseconds since 1970 (UTC); 0: not yet
 *
 * Since: 1.0
 */
gint64
job_info_get_started_at (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), 0);

  return self->status.started_at;
}

/**
 * job_info_get_finished_at:
 * @self: what a job looks like
 *
 * When the job was over.
 *
 * Returns: nanoseconds since 1970 (UTC); 0: not yet
 *
 * Since: 1.0
 */
gint64
job_info_get_finished_at (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), 0);

  return self->status.finished_at;
}

/**
 * job_info_get_dependencies:
 * @self: what a job looks like
 *
 * The jobs that this one was told to wait for, finished or not, in the order of its spec.
 *
 * Returns: (array zero-terminated=1) (transfer none): their ids
 *
 * Since: 1.0
 */
const char *const *
job_info_get_dependencies (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return (const char *const *) self->dependencies;
}

/**
 * job_info_get_condition:
 * @self: what a job looks like
 * @index: which dependency: its place in job_info_get_dependencies()
 *
 * What is asked of a dependency.
 *
 * Returns: the condition; %JOB_CONDITION_AFTER_OK if there is no such dependency
 *
 * Since: 1.0
 */
JobCondition
job_info_get_condition (JobInfo *self, guint index)
{
  g_return_val_if_fail (JOB_IS_INFO (self), JOB_CONDITION_AFTER_OK);
  g_return_val_if_fail (index < self->record->n_dependencies, JOB_CONDITION_AFTER_OK);

  return self->record->dependencies[index].condition;
}

/**
 * job_info_get_dependents:
 * @self: what a job looks like
 *
 * The jobs that were told to wait for this one, finished or not.
 *
 * Returns: (array zero-terminated=1) (transfer none): their ids
 *
 * Since: 1.0
 */
const char *const *
job_info_get_dependents (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return (const char *const *) self->dependents;
}

/**
 * job_info_get_reason:
 * @self: what a job looks like
 *
 * Why the job waits, or why it was canceled. job_info_dup_reason_text() says it in words.
 *
 * Returns: the reason
 *
 * Since: 1.0
 */
JobReason
job_info_get_reason (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), JOB_REASON_NONE);

  return self->reason;
}

/**
 * job_info_get_culprit:
 * @self: what a job looks like
 *
 * The job behind job_info_get_reason(): for a job that waits, the first unfinished (or damaged)
 * dependency; for one that was canceled because of a dependency, the job at fault.
 *
 * Returns: (transfer none) (nullable): its id, or %NULL if the reason is no other job
 *
 * Since: 1.0
 */
const char *
job_info_get_culprit (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return self->culprit[0] != '\0' ? self->culprit : NULL;
}

/**
 * job_info_get_token:
 * @self: what a job looks like
 *
 * The token of the running lease. Only job_queue_list_leases() fills it in. It is a secret: whoever
 * has it may complete or fail the job.
 *
 * Returns: (transfer none) (nullable): the token, or %NULL if it is not told, or the lease has none
 *
 * Since: 1.0
 */
const char *
job_info_get_token (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), NULL);

  return self->token[0] != '\0' ? self->token : NULL;
}

/**
 * job_info_get_heartbeat_age:
 * @self: what a job looks like
 *
 * How long ago the last sign of life of the running lease was. Only job_queue_list_leases() fills
 * it in.
 *
 * Returns: microseconds; -1 if it is not told
 *
 * Since: 1.0
 */
gint64
job_info_get_heartbeat_age (JobInfo *self)
{
  g_return_val_if_fail (JOB_IS_INFO (self), -1);

  return self->heartbeat_age;
}
