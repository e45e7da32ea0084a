/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue is closed while threads are in the middle of calls, blocking and asynchronous ones, that
 * commit and that wait. Each is answered once, with what it has done or with CLOSED. What was
 * acknowledged is there at the next opening: the job, its end, its lease; and no lease that nobody
 * was given. */

#include "threads.h"

#define MAX_THREADS 4
#define N_SLOTS 4    /* calls under way at once in a thread with a main context */
#define MAX_CALLS 60 /* of a thread */

/* What became of a job, as a thread was told. */
typedef struct
{
  char *id;
  char *token; /* of a lease that was not ended; or NULL */
  gboolean is_over;
} Fact;

typedef struct _Party Party;

/* A call, and then the next one. */
typedef struct
{
  Party *party;
  gboolean waiting;
  JobLease *lease; /* owned */
} Slot;

/* A thread. */
struct _Party
{
  Arena *arena;
  JobQueue *queue;
  GRand *rand;
  GMainContext *context; /* NULL: it makes blocking calls */
  const char *watched;   /* a job that never ends */
  Slot slots[N_SLOTS];
  guint n_waiting;
  guint n_calls;
  guint n_answers;
  GArray *facts;     /* of Fact */
  const char *wrong; /* or NULL */
};

static void
fact_clear (gpointer data)
{
  Fact *fact = data;

  g_free (fact->id);
  g_free (fact->token);
}

/* Takes over @id and @token. */
static void
note (Party *self, char *id, char *token, gboolean is_over)
{
  Fact fact = { id, token, is_over };

  g_array_append_val (self->facts, fact);
}

/* How a call that changes nothing more went. */
static void
check_error (Party *self, const GError *error)
{
  if (!g_error_matches (error, JOB_ERROR, JOB_ERROR_CLOSED))
    self->wrong = "a call failed, and not since the queue is closed";
}

static void
note_enqueued (Party *self, char *id, const GError *error)
{
  if (id)
    note (self, id, NULL, FALSE);
  else
    check_error (self, error);
}

/* One that was refused still has its lease. */
static void
note_completed (Party *self, JobLease *lease, gboolean done, const GError *error)
{
  char *id = g_strdup (job_lease_get_id (lease));

  if (done)
    note (self, id, NULL, TRUE);
  else
    {
      check_error (self, error);
      note (self, id, g_strdup (job_lease_get_token (lease)), FALSE);
    }
}

/* --- blocking --------------------------------------------------------------------------------- */

/* FALSE: the queue is closed. */
static gboolean
enqueue_one (Party *self, GError **error)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", "[7]");
  char *id = job_queue_enqueue (self->queue, spec, NULL, error);

  if (id)
    note (self, id, NULL, FALSE);
  return id != NULL;
}

static gboolean
run_one (Party *self, GError **error)
{
  g_autoptr (JobLease) lease = job_queue_dequeue (self->queue, NULL, NULL, -1, NULL, error);
  gboolean done;

  if (lease == NULL)
    return FALSE;
  done = job_lease_complete (lease, "[8]", NULL, error);
  note_completed (self, lease, done, *error);
  return done;
}

static gboolean
watch_one (Party *self, GError **error)
{
  g_autoptr (JobInfo) info = job_queue_wait (self->queue, self->watched, -1, NULL, error);

  if (info)
    self->wrong = "a job that nobody ended is over";
  return FALSE;
}

static void
call_blocking (Party *self)
{
  g_autoptr (GError) error = NULL;
  gboolean goes_on = TRUE;

  while (goes_on && self->n_calls++ < MAX_CALLS)
    {
      guint way = draw (self->rand, 32);

      goes_on = way == 0   ? watch_one (self, &error)
                : way < 16 ? enqueue_one (self, &error)
                           : run_one (self, &error);
      self->n_answers++;
    }
  if (error)
    check_error (self, error);
}

/* --- asynchronous ----------------------------------------------------------------------------- */

static void go_on (Slot *self);

static void
note_answer (Slot *self)
{
  Party *party = self->party;

  if (!self->waiting)
    party->wrong = "a call was answered twice";
  if (!g_main_context_is_owner (party->context))
    party->wrong = "a callback came in another context than that of its call";
  self->waiting = FALSE;
  party->n_waiting--;
  party->n_answers++;
}

static void
on_enqueued (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *self = data;
  g_autoptr (GError) error = NULL;
  char *id = job_queue_enqueue_finish (JOB_QUEUE (source), result, &error);

  note_answer (self);
  note_enqueued (self->party, id, error);
  if (id)
    go_on (self);
}

static void
on_completed (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *self = data;
  g_autoptr (JobLease) lease = g_steal_pointer (&self->lease);
  g_autoptr (GError) error = NULL;
  gboolean done = job_lease_complete_finish (lease, result, &error);

  note_answer (self);
  note_completed (self->party, lease, done, error);
  if (done)
    go_on (self);
}

static void
begin (Slot *self)
{
  self->waiting = TRUE;
  self->party->n_waiting++;
}

static void
on_dequeued (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *self = data;
  g_autoptr (GError) error = NULL;

  note_answer (self);
  self->lease = job_queue_dequeue_finish (JOB_QUEUE (source), result, &error);
  if (self->lease == NULL)
    {
      check_error (self->party, error);
      return;
    }
  begin (self);
  job_lease_complete_async (self->lease, "[8]", NULL, on_completed, self);
}

static void
on_over (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = job_queue_wait_finish (JOB_QUEUE (source), result, &error);

  note_answer (self);
  if (info)
    self->party->wrong = "a job that nobody ended is over";
  else
    check_error (self->party, error);
}

static void
go_on (Slot *self)
{
  Party *party = self->party;
  guint way = draw (party->rand, 32);

  if (party->n_calls++ >= MAX_CALLS)
    return;
  begin (self);
  if (way == 0)
    job_queue_wait_async (party->queue, party->watched, -1, NULL, on_over, self);
  else if (way < 16)
    {
      g_autoptr (JobSpec) spec = job_spec_new ("a", "[7]");

      job_queue_enqueue_async (party->queue, spec, NULL, on_enqueued, self);
    }
  else
    job_queue_dequeue_async (party->queue, NULL, NULL, -1, NULL, on_dequeued, self);
}

static void
call_async (Party *self)
{
  g_main_context_push_thread_default (self->context);
  for (guint i = 0; i < N_SLOTS; i++)
    {
      self->slots[i].party = self;
      go_on (&self->slots[i]);
    }
  while (self->n_waiting > 0)
    g_main_context_iteration (self->context, TRUE);
  g_main_context_pop_thread_default (self->context);
}

/* --- closing ---------------------------------------------------------------------------------- */

static gpointer
run_party (gpointer data)
{
  Party *self = data;

  if (self->context)
    call_async (self);
  else
    call_blocking (self);
  return NULL;
}

static void
draw_party (Party *self, Arena *arena, const char *watched)
{
  *self = (Party){ .arena = arena,
                   .queue = arena->queue,
                   .rand = draw_rand (arena->rand),
                   .context = draw (arena->rand, 2) ? g_main_context_new () : NULL,
                   .watched = watched,
                   .facts = g_array_new (FALSE, FALSE, sizeof (Fact)) };
  g_array_set_clear_func (self->facts, fact_clear);
}

static void
end_party (Party *self)
{
  if (self->wrong)
    arena_complain (self->arena,
                    "a close amid calls\npromised: each is answered once, with what it has done or "
                    "with CLOSED\nfound:    %s",
                    self->wrong);
  self->arena->n_answers += self->n_answers;
  g_array_unref (self->facts);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_rand_free (self->rand);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer data)
{
  GError **error = data;

  if (job_queue_close_finish (JOB_QUEUE (source), result, error))
    *error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "It went well");
}

/* In the main thread, in the one form or the other. */
static void
close_amid (Arena *arena)
{
  g_autoptr (GError) error = NULL;

  for (guint i = draw (arena->rand, 12); i > 0; i--)
    dawdle (arena->rand);
  if (draw (arena->rand, 2))
    job_queue_close (arena->queue, NULL, &error);
  else
    {
      job_queue_close_async (arena->queue, NULL, on_closed, &error);
      while (error == NULL)
        g_main_context_iteration (NULL, TRUE);
      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
        g_clear_error (&error);
    }
  if (error)
    arena_complain (arena, "the queue cannot be closed: %s", error->message);
}

/* --- after the next opening ------------------------------------------------------------------- */

/* All that each thread was told of a job; the newest fact is the last. */
static void
gather (GHashTable *facts, const Party *party)
{
  for (guint i = 0; i < party->facts->len; i++)
    {
      const Fact *fact = &g_array_index (party->facts, Fact, i);
      const Fact *known = g_hash_table_lookup (facts, fact->id);

      if (known == NULL || fact->is_over || fact->token)
        g_hash_table_insert (facts, fact->id, (gpointer) fact);
    }
}

static const char *
find_wrong (Arena *arena, const Fact *fact, JobInfo *info)
{
  g_autofree char *leased = NULL;

  if (info == NULL)
    return "it is not there";
  if (g_strcmp0 (job_info_get_args (info), "[7]") != 0)
    return "its args are other ones";
  if (fact->is_over)
    return g_strcmp0 (job_info_get_result (info), "[8]") == 0 ? NULL : "it is not completed";
  if (fact->token == NULL)
    return job_info_get_state (info) == JOB_STATE_PENDING ? NULL : "it is not pending any more";
  leased = job_queue_lookup_token (arena->queue, fact->token, NULL, NULL);
  return g_strcmp0 (leased, fact->id) == 0 ? NULL : "its lease is over";
}

static void
check_facts (Arena *arena, GHashTable *facts)
{
  GHashTableIter iter;
  gpointer fact;
  guint n_leases = 0;
  g_autoptr (GListModel) leases = job_queue_list_leases (arena->queue, 0, NULL, NULL);

  g_hash_table_iter_init (&iter, facts);
  while (g_hash_table_iter_next (&iter, NULL, &fact))
    {
      const char *id = ((const Fact *) fact)->id;
      g_autoptr (JobInfo) info = job_queue_get_info (arena->queue, id, NULL, NULL);
      const char *wrong = find_wrong (arena, fact, info);

      n_leases += ((const Fact *) fact)->token != NULL;
      if (wrong)
        arena_complain (arena,
                        "a close amid calls, job %s\npromised: what was acknowledged is there at "
                        "the next opening\nfound:    %s",
                        id, wrong);
    }
  if (g_list_model_get_n_items (leases) != n_leases)
    arena_complain (arena, "after a close amid calls there are %u leases, but %u were handed out",
                    g_list_model_get_n_items (leases), n_leases);
}

static void
check_reopened (Arena *arena, const Party *parties, guint n_parties)
{
  g_autoptr (GHashTable) facts = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < n_parties; i++)
    gather (facts, &parties[i]);
  check_facts (arena, facts);
}

void
threads_play_close (Arena *arena)
{
  Party parties[MAX_THREADS];
  GThread *threads[MAX_THREADS];
  guint n_parties = 2 + draw (arena->rand, MAX_THREADS - 1);
  g_autoptr (JobSpec) spec = job_spec_new ("never", NULL);
  g_autofree char *watched = NULL;

  job_spec_set_run_at (spec, G_MAXINT64 / 2);
  watched = job_queue_enqueue (arena->queue, spec, NULL, NULL);
  for (guint i = 0; i < n_parties; i++)
    draw_party (&parties[i], arena, watched);
  for (guint i = 0; i < n_parties; i++)
    threads[i] = g_thread_new ("party", run_party, &parties[i]);
  close_amid (arena);
  for (guint i = 0; i < n_parties; i++)
    g_thread_join (threads[i]);
  arena_close (arena);
  arena_open (arena);
  if (arena_is_durable (arena))
    check_reopened (arena, parties, n_parties);
  arena_clear (arena);
  for (guint i = 0; i < n_parties; i++)
    end_party (&parties[i]);
}
