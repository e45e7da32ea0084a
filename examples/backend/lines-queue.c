/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The backend "lines": its one option, the file, and the descriptor of the module. */

#include "lines-store.h"

G_DECLARE_FINAL_TYPE (LinesQueue, lines_queue, LINES, QUEUE, JobLocalQueue)

struct _LinesQueue
{
  JobLocalQueue parent_instance;
  char *file; /* constant after construction */
};

enum
{
  PROP_FILE = 1,
};

G_DEFINE_FINAL_TYPE (LinesQueue, lines_queue, JOB_TYPE_LOCAL_QUEUE)

static JobStore *
lines_queue_open_store (JobLocalQueue *queue, GError **error)
{
  LinesQueue *self = LINES_QUEUE (queue);

  if (self->file != NULL && self->file[0] != '\0')
    return lines_store_new (self->file, error);
  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
               "The backend “lines” needs a file: set the option “file” to a path");
  return NULL;
}

static void
lines_queue_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_FILE)
    LINES_QUEUE (object)->file = g_value_dup_string (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
lines_queue_finalize (GObject *object)
{
  g_free (LINES_QUEUE (object)->file);
  G_OBJECT_CLASS (lines_queue_parent_class)->finalize (object);
}

static void
lines_queue_class_init (LinesQueueClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = lines_queue_set_property;
  object_class->finalize = lines_queue_finalize;
  JOB_LOCAL_QUEUE_CLASS (klass)->open_store = lines_queue_open_store;
  g_object_class_install_property (
      object_class, PROP_FILE,
      g_param_spec_string ("file", NULL, NULL, NULL,
                           G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
lines_queue_init (LinesQueue *self)
{
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "lines", lines_queue_get_type, "file")
