/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue that keeps nothing and does what the test says: for what runs jobs, where a real queue
 * would not fail at the right moment. All in one thread. */

#pragma once

#include "jobqueue-backend.h"

G_BEGIN_DECLS

#define SCRIPTED_TYPE_QUEUE (scripted_queue_get_type ())
G_DECLARE_FINAL_TYPE (ScriptedQueue, scripted_queue, SCRIPTED, QUEUE, GObject)

typedef enum
{
  SCRIPTED_DEQUEUE,
  SCRIPTED_COMPLETE,
  SCRIPTED_FAIL,
  SCRIPTED_RELEASE,
  SCRIPTED_HEARTBEAT,
  SCRIPTED_LIST,
  SCRIPTED_N_VERBS
} ScriptedVerb;

ScriptedQueue *scripted_queue_new (void);
/* A lease of this queue that no dequeue gives. @number makes its id. */
JobLease *scripted_queue_make_lease (ScriptedQueue *self, guint number, const char *type,
                                     const char *args, char **dependencies);
/* A lease for a dequeue to find. Returns the cancellable of its end. */
GCancellable *scripted_queue_add (ScriptedQueue *self, guint number, const char *type);
/* A job that is over, for get_info(). */
void scripted_queue_add_over (ScriptedQueue *self, guint number, JobState state, const char *args,
                              const char *outcome);
/* What list() answers with from now on: one job in this state, or none if that is BLOCKED. */
void scripted_queue_set_listed (ScriptedQueue *self, JobState state, gint64 run_at);
/* What this verb fails with from now on; the queue takes the error. NULL: it works. */
void scripted_queue_set_error (ScriptedQueue *self, ScriptedVerb verb, GError *error);
/* Whether reports are kept waiting, until this says otherwise. */
void scripted_queue_hold_reports (ScriptedQueue *self, gboolean hold);
/* Answers all dequeues that wait with TIMED_OUT. */
void scripted_queue_time_out (ScriptedQueue *self);

guint scripted_queue_count (ScriptedQueue *self, ScriptedVerb verb);
guint scripted_queue_get_n_waiting (ScriptedQueue *self);
/* The timeout of the last dequeue. */
gint64 scripted_queue_get_timeout (ScriptedQueue *self);
/* The reports so far: "complete 1 {…}\n", "fail 2 {…}\n", "release 3\n". */
const char *scripted_queue_get_log (ScriptedQueue *self);
char *scripted_queue_dup_id (guint number);

G_END_DECLS
