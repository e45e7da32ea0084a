/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The time, as the library is told it: real in production, stepped by hand in tests. */

#pragma once

#include "job-macros.h"

G_BEGIN_DECLS

#define JOB_TYPE_CLOCK (job_clock_get_type ())
JOB_API
G_DECLARE_DERIVABLE_TYPE (JobClock, job_clock, JOB, CLOCK, GObject)

struct _JobClockClass
{
  GObjectClass parent_class;

  /* Nanoseconds since 1970 (UTC): stamps that people read, and run-at times. */
  gint64 (*get_wall_time) (JobClock *self);
  /* Microseconds that never go back and count a suspend: leases and timeouts. */
  gint64 (*get_boot_time) (JobClock *self);
  /* As g_cond_wait_until(), but with a deadline in boot time; -1: no deadline. May return early. */
  void (*wait) (JobClock *self, GCond *cond, GMutex *mutex, gint64 deadline);

  gpointer padding[4];
};

JOB_API JobClock *job_clock_get_system (void);
JOB_API gint64 job_clock_get_wall_time (JobClock *self);
JOB_API gint64 job_clock_get_boot_time (JobClock *self);
JOB_API void job_clock_wait (JobClock *self, GCond *cond, GMutex *mutex, gint64 deadline);

#define JOB_TYPE_STEPPED_CLOCK (job_stepped_clock_get_type ())
JOB_API
G_DECLARE_FINAL_TYPE (JobSteppedClock, job_stepped_clock, JOB, STEPPED_CLOCK, JobClock)

JOB_API JobSteppedClock *job_stepped_clock_new (gint64 wall_time);
JOB_API void job_stepped_clock_step (JobSteppedClock *self, gint64 microseconds);

G_END_DECLS
