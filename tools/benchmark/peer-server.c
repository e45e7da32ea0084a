/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starts and stops a server for one measurement. */

#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIMEOUT (10 * G_USEC_PER_SEC)
#define START_STEP 10000 /* µs */

static struct sockaddr_in
loopback (guint16 port)
{
  return (struct sockaddr_in){ .sin_family = AF_INET,
                               .sin_port = htons (port),
                               .sin_addr = { htonl (INADDR_LOOPBACK) } };
}

static guint16
find_free_port (void)
{
  struct sockaddr_in address = loopback (0);
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  bench_check_errno (fd >= 0 && bind (fd, (struct sockaddr *) &address, size) == 0 &&
                         getsockname (fd, (struct sockaddr *) &address, &size) == 0,
                     "find a free port");
  close (fd);
  return ntohs (address.sin_port);
}

static gboolean
listens (guint16 port)
{
  struct sockaddr_in address = loopback (port);
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean connected;

  bench_check_errno (fd >= 0, "make a socket");
  connected = connect (fd, (struct sockaddr *) &address, sizeof address) == 0;
  close (fd);
  return connected;
}

typedef struct
{
  pid_t parent;
  int log;
} Setup;

/* In the server's process, before it becomes the server. */
static void
set_up (gpointer data)
{
  Setup *setup = data;

  dup2 (setup->log, STDOUT_FILENO);
  dup2 (setup->log, STDERR_FILENO);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != setup->parent)
    _exit (1);
}

static void
wait_until_it_listens (PeerServer *self, const char *name)
{
  g_autofree char *text = NULL;

  for (gint64 waited = 0; waited < START_TIMEOUT; waited += START_STEP)
    {
      if (waitpid (self->pid, NULL, WNOHANG) == self->pid)
        {
          self->pid = 0;
          break;
        }
      if (listens (self->port))
        return;
      g_usleep (START_STEP);
    }
  if (self->pid)
    peer_server_stop (self);
  g_file_get_contents (self->log, &text, NULL, NULL);
  bench_fail ("%s does not start; it says: %s", name, text && *text ? text : "nothing");
}

static char **
fill_in_port (const char *const *argv, guint16 port)
{
  char **filled = g_strdupv ((char **) argv);

  for (guint i = 0; filled[i]; i++)
    if (g_str_equal (filled[i], "PORT"))
      {
        g_free (filled[i]);
        filled[i] = g_strdup_printf ("%u", port);
      }
  return filled;
}

void
peer_server_start (PeerServer *self, const BenchTask *task, const char *const *argv)
{
  g_autofree char *program = g_find_program_in_path (argv[0]);
  g_auto (GStrv) filled = NULL;
  g_autoptr (GError) error = NULL;
  Setup setup = { getpid (), -1 };

  if (program == NULL)
    bench_missing (argv[0]);
  self->port = find_free_port ();
  self->log = g_build_filename (task->folder, "server.log", NULL);
  filled = fill_in_port (argv, self->port);
  setup.log = open (self->log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  bench_check_errno (setup.log >= 0, "create a log");
  g_spawn_async (task->folder, filled, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                 set_up, &setup, &self->pid, &error);
  bench_check (error, "start a server");
  close (setup.log);
  wait_until_it_listens (self, argv[0]);
}

/* What it has in memory need not be saved. */
void
peer_server_stop (PeerServer *self)
{
  kill (self->pid, SIGKILL);
  while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  g_free (self->log);
}
