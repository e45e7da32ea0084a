/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A store that is one text file, with a line for each job. */

#pragma once

#define JOBQUEUE_ENABLE_BACKEND
#include <jobqueue/jobqueue-backend.h>

G_BEGIN_DECLS

G_DECLARE_FINAL_TYPE (LinesStore, lines_store, LINES, STORE, JobStore)

/* Opens the file, which need not be there, and takes its lock. */
JobStore *lines_store_new (const char *path, GError **error);

/* lines-text.c: one line, without its end */

/* Appends the line of a whole job. */
void lines_text_append (GString *text, const JobChange *job);
/* FALSE: it is no line of ours, or a damaged one; then *id is what it begins with, or nil. */
gboolean lines_text_parse (const char *line, JobChange *job, JobId *id);

G_END_DECLS
