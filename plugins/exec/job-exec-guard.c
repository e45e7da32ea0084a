/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker's side of the guard. The two are joined by a pair of sockets that keep messages apart:
 *
 *   worker, or a child before its exec ──► guard   gint32: a process group's number to register it,
 *                                                  the same, negative, when it is gone
 *   guard ──► worker                               gint32 0: I am ready
 *
 * The guard sees the end of the stream when the worker is gone, and every child that has not run
 * its program yet: each of them holds the sending end. So no group can be missed. */

#include "job-exec-guard.h"

#include "job-error.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUARD_PROGRAM "jobqueue-exec-guard"
#define START_TIMEOUT 10000 /* ms */

static GMutex lock;
static int guard_fd = -1;  /* under lock */
static pid_t guard_pid;    /* under lock; of the guard that guard_fd leads to */
static GHashTable *groups; /* under lock; the running ones, for a new guard */

static void
set_guard_error (GError **error, const char *what, int code)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED, "Cannot guard commands, so none is run: %s%s%s",
               what, code != 0 ? ": " : "", code != 0 ? g_strerror (code) : "");
}

/* It lies beside this module. */
static char *
find_program (GError **error)
{
  g_autofree char *folder = NULL;
  g_autofree char *program = NULL;
  Dl_info info;

  if (dladdr ((void *) &guard_fd, &info) == 0 || info.dli_fname == NULL)
    {
      set_guard_error (error, "the file of the exec plugin cannot be found", 0);
      return NULL;
    }

  folder = g_path_get_dirname (info.dli_fname);
  program = g_build_filename (folder, GUARD_PROGRAM, NULL);
  if (g_file_test (program, G_FILE_TEST_IS_EXECUTABLE))
    return g_steal_pointer (&program);

  g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED,
               "Cannot guard commands, so none is run: the program “%s” is missing; install it "
               "beside the exec plugin",
               program);
  return NULL;
}

static gboolean
send_group (int fd, gint32 group)
{
  gssize sent;

  do
    sent = send (fd, &group, sizeof group, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);

  return sent == sizeof group;
}

static gboolean
await_ready (int fd)
{
  struct pollfd wait = { .fd = fd, .events = POLLIN };
  gint32 word = -1;
  int n;

  do
    n = poll (&wait, 1, START_TIMEOUT);
  while (n < 0 && errno == EINTR);

  return n == 1 && recv (fd, &word, sizeof word, 0) == sizeof word && word == 0;
}

static void
reap (pid_t pid)
{
  int status;

  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
}

static pid_t
start_process (const char *program, int socket, GError **error)
{
  char *argv[] = { (char *) GUARD_PROGRAM, NULL };
  char *environment[] = { NULL };
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  JobExecChild child = { .program = program,
                         .argv = argv,
                         .environment = environment,
                         .fds = { socket, null, null },
                         .guard = -1 };
  int report;
  pid_t pid;

  if (null < 0)
    {
      set_guard_error (error, "/dev/null", errno);
      return -1;
    }

  pid = job_exec_child_start (&child, &report, error);
  close (null);
  if (pid > 0)
    close (report); /* that it is ready says more */

  return pid;
}

/* Tells a new guard what runs already. */
static gboolean
send_groups (int fd)
{
  GHashTableIter iter;
  gpointer group;

  g_hash_table_iter_init (&iter, groups);
  while (g_hash_table_iter_next (&iter, &group, NULL))
    if (!send_group (fd, GPOINTER_TO_INT (group)))
      return FALSE;

  return TRUE;
}

static gboolean
start_guard_locked (GError **error)
{
  g_autofree char *program = find_program (error);
  int ends[2];
  pid_t pid;

  if (program == NULL)
    return FALSE;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    {
      set_guard_error (error, "no pair of sockets", errno);
      return FALSE;
    }

  pid = start_process (program, ends[1], error);
  close (ends[1]);
  if (pid > 0 && await_ready (ends[0]) && send_groups (ends[0]))
    {
      guard_fd = ends[0];
      guard_pid = pid;
      return TRUE;
    }

  close (ends[0]);
  if (pid > 0)
    {
      kill (pid, SIGKILL);
      reap (pid);
      g_set_error (error, JOB_ERROR, JOB_ERROR_FAILED,
                   "Cannot guard commands, so none is run: “%s” did not get ready", program);
    }
  return FALSE;
}

/* The guard never sends anything once it is ready, so what can be read is the end. */
static gboolean
guard_is_alive_locked (void)
{
  gint32 word;

  return guard_fd >= 0 && recv (guard_fd, &word, sizeof word, MSG_DONTWAIT | MSG_PEEK) < 0 &&
         (errno == EAGAIN || errno == EINTR);
}

static void
forget_guard_locked (void)
{
  if (guard_fd < 0)
    return;

  close (guard_fd);
  guard_fd = -1;
  kill (guard_pid, SIGKILL);
  reap (guard_pid);
}

static gboolean
ensure_guard_locked (GError **error)
{
  if (groups == NULL)
    groups = g_hash_table_new (NULL, NULL);

  if (guard_is_alive_locked ())
    return TRUE;

  forget_guard_locked ();
  return start_guard_locked (error);
}

pid_t
job_exec_guard_start_child (JobExecChild *child, int *report, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  pid_t pid;

  if (!ensure_guard_locked (error))
    return -1;

  child->guard = guard_fd;
  pid = job_exec_child_start (child, report, error);
  if (pid > 0)
    g_hash_table_add (groups, GINT_TO_POINTER (pid));

  return pid;
}

void
job_exec_guard_remove (pid_t group)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_hash_table_remove (groups, GINT_TO_POINTER (group));
  if (guard_fd >= 0)
    send_group (guard_fd, -group); /* if the guard is dead, it does not know the group any more */
}
