/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store of a simulation, and the queue that has it. What was applied and not checkpointed is
 * lost at a power cut, each job by itself, up to some version; a record that was being created may
 * be torn. Its contents outlive the queue: there is one. */

#pragma once

#include "job-local-queue.h"

G_BEGIN_DECLS

#define SIM_JOURNAL "/sim/journal"

#define SIM_TYPE_STORE (sim_store_get_type ())
G_DECLARE_FINAL_TYPE (SimStore, sim_store, SIM, STORE, JobStore)

#define SIM_TYPE_QUEUE (sim_queue_get_type ())
G_DECLARE_FINAL_TYPE (SimQueue, sim_queue, SIM, QUEUE, JobLocalQueue)

#define SIM_TYPE_CLOCK (sim_clock_get_type ())
G_DECLARE_FINAL_TYPE (SimClock, sim_clock, SIM, CLOCK, JobClock)

/* Where simulated time begins. */
#define SIM_EPOCH G_GINT64_CONSTANT (1700000000000000000) /* ns since 1970 */
gint64 sim_get_wall_time (void);

JobQueue *sim_queue_open (guint64 checkpoint_size, GError **error);

void sim_store_reset (void);
void sim_store_cut_power (void);

G_END_DECLS
