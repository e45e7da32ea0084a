/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A small program that outlives its worker by a moment: it is told of the process groups of the
 * commands that run, and when the worker is gone, it kills those that are left.
 *
 * On its stdin it gets messages of one 32-bit number each: a process group that begins, or,
 * negative, one that is over. The end of the stream means that nobody is left who could send one.
 * It has its own session and ignores what ends a worker by the way, and it holds nothing of the
 * worker's. It does without libraries, since it stays for as long as the worker does. */

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#error "close_range() of glibc 2.34 is needed."
#endif

static int32_t *groups;
static size_t n_groups;
static size_t n_allocated;

static void
add_group (int32_t group)
{
  int32_t *larger;

  if (n_groups == n_allocated)
    {
      larger = realloc (groups, 2 * (n_allocated + 32) * sizeof *groups);
      if (larger == NULL)
        {
          kill (-group, SIGKILL); /* rather none than one without a guard */
          return;
        }
      groups = larger;
      n_allocated = 2 * (n_allocated + 32);
    }

  groups[n_groups++] = group;
}

static void
remove_group (int32_t group)
{
  for (size_t i = 0; i < n_groups; i++)
    if (groups[i] == group)
      {
        groups[i] = groups[--n_groups];
        return;
      }
}

static void
detach (void)
{
  static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP };

  setsid ();
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
    signal (ignored[i], SIG_IGN);
  close_range (3, ~0U, 0);
  if (chdir ("/") != 0)
    _exit (1);
}

int
main (void)
{
  int32_t number = 0;
  ssize_t n;

  detach ();
  if (send (0, &number, sizeof number, MSG_NOSIGNAL) != sizeof number)
    return 1;

  while ((n = recv (0, &number, sizeof number, 0)) > 0 || (n < 0 && errno == EINTR))
    if (n == sizeof number && number > 1)
      add_group (number);
    else if (n == sizeof number && number < -1)
      remove_group (-number);

  for (size_t i = 0; i < n_groups; i++)
    kill (-groups[i], SIGKILL);

  return 0;
}
