/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The scheduler: which job may run when, and who holds it. Pure: no I/O, no threads, no clock of
 * its own. It is told the time and a request, checks it, changes its index, and appends what that
 * did to a JobEffects. A request that fails changes nothing.
 *
 * It holds an index of the jobs that are not over. A job that it does not know is over or unknown:
 * it says NOT_FOUND, and its owner looks into the store for a better answer. */

#pragma once

#include "job-effects-private.h"
#include "job-lane-private.h"

G_BEGIN_DECLS

typedef struct _JobScheduler JobScheduler;

typedef struct
{
  gint64 wall; /* ns since 1970 */
  gint64 boot; /* µs */
} JobNow;

/* What is known of a job that is not in the index: a final JobState, or one of these. */
enum
{
  JOB_KNOWN_ABSENT = -1,
  JOB_KNOWN_DAMAGED = -2,
};

typedef void (*JobTokenFunc) (JobId *token);
typedef int (*JobKnownFunc) (const JobId *id, gpointer data);

JobScheduler *job_scheduler_new (JobTokenFunc new_token);
void job_scheduler_free (JobScheduler *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobScheduler, job_scheduler_free)

/* Opening: every job that is not over, in any order, then settle: edges are drawn, and what can
 * never run is cancelled. @known is asked about dependencies that were not loaded. */
void job_scheduler_load (JobScheduler *self, JobRecord *record, const JobStatus *status,
                         JobNow now);
void job_scheduler_settle (JobScheduler *self, JobKnownFunc known, gpointer data, JobNow now,
                           JobEffects *effects);

/* Which ids have to be looked up before job_scheduler_enqueue() can decide: appends JobIds. @known
 * (of JobId to GINT_TO_POINTER of a final state or JOB_KNOWN_…) is what was looked up already. */
void job_scheduler_list_unknown (JobScheduler *self, JobRecord *const *records,
                                 const gboolean *fresh, gsize n_records, GHashTable *known,
                                 GArray *ids);
gboolean job_scheduler_enqueue (JobScheduler *self, JobRecord *const *records, gsize n_records,
                                GHashTable *known, JobNow now, JobEffects *effects, GError **error);

/* Leases the first job, to be delivered with @data; FALSE if there is none. Comes after
 * job_scheduler_match(), which makes due jobs pending and serves who came before. */
gboolean job_scheduler_claim (JobScheduler *self, const char *const *types,
                              const char *const *channels, gpointer data, JobNow now,
                              JobEffects *effects);
gboolean job_scheduler_claim_by_id (JobScheduler *self, const JobId *id, gpointer data, JobNow now,
                                    JobEffects *effects, GError **error);
/* @waiter is the caller's, and waits until a job is leased to it, or it is removed. The lists are
 * only looked at. */
void job_scheduler_add_waiter (JobScheduler *self, JobWaiter *waiter, const char *const *types,
                               const char *const *channels, gpointer data);
void job_scheduler_remove_waiter (JobScheduler *self, JobWaiter *waiter);
/* After a rebuild: from @former, in the order in which they came. */
void job_scheduler_move_waiter (JobScheduler *self, JobScheduler *former, JobWaiter *waiter);
/* Once after each set of changes: makes due jobs pending, and leases jobs to waiters (which
 * wait no longer then). */
void job_scheduler_match (JobScheduler *self, JobNow now, JobEffects *effects);
/* When the next scheduled job is due (wall clock, ns), or -1. */
gint64 job_scheduler_get_next_run_at (JobScheduler *self);

/* @token NULL: an administrator. */
gboolean job_scheduler_complete (JobScheduler *self, const JobId *id, const JobId *token,
                                 const char *result, JobNow now, JobEffects *effects,
                                 GError **error);
gboolean job_scheduler_fail (JobScheduler *self, const JobId *id, const JobId *token,
                             const char *outcome, JobNow now, JobEffects *effects, GError **error);
gboolean job_scheduler_release (JobScheduler *self, const JobId *id, const JobId *token, JobNow now,
                                JobEffects *effects, GError **error);
gboolean job_scheduler_cancel (JobScheduler *self, const JobId *id, JobNow now, JobEffects *effects,
                               GError **error);
gboolean job_scheduler_heartbeat (JobScheduler *self, const JobId *id, const JobId *token,
                                  JobNow now, GError **error);

/* What an error about a job that is over, or never was, says: the same words for the index and the
 * store. Sets the error that a verb with @token (NULL: none) gets. @state is a final one or
 * JOB_KNOWN_…; @last_token the record's. */
void job_scheduler_set_over_error (const JobId *id, const JobId *token, int state,
                                   const JobId *last_token, GError **error);

typedef struct
{
  JobId id;
  JobStatus status; /* as it would be kept; state PENDING for all that wait */
  JobState state;   /* the real one */
  JobReason reason;
  JobId culprit;
  gint priority;
  gint64 queued_at;
  gint64 heartbeat_age; /* µs; -1: no lease */
  const char *error;    /* of the last attempt; NULL: none. The index's, until its next change */
} JobView;

gboolean job_scheduler_contains (JobScheduler *self, const JobId *id);
gboolean job_scheduler_describe (JobScheduler *self, const JobId *id, JobNow now, JobView *view);
gboolean job_scheduler_lookup_token (JobScheduler *self, const JobId *token, JobId *id);

typedef gboolean (*JobEntryFilter) (const JobEntry *entry, gpointer data);
/* Appends a JobView of each job in the index that @filter (NULL: any) lets pass, in no order. */
void job_scheduler_list (JobScheduler *self, JobEntryFilter filter, gpointer data, JobNow now,
                         GArray *views);
/* Leases whose heartbeat is older than @older_than µs, the oldest first. */
void job_scheduler_list_leases (JobScheduler *self, gint64 older_than, JobNow now, GArray *views);

/* After a rebuild: what only memory knows. Leases that both have keep their heartbeats. */
void job_scheduler_inherit (JobScheduler *self, JobScheduler *former);
/* After that: so do leases that @former ended, and that go on, since their @ends (of JobEnd) did
 * not become durable. */
void job_scheduler_take_back_ends (JobScheduler *self, const GArray *ends);

G_END_DECLS
