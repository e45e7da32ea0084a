/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the dependencies of a leased job came to. The asynchronous form asks for one after the
 * other: each answer comes from the main context, so that a long list neither blocks it nor nests.
 */

#include "job-lease-private.h"

/* Data of the task: what is there so far. */
static GListStore *
get_found (GTask *task)
{
  return g_task_get_task_data (task);
}

static void ask_for_next (GTask *task);

static void
take_info (GObject *queue, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error = NULL;
  g_autoptr (JobInfo) info = job_queue_get_info_finish (JOB_QUEUE (queue), result, &error);

  if (info == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_list_store_append (get_found (task), info);
  ask_for_next (g_steal_pointer (&task));
}

/* Consumes the task. */
static void
ask_for_next (GTask *task)
{
  JobLease *self = g_task_get_source_object (task);
  guint n_found = g_list_model_get_n_items (G_LIST_MODEL (get_found (task)));
  const char *id = job_lease_get_dependencies (self)[n_found];

  if (id != NULL)
    {
      job_queue_get_info_async (self->queue, id, g_task_get_cancellable (task), take_info, task);
      return;
    }
  g_task_return_pointer (task, g_object_ref (get_found (task)), g_object_unref);
  g_object_unref (task);
}

/**
 * job_lease_list_dependencies:
 * @self: a lease
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for an error
 *
 * What the dependencies of the job came to: all of them are over, and those that succeeded have
 * their results.
 *
 * Blocks.
 *
 * Errors: those of job_queue_get_info(), for the first dependency that has one.
 *
 * Returns: (transfer full): a #GListModel of #JobInfo, or %NULL with @error set; it is in the
 * order of job_lease_get_dependencies()
 *
 * Since: 1.0
 */
GListModel *
job_lease_list_dependencies (JobLease *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GListStore) found = NULL;

  g_return_val_if_fail (JOB_IS_LEASE (self), NULL);

  found = g_list_store_new (JOB_TYPE_INFO);
  for (const char *const *id = job_lease_get_dependencies (self); *id != NULL; id++)
    {
      g_autoptr (JobInfo) info = job_queue_get_info (self->queue, *id, cancellable, error);

      if (info == NULL)
        return NULL;
      g_list_store_append (found, info);
    }
  return G_LIST_MODEL (g_steal_pointer (&found));
}

/**
 * job_lease_list_dependencies_async:
 * @self: a lease
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): what to call with the answer
 * @user_data: (closure): what to give @callback
 *
 * The asynchronous form of job_lease_list_dependencies(): see there for what it does and for its
 * errors, all of which come through job_lease_list_dependencies_finish(). @callback is called in
 * the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
job_lease_list_dependencies_async (JobLease *self, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (JOB_IS_LEASE (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, job_lease_list_dependencies_async);
  g_task_set_task_data (task, g_list_store_new (JOB_TYPE_INFO), g_object_unref);
  ask_for_next (task);
}

/**
 * job_lease_list_dependencies_finish:
 * @self: a lease
 * @result: what the callback got
 * @error: return location for an error
 *
 * The answer of job_lease_list_dependencies_async(): the one that job_lease_list_dependencies()
 * gives, with its errors.
 *
 * Returns: (transfer full): a #GListModel of #JobInfo, or %NULL with @error set
 *
 * Since: 1.0
 */
GListModel *
job_lease_list_dependencies_finish (JobLease *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, job_lease_list_dependencies_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
