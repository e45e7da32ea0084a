/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The jobs that changed since the last checkpoint. Not locked; what only looks may come from
 * several threads at once. */

#pragma once

#include "job-gdbm-file.h"

G_BEGIN_DECLS

typedef struct _JobGdbmOverlay JobGdbmOverlay;

/* FALSE stops. */
typedef gboolean (*JobGdbmOverlayVisitor) (const JobChange *job, gpointer data);

JobGdbmOverlay *job_gdbm_overlay_new (void);
void job_gdbm_overlay_free (JobGdbmOverlay *self);
gboolean job_gdbm_overlay_is_empty (JobGdbmOverlay *self);
gboolean job_gdbm_overlay_contains (JobGdbmOverlay *self, const JobId *id);
/* @job has a record. It goes over what is there. @settled: the file has that job already. */
void job_gdbm_overlay_put (JobGdbmOverlay *self, const JobChange *job, gboolean settled);
/* Whether nothing came for a job that the file has, as far as that is known: a change with a record
 * is taken for a new job, which after a crash it need not be. */
gboolean job_gdbm_overlay_only_adds (JobGdbmOverlay *self);
/* Fills in *job (to be cleared), if it is there. */
gboolean job_gdbm_overlay_get (JobGdbmOverlay *self, const JobId *id, JobChange *job);
void job_gdbm_overlay_visit (JobGdbmOverlay *self, JobGdbmOverlayVisitor visitor, gpointer data);
gboolean job_gdbm_overlay_write (JobGdbmOverlay *self, JobGdbmWriter *writer, GError **error);

G_END_DECLS
