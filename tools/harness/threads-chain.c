/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One queue in several main contexts: each has chains of calls in which the callback of one makes
 * the next, and sometimes a blocking call, or iterates its context. All take jobs from each other.
 * Each callback comes once, in its own context; each job is had once. */

#include "threads.h"

#define MAX_CREWS 4
#define MAX_CHAINS 4 /* in each */
#define MAX_ROUNDS 6 /* of each chain */

typedef struct _Crew Crew;

typedef struct
{
  Crew *crew;
  guint n_rounds;   /* left */
  gboolean waiting; /* for an answer */
  JobLease *lease;  /* owned */
} Chain;

/* A thread with a main context. */
struct _Crew
{
  Arena *arena;
  GMainContext *context;
  GRand *rand;
  gint *n_completed; /* atomic: of all */
  guint n_chains;
  Chain chains[MAX_CHAINS];
  guint n_running; /* chains that are not through */
  guint n_answers;
  guint depth;       /* of callbacks */
  const char *wrong; /* or NULL */
};

static void enqueue (Chain *self);

/* --- callbacks -------------------------------------------------------------------------------- */

static void
end_chain (Chain *self)
{
  self->n_rounds = 0;
  self->crew->n_running--;
}

/* At the start of each callback. */
static void
note_answer (Chain *self)
{
  Crew *crew = self->crew;

  crew->n_answers++;
  if (!self->waiting)
    crew->wrong = "a call was answered twice";
  if (!g_main_context_is_owner (crew->context) ||
      g_main_context_get_thread_default () != crew->context)
    crew->wrong = "a callback came in another context than that of its call";
  self->waiting = FALSE;
}

/* What a callback may do besides. */
static void
digress (Chain *self, const char *id)
{
  Crew *crew = self->crew;
  g_autoptr (JobInfo) info = NULL;

  switch (draw (crew->rand, 5))
    {
    case 0:
      info = job_queue_get_info (crew->arena->queue, id, NULL, NULL);
      if (info == NULL)
        crew->wrong = "a job that was acknowledged is not there";
      break;
    case 1:
      if (crew->depth > 3)
        break;
      crew->depth++;
      g_main_context_iteration (crew->context, FALSE);
      crew->depth--;
      break;
    case 2:
      dawdle (crew->rand);
      break;
    default:
      break;
    }
}

static void
fail_chain (Chain *self, const char *what)
{
  self->crew->wrong = what;
  end_chain (self);
}

static void
on_completed (GObject *source, GAsyncResult *result, gpointer data)
{
  Chain *self = data;
  g_autoptr (JobLease) lease = g_steal_pointer (&self->lease);

  note_answer (self);
  if (!job_lease_complete_finish (lease, result, NULL))
    {
      fail_chain (self, "a lease could not be completed");
      return;
    }
  g_atomic_int_inc (self->crew->n_completed);
  digress (self, job_lease_get_id (lease));
  if (--self->n_rounds > 0)
    enqueue (self);
  else
    end_chain (self);
}

/* Now and then it is given back, and whoever comes next has it. */
static void
on_dequeued (GObject *source, GAsyncResult *result, gpointer data)
{
  Chain *self = data;

  note_answer (self);
  self->lease = job_queue_dequeue_finish (JOB_QUEUE (source), result, NULL);
  if (self->lease == NULL)
    {
      fail_chain (self, "a dequeue failed");
      return;
    }
  digress (self, job_lease_get_id (self->lease));
  self->waiting = TRUE;
  if (draw (self->crew->rand, 5) > 0)
    {
      job_lease_complete_async (self->lease, "1", NULL, on_completed, self);
      return;
    }
  if (!job_lease_release (self->lease, NULL, NULL))
    self->crew->wrong = "a lease could not be given back";
  g_clear_object (&self->lease);
  job_queue_dequeue_async (JOB_QUEUE (source), NULL, NULL, -1, NULL, on_dequeued, self);
}

static void
on_enqueued (GObject *source, GAsyncResult *result, gpointer data)
{
  Chain *self = data;
  g_autofree char *id = job_queue_enqueue_finish (JOB_QUEUE (source), result, NULL);

  note_answer (self);
  if (id == NULL)
    {
      fail_chain (self, "an enqueueing failed");
      return;
    }
  digress (self, id);
  self->waiting = TRUE;
  job_queue_dequeue_async (JOB_QUEUE (source), NULL, NULL, -1, NULL, on_dequeued, self);
}

static void
enqueue (Chain *self)
{
  g_autoptr (JobSpec) spec = job_spec_new (draw (self->crew->rand, 2) ? "a" : "b", NULL);

  self->waiting = TRUE;
  job_queue_enqueue_async (self->crew->arena->queue, spec, NULL, on_enqueued, self);
}

/* --- threads ---------------------------------------------------------------------------------- */

static gpointer
run_crew (gpointer data)
{
  Crew *self = data;

  g_main_context_push_thread_default (self->context);
  for (guint i = 0; i < self->n_chains; i++)
    enqueue (&self->chains[i]);
  while (self->n_running > 0)
    g_main_context_iteration (self->context, TRUE);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static guint
draw_crew (Crew *self, Arena *arena, gint *n_completed)
{
  guint n_rounds = 0;

  *self = (Crew){ .arena = arena,
                  .context = g_main_context_new (),
                  .rand = draw_rand (arena->rand),
                  .n_completed = n_completed,
                  .n_chains = 1 + draw (arena->rand, MAX_CHAINS) };
  self->n_running = self->n_chains;
  for (guint i = 0; i < self->n_chains; i++)
    {
      self->chains[i] = (Chain){ .crew = self, .n_rounds = 1 + draw (arena->rand, MAX_ROUNDS) };
      n_rounds += self->chains[i].n_rounds;
    }
  return n_rounds;
}

static void
end_crew (Crew *self)
{
  if (self->wrong)
    arena_complain (self->arena,
                    "chains of calls in several contexts\npromised: each call is answered once, in "
                    "its own context\nfound:    %s",
                    self->wrong);
  self->arena->n_answers += self->n_answers;
  g_main_context_unref (self->context);
  g_rand_free (self->rand);
}

void
threads_play_chains (Arena *arena)
{
  Crew crews[MAX_CREWS];
  GThread *threads[MAX_CREWS];
  guint n_crews = 1 + draw (arena->rand, MAX_CREWS);
  guint n_rounds = 0;
  gint n_completed = 0;

  for (guint i = 0; i < n_crews; i++)
    n_rounds += draw_crew (&crews[i], arena, &n_completed);
  for (guint i = 0; i < n_crews; i++)
    threads[i] = g_thread_new ("crew", run_crew, &crews[i]);
  for (guint i = 0; i < n_crews; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < n_crews; i++)
    end_crew (&crews[i]);
  if ((guint) n_completed != n_rounds)
    arena_complain (arena, "of %u jobs that were enqueued %d were completed", n_rounds,
                    n_completed);
}
