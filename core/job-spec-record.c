/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a spec is checked, and becomes the record of a job. */

#include "job-error.h"
#include "job-json.h"
#include "job-name-private.h"
#include "job-spec-private.h"

#define MAX_DEPENDENCIES 65535

static gboolean
check_numbers (JobSpec *self, GError **error)
{
  if (self->max_attempts < 1)
    g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                 "max-attempts is 0: a job needs at least 1 attempt");
  else if (self->run_at < 0)
    g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                 "run-at is %" G_GINT64_FORMAT ": use nanoseconds since 1970, or 0 for at once",
                 self->run_at);
  else if (job_spec_count_dependencies (self) > MAX_DEPENDENCIES)
    g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                 "The job has %u dependencies: at most %d are allowed; put a job in between that "
                 "gathers some of them",
                 job_spec_count_dependencies (self), MAX_DEPENDENCIES);
  else
    return TRUE;
  return FALSE;
}

static gboolean
read_dependency (const JobSpecDependency *given, const JobId *self_id, JobDependency *dependency,
                 GError **error)
{
  if (!job_id_parse (given->id, "dependency", &dependency->id, error))
    return FALSE;
  if (job_condition_to_string (given->condition) == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "The condition of dependency %s is %d: use a value of JobCondition", given->id,
                   (int) given->condition);
      return FALSE;
    }
  if (job_id_equal (&dependency->id, self_id))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "Job %s names itself as a dependency: it would wait for ever; remove that one",
                   given->id);
      return FALSE;
    }
  dependency->condition = given->condition;
  return TRUE;
}

static gboolean
read_dependencies (JobSpec *self, JobRecord *record, GError **error)
{
  g_autoptr (GHashTable) seen = NULL;

  if (record->n_dependencies == 0)
    return TRUE;
  seen = g_hash_table_new (job_id_hash, job_id_equal);
  for (guint i = 0; i < record->n_dependencies; i++)
    {
      const JobSpecDependency *given = &g_array_index (self->dependencies, JobSpecDependency, i);

      if (!read_dependency (given, &record->id, &record->dependencies[i], error))
        return FALSE;
      if (!g_hash_table_add (seen, &record->dependencies[i].id))
        {
          g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                       "Dependency %s is named twice: name each one once", given->id);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
read_id (JobSpec *self, JobId *id, GError **error)
{
  *id = self->id;
  return self->has_id || job_id_parse (self->id_text, "id", id, error);
}

JobRecord *
job_spec_to_record (JobSpec *self, gboolean *fresh, GError **error)
{
  const char *channel = job_spec_get_channel (self);
  g_autoptr (JobRecord) record = NULL;

  *fresh = g_atomic_int_compare_and_exchange (&self->fresh, TRUE, FALSE);
  if (!job_name_check_type (self->type, error) || !job_name_check_channel (channel, error) ||
      !check_numbers (self, error))
    return NULL;

  record = job_record_new (job_spec_count_dependencies (self));
  if (!read_id (self, &record->id, error) || !read_dependencies (self, record, error))
    return NULL;
  record->args = job_json_dup_checked (self->args, "args", error);
  if (record->args == NULL)
    return NULL;
  record->type = g_strdup (self->type);
  record->channel = g_strdup (channel);
  record->priority = self->priority;
  record->run_at = self->run_at;
  record->max_attempts = self->max_attempts;
  return g_steal_pointer (&record);
}
