/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The backend "gdbm": one option, the file. */

#include "job-gdbm-queue.h"

#include "job-gdbm-store.h"

struct _JobGdbmQueue
{
  JobLocalQueue parent_instance;

  char *file; /* constant after construction */
};

enum
{
  PROP_FILE = 1,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (JobGdbmQueue, job_gdbm_queue, JOB_TYPE_LOCAL_QUEUE)

static JobStore *
job_gdbm_queue_open_store (JobLocalQueue *queue, GError **error)
{
  JobGdbmQueue *self = JOB_GDBM_QUEUE (queue);

  if (self->file == NULL || *self->file == '\0')
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
                   "The backend “gdbm” needs the option “file”: the path of the file to keep jobs "
                   "in, such as file=/var/lib/example/jobs.gdbm");
      return NULL;
    }
  return job_gdbm_store_new (self->file, error);
}

static void
job_gdbm_queue_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_FILE)
    g_value_set_string (value, JOB_GDBM_QUEUE (object)->file);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
job_gdbm_queue_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_FILE)
    JOB_GDBM_QUEUE (object)->file = g_value_dup_string (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
job_gdbm_queue_finalize (GObject *object)
{
  g_free (JOB_GDBM_QUEUE (object)->file);
  G_OBJECT_CLASS (job_gdbm_queue_parent_class)->finalize (object);
}

static void
job_gdbm_queue_class_init (JobGdbmQueueClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = job_gdbm_queue_get_property;
  object_class->set_property = job_gdbm_queue_set_property;
  object_class->finalize = job_gdbm_queue_finalize;
  JOB_LOCAL_QUEUE_CLASS (klass)->open_store = job_gdbm_queue_open_store;

  /**
   * JobGdbmQueue:file:
   *
   * The path of the gdbm file; it is made if it is not there, its folder must be. Two more files
   * stand beside it: its journal and its lock.
   *
   * Since: 1.0
   */
  props[PROP_FILE] =
      g_param_spec_string ("file", NULL, NULL, NULL,
                           G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
job_gdbm_queue_init (JobGdbmQueue *self)
{
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "gdbm", job_gdbm_queue_get_type, "file")
