/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The jobs that a spec waits for. Most wait for none, and have no array. */

#include "job-spec-private.h"

static void
clear_dependency (gpointer data)
{
  g_free (((JobSpecDependency *) data)->id);
}

guint
job_spec_count_dependencies (JobSpec *self)
{
  return self->dependencies != NULL ? self->dependencies->len : 0;
}

/**
 * job_spec_add_dependency:
 * @self: a spec
 * @id: (nullable): the id of the job to wait for
 * @condition: what is asked of it
 *
 * Lets the job wait for another one: one that is in the queue already, or one of the same
 * job_queue_enqueue_many(). If the condition can no longer come true, the job is canceled at once.
 *
 * A job may have at most 65,535 dependencies, each of them named once. All of that is checked when
 * the job is enqueued.
 *
 * Since: 1.0
 */
void
job_spec_add_dependency (JobSpec *self, const char *id, JobCondition condition)
{
  JobSpecDependency dependency = { .condition = condition };

  g_return_if_fail (JOB_IS_SPEC (self));

  if (self->dependencies == NULL)
    {
      self->dependencies = g_array_new (FALSE, FALSE, sizeof (JobSpecDependency));
      g_array_set_clear_func (self->dependencies, clear_dependency);
    }
  dependency.id = g_strdup (id != NULL ? id : "");
  g_array_append_val (self->dependencies, dependency);
}

/**
 * job_spec_dup_dependencies:
 * @self: a spec
 *
 * The ids of the jobs to wait for, as they were added, in that order.
 *
 * Returns: (array zero-terminated=1) (transfer full): the ids; free with g_strfreev()
 *
 * Since: 1.0
 */
char **
job_spec_dup_dependencies (JobSpec *self)
{
  guint n;
  char **ids;

  g_return_val_if_fail (JOB_IS_SPEC (self), NULL);

  n = job_spec_count_dependencies (self);
  ids = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    ids[i] = g_strdup (g_array_index (self->dependencies, JobSpecDependency, i).id);
  return ids;
}
