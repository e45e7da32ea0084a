/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The enumerations, and the one spelling of each state and condition, in JSON, on the command line
 * and in messages alike. (The nicknames make the names in bindings: Job.Condition.AFTER_OK.) */

#include "job-enums.h"
#include "job-error.h"
#include "job-name-private.h"

/**
 * JobState:
 * @JOB_STATE_BLOCKED: a dependency is unfinished
 * @JOB_STATE_SCHEDULED: not before a time: a delay, or back-off
 * @JOB_STATE_PENDING: may be dequeued now
 * @JOB_STATE_RUNNING: leased
 * @JOB_STATE_SUCCEEDED: over: it was completed
 * @JOB_STATE_FAILED: over: its last attempt failed
 * @JOB_STATE_CANCELED: over: it was canceled, or a dependency's condition can no longer come true
 *
 * How a job stands. The last three states are final: only an administrator's retry revives a failed
 * or canceled job.
 *
 * The texts are "blocked", "scheduled", "pending", "running", "succeeded", "failed" and "canceled".
 *
 * Since: 1.0
 */
G_DEFINE_ENUM_TYPE (JobState, job_state, G_DEFINE_ENUM_VALUE (JOB_STATE_BLOCKED, "blocked"),
                    G_DEFINE_ENUM_VALUE (JOB_STATE_SCHEDULED, "scheduled"),
                    G_DEFINE_ENUM_VALUE (JOB_STATE_PENDING, "pending"),
                    G_DEFINE_ENUM_VALUE (JOB_STATE_RUNNING, "running"),
                    G_DEFINE_ENUM_VALUE (JOB_STATE_SUCCEEDED, "succeeded"),
                    G_DEFINE_ENUM_VALUE (JOB_STATE_FAILED, "failed"),
                    G_DEFINE_ENUM_VALUE (JOB_STATE_CANCELED, "canceled"))

/**
 * JobCondition:
 * @JOB_CONDITION_AFTER_OK: run if the dependency succeeded
 * @JOB_CONDITION_AFTER_ANY: run when the dependency is over, however it ended
 * @JOB_CONDITION_AFTER_NOT_OK: run if the dependency failed or was canceled
 *
 * What a job asks of a dependency. A condition that can no longer come true cancels the job at
 * once.
 *
 * The texts are those of batch schedulers: "afterok", "afterany" and "afternotok".
 *
 * Since: 1.0
 */
G_DEFINE_ENUM_TYPE (JobCondition, job_condition,
                    G_DEFINE_ENUM_VALUE (JOB_CONDITION_AFTER_OK, "after-ok"),
                    G_DEFINE_ENUM_VALUE (JOB_CONDITION_AFTER_ANY, "after-any"),
                    G_DEFINE_ENUM_VALUE (JOB_CONDITION_AFTER_NOT_OK, "after-not-ok"))

/**
 * JobReason:
 * @JOB_REASON_NONE: there is nothing to explain
 * @JOB_REASON_REQUESTED: canceled because somebody asked for it
 * @JOB_REASON_DEPENDENCY: waits for a dependency, or was canceled because of one
 * @JOB_REASON_DAMAGED_DEPENDENCY: waits for a dependency whose record cannot be read
 * @JOB_REASON_RUN_AT: waits for its time
 * @JOB_REASON_LEASE_WITHOUT_TOKEN: failed, since it was running under a lease without a token when
 * its store was opened, and nobody could have ended that
 *
 * Why a job waits, or why it was canceled: see job_info_get_reason() and job_info_get_culprit().
 *
 * The texts are "none", "requested", "dependency", "damaged-dependency", "run-at" and
 * "lease-without-token".
 *
 * Since: 1.0
 */
G_DEFINE_ENUM_TYPE (JobReason, job_reason, G_DEFINE_ENUM_VALUE (JOB_REASON_NONE, "none"),
                    G_DEFINE_ENUM_VALUE (JOB_REASON_REQUESTED, "requested"),
                    G_DEFINE_ENUM_VALUE (JOB_REASON_DEPENDENCY, "dependency"),
                    G_DEFINE_ENUM_VALUE (JOB_REASON_DAMAGED_DEPENDENCY, "damaged-dependency"),
                    G_DEFINE_ENUM_VALUE (JOB_REASON_RUN_AT, "run-at"),
                    G_DEFINE_ENUM_VALUE (JOB_REASON_LEASE_WITHOUT_TOKEN, "lease-without-token"))

/* By value. */
static const char *const state_texts[] = {
  "blocked", "scheduled", "pending", "running", "succeeded", "failed", "canceled", NULL,
};
static const char *const condition_texts[] = { "afterok", "afterany", "afternotok", NULL };

static const char *
to_text (const char *const *texts, guint value)
{
  return value < g_strv_length ((char **) texts) ? texts[value] : NULL;
}

static gboolean
from_text (const char *const *texts, const char *what, const char *text, guint *value,
           GError **error)
{
  g_autofree char *quoted = NULL;
  g_autofree char *known = NULL;

  for (*value = 0; texts[*value] != NULL; (*value)++)
    if (g_strcmp0 (text, texts[*value]) == 0)
      return TRUE;
  quoted = job_name_quote (text);
  known = g_strjoinv (", ", (char **) texts);
  g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID, "%s is not a %s: use one of %s", quoted, what,
               known);
  return FALSE;
}

/**
 * job_state_to_string:
 * @state: a state
 *
 * The text for a state: "blocked", "scheduled" and so on. It is the same in JSON and on the command
 * line.
 *
 * May be called from any thread.
 *
 * Returns: (transfer none) (nullable): the text, a static string, or %NULL if @state is not a
 * #JobState
 *
 * Since: 1.0
 */
const char *
job_state_to_string (JobState state)
{
  return to_text (state_texts, state);
}

/**
 * job_state_from_string:
 * @text: (nullable): a text, such as "pending"
 * @state: (out): where to put the state
 * @error: return location for an error
 *
 * The state for a text, as job_state_to_string() gives it. Only exactly those texts are taken.
 *
 * May be called from any thread. If @text is anything else, the error is %JOB_ERROR_INVALID and
 * lists what is right; @state is then left alone.
 *
 * Returns: whether @text is a state
 *
 * Since: 1.0
 */
gboolean
job_state_from_string (const char *text, JobState *state, GError **error)
{
  guint value;

  if (!from_text (state_texts, "state", text, &value, error))
    return FALSE;
  *state = (JobState) value;
  return TRUE;
}

/**
 * job_state_is_final:
 * @state: a state
 *
 * Whether a job in this state is over: it succeeded, failed or was canceled.
 *
 * May be called from any thread.
 *
 * Returns: %TRUE if the job is over
 *
 * Since: 1.0
 */
gboolean
job_state_is_final (JobState state)
{
  return state == JOB_STATE_SUCCEEDED || state == JOB_STATE_FAILED || state == JOB_STATE_CANCELED;
}

/**
 * job_condition_to_string:
 * @condition: a condition
 *
 * The text for a condition: "afterok", "afterany" or "afternotok".
 *
 * May be called from any thread.
 *
 * Returns: (transfer none) (nullable): the text, a static string, or %NULL if @condition is not a
 * #JobCondition
 *
 * Since: 1.0
 */
const char *
job_condition_to_string (JobCondition condition)
{
  return to_text (condition_texts, condition);
}

/**
 * job_condition_from_string:
 * @text: (nullable): a text, such as "afterok"
 * @condition: (out): where to put the condition
 * @error: return location for an error
 *
 * The condition for a text, as job_condition_to_string() gives it. Only exactly those texts are
 * taken.
 *
 * May be called from any thread. If @text is anything else, the error is %JOB_ERROR_INVALID and
 * lists what is right; @condition is then left alone.
 *
 * Returns: whether @text is a condition
 *
 * Since: 1.0
 */
gboolean
job_condition_from_string (const char *text, JobCondition *condition, GError **error)
{
  guint value;

  if (!from_text (condition_texts, "condition", text, &value, error))
    return FALSE;
  *condition = (JobCondition) value;
  return TRUE;
}
