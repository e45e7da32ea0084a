/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of commands: at a stop, at a time limit, and at the end of their worker, all processes of
 * a command's group go.
 *
 * Called with --worker, this program is a worker that can be killed: it runs each line of its stdin
 * as the args of a job, and prints how that ended. */

#include "exec-fixture.h"

#include <gio/gunixinputstream.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* A job that has begun and can be stopped. */
typedef struct
{
  JobHandler *handler;
  JobLease *lease;
  GCancellable *cancellable;
  ExecFifo fifo;
  ExecOutcome outcome;
} Running;

/* @line has the path of the FIFO in place of %s, and writes "up\n" to it. */
static void
running_start (Running *self, const char *line, const char *more)
{
  g_autoptr (ScriptedQueue) queue = scripted_queue_new ();
  g_autoptr (GString) args = g_string_new ("{\"argv\":[\"sh\",\"-c\",");
  g_autoptr (GString) script = g_string_new (line);

  exec_fifo_open (&self->fifo);
  g_string_replace (script, "%s", self->fifo.path, 0);
  job_json_append_string (args, script->str);
  g_string_append_printf (args, "]%s}", more);
  self->handler = exec_load_handler ();
  self->cancellable = g_cancellable_new ();
  self->lease = job_lease_new (queue, "", "", "exec", "", args->str, 1, NULL, NULL);
  job_handler_run_async (self->handler, self->lease, self->cancellable, exec_on_done,
                         &self->outcome);
  exec_fifo_expect (&self->fifo, "up\n");
}

static void
running_wait (Running *self)
{
  while (!self->outcome.done)
    g_main_context_iteration (NULL, TRUE);
}

static void
running_clear (Running *self)
{
  g_object_unref (self->handler);
  g_object_unref (self->lease);
  g_object_unref (self->cancellable);
  exec_outcome_clear (&self->outcome);
  exec_fifo_close (&self->fifo);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Running, running_clear)

#define GRANDCHILD "sh -c 'echo up; sleep 1000 & wait' > %s & wait"

/* Stopping. */

static void
test_cancel_kills_group (void)
{
  g_auto (Running) job = { 0 };

  running_start (&job, GRANDCHILD, "");
  g_cancellable_cancel (job.cancellable);
  running_wait (&job);
  g_assert_error (job.outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  exec_fifo_expect_end (&job.fifo);
}

static void
test_lease_kills_group (void)
{
  g_auto (Running) job = { 0 };

  running_start (&job, GRANDCHILD, "");
  g_cancellable_cancel (job_lease_get_cancellable (job.lease));
  running_wait (&job);
  g_assert_error (job.outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  exec_fifo_expect_end (&job.fifo);
}

static void
test_time_limit_kills_group (void)
{
  g_auto (Running) job = { 0 };

  running_start (&job, GRANDCHILD, ",\"timeout\":0.3");
  running_wait (&job);
  g_assert_no_error (job.outcome.error);
  g_assert_false (job.outcome.succeeded);
  g_assert_true (exec_outcome_get_flag (&job.outcome, "timed_out"));
  g_assert_nonnull (strstr (exec_outcome_get_string (&job.outcome, "message"), "time limit"));
  exec_fifo_expect_end (&job.fifo);
}

/* Both get SIGTERM, and the first one waits for the other. */
static void
test_group_may_say_goodbye (void)
{
  g_auto (Running) job = { 0 };

  running_start (&job,
                 "trap : TERM; sh -c 'trap \"echo bye; exit\" TERM; echo up; sleep 1000 & wait' "
                 "> %s & wait; wait",
                 "");
  g_cancellable_cancel (job.cancellable);
  exec_fifo_expect (&job.fifo, "bye\n");
  running_wait (&job);
  exec_fifo_expect_end (&job.fifo);
}

static void
test_grace_ends (void)
{
  g_auto (Running) job = { 0 };
  g_autoptr (JobHandler) handler = exec_load_handler ();
  GType type = G_OBJECT_TYPE (handler);
  g_autoptr (ScriptedQueue) queue = scripted_queue_new ();
  g_autofree char *args = NULL;

  exec_fifo_open (&job.fifo);
  args = g_strdup_printf ("{\"argv\":[\"sh\",\"-c\",\"trap '' TERM; echo up > %s; "
                          "while :; do sleep 1000; done\"],\"timeout\":0.2}",
                          job.fifo.path);
  job.handler = g_object_new (type, "grace", (gint64) 1000, NULL);
  job.cancellable = g_cancellable_new ();
  job.lease = job_lease_new (queue, "", "", "exec", "", args, 1, NULL, NULL);
  job_handler_run_async (job.handler, job.lease, NULL, exec_on_done, &job.outcome);
  exec_fifo_expect (&job.fifo, "up\n");
  running_wait (&job);
  g_assert_cmpint (exec_outcome_get_int (&job.outcome, "signal"), ==, SIGKILL);
  g_assert_true (exec_outcome_get_flag (&job.outcome, "timed_out"));
}

static void
test_cancelled_before (void)
{
  g_autoptr (JobHandler) handler = exec_load_handler ();
  g_autoptr (ScriptedQueue) queue = scripted_queue_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (JobLease) lease = NULL;
  g_auto (ExecOutcome) outcome = { 0 };
  g_auto (ExecFifo) fifo = { 0 };
  g_autofree char *args = NULL;
  char text[8];

  exec_fifo_open (&fifo);
  args = g_strdup_printf ("{\"argv\":[\"sh\",\"-c\",\"echo up > %s\"]}", fifo.path);
  lease = job_lease_new (queue, "", "", "exec", "", args, 1, NULL, NULL);
  g_cancellable_cancel (cancellable);
  job_handler_run_async (handler, lease, cancellable, exec_on_done, &outcome);
  while (!outcome.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (read (fifo.fd, text, sizeof text), ==, 0); /* nobody ever wrote */
}

static void
test_background_process_is_killed (void)
{
  g_auto (Running) job = { 0 };

  running_start (&job,
                 "mkfifo %s.2; sh -c 'echo up; echo > %s.2; exec sleep 1000' > %s & "
                 "read x < %s.2; rm %s.2",
                 "");
  running_wait (&job);
  g_assert_true (job.outcome.succeeded);
  exec_fifo_expect_end (&job.fifo);
}

/* The guard. */

static void
print_done (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  job_handler_run_finish (JOB_HANDLER (source), result, &text, &error);
  g_print ("%s\n", text != NULL ? text : error->message);
}

static void read_next_line (GDataInputStream *lines, JobHandler *handler);

static void
on_line (GObject *source, GAsyncResult *result, gpointer data)
{
  GDataInputStream *lines = G_DATA_INPUT_STREAM (source);
  g_autofree char *line = g_data_input_stream_read_line_finish (lines, result, NULL, NULL);
  g_autoptr (ScriptedQueue) queue = scripted_queue_new ();
  g_autoptr (JobLease) lease = NULL;

  if (line == NULL)
    exit (0);

  lease = job_lease_new (queue, "", "", "exec", "", line, 1, NULL, NULL);
  job_handler_run_async (data, lease, NULL, print_done, NULL);
  read_next_line (lines, data);
}

static void
read_next_line (GDataInputStream *lines, JobHandler *handler)
{
  g_data_input_stream_read_line_async (lines, G_PRIORITY_DEFAULT, NULL, on_line, handler);
}

static void
be_worker (void)
{
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (input);
  g_autoptr (JobHandler) handler = exec_load_handler ();

  read_next_line (lines, handler);
  while (TRUE)
    g_main_context_iteration (NULL, TRUE);
}

typedef struct
{
  GSubprocess *process;
  GDataInputStream *output;
} Worker;

/* @plugins: where it finds the exec plugin, or NULL. */
static void
worker_start (Worker *self, const char *plugins)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;

  if (plugins != NULL)
    g_subprocess_launcher_setenv (launcher, "JOBQUEUE_PLUGIN_PATH", plugins, TRUE);
  self->process = g_subprocess_launcher_spawn (launcher, &error, program, "--worker", NULL);
  g_assert_no_error (error);
  self->output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
}

static void
worker_send (Worker *self, const char *args)
{
  GOutputStream *input = g_subprocess_get_stdin_pipe (self->process);
  g_autofree char *line = g_strdup_printf ("%s\n", args);
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (input, line, strlen (line), NULL, NULL, &error);
  g_assert_no_error (error);
}

static char *
worker_receive (Worker *self)
{
  g_autoptr (GError) error = NULL;
  char *line = g_data_input_stream_read_line (self->output, NULL, NULL, &error);

  g_assert_no_error (error);
  return line;
}

static void
worker_kill (Worker *self)
{
  g_subprocess_force_exit (self->process);
  g_subprocess_wait (self->process, NULL, NULL);
}

static void
worker_clear (Worker *self)
{
  worker_kill (self);
  g_object_unref (self->output);
  g_object_unref (self->process);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Worker, worker_clear)

/* A job with a process under the command that holds the FIFO. */
static void
worker_send_grandchild (Worker *self, ExecFifo *fifo)
{
  g_autofree char *args = g_strdup_printf (
      "{\"argv\":[\"sh\",\"-c\",\"sh -c 'echo up; sleep 1000 & wait' > %s & wait\"]}", fifo->path);

  worker_send (self, args);
  exec_fifo_expect (fifo, "up\n");
}

static void
test_killed_worker_takes_all_along (void)
{
  g_auto (Worker) worker = { 0 };
  g_auto (ExecFifo) fifo = { 0 };

  exec_fifo_open (&fifo);
  worker_start (&worker, NULL);
  worker_send_grandchild (&worker, &fifo);
  worker_kill (&worker);
  exec_fifo_expect_end (&fifo);
}

static void
test_ended_worker_takes_all_along (void)
{
  g_auto (Worker) worker = { 0 };
  g_auto (ExecFifo) fifo = { 0 };

  exec_fifo_open (&fifo);
  worker_start (&worker, NULL);
  worker_send_grandchild (&worker, &fifo);
  g_output_stream_close (g_subprocess_get_stdin_pipe (worker.process), NULL, NULL);
  g_assert_true (g_subprocess_wait_check (worker.process, NULL, NULL));
  exec_fifo_expect_end (&fifo);
}

static gboolean
is_guard (const char *pid)
{
  g_autofree char *path = g_build_filename ("/proc", pid, "comm", NULL);
  g_autofree char *name = NULL;

  return g_file_get_contents (path, &name, NULL, NULL) &&
         g_str_has_prefix (name, "jobqueue-exec-g");
}

static pid_t
find_guard (Worker *worker)
{
  const char *pid = g_subprocess_get_identifier (worker->process);
  g_autofree char *path = g_strdup_printf ("/proc/%s/task/%s/children", pid, pid);
  g_autofree char *children = NULL;
  g_auto (GStrv) pids = NULL;

  g_assert_true (g_file_get_contents (path, &children, NULL, NULL));
  pids = g_strsplit (g_strstrip (children), " ", -1);
  for (guint i = 0; pids[i] != NULL; i++)
    if (is_guard (pids[i]))
      return atoi (pids[i]);

  g_assert_not_reached ();
}

/* FALSE: the system cannot tell when it is dead. */
static gboolean
kill_guard (Worker *worker)
{
  pid_t pid = find_guard (worker);
  struct pollfd wait = { .fd = pidfd_open (pid, 0), .events = POLLIN };

  if (wait.fd < 0)
    return FALSE;

  g_assert_no_errno (kill (pid, SIGKILL));
  g_assert_cmpint (poll (&wait, 1, -1), ==, 1);
  close (wait.fd);
  return TRUE;
}

/* The next job starts another one, which learns of what runs already. */
static void
test_guard_is_replaced (void)
{
  g_auto (Worker) worker = { 0 };
  g_auto (ExecFifo) fifo = { 0 };
  g_autofree char *line = NULL;

  exec_fifo_open (&fifo);
  worker_start (&worker, NULL);
  worker_send_grandchild (&worker, &fifo);
  if (!kill_guard (&worker))
    {
      g_test_skip ("no pidfd_open() here");
      return;
    }
  worker_send (&worker, "{\"argv\":[\"true\"]}");
  line = worker_receive (&worker);
  g_assert_nonnull (strstr (line, "\"exit_status\":0"));
  worker_kill (&worker);
  exec_fifo_expect_end (&fifo);
}

static void
test_guard_outlives_signals (void)
{
  g_auto (Worker) worker = { 0 };
  g_auto (ExecFifo) fifo = { 0 };
  pid_t guard;

  exec_fifo_open (&fifo);
  worker_start (&worker, NULL);
  worker_send_grandchild (&worker, &fifo);
  guard = find_guard (&worker);
  kill (guard, SIGINT);
  kill (guard, SIGTERM);
  kill (guard, SIGHUP);
  worker_kill (&worker);
  exec_fifo_expect_end (&fifo);
}

static void
test_no_guard_no_command (void)
{
  g_auto (Worker) worker = { 0 };
  g_autofree char *folder = g_dir_make_tmp ("test-exec-XXXXXX", NULL);
  g_autofree char *module = g_build_filename (folder, "exec.so", NULL);
  g_autofree char *original = g_build_filename (g_getenv ("JOBQUEUE_PLUGIN_PATH"), "exec.so", NULL);
  g_autoptr (GFile) from = g_file_new_for_path (original);
  g_autoptr (GFile) to = g_file_new_for_path (module);
  g_autofree char *line = NULL;

  g_assert_true (g_file_copy (from, to, G_FILE_COPY_NONE, NULL, NULL, NULL, NULL));
  worker_start (&worker, folder);
  worker_send (&worker, "{\"argv\":[\"true\"]}");
  line = worker_receive (&worker);
  g_assert_nonnull (strstr (line, "jobqueue-exec-guard"));
  g_assert_nonnull (strstr (line, "is missing"));
  g_unlink (module);
  g_rmdir (folder);
}

static void
add_tests (void)
{
  g_test_add_func ("/exec-stop/background-process-is-killed", test_background_process_is_killed);
  g_test_add_func ("/exec-stop/cancel-kills-group", test_cancel_kills_group);
  g_test_add_func ("/exec-stop/lease-kills-group", test_lease_kills_group);
  g_test_add_func ("/exec-stop/time-limit-kills-group", test_time_limit_kills_group);
  g_test_add_func ("/exec-stop/group-may-say-goodbye", test_group_may_say_goodbye);
  g_test_add_func ("/exec-stop/grace-ends", test_grace_ends);
  g_test_add_func ("/exec-stop/cancelled-before", test_cancelled_before);
  g_test_add_func ("/exec-guard/killed-worker-takes-all-along", test_killed_worker_takes_all_along);
  g_test_add_func ("/exec-guard/ended-worker-takes-all-along", test_ended_worker_takes_all_along);
  g_test_add_func ("/exec-guard/is-replaced", test_guard_is_replaced);
  g_test_add_func ("/exec-guard/outlives-signals", test_guard_outlives_signals);
  g_test_add_func ("/exec-guard/no-guard-no-command", test_no_guard_no_command);
}

int
main (int argc, char **argv)
{
  if (argc > 1 && g_str_equal (argv[1], "--worker"))
    be_worker ();

  g_test_init (&argc, &argv, NULL);
  add_tests ();

  return g_test_run ();
}
