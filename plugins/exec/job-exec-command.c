/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A command that runs.
 *
 * When its first process ends, the command has ended. That process is still a zombie then, so the
 * number of its group cannot be another's: what is left of the group is killed, the guard is told,
 * and only then the zombie goes. A process that is to die by SIGKILL can neither fork nor write any
 * more, so nobody has to wait for it; what is in the pipes at that time is all that is read.
 *
 * stdin is a file in memory (or /dev/null), so there is nothing to be fed, and no broken pipe. */

#include "job-exec-command.h"

#include "job-exec-guard.h"
#include "job-exec-output.h"

#include "job-error.h"
#include "job-json.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_INTERVAL 10 /* ms; where the kernel has no pidfd */

typedef enum
{
  STOP_NONE,
  STOP_ASKED,
  STOP_TIME_LIMIT,
} Stop;

typedef struct
{
  int fd; /* -1: closed */
  GSource *source;
  JobExecOutput output;
} Stream;

struct _JobExecCommand
{
  /* Constant after the start. */
  const JobExecArgs *args;
  char *program;
  gint64 grace; /* µs */
  JobExecCommandEnded ended;
  gpointer data;
  pid_t pid;         /* and the number of its group */
  gint64 started_at; /* monotonic, µs */

  /* The context's. */
  int report; /* see job_exec_child_check() */
  int pidfd;  /* -1: none */
  Stream streams[2];
  GSource *exit_source;
  GSource *deadline_source; /* the time limit, then the grace */
  Stop stop;
  gboolean has_status; /* FALSE at the end: somebody else took it */
  int status;          /* of waitpid() */
  gint64 ended_at;
};

/* The pieces of a start. */

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;

  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
clear_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static GSource *
attach_source (GSource *source, GSourceFunc callback, gpointer data)
{
  g_source_set_static_name (source, "[jobqueue] exec");
  g_source_set_callback (source, callback, data, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());

  return source;
}

static gboolean
set_errno_error (GError **error, const char *what)
{
  int code = errno;

  g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED, "Cannot run a command: %s: %s", what,
               g_strerror (code));
  return FALSE;
}

/* In the path of the environment that the command gets. */
static char *
find_in_path (const char *name, char **environment)
{
  const char *path = g_environ_getenv (environment, "PATH");
  g_auto (GStrv) folders = g_strsplit (path != NULL ? path : "/usr/bin:/bin", ":", -1);

  for (guint i = 0; folders[i] != NULL; i++)
    {
      g_autofree char *file = g_build_filename (*folders[i] != '\0' ? folders[i] : ".", name, NULL);

      if (access (file, X_OK) == 0 && !g_file_test (file, G_FILE_TEST_IS_DIR))
        return g_steal_pointer (&file);
    }

  return NULL;
}

static char *
find_program (const JobExecArgs *args, GError **error)
{
  const char *name = args->argv[0];
  char *program =
      strchr (name, '/') != NULL ? g_strdup (name) : find_in_path (name, args->environment);

  if (program == NULL)
    g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED,
                 "Cannot run “%s”: there is no such program in the PATH of the job (%s)", name,
                 g_environ_getenv (args->environment, "PATH") != NULL
                     ? g_environ_getenv (args->environment, "PATH")
                     : "unset, so /usr/bin:/bin");
  return program;
}

static gboolean
write_all (int fd, const char *text, gsize size)
{
  while (size > 0)
    {
      gssize n = write (fd, text, size);

      if (n < 0 && errno != EINTR)
        return FALSE;
      text += MAX (n, 0);
      size -= MAX (n, 0);
    }

  return lseek (fd, 0, SEEK_SET) == 0;
}

static int
open_input (const JobExecArgs *args, GError **error)
{
  int fd = args->input != NULL ? memfd_create ("jobqueue-stdin", MFD_CLOEXEC)
                               : open ("/dev/null", O_RDONLY | O_CLOEXEC);

  if (fd < 0 || (args->input != NULL && !write_all (fd, args->input, strlen (args->input))))
    {
      set_errno_error (error, "no stdin");
      clear_fd (&fd);
    }

  return fd;
}

static gboolean
open_stream (Stream *stream, int *write_end, GError **error)
{
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return set_errno_error (error, "no pipe");

  stream->fd = ends[0];
  *write_end = ends[1];

  return fcntl (ends[0], F_SETFL, O_NONBLOCK) == 0 || set_errno_error (error, "a pipe that blocks");
}

static gboolean
start_child (JobExecCommand *self, GError **error)
{
  JobExecChild child = { .program = self->program,
                         .argv = self->args->argv,
                         .environment = self->args->environment,
                         .cwd = self->args->cwd,
                         .fds = { -1, -1, -1 } };

  child.fds[0] = open_input (self->args, error);
  if (child.fds[0] >= 0 && open_stream (&self->streams[0], &child.fds[1], error) &&
      open_stream (&self->streams[1], &child.fds[2], error))
    self->pid = job_exec_guard_start_child (&child, &self->report, error);

  for (guint i = 0; i < G_N_ELEMENTS (child.fds); i++)
    clear_fd (&child.fds[i]);

  return self->pid > 0;
}

/* The end. */

static void
clear_stream (Stream *stream)
{
  clear_source (&stream->source);
  clear_fd (&stream->fd);
}

static gboolean
has_exited (JobExecCommand *self)
{
  siginfo_t info = { 0 };
  int result;

  do
    result = waitid (P_PID, self->pid, &info, WEXITED | WNOHANG | WNOWAIT);
  while (result != 0 && errno == EINTR);

  return result != 0 || info.si_pid == self->pid;
}

static void
reap (JobExecCommand *self)
{
  pid_t pid;

  do
    pid = waitpid (self->pid, &self->status, 0);
  while (pid < 0 && errno == EINTR);

  self->has_status = pid == self->pid;
}

static gboolean
check_exit (gpointer data)
{
  JobExecCommand *self = data;

  if (!has_exited (self))
    return G_SOURCE_CONTINUE;

  kill (-self->pid, SIGKILL);
  job_exec_guard_remove (self->pid);
  reap (self);
  self->ended_at = g_get_monotonic_time ();

  clear_source (&self->exit_source);
  clear_source (&self->deadline_source);
  clear_fd (&self->pidfd);
  for (guint i = 0; i < G_N_ELEMENTS (self->streams); i++)
    {
      if (self->streams[i].fd >= 0)
        job_exec_output_drain (&self->streams[i].output, self->streams[i].fd);
      clear_stream (&self->streams[i]);
    }

  self->ended (self, self->data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_pidfd (int fd, GIOCondition condition, gpointer data)
{
  return check_exit (data);
}

static void
watch_exit (JobExecCommand *self)
{
  self->pidfd = pidfd_open (self->pid, 0);
  if (self->pidfd >= 0)
    self->exit_source =
        attach_source (g_unix_fd_source_new (self->pidfd, G_IO_IN), G_SOURCE_FUNC (on_pidfd), self);
  else
    self->exit_source = attach_source (g_timeout_source_new (POLL_INTERVAL), check_exit, self);
}

static gboolean
on_output (int fd, GIOCondition condition, gpointer data)
{
  Stream *stream = data;

  if (job_exec_output_read (&stream->output, fd, G_MAXSIZE))
    return G_SOURCE_CONTINUE;

  clear_stream (stream);
  return G_SOURCE_REMOVE;
}

static void
watch_output (Stream *stream)
{
  stream->source = attach_source (g_unix_fd_source_new (stream->fd, G_IO_IN | G_IO_HUP | G_IO_ERR),
                                  G_SOURCE_FUNC (on_output), stream);
}

/* Stopping. */

static void
start_deadline (JobExecCommand *self, gint64 wait, GSourceFunc callback)
{
  clear_source (&self->deadline_source);
  self->deadline_source = g_timeout_source_new (0);
  g_source_set_ready_time (self->deadline_source, g_get_monotonic_time () + wait);
  attach_source (self->deadline_source, callback, self);
}

static gboolean
on_grace_over (gpointer data)
{
  JobExecCommand *self = data;

  kill (-self->pid, SIGKILL);
  return G_SOURCE_REMOVE;
}

static void
stop_group (JobExecCommand *self, Stop stop)
{
  if (self->stop != STOP_NONE)
    return;

  self->stop = stop;
  kill (-self->pid, SIGTERM);
  kill (-self->pid, SIGCONT);
  start_deadline (self, self->grace, on_grace_over);
}

static gboolean
on_time_limit (gpointer data)
{
  stop_group (data, STOP_TIME_LIMIT);
  return G_SOURCE_REMOVE;
}

void
job_exec_command_stop (JobExecCommand *self)
{
  stop_group (self, STOP_ASKED);
}

JobExecCommand *
job_exec_command_start (const JobExecArgs *args, gint64 grace, JobExecCommandEnded ended,
                        gpointer data, GError **error)
{
  JobExecCommand *self = g_new0 (JobExecCommand, 1);

  self->args = args;
  self->grace = grace;
  self->ended = ended;
  self->data = data;
  self->report = self->pidfd = -1;
  for (guint i = 0; i < G_N_ELEMENTS (self->streams); i++)
    {
      self->streams[i].fd = -1;
      job_exec_output_init (&self->streams[i].output, args->max_output);
    }

  self->started_at = g_get_monotonic_time ();
  self->program = find_program (args, error);
  if (self->program == NULL || !start_child (self, error))
    {
      job_exec_command_free (self);
      return NULL;
    }

  watch_exit (self);
  watch_output (&self->streams[0]);
  watch_output (&self->streams[1]);
  if (args->timeout > 0)
    start_deadline (self, args->timeout, on_time_limit);

  return self;
}

void
job_exec_command_free (JobExecCommand *self)
{
  clear_source (&self->exit_source);
  clear_source (&self->deadline_source);
  clear_fd (&self->pidfd);
  clear_fd (&self->report);
  for (guint i = 0; i < G_N_ELEMENTS (self->streams); i++)
    {
      clear_stream (&self->streams[i]);
      job_exec_output_clear (&self->streams[i].output);
    }
  g_free (self->program);
  g_free (self);
}

/* What came of it. */

gboolean
job_exec_command_was_stopped (JobExecCommand *self)
{
  return self->stop == STOP_ASKED;
}

static char *
dup_seconds (gint64 microseconds)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT ".%06d", microseconds / G_USEC_PER_SEC,
                          (int) (microseconds % G_USEC_PER_SEC));
}

static char *
dup_message (JobExecCommand *self)
{
  const char *name = self->args->argv[0];

  if (self->stop == STOP_TIME_LIMIT)
    {
      g_autofree char *limit = dup_seconds (self->args->timeout);

      return g_strdup_printf ("“%s” ran longer than its time limit of %s s and was stopped", name,
                              limit);
    }
  if (!self->has_status)
    return g_strdup_printf ("It is unknown how “%s” ended: something else in the worker's process "
                            "took its exit status",
                            name);
  if (WIFSIGNALED (self->status))
    return g_strdup_printf ("“%s” was killed by signal %d (%s)", name, WTERMSIG (self->status),
                            g_strsignal (WTERMSIG (self->status)));

  return g_strdup_printf ("“%s” exited with status %d", name, WEXITSTATUS (self->status));
}

static void
append_message (GString *json, JobExecCommand *self)
{
  g_autofree char *message = dup_message (self);

  g_string_append (json, "\"message\":");
  job_json_append_string (json, message);
  g_string_append_c (json, ',');
}

static void
append_status (GString *json, JobExecCommand *self)
{
  if (self->stop == STOP_TIME_LIMIT)
    g_string_append (json, "\"timed_out\":true,");
  if (self->has_status && WIFEXITED (self->status))
    g_string_append_printf (json, "\"exit_status\":%d,", WEXITSTATUS (self->status));
  else if (self->has_status)
    g_string_append_printf (json, "\"signal\":%d,", WTERMSIG (self->status));
}

static void
append_stream (GString *json, const char *name, JobExecOutput *output)
{
  g_autofree char *text = job_exec_output_dup_text (output);

  g_string_append_printf (json, ",\"%s\":", name);
  job_json_append_string (json, text);
  if (job_exec_output_was_cut (output))
    g_string_append_printf (json, ",\"%s_truncated\":true", name);
}

static gboolean
has_succeeded (JobExecCommand *self)
{
  return self->stop == STOP_NONE && self->has_status && WIFEXITED (self->status) &&
         WEXITSTATUS (self->status) == 0;
}

char *
job_exec_command_dup_outcome (JobExecCommand *self, gboolean *succeeded, GError **error)
{
  g_autofree char *seconds = dup_seconds (self->ended_at - self->started_at);
  g_autoptr (GString) json = NULL;

  if (!job_exec_child_check (g_steal_fd (&self->report), self->args->argv[0], self->args->cwd,
                             error))
    return NULL;

  *succeeded = has_succeeded (self);
  json = g_string_new ("{");
  if (!*succeeded)
    append_message (json, self);
  append_status (json, self);
  g_string_append_printf (json, "\"seconds\":%s", seconds);
  append_stream (json, "stdout", &self->streams[0].output);
  append_stream (json, "stderr", &self->streams[1].output);
  g_string_append_c (json, '}');

  return g_string_free (g_steal_pointer (&json), FALSE);
}
