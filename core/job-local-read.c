/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs that ask. What the index knows is taken down with the lock; then the newest batch is
 * waited for, so that nothing is told that a crash could take back; then the rest is read from the
 * ledger. */

#include "job-local-private.h"

#include "job-error.h"

/* --- the shape of a read ---------------------------------------------------------------------- */

JobLocalRead *
job_local_read_new (JobLocal *self, JobCall *call, JobLocalReadFunc func)
{
  JobLocalRead *read = g_new0 (JobLocalRead, 1);

  read->local = job_local_ref (self);
  read->call = job_call_ref (call);
  read->func = func;
  return read;
}

static void
read_free (JobLocalRead *read)
{
  if (read->destroy)
    read->destroy (read->extra);
  g_clear_pointer (&read->views, g_array_unref);
  g_clear_object (&read->filter);
  g_free (read->directory);
  g_clear_error (&read->error);
  job_call_unref (read->call);
  job_local_unref (read->local);
  g_free (read);
}

void
job_local_read_work (JobLocalRead *read)
{
  JobLocal *self = read->local;
  g_autoptr (GError) error = NULL;
  gboolean durable;

  g_mutex_lock (&self->lock);
  durable = job_committer_wait (self->committer, read->batch, &error);
  g_mutex_unlock (&self->lock);

  if (durable)
    read->func (read);
  else
    job_call_return_error (read->call, g_steal_pointer (&error));
  read_free (read);
}

void
job_local_read_run (JobLocalRead *read)
{
  JobLocal *self = read->local;
  gboolean here = job_call_is_blocking (read->call) || job_ledger_is_quick (self->ledger);

  read->batch = job_committer_get_newest (self->committer);
  if (!here)
    g_thread_pool_push (self->readers, read, NULL);
  g_mutex_unlock (&self->lock);
  if (here)
    job_local_read_work (read);
}

/* With the lock, which it gives up if the queue is closed. */
static gboolean
check_open_or_answer (JobLocal *self, JobCall *call)
{
  GError *error = NULL;

  if (job_local_check_open (self, &error))
    return TRUE;
  g_mutex_unlock (&self->lock);
  job_call_return_error (call, error);
  return FALSE;
}

/* --- looking up what is over ------------------------------------------------------------------ */

gboolean
job_local_look_up (JobLocal *self, const JobId *id, int *state, JobId *last_token, GError **error)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) failure = NULL;

  if (!job_ledger_read (self->ledger, id, &record, &status, &failure))
    {
      *state = JOB_KNOWN_DAMAGED;
      if (g_error_matches (failure, JOB_ERROR, JOB_ERROR_CORRUPT) ||
          g_error_matches (failure, JOB_ERROR, JOB_ERROR_VERSION))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  *state = record ? (int) status.state : JOB_KNOWN_ABSENT;
  *last_token = status.token;
  return TRUE;
}

static gboolean
is_over (int state)
{
  return state >= 0 && job_state_is_final (state);
}

static void
set_not_pending (const JobId *id, int state, GError **error)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (id, text);
  g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_PENDING,
               "Job %s cannot be dequeued: it is over (%s)", text, job_state_to_string (state));
}

/* The index said that it does not know the job: it is over, or there is none. */
static void
explain (JobLocalRead *read)
{
  g_autoptr (GError) error = NULL;
  JobId last_token;
  int state;

  if (!g_error_matches (read->error, JOB_ERROR, JOB_ERROR_NOT_FOUND))
    error = g_steal_pointer (&read->error);
  else if (job_local_look_up (read->local, &read->id, &state, &last_token, &error))
    {
      if (read->by_id && is_over (state))
        set_not_pending (&read->id, state, &error);
      else
        job_scheduler_set_over_error (&read->id, read->has_token ? &read->token : NULL, state,
                                      &last_token, &error);
    }
  job_call_return_error (read->call, g_steal_pointer (&error));
}

void
job_local_explain (JobLocal *self, JobCall *call, const JobId *id, const JobId *token,
                   gboolean by_id, GError *error)
{
  JobLocalRead *read;

  if (g_error_matches (error, JOB_ERROR, JOB_ERROR_CLOSED))
    {
      g_mutex_unlock (&self->lock);
      job_call_return_error (call, error);
      return;
    }
  read = job_local_read_new (self, call, explain);
  read->id = *id;
  read->has_token = token != NULL;
  if (token)
    read->token = *token;
  read->by_id = by_id;
  read->error = error;
  job_local_read_run (read);
}

/* --- one job ---------------------------------------------------------------------------------- */

JobInfo *
job_local_make_info (JobLocal *self, JobRecord *record, const JobStatus *status,
                     const JobView *view)
{
  g_autoptr (GArray) dependents = g_array_new (FALSE, FALSE, sizeof (JobId));
  JobInfoParts parts = {
    .record = record,
    .status = status,
    .state = view ? view->state : status->state,
    .reason = view ? view->reason : status->reason,
    .culprit = view ? view->culprit : status->culprit,
    .dependents = dependents,
  };

  job_ledger_list_dependents (self->ledger, &record->id, dependents);
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
    return job_local_make_info (self, record, &status, NULL);
  job_scheduler_set_over_error (id, NULL, JOB_KNOWN_ABSENT, &none, error);
  return NULL;
}

/* A job that the index knew. How it stood then is what is told: it may have gone on since. Only its
 * record, and the error of its last attempt, come from the ledger. */
JobInfo *
job_local_read_view (JobLocal *self, const JobView *view, gboolean with_lease, GError **error)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
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

  if (!job_ledger_read (self->ledger, &view->id, &record, &status, error))
    return NULL;
  if (record == NULL)
    {
      job_scheduler_set_over_error (&view->id, NULL, JOB_KNOWN_DAMAGED, &view->id, error);
      return NULL;
    }
  if (!job_state_is_final (status.state))
    shown.outcome = status.outcome;
  parts.record = record;
  job_ledger_list_dependents (self->ledger, &view->id, dependents);
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

static void
read_info (JobLocalRead *read)
{
  GError *error = NULL;
  JobInfo *info = read->views
                      ? job_local_read_view (read->local, &g_array_index (read->views, JobView, 0),
                                             FALSE, &error)
                      : job_local_read_final (read->local, &read->id, &error);

  answer_info (read->call, info, error);
}

static GArray *
new_views (void)
{
  return g_array_new (FALSE, FALSE, sizeof (JobView));
}

void
job_local_get_info (JobLocal *self, const JobId *id, JobCall *call)
{
  JobLocalRead *read;
  JobView view;

  g_mutex_lock (&self->lock);
  if (!check_open_or_answer (self, call))
    return;
  read = job_local_read_new (self, call, read_info);
  read->id = *id;
  job_local_match (self);
  if (job_scheduler_describe (self->scheduler, id, job_local_now (self), &view))
    {
      read->views = new_views ();
      g_array_append_val (read->views, view);
    }
  job_local_read_run (read);
}

static void
answer_token (JobLocalRead *read)
{
  if (read->extra)
    job_call_return_pointer (read->call, g_steal_pointer (&read->extra), g_free);
  else
    job_call_return_error (
        read->call, g_error_new (JOB_ERROR, JOB_ERROR_NOT_FOUND,
                                 "No running lease has this token: it is over, or never was"));
}

void
job_local_lookup_token (JobLocal *self, const JobId *token, JobCall *call)
{
  JobLocalRead *read;
  JobId id;

  g_mutex_lock (&self->lock);
  if (!check_open_or_answer (self, call))
    return;
  read = job_local_read_new (self, call, answer_token);
  read->destroy = g_free;
  if (job_scheduler_lookup_token (self->scheduler, token, &id))
    read->extra = job_id_dup_text (&id);
  job_local_read_run (read);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void
answer_list (JobCall *call, GListStore *list, GError *error)
{
  if (error == NULL)
    {
      job_call_return_pointer (call, list, g_object_unref);
      return;
    }
  g_object_unref (list);
  job_call_return_error (call, error);
}

static void
append_and_unref (GListStore *list, gpointer object)
{
  g_list_store_append (list, object);
  g_object_unref (object);
}

static void
read_leases (JobLocalRead *read)
{
  GListStore *list = g_list_store_new (JOB_TYPE_INFO);
  GError *error = NULL;

  for (guint i = 0; error == NULL && i < read->views->len; i++)
    {
      JobInfo *info =
          job_local_read_view (read->local, &g_array_index (read->views, JobView, i), TRUE, &error);

      if (info)
        append_and_unref (list, info);
    }
  answer_list (read->call, list, error);
}

void
job_local_list_leases (JobLocal *self, gint64 older_than, JobCall *call)
{
  JobLocalRead *read;

  g_mutex_lock (&self->lock);
  if (!check_open_or_answer (self, call))
    return;
  read = job_local_read_new (self, call, read_leases);
  read->views = new_views ();
  job_scheduler_list_leases (self->scheduler, older_than, job_local_now (self), read->views);
  job_local_read_run (read);
}

static void
read_damaged (JobLocalRead *read)
{
  GListStore *list = g_list_store_new (JOB_TYPE_DAMAGE);
  g_autoptr (GPtrArray) damaged = job_ledger_list_damaged (read->local->ledger);
  GError *error = NULL;

  for (guint i = 0; error == NULL && i < damaged->len; i++)
    {
      JobDamage *damage = g_ptr_array_index (damaged, i);

      if (read->directory == NULL ||
          job_ledger_move_damaged (read->local->ledger, damage, read->directory, &error))
        g_list_store_append (list, damage);
    }
  answer_list (read->call, list, error);
}

/* @directory: where to move them, or NULL. */
static void
run_damaged (JobLocal *self, const char *directory, JobCall *call)
{
  JobLocalRead *read;

  g_mutex_lock (&self->lock);
  if (!check_open_or_answer (self, call))
    return;
  read = job_local_read_new (self, call, read_damaged);
  read->directory = g_strdup (directory);
  job_local_read_run (read);
}

void
job_local_list_damaged (JobLocal *self, JobCall *call)
{
  run_damaged (self, NULL, call);
}

void
job_local_move_damaged (JobLocal *self, const char *directory, JobCall *call)
{
  run_damaged (self, directory, call);
}
