/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Running a job, and FIFOs. */

#include "exec-fixture.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Running a job. */

void
exec_outcome_clear (ExecOutcome *self)
{
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->outcome, json_node_unref);
  g_clear_error (&self->error);
}

void
exec_on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  ExecOutcome *self = data;

  self->succeeded =
      job_handler_run_finish (JOB_HANDLER (source), result, &self->text, &self->error);
  if (self->text != NULL)
    {
      g_assert_no_error (self->error);
      g_assert_true (job_json_check (self->text, -1, "outcome", NULL, NULL, NULL));
      self->outcome = json_from_string (self->text, NULL);
    }
  self->done = TRUE;
}

JobHandler *
exec_load_handler (void)
{
  g_autoptr (GError) error = NULL;
  JobHandler *handler = job_handler_load ("exec", &error);

  g_assert_no_error (error);
  return handler;
}

void
exec_run (const char *args, ExecOutcome *outcome)
{
  g_autoptr (JobHandler) handler = exec_load_handler ();
  g_autoptr (ScriptedQueue) queue = scripted_queue_new ();
  g_autofree char *id = scripted_queue_dup_id (1);
  g_autoptr (JobLease) lease = job_lease_new (queue, id, id, "exec", "", args, 1, NULL, NULL);

  g_assert_true (job_json_check (args, -1, "args", NULL, NULL, NULL));
  job_handler_run_async (handler, lease, NULL, exec_on_done, outcome);
  while (!outcome->done)
    g_main_context_iteration (NULL, TRUE);
}

void
exec_run_shell (const char *line, const char *more, ExecOutcome *outcome)
{
  g_autoptr (GString) args = g_string_new ("{\"argv\":[\"sh\",\"-c\",");

  job_json_append_string (args, line);
  g_string_append_printf (args, "]%s}", more);
  exec_run (args->str, outcome);
}

const char *
exec_outcome_get_string (ExecOutcome *outcome, const char *name)
{
  g_assert_nonnull (outcome->outcome);
  return json_object_get_string_member_with_default (json_node_get_object (outcome->outcome), name,
                                                     NULL);
}

int
exec_outcome_get_int (ExecOutcome *outcome, const char *name)
{
  g_assert_nonnull (outcome->outcome);
  return json_object_get_int_member_with_default (json_node_get_object (outcome->outcome), name,
                                                  -1);
}

gboolean
exec_outcome_get_flag (ExecOutcome *outcome, const char *name)
{
  g_assert_nonnull (outcome->outcome);
  return json_object_get_boolean_member_with_default (json_node_get_object (outcome->outcome), name,
                                                      FALSE);
}

/* FIFOs. */

void
exec_fifo_open (ExecFifo *self)
{
  self->folder = g_dir_make_tmp ("test-exec-XXXXXX", NULL);
  self->path = g_build_filename (self->folder, "fifo", NULL);
  g_assert_no_errno (mkfifo (self->path, 0600));
  self->fd = open (self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (self->fd, >=, 0);
}

void
exec_fifo_close (ExecFifo *self)
{
  close (self->fd);
  g_unlink (self->path);
  g_rmdir (self->folder);
  g_free (self->path);
  g_free (self->folder);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Whether there is text, which goes to @text, rather than the end. The main context runs. */
static gboolean
exec_fifo_read (ExecFifo *self, char *text, gsize size)
{
  gboolean readable = FALSE;
  gssize n;

  g_unix_fd_add (self->fd, G_IO_IN | G_IO_HUP, on_readable, &readable);
  while (!readable)
    g_main_context_iteration (NULL, TRUE);

  n = read (self->fd, text, size - 1);
  g_assert_cmpint (n, >=, 0);
  text[MAX (n, 0)] = '\0'; /* gcc takes the assertion for one that returns */

  return n > 0;
}

void
exec_fifo_expect (ExecFifo *self, const char *expected)
{
  char text[64];

  g_assert_true (exec_fifo_read (self, text, sizeof text));
  g_assert_cmpstr (text, ==, expected);
}

void
exec_fifo_expect_end (ExecFifo *self)
{
  char text[64];

  g_assert_false (exec_fifo_read (self, text, sizeof text));
}
