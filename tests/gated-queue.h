/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A local queue in memory, whose commits can be held up, and can fail. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

#define GATED_TYPE_QUEUE (gated_queue_get_type ())
G_DECLARE_FINAL_TYPE (GatedQueue, gated_queue, GATED, QUEUE, JobLocalQueue)

GatedQueue *gated_queue_new (JobClock *clock);
/* From now on commits wait at the gate. */
void gated_queue_shut_gate (GatedQueue *self);
/* Waits until one does. */
void gated_queue_await_commit (GatedQueue *self);
/* Lets it go on; if @fails, to a failure. */
void gated_queue_open_gate (GatedQueue *self, gboolean fails);

G_END_DECLS
