/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One ordered stream of batches. What verbs change joins the open batch; one thread at a time
 * writes a whole batch and then tells the world, while the next batch fills. The stream shares its
 * owner's lock. */

#pragma once

#include "job-alarm-private.h"
#include "job-call.h"
#include "job-effects-private.h"

G_BEGIN_DECLS

typedef struct _JobCommitter JobCommitter;

/* What a verb is answered once its batch is durable. */
typedef struct
{
  JobCall *call;          /* owned */
  gpointer value;         /* owned; NULL: the answer is TRUE */
  GDestroyNotify destroy; /* of value */
} JobAnswer;

typedef struct
{
  guint64 number;
  JobEffects effects;
  GArray *answers;    /* of JobAnswer */
  GPtrArray *alarms;  /* of JobAlarm: of the leases of effects.claims, one each */
  GPtrArray *to_fire; /* of JobAlarm: leases that ended, and whose holder has to be told; or NULL */
  GPtrArray *to_drop; /* of JobAlarm: other leases that ended */

  /* The committer's: */
  JobCall *caller;       /* the first blocking caller who is to be told of it, or NULL */
  gboolean asked;        /* somebody is on the way to commit it */
  GMainContext *context; /* of the first one who is to be told; only compared */
  guint n_callers;
  gboolean urgent;  /* not to be put off */
  gboolean put_off; /* until job_committer_go_on(), unless it is urgent */
} JobBatch;

/* What the owner does with a batch. */
typedef struct
{
  /* Without the lock, one batch at a time, in order. */
  gboolean (*write) (const JobBatch *batch, gpointer data, GError **error);
  /* With the lock, right after. */
  void (*settle) (JobBatch *batch, gpointer data);
  /* With the lock, instead: nothing of the failed batch, nor of the open one behind it, has
   * happened. */
  void (*revert) (const JobBatch *failed, const JobBatch *behind, const GError *error,
                  gpointer data);
  /* Without the lock, still in order: answers everybody, with @error if it is not NULL. No foreign
   * code runs in it. */
  void (*deliver) (JobBatch *batch, const GError *error, gpointer data);
  /* With the lock: the open batch is due, and the owner's thread is asked to commit it. */
  void (*hand_over) (gpointer data);
  /* With the lock: whether the open batch, which has @n_made calls from callbacks of @context, is
   * better put off until that has run more of them; then job_committer_go_on() will be called. May
   * be NULL: never. @commit_time: how long the last commit took (µs). */
  gboolean (*put_off) (GMainContext *context, guint n_made, gint64 commit_time, gpointer data);
} JobCommitterFuncs;

JobCommitter *job_committer_new (GMutex *lock, const JobCommitterFuncs *funcs, gpointer data);
void job_committer_free (JobCommitter *self);

/* All of these with the lock. */

/* The batch that takes changes and answers now. */
JobBatch *job_committer_get_open (JobCommitter *self);
void job_committer_add_answer (JobCommitter *self, JobCall *call, gpointer value,
                               GDestroyNotify destroy);
/* @call is told of the open batch in some other way: a claim, say. */
void job_committer_add_caller (JobCommitter *self, JobCall *call);
/* The open batch matters to somebody who is not among its callers. */
void job_committer_hurry (JobCommitter *self);
/* Whether there is something to commit, and nobody is at it. */
gboolean job_committer_is_due (JobCommitter *self);
/* Whether this thread is in a commit: then it must not wait for another one. */
gboolean job_committer_is_leading (JobCommitter *self);
/* Whether it is to be committed now by a thread that nobody waits for. */
gboolean job_committer_is_ripe (JobCommitter *self);
/* Commits the open batch, and no other; the lock is released meanwhile. Only when it is due. */
void job_committer_lead (JobCommitter *self);
/* The same in the owner's thread, which will look itself whether more is due. */
void job_committer_commit (JobCommitter *self);
/* Sees to it that somebody else commits the open batch, now or a little later. */
void job_committer_hand_over (JobCommitter *self);
void job_committer_go_on (JobCommitter *self);
/* The newest batch that has something in it: what is true in memory is durable after that one. 0:
 * all is settled, so there is nothing to wait for, and a failure before now is none of this. */
guint64 job_committer_get_newest (JobCommitter *self);
/* The same for jobs that ended: after that one, what is in no index is in the ledger, or nowhere. */
guint64 job_committer_get_newest_ending (JobCommitter *self);
/* Waits until the batch with that number is settled, committing it if nobody else does. FALSE if it
 * failed. */
gboolean job_committer_wait (JobCommitter *self, guint64 number, GError **error);
/* Waits until everything is committed and delivered, too. */
void job_committer_finish (JobCommitter *self);

G_END_DECLS
