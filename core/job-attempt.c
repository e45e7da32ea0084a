/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One job in a worker's hands: the handler runs it, signs of life go to the queue, and what came of
 * it is reported.
 *
 *   start ──► handler runs ──► handler is back ─┬─ it got done ──────────► complete ─┐
 *                ▲                              ├─ it failed ────────────► fail ─────┼─► ended
 *                │                              ├─ it was stopped ───────► release ──┤
 *       stop, or the lease is over              └─ the lease is over ────► (ask why) ┘
 *
 * A report is never cancelled: without it, the job would stay leased until its lease runs out. */

#include "job-attempt-private.h"
#include "job-error.h"
#include "job-json.h"

struct _JobAttempt
{
  grefcount ref_count;

  /* Constant after construction. */
  JobLease *lease;
  JobHandler *handler;
  const JobAttemptCallbacks *callbacks;
  gpointer data;
  GCancellable *cancellable; /* the handler's */

  /* The context's. */
  GSource *lost_source; /* fires when the lease ends by somebody else; owned, NULL: not running */
  gboolean stopping;
  gboolean lost;       /* the lease is over: there is nothing to report */
  gboolean heartbeat;  /* one has not been answered */
  gboolean handled;    /* the handler is back */
  gboolean unreadable; /* the queue refused the outcome once */
  gboolean succeeded;
  char *outcome;
  GError *error;
};

static void job_attempt_report_failure (JobAttempt *self, const char *message);

JobAttempt *
job_attempt_new (JobLease *lease, JobHandler *handler, const JobAttemptCallbacks *callbacks,
                 gpointer data)
{
  JobAttempt *self = g_new0 (JobAttempt, 1);

  g_ref_count_init (&self->ref_count);
  self->lease = g_object_ref (lease);
  self->handler = g_object_ref (handler);
  self->callbacks = callbacks;
  self->data = data;
  self->cancellable = g_cancellable_new ();

  return self;
}

JobAttempt *
job_attempt_ref (JobAttempt *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

static void
job_attempt_unwatch (JobAttempt *self)
{
  if (self->lost_source == NULL)
    return;

  g_source_destroy (self->lost_source);
  g_clear_pointer (&self->lost_source, g_source_unref);
}

void
job_attempt_unref (JobAttempt *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  job_attempt_unwatch (self);
  g_object_unref (self->lease);
  g_object_unref (self->handler);
  g_object_unref (self->cancellable);
  g_free (self->outcome);
  g_clear_error (&self->error);
  g_free (self);
}

gboolean
job_attempt_error_is_own (const GError *error)
{
  return g_error_matches (error, JOB_ERROR, JOB_ERROR_CANCELED) ||
         g_error_matches (error, JOB_ERROR, JOB_ERROR_LEASE_LOST) ||
         g_error_matches (error, JOB_ERROR, JOB_ERROR_NOT_RUNNING) ||
         g_error_matches (error, JOB_ERROR, JOB_ERROR_NOT_FOUND) ||
         g_error_matches (error, JOB_ERROR, JOB_ERROR_INVALID) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Consumes the caller's reference and @error. */
static void
job_attempt_end (JobAttempt *self, GError *error)
{
  g_autoptr (JobAttempt) owned = self;

  if (error != NULL)
    {
      self->succeeded = FALSE;
      g_clear_pointer (&self->outcome, g_free);
      g_clear_error (&self->error);
      self->error = error;
    }

  self->callbacks->ended (self, self->data);
}

static void
job_attempt_lose (JobAttempt *self, const GError *error)
{
  self->lost = TRUE;
  if (self->error == NULL && error != NULL)
    self->error = g_error_copy (error);
  g_cancellable_cancel (self->cancellable);
}

static void
job_attempt_on_heartbeat (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (JobAttempt) self = data;
  g_autoptr (GError) error = NULL;

  self->heartbeat = FALSE;
  if (job_lease_heartbeat_finish (self->lease, result, &error) || self->handled)
    return;

  if (job_attempt_error_is_own (error))
    job_attempt_lose (self, error);
  else
    self->callbacks->troubled (self, error, self->data);
}

void
job_attempt_heartbeat (JobAttempt *self)
{
  if (self->heartbeat || self->handled || self->lost)
    return;

  self->heartbeat = TRUE;
  job_lease_heartbeat_async (self->lease, NULL, job_attempt_on_heartbeat, job_attempt_ref (self));
}

/* Reporting. Each takes over the reference that the start took. */

static void
job_attempt_on_complete (GObject *source, GAsyncResult *result, gpointer data)
{
  JobAttempt *self = data;
  g_autoptr (GError) error = NULL;

  if (job_lease_complete_finish (self->lease, result, &error))
    {
      self->succeeded = TRUE;
      job_attempt_end (self, NULL);
    }
  else if (g_error_matches (error, JOB_ERROR, JOB_ERROR_INVALID))
    {
      job_attempt_report_failure (self, error->message);
    }
  else
    {
      job_attempt_end (self, g_steal_pointer (&error));
    }
}

static void
job_attempt_on_fail (GObject *source, GAsyncResult *result, gpointer data)
{
  JobAttempt *self = data;
  g_autoptr (GError) error = NULL;

  if (job_lease_fail_finish (self->lease, result, &error))
    {
      job_attempt_end (self, NULL);
    }
  else if (g_error_matches (error, JOB_ERROR, JOB_ERROR_INVALID) && !self->unreadable)
    {
      job_attempt_report_failure (self, error->message);
    }
  else
    {
      job_attempt_end (self, g_steal_pointer (&error));
    }
}

static void
job_attempt_on_release (GObject *source, GAsyncResult *result, gpointer data)
{
  JobAttempt *self = data;
  GError *error = NULL;

  if (job_lease_release_finish (self->lease, result, &error))
    g_set_error (&error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                 "The worker was stopped; it gave the job %s back", job_lease_get_id (self->lease));
  job_attempt_end (self, error);
}

/* What became of a lease that ended by somebody else: a heartbeat's error tells. */
static void
job_attempt_on_asked (GObject *source, GAsyncResult *result, gpointer data)
{
  JobAttempt *self = data;
  GError *error = NULL;

  if (job_lease_heartbeat_finish (self->lease, result, &error))
    g_set_error (&error, JOB_ERROR, JOB_ERROR_LEASE_LOST,
                 "The lease of the job %s was taken back while it ran",
                 job_lease_get_id (self->lease));
  job_attempt_end (self, error);
}

static char *
job_attempt_dup_message (const char *message)
{
  GString *json = g_string_new ("{\"message\":");

  job_json_append_string (json, message);
  g_string_append_c (json, '}');

  return g_string_free (json, FALSE);
}

/* The handler gave no outcome, or none that the queue can keep. */
static void
job_attempt_report_failure (JobAttempt *self, const char *message)
{
  g_free (self->outcome);
  self->outcome = job_attempt_dup_message (message);
  self->unreadable = TRUE;
  job_lease_fail_async (self->lease, self->outcome, NULL, job_attempt_on_fail, self);
}

static void
job_attempt_report (JobAttempt *self, gboolean succeeded, const GError *error)
{
  if (self->lost && self->error != NULL)
    job_attempt_end (self, g_steal_pointer (&self->error));
  else if (self->lost)
    job_lease_heartbeat_async (self->lease, NULL, job_attempt_on_asked, self);
  else if (succeeded)
    job_lease_complete_async (self->lease, self->outcome, NULL, job_attempt_on_complete, self);
  else if (self->outcome != NULL && error == NULL)
    job_lease_fail_async (self->lease, self->outcome, NULL, job_attempt_on_fail, self);
  else if (self->stopping)
    job_lease_release_async (self->lease, NULL, job_attempt_on_release, self);
  else
    job_attempt_report_failure (self, error != NULL ? error->message
                                                    : "The handler gave neither a result nor an "
                                                      "error");
}

static void
job_attempt_on_handled (GObject *source, GAsyncResult *result, gpointer data)
{
  JobAttempt *self = data;
  g_autoptr (GError) error = NULL;
  gboolean succeeded;

  succeeded = job_handler_run_finish (self->handler, result, &self->outcome, &error);
  self->handled = TRUE;
  job_attempt_unwatch (self);
  if (g_cancellable_is_cancelled (job_lease_get_cancellable (self->lease)))
    self->lost = TRUE;

  self->callbacks->handled (self, self->data);
  job_attempt_report (self, succeeded, error);
}

static gboolean
job_attempt_on_lost (GCancellable *cancellable, gpointer data)
{
  job_attempt_lose (data, NULL);
  return G_SOURCE_REMOVE;
}

/* A source, not a handler of "cancelled": the handler must not end the job from inside of the
 * emission. */
static void
job_attempt_watch (JobAttempt *self)
{
  GCancellable *cancellable = job_lease_get_cancellable (self->lease);

  if (cancellable == NULL)
    return;

  self->lost_source = g_cancellable_source_new (cancellable);
  g_source_set_static_name (self->lost_source, "[jobqueue] lease lost");
  g_source_set_callback (self->lost_source, G_SOURCE_FUNC (job_attempt_on_lost), self, NULL);
  g_source_attach (self->lost_source, g_main_context_get_thread_default ());
}

void
job_attempt_start (JobAttempt *self)
{
  job_attempt_watch (self);
  job_handler_run_async (self->handler, self->lease, self->cancellable, job_attempt_on_handled,
                         job_attempt_ref (self));
}

void
job_attempt_stop (JobAttempt *self)
{
  self->stopping = TRUE;
  g_cancellable_cancel (self->cancellable);
}

JobLease *
job_attempt_get_lease (JobAttempt *self)
{
  return self->lease;
}

gboolean
job_attempt_get_succeeded (JobAttempt *self)
{
  return self->succeeded;
}

const char *
job_attempt_get_outcome (JobAttempt *self)
{
  return self->outcome;
}

const GError *
job_attempt_get_error (JobAttempt *self)
{
  return self->error;
}
