/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A history: a few threads use one queue, some with blocking calls, some with asynchronous ones in
 * a main context of their own, and write down what they were told. In the end one thread looks at
 * every job, sometimes after the queue was closed and opened again. */

#include "linearize.h"
#include "threads.h"

#include <stdlib.h>

#define MAX_PLAYERS 4
#define MAX_EACH 15

static const char strange_token[] = "00000000-0000-4000-8000-000000000001";
static const char *const type_names[HISTORY_N_NAMES] = { "a", "b" };
static const char *const channel_names[HISTORY_N_NAMES] = { "", "y" };

typedef struct
{
  Arena *arena;
  History history; /* each operation is written by the thread that has it */
  JobSpec *specs[MAX_PLAYERS][HISTORY_MAX_JOBS]; /* of each thread; NULL: it may not enqueue that */
  char *ids[HISTORY_MAX_JOBS];
  char *tokens[HISTORY_MAX_OPERATIONS]; /* atomic; owned: of the leases that were handed out */
  guint weights[HISTORY_N_VERBS];       /* constant */
  guint n_players;
  guint n_each;
  guint clock;   /* atomic */
  guint n_ready; /* atomic: all begin together */
} Game;

/* A thread that plays. */
typedef struct
{
  Game *game;
  GRand *rand;
  guint number;
  guint newest;          /* its operation that was given a lease last; or MAX_OPERATIONS */
  GMainContext *context; /* NULL: it makes blocking calls */
  GAsyncResult *answer;  /* owned */
} Player;

/* --- the plan --------------------------------------------------------------------------------- */

static const guint common_weights[HISTORY_N_VERBS] = {
  [HISTORY_ENQUEUE] = 28,  [HISTORY_DEQUEUE] = 22,  [HISTORY_DEQUEUE_BY_ID] = 5,
  [HISTORY_COMPLETE] = 12, [HISTORY_FAIL] = 9,      [HISTORY_RELEASE] = 7,
  [HISTORY_CANCEL] = 5,    [HISTORY_HEARTBEAT] = 3, [HISTORY_GET_INFO] = 14,
};

static void
draw_weights (Game *self, GRand *rand)
{
  for (guint i = 0; i < HISTORY_N_VERBS; i++)
    {
      self->weights[i] = common_weights[i] * 4;
      if (draw (rand, 4) == 0)
        self->weights[i] = draw (rand, 2) ? self->weights[i] / 4 : self->weights[i] * 4;
    }
}

static void
draw_job (HistoryJob *job, guint number, GRand *rand)
{
  static const gint8 priorities[] = { 0, 0, 0, 5, -5 };

  *job = (HistoryJob){
    .type = (guint8) draw (rand, HISTORY_N_NAMES),
    .channel = (guint8) (draw (rand, 3) == 0),
    .priority = priorities[draw (rand, G_N_ELEMENTS (priorities))],
    .max_attempts = (guint8) (1 + draw (rand, 3)),
  };
  if (number == 0 || draw (rand, 3) > 0)
    return;
  job->n_dependencies = (guint8) (1 + draw (rand, MIN (number, HISTORY_MAX_DEPENDENCIES)));
  job->dependencies[0] = (guint8) draw (rand, number);
  job->dependencies[1] = (guint8) ((job->dependencies[0] + 1) % number);
  job->conditions[0] = (guint8) draw (rand, 3);
  job->conditions[1] = (guint8) draw (rand, 3);
}

/* With an id of its own choice, if @id is NULL. */
static JobSpec *
make_spec (const Game *self, guint number, const char *id)
{
  const HistoryJob *job = &self->history.jobs[number];
  JobSpec *spec = job_spec_new (type_names[job->type], "[0]");

  if (id && !job_spec_set_id (spec, id, NULL))
    g_assert_not_reached ();
  job_spec_set_channel (spec, channel_names[job->channel]);
  job_spec_set_priority (spec, job->priority);
  job_spec_set_max_attempts (spec, job->max_attempts);
  for (guint i = 0; i < job->n_dependencies; i++)
    job_spec_add_dependency (spec, self->ids[job->dependencies[i]], job->conditions[i]);
  return spec;
}

/* A spec is one thread's, and so is an id that it made by itself, until it is enqueued. */
static void
make_specs (Game *self, guint number, GRand *rand)
{
  guint owner = draw (rand, 2 * self->n_players);

  if (owner < self->n_players)
    {
      self->specs[owner][number] = make_spec (self, number, NULL);
      self->ids[number] = g_strdup (job_spec_get_id (self->specs[owner][number]));
      return;
    }
  self->ids[number] = g_uuid_string_random ();
  for (guint i = 0; i < self->n_players; i++)
    self->specs[i][number] = make_spec (self, number, self->ids[number]);
}

static void
draw_game (Game *self, GRand *rand)
{
  History *history = &self->history;

  self->n_players = 3 + draw (rand, 2);
  history->n_jobs = 4 + draw (rand, HISTORY_MAX_JOBS - 3);
  self->n_each = 10 + draw (rand, MAX_EACH - 9);
  self->n_each = MIN (self->n_each, (HISTORY_MAX_OPERATIONS - history->n_jobs) / self->n_players);
  draw_weights (self, rand);
  for (guint i = 0; i < history->n_jobs; i++)
    {
      draw_job (&history->jobs[i], i, rand);
      make_specs (self, i, rand);
    }
}

static void
game_free (Game *self)
{
  for (guint i = 0; i < self->history.n_jobs; i++)
    {
      g_free (self->ids[i]);
      for (guint j = 0; j < self->n_players; j++)
        g_clear_object (&self->specs[j][i]);
    }
  for (guint i = 0; i < HISTORY_MAX_OPERATIONS; i++)
    g_free (self->tokens[i]);
  g_free (self);
}

/* --- calls, in the one form or the other ------------------------------------------------------ */

static void
keep_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Player *self = data;

  self->answer = g_object_ref (result);
}

static GAsyncResult *
await (Player *self)
{
  while (self->answer == NULL)
    g_main_context_iteration (self->context, TRUE);
  return self->answer;
}

#define CALL(self, verb, error, ...)                                                               \
  ({                                                                                               \
    JobQueue *queue_ = (self)->game->arena->queue;                                                 \
    g_clear_object (&(self)->answer);                                                              \
    if ((self)->context)                                                                           \
      verb##_async (queue_, __VA_ARGS__, NULL, keep_answer, self);                                 \
    (self)->context ? verb##_finish (queue_, await (self), error)                                  \
                    : verb (queue_, __VA_ARGS__, NULL, error);                                     \
  })

static void
list_names (guint set, const char *const *names, const char **list)
{
  guint n = 0;

  for (guint i = 0; i < HISTORY_N_NAMES; i++)
    if (set & 1u << i)
      list[n++] = names[i];
  list[n] = NULL;
}

static JobLease *
call_dequeue (Player *self, const HistoryOperation *operation, GError **error)
{
  const char *types[HISTORY_N_NAMES + 1], *channels[HISTORY_N_NAMES + 1];

  list_names (operation->types, type_names, types);
  list_names (operation->channels, channel_names, channels);
  return CALL (self, job_queue_dequeue, error, operation->types ? types : NULL,
               operation->channels ? channels : NULL, 0);
}

static guint
find_job (const Game *self, const char *id)
{
  guint i = 0;

  while (i < self->history.n_jobs && !g_str_equal (self->ids[i], id))
    i++;
  return i < self->history.n_jobs ? i : HISTORY_NO_JOB;
}

static void
note_lease (Player *self, guint number, JobLease *lease)
{
  HistoryOperation *operation = &self->game->history.operations[number];

  operation->taken = (guint8) find_job (self->game, job_lease_get_id (lease));
  operation->attempt = (guint8) job_lease_get_attempt (lease);
}

static void
note_info (Player *self, guint number, JobInfo *info)
{
  const char *outcome = job_info_get_result (info);

  if (outcome == NULL)
    outcome = job_info_get_error (info);
  self->game->history.operations[number].view = (HistoryView){
    .state = (guint8) job_info_get_state (info),
    .attempts = (guint8) job_info_get_attempts (info),
    .reason = (guint8) job_info_get_reason (info),
    .outcome = (guint8) (outcome ? 1 + atoi (outcome) : 0),
  };
}

static const char *
get_token (Game *self, int lease)
{
  if (lease == HISTORY_NO_LEASE)
    return NULL;
  return lease == HISTORY_STRANGE_LEASE ? strange_token
                                        : g_atomic_pointer_get (&self->tokens[lease]);
}

/* A lease, an info, or something that is not NULL; or NULL with an error. */
static gpointer
call (Player *self, guint number, GError **error)
{
  Game *game = self->game;
  const HistoryOperation *operation = &game->history.operations[number];
  const char *id = operation->verb == HISTORY_DEQUEUE ? NULL : game->ids[operation->job];
  const char *token = get_token (game, operation->lease);
  g_autofree char *text = g_strdup_printf ("%u", number);

  switch (operation->verb)
    {
    case HISTORY_ENQUEUE:
      return CALL (self, job_queue_enqueue, error, game->specs[self->number][operation->job]);
    case HISTORY_DEQUEUE:
      return call_dequeue (self, operation, error);
    case HISTORY_DEQUEUE_BY_ID:
      return CALL (self, job_queue_dequeue_by_id, error, id);
    case HISTORY_COMPLETE:
      return GINT_TO_POINTER (CALL (self, job_queue_complete, error, id, token, text));
    case HISTORY_FAIL:
      return GINT_TO_POINTER (CALL (self, job_queue_fail, error, id, token, text));
    case HISTORY_RELEASE:
      return GINT_TO_POINTER (CALL (self, job_queue_release, error, id, token));
    case HISTORY_CANCEL:
      return GINT_TO_POINTER (CALL (self, job_queue_cancel, error, id));
    case HISTORY_HEARTBEAT:
      return GINT_TO_POINTER (CALL (self, job_queue_heartbeat, error, id, token));
    case HISTORY_GET_INFO:
      return CALL (self, job_queue_get_info, error, id);
    case HISTORY_N_VERBS:
    default:
      g_assert_not_reached ();
    }
}

/* Others may name the lease from now on. */
static void
publish_lease (Player *self, guint number, JobLease *lease)
{
  self->newest = number;
  g_atomic_pointer_set (&self->game->tokens[number], g_strdup (job_lease_get_token (lease)));
}

static void
record (Player *self, guint number)
{
  Game *game = self->game;
  HistoryOperation *operation = &game->history.operations[number];
  g_autoptr (GError) error = NULL;
  gpointer answer;

  operation->called = g_atomic_int_add (&game->clock, 1);
  answer = call (self, number, &error);
  operation->returned = g_atomic_int_add (&game->clock, 1);

  operation->error = HISTORY_OK;
  operation->taken = HISTORY_NO_JOB;
  if (error)
    operation->error = error->domain == JOB_ERROR ? error->code : G_MAXINT;
  else if (operation->verb == HISTORY_ENQUEUE)
    g_free (answer);
  else if (operation->verb == HISTORY_GET_INFO)
    note_info (self, number, answer);
  else if (operation->verb == HISTORY_DEQUEUE || operation->verb == HISTORY_DEQUEUE_BY_ID)
    {
      note_lease (self, number, answer);
      publish_lease (self, number, answer);
    }
  if (operation->verb == HISTORY_GET_INFO || operation->verb == HISTORY_DEQUEUE ||
      operation->verb == HISTORY_DEQUEUE_BY_ID)
    g_clear_object ((GObject **) &answer);
}

/* --- players ---------------------------------------------------------------------------------- */

static HistoryVerb
draw_verb (const Game *self, GRand *rand)
{
  HistoryVerb verb = 0;
  guint sum = 0, at;

  for (guint i = 0; i < HISTORY_N_VERBS; i++)
    sum += self->weights[i];
  for (at = draw (rand, sum); at >= self->weights[verb]; verb++)
    at -= self->weights[verb];
  return verb;
}

/* Somebody's, of now or of before; or none. */
static int
draw_lease (Player *self)
{
  guint first = draw (self->rand, HISTORY_MAX_OPERATIONS);

  if (draw (self->rand, 2) && self->newest < HISTORY_MAX_OPERATIONS)
    return (int) self->newest;
  for (guint i = 0; i < HISTORY_MAX_OPERATIONS && draw (self->rand, 200) > 0; i++)
    {
      guint at = (first + i) % HISTORY_MAX_OPERATIONS;

      if (g_atomic_pointer_get (&self->game->tokens[at]))
        return (int) at;
    }
  return draw (self->rand, 2) ? HISTORY_NO_LEASE : HISTORY_STRANGE_LEASE;
}

static void
name_lease (Player *self, HistoryOperation *operation)
{
  int lease = draw_lease (self);

  if (operation->verb == HISTORY_HEARTBEAT && lease == HISTORY_NO_LEASE)
    lease = HISTORY_STRANGE_LEASE;
  operation->lease = (gint8) lease;
  if (lease >= 0 && draw (self->rand, 16) > 0)
    operation->job = self->game->history.operations[lease].taken;
}

static void
draw_operation (Player *self, HistoryOperation *operation)
{
  *operation = (HistoryOperation){
    .verb = draw_verb (self->game, self->rand),
    .thread = (guint8) self->number,
    .job = (guint8) draw (self->rand, self->game->history.n_jobs),
    .lease = HISTORY_NO_LEASE,
  };
  if (operation->verb == HISTORY_ENQUEUE && self->game->specs[self->number][operation->job] == NULL)
    operation->verb = HISTORY_GET_INFO;
  else if (operation->verb == HISTORY_DEQUEUE)
    {
      operation->job = HISTORY_NO_JOB;
      operation->types = (guint8) draw (self->rand, 1u << HISTORY_N_NAMES);
      operation->channels = (guint8) draw (self->rand, 1u << HISTORY_N_NAMES);
    }
  else if (operation->verb == HISTORY_COMPLETE || operation->verb == HISTORY_FAIL ||
           operation->verb == HISTORY_RELEASE || operation->verb == HISTORY_HEARTBEAT)
    name_lease (self, operation);
}

static void
begin_together (Game *self)
{
  g_atomic_int_inc (&self->n_ready);
  while ((guint) g_atomic_int_get (&self->n_ready) < self->n_players)
    g_thread_yield ();
}

static gpointer
play (gpointer data)
{
  Player *self = data;

  if (self->context)
    g_main_context_push_thread_default (self->context);
  begin_together (self->game);
  for (guint i = 0; i < self->game->n_each; i++)
    {
      guint number = self->number * self->game->n_each + i;

      dawdle (self->rand);
      draw_operation (self, &self->game->history.operations[number]);
      record (self, number);
    }
  g_clear_object (&self->answer);
  if (self->context)
    g_main_context_pop_thread_default (self->context);
  return NULL;
}

static void
run_players (Game *game, GRand *rand)
{
  Player players[MAX_PLAYERS];
  GThread *threads[MAX_PLAYERS];

  for (guint i = 0; i < game->n_players; i++)
    {
      players[i] = (Player){ game, draw_rand (rand), i, HISTORY_MAX_OPERATIONS };
      players[i].context = draw (rand, 2) ? g_main_context_new () : NULL;
      threads[i] = g_thread_new ("player", play, &players[i]);
    }
  for (guint i = 0; i < game->n_players; i++)
    {
      g_thread_join (threads[i]);
      g_clear_pointer (&players[i].context, g_main_context_unref);
      g_rand_free (players[i].rand);
    }
  game->history.n_operations = game->n_players * game->n_each;
}

/* --- the end of the game ---------------------------------------------------------------------- */

static void
look_at_all (Game *game)
{
  History *history = &game->history;
  Player looker = { game, NULL, game->n_players, HISTORY_MAX_OPERATIONS };

  for (guint i = 0; i < history->n_jobs; i++)
    {
      history->operations[history->n_operations] = (HistoryOperation){
        .verb = HISTORY_GET_INFO,
        .thread = (guint8) looker.number,
        .job = (guint8) i,
        .lease = HISTORY_NO_LEASE,
      };
      record (&looker, history->n_operations++);
    }
}

static void
judge (Game *game)
{
  History *history = &game->history;
  g_autofree char *text = NULL;

  history->kept = G_MAXUINT64;
  if (linearize_check (history))
    return;
  linearize_shrink (history);
  text = history_describe (history);
  arena_complain (game->arena,
                  "%s\npromised: what the threads were told is what one after the other could have "
                  "been told\nfound:    there is no such order",
                  text);
}

static void
clean_up (Game *game)
{
  for (guint i = 0; i < game->history.n_jobs; i++)
    job_queue_cancel (game->arena->queue, game->ids[i], NULL, NULL);
}

void
threads_play_history (Arena *arena)
{
  Game *game = g_new0 (Game, 1);
  gboolean reopens = arena_is_durable (arena) && draw (arena->rand, 32) == 0;

  game->arena = arena;
  draw_game (game, arena->rand);
  run_players (game, arena->rand);
  if (reopens)
    {
      arena_close (arena);
      arena_open (arena);
    }
  look_at_all (game);
  clean_up (game);
  judge (game);
  arena->n_answers += game->history.n_operations;
  game_free (game);
}
