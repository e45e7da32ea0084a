/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The interface of what runs jobs: a guard and a call for each of its two functions, and the way
 * from the name of a plugin to an object. */

#include "job-handler.h"
#include "job-error.h"
#include "job-plugin.h"

/**
 * JobHandler:
 *
 * Runs the jobs of a type: an interface that plugins implement, or the application itself.
 *
 * A #JobWorker takes jobs from a queue, gives each to the handler of its type, and reports what the
 * handler says. A handler never completes, fails or releases a lease by itself.
 *
 * Since: 1.0
 */

/**
 * JobHandlerInterface:
 * @parent_interface: the parent
 * @run_async: starts a job; see job_handler_run_async()
 * @run_finish: says how it ended; see job_handler_run_finish()
 *
 * What a handler implements; both functions are mandatory.
 *
 * Since: 1.0
 */

G_DEFINE_INTERFACE (JobHandler, job_handler, G_TYPE_OBJECT)

static void
job_handler_default_init (JobHandlerInterface *iface)
{
}

/**
 * job_handler_load:
 * @name: the name of a plugin, such as "exec"
 * @error: (nullable): return location for an error
 *
 * Loads a plugin, if that has not happened yet, and makes a handler of its type. Where plugins are
 * looked for: job_add_plugin_folder(). The module stays loaded for the life of the process.
 *
 * May be called from any thread; it reads files.
 *
 * Errors: %JOB_ERROR_PLUGIN, naming the file and the cause, if @name cannot be the name of a
 * plugin, if there is none of that name, or if it cannot be loaded, has a wrong ABI version or is
 * no handler.
 *
 * Returns: (transfer full) (nullable): a new handler, or %NULL on error
 *
 * Since: 1.0
 */
JobHandler *
job_handler_load (const char *name, GError **error)
{
  const JobPluginDescriptor *descriptor = job_plugin_load (JOB_PLUGIN_HANDLER, name, error);
  GType type;

  if (descriptor == NULL)
    return NULL;

  type = descriptor->get_type ();
  if (!g_type_is_a (type, JOB_TYPE_HANDLER) || G_TYPE_IS_ABSTRACT (type))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
                   "The plugin “%s” says that it is a handler, but its type %s cannot be one: it "
                   "must be a class that implements JobHandler",
                   name, g_type_name (type));
      return NULL;
    }

  return g_object_new (type, NULL);
}

/**
 * job_handler_run_async: (virtual run_async)
 * @self: a handler
 * @lease: the job to run
 * @cancellable: (nullable): stops the job when it fires
 * @callback: (nullable) (scope async): called when the job has ended
 * @user_data: (closure): for @callback
 *
 * Runs a job. The handler stops early when @cancellable fires, or when the lease's own cancellable
 * does (see job_lease_get_cancellable()). It does not report to the queue: who called it does, with
 * what job_handler_run_finish() returns.
 *
 * @callback is called in the thread-default #GMainContext of the caller. Several jobs may run at
 * the same time.
 *
 * Since: 1.0
 */
void
job_handler_run_async (JobHandler *self, JobLease *lease, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (JOB_IS_HANDLER (self));
  g_return_if_fail (JOB_IS_LEASE (lease));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  JOB_HANDLER_GET_IFACE (self)->run_async (self, lease, cancellable, callback, user_data);
}

/**
 * job_handler_run_finish: (virtual run_finish)
 * @self: a handler
 * @async_result: what the callback got
 * @outcome: (out) (optional) (nullable) (transfer full): the result of the job, or how it failed,
 * as JSON text
 * @error: (nullable): return location for an error
 *
 * Says how a job ended. There are three ways: %TRUE, it succeeded, and @outcome is its result;
 * %FALSE with @outcome and no error, it failed, and @outcome says how; %FALSE with an error, the
 * handler could not run it.
 *
 * Errors: %G_IO_ERROR_CANCELLED if the job was stopped by a cancellable; %JOB_ERROR_INVALID if its
 * args are not what the handler understands; whatever else the handler says.
 *
 * Returns: whether the job succeeded
 *
 * Since: 1.0
 */
gboolean
job_handler_run_finish (JobHandler *self, GAsyncResult *async_result, char **outcome,
                        GError **error)
{
  g_autofree char *text = NULL;
  gboolean succeeded;

  g_return_val_if_fail (JOB_IS_HANDLER (self), FALSE);
  g_return_val_if_fail (G_IS_ASYNC_RESULT (async_result), FALSE);

  succeeded = JOB_HANDLER_GET_IFACE (self)->run_finish (self, async_result, &text, error);
  if (outcome != NULL)
    *outcome = g_steal_pointer (&text);

  return succeeded;
}
