/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A new process, in a process group of its own that the guard knows before the program runs. */

#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

typedef struct
{
  const char *program; /* a path */
  char **argv;
  char **environment;
  const char *cwd; /* NULL: the parent's */
  int fds[3];      /* its stdin, stdout and stderr */
  int guard;       /* where it registers its group; -1: nowhere, it gets no group */
} JobExecChild;

/* Starts it. Whether it got as far as its program is told by *report, a descriptor that does not
 * block, for job_exec_child_check(). -1 on error. */
pid_t job_exec_child_start (const JobExecChild *self, int *report, GError **error);

/* Once the process has ended, or has closed its end of @report by running its program: FALSE if it
 * never ran it. Closes @report. */
gboolean job_exec_child_check (int report, const char *program, const char *cwd, GError **error);

G_END_DECLS
