/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue that does nothing but write down what it is asked, so that tests see what gets through
 * the guards of the interface, and in which form. */

#pragma once

#include "job-queue-backend.h"

G_BEGIN_DECLS

#define RECORDING_TYPE_QUEUE (recording_queue_get_type ())
G_DECLARE_FINAL_TYPE (RecordingQueue, recording_queue, RECORDING, QUEUE, GObject)

#define RECORDED_ID "01890a5d-ac96-774b-bcce-b302099a8057"
#define RECORDED_OTHER_ID "01890a5d-ac96-774b-bcce-b302099a8058"
#define RECORDED_TOKEN "8d3c2a1e-0f4b-4c6d-9e8f-7a6b5c4d3e2f"

JobQueue *recording_queue_new (void);
/* What it was asked since the last time, one line for each call. */
char *recording_queue_take_log (JobQueue *queue);
/* get_info() finds every job but this one. */
void recording_queue_set_missing (JobQueue *queue, const char *id);
/* A lease on a job with the dependencies. */
JobLease *recording_queue_make_lease (JobQueue *queue, char **dependencies);

G_END_DECLS
