/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job as it is kept: what was asked for, which never changes, and how it stands. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-enums.h"
#include "job-id.h"

G_BEGIN_DECLS

/* The version of the encoding below; a reader refuses a greater one with JOB_ERROR_VERSION. */
#define JOB_RECORD_VERSION 1

typedef struct
{
  JobId id;
  JobCondition condition;
} JobDependency;

/* What was asked for. Immutable and reference-counted (atomically). Times are wall-clock
 * nanoseconds since 1970. */
typedef struct
{
  gatomicrefcount ref_count;
  guint size; /* private: what lies in so many bytes from here is freed with it */
  JobId id;
  gint64 queued_at;
  gint64 run_at; /* 0: at once */
  gint priority; /* higher first */
  guint max_attempts;
  guint n_dependencies;
  JobDependency *dependencies; /* owned, in the order of the spec */
  char *type;                  /* owned */
  char *channel;               /* owned, never NULL */
  char *args;                  /* owned: checked JSON text */
} JobRecord;

/* How it stands. JOB_STATE_PENDING stands for every job that is not leased and not over: whether it
 * is blocked, scheduled or pending follows from its dependencies and the time, and is never kept.
 */
typedef struct
{
  JobState state;
  JobReason reason; /* of a CANCELED job: why */
  guint attempts;   /* leases counted so far, the running one included */
  JobId token;      /* of the running or the last lease; nil: none */
  JobId culprit;    /* the job at fault, where reason is a dependency; else nil */
  gint64 started_at;
  gint64 finished_at;
  char *outcome; /* owned JSON text or NULL: the result of a SUCCEEDED job, else the last error */
} JobStatus;

/* A zeroed record with one reference and @n_dependencies zeroed dependencies. */
JOB_API JobRecord *job_record_new (guint n_dependencies);
/* The same with its texts, in one piece of memory; @args need not be terminated. */
JOB_API JobRecord *job_record_new_with (guint n_dependencies, const char *type, const char *channel,
                                        const char *args, gsize args_length);
JOB_API JobRecord *job_record_ref (JobRecord *self);
JOB_API void job_record_unref (JobRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobRecord, job_record_unref)

JOB_API void job_status_clear (JobStatus *self);
JOB_API void job_status_copy (const JobStatus *self, JobStatus *copy);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JobStatus, job_status_clear)

/* One change of one job, absolute: applied twice, it is as if applied once. */
typedef struct
{
  JobId id;
  JobRecord *record; /* owned; NULL: a job that is there already has a new status */
  JobStatus status;  /* owned */
} JobChange;

JOB_API void job_change_clear (JobChange *self);

/* The binary form (described byte by byte in job-change.c), for the journal and for stores that
 * like it. Appends one change; a change with a record is the whole job. */
JOB_API void job_change_encode (const JobChange *self, GByteArray *out);
/* Decodes the change that @data begins with into *self (to be cleared), and says in *used how many
 * bytes it took. JOB_ERROR_CORRUPT or JOB_ERROR_VERSION otherwise; never reads past @size. */
JOB_API gboolean job_change_decode (const guint8 *data, gsize size, JobChange *self, gsize *used,
                                    GError **error);

G_END_DECLS
