/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store without a disk: a table from id to job. There is no journal, so apply() is itself the
 * commit: it is done while verbs wait, must be cheap, and cannot fail. A job is one allocation
 * beside its record, which is shared with whoever made it. */

#include "job-memory-store.h"

typedef struct
{
  JobId id;          /* first: for a JobIdTable */
  JobRecord *record; /* a reference */
  JobStatus status;
} MemoryJob;

struct _JobMemoryStore
{
  JobStore parent_instance;

  /* All guarded by the owner, who serialises the calls. */
  JobIdTable jobs; /* of MemoryJob, owned */
  JobDependents *dependents;
};

G_DEFINE_FINAL_TYPE (JobMemoryStore, job_memory_store, JOB_TYPE_STORE)

static void
memory_job_clear (MemoryJob *job)
{
  job_record_unref (job->record);
  job_status_clear (&job->status);
}

/* Also over a job of that id. */
static void
create_job (JobMemoryStore *self, const JobChange *change)
{
  MemoryJob *job = job_id_table_lookup (&self->jobs, &change->id);

  if (job)
    memory_job_clear (job);
  else
    {
      job = g_slice_new (MemoryJob);
      job->id = change->id;
      job_id_table_insert (&self->jobs, job);
    }
  job->record = job_record_ref (change->record);
  job_status_copy (&change->status, &job->status);
  if (job->record->n_dependencies > 0)
    job_dependents_add (self->dependents, job->record);
}

static void
update_job (JobMemoryStore *self, const JobChange *change)
{
  MemoryJob *job = job_id_table_lookup (&self->jobs, &change->id);

  /* Nothing is ever lost here: it would be the owner's mistake. */
  g_return_if_fail (job != NULL);
  job_status_clear (&job->status);
  job_status_copy (&change->status, &job->status);
}

static gboolean
job_memory_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  JobMemoryStore *self = JOB_MEMORY_STORE (store);

  for (gsize i = 0; i < n_changes; i++)
    {
      if (changes[i].record != NULL)
        create_job (self, &changes[i]);
      else
        update_job (self, &changes[i]);
    }
  return TRUE;
}

static gboolean
job_memory_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor,
                        gpointer data, GError **error)
{
  JobMemoryStore *self = JOB_MEMORY_STORE (store);
  JobIdTableIter iter = { 0 };
  const MemoryJob *job;

  while ((job = job_id_table_next (&self->jobs, &iter)))
    {
      if (!everything && job_state_is_final (job->status.state))
        continue;
      if (!visitor (job->record, &job->status, data))
        break;
    }
  return TRUE;
}

static gboolean
job_memory_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                       GError **error)
{
  JobMemoryStore *self = JOB_MEMORY_STORE (store);
  const MemoryJob *job = job_id_table_lookup (&self->jobs, id);

  *record = NULL;
  *status = (JobStatus){ 0 };
  if (job != NULL)
    {
      *record = job_record_ref (job->record);
      job_status_copy (&job->status, status);
    }
  return TRUE;
}

static gboolean
job_memory_store_list_dependents (JobStore *store, const JobId *id, GArray *ids, GError **error)
{
  job_dependents_list (JOB_MEMORY_STORE (store)->dependents, id, ids);
  return TRUE;
}

static void
job_memory_store_finalize (GObject *object)
{
  JobMemoryStore *self = JOB_MEMORY_STORE (object);
  JobIdTableIter iter = { 0 };
  MemoryJob *job;

  while ((job = job_id_table_next (&self->jobs, &iter)))
    {
      memory_job_clear (job);
      g_slice_free (MemoryJob, job);
    }
  job_id_table_clear (&self->jobs);
  job_dependents_free (self->dependents);
  G_OBJECT_CLASS (job_memory_store_parent_class)->finalize (object);
}

static void
job_memory_store_class_init (JobMemoryStoreClass *klass)
{
  JobStoreClass *store_class = JOB_STORE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = job_memory_store_finalize;
  store_class->visit = job_memory_store_visit;
  store_class->apply = job_memory_store_apply;
  store_class->read = job_memory_store_read;
  store_class->list_dependents = job_memory_store_list_dependents;
}

static void
job_memory_store_init (JobMemoryStore *self)
{
  self->dependents = job_dependents_new ();
}

JobStore *
job_memory_store_new (void)
{
  return g_object_new (JOB_TYPE_MEMORY_STORE, NULL);
}
