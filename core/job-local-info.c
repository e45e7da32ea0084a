/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is told of one job: how it stood in the index at one moment, or how it ended; and its
 * record, which never changes. */

#include "job-local-private.h"

#include "job-error.h"

JobInfo *
job_local_make_info (JobLocal *self, JobRecord *record, const JobStatus *status, GError **error)
{
  g_autoptr (GArray) dependents = g_array_new (FALSE, FALSE, sizeof (JobId));
  JobInfoParts parts = {
    .record = record,
    .status = status,
    .state = status->state,
    .reason = status->reason,
    .culprit = status->culprit,
    .dependents = dependents,
  };

  if (!job_ledger_list_dependents (self->ledger, &record->id, dependents, error))
    return NULL;
  return job_info_new (&parts);
}

JobInfo *
job_local_read_final (JobLocal *self, const JobId *id, GError **error)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  JobId none = { 0 };

  if (!job_ledger_read (self->ledger, id, &record, &status, error))
    return NULL;
  if (record)
    return job_local_make_info (self, record, &status, error);
  job_scheduler_set_over_error (id, NULL, JOB_KNOWN_ABSENT, &none, error);
  return NULL;
}

/* A job that the index knew. How it stood then is what is told: it may have gone on since. Only its
 * record comes from the ledger. */
JobInfo *
job_local_read_view (JobLocal *self, const JobView *view, gboolean with_lease, GError **error)
{
  g_autoptr (JobRecord) record = NULL;
  g_autoptr (GArray) dependents = g_array_new (FALSE, FALSE, sizeof (JobId));
  JobStatus shown = view->status;
  JobInfoParts parts = {
    .status = &shown,
    .state = view->state,
    .reason = view->reason,
    .culprit = view->culprit,
    .dependents = dependents,
    .with_lease = with_lease,
    .heartbeat_age = view->heartbeat_age,
  };

  if (!job_ledger_read_record (self->ledger, &view->id, &record, error))
    return NULL;
  if (record == NULL)
    {
      job_scheduler_set_over_error (&view->id, NULL, JOB_KNOWN_DAMAGED, &view->id, error);
      return NULL;
    }
  shown.outcome = (char *) view->error;
  parts.record = record;
  if (!job_ledger_list_dependents (self->ledger, &view->id, dependents, error))
    return NULL;
  return job_info_new (&parts);
}

static void
answer_info (JobCall *call, JobInfo *info, GError *error)
{
  if (info)
    job_call_return_pointer (call, info, g_object_unref);
  else
    job_call_return_error (call, error);
}

/* With the lock. Takes down what the index knows of the job, if anything. */
static void
view_job (JobLocalRead *read)
{
  JobLocal *self = read->local;
  JobView view;

  job_local_match (self, job_local_now (self));
  if (!job_scheduler_describe (self->scheduler, &read->id, job_local_now (self), &view))
    return;
  read->views = g_array_new (FALSE, FALSE, sizeof (JobView));
  g_array_append_val (read->views, view);
  job_local_read_keep_views (read);
}

static gboolean
view_again (JobLocalRead *read, GError **error)
{
  JobLocal *self = read->local;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  view_job (read);
  return job_committer_wait (self->committer, job_committer_get_newest (self->committer), error);
}

/* One that the index did not know is over, or was never there; or it came since, and then only the
 * index knows how it stands. One that it still does not know went again, or could not be read at
 * the opening. */
static JobInfo *
read_unknown (JobLocalRead *read, GError **error)
{
  g_autoptr (JobInfo) info = job_local_read_final (read->local, &read->id, error);

  if (info == NULL || job_state_is_final (job_info_get_state (info)))
    return g_steal_pointer (&info);
  if (!view_again (read, error))
    return NULL;
  return read->views ? NULL : job_local_read_final (read->local, &read->id, error);
}

static void
read_info (JobLocalRead *read)
{
  GError *error = NULL;
  JobInfo *info = read->views ? NULL : read_unknown (read, &error);

  if (read->views && error == NULL)
    info =
        job_local_read_view (read->local, &g_array_index (read->views, JobView, 0), FALSE, &error);
  answer_info (read->call, info, error);
}

void
job_local_get_info (JobLocal *self, const JobId *id, JobCall *call)
{
  JobLocalRead *read;

  g_mutex_lock (&self->lock);
  if (!job_local_check_open_or_answer (self, call))
    return;
  read = job_local_read_new (self, call, read_info);
  read->id = *id;
  view_job (read);
  job_local_read_run (read);
}
