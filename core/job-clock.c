/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two clocks: the system's, and one that a test steps.
 *
 * Waiting on the stepped clock. A thread waits on its own condition with its own mutex; the clock
 * keeps a list of who waits, and a step wakes them all. Three things have to hold:
 *
 *   No wake-up is lost. A waiter puts itself on the list, and looks at the time, in one critical
 *   section of the clock. A step that came before it is seen in the time; one that comes after it
 *   sees the waiter, and broadcasts with the waiter's mutex held: it gets that mutex only once the
 *   waiter is in g_cond_wait(), or done with it.
 *
 *   No deadlock. The order of locks is: the waiter's mutex, then the clock's. A step therefore lets
 *   go of the clock's lock before it takes a waiter's mutex.
 *
 *   No waiter goes away under a step. Between the two locks a step has only a pointer, so it pins
 *   the waiter; a waiter that is leaving waits until it is not pinned, and gives up its mutex for
 *   that, as a wait on a condition may. A step pins one waiter at a time, so that none is held up
 * by another's mutex. */

#include "job-clock.h"

#include <time.h>

#define LONGEST_WAIT (60 * G_TIME_SPAN_SECOND)
#define STEPPED_CLOCK_START G_TIME_SPAN_SECOND
#define NS_PER_US 1000
#define NS_PER_SECOND G_GINT64_CONSTANT (1000000000)

/**
 * JobClock:
 *
 * The time, as a queue is told it: job_clock_get_system() in production, a #JobSteppedClock in
 * tests, so that a test of a lease of an hour takes no hour.
 *
 * All its functions may be called from any thread.
 *
 * Since: 1.0
 */

/**
 * JobClockClass:
 * @parent_class: the parent class
 * @get_wall_time: see job_clock_get_wall_time()
 * @get_boot_time: see job_clock_get_boot_time()
 * @wait: see job_clock_wait()
 * @padding: room for more
 *
 * What a clock implements; all of it is mandatory, and may be called from any thread.
 *
 * Since: 1.0
 */

G_DEFINE_ABSTRACT_TYPE (JobClock, job_clock, G_TYPE_OBJECT)

static void
job_clock_class_init (JobClockClass *klass)
{
}

static void
job_clock_init (JobClock *self)
{
}

/* The system's clock. */

#define JOB_TYPE_SYSTEM_CLOCK (job_system_clock_get_type ())
G_DECLARE_FINAL_TYPE (JobSystemClock, job_system_clock, JOB, SYSTEM_CLOCK, JobClock)

struct _JobSystemClock
{
  JobClock parent_instance;
};

G_DEFINE_FINAL_TYPE (JobSystemClock, job_system_clock, JOB_TYPE_CLOCK)

static gint64
read_clock_ns (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now); /* cannot fail: both clocks are there since Linux 2.6.39 */
  return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static gint64
system_get_wall_time (JobClock *clock)
{
  return read_clock_ns (CLOCK_REALTIME);
}

static gint64
system_get_boot_time (JobClock *clock)
{
  return read_clock_ns (CLOCK_BOOTTIME) / NS_PER_US;
}

/* A condition can only wait by the monotonic clock, which stops in a suspend: so a long wait is cut
 * into pieces, and the caller looks at the time again after each. */
static void
system_wait (JobClock *clock, GCond *cond, GMutex *mutex, gint64 deadline)
{
  gint64 remaining;

  if (deadline == -1)
    {
      g_cond_wait (cond, mutex);
      return;
    }
  remaining = deadline - system_get_boot_time (clock);
  if (remaining > 0)
    g_cond_wait_until (cond, mutex, g_get_monotonic_time () + MIN (remaining, LONGEST_WAIT));
}

static void
job_system_clock_class_init (JobSystemClockClass *klass)
{
  JobClockClass *clock_class = JOB_CLOCK_CLASS (klass);

  clock_class->get_wall_time = system_get_wall_time;
  clock_class->get_boot_time = system_get_boot_time;
  clock_class->wait = system_wait;
}

static void
job_system_clock_init (JobSystemClock *self)
{
}

/* The stepped clock. */

/* One thread in job_clock_wait(); it lives on that thread's stack. */
typedef struct
{
  GCond *cond;      /* constant */
  GMutex *mutex;    /* constant */
  guint64 woken_by; /* the clock's lock: the last step that it need not be woken by */
  gboolean pinned;  /* the clock's lock: a step uses it */
} Waiter;

/**
 * JobSteppedClock:
 *
 * A clock that stands still until it is stepped, for tests.
 *
 * Since: 1.0
 */
struct _JobSteppedClock
{
  JobClock parent_instance;

  GMutex lock;
  GCond unpinned;   /* a waiter is not pinned any more */
  gint64 wall_time; /* lock; ns */
  gint64 boot_time; /* lock; µs */
  guint64 n_steps;  /* lock */
  GQueue waiters;   /* lock; of Waiter */
};

G_DEFINE_FINAL_TYPE (JobSteppedClock, job_stepped_clock, JOB_TYPE_CLOCK)

static gint64
stepped_get_wall_time (JobClock *clock)
{
  JobSteppedClock *self = JOB_STEPPED_CLOCK (clock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->wall_time;
}

static gint64
stepped_get_boot_time (JobClock *clock)
{
  JobSteppedClock *self = JOB_STEPPED_CLOCK (clock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->boot_time;
}

/* FALSE if the deadline has passed. */
static gboolean
register_waiter (JobSteppedClock *self, Waiter *waiter, gint64 deadline)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (deadline != -1 && deadline <= self->boot_time)
    return FALSE;
  waiter->woken_by = self->n_steps;
  g_queue_push_tail (&self->waiters, waiter);
  return TRUE;
}

static gboolean
try_unregister_waiter (JobSteppedClock *self, Waiter *waiter)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (waiter->pinned)
    return FALSE;
  g_queue_remove (&self->waiters, waiter);
  return TRUE;
}

/* Without the waiter's mutex, which the step that has it pinned may be about to take. */
static void
unregister_waiter (JobSteppedClock *self, Waiter *waiter)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (waiter->pinned)
    g_cond_wait (&self->unpinned, &self->lock);
  g_queue_remove (&self->waiters, waiter);
}

static void
stepped_wait (JobClock *clock, GCond *cond, GMutex *mutex, gint64 deadline)
{
  JobSteppedClock *self = JOB_STEPPED_CLOCK (clock);
  Waiter waiter = { .cond = cond, .mutex = mutex };

  if (!register_waiter (self, &waiter, deadline))
    return;
  g_cond_wait (cond, mutex);
  if (try_unregister_waiter (self, &waiter))
    return;
  g_mutex_unlock (mutex);
  unregister_waiter (self, &waiter);
  g_mutex_lock (mutex);
}

static void
job_stepped_clock_finalize (GObject *object)
{
  JobSteppedClock *self = JOB_STEPPED_CLOCK (object);

  g_mutex_clear (&self->lock);
  g_cond_clear (&self->unpinned);
  G_OBJECT_CLASS (job_stepped_clock_parent_class)->finalize (object);
}

static void
job_stepped_clock_class_init (JobSteppedClockClass *klass)
{
  JobClockClass *clock_class = JOB_CLOCK_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = job_stepped_clock_finalize;
  clock_class->get_wall_time = stepped_get_wall_time;
  clock_class->get_boot_time = stepped_get_boot_time;
  clock_class->wait = stepped_wait;
}

static void
job_stepped_clock_init (JobSteppedClock *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->unpinned);
  g_queue_init (&self->waiters);
  self->boot_time = STEPPED_CLOCK_START;
}

static guint64
advance (JobSteppedClock *self, gint64 microseconds)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->wall_time += microseconds * NS_PER_US;
  self->boot_time += microseconds;
  return ++self->n_steps;
}

/* A waiter that this step has to wake yet, or NULL. One that another step has pinned is left to
 * that: it looks at the time only when it is not pinned any more, and so sees this step, too. */
static Waiter *
pin_next (JobSteppedClock *self, guint64 step)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (GList *link = self->waiters.head; link != NULL; link = link->next)
    {
      Waiter *waiter = link->data;

      if (waiter->woken_by >= step || waiter->pinned)
        continue;
      waiter->woken_by = self->n_steps;
      waiter->pinned = TRUE;
      return waiter;
    }
  return NULL;
}

static void
unpin (JobSteppedClock *self, Waiter *waiter)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  waiter->pinned = FALSE;
  g_cond_broadcast (&self->unpinned);
}

static void
wake (Waiter *waiter)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (waiter->mutex);

  g_cond_broadcast (waiter->cond);
}

/* The public functions. */

/**
 * job_clock_get_system:
 *
 * The system's clock. There is one for the whole process.
 *
 * Returns: (transfer none): the clock
 *
 * Since: 1.0
 */
JobClock *
job_clock_get_system (void)
{
  static gsize initialized;
  static JobClock *system_clock; /* written once, in there */

  if (g_once_init_enter (&initialized))
    {
      system_clock = g_object_new (JOB_TYPE_SYSTEM_CLOCK, NULL);
      g_once_init_leave (&initialized, 1);
    }
  return system_clock;
}

/**
 * job_clock_get_wall_time:
 * @self: a clock
 *
 * The time of day, for stamps that people read and for run-at times. It can be set, and go back.
 *
 * Returns: nanoseconds since 1970 (UTC)
 *
 * Since: 1.0
 */
gint64
job_clock_get_wall_time (JobClock *self)
{
  g_return_val_if_fail (JOB_IS_CLOCK (self), 0);

  return JOB_CLOCK_GET_CLASS (self)->get_wall_time (self);
}

/**
 * job_clock_get_boot_time:
 * @self: a clock
 *
 * The time since some moment in the past, for leases and timeouts. It never goes back, and counts
 * while the machine is suspended.
 *
 * Returns: microseconds
 *
 * Since: 1.0
 */
gint64
job_clock_get_boot_time (JobClock *self)
{
  g_return_val_if_fail (JOB_IS_CLOCK (self), 0);

  return JOB_CLOCK_GET_CLASS (self)->get_boot_time (self);
}

/**
 * job_clock_wait: (skip)
 * @self: a clock
 * @cond: what to wait on
 * @mutex: the mutex of @cond, which the caller holds
 * @deadline: in the time of job_clock_get_boot_time(), microseconds; -1: none
 *
 * Waits like g_cond_wait_until(), but by this clock. It may return early: the caller looks at what
 * it waits for, and at the time, and waits again. @mutex is given up meanwhile, and held again when
 * this returns.
 *
 * Since: 1.0
 */
void
job_clock_wait (JobClock *self, GCond *cond, GMutex *mutex, gint64 deadline)
{
  g_return_if_fail (JOB_IS_CLOCK (self));

  JOB_CLOCK_GET_CLASS (self)->wait (self, cond, mutex, deadline);
}

/**
 * job_stepped_clock_new:
 * @wall_time: the time of day at which it starts: nanoseconds since 1970 (UTC)
 *
 * A clock that stands still until job_stepped_clock_step().
 *
 * Returns: (transfer full): a new clock
 *
 * Since: 1.0
 */
JobSteppedClock *
job_stepped_clock_new (gint64 wall_time)
{
  JobSteppedClock *self = g_object_new (JOB_TYPE_STEPPED_CLOCK, NULL);

  self->wall_time = wall_time;
  return self;
}

/**
 * job_stepped_clock_step:
 * @self: a clock
 * @microseconds: how far: 0 or more
 *
 * Lets time pass, in both of the clock's times, and wakes every thread that is in
 * job_clock_wait(). The caller must hold no mutex that a thread waits with.
 *
 * Since: 1.0
 */
void
job_stepped_clock_step (JobSteppedClock *self, gint64 microseconds)
{
  guint64 step;
  Waiter *waiter;

  g_return_if_fail (JOB_IS_STEPPED_CLOCK (self));
  g_return_if_fail (microseconds >= 0);

  step = advance (self, microseconds);
  while ((waiter = pin_next (self, step)) != NULL)
    {
      wake (waiter);
      unpin (self, waiter);
    }
}
