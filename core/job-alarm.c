/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-alarm-private.h"

static GMutex lock; /* of all alarms: it is needed rarely, and for a moment */

JobAlarm *
job_alarm_new (const JobId *token, GCancellable *cancellable)
{
  JobAlarm *self = g_new (JobAlarm, 1);

  *self = (JobAlarm){ .token = *token };
  g_atomic_ref_count_init (&self->ref_count);
  g_set_object (&self->cancellable, cancellable);
  return self;
}

JobAlarm *
job_alarm_ref (JobAlarm *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
job_alarm_unref (JobAlarm *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_object (&self->cancellable);
  g_free (self);
}

/* A new one has no handlers yet, so nothing runs when it is cancelled. */
GCancellable *
job_alarm_get_cancellable (JobAlarm *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  if (self->cancellable)
    return self->cancellable;
  self->cancellable = g_cancellable_new ();
  if (self->fired)
    g_cancellable_cancel (self->cancellable);
  return self->cancellable;
}

void
job_alarm_fire (JobAlarm *self)
{
  GCancellable *cancellable;

  g_mutex_lock (&lock);
  self->fired = TRUE;
  cancellable = self->cancellable;
  g_mutex_unlock (&lock);
  g_cancellable_cancel (cancellable);
}
