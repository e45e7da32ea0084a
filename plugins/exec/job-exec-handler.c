/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The handler of "exec" jobs: reads the args, fetches what the dependencies gave if that is asked
 * for, runs the command, and says what came of it. What args and result look like is told in
 * docs/exec.md. */

#include "job-exec-handler.h"

#include "job-exec-command.h"

#include "jobqueue-backend.h"

#define DEFAULT_GRACE (5 * G_USEC_PER_SEC)

struct _JobExecHandler
{
  GObject parent_instance;

  gint64 grace; /* µs; read when a command starts */
};

enum
{
  PROP_0,
  PROP_GRACE,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

/* The data of a run's task. */
typedef struct
{
  JobLease *lease;
  JobExecArgs *args;
  JobExecCommand *command;  /* NULL: not started */
  GSource *stop_sources[2]; /* of the run's cancellable, and of the lease's */
  gboolean succeeded;
} Run;

static void job_exec_handler_iface_init (JobHandlerInterface *iface);

/**
 * JobExecHandler:
 *
 * Runs a command for a job, as its args say.
 *
 * The command has a process group of its own. The job's cancellation, the worker's stop and the
 * job's time limit reach the whole group, by SIGTERM and, after a grace, by SIGKILL; and what is
 * left of the group when the command has ended, or when the worker has died, is killed.
 *
 * Since: 1.0
 */
G_DEFINE_FINAL_TYPE_WITH_CODE (JobExecHandler, job_exec_handler, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (JOB_TYPE_HANDLER,
                                                      job_exec_handler_iface_init))

JOB_PLUGIN_DEFINE (JOB_PLUGIN_HANDLER, "exec", job_exec_handler_get_type, NULL)

/* A run. */

static void
run_unwatch (Run *run)
{
  for (guint i = 0; i < G_N_ELEMENTS (run->stop_sources); i++)
    if (run->stop_sources[i] != NULL)
      {
        g_source_destroy (run->stop_sources[i]);
        g_clear_pointer (&run->stop_sources[i], g_source_unref);
      }
}

static void
run_free (gpointer data)
{
  Run *run = data;

  run_unwatch (run);
  g_clear_pointer (&run->command, job_exec_command_free);
  g_clear_pointer (&run->args, job_exec_args_free);
  g_object_unref (run->lease);
  g_free (run);
}

static gboolean
on_stop (GCancellable *cancellable, gpointer data)
{
  Run *run = data;

  job_exec_command_stop (run->command);
  return G_SOURCE_REMOVE;
}

static GSource *
run_watch (Run *run, GCancellable *cancellable)
{
  GSource *source;

  if (cancellable == NULL)
    return NULL;

  source = g_cancellable_source_new (cancellable);
  g_source_set_static_name (source, "[jobqueue] exec stop");
  g_source_set_callback (source, G_SOURCE_FUNC (on_stop), run, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());

  return source;
}

static void
return_cancelled (GTask *task, Run *run)
{
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                           "The job %s was stopped before it was done",
                           job_lease_get_id (run->lease));
}

static void
on_ended (JobExecCommand *command, gpointer data)
{
  g_autoptr (GTask) task = data;
  Run *run = g_task_get_task_data (task);
  g_autofree char *outcome = NULL;
  GError *error = NULL;

  run_unwatch (run);
  outcome = job_exec_command_dup_outcome (command, &run->succeeded, &error);

  if (job_exec_command_was_stopped (command))
    {
      g_clear_error (&error);
      return_cancelled (task, run);
    }
  else if (error != NULL)
    {
      g_task_return_error (task, error);
    }
  else
    {
      g_task_return_pointer (task, g_steal_pointer (&outcome), g_free);
    }
}

static gboolean
run_is_cancelled (GTask *task, Run *run)
{
  return g_cancellable_is_cancelled (g_task_get_cancellable (task)) ||
         g_cancellable_is_cancelled (job_lease_get_cancellable (run->lease));
}

/* Takes the task. */
static void
start_command (GTask *task)
{
  g_autoptr (GTask) owned = task;
  JobExecHandler *self = g_task_get_source_object (task);
  Run *run = g_task_get_task_data (task);
  GError *error = NULL;

  if (run_is_cancelled (task, run))
    {
      return_cancelled (task, run);
      return;
    }

  run->command = job_exec_command_start (run->args, self->grace, on_ended, task, &error);
  if (run->command == NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  g_steal_pointer (&owned); /* on_ended() has it */
  run->stop_sources[0] = run_watch (run, g_task_get_cancellable (task));
  run->stop_sources[1] = run_watch (run, job_lease_get_cancellable (run->lease));
}

/* What the dependencies gave, as JSON. */

static void
append_member (GString *json, const char *name, const char *value)
{
  g_string_append_printf (json, ",\"%s\":%s", name, value != NULL ? value : "null");
}

static void
append_dependency (GString *json, JobInfo *info)
{
  g_string_append_printf (json, "{\"id\":\"%s\",\"type\":", job_info_get_id (info));
  job_json_append_string (json, job_info_get_job_type (info));
  g_string_append_printf (json, ",\"state\":\"%s\"",
                          job_state_to_string (job_info_get_state (info)));
  append_member (json, "args", job_info_get_args (info));
  append_member (json, "result", job_info_get_result (info));
  append_member (json, "error", job_info_get_error (info));
  g_string_append_c (json, '}');
}

static char *
dup_dependencies_json (GListModel *list)
{
  GString *json = g_string_new ("[");

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);

      g_string_append (json, i > 0 ? ",\n" : "");
      append_dependency (json, info);
    }

  g_string_append (json, "]\n");
  return g_string_free (json, FALSE);
}

static void
on_dependencies (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  Run *run = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GListModel) list = NULL;

  list = job_lease_list_dependencies_finish (JOB_LEASE (source), result, &error);
  if (list == NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  run->args->input = dup_dependencies_json (list);
  start_command (g_steal_pointer (&task));
}

/* The interface. */

static void
job_exec_handler_run_async (JobHandler *handler, JobLease *lease, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (handler, cancellable, callback, user_data);
  Run *run = g_new0 (Run, 1);
  GError *error = NULL;

  g_task_set_source_tag (task, job_exec_handler_run_async);
  g_task_set_check_cancellable (task, FALSE);
  run->lease = g_object_ref (lease);
  g_task_set_task_data (task, run, run_free);

  run->args = job_exec_args_parse (job_lease_get_args (lease), &error);
  if (run->args == NULL)
    g_task_return_error (task, error);
  else if (run->args->input_from_dependencies)
    job_lease_list_dependencies_async (lease, cancellable, on_dependencies,
                                       g_steal_pointer (&task));
  else
    start_command (g_steal_pointer (&task));
}

static gboolean
job_exec_handler_run_finish (JobHandler *handler, GAsyncResult *result, char **outcome,
                             GError **error)
{
  Run *run;

  g_return_val_if_fail (g_task_is_valid (result, handler), FALSE);

  run = g_task_get_task_data (G_TASK (result));
  *outcome = g_task_propagate_pointer (G_TASK (result), error);

  return *outcome != NULL && run->succeeded;
}

static void
job_exec_handler_iface_init (JobHandlerInterface *iface)
{
  iface->run_async = job_exec_handler_run_async;
  iface->run_finish = job_exec_handler_run_finish;
}

/* The object. */

static void
job_exec_handler_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  JobExecHandler *self = JOB_EXEC_HANDLER (object);

  if (id == PROP_GRACE)
    g_value_set_int64 (value, self->grace);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
job_exec_handler_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  JobExecHandler *self = JOB_EXEC_HANDLER (object);

  if (id == PROP_GRACE)
    self->grace = g_value_get_int64 (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
job_exec_handler_class_init (JobExecHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = job_exec_handler_get_property;
  object_class->set_property = job_exec_handler_set_property;

  /**
   * JobExecHandler:grace:
   *
   * How long the processes of a command have between SIGTERM and SIGKILL, in microseconds.
   *
   * Since: 1.0
   */
  props[PROP_GRACE] =
      g_param_spec_int64 ("grace", NULL, NULL, 0, 1000000 * (gint64) G_USEC_PER_SEC, DEFAULT_GRACE,
                          G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
job_exec_handler_init (JobExecHandler *self)
{
}
