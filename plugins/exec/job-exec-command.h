/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A command that runs: its process group, what comes out of it, and its time limit. */

#pragma once

#include "job-exec-args.h"

G_BEGIN_DECLS

typedef struct _JobExecCommand JobExecCommand;

/* Called once, when the command has ended and its group is dead; it may free the command. */
typedef void (*JobExecCommandEnded) (JobExecCommand *self, gpointer data);

/* Runs it in the thread-default context. @args must live as long. @grace, in µs, is how long the
 * group has between SIGTERM and SIGKILL. NULL: it could not be started. */
JobExecCommand *job_exec_command_start (const JobExecArgs *args, gint64 grace,
                                        JobExecCommandEnded ended, gpointer data, GError **error);
/* Only after it has ended. */
void job_exec_command_free (JobExecCommand *self);

/* Ends the whole group; @ended is called as always. */
void job_exec_command_stop (JobExecCommand *self);

/* Once it has ended. */
gboolean job_exec_command_was_stopped (JobExecCommand *self);
/* What came of it, as a JSON object: NULL if it never ran. */
char *job_exec_command_dup_outcome (JobExecCommand *self, gboolean *succeeded, GError **error);

G_END_DECLS
