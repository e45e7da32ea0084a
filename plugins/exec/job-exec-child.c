/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From fork to exec. The child may only use functions that are safe after a fork of one thread
 * among many; all that needs memory is made before. What goes wrong there comes back through a pipe
 * that the exec closes. */

#include "job-exec-child.h"

#include "job-error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum
{
  STEP_DESCRIPTORS,
  STEP_GROUP,
  STEP_GUARD,
  STEP_CWD,
  STEP_EXEC,
} Step;

typedef struct
{
  gint32 step;
  gint32 code; /* errno */
} Report;

/* In the child. */

G_GNUC_NORETURN
static void
give_up (int report, Step step)
{
  const Report what = { .step = step, .code = errno };
  gssize written;

  do
    written = write (report, &what, sizeof what);
  while (written < 0 && errno == EINTR);

  _exit (127);
}

static void
reset_signals (void)
{
  struct sigaction action = { .sa_handler = SIG_DFL };
  sigset_t none;

  for (int i = 1; i < NSIG; i++)
    sigaction (i, &action, NULL); /* fails for those that cannot be changed, and need not be */

  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* First out of the way of the numbers that they shall have, then onto them. */
static gboolean
place_descriptors (const int fds[3])
{
  int copies[3];

  for (int i = 0; i < 3; i++)
    if ((copies[i] = fcntl (fds[i], F_DUPFD_CLOEXEC, 3)) < 0)
      return FALSE;

  for (int i = 0; i < 3; i++)
    if (dup2 (copies[i], i) < 0)
      return FALSE;

  return TRUE;
}

static gboolean
register_group (int guard)
{
  const gint32 group = getpid ();
  gssize sent;

  do
    sent = send (guard, &group, sizeof group, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);

  return sent == sizeof group;
}

G_GNUC_NORETURN
static void
run_child (const JobExecChild *self, int report, int guard)
{
  if (guard >= 0 && setpgid (0, 0) != 0)
    give_up (report, STEP_GROUP);
  if (guard >= 0 && !register_group (guard))
    give_up (report, STEP_GUARD);
  if (!place_descriptors (self->fds))
    give_up (report, STEP_DESCRIPTORS);
  if (self->cwd != NULL && chdir (self->cwd) != 0)
    give_up (report, STEP_CWD);

  /* Ours close themselves. For those of the application, as well as the kernel can. */
  close_range (3, ~0U, CLOSE_RANGE_CLOEXEC);
  reset_signals ();
  execve (self->program, self->argv, self->environment);
  give_up (report, STEP_EXEC);
}

/* In the parent. */

static gboolean
set_errno_error (GError **error, const char *what)
{
  int code = errno;

  g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED, "Cannot start a process: %s: %s", what,
               g_strerror (code));
  return FALSE;
}

/* The reading end does not block, and the writing end is not one of the first three. */
static gboolean
open_report (int ends[2], GError **error)
{
  int moved;

  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return set_errno_error (error, "no pipe");

  moved = fcntl (ends[1], F_DUPFD_CLOEXEC, 3);
  close (ends[1]);
  ends[1] = moved;
  if (moved >= 0)
    return TRUE;

  set_errno_error (error, "no descriptor");
  close (ends[0]);
  return FALSE;
}

/* No handler of the parent's may run in the child, so no signal comes in between. */
static pid_t
fork_child (const JobExecChild *self, int report, int guard)
{
  sigset_t all, before;
  pid_t pid;
  int code;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  pid = fork ();
  if (pid == 0)
    run_child (self, report, guard);
  code = errno;
  pthread_sigmask (SIG_SETMASK, &before, NULL);

  /* The child does so too: whoever comes first, the group is there for both. */
  if (pid > 0 && guard >= 0)
    setpgid (pid, pid);

  errno = code;
  return pid;
}

pid_t
job_exec_child_start (const JobExecChild *self, int *report, GError **error)
{
  int ends[2];
  pid_t pid;

  if (!open_report (ends, error))
    return -1;

  pid = fork_child (self, ends[1], self->guard);
  if (pid < 0)
    set_errno_error (error, "fork failed");
  close (ends[1]);
  if (pid < 0)
    close (ends[0]);
  else
    *report = ends[0];

  return pid;
}

static void
set_step_error (const Report *what, const char *program, const char *cwd, GError **error)
{
  const char *reason = g_strerror (what->code);

  switch ((Step) what->step)
    {
    case STEP_CWD:
      g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED, "Cannot run “%s” in the folder “%s”: %s",
                   program, cwd, reason);
      break;
    case STEP_EXEC:
      g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED, "Cannot run “%s”: %s%s", program, reason,
                   what->code == ENOEXEC ? "; a script has to begin with “#!”" : "");
      break;
    case STEP_GUARD:
      g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED,
                   "Cannot run “%s”: the process that guards commands has gone (%s)", program,
                   reason);
      break;
    case STEP_DESCRIPTORS:
    case STEP_GROUP:
    default:
      g_set_error (
          error, JOB_ERROR, JOB_ERROR_FAILED, "Cannot run “%s”: the new process %s: %s", program,
          what->step == STEP_GROUP ? "got no process group" : "got no descriptors", reason);
      break;
    }
}

gboolean
job_exec_child_check (int report, const char *program, const char *cwd, GError **error)
{
  Report what;
  gssize n;

  do
    n = read (report, &what, sizeof what);
  while (n < 0 && errno == EINTR);
  close (report);

  if (n != sizeof what)
    return TRUE;

  set_step_error (&what, program, cwd, error);
  return FALSE;
}
