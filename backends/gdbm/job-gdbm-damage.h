/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The records of a gdbm file that cannot be read. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

typedef struct _JobGdbmDamages JobGdbmDamages;

/* @path of the gdbm file: for where the records are. */
JobGdbmDamages *job_gdbm_damages_new (const char *path);
void job_gdbm_damages_free (JobGdbmDamages *self);
gboolean job_gdbm_damages_is_empty (JobGdbmDamages *self);
/* Adding a key twice is as adding it once. @change: the change whose record is not there, or
 * NULL. */
void job_gdbm_damages_add (JobGdbmDamages *self, GBytes *key, const char *message, GBytes *change);
void job_gdbm_damages_remove (JobGdbmDamages *self, GBytes *key);
/* Sets JOB_ERROR_CORRUPT if the key is damaged. */
gboolean job_gdbm_damages_check (JobGdbmDamages *self, GBytes *key, GError **error);
void job_gdbm_damages_list (JobGdbmDamages *self, GPtrArray *list);
/* The key of a listed damage, and the change that stands for its record, or NULL. */
gboolean job_gdbm_damages_find (JobGdbmDamages *self, JobDamage *damage, GBytes **key,
                                GBytes **change);
/* Writes DIRECTORY/NAME.record, durably; never over a file. */
gboolean job_gdbm_damages_write (GBytes *key, GBytes *bytes, const char *directory, GError **error);

G_END_DECLS
