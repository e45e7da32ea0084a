/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The backend "sqlite": one option, the file. */

#include "job-sqlite-queue.h"

#include "job-sqlite-store.h"

struct _JobSqliteQueue
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

G_DEFINE_FINAL_TYPE (JobSqliteQueue, job_sqlite_queue, JOB_TYPE_LOCAL_QUEUE)

static JobStore *
job_sqlite_queue_open_store (JobLocalQueue *queue, GError **error)
{
  JobSqliteQueue *self = JOB_SQLITE_QUEUE (queue);

  if (self->file == NULL || *self->file == '\0')
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
                   "The backend “sqlite” needs the option “file”: the path of the database to keep "
                   "jobs in, such as file=/var/lib/example/jobs.sqlite");
      return NULL;
    }
  return job_sqlite_store_new (self->file, error);
}

static void
job_sqlite_queue_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_FILE)
    g_value_set_string (value, JOB_SQLITE_QUEUE (object)->file);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
job_sqlite_queue_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_FILE)
    JOB_SQLITE_QUEUE (object)->file = g_value_dup_string (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
job_sqlite_queue_finalize (GObject *object)
{
  g_free (JOB_SQLITE_QUEUE (object)->file);
  G_OBJECT_CLASS (job_sqlite_queue_parent_class)->finalize (object);
}

static void
job_sqlite_queue_class_init (JobSqliteQueueClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = job_sqlite_queue_get_property;
  object_class->set_property = job_sqlite_queue_set_property;
  object_class->finalize = job_sqlite_queue_finalize;
  JOB_LOCAL_QUEUE_CLASS (klass)->open_store = job_sqlite_queue_open_store;

  /**
   * JobSqliteQueue:file:
   *
   * The path of the database; it is made if it is not there, its folder must be. Beside it stand
   * its journal, its lock, and SQLite's own rollback journal.
   *
   * Since: 1.0
   */
  props[PROP_FILE] =
      g_param_spec_string ("file", NULL, NULL, NULL,
                           G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
job_sqlite_queue_init (JobSqliteQueue *self)
{
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "sqlite", job_sqlite_queue_get_type, "file")
