/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What tells the holder of a lease that it is over: a GCancellable, made when somebody asks for it
 * first, since most leases end without. Whoever asks too late gets one that is cancelled. Its lock
 * is a leaf. */

#pragma once

#include "job-id.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  JobId token; /* first: for a JobIdTable; constant */
  gatomicrefcount ref_count;
  GCancellable *cancellable; /* owned; NULL: nobody has asked. Guarded by a lock */
  gboolean fired;            /* guarded by the same */
} JobAlarm;

/* @cancellable may be NULL. */
JobAlarm *job_alarm_new (const JobId *token, GCancellable *cancellable);
JobAlarm *job_alarm_ref (JobAlarm *self);
void job_alarm_unref (JobAlarm *self);

/* From any thread. */
GCancellable *job_alarm_get_cancellable (JobAlarm *self);
/* Without a lock: handlers of the cancellable run in here. */
void job_alarm_fire (JobAlarm *self);

G_END_DECLS
