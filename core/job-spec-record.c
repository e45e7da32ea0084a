/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a spec is checked, and becomes the record of a job. */

#include "job-error.h"
#include "job-json.h"
#include "job-name-private.h"
#include "job-spec-private.h"

#include <string.h>

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
read_dependencies (JobSpec *self, const JobId *id, JobDependency *dependencies, GError **error)
{
  guint n = job_spec_count_dependencies (self);
  g_autoptr (GHashTable) seen = NULL;

  if (n == 0)
    return TRUE;
  seen = g_hash_table_new (job_id_hash, job_id_equal);
  for (guint i = 0; i < n; i++)
    {
      const JobSpecDependency *given = &g_array_index (self->dependencies, JobSpecDependency, i);

      if (!read_dependency (given, id, &dependencies[i], error))
        return FALSE;
      if (!g_hash_table_add (seen, &dependencies[i].id))
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

static gboolean
read_args (JobSpec *self, const char **start, const char **end, GError **error)
{
  static const char nothing[] = "null";

  if (self->args != NULL)
    return job_json_check (self->args, -1, "args", start, end, error);
  *start = nothing;
  *end = nothing + strlen (nothing);
  return TRUE;
}

JobRecord *
job_spec_to_record (JobSpec *self, gboolean *fresh, GError **error)
{
  guint n_dependencies = job_spec_count_dependencies (self);
  const char *channel = job_spec_get_channel (self);
  g_autofree JobDependency *dependencies = NULL;
  const char *args, *args_end;
  JobRecord *record;
  JobId id;

  *fresh = g_atomic_int_compare_and_exchange (&self->fresh, TRUE, FALSE);
  if (!job_name_check_type (self->type, error) || !job_name_check_channel (channel, error) ||
      !check_numbers (self, error))
    return NULL;
  dependencies = g_new (JobDependency, n_dependencies);
  if (!read_id (self, &id, error) || !read_dependencies (self, &id, dependencies, error) ||
      !read_args (self, &args, &args_end, error))
    return NULL;

  record = job_record_new_with (n_dependencies, self->type, channel, args, args_end - args);
  record->id = id;
  if (n_dependencies > 0)
    memcpy (record->dependencies, dependencies, n_dependencies * sizeof *dependencies);
  record->priority = self->priority;
  record->run_at = self->run_at;
  record->max_attempts = self->max_attempts;
  return record;
}
