/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes the files of jobs durable, most of them while others are still being written. All functions
 * are of whoever applies and makes checkpoints: these calls do not overlap. */

#pragma once

#include "job-fs-json-folder.h"

G_BEGIN_DECLS

typedef struct _JobFsJsonSyncer JobFsJsonSyncer;

/* @folder must live longer. */
JobFsJsonSyncer *job_fs_json_syncer_new (JobFsJsonFolder *folder);
/* Waits for a sync that is under way. */
void job_fs_json_syncer_free (JobFsJsonSyncer *self);

/* @n_files more were written: may begin a sync of them, and waits if too many are not synced. */
void job_fs_json_syncer_note (JobFsJsonSyncer *self, gsize n_files);
/* Makes all that was written durable. FALSE for ever if a sync failed, now or earlier: what it was
 * to write may be lost, whatever a later one says. */
gboolean job_fs_json_syncer_finish (JobFsJsonSyncer *self, GError **error);

G_END_DECLS
