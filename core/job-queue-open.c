/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening a queue. A config file or a key file in memory (job-queue-config.c), a URI
 * (job-queue-uri.c), a backend's name with options (below): all come down to a backend, its options
 * as text, and a few words that say in an error where they came from.
 *
 * A config, or a caller, that names no backend means the default one. Its place has to be named
 * even so: the library never chooses where jobs lie. A URI always names its backend, since a path
 * in its stead could be read as either. */

#include "job-queue-open-private.h"

#include "job-error.h"
#include "job-plugin-path.h"

gboolean
job_queue_backend_is_listed (const char *backend)
{
  g_auto (GStrv) backends = job_list_backends ();

  return g_strv_contains ((const char *const *) backends, backend);
}

const JobPluginDescriptor *
job_queue_find_backend (const char *backend, const char *where, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  const JobPluginDescriptor *descriptor =
      job_plugin_load (JOB_PLUGIN_BACKEND, backend, &local_error);

  if (descriptor == NULL)
    g_set_error (error, JOB_ERROR,
                 job_queue_backend_is_listed (backend) ? JOB_ERROR_PLUGIN : JOB_ERROR_CONFIG,
                 "%s: %s", where, local_error->message);
  return descriptor;
}

JobQueue *
job_queue_open_backend (const JobPluginDescriptor *descriptor, JobQueueOptions *options,
                        JobClock *clock, const char *where, GError **error)
{
  g_autoptr (GObject) object = NULL;

  if (!job_queue_options_check_location (options, descriptor, where, error))
    return NULL;
  if (clock != NULL && !job_queue_options_add_clock (options, clock, where, error))
    return NULL;

  object = job_queue_options_construct (options);
  if (!g_initable_init (G_INITABLE (object), NULL, error))
    return NULL;
  return JOB_QUEUE (g_steal_pointer (&object));
}

/**
 * job_queue_new_for_backend:
 * @backend: (nullable): the name of a backend, such as `fs-json`, or %NULL for `sqlite`
 * @options: (nullable) (element-type utf8 utf8): its options, with the keys of its group in a
 * config file and values as they would be there, or %NULL for none
 * @clock: (nullable): the time as the queue is to have it, or %NULL for the system's
 *
 * Opens a queue on a backend that is named by the program. A relative path of a store counts from
 * the current folder.
 *
 * Blocks until the store is open and its jobs are known. May be called from any thread.
 *
 * Errors are %JOB_ERROR_CONFIG for a backend that is not there, an unknown key, a value that does
 * not fit its key, or a clock for a backend that keeps its own time; %JOB_ERROR_PLUGIN for a
 * backend that cannot be loaded; and those that the backend has for opening its store, such as
 * %JOB_ERROR_LOCKED, %JOB_ERROR_STORAGE, %JOB_ERROR_CORRUPT or %JOB_ERROR_VERSION.
 *
 * Returns: (transfer full): a queue
 *
 * Since: 1.0
 */
JobQueue *
job_queue_new_for_backend (const char *backend, GHashTable *options, JobClock *clock,
                           GError **error)
{
  g_autofree char *where = NULL;
  g_autoptr (JobQueueOptions) parsed = NULL;
  const JobPluginDescriptor *descriptor;

  g_return_val_if_fail (clock == NULL || JOB_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  where = g_strdup_printf ("Backend “%s”%s", backend != NULL ? backend : JOB_QUEUE_DEFAULT_BACKEND,
                           backend != NULL ? "" : " (since none is named)");
  descriptor =
      job_queue_find_backend (backend != NULL ? backend : JOB_QUEUE_DEFAULT_BACKEND, where, error);
  if (descriptor == NULL)
    return NULL;

  parsed = job_queue_options_parse (descriptor, options, where, NULL, error);
  return parsed != NULL ? job_queue_open_backend (descriptor, parsed, clock, where, error) : NULL;
}
