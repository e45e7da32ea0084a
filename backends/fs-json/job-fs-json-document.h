/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job file as a JSON object: which members it has, as raw slices of its text. What they mean is
 * the record's business (job-fs-json-record.h). */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The version of our member, "jobqueue". To raise it: teach job-fs-json-record.c to read both, and
 * job-fs-json-writer.c to write the new one; a member that older versions may ignore needs none,
 * since they keep what they do not know. */
#define JOB_FS_JSON_VERSION 1

#define JOB_FS_JSON_NEVER "0001-01-01T00:00:00Z"

/* The seed's members, in the order in which we write them, and ours. */
typedef enum
{
  JOB_FS_JSON_ID,
  JOB_FS_JSON_TOKEN,
  JOB_FS_JSON_TYPE,
  JOB_FS_JSON_ARGS,
  JOB_FS_JSON_DEPENDENCIES,
  JOB_FS_JSON_DEPENDENTS,
  JOB_FS_JSON_RESULT,
  JOB_FS_JSON_CHANNEL,
  JOB_FS_JSON_QUEUED_AT,
  JOB_FS_JSON_STARTED_AT,
  JOB_FS_JSON_FINISHED_AT,
  JOB_FS_JSON_EXPIRES_AT,
  JOB_FS_JSON_RETRIES,
  JOB_FS_JSON_CANCELED,
  JOB_FS_JSON_OURS,
  JOB_FS_JSON_N_MEMBERS,
} JobFsJsonMember;

/* What is inside "jobqueue". */
typedef enum
{
  JOB_FS_JSON_OWN_VERSION,
  JOB_FS_JSON_OWN_STATE,
  JOB_FS_JSON_OWN_NEVER_STARTED,
  JOB_FS_JSON_OWN_ATTEMPTS,
  JOB_FS_JSON_OWN_MAX_ATTEMPTS,
  JOB_FS_JSON_OWN_PRIORITY,
  JOB_FS_JSON_OWN_RUN_AT,
  JOB_FS_JSON_OWN_CONDITIONS,
  JOB_FS_JSON_OWN_REASON,
  JOB_FS_JSON_OWN_CULPRIT,
  JOB_FS_JSON_OWN_ERROR,
  JOB_FS_JSON_OWN_NO_ERROR,
  JOB_FS_JSON_OWN_LAST_TOKEN,
  JOB_FS_JSON_OWN_LAST_STARTED_AT,
  JOB_FS_JSON_N_OWN,
} JobFsJsonOwn;

extern const char *const job_fs_json_member_names[JOB_FS_JSON_N_MEMBERS];
extern const char *const job_fs_json_own_names[JOB_FS_JSON_N_OWN];

/* A raw part of the text; NULL: it is not there. */
typedef struct
{
  const char *text;
  gsize length;
} JobFsJsonSlice;

typedef struct
{
  JobFsJsonSlice object; /* all of it, without white space around it */
  JobFsJsonSlice members[JOB_FS_JSON_N_MEMBERS];
  JobFsJsonSlice own[JOB_FS_JSON_N_OWN];
  gboolean is_extreme; /* deeper or longer than a value of a job may be: one of its values may be */
} JobFsJsonDocument;

/* Checks @text and takes it apart; the slices point into it. JOB_ERROR_CORRUPT if it is not a JSON
 * object, JOB_ERROR_VERSION if our member is of a version to come. */
gboolean job_fs_json_document_read (JobFsJsonDocument *self, const char *text, gsize length,
                                    GError **error);

/* Which of @names a raw key is; @n_names if none. */
guint job_fs_json_find_name (const char *const *names, guint n_names, const char *key,
                             gsize key_length);

/* Whether there is a value other than null. */
gboolean job_fs_json_slice_has_value (const JobFsJsonSlice *self);
gboolean job_fs_json_slice_equal (const JobFsJsonSlice *self, const char *text);

G_END_DECLS
