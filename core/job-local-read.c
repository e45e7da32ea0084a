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
  g_free (read->text);
  g_clear_pointer (&read->wait, job_local_wait_unref);
  g_clear_error (&read->refusal);
  job_call_unref (read->call);
  job_local_unref (read->local);
  g_free (read);
}

static void
view_clear (gpointer data)
{
  g_free ((char *) ((JobView *) data)->error);
}

void
job_local_read_keep_views (JobLocalRead *read)
{
  for (guint i = 0; i < read->views->len; i++)
    {
      JobView *view = &g_array_index (read->views, JobView, i);

      view->error = g_strdup (view->error);
    }
  g_array_set_clear_func (read->views, view_clear);
}

static void
answer_error (JobLocalRead *read, GError *error)
{
  if (read->wait)
    job_local_wait_fail (read->wait, error);
  else
    job_call_return_error (read->call, error);
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
    answer_error (read, g_steal_pointer (&error));

  g_mutex_lock (&self->lock);
  if (--self->n_reads == 0 && self->closed)
    job_local_wake (self);
  g_mutex_unlock (&self->lock);
  read_free (read);
}

/* A thread that tells of a batch may release a lease that nobody took: it must not wait for the
 * next batch. */
static gboolean
may_run_here (const JobLocalRead *read)
{
  JobLocal *self = read->local;

  return job_call_is_blocking (read->call) ||
         (job_ledger_is_quick (self->ledger) && !job_committer_is_leading (self->committer));
}

void
job_local_read_run (JobLocalRead *read)
{
  JobLocal *self = read->local;
  gboolean here = may_run_here (read);

  read->batch = job_committer_get_newest (self->committer);
  self->n_reads++;
  if (!here)
    g_thread_pool_push (self->reader, read, NULL);
  g_mutex_unlock (&self->lock);
  if (here)
    job_local_read_work (read);
}

void
job_local_read_defer (JobLocalRead *read)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&read->local->lock);

  read->local->n_reads++;
  g_thread_pool_push (read->local->reader, read, NULL);
}

gboolean
job_local_check_open_or_answer (JobLocal *self, JobCall *call)
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

/* --- verbs on one job ------------------------------------------------------------------------- */

void
job_local_refuse (JobLocalRead *read, int state, const JobId *last_token)
{
  GError *error = NULL;

  job_scheduler_set_over_error (&read->id, read->has_token ? &read->token : NULL, state, last_token,
                                &error);
  answer_error (read, error);
}

/* With the lock. TRUE: the call is seen to. FALSE without an error: the index does not know the
 * job. */
static gboolean
try_verb (JobLocalRead *read, GError **error)
{
  JobLocal *self = read->local;
  g_autoptr (GError) failure = NULL;

  read->now = job_local_now (self);
  job_local_match (self, read->now);
  if (job_local_check_open (self, &failure) && read->attempt (read, &failure))
    return TRUE;
  if (!g_error_matches (failure, JOB_ERROR, JOB_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Once more: TRUE if the call is seen to, or there is an error. Then, and if the job is over, no
 * other batch is under way that could say otherwise. */
static gboolean
try_again (JobLocalRead *read, GError **error)
{
  JobLocal *self = read->local;
  g_autoptr (GError) failure = NULL;
  gboolean done;

  g_mutex_lock (&self->lock);
  done = try_verb (read, error);
  if (done)
    job_local_commit (self, read->now, TRUE);
  else if (!job_committer_wait (self->committer, job_committer_get_newest (self->committer),
                                &failure))
    {
      g_clear_error (error);
      g_propagate_error (error, g_steal_pointer (&failure));
    }
  g_mutex_unlock (&self->lock);
  return done;
}

/* A job that the index does not know but that is not over on disk either came or went meanwhile:
 * from the start. If it is so again, then it is not in the index at all, since it could not be read
 * at the opening; the next one may be luckier. */
static void
decide (JobLocalRead *read)
{
  GError *error = NULL;
  gboolean again = FALSE;
  JobId last_token;
  int state;

  if (read->refusal)
    {
      answer_error (read, g_steal_pointer (&read->refusal));
      return;
    }
  for (;;)
    {
      if (try_again (read, &error))
        return;
      if (error || !job_local_look_up (read->local, &read->id, &state, &last_token, &error))
        {
          answer_error (read, error);
          return;
        }
      if (state >= 0 && !job_state_is_final (state) && again)
        state = JOB_KNOWN_DAMAGED;
      if (state < 0 || job_state_is_final (state))
        {
          read->over (read, state, &last_token);
          return;
        }
      again = TRUE;
    }
}

/* Of one that was its caller's. */
static JobLocalRead *
read_keep (const JobLocalRead *read)
{
  JobLocalRead *kept = g_memdup2 (read, sizeof *read);

  job_local_ref (kept->local);
  job_call_ref (kept->call);
  kept->text = g_strdup (kept->text);
  if (kept->wait)
    job_local_wait_ref (kept->wait);
  return kept;
}

void
job_local_attempt (JobLocalRead *read, JobLocalAttempt attempt, JobLocalOver over)
{
  JobLocal *self = read->local;
  g_autoptr (GError) error = NULL;

  read->func = decide;
  read->attempt = attempt;
  read->over = over;
  g_mutex_lock (&self->lock);
  if (try_verb (read, &error))
    {
      job_local_commit (self, read->now, job_call_is_blocking (read->call));
      g_mutex_unlock (&self->lock);
    }
  else if (self->closed)
    {
      g_mutex_unlock (&self->lock);
      answer_error (read, g_steal_pointer (&error));
    }
  else
    {
      JobLocalRead *kept = read_keep (read);

      kept->refusal = g_steal_pointer (&error);
      job_local_read_run (kept);
    }
}

/* --- tokens ----------------------------------------------------------------------------------- */

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
  if (!job_local_check_open_or_answer (self, call))
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
  if (!job_local_check_open_or_answer (self, call))
    return;
  read = job_local_read_new (self, call, read_leases);
  read->views = g_array_new (FALSE, FALSE, sizeof (JobView));
  job_scheduler_list_leases (self->scheduler, older_than, job_local_now (self), read->views);
  job_local_read_keep_views (read);
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
  if (!job_local_check_open_or_answer (self, call))
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
