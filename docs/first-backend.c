/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backend "mine", as small as one can be: a store that keeps jobs in a hash table. */

#define JOBQUEUE_ENABLE_BACKEND
#include <jobqueue/jobqueue-backend.h>

/* The store. */

G_DECLARE_FINAL_TYPE (MineStore, mine_store, MINE, STORE, JobStore)

struct _MineStore
{
  JobStore parent_instance;
  GHashTable *jobs; /* JobId, in the value → JobChange with record: a whole job */
  JobDependents *dependents;
};

G_DEFINE_FINAL_TYPE (MineStore, mine_store, JOB_TYPE_STORE)

static void
free_job (gpointer job)
{
  job_change_clear (job);
  g_free (job);
}

static gboolean
mine_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  MineStore *self = MINE_STORE (store);

  for (gsize i = 0; i < n_changes; i++)
    {
      JobChange *job = g_hash_table_lookup (self->jobs, &changes[i].id);

      if (changes[i].record != NULL)
        {
          job = g_new0 (JobChange, 1);
          job->id = changes[i].id;
          job->record = job_record_ref (changes[i].record);
          job_dependents_add (self->dependents, job->record);
          g_hash_table_replace (self->jobs, &job->id, job);
        }
      job_status_clear (&job->status);
      job_status_copy (&changes[i].status, &job->status);
    }
  return TRUE;
}

static gboolean
mine_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor, gpointer data,
                  GError **error)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, MINE_STORE (store)->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const JobChange *job = value;

      if ((everything || !job_state_is_final (job->status.state)) &&
          !visitor (job->record, &job->status, data))
        break;
    }
  return TRUE;
}

static gboolean
mine_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                 GError **error)
{
  const JobChange *job = g_hash_table_lookup (MINE_STORE (store)->jobs, id);

  if (job != NULL)
    {
      *record = job_record_ref (job->record);
      job_status_copy (&job->status, status);
    }
  return TRUE;
}

static gboolean
mine_store_list_dependents (JobStore *store, const JobId *id, GArray *ids, GError **error)
{
  job_dependents_list (MINE_STORE (store)->dependents, id, ids);
  return TRUE;
}

static void
mine_store_finalize (GObject *object)
{
  MineStore *self = MINE_STORE (object);

  g_hash_table_unref (self->jobs);
  job_dependents_free (self->dependents);
  G_OBJECT_CLASS (mine_store_parent_class)->finalize (object);
}

static void
mine_store_class_init (MineStoreClass *klass)
{
  JobStoreClass *store_class = JOB_STORE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = mine_store_finalize;
  store_class->apply = mine_store_apply;
  store_class->visit = mine_store_visit;
  store_class->read = mine_store_read;
  store_class->list_dependents = mine_store_list_dependents;
}

static void
mine_store_init (MineStore *self)
{
  self->jobs = g_hash_table_new_full (job_id_hash, job_id_equal, NULL, free_job);
  self->dependents = job_dependents_new ();
}

/* The queue. */

G_DECLARE_FINAL_TYPE (MineQueue, mine_queue, MINE, QUEUE, JobLocalQueue)

struct _MineQueue
{
  JobLocalQueue parent_instance;
};

G_DEFINE_FINAL_TYPE (MineQueue, mine_queue, JOB_TYPE_LOCAL_QUEUE)

static JobStore *
mine_queue_open_store (JobLocalQueue *self, GError **error)
{
  return g_object_new (mine_store_get_type (), NULL);
}

static void
mine_queue_class_init (MineQueueClass *klass)
{
  JOB_LOCAL_QUEUE_CLASS (klass)->open_store = mine_queue_open_store;
}

static void
mine_queue_init (MineQueue *self)
{
}

/* The module: its kind, its name, its type, and the property that says where jobs are kept. */

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "mine", mine_queue_get_type, NULL)
