/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pool behind "jobctl work" and "jobctl run": handlers, signals, events. The first SIGINT or
 * SIGTERM ends it in good order: commands that run are ended, and their jobs are pending again. The
 * second one ends the process at once; the next worker then takes the jobs back. */

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "job-time.h"
#include "jobctl-pool.h"

void
jobctl_pool_options_clear (JobctlPoolOptions *options)
{
  g_strfreev (options->types);
  g_strfreev (options->channels);
}

void
jobctl_print_event (const char *event, const char *id, const char *type, const char *member,
                    const char *json)
{
  g_autoptr (GString) line = g_string_new ("{\"event\":");
  g_autofree char *time = job_time_format (job_clock_get_wall_time (job_clock_get_system ()));

  job_json_append_string (line, event);
  g_string_append (line, ",\"id\":");
  job_json_append_string (line, id);
  g_string_append (line, ",\"type\":");
  job_json_append_string (line, type);
  g_string_append_printf (line, ",\"time\":\"%s\"", time);
  if (member != NULL && json != NULL)
    g_string_append_printf (line, ",\"%s\":%s", member, json);
  g_string_append (line, "}\n");
  fputs (line->str, stdout);
  fflush (stdout);
}

static void
on_job_started (JobWorker *worker, JobLease *lease, JobctlPool *self)
{
  g_autofree char *attempt = NULL;

  if (!self->ctl->json)
    return;
  attempt = g_strdup_printf ("%u", job_lease_get_attempt (lease));
  jobctl_print_event ("started", job_lease_get_id (lease), job_lease_get_job_type (lease),
                      "attempt", attempt);
}

static void
print_failure (JobctlPool *self, JobLease *lease, const char *how, const char *why)
{
  g_autofree char *type = jobctl_dup_printable (job_lease_get_job_type (lease), 0);
  g_autofree char *excerpt = jobctl_dup_printable (why, 200);

  if (self->quiet)
    return;
  fprintf (stderr, "jobctl: %s %s (%s): %s\n", job_lease_get_id (lease), how, type, excerpt);
}

/* The queue took the outcome; what is said here is on disk. */
static void
count_outcome (JobctlPool *self, JobLease *lease, gboolean succeeded, const char *outcome)
{
  if (succeeded)
    self->n_succeeded++;
  else
    self->n_failed++;
  if (self->ctl->json)
    jobctl_print_event (succeeded ? "succeeded" : "failed", job_lease_get_id (lease),
                        job_lease_get_job_type (lease), succeeded ? NULL : "error", outcome);
  else if (!succeeded)
    print_failure (self, lease, "failed", outcome);
}

/* The lease ended otherwise: somebody cancelled the job or took it back, or we gave it back. */
static void
say_lost (JobctlPool *self, JobLease *lease, const GError *error)
{
  gboolean canceled = g_error_matches (error, JOB_ERROR, JOB_ERROR_CANCELED);
  gboolean released = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  const char *event = canceled ? "canceled" : released ? "released" : "lost";
  g_autoptr (GString) message = g_string_new (NULL);

  job_json_append_string (message, error->message);
  if (self->ctl->json)
    jobctl_print_event (event, job_lease_get_id (lease), job_lease_get_job_type (lease), "message",
                        message->str);
  else if (!released)
    print_failure (self, lease, event, error->message);
}

static void
on_job_ended (JobWorker *worker, JobLease *lease, gboolean succeeded, const char *outcome,
              const GError *error, JobctlPool *self)
{
  if (error != NULL)
    say_lost (self, lease, error);
  else
    count_outcome (self, lease, succeeded, outcome);
}

/* "TYPE=HANDLER"; a type may have a "=" in it, a handler's name cannot. */
static gboolean
add_handler (JobctlPool *self, const char *text, GError **error)
{
  const char *equals = strrchr (text, '=');
  g_autofree char *type = equals != NULL ? g_strndup (text, equals - text) : NULL;
  g_autoptr (JobHandler) handler = NULL;

  if (type == NULL || *type == '\0' || strlen (type) > 255)
    {
      jobctl_set_usage_error (error,
                              "--type takes TYPE=HANDLER, with a type of 1 to 255 bytes, not "
                              "\"%s\"; for example: --type exec=exec",
                              text);
      return FALSE;
    }
  handler = job_handler_load (equals + 1, error);
  if (handler == NULL)
    return FALSE;
  job_worker_add_handler (self->worker, type, handler);
  return TRUE;
}

JobctlPool *
jobctl_pool_new (Jobctl *ctl, const JobctlPoolOptions *options, GError **error)
{
  static const char *const default_types[] = { "exec=exec", NULL };
  const char *const *types = (const char *const *) options->types;
  g_autoptr (JobctlPool) self = g_new0 (JobctlPool, 1);

  if (options->n_jobs < 0 || options->n_jobs > 10000)
    {
      jobctl_set_usage_error (error, "--jobs is 1 to 10000, not %d", options->n_jobs);
      return NULL;
    }
  self->ctl = ctl;
  self->cancellable = g_cancellable_new ();
  self->worker = job_worker_new (ctl->queue, options->n_jobs > 0 ? (guint) options->n_jobs
                                                                 : g_get_num_processors ());
  for (types = types != NULL ? types : default_types; *types != NULL; types++)
    if (!add_handler (self, *types, error))
      return NULL;
  if (options->channels != NULL)
    job_worker_set_channels (self->worker, (const char *const *) options->channels);
  g_signal_connect (self->worker, "job-started", G_CALLBACK (on_job_started), self);
  g_signal_connect (self->worker, "job-ended", G_CALLBACK (on_job_ended), self);
  return g_steal_pointer (&self);
}

void
jobctl_pool_free (JobctlPool *self)
{
  g_clear_object (&self->worker);
  g_clear_object (&self->cancellable);
  g_clear_error (&self->error);
  g_free (self);
}

static gboolean
take_back (JobctlPool *self, JobInfo *info, GError **error)
{
  if (!job_queue_release (self->ctl->queue, job_info_get_id (info), NULL, NULL, error))
    return FALSE;
  if (self->ctl->json)
    jobctl_print_event ("released", job_info_get_id (info), job_info_get_job_type (info), NULL,
                        NULL);
  return TRUE;
}

/* Whoever holds the lock of a local store is the only one who can hold leases; so a lease that is
 * there at the start is that of a process that is gone. Other queues tell by the heartbeat. */
gboolean
jobctl_pool_take_back_leases (JobctlPool *self, GError **error)
{
  g_autoptr (GListModel) leases = NULL;
  guint n;

  if (!JOB_IS_LOCAL_QUEUE (self->ctl->queue))
    return TRUE;
  leases = job_queue_list_leases (self->ctl->queue, 0, NULL, error);
  if (leases == NULL)
    return FALSE;
  n = g_list_model_get_n_items (leases);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (leases, i);

      if (!take_back (self, info, error))
        return FALSE;
    }
  if (n > 0)
    fprintf (stderr, "jobctl: took back %u job%s that a worker left behind\n", n,
             n == 1 ? "" : "s");
  return TRUE;
}

static gboolean
handle_signal (JobctlPool *self, int number)
{
  if (self->signal != 0)
    {
      signal (number, SIG_DFL);
      raise (number);
    }
  self->signal = number;
  fputs ("jobctl: giving back what runs; once more to end at once\n", stderr);
  jobctl_pool_stop (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt (gpointer data)
{
  return handle_signal (data, SIGINT);
}

static gboolean
on_terminate (gpointer data)
{
  return handle_signal (data, SIGTERM);
}

static void
on_run_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  JobctlPool *self = data;

  job_worker_run_finish (JOB_WORKER (source), result, &self->error);
  self->running = FALSE;
}

gboolean
jobctl_pool_run (JobctlPool *self, gboolean drain, GError **error)
{
  guint interrupt = g_unix_signal_add (SIGINT, on_interrupt, self);
  guint terminate = g_unix_signal_add (SIGTERM, on_terminate, self);

  self->running = TRUE;
  job_worker_run_async (self->worker, drain, self->cancellable, on_run_ended, self);
  while (self->running)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  if (self->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

void
jobctl_pool_stop (JobctlPool *self)
{
  g_cancellable_cancel (self->cancellable);
}
