/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the args of an "exec" job ask for. The members are told in docs/exec.md. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define JOB_EXEC_DEFAULT_OUTPUT (16 * 1024)
#define JOB_EXEC_MAX_OUTPUT (1024 * 1024)

typedef struct
{
  char **argv;        /* one string at least */
  char **environment; /* of the command, as a whole */
  char *cwd;          /* NULL: the worker's */
  char *input;        /* for stdin; NULL: none */
  gboolean input_from_dependencies;
  gint64 timeout;   /* µs; 0: no limit */
  gsize max_output; /* bytes that are kept of stdout, and of stderr */
} JobExecArgs;

/* @json is what a lease gives: checked JSON text. JOB_ERROR_INVALID, naming the member. */
JobExecArgs *job_exec_args_parse (const char *json, GError **error);
void job_exec_args_free (JobExecArgs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobExecArgs, job_exec_args_free)

G_END_DECLS
