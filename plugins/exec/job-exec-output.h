/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a stream: however much comes, only the last bytes are kept. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GByteArray *bytes; /* owned; the last ones, twice as many as are asked for at most */
  gsize max;
  gboolean cut; /* some were dropped */
} JobExecOutput;

void job_exec_output_init (JobExecOutput *self, gsize max);
void job_exec_output_clear (JobExecOutput *self);

/* Reads once from @fd, which does not block, @max bytes at most. FALSE: the stream has ended. */
gboolean job_exec_output_read (JobExecOutput *self, int fd, gsize max);
/* Reads what is in the pipe now, and no more. */
void job_exec_output_drain (JobExecOutput *self, int fd);

/* What was kept, as text: cut between characters, with what is not UTF-8 replaced. */
char *job_exec_output_dup_text (JobExecOutput *self);
gboolean job_exec_output_was_cut (JobExecOutput *self);

G_END_DECLS
