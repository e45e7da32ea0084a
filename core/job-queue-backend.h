/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The inside of JobQueue, for those who implement it. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-call.h"
#include "job-id.h"
#include "job-queue.h"
#include "job-record.h"

G_BEGIN_DECLS

/* One function for each verb, for blocking and asynchronous calls alike. The guards have run: ids
 * and tokens are parsed, JSON is checked, lists hold no empty or over-long name, and the call was
 * not cancelled before it began. Arguments are the caller's and only good until the function
 * returns. Each answers @call exactly once, then or later; all are mandatory. */
struct _JobQueueInterface
{
  GTypeInterface parent_interface;

  /* All of the records or none; answers with the ids (char **). Where fresh[i], the id was made by
   * the library and never enqueued before, so that it need not be looked for. queued_at is set
   * here. */
  void (*enqueue) (JobQueue *self, JobRecord **records, const gboolean *fresh, gsize n_records,
                   JobCall *call);
  /* Answers with a JobLease; NULL lists mean any. @timeout in µs: 0 = try once, -1 = for ever. */
  void (*dequeue) (JobQueue *self, const char *const *types, const char *const *channels,
                   gint64 timeout, JobCall *call);
  void (*dequeue_by_id) (JobQueue *self, const JobId *id, JobCall *call);
  /* @token NULL: an administrator. Answer with TRUE. */
  void (*complete) (JobQueue *self, const JobId *id, const JobId *token, const char *result,
                    JobCall *call);
  void (*fail) (JobQueue *self, const JobId *id, const JobId *token, const char *error_json,
                JobCall *call);
  void (*release) (JobQueue *self, const JobId *id, const JobId *token, JobCall *call);
  void (*cancel) (JobQueue *self, const JobId *id, JobCall *call);
  void (*heartbeat) (JobQueue *self, const JobId *id, const JobId *token, JobCall *call);
  /* Answers with an id (char *). */
  void (*lookup_token) (JobQueue *self, const JobId *token, JobCall *call);
  /* Answers with a JobInfo. */
  void (*get_info) (JobQueue *self, const JobId *id, JobCall *call);
  void (*wait) (JobQueue *self, const JobId *id, gint64 timeout, JobCall *call);
  /* Answer with a GListModel of JobInfo, ordered as jobs are dequeued … */
  void (*list) (JobQueue *self, JobFilter *filter, JobCall *call);
  /* … of JobInfo with token and heartbeat age, the oldest heartbeat first … */
  void (*list_leases) (JobQueue *self, gint64 older_than, JobCall *call);
  /* … of JobDamage. */
  void (*list_damaged) (JobQueue *self, JobCall *call);
  void (*move_damaged) (JobQueue *self, const char *directory, JobCall *call);
  void (*close) (JobQueue *self, JobCall *call);

  /* Not mandatory, and answers nobody: the lease of a dequeue that nobody took, since its caller
   * cancelled or had no callback, goes back, and is tried again if that fails. NULL: it is released
   * once. */
  void (*discard) (JobQueue *self, const JobId *id, const JobId *token);

  gpointer padding[15];
};

/* What a JobInfo is made of. All is copied. */
typedef struct
{
  const JobRecord *record;
  const JobStatus *status;
  JobState state;   /* the real one: blocked, scheduled … */
  JobReason reason; /* why it waits, or why it was canceled */
  JobId culprit;
  const GArray *dependents; /* of JobId, or NULL */
  gboolean with_lease;      /* fill in token and heartbeat_age */
  gint64 heartbeat_age;     /* µs */
} JobInfoParts;

JOB_API JobInfo *job_info_new (const JobInfoParts *parts);
JOB_API gboolean job_filter_matches (JobFilter *self, const char *type, const char *channel,
                                     JobState state);
/* Whether a job that is over may pass: else there is no need to look at those. */
JOB_API gboolean job_filter_wants_final (JobFilter *self);

G_END_DECLS
