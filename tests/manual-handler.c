/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A handler whose jobs end when the test says so. */

#include "manual-handler.h"

struct _ManualHandler
{
  GObject parent_instance;

  gboolean automatic;
  gboolean stubborn;
  GQueue running; /* of GTask, owned */
  guint n_begun;
  guint n_cancelled;
};

typedef struct
{
  gboolean succeeded;
  GSource *source; /* of the cancellable */
} Run;

static void manual_handler_iface_init (JobHandlerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ManualHandler, manual_handler, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (JOB_TYPE_HANDLER, manual_handler_iface_init))

static void
run_free (gpointer data)
{
  Run *run = data;

  g_source_destroy (run->source);
  g_source_unref (run->source);
  g_free (run);
}

/* Takes the task. */
static void
end_task (GTask *task, gboolean succeeded, const char *outcome, GError *error)
{
  Run *run = g_task_get_task_data (task);

  g_source_destroy (run->source);
  run->succeeded = succeeded;
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, g_strdup (outcome), g_free);
  g_object_unref (task);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  GTask *task = data;
  ManualHandler *self = g_task_get_source_object (task);

  self->n_cancelled++;
  if (self->stubborn)
    return G_SOURCE_REMOVE;

  g_queue_remove (&self->running, task);
  end_task (task, FALSE, NULL, g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "Cancelled"));
  return G_SOURCE_REMOVE;
}

static void
manual_handler_run_async (JobHandler *handler, JobLease *lease, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  ManualHandler *self = MANUAL_HANDLER (handler);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Run *run = g_new0 (Run, 1);

  self->n_begun++;
  g_task_set_check_cancellable (task, FALSE);
  run->source = g_cancellable_source_new (cancellable);
  g_task_set_task_data (task, run, run_free);
  if (self->automatic)
    {
      end_task (task, TRUE, "null", NULL);
      return;
    }

  g_queue_push_tail (&self->running, task);
  g_source_set_callback (run->source, G_SOURCE_FUNC (on_cancelled), task, NULL);
  g_source_attach (run->source, g_main_context_get_thread_default ());
}

static gboolean
manual_handler_run_finish (JobHandler *handler, GAsyncResult *result, char **outcome,
                           GError **error)
{
  Run *run = g_task_get_task_data (G_TASK (result));

  *outcome = g_task_propagate_pointer (G_TASK (result), error);
  return run->succeeded;
}

static void
manual_handler_iface_init (JobHandlerInterface *iface)
{
  iface->run_async = manual_handler_run_async;
  iface->run_finish = manual_handler_run_finish;
}

static void
manual_handler_class_init (ManualHandlerClass *klass)
{
}

static void
manual_handler_init (ManualHandler *self)
{
  g_queue_init (&self->running);
}

ManualHandler *
manual_handler_new (gboolean automatic)
{
  ManualHandler *self = g_object_new (MANUAL_TYPE_HANDLER, NULL);

  self->automatic = automatic;
  return self;
}

void
manual_handler_set_stubborn (ManualHandler *self, gboolean stubborn)
{
  self->stubborn = stubborn;
}

guint
manual_handler_get_n_running (ManualHandler *self)
{
  return self->running.length;
}

guint
manual_handler_get_n_begun (ManualHandler *self)
{
  return self->n_begun;
}

guint
manual_handler_get_n_cancelled (ManualHandler *self)
{
  return self->n_cancelled;
}

void
manual_handler_end (ManualHandler *self, gboolean succeeded, const char *outcome, GError *error)
{
  GTask *task = g_queue_pop_head (&self->running);

  g_assert_nonnull (task);
  end_task (task, succeeded, outcome, error);
}
