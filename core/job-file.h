/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The few steps on files that the journal and more than one store take: errors that name the file,
 * whole writes, durable folder entries, whose files are safe to read, and the lock that a holder's
 * death frees. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include <sys/stat.h>

#include "job-macros.h"

G_BEGIN_DECLS

/* Sets JOB_ERROR_STORAGE, "Cannot <verb> “<path>”: <cause>", where @saved_errno is the cause.
 * Returns FALSE, for the caller to return. */
JOB_API gboolean job_file_set_error (GError **error, int saved_errno, const char *verb,
                                     const char *path);

/* Writes all of @data at the descriptor's offset. @path is for the error. After a failure any part
 * of it may be there. */
JOB_API gboolean job_file_write_all (int fd, gconstpointer data, gsize size, const char *path,
                                     GError **error);

/* Makes the entries of a folder durable: what was created, renamed or removed in it. @fd is the
 * open folder, or -1 to open @path for it. */
JOB_API gboolean job_file_sync_folder (int fd, const char *path, GError **error);

/* Takes the lock of the open file or folder @fd, without waiting. It goes with the last copy of the
 * descriptor, also by the death of the process. JOB_ERROR_LOCKED, with the holder's pid where the
 * kernel tells it, if somebody else has it: another process, or another descriptor of this one. */
JOB_API gboolean job_file_lock (int fd, const char *path, GError **error);

/* The same for a store that is one file, @path, which need not be there, in a folder that must: by
 * the file PATH.lock, which stays for ever. Returns the descriptor that holds the lock, or -1. The
 * folder has to pass job_file_check_folder(); it may be sticky. */
JOB_API int job_file_lock_beside (const char *path, GError **error);

/* Whether others than its owner can write a file or folder. A group with its owner's number is that
 * user's own, as Debian makes them: it has no others. */
static inline gboolean
job_file_others_can_write (const struct stat *st)
{
  return (st->st_mode & S_IWOTH) != 0 || ((st->st_mode & S_IWGRP) != 0 && st->st_gid != st->st_uid);
}

/* Whether nobody else can put files into a folder of ours, or put ours aside: @st must be of a
 * folder of this user or of root that others cannot write. (@sticky_will_do: or that is sticky, as
 * /tmp, where they can add files but not take ours: for a store that checks each file by its name.)
 * JOB_ERROR_STORAGE otherwise. */
JOB_API gboolean job_file_check_folder (const struct stat *st, const char *path,
                                        gboolean sticky_will_do, GError **error);

/* Whether nobody else can have put a file there, or can change it: @st must be of a regular file of
 * this user, which its group and others cannot write. JOB_ERROR_STORAGE otherwise. */
JOB_API gboolean job_file_check_private (const struct stat *st, const char *path, GError **error);

/* Makes the file FOLDER/NAME, with mode 0600 at most, durably. It must not be there yet. */
JOB_API gboolean job_file_write_new (const char *folder, const char *name, gconstpointer data,
                                     gsize size, GError **error);

G_END_DECLS
