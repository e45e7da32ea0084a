/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A store around any other one, that fails, tears or holds up calls by their number, has damaged
 * records on demand, and writes down what it is asked. It outlives its closing, so that a test can
 * look into what a crash left. */

#pragma once

#include "job-store.h"

G_BEGIN_DECLS

#define FAULT_TYPE_STORE (fault_store_get_type ())
G_DECLARE_FINAL_TYPE (FaultStore, fault_store, FAULT, STORE, JobStore)

typedef enum
{
  FAULT_VISIT,
  FAULT_APPLY,
  FAULT_CHECKPOINT,
  FAULT_READ,
  FAULT_LIST_DEPENDENTS,
  FAULT_CLOSE,
  FAULT_N_CALLS,
} FaultCall;

/* @journal_path: where the journal goes, whatever the inner store says; NULL: there is none. */
FaultStore *fault_store_new (JobStore *inner, const char *journal_path);

/* The call with that number from now on (1: the next) fails, and does not reach the inner store. */
void fault_store_fail (FaultStore *self, FaultCall call, guint number);
/* The apply() with that number takes the first @n_changes only, and then fails. */
void fault_store_tear (FaultStore *self, guint number, gsize n_changes);
/* The call with that number waits until fault_store_let_go(). */
void fault_store_hold (FaultStore *self, FaultCall call, guint number);
/* Waits until a call is held up. */
void fault_store_await_held (FaultStore *self);
void fault_store_let_go (FaultStore *self);

/* The next visit does not see that record, as if it could not be read just then. */
void fault_store_hide (FaultStore *self, const JobId *id);
/* From now on that record is damaged, until apply() brings it whole. */
void fault_store_damage (FaultStore *self, const JobId *id);

/* What was called since the last time: "apply 3, checkpoint, close clean", say. */
char *fault_store_take_trace (FaultStore *self);

G_END_DECLS
