/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The inside of a JobLedger. Lock order: turnstile, store_lock, lock. */

#pragma once

#include "job-ledger-private.h"
#include "job-overlay-private.h"
#include "job-record-cache-private.h"

G_BEGIN_DECLS

struct _JobLedger
{
  JobStore *store;         /* constant */
  JobJournal *journal;     /* constant; NULL: the store's apply() is the commit */
  guint64 configured_size; /* constant: how much journal the user wants at most, in a segment */
  gboolean reads_overlap;  /* constant: the store's */

  JobRecordCache cache; /* of what came last; has a lock of its own */

  GMutex turnstile; /* whoever wants store_lock passes here: the applier cannot overtake for ever */
  GMutex store_lock; /* held around each call of the store, but for reads that may overlap */

  GMutex lock;                               /* guards the rest */
  GCond wake;                                /* the applier has something to do */
  GCond progress;                            /* the applier has got on, or failed */
  JobOverlay overlays[JOB_JOURNAL_SEGMENTS]; /* of the journal's segments */
  guint active;                              /* the journal's */
  gboolean sealed;   /* the other segment is full, and has to be applied and released */
  guint n_applied;   /* of its jobs */
  GError *failure;   /* why that was given up for now; NULL: the applier is at it */
  guint n_awaiting;  /* how many wait for the outcome */
  guint64 capacity;  /* of the active segment, in bytes */
  gboolean broken;   /* nobody knows what is on the journal */
  GThread *applier;  /* NULL before it is needed, and before the store was visited */
  gboolean stopping; /* it ends as soon as it can */
  gboolean closed;
};

/* Around the calls of the store. */
void job_ledger_take_store (JobLedger *self);
void job_ledger_give_store (JobLedger *self);
/* The same for reads, which some stores allow beside the rest. */
void job_ledger_take_store_to_read (JobLedger *self);
void job_ledger_give_store_to_read (JobLedger *self);

/* How much a segment takes now, by what the store says. Without the lock. */
guint64 job_ledger_plan_capacity (JobLedger *self);

/* All with the lock: */
/* The active segment is full: the applier brings it into the store. Only if the other one is free.
 */
void job_ledger_seal (JobLedger *self);
/* Sees to it that the applier is at work, if there is work. */
void job_ledger_start_applier (JobLedger *self);
/* Waits until no segment is sealed. If an attempt to apply it fails meanwhile: FALSE. */
gboolean job_ledger_await_applier (JobLedger *self, GError **error);
/* Without the lock. */
void job_ledger_stop_applier (JobLedger *self);

G_END_DECLS
