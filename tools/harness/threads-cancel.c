/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A dequeue is cancelled, at any point of its way: as many dequeues as jobs, each with a moment at
 * which its cancellable fires. Then each job is leased to whoever was given it, and to nobody else;
 * all others come to the next dequeue, first attempts still, and in their old order. */

#include "threads.h"

#define MAX_DEQUEUES 4

typedef enum
{
  NEVER,
  BEFORE,          /* the call */
  AT_ONCE,         /* after the call */
  ELSEWHERE,       /* in another thread, at any time: also while it waits or is written */
  IN_OTHER_ANSWER, /* in a callback of the same context, if one comes before */
  BEFORE_DISPATCH, /* when the claim is durable, as far as can be seen, and not delivered */
  IN_CALLBACK,     /* where it is too late */
  NOT_TAKEN,       /* the callback does not take the answer */
  N_MOMENTS
} Moment;

static const char *const moment_names[N_MOMENTS] = {
  "never",         "before the call", "at once after the call", "in another thread",
  "in a callback", "before dispatch", "in its callback",        "not, but the answer is not taken",
};

typedef struct _Trial Trial;

typedef struct
{
  Trial *trial;
  guint number;
  Moment moment;
  GCancellable *cancellable; /* owned */
  GRand *rand;               /* of its thread */
  GThread *thread;           /* that cancels it, or in which it blocks; or NULL */
  gboolean is_blocking;
  gboolean is_timed; /* it would not wait for ever */
  guint n_answers;
  JobLease *lease; /* owned */
  GError *error;   /* owned */
} Dequeue;

struct _Trial
{
  Arena *arena;
  GMainContext *context;
  GThread *producer;
  GRand *rand; /* of the producer */
  guint n_dequeues;
  Dequeue dequeues[MAX_DEQUEUES];
  guint n_waiting; /* for an asynchronous answer */
};

/* --- the dequeues ----------------------------------------------------------------------------- */

static gint64
get_timeout (const Dequeue *self)
{
  return self->is_timed ? 3600 * G_TIME_SPAN_SECOND : -1;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Dequeue *self = data;

  self->n_answers++;
  self->trial->n_waiting--;
  if (self->moment == NOT_TAKEN)
    return;
  if (self->moment == IN_CALLBACK)
    g_cancellable_cancel (self->cancellable);
  self->lease = job_queue_dequeue_finish (JOB_QUEUE (source), result, &self->error);
}

static gpointer
dequeue_blocking (gpointer data)
{
  Dequeue *self = data;

  dawdle (self->rand);
  self->lease = job_queue_dequeue (self->trial->arena->queue, NULL, NULL, get_timeout (self),
                                   self->cancellable, &self->error);
  self->n_answers++;
  return NULL;
}

static gpointer
cancel_elsewhere (gpointer data)
{
  Dequeue *self = data;

  dawdle (self->rand);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

/* Foreign code that the cancellation runs, before or after that of the library. */
static void
meddle (GCancellable *cancellable, gpointer queue)
{
  g_autoptr (GListModel) leases = job_queue_list_leases (queue, 0, NULL, NULL);
}

static void
start_dequeue (Dequeue *self)
{
  JobQueue *queue = self->trial->arena->queue;

  if (self->moment == BEFORE)
    g_cancellable_cancel (self->cancellable);
  if (self->is_blocking)
    {
      self->thread = g_thread_new ("dequeuer", dequeue_blocking, self);
      dawdle (self->trial->arena->rand);
      if (self->moment == ELSEWHERE)
        g_cancellable_cancel (self->cancellable);
      return;
    }
  if (self->moment == ELSEWHERE)
    self->thread = g_thread_new ("canceller", cancel_elsewhere, self);
  self->trial->n_waiting++;
  job_queue_dequeue_async (queue, NULL, NULL, get_timeout (self), self->cancellable, on_answer,
                           self);
  if (self->moment == AT_ONCE)
    g_cancellable_cancel (self->cancellable);
}

static void
cancel_those (Trial *self, Moment moment)
{
  for (guint i = 0; i < self->n_dequeues; i++)
    if (self->dequeues[i].moment == moment)
      g_cancellable_cancel (self->dequeues[i].cancellable);
}

/* --- the jobs --------------------------------------------------------------------------------- */

static gpointer
enqueue_blocking (gpointer data)
{
  Trial *self = data;

  for (guint i = 0; i < self->n_dequeues; i++)
    {
      g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);
      g_autoptr (GError) error = NULL;
      g_autofree char *id = NULL;

      dawdle (self->rand);
      id = job_queue_enqueue (self->arena->queue, spec, NULL, &error);
      g_assert_no_error (error);
    }
  return NULL;
}

static void
on_enqueued (GObject *source, GAsyncResult *result, gpointer data)
{
  Trial *self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = job_queue_enqueue_finish (JOB_QUEUE (source), result, &error);

  g_assert_no_error (error);
  self->n_waiting--;
  cancel_those (self, IN_OTHER_ANSWER);
}

static void
enqueue_async (Trial *self)
{
  for (guint i = 0; i < self->n_dequeues; i++)
    {
      g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);

      self->n_waiting++;
      job_queue_enqueue_async (self->arena->queue, spec, NULL, on_enqueued, self);
    }
}

/* --- the play --------------------------------------------------------------------------------- */

static void
draw_dequeue (Trial *self, guint number)
{
  GRand *rand = self->arena->rand;
  Dequeue *dequeue = &self->dequeues[number];

  *dequeue = (Dequeue){ .trial = self,
                        .number = number,
                        .moment = draw (rand, N_MOMENTS),
                        .is_timed = draw (rand, 4) == 0,
                        .cancellable = g_cancellable_new (),
                        .rand = draw_rand (rand) };
  dequeue->is_blocking =
      (dequeue->moment == ELSEWHERE || dequeue->moment == NEVER) && draw (rand, 3) == 0;
  if (draw (rand, 4) == 0)
    g_cancellable_connect (dequeue->cancellable, G_CALLBACK (meddle), self->arena->queue, NULL);
}

static void
play (Trial *self)
{
  guint way = draw (self->arena->rand, 4);

  if (way == 0)
    enqueue_blocking (self);
  else if (way == 1)
    enqueue_async (self);
  else if (way == 2)
    self->producer = g_thread_new ("producer", enqueue_blocking, self);
  for (guint i = 0; i < self->n_dequeues; i++)
    {
      dawdle (self->arena->rand);
      start_dequeue (&self->dequeues[i]);
    }
  if (way == 3)
    enqueue_async (self);

  /* A look waits until all that is under way is durable. */
  meddle (NULL, self->arena->queue);
  dawdle (self->arena->rand);
  cancel_those (self, BEFORE_DISPATCH);
  while (self->n_waiting > 0)
    g_main_context_iteration (self->context, TRUE);
  if (self->producer)
    g_thread_join (self->producer);
  for (guint i = 0; i < self->n_dequeues; i++)
    if (self->dequeues[i].thread)
      g_thread_join (self->dequeues[i].thread);
}

/* --- what must hold --------------------------------------------------------------------------- */

static void
complain (const Dequeue *self, const char *what)
{
  arena_complain (self->trial->arena,
                  "dequeue %u of %u, cancelled %s\npromised: the job is delivered, or it comes to "
                  "the next dequeue\nfound:    %s%s%s",
                  self->number + 1, self->trial->n_dequeues, moment_names[self->moment], what,
                  self->error ? ": " : "", self->error ? self->error->message : "");
}

static gboolean
must_be_cancelled (const Dequeue *self)
{
  return self->moment == BEFORE || self->moment == AT_ONCE || self->moment == BEFORE_DISPATCH;
}

static gboolean
may_be_cancelled (const Dequeue *self)
{
  return must_be_cancelled (self) || self->moment == ELSEWHERE || self->moment == IN_OTHER_ANSWER;
}

static void
check_answer (const Dequeue *self)
{
  if (self->n_answers != 1)
    complain (self, self->n_answers == 0 ? "it was not answered" : "it was answered twice");
  else if (self->error && !may_be_cancelled (self))
    complain (self, "it failed");
  else if (self->error && !g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    complain (self, "it failed with another error");
  else if (self->lease && must_be_cancelled (self))
    complain (self, "it got a job");
}

/* Of one that is held by whoever was given it. */
static void
check_lease (const Dequeue *self, GHashTable *seen)
{
  JobQueue *queue = self->trial->arena->queue;
  const char *id = job_lease_get_id (self->lease);
  g_autoptr (JobInfo) info = job_queue_get_info (queue, id, NULL, NULL);

  if (!g_hash_table_add (seen, (gpointer) id))
    complain (self, "its job was given to two");
  else if (info == NULL || job_info_get_state (info) != JOB_STATE_RUNNING ||
           job_info_get_attempts (info) != 1 || job_lease_get_attempt (self->lease) != 1)
    complain (self, "its job is not running, or not for the first time");
  else if (!job_lease_heartbeat (self->lease, NULL, NULL))
    complain (self, "its lease does not hold");
}

/* All that are left, without waiting. */
static void
take_rest (Trial *self, guint n_left, GHashTable *seen, GPtrArray *leases)
{
  gint64 last = 0;

  for (guint i = 0; i <= n_left && self->arena->story == NULL; i++)
    {
      JobLease *lease = job_queue_dequeue (self->arena->queue, NULL, NULL, 0, NULL, NULL);
      g_autoptr (JobInfo) info = NULL;

      if (lease == NULL && i == n_left)
        return;
      if (lease == NULL)
        {
          arena_complain (self->arena,
                          "of %u jobs %u were delivered, but only %u are left to be "
                          "dequeued: one is lost",
                          self->n_dequeues, self->n_dequeues - n_left, i);
          return;
        }
      g_ptr_array_add (leases, lease);
      info = job_queue_get_info (self->arena->queue, job_lease_get_id (lease), NULL, NULL);
      if (i == n_left || !g_hash_table_add (seen, (gpointer) job_lease_get_id (lease)))
        arena_complain (self->arena, "job %s has two leases", job_lease_get_id (lease));
      else if (job_lease_get_attempt (lease) != 1 || job_info_get_queued_at (info) < last)
        arena_complain (self->arena, "job %s, which nobody had, is in attempt %u, or out of order",
                        job_lease_get_id (lease), job_lease_get_attempt (lease));
      last = job_info_get_queued_at (info);
    }
}

static void
check (Trial *self)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) leases = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < self->n_dequeues; i++)
    {
      check_answer (&self->dequeues[i]);
      if (self->dequeues[i].lease)
        {
          check_lease (&self->dequeues[i], seen);
          g_ptr_array_add (leases, g_object_ref (self->dequeues[i].lease));
        }
    }
  if (self->arena->story == NULL)
    take_rest (self, self->n_dequeues - leases->len, seen, leases);
  for (guint i = 0; i < leases->len && self->arena->story == NULL; i++)
    if (!job_lease_complete (g_ptr_array_index (leases, i), NULL, NULL, NULL))
      arena_complain (self->arena, "a job that was delivered cannot be completed");
}

void
threads_play_cancellation (Arena *arena)
{
  Trial self = { .arena = arena,
                 .context = g_main_context_new (),
                 .rand = draw_rand (arena->rand),
                 .n_dequeues = 1 + draw (arena->rand, MAX_DEQUEUES) };

  g_main_context_push_thread_default (self.context);
  for (guint i = 0; i < self.n_dequeues; i++)
    draw_dequeue (&self, i);
  play (&self);
  check (&self);
  arena->n_answers += self.n_dequeues;
  for (guint i = 0; i < self.n_dequeues; i++)
    {
      g_clear_object (&self.dequeues[i].lease);
      g_clear_error (&self.dequeues[i].error);
      g_object_unref (self.dequeues[i].cancellable);
      g_rand_free (self.dequeues[i].rand);
    }
  g_main_context_pop_thread_default (self.context);
  g_main_context_unref (self.context);
  g_rand_free (self.rand);
}
