/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The jobs that the file has, and what is wrong with it. Any call may come from any thread, but for
 * job_gdbm_settled_move_damaged(), beside which there may only be reads, as the store's contract
 * has it. */

#pragma once

#include "job-gdbm-overlay.h"

G_BEGIN_DECLS

typedef struct _JobGdbmSettled JobGdbmSettled;

/* @path: of the gdbm file, absolute. There is no file yet: job_gdbm_settled_set_file(). */
JobGdbmSettled *job_gdbm_settled_new (const char *path);
void job_gdbm_settled_free (JobGdbmSettled *self);
/* Takes the file that replaced the last one; what was to be left out is. */
void job_gdbm_settled_set_file (JobGdbmSettled *self, JobGdbmFile *file);
guint64 job_gdbm_settled_get_size (JobGdbmSettled *self);
/* Whether a new file would differ, even if no job changed. */
gboolean job_gdbm_settled_is_dirty (JobGdbmSettled *self);

/* Fills in *job (to be cleared): without a record if there is none, then it is *missing, or if it
 * cannot be read, which is noted. */
gboolean job_gdbm_settled_get (JobGdbmSettled *self, const JobId *id, JobChange *job,
                               gboolean *missing, GError **error);
/* Fails with what was noted of a job that could not be read. */
gboolean job_gdbm_settled_check (JobGdbmSettled *self, const JobId *id, GError **error);
/* Every job that is not in @overlay (or NULL) and can be read; what cannot is noted. */
gboolean job_gdbm_settled_visit (JobGdbmSettled *self, JobGdbmOverlay *overlay,
                                 JobGdbmOverlayVisitor visitor, gpointer data, GError **error);
/* Every record that is not in @overlay, byte for byte. JOB_ERROR_CORRUPT if not all can be read. */
gboolean job_gdbm_settled_copy (JobGdbmSettled *self, JobGdbmOverlay *overlay,
                                JobGdbmWriter *writer, GError **error);
/* The file (to be unreferenced), if all of it is to be in the next one, byte for byte, and it was
 * made here; else NULL. */
JobGdbmFile *job_gdbm_settled_ref_base (JobGdbmSettled *self);
/* JOB_ERROR_CORRUPT if it is known by now that not all of the file can be read. */
gboolean job_gdbm_settled_check_whole (JobGdbmSettled *self, GError **error);

/* A change came for a job that is missing. */
void job_gdbm_settled_add_orphan (JobGdbmSettled *self, const JobChange *change);
/* Another record goes over the damaged one, if it is one. */
void job_gdbm_settled_forget (JobGdbmSettled *self, const JobId *id);
GPtrArray *job_gdbm_settled_list_damaged (JobGdbmSettled *self);
gboolean job_gdbm_settled_move_damaged (JobGdbmSettled *self, JobDamage *damage,
                                        const char *directory, GError **error);

G_END_DECLS
