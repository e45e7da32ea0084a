/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker's side of the guard: a process that kills what the worker leaves behind when it dies,
 * however it dies. There is one for each process, started when it is first needed. */

#pragma once

#include "job-exec-child.h"

G_BEGIN_DECLS

/* Starts @child in a group that the guard knows; see job_exec_child_start(). From any thread. */
pid_t job_exec_guard_start_child (JobExecChild *child, int *report, GError **error);

/* The group has been killed; its leader is still there as a zombie, so that its number is not
 * another's yet. */
void job_exec_guard_remove (pid_t group);

G_END_DECLS
