/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a job file says, both ways: its text and a JobRecord with a JobStatus. Pure: no files, no
 * clock. The format is described in docs/fs-json.md. */

#pragma once

#include "jobqueue-backend.h"

G_BEGIN_DECLS

/* Reads the file of job @id: *record (a new reference) and *status (to be cleared). Otherwise
 * JOB_ERROR_CORRUPT or JOB_ERROR_VERSION, with a message to go after the file's name. */
gboolean job_fs_json_record_parse (const char *text, gsize length, const JobId *id,
                                   JobRecord **record, JobStatus *status, GError **error);

/* Appends the file of a new job to @out. @dependents (of JobId) may be NULL. */
void job_fs_json_record_write (const JobRecord *record, const JobStatus *status,
                               const GArray *dependents, GString *out);

/* Appends to @out the file @text of job @id with a new status, and with @dependents added to those
 * that it names. All else in it stays byte for byte. Errors as job_fs_json_record_parse(). */
gboolean job_fs_json_record_update (const char *text, gsize length, const JobId *id,
                                    const JobStatus *status, const GArray *dependents, GString *out,
                                    GError **error);

/* The name on disk of a reason; NULL for JOB_REASON_NONE. */
const char *job_fs_json_reason_name (JobReason reason);

G_END_DECLS
