/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One gdbm file that is only read, and the making of a new one. Any thread may read a file. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

/* The version of the file's format; a greater one is refused. */
#define JOB_GDBM_VERSION 1

typedef struct _JobGdbmFile JobGdbmFile;

/* Gets one record, as it is in the file. FALSE stops without an error, unless it has set one. */
typedef gboolean (*JobGdbmVisitor) (GBytes *key, GBytes *value, gpointer data, GError **error);

/* Opens @path for reading. G_IO_ERROR_NOT_FOUND if there is no file. */
JobGdbmFile *job_gdbm_file_open (const char *path, GError **error);
JobGdbmFile *job_gdbm_file_ref (JobGdbmFile *self);
void job_gdbm_file_unref (JobGdbmFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobGdbmFile, job_gdbm_file_unref)
guint64 job_gdbm_file_get_size (JobGdbmFile *self);
/* Whether this process wrote it. Then it is as gdbm left it: of our block size, without waste, and
 * whatever is damaged in it is within a record. */
gboolean job_gdbm_file_is_made_here (JobGdbmFile *self);
/* Its name changed. */
void job_gdbm_file_set_path (JobGdbmFile *self, const char *path);
/* *value (to be freed), or NULL if there is none. JOB_ERROR_CORRUPT if the file is damaged there.
 */
gboolean job_gdbm_file_fetch (JobGdbmFile *self, GBytes *key, GBytes **value, GError **error);
/* Every record but the one that describes the file. JOB_ERROR_CORRUPT, after those that could be
 * read, if there must be more. */
gboolean job_gdbm_file_visit (JobGdbmFile *self, JobGdbmVisitor visitor, gpointer data,
                              GError **error);

typedef struct _JobGdbmWriter JobGdbmWriter;

/* Begins a new file at @path, where none may be. */
JobGdbmWriter *job_gdbm_writer_new (const char *path, GError **error);
/* The same, with all that is in @base, which was made here. */
JobGdbmWriter *job_gdbm_writer_new_copy (const char *path, JobGdbmFile *base, GError **error);
/* Closes it, and removes the file unless it was finished. */
void job_gdbm_writer_free (JobGdbmWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobGdbmWriter, job_gdbm_writer_free)
/* JOB_ERROR_CORRUPT if the key is there. */
gboolean job_gdbm_writer_add (JobGdbmWriter *self, GBytes *key, GBytes *value, GError **error);
/* Makes the file whole and durable, all but its name, and opens it for reading. */
JobGdbmFile *job_gdbm_writer_finish (JobGdbmWriter *self, GError **error);

G_END_DECLS
