/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the reader and the writer of gdbm files share. */

#pragma once

#include <gdbm.h>

#include "job-gdbm-file.h"

G_BEGIN_DECLS

/* The key of the record that describes the file. */
#define JOB_GDBM_META_KEY "jobqueue"
#define JOB_GDBM_META_KEY_SIZE 8

/* Turns gdbm's code into JOB_ERROR_STORAGE or CORRUPT: "Cannot <verb> “<path>”: …". */
void job_gdbm_set_error (GError **error, gdbm_error code, int saved_errno, const char *verb,
                         const char *path);
/* The same, for the last error of a handle. Returns FALSE. */
gboolean job_gdbm_fail (GDBM_FILE dbf, const char *verb, const char *path, GError **error);
/* The same for a file in the making, which cannot be damaged: always JOB_ERROR_STORAGE. */
gboolean job_gdbm_fail_to_write (GDBM_FILE dbf, const char *path, GError **error);
/* A handle of its own descriptor, a copy of @fd, from the file's start. */
GDBM_FILE job_gdbm_open_handle (int fd, const char *path, int flags, GError **error);
datum job_gdbm_to_datum (GBytes *bytes);
/* The descriptor, whose offset is the handle's. */
int job_gdbm_file_get_fd (JobGdbmFile *self);
/* Records, that of the description aside. */
guint64 job_gdbm_file_get_count (JobGdbmFile *self);
/* Before other threads know of the file. */
void job_gdbm_file_set_made_here (JobGdbmFile *self);
/* All bytes of the file @from, whatever its offset, to the end of @to, whose @path is for errors.
 */
gboolean job_gdbm_copy_bytes (int from, int to, const char *path, GError **error);
/* Opens what gdbm recovered of a file: it has the records that it has, and need not be described.
 */
JobGdbmFile *job_gdbm_file_open_recovered (const char *path, GError **error);
/* Whether the file that was just written has all of @count records. JOB_ERROR_STORAGE if not; for a
 * copy, which may have what is damaged in its base, JOB_ERROR_CORRUPT. */
gboolean job_gdbm_file_verify (JobGdbmFile *self, guint64 count, gboolean is_copy, GError **error);

G_END_DECLS
