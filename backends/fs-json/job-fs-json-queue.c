/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The backend: a local queue over a folder of job files. It holds nothing but where that is. */

#include "jobqueue-backend.h"

#include "job-fs-json-store.h"

#define JOB_TYPE_FS_JSON_QUEUE (job_fs_json_queue_get_type ())
G_DECLARE_FINAL_TYPE (JobFsJsonQueue, job_fs_json_queue, JOB, FS_JSON_QUEUE, JobLocalQueue)

struct _JobFsJsonQueue
{
  JobLocalQueue parent_instance;

  char *directory; /* constant after construction */
};

enum
{
  PROP_DIRECTORY = 1,
  N_PROPS,
};

static GParamSpec *props[N_PROPS];

/* clang-format off */
G_DEFINE_FINAL_TYPE (JobFsJsonQueue, job_fs_json_queue, JOB_TYPE_LOCAL_QUEUE)
/* clang-format on */

static JobStore *
job_fs_json_queue_open_store (JobLocalQueue *queue, GError **error)
{
  JobFsJsonQueue *self = JOB_FS_JSON_QUEUE (queue);

  if (self->directory == NULL || *self->directory == '\0')
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
                   "fs-json does not know where its jobs are: set “directory” to a folder");
      return NULL;
    }
  return job_fs_json_store_new (self->directory, error);
}

static void
job_fs_json_queue_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  JobFsJsonQueue *self = JOB_FS_JSON_QUEUE (object);

  if (id == PROP_DIRECTORY)
    self->directory = g_value_dup_string (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
job_fs_json_queue_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  JobFsJsonQueue *self = JOB_FS_JSON_QUEUE (object);

  if (id == PROP_DIRECTORY)
    g_value_set_string (value, self->directory);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
job_fs_json_queue_finalize (GObject *object)
{
  g_free (JOB_FS_JSON_QUEUE (object)->directory);
  G_OBJECT_CLASS (job_fs_json_queue_parent_class)->finalize (object);
}

static void
job_fs_json_queue_class_init (JobFsJsonQueueClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = job_fs_json_queue_set_property;
  object_class->get_property = job_fs_json_queue_get_property;
  object_class->finalize = job_fs_json_queue_finalize;
  JOB_LOCAL_QUEUE_CLASS (klass)->open_store = job_fs_json_queue_open_store;

  props[PROP_DIRECTORY] = g_param_spec_string (
      "directory", "Directory", "The folder with a file for each job; it is created if need be",
      NULL, G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
job_fs_json_queue_init (JobFsJsonQueue *self)
{
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "fs-json", job_fs_json_queue_get_type, "directory")
