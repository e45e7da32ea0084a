/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the exec handler share: a run of one job, and FIFOs, through which processes
 * say that they are there and that they are gone: a read that ends means that nobody holds the
 * other end. */

#pragma once

#include "scripted-queue.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean done;
  gboolean succeeded;
  char *text;
  JsonNode *outcome; /* NULL: an error */
  GError *error;
} ExecOutcome;

void exec_outcome_clear (ExecOutcome *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ExecOutcome, exec_outcome_clear)

/* Members of the outcome; the default is NULL, -1 or FALSE. */
const char *exec_outcome_get_string (ExecOutcome *outcome, const char *name);
int exec_outcome_get_int (ExecOutcome *outcome, const char *name);
gboolean exec_outcome_get_flag (ExecOutcome *outcome, const char *name);

JobHandler *exec_load_handler (void);
/* A callback whose data is an ExecOutcome. */
void exec_on_done (GObject *source, GAsyncResult *result, gpointer data);
/* Runs a job to its end. */
void exec_run (const char *args, ExecOutcome *outcome);
/* Runs a line of shell; @more are further members of the args, with a comma before them. */
void exec_run_shell (const char *line, const char *more, ExecOutcome *outcome);

typedef struct
{
  char *folder;
  char *path;
  int fd; /* the reading end */
} ExecFifo;

void exec_fifo_open (ExecFifo *self);
void exec_fifo_close (ExecFifo *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ExecFifo, exec_fifo_close)

/* Each runs the main context until there is something. */
void exec_fifo_expect (ExecFifo *self, const char *expected);
void exec_fifo_expect_end (ExecFifo *self);

G_END_DECLS
