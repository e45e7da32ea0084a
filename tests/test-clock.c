/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two clocks. A lost wake-up or a deadlock shows as a hang, which the timeout of the test
 * runner ends. */

#include "job-clock.h"

#define N_THREADS 8
#define N_ROUNDS 1000

typedef struct
{
  JobClock *clock;
  GMutex mutex;
  GCond cond;
  gint64 deadline;  /* constant */
  gboolean waiting; /* mutex */
  gint64 woken_at;  /* the thread's own, until it is joined */
} Sleeper;

static gpointer
sleep_until_deadline (gpointer data)
{
  Sleeper *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  self->waiting = TRUE;
  while (job_clock_get_boot_time (self->clock) < self->deadline)
    job_clock_wait (self->clock, &self->cond, &self->mutex, self->deadline);
  self->woken_at = job_clock_get_boot_time (self->clock);
  return NULL;
}

static void
init_sleeper (Sleeper *self, JobClock *clock, gint64 deadline)
{
  self->clock = clock;
  self->deadline = deadline;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
}

static void
clear_sleeper (Sleeper *self)
{
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
}

static void
test_stands_still_until_it_is_stepped (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (5000);
  gint64 boot_time = job_clock_get_boot_time (JOB_CLOCK (clock));

  g_assert_cmpint (boot_time, >, 0);
  g_assert_cmpint (job_clock_get_wall_time (JOB_CLOCK (clock)), ==, 5000);
  g_assert_cmpint (job_clock_get_boot_time (JOB_CLOCK (clock)), ==, boot_time);
  job_stepped_clock_step (clock, 3);
  g_assert_cmpint (job_clock_get_wall_time (JOB_CLOCK (clock)), ==, 8000);
  g_assert_cmpint (job_clock_get_boot_time (JOB_CLOCK (clock)), ==, boot_time + 3);
}

/* Would hang. */
static void
test_a_passed_deadline_is_not_waited_for (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  Sleeper sleeper = { NULL };
  gint64 now = job_clock_get_boot_time (JOB_CLOCK (clock));

  init_sleeper (&sleeper, JOB_CLOCK (clock), now);
  g_mutex_lock (&sleeper.mutex);
  job_clock_wait (JOB_CLOCK (clock), &sleeper.cond, &sleeper.mutex, now);
  job_clock_wait (job_clock_get_system (), &sleeper.cond, &sleeper.mutex, 0);
  g_mutex_unlock (&sleeper.mutex);
  clear_sleeper (&sleeper);
}

static void
wait_until_waiting (Sleeper *self)
{
  gboolean waiting = FALSE;

  while (!waiting)
    {
      g_mutex_lock (&self->mutex);
      waiting = self->waiting;
      g_mutex_unlock (&self->mutex);
      g_thread_yield ();
    }
}

static void
test_an_hour_takes_no_hour (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  gint64 deadline = job_clock_get_boot_time (JOB_CLOCK (clock)) + G_TIME_SPAN_HOUR;
  Sleeper sleeper = { NULL };
  GThread *thread;

  init_sleeper (&sleeper, JOB_CLOCK (clock), deadline);
  thread = g_thread_new ("sleeper", sleep_until_deadline, &sleeper);
  wait_until_waiting (&sleeper);
  job_stepped_clock_step (clock, G_TIME_SPAN_HOUR - 1);
  job_stepped_clock_step (clock, 1);
  g_thread_join (thread);
  g_assert_cmpint (sleeper.woken_at, ==, deadline);
  clear_sleeper (&sleeper);
}

static gpointer
wait_for_ever_once (gpointer data)
{
  Sleeper *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  self->waiting = TRUE;
  job_clock_wait (self->clock, &self->cond, &self->mutex, -1);
  return NULL;
}

static void
test_a_step_wakes_those_without_a_deadline (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  Sleeper sleeper = { NULL };
  GThread *thread;

  init_sleeper (&sleeper, JOB_CLOCK (clock), -1);
  thread = g_thread_new ("sleeper", wait_for_ever_once, &sleeper);
  wait_until_waiting (&sleeper);
  job_stepped_clock_step (clock, 0);
  g_thread_join (thread);
  clear_sleeper (&sleeper);
}

static void
test_an_ordinary_signal_wakes_too (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  Sleeper sleeper = { NULL };
  GThread *thread;

  init_sleeper (&sleeper, JOB_CLOCK (clock), -1);
  thread = g_thread_new ("sleeper", wait_for_ever_once, &sleeper);
  wait_until_waiting (&sleeper);
  g_mutex_lock (&sleeper.mutex);
  g_cond_signal (&sleeper.cond);
  g_mutex_unlock (&sleeper.mutex);
  g_thread_join (thread);
  clear_sleeper (&sleeper);
}

typedef struct
{
  JobClock *clock;
  int n_rounds;
  gint n_slept; /* atomic: rounds of all threads together */
} Race;

/* Each round has a condition and a mutex of its own, gone right after the wait: a step that still
 * used one would be seen by a sanitizer. */
static void
sleep_once (JobClock *clock, gint64 deadline)
{
  Sleeper *sleeper = g_new0 (Sleeper, 1);

  init_sleeper (sleeper, clock, deadline);
  sleep_until_deadline (sleeper);
  g_assert_cmpint (sleeper->woken_at, >=, deadline);
  clear_sleeper (sleeper);
  g_free (sleeper);
}

static gpointer
sleep_in_step (gpointer data)
{
  Race *race = data;
  gint64 start = G_TIME_SPAN_SECOND; /* of a stepped clock */

  for (int i = 1; i <= race->n_rounds; i++)
    {
      sleep_once (race->clock, start + i);
      g_atomic_int_inc (&race->n_slept);
    }
  return NULL;
}

/* One step for each round: nothing else would wake who missed it. */
static void
test_no_wake_up_is_lost (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  Race race = { JOB_CLOCK (clock), N_ROUNDS, 0 };
  GThread *threads[N_THREADS];

  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("sleeper", sleep_in_step, &race);
  for (int i = 1; i <= N_ROUNDS; i++)
    {
      job_stepped_clock_step (clock, 1);
      while (g_atomic_int_get (&race.n_slept) < i * N_THREADS)
        g_thread_yield ();
    }
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

static gpointer
sleep_often (gpointer data)
{
  Race *race = data;

  for (int i = 0; i < race->n_rounds; i++)
    {
      sleep_once (race->clock, job_clock_get_boot_time (race->clock) + 1);
      g_atomic_int_inc (&race->n_slept);
    }
  return NULL;
}

static gpointer
step_as_long_as_they_sleep (gpointer data)
{
  Race *race = data;

  while (g_atomic_int_get (&race->n_slept) < race->n_rounds * N_THREADS)
    job_stepped_clock_step (JOB_STEPPED_CLOCK (race->clock), 1);
  return NULL;
}

static void
test_several_may_step_at_once (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  Race race = { JOB_CLOCK (clock), N_ROUNDS, 0 };
  GThread *sleepers[N_THREADS];
  GThread *steppers[2];

  for (int i = 0; i < N_THREADS; i++)
    sleepers[i] = g_thread_new ("sleeper", sleep_often, &race);
  for (int i = 0; i < 2; i++)
    steppers[i] = g_thread_new ("stepper", step_as_long_as_they_sleep, &race);
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (sleepers[i]);
  for (int i = 0; i < 2; i++)
    g_thread_join (steppers[i]);
}

typedef struct
{
  JobSteppedClock *clock;
  gint done; /* atomic */
} Step;

static gpointer
step_once (gpointer data)
{
  Step *step = data;

  job_stepped_clock_step (step->clock, 0);
  g_atomic_int_set (&step->done, TRUE);
  return NULL;
}

/* One that waits is on the list before it waits for good, but holds its mutex until then: a step
 * that did without that mutex could come too early. */
static void
test_a_step_needs_the_mutex_of_who_waits (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  Sleeper sleeper = { NULL };
  Step step = { clock, FALSE };
  GThread *waiter, *stepper;

  init_sleeper (&sleeper, JOB_CLOCK (clock), -1);
  waiter = g_thread_new ("sleeper", wait_for_ever_once, &sleeper);
  wait_until_waiting (&sleeper);
  g_mutex_lock (&sleeper.mutex);
  stepper = g_thread_new ("stepper", step_once, &step);
  for (int i = 0; i < N_ROUNDS; i++)
    g_thread_yield ();
  g_assert_false (g_atomic_int_get (&step.done));
  g_mutex_unlock (&sleeper.mutex);
  g_thread_join (stepper);
  g_thread_join (waiter);
  clear_sleeper (&sleeper);
}

/* The waiter is woken by somebody else while a step is about to wake it, and everything of it is
 * freed at once. */
static void
race_a_step_against_a_signal (JobSteppedClock *clock)
{
  Sleeper *sleeper = g_new0 (Sleeper, 1);
  Step step = { clock, FALSE };
  GThread *waiter, *stepper;

  init_sleeper (sleeper, JOB_CLOCK (clock), -1);
  waiter = g_thread_new ("sleeper", wait_for_ever_once, sleeper);
  wait_until_waiting (sleeper);
  g_mutex_lock (&sleeper->mutex);
  stepper = g_thread_new ("stepper", step_once, &step);
  for (int i = 0; i < 10; i++)
    g_thread_yield ();
  g_cond_signal (&sleeper->cond);
  g_mutex_unlock (&sleeper->mutex);
  g_thread_join (waiter);
  clear_sleeper (sleeper);
  g_free (sleeper);
  g_thread_join (stepper);
}

static void
test_a_step_holds_on_to_whom_it_wakes (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);

  for (int i = 0; i < N_ROUNDS; i++)
    race_a_step_against_a_signal (clock);
}

/* One mutex and one condition for all, as a queue has it. */
static void
test_many_threads_may_share_a_condition (void)
{
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  gint64 deadline = job_clock_get_boot_time (JOB_CLOCK (clock)) + 100;
  Sleeper sleeper = { NULL };
  GThread *threads[N_THREADS];

  init_sleeper (&sleeper, JOB_CLOCK (clock), deadline);
  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("sleeper", sleep_until_deadline, &sleeper);
  for (int i = 0; i < 100; i++)
    job_stepped_clock_step (clock, 1);
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (sleeper.woken_at, ==, deadline);
  clear_sleeper (&sleeper);
}

static void
test_the_system_clock_is_the_systems (void)
{
  JobClock *clock = job_clock_get_system ();
  gint64 wall_time = job_clock_get_wall_time (clock);
  gint64 boot_time = job_clock_get_boot_time (clock);

  g_assert_true (clock == job_clock_get_system ());
  g_assert_cmpint (ABS (wall_time / 1000 - g_get_real_time ()), <, G_TIME_SPAN_MINUTE);
  g_assert_cmpint (boot_time, >, 0);
  g_assert_cmpint (job_clock_get_boot_time (clock), >=, boot_time);
}

static void
test_the_system_clock_waits_for_a_deadline (void)
{
  Sleeper sleeper = { NULL };
  JobClock *clock = job_clock_get_system ();
  gint64 deadline = job_clock_get_boot_time (clock) + 2000;

  init_sleeper (&sleeper, clock, deadline);
  sleep_until_deadline (&sleeper);
  g_assert_cmpint (sleeper.woken_at, >=, deadline);
  clear_sleeper (&sleeper);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, name) g_test_add_func ("/clock/" path, test_##name)
  ADD ("stepped/stands-still-until-it-is-stepped", stands_still_until_it_is_stepped);
  ADD ("stepped/passed-deadline-is-not-waited-for", a_passed_deadline_is_not_waited_for);
  ADD ("stepped/an-hour-takes-no-hour", an_hour_takes_no_hour);
  ADD ("stepped/step-wakes-those-without-a-deadline", a_step_wakes_those_without_a_deadline);
  ADD ("stepped/ordinary-signal-wakes-too", an_ordinary_signal_wakes_too);
  ADD ("stepped/no-wake-up-is-lost", no_wake_up_is_lost);
  ADD ("stepped/several-may-step-at-once", several_may_step_at_once);
  ADD ("stepped/step-needs-the-mutex-of-who-waits", a_step_needs_the_mutex_of_who_waits);
  ADD ("stepped/step-holds-on-to-whom-it-wakes", a_step_holds_on_to_whom_it_wakes);
  ADD ("stepped/many-threads-may-share-a-condition", many_threads_may_share_a_condition);
  ADD ("system/is-the-systems", the_system_clock_is_the_systems);
  ADD ("system/waits-for-a-deadline", the_system_clock_waits_for_a_deadline);
  return g_test_run ();
}
