/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of the scheduler share: job-scheduler.c (the life of a job), -enqueue.c, -load.c
 * (opening) and -describe.c (questions and errors). */

#pragma once

#include "job-graph-private.h"
#include "job-id-table.h"
#include "job-scheduler-private.h"
#include "job-slab-private.h"

G_BEGIN_DECLS

struct _JobScheduler
{
  JobTokenFunc new_token;
  JobSlab entry_slab;
  JobIdTable entries; /* of JobEntry */
  JobIdTable leases;  /* of JobEntryLease, by token */
  GQueue ages;        /* of JobEntryLease.age, the oldest heartbeat first */
  JobHeap scheduled;  /* of JobEntry, by run_at */
  JobLanes lanes;
  GArray *loading; /* of LoadingEdge: until settle() */
  GPtrArray *over; /* of JobEntry: those that one change makes over */
  gint64 last_queued_at;
};

typedef struct
{
  JobEntry *dependent;
  JobDependency dependency;
} JobLoadingEdge;

/* An entry in no state yet: it is BLOCKED until job_scheduler_settle_waiting(). */
JobEntry *job_scheduler_add_entry (JobScheduler *self, const JobRecord *record);
/* Takes the entry to where a job that is neither leased nor over belongs now. */
void job_scheduler_settle_waiting (JobScheduler *self, JobEntry *entry, JobNow now);
void job_scheduler_add_lease (JobScheduler *self, JobEntry *entry, const JobId *token,
                              gint64 started_at, JobNow now);
/* Ends a job whose dependency @culprit can no longer let it run, and whoever waits for it. */
void job_scheduler_cancel_unsatisfiable (JobScheduler *self, JobEntry *entry, const JobId *culprit,
                                         JobNow now, JobEffects *effects);
/* How a job that is not over would be kept, without the error of an attempt. */
void job_scheduler_get_status (const JobEntry *entry, JobStatus *status);

/* The entry of @id, or NOT_FOUND. */
JobEntry *job_scheduler_find (JobScheduler *self, const JobId *id, GError **error);
/* The entry of a running job whose lease @token is, or any running job for an administrator (NULL).
 */
JobEntry *job_scheduler_find_leased (JobScheduler *self, const JobId *id, const JobId *token,
                                     GError **error);

G_END_DECLS
