/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The folder of a fs-json store: its descriptor, its lock, and the files in it. All names are
 * relative to the descriptor, so that nothing outside can come between. Once it is open, nothing in
 * the struct changes, and any thread may use it. */

#pragma once

#include "jobqueue-backend.h"

#include <dirent.h>

G_BEGIN_DECLS

#define JOB_FS_JSON_NAME_SIZE (JOB_ID_TEXT_SIZE + 5) /* "<id>.json" with the final NUL */

/* More than a job with the greatest args and result needs. */
#define JOB_FS_JSON_MAX_FILE_SIZE (256 * 1024 * 1024)

typedef struct
{
  int fd;     /* holds the lock */
  char *path; /* owned: where the folder really is, for messages and for the journal */
} JobFsJsonFolder;

/* Opens @directory, which is created with mode 0700 if need be, and takes its lock.
 * JOB_ERROR_LOCKED if somebody has it, JOB_ERROR_STORAGE if it cannot be a store. */
JobFsJsonFolder *job_fs_json_folder_open (const char *directory, GError **error);
void job_fs_json_folder_free (JobFsJsonFolder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobFsJsonFolder, job_fs_json_folder_free)

/* The name of a job's file. */
void job_fs_json_get_name (const JobId *id, char name[JOB_FS_JSON_NAME_SIZE]);
/* Whether @name begins with a job's file's name, in lower case; *rest is what follows. */
gboolean job_fs_json_parse_name (const char *name, JobId *id, const char **rest);

/* The path of @name, as UTF-8 for messages. */
char *job_fs_json_folder_dup_path (JobFsJsonFolder *self, const char *name);

/* The other names in the folder that need looking at come one by one. FALSE: it cannot be listed.
 */
typedef void (*JobFsJsonNameFunc) (const struct dirent *entry, gpointer data);
gboolean job_fs_json_folder_list (JobFsJsonFolder *self, JobFsJsonNameFunc func, gpointer data,
                                  GError **error);

typedef enum
{
  JOB_FS_JSON_READ_OK,
  JOB_FS_JSON_READ_ABSENT,
  JOB_FS_JSON_READ_DAMAGED,  /* JOB_ERROR_CORRUPT: it is no file of ours, whenever it is read */
  JOB_FS_JSON_READ_FAILED,   /* JOB_ERROR_STORAGE: this file could not be read now */
  JOB_FS_JSON_READ_HOPELESS, /* JOB_ERROR_STORAGE: nor could any other */
} JobFsJsonRead;

/* All of a file; *text is to be freed. A file that is replaced meanwhile is read whole, the old one
 * or the new one. Messages of JOB_ERROR_CORRUPT go after the file's name. */
JobFsJsonRead job_fs_json_folder_read (JobFsJsonFolder *self, const char *name, char **text,
                                       gsize *length, GError **error);

/* A new file with @text; after a failure it is not there. *exists: something of that name was
 * there, and nothing was done (which is FALSE without an error). */
gboolean job_fs_json_folder_create (JobFsJsonFolder *self, const char *name, const GString *text,
                                    gboolean *exists, GError **error);
/* A new file of a temporary name, which is returned. */
char *job_fs_json_folder_create_temporary (JobFsJsonFolder *self, const char *name,
                                           const GString *text, GError **error);
gboolean job_fs_json_folder_rename (JobFsJsonFolder *self, const char *from, const char *to,
                                    GError **error);
/* Removes a file that is ours; what is not there is no error, what is not ours is. */
gboolean job_fs_json_folder_remove (JobFsJsonFolder *self, const char *name, GError **error);

/* Makes the contents of all files durable, then (sync_names) the names. */
gboolean job_fs_json_folder_sync_files (JobFsJsonFolder *self, GError **error);
gboolean job_fs_json_folder_sync_names (JobFsJsonFolder *self, GError **error);

/* Moves anything of this name into @directory, never over a file there. TRUE as well if it is gone
 * already. */
gboolean job_fs_json_folder_move_out (JobFsJsonFolder *self, const char *name,
                                      const char *directory, GError **error);

G_END_DECLS
