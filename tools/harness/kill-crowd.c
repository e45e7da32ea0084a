/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hands of the crowd: each asks for one thing after the other, in a thread of its own or by
 * callbacks, and writes down what it asks and what it is told. How the table is compared with a
 * queue is in kill-check.c. */

#include "kill-crowd.h"

#include <stdlib.h>
#include <string.h>

#define N_THREADS 4
#define MAX_SPECS 3
#define NO_LEASE 0

typedef struct
{
  CrowdTable *table;
  JobQueue *queue;
  GMainLoop *loop; /* NULL: it has a thread */
  guint *n_active; /* hands of the loop */
  guint number;
  guint n_calls;
  GRand *rand;
  guint lease; /* index in the table + 1, or NO_LEASE */
  JobSpec *specs[MAX_SPECS];
  guint n_specs;
  guint first; /* of them */
} Hand;

void
crowd_complain (CrowdTable *self, const char *format, ...)
{
  static GMutex lock;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  va_list args;

  if (*self->complaint)
    return;
  va_start (args, format);
  g_vsnprintf (self->complaint, sizeof self->complaint, format, args);
  va_end (args);
}

/* --- what follows from a number --------------------------------------------------------------- */

char *
crowd_dup_id (guint job)
{
  return g_strdup_printf ("018bcfe5-%04x-7000-8000-%012x", job / 64, job);
}

guint
crowd_parse_id (const char *id)
{
  const char *tail = strrchr (id, '-');
  guint job = tail ? (guint) strtoul (tail + 1, NULL, 16) : G_MAXUINT;
  g_autofree char *again = crowd_dup_id (job);

  return job < CROWD_MAX_JOBS && g_str_equal (again, id) ? job : G_MAXUINT;
}

/* Mostly small, sometimes some kilobytes. */
char *
crowd_dup_args (guint job)
{
  guint length = job % 16 == 7 ? 3000 + job % 977 : job * 31 % 200;
  g_autofree char *text = g_strnfill (length, (char) ('a' + job % 26));

  return g_strdup_printf ("{\"text\": \"%s\", \"number\": %u}", text, job);
}

char *
crowd_dup_outcome (guint lease)
{
  return g_strdup_printf ("{\"of\": \"lease %u\"}", lease);
}

const char *
crowd_get_type (guint job)
{
  return job / 3 % 2 == 0 ? "build" : "test";
}

int
crowd_get_priority (guint job)
{
  return job % 8 == 5 ? 1 : 0;
}

guint
crowd_get_max_attempts (guint job)
{
  return 1 + job % 2;
}

/* --- asking ----------------------------------------------------------------------------------- */

static guint
tick (CrowdTable *table)
{
  return (guint) g_atomic_int_add (&table->time, 1);
}

static JobSpec *
make_spec (guint job, gboolean waits)
{
  g_autofree char *id = crowd_dup_id (job);
  g_autofree char *args = crowd_dup_args (job);
  JobSpec *spec = job_spec_new (crowd_get_type (job), args);

  job_spec_set_id (spec, id, NULL);
  job_spec_set_priority (spec, crowd_get_priority (job));
  job_spec_set_max_attempts (spec, crowd_get_max_attempts (job));
  if (waits)
    {
      g_autofree char *before = crowd_dup_id (job - 1);

      job_spec_add_dependency (spec, before, JOB_CONDITION_AFTER_OK);
    }
  return spec;
}

/* FALSE: the table is full. */
static gboolean
ask_to_enqueue (Hand *self)
{
  CrowdTable *table = self->table;
  guint n = (guint) g_rand_int_range (self->rand, 1, MAX_SPECS + 1);
  guint asked_at = tick (table);

  self->first = (guint) g_atomic_int_add (&table->n_jobs, (gint) n);
  if (self->first + n > CROWD_MAX_JOBS)
    return FALSE;
  self->n_specs = n;
  for (guint i = 0; i < n; i++)
    {
      gboolean waits = i > 0 && g_rand_boolean (self->rand);

      self->specs[i] = make_spec (self->first + i, waits);
      table->jobs[self->first + i] = (CrowdJob){
        .first = self->first, .waits = waits, .asked_at = asked_at, .told_at = G_MAXUINT
      };
    }
  for (guint i = 0; i < n; i++) /* last: a kill may come in the midst of it */
    g_atomic_int_set ((gint *) &table->jobs[self->first + i].enqueued, CROWD_ASKED);
  return TRUE;
}

static void
ask_to_end (Hand *self, CrowdVerb verb)
{
  CrowdLease *lease = &self->table->leases[self->lease - 1];

  lease->end = verb;
  g_atomic_int_set ((gint *) &lease->ended, CROWD_ASKED);
}

/* Draws what comes next, and writes it down. */
static CrowdVerb
ask (Hand *self)
{
  static const CrowdVerb ends[] = { CROWD_COMPLETE, CROWD_COMPLETE, CROWD_COMPLETE, CROWD_FAIL,
                                    CROWD_RELEASE };
  CrowdVerb verb = CROWD_DEQUEUE;
  gint32 chance = g_rand_int_range (self->rand, 0, 100);

  if (chance < 35 && ask_to_enqueue (self))
    verb = CROWD_ENQUEUE;
  else if (self->lease != NO_LEASE)
    {
      verb = ends[chance % (gint32) G_N_ELEMENTS (ends)];
      ask_to_end (self, verb);
    }
  g_atomic_int_set ((gint *) &self->table->hands[self->number], verb);
  return verb;
}

/* --- being told ------------------------------------------------------------------------------- */

static void
tell_enqueued (Hand *self)
{
  guint told_at = tick (self->table);

  for (guint i = 0; i < self->n_specs; i++)
    {
      CrowdJob *job = &self->table->jobs[self->first + i];

      job->told_at = told_at;
      g_atomic_int_set ((gint *) &job->enqueued, CROWD_TOLD);
    }
}

static void
tell_lease (Hand *self, JobLease *lease)
{
  guint job = crowd_parse_id (job_lease_get_id (lease));
  guint slot = (guint) g_atomic_int_add (&self->table->n_leases, 1);
  CrowdLease *entry = &self->table->leases[slot];
  g_autofree char *args = NULL;

  if (job == G_MAXUINT || slot >= CROWD_MAX_LEASES)
    g_error ("Job %s, lease %u: what is that?", job_lease_get_id (lease), slot);
  args = crowd_dup_args (job);
  if (!g_str_equal (args, job_lease_get_args (lease)))
    crowd_complain (self->table, "job %u was leased with other args: %s", job,
                    job_lease_get_args (lease));
  g_strlcpy (entry->token, job_lease_get_token (lease), sizeof entry->token);
  g_atomic_int_set ((gint *) &entry->job, (gint) job + 1);
  self->lease = slot + 1;
}

static void
tell_ended (Hand *self)
{
  g_atomic_int_set ((gint *) &self->table->leases[self->lease - 1].ended, CROWD_TOLD);
  self->lease = NO_LEASE;
}

/* The answer, which takes no time before it is written down. */
static void
tell (Hand *self, CrowdVerb verb, JobLease *lease, const GError *error)
{
  if (error && !(verb == CROWD_DEQUEUE && g_error_matches (error, JOB_ERROR, JOB_ERROR_TIMED_OUT)))
    crowd_complain (self->table, "call %u failed: %s", verb, error->message);
  else if (verb == CROWD_ENQUEUE)
    tell_enqueued (self);
  else if (lease)
    tell_lease (self, lease);
  else if (verb != CROWD_DEQUEUE)
    tell_ended (self);
  g_atomic_int_set ((gint *) &self->table->hands[self->number], CROWD_NOTHING);
  g_atomic_int_inc (&self->table->n_told);
  for (guint i = 0; i < self->n_specs; i++)
    g_clear_object (&self->specs[i]);
  self->n_specs = 0;
}

static gboolean
is_done (const Hand *self)
{
  return (guint) g_atomic_int_get (&self->table->n_told) >= self->n_calls ||
         *self->table->complaint;
}

/* --- by threads ------------------------------------------------------------------------------- */

static JobLease *
call (Hand *self, CrowdVerb verb, GError **error)
{
  const CrowdLease *lease = &self->table->leases[MAX (self->lease, 1) - 1];
  g_autofree char *id = crowd_dup_id (MAX (lease->job, 1) - 1);
  g_autofree char *text = crowd_dup_outcome (self->lease);
  g_auto (GStrv) ids = NULL;

  if (verb == CROWD_ENQUEUE)
    ids = job_queue_enqueue_many (self->queue, self->specs, self->n_specs, NULL, error);
  else if (verb == CROWD_DEQUEUE)
    return job_queue_dequeue (self->queue, NULL, NULL, 0, NULL, error);
  else if (verb == CROWD_COMPLETE)
    job_queue_complete (self->queue, id, lease->token, text, NULL, error);
  else if (verb == CROWD_FAIL)
    job_queue_fail (self->queue, id, lease->token, text, NULL, error);
  else
    job_queue_release (self->queue, id, lease->token, NULL, error);
  return NULL;
}

static gpointer
run_thread (gpointer data)
{
  Hand *self = data;

  while (!is_done (self))
    {
      g_autoptr (GError) error = NULL;
      CrowdVerb verb = ask (self);
      g_autoptr (JobLease) lease = call (self, verb, &error);

      tell (self, verb, lease, error);
    }
  return NULL;
}

/* --- by a main loop --------------------------------------------------------------------------- */

static void call_async (Hand *self);

static void
take_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Hand *self = data;
  CrowdVerb verb = self->table->hands[self->number];
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) ids = NULL;

  if (verb == CROWD_ENQUEUE)
    ids = job_queue_enqueue_many_finish (self->queue, result, &error);
  else if (verb == CROWD_DEQUEUE)
    lease = job_queue_dequeue_finish (self->queue, result, &error);
  else if (verb == CROWD_COMPLETE)
    job_queue_complete_finish (self->queue, result, &error);
  else if (verb == CROWD_FAIL)
    job_queue_fail_finish (self->queue, result, &error);
  else
    job_queue_release_finish (self->queue, result, &error);
  tell (self, verb, lease, error);
  if (!is_done (self))
    call_async (self);
  else if (--*self->n_active == 0)
    g_main_loop_quit (self->loop);
}

static void
call_async (Hand *self)
{
  CrowdVerb verb = ask (self);
  const CrowdLease *lease = &self->table->leases[MAX (self->lease, 1) - 1];
  g_autofree char *id = crowd_dup_id (MAX (lease->job, 1) - 1);
  g_autofree char *text = crowd_dup_outcome (self->lease);
  gint64 patience = self->number % 4 == 0 ? 0 : 300; /* so that there are waiters, too */

  if (verb == CROWD_ENQUEUE)
    job_queue_enqueue_many_async (self->queue, self->specs, self->n_specs, NULL, take_answer, self);
  else if (verb == CROWD_DEQUEUE)
    job_queue_dequeue_async (self->queue, NULL, NULL, patience, NULL, take_answer, self);
  else if (verb == CROWD_COMPLETE)
    job_queue_complete_async (self->queue, id, lease->token, text, NULL, take_answer, self);
  else if (verb == CROWD_FAIL)
    job_queue_fail_async (self->queue, id, lease->token, text, NULL, take_answer, self);
  else
    job_queue_release_async (self->queue, id, lease->token, NULL, take_answer, self);
}

/* --- all hands -------------------------------------------------------------------------------- */

static gboolean
is_last_of_job (const CrowdTable *table, guint slot)
{
  for (guint i = slot + 1; i < table->n_leases; i++)
    if (table->leases[i].job == table->leases[slot].job)
      return FALSE;
  return TRUE;
}

/* Leases that an earlier process got, and did not end, are the hands' again. */
static guint
find_lease (const CrowdTable *table, guint *from)
{
  while (*from < table->n_leases)
    {
      guint slot = (*from)++;

      if (table->leases[slot].job != 0 && table->leases[slot].ended == CROWD_NOT &&
          is_last_of_job (table, slot))
        return slot + 1;
    }
  return NO_LEASE;
}

static void
init_hands (CrowdTable *table, JobQueue *queue, guint64 seed, guint n_calls, Hand *hands, guint n)
{
  guint from = 0;

  table->same = FALSE;
  table->n_told = 0;
  for (guint i = 0; i < n; i++)
    {
      guint32 seeds[3] = { (guint32) seed, (guint32) (seed >> 32), i };

      hands[i] = (Hand){ .table = table,
                         .queue = queue,
                         .number = i,
                         .n_calls = n_calls,
                         .rand = g_rand_new_with_seed_array (seeds, 3),
                         .lease = find_lease (table, &from) };
    }
}

static void
clear_hands (Hand *hands, guint n)
{
  for (guint i = 0; i < n; i++)
    g_rand_free (hands[i].rand);
}

void
crowd_play_threads (CrowdTable *self, JobQueue *queue, guint64 seed, guint n_calls)
{
  Hand hands[N_THREADS];
  GThread *threads[N_THREADS];

  init_hands (self, queue, seed, n_calls, hands, N_THREADS);
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("hand", run_thread, &hands[i]);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  clear_hands (hands, N_THREADS);
}

void
crowd_play_loop (CrowdTable *self, JobQueue *queue, guint64 seed, guint n_calls)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Hand hands[CROWD_MAX_HANDS];
  guint n_active = CROWD_MAX_HANDS;

  init_hands (self, queue, seed, n_calls, hands, CROWD_MAX_HANDS);
  for (guint i = 0; i < CROWD_MAX_HANDS; i++)
    {
      hands[i].loop = loop;
      hands[i].n_active = &n_active;
      call_async (&hands[i]);
    }
  g_main_loop_run (loop);
  clear_hands (hands, CROWD_MAX_HANDS);
}
