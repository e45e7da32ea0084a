/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files of jobs in the folder, beside changes of them. */

#pragma once

#include "job-fs-json-folder.h"

G_BEGIN_DECLS

typedef struct _JobFsJsonFiles JobFsJsonFiles;

/* @folder must live longer. */
JobFsJsonFiles *job_fs_json_files_new (JobFsJsonFolder *folder);
void job_fs_json_files_free (JobFsJsonFiles *self);

/* The job's newest text (to be freed), from any thread, as job_fs_json_folder_read(). */
JobFsJsonRead job_fs_json_files_read (JobFsJsonFiles *self, const JobId *id, char **text,
                                      gsize *length, GError **error);
/* Whether the temporary file @name is the job's newest text. */
gboolean job_fs_json_files_is_pending (JobFsJsonFiles *self, const JobId *id, const char *name);

/* These do not overlap: */

/* Writes the file of a job that is new, or goes over what there is. */
gboolean job_fs_json_files_create (JobFsJsonFiles *self, const JobId *id, const GString *text,
                                   GError **error);
/* Writes a temporary file, which takes the place of the job's at the next settling. */
gboolean job_fs_json_files_replace (JobFsJsonFiles *self, const JobId *id, const GString *text,
                                    GError **error);
/* Gives the temporary files, whose contents are durable by now, the names of their jobs. */
gboolean job_fs_json_files_settle (JobFsJsonFiles *self, GError **error);

G_END_DECLS
