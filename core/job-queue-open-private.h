/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the ways to open a queue share. @where, a few words, begins the messages of errors. */

#pragma once

#include "job-queue-options-private.h"
#include "job-queue.h"

G_BEGIN_DECLS

/* What is meant where none is named. */
#define JOB_QUEUE_DEFAULT_BACKEND "sqlite"

gboolean job_queue_backend_is_listed (const char *backend);
/* A backend that is not there is a mistake of whoever names it (JOB_ERROR_CONFIG); one that does
 * not load is the plugin's (JOB_ERROR_PLUGIN). */
const JobPluginDescriptor *job_queue_find_backend (const char *backend, const char *where,
                                                   GError **error);
/* @clock: NULL for the system's. */
JobQueue *job_queue_open_backend (const JobPluginDescriptor *descriptor, JobQueueOptions *options,
                                  JobClock *clock, const char *where, GError **error);

G_END_DECLS
