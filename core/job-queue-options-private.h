/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backend's options: text in, values of its construct properties out. */

#pragma once

#include "job-clock.h"
#include "job-plugin.h"

G_BEGIN_DECLS

typedef struct
{
  GType type;
  GPtrArray *names; /* of const char *: the properties' own */
  GArray *values;   /* of GValue, as many */
} JobQueueOptions;

/* @texts: option to text, or NULL. @where begins the messages of errors, all JOB_ERROR_CONFIG.
 * @folder: what a relative location counts from, or NULL for the current folder. */
JobQueueOptions *job_queue_options_parse (const JobPluginDescriptor *descriptor, GHashTable *texts,
                                          const char *where, const char *folder, GError **error);
void job_queue_options_free (JobQueueOptions *self);

/* JOB_ERROR_CONFIG if the backend needs a location and none was given. */
gboolean job_queue_options_check_location (JobQueueOptions *self,
                                           const JobPluginDescriptor *descriptor, const char *where,
                                           GError **error);
/* JOB_ERROR_CONFIG if the backend takes no clock. */
gboolean job_queue_options_add_clock (JobQueueOptions *self, JobClock *clock, const char *where,
                                      GError **error);
GObject *job_queue_options_construct (JobQueueOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobQueueOptions, job_queue_options_free)

G_END_DECLS
