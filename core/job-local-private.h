/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The inside of a JobLocalQueue. The state is an object of its own, since the service thread and
 * calls in flight may outlive the queue by a moment. Lock order: JobLocal.lock, then the ledger's,
 * the clock's, a call's or the delivery's, which are never held while another is taken. No foreign
 * code runs with one of them, and what a cancelled lease is told runs in a thread that nothing of
 * the queue waits for: it may call any verb, and take its time. */

#pragma once

#include "job-clock.h"
#include "job-committer-private.h"
#include "job-heap-private.h"
#include "job-id-table.h"
#include "job-ledger-private.h"
#include "job-queue-backend.h"
#include "job-scheduler-private.h"

G_BEGIN_DECLS

typedef struct _JobLocal JobLocal;

struct _JobLocal
{
  gatomicrefcount ref_count;
  JobClock *clock;     /* constant */
  JobLedger *ledger;   /* constant; has a lock of its own */
  GThreadPool *reader; /* constant: one thread, for what asynchronous calls must not do in theirs */
  GThreadPool *messenger; /* constant: one thread, which fires the cancellables of leases */
  GThread *thread;        /* constant: the service thread */

  GMutex lock;       /* guards all below */
  GCond wake;        /* the service thread has something to do */
  gboolean sleeping; /* the service thread, at wake */
  JobScheduler *scheduler;
  JobCommitter *committer;
  JobIdTable alarms;      /* of JobAlarm: leases that were handed out, by token */
  GQueue dequeues;        /* of JobLocalWait.link: waiting dequeues, in the order of arrival */
  GHashTable *watches;    /* JobId → GQueue of JobLocalWait.link: who waits for its end */
  JobHeap deadlines;      /* of JobLocalWait */
  GHashTable *reserved;   /* JobId of an enqueue that is looking for it */
  GHashTable *none_known; /* empty: what an enqueue knows before it looks */
  GArray *unknown;        /* of JobId: scratch */
  GCond unreserved;       /* some are not reserved any more */
  guint n_reads;          /* that were accepted and are not answered: they need the ledger */
  GArray *strays;       /* of JobClaim: leases that nobody has, and that have to go back */
  gint64 retry_at;      /* when that is tried again, since it failed (boot time, µs); -1: never */
  gint64 planned;       /* when the service thread wakes up by itself (boot time, µs); -1: never */
  GError *closed;       /* why nothing goes any more; NULL: open */
  gboolean close_asked; /* by a verb; a second one is told so */
  gboolean stopped;     /* the service thread is through, and the store closed */
  GCond stopped_cond;
  GError *close_error; /* how that went */
};

/* A call that waits: a dequeue for a job, or somebody for the end of a job. */
typedef struct
{
  gatomicrefcount ref_count;
  JobLocal *local; /* owned */
  JobCall *call;   /* owned */
  gint64 timeout;  /* µs; -1: for ever. Constant */
  JobId id;        /* of a watch: the job */
  gboolean is_watch;
  gulong handler; /* of the call's cancellable; written before it waits */

  GList link;       /* guarded by local->lock from here on; data: this */
  JobWaiter waiter; /* of a dequeue, in the scheduler */
  gint64 deadline;
  guint position; /* in deadlines */
  gboolean waiting;
  gboolean canceled;
} JobLocalWait;

JobLocal *job_local_open (JobStore *store, guint64 checkpoint_size, JobClock *clock,
                          GError **error);
JobLocal *job_local_ref (JobLocal *self);
void job_local_unref (JobLocal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobLocal, job_local_unref)
/* Waiters get CLOSED, commits in flight finish, the thread ends, the store is closed. May block. */
gboolean job_local_close (JobLocal *self, GError **error);
/* The queue was dropped: the same, from wherever that may happen. */
void job_local_abandon (JobLocal *self);

JobNow job_local_now (JobLocal *self);

/* All of these with the lock. */

/* From now on nothing goes any more: takes over @reason. */
void job_local_shut (JobLocal *self, GError *reason);

/* Where the scheduler's next steps go. */
static inline JobEffects *
job_local_open_effects (JobLocal *self)
{
  return &job_committer_get_open (self->committer)->effects;
}

/* FALSE, with JOB_ERROR_CLOSED, if the queue is closed. */
gboolean job_local_check_open (JobLocal *self, GError **error);
/* After each set of changes: matches waiters with jobs, and sees to it that the open batch is
 * committed: by this thread if it may (the lock is released meanwhile), else by the service thread.
 */
void job_local_commit (JobLocal *self, JobNow now, gboolean may_lead);
/* Who was matched waits no longer. */
void job_local_match (JobLocal *self, JobNow now);
/* Has the service thread look at everything. */
void job_local_wake (JobLocal *self);
/* The service thread looks again when to wake up. */
void job_local_plan (JobLocal *self);

/* job-local-wait.c */
int job_local_wait_compare (gconstpointer a, gconstpointer b);
JobLocalWait *job_local_wait_new (JobLocal *local, JobCall *call, gint64 timeout);
JobLocalWait *job_local_wait_ref (JobLocalWait *self);
void job_local_wait_unref (JobLocalWait *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobLocalWait, job_local_wait_unref)
/* Without the lock, before it waits: has a cancellation end it. */
void job_local_wait_hook (JobLocalWait *self);
/* Without the lock, before it is answered. */
void job_local_wait_unhook (JobLocalWait *self);
/* With the lock. FALSE, with an error, if it was cancelled meanwhile. */
gboolean job_local_wait_start (JobLocalWait *self, GError **error);
void job_local_wait_stop (JobLocalWait *self);
/* Without the lock: ends the waiting with an error. */
void job_local_wait_fail (JobLocalWait *self, GError *error);
/* With the lock: takes those whose time is up, or all. */
GPtrArray *job_local_take_expired (JobLocal *self);
GPtrArray *job_local_take_all (JobLocal *self);
/* With the lock: takes those that wait for the end of @id, or NULL. */
GPtrArray *job_local_take_watches (JobLocal *self, const JobId *id);
/* With the lock, after a failed batch, while its thread still commits: takes those that wait for
 * the end of a job that is neither in the index nor just over. */
GPtrArray *job_local_take_orphans (JobLocal *self);

/* job-local-deliver.c: what a JobCommitter does with a batch. */
extern const JobCommitterFuncs job_local_committer_funcs;
/* A scheduler with all that the ledger has; NULL if that cannot be read. What it had to cancel is
 * in @effects. */
JobScheduler *job_local_build_scheduler (JobLocal *self, JobEffects *effects, GError **error);

/* With the lock: leases that nobody has end, with the open batch. */
void job_local_give_back_strays (JobLocal *self, JobNow now);
/* A lease that was handed out, but nobody took it. */
void job_local_discard (JobLocal *self, const JobId *id, const JobId *token);

/* job-local-read.c */
/* Whether the ledger knows of the job, and how it ended: a final state or JOB_KNOWN_…; FALSE if
 * that cannot be read. */
gboolean job_local_look_up (JobLocal *self, const JobId *id, int *state, JobId *last_token,
                            GError **error);
/* job-local-info.c */
JobInfo *job_local_make_info (JobLocal *self, JobRecord *record, const JobStatus *status,
                              GError **error);
/* Of a job that the index knew, as @view has it. */
JobInfo *job_local_read_view (JobLocal *self, const JobView *view, gboolean with_lease,
                              GError **error);
/* The info of a job that is over, or NOT_FOUND. */
JobInfo *job_local_read_final (JobLocal *self, const JobId *id, GError **error);

/* job-local-read.c */
/* With the lock, which it gives up if the queue is closed: FALSE then, and the call is answered. */
gboolean job_local_check_open_or_answer (JobLocal *self, JobCall *call);

typedef struct _JobLocalRead JobLocalRead;
typedef void (*JobLocalReadFunc) (JobLocalRead *read);

/* With the lock: does a verb on one job, and sees to its answer; or FALSE with an error. */
typedef gboolean (*JobLocalAttempt) (JobLocalRead *read, GError **error);
/* Without the lock: the job is over (or JOB_KNOWN_…), on disk as well: answers the call. */
typedef void (*JobLocalOver) (JobLocalRead *read, int state, const JobId *last_token);

/* A call that may have to wait for the newest batch, and to read, before it can be answered. */
struct _JobLocalRead
{
  JobLocal *local;       /* owned */
  JobCall *call;         /* owned */
  JobLocalReadFunc func; /* without the lock; answers the call */
  JobLocalAttempt attempt;
  JobLocalOver over;
  guint64 batch;   /* what it depends on */
  JobNow now;      /* of the attempt */
  GError *refusal; /* owned: the attempt's error, which stands whatever comes after */
  JobId id;
  JobId token;
  gboolean has_token;
  char *text;         /* owned: a result, an error */
  GArray *views;      /* owned, of JobView, with their errors: what the index knew */
  JobFilter *filter;  /* owned */
  JobLocalWait *wait; /* owned: a call that may come to wait */
  char *directory;    /* owned */
  gpointer extra;     /* owned, freed by destroy */
  GDestroyNotify destroy;
};

JobLocalRead *job_local_read_new (JobLocal *self, JobCall *call, JobLocalReadFunc func);
/* With the lock, right after the index was asked for the views: makes what is the index's theirs. */
void job_local_read_keep_views (JobLocalRead *read);
/* With the lock, which it gives up: runs it here if that may block, else in a reader thread. */
void job_local_read_run (JobLocalRead *read);
/* Without the lock: runs it in a reader thread, whatever is under way. */
void job_local_read_defer (JobLocalRead *read);
/* Without the lock: tries the verb; @read is the caller's, and is copied if it has to wait. Where
 * the index does not know the job, it is over, or was never there, or is just being enqueued by a
 * call that came before: so it is tried again in the order of such calls, after what is under way,
 * and if the job is over then, @over answers. Any other error is told when what is under way is
 * durable; it is not tried again, since calls that came after may have changed the job. */
void job_local_attempt (JobLocalRead *read, JobLocalAttempt attempt, JobLocalOver over);
/* The usual JobLocalOver: the error of a verb that comes too late. */
void job_local_refuse (JobLocalRead *read, int state, const JobId *last_token);
/* In the reader thread. */
void job_local_read_work (JobLocalRead *read);

/* The verbs, as in JobQueueInterface. job-local-change.c: */
void job_local_enqueue (JobLocal *self, JobRecord **records, const gboolean *fresh, gsize n_records,
                        JobCall *call);
void job_local_complete (JobLocal *self, const JobId *id, const JobId *token, const char *result,
                         JobCall *call);
void job_local_fail (JobLocal *self, const JobId *id, const JobId *token, const char *error_json,
                     JobCall *call);
void job_local_release (JobLocal *self, const JobId *id, const JobId *token, JobCall *call);
void job_local_cancel (JobLocal *self, const JobId *id, JobCall *call);
void job_local_heartbeat (JobLocal *self, const JobId *id, const JobId *token, JobCall *call);
/* job-local-wait.c: */
void job_local_dequeue (JobLocal *self, const char *const *types, const char *const *channels,
                        gint64 timeout, JobCall *call);
void job_local_dequeue_by_id (JobLocal *self, const JobId *id, JobCall *call);
void job_local_wait (JobLocal *self, const JobId *id, gint64 timeout, JobCall *call);
/* job-local-read.c: */
void job_local_lookup_token (JobLocal *self, const JobId *token, JobCall *call);
void job_local_list_leases (JobLocal *self, gint64 older_than, JobCall *call);
void job_local_list_damaged (JobLocal *self, JobCall *call);
void job_local_move_damaged (JobLocal *self, const char *directory, JobCall *call);
/* job-local-info.c: */
void job_local_get_info (JobLocal *self, const JobId *id, JobCall *call);
/* job-local-list.c: */
void job_local_list (JobLocal *self, JobFilter *filter, JobCall *call);

G_END_DECLS
