/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job becomes due while the queue's own thread is between two looks at the clock: it must not go
 * to sleep with a time that has passed, whichever two looks they are. */

#include <string.h>

#include "jobqueue-backend.h"

#define START (G_GINT64_CONSTANT (1700000000) * 1000000000)
#define HOUR (G_GINT64_CONSTANT (3600) * 1000000)
#define MOST_LOOKS 12

/* A clock that leaps, once: when a thread but the main one looks at it for the n-th time, or goes
 * to sleep before that. */

#define LEAPING_TYPE_CLOCK (leaping_clock_get_type ())
G_DECLARE_FINAL_TYPE (LeapingClock, leaping_clock, LEAPING, CLOCK, JobClock)

struct _LeapingClock
{
  JobClock parent_instance;

  GThread *main_thread; /* constant */
  GMutex lock;
  gint64 passed;      /* lock: µs */
  guint n_looks;      /* lock: until it leaps; 0: it has */
  gboolean overslept; /* lock */
};

G_DEFINE_FINAL_TYPE (LeapingClock, leaping_clock, JOB_TYPE_CLOCK)

static gint64
look (JobClock *clock)
{
  LeapingClock *self = LEAPING_CLOCK (clock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (g_thread_self () != self->main_thread && self->n_looks > 0 && --self->n_looks == 0)
    self->passed = HOUR;
  return self->passed;
}

static gint64
leaping_clock_get_wall_time (JobClock *clock)
{
  return START + look (clock) * 1000;
}

static gint64
leaping_clock_get_boot_time (JobClock *clock)
{
  return 1 + look (clock);
}

/* After the leap all that there is to wait for is due, so that nothing is slept for but a call. */
static gboolean
may_sleep (LeapingClock *self, gint64 deadline)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gboolean has_leapt = self->n_looks == 0;

  if (has_leapt && deadline > 1 + self->passed)
    self->overslept = TRUE;
  if (!has_leapt && deadline != -1)
    {
      self->n_looks = 0;
      self->passed = HOUR;
      self->overslept = deadline > 1 + self->passed;
      return FALSE;
    }
  return deadline == -1;
}

static void
leaping_clock_wait (JobClock *clock, GCond *cond, GMutex *mutex, gint64 deadline)
{
  if (may_sleep (LEAPING_CLOCK (clock), deadline))
    g_cond_wait (cond, mutex);
}

static void
leaping_clock_finalize (GObject *object)
{
  g_mutex_clear (&LEAPING_CLOCK (object)->lock);
  G_OBJECT_CLASS (leaping_clock_parent_class)->finalize (object);
}

static void
leaping_clock_class_init (LeapingClockClass *klass)
{
  JobClockClass *clock_class = JOB_CLOCK_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = leaping_clock_finalize;
  clock_class->get_wall_time = leaping_clock_get_wall_time;
  clock_class->get_boot_time = leaping_clock_get_boot_time;
  clock_class->wait = leaping_clock_wait;
}

static void
leaping_clock_init (LeapingClock *self)
{
  self->main_thread = g_thread_self ();
  g_mutex_init (&self->lock);
}

static void
arm (LeapingClock *self, guint n_looks)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->n_looks = n_looks;
}

static gboolean
has_overslept (LeapingClock *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->overslept;
}

/* --- the test --------------------------------------------------------------------------------- */

static void
keep_result (GObject *source, GAsyncResult *result, gpointer data)
{
  g_set_object ((GAsyncResult **) data, result);
}

static void
check_leap (guint n_looks)
{
  g_autoptr (LeapingClock) clock = g_object_new (LEAPING_TYPE_CLOCK, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue =
      job_queue_new_for_backend ("memory", NULL, JOB_CLOCK (clock), &error);
  g_autoptr (JobSpec) spec = job_spec_new ("work", NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autofree char *id = NULL;

  g_assert_no_error (error);
  job_queue_dequeue_async (queue, NULL, NULL, -1, NULL, keep_result, &result);
  arm (clock, n_looks);
  job_spec_set_run_at (spec, START + HOUR * 1000);
  id = job_queue_enqueue (queue, spec, NULL, &error);
  g_assert_no_error (error);
  while (result == NULL && !has_overslept (clock))
    g_main_context_iteration (NULL, FALSE);
  g_assert_false (has_overslept (clock));
  lease = job_queue_dequeue_finish (queue, result, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
  job_queue_close (queue, NULL, &error);
  g_assert_no_error (error);
}

static void
test_due_between_two_looks (void)
{
  for (guint n_looks = 1; n_looks <= MOST_LOOKS; n_looks++)
    check_leap (n_looks);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/due/between-two-looks-at-the-clock", test_due_between_two_looks);

  return g_test_run ();
}
