/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the scheduler says of a job: how it stands, or why a verb does not go. */

#include "job-scheduler-inside-private.h"

#include "job-error.h"

/* --- errors ----------------------------------------------------------------------------------- */

static const char *
why_not_leased (const JobEntry *entry)
{
  return job_state_to_string (entry->state);
}

static void
set_not_found (const JobId *id, GError **error)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (id, text);
  g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND,
               "There is no job %s in this queue; check the id, or list the jobs", text);
}

JobEntry *
job_scheduler_find (JobScheduler *self, const JobId *id, GError **error)
{
  JobEntry *entry = job_id_table_lookup (&self->entries, id);

  if (entry == NULL)
    set_not_found (id, error);
  return entry;
}

static void
set_lease_lost (const JobId *id, const char *state, GError **error)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (id, text);
  g_set_error (
      error, JOB_ERROR, JOB_ERROR_LEASE_LOST,
      "The token is not that of the running lease of job %s (the job is %s): the lease is over, so "
      "drop the work; the job goes on without it",
      text, state);
}

/* The entry of a running job whose lease @token is, or any running job for an administrator. */
JobEntry *
job_scheduler_find_leased (JobScheduler *self, const JobId *id, const JobId *token, GError **error)
{
  JobEntry *entry = job_scheduler_find (self, id, error);
  const JobEntryLease *lease;
  char text[JOB_ID_TEXT_SIZE];

  if (entry == NULL)
    return NULL;
  lease = job_entry_peek (entry)->lease;
  if (token && (lease == NULL || !job_id_equal_secret (token, &lease->token)))
    {
      set_lease_lost (id, why_not_leased (entry), error);
      return NULL;
    }
  if (lease)
    return entry;

  job_id_to_text (id, text);
  g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_RUNNING,
               "Job %s is not running: it is %s; dequeue it first", text, why_not_leased (entry));
  return NULL;
}

void
job_scheduler_set_over_error (const JobId *id, const JobId *token, int state,
                              const JobId *last_token, GError **error)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (id, text);
  if (state == JOB_KNOWN_ABSENT)
    set_not_found (id, error);
  else if (state == JOB_KNOWN_DAMAGED)
    g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                 "The record of job %s is damaged; list the damaged records to see why", text);
  else if (state == JOB_STATE_CANCELED)
    g_set_error (error, JOB_ERROR, JOB_ERROR_CANCELED, "Job %s was cancelled; drop the work on it",
                 text);
  else if (token && !job_id_equal_secret (token, last_token))
    set_lease_lost (id, job_state_to_string (state), error);
  else
    g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_RUNNING, "Job %s is not running: it is over (%s)",
                 text, job_state_to_string (state));
}

/* --- questions -------------------------------------------------------------------------------- */

static void
describe_entry (const JobEntry *entry, JobNow now, JobView *view)
{
  const JobEntryMore *more = job_entry_peek (entry);
  const JobEdge *open = job_graph_first_open (entry);

  *view = (JobView){
    .id = entry->id,
    .state = entry->state,
    .priority = entry->priority,
    .queued_at = entry->queued_at,
    .heartbeat_age = -1,
    .error = more->error,
  };
  job_scheduler_get_status (entry, &view->status);

  if (more->lease)
    view->heartbeat_age = MAX (0, now.boot - more->lease->heartbeat_at);
  else if (entry->state == JOB_STATE_SCHEDULED)
    view->reason = JOB_REASON_RUN_AT;
  else if (more->damaged)
    {
      view->reason = JOB_REASON_DAMAGED_DEPENDENCY;
      view->culprit = *more->damaged;
    }
  else if (open)
    {
      view->reason = JOB_REASON_DEPENDENCY;
      view->culprit = open->dependency->id;
    }
}

gboolean
job_scheduler_contains (JobScheduler *self, const JobId *id)
{
  return job_id_table_lookup (&self->entries, id) != NULL;
}

gboolean
job_scheduler_describe (JobScheduler *self, const JobId *id, JobNow now, JobView *view)
{
  JobEntry *entry = job_id_table_lookup (&self->entries, id);

  if (entry)
    describe_entry (entry, now, view);
  return entry != NULL;
}

gboolean
job_scheduler_lookup_token (JobScheduler *self, const JobId *token, JobId *id)
{
  JobEntryLease *lease = job_id_table_lookup (&self->leases, token);

  if (lease)
    *id = lease->entry->id;
  return lease != NULL;
}

static void
append_view (const JobEntry *entry, JobNow now, GArray *views)
{
  JobView view;

  describe_entry (entry, now, &view);
  g_array_append_val (views, view);
}

void
job_scheduler_list (JobScheduler *self, JobEntryFilter filter, gpointer data, JobNow now,
                    GArray *views)
{
  JobIdTableIter iter = { 0 };
  const JobEntry *entry;

  while ((entry = job_id_table_next (&self->entries, &iter)))
    if (filter == NULL || filter (entry, data))
      append_view (entry, now, views);
}

void
job_scheduler_list_leases (JobScheduler *self, gint64 older_than, JobNow now, GArray *views)
{
  for (GList *link = self->ages.head; link; link = link->next)
    {
      const JobEntryLease *lease = link->data;

      if (now.boot - lease->heartbeat_at < older_than)
        break;
      append_view (lease->entry, now, views);
    }
}
