/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Layer B: the process is killed, at any moment.
 *
 * A case is one queue, which lives through many processes. Each of them opens it, compares it with
 * what was acknowledged to the ones before, goes on, and is killed: after so many answers and so
 * many microseconds, or so many microseconds after its start, which is in the opening and the
 * replay, or while it closes. The journal is small, so that there are checkpoints all the time. The
 * last one ends by itself, and opens the queue once more.
 *
 * In every third case one call comes after the other, and the model says how all stands
 * (workload.c); in the others threads or callbacks have many calls in flight (kill-crowd.c). */

#include "torture.h"

#include <string.h>

#include "kill-crowd.h"
#include "trial.h"
#include "workload.h"

#define KILLS_A_CASE 10
#define N_STEPS 200
#define CROWD_CHECKPOINT_SIZE "24576"
#define LAST G_MAXUINT /* calls: until the end */

typedef enum
{
  KIND_STEPS,
  KIND_THREADS,
  KIND_LOOP,
  N_KINDS,
} Kind;

typedef enum
{
  PHASE_OPENING,
  PHASE_PLAYING,
  PHASE_CLOSING,
  PHASE_ENDED,
} Phase;

/* When a process is killed. */
typedef struct
{
  Phase phase;    /* as soon as it is in this one … */
  guint n_told;   /* … and so many calls were answered … */
  guint delay;    /* … and so many µs went by; */
  guint n_calls;  /* after so many it closes the queue */
  Phase met;      /* where it was */
  guint position; /* how far: the steps, or calls of this process */
} Kill;

typedef struct
{
  int phase;   /* atomic */
  guint steps; /* atomic: answered, of this process */
  WorkLog log;
  CrowdTable crowd;
} Shared;

typedef struct
{
  const TortureTask *task;
  guint64 seed;
  Kind kind;
  char *folder;
  GArray *steps; /* of WorkStep */
  Shared *shared;
  guint round;
  Kill kills[KILLS_A_CASE + 1];
  gint64 due_at; /* in the parent: when to kill; 0: not there yet */
} Life;

/* --- in the children -------------------------------------------------------------------------- */

static void
enter (Life *self, Phase phase)
{
  g_atomic_int_set (&self->shared->phase, phase);
}

static void
note_answer (guint step, gpointer data)
{
  Life *self = data;

  g_atomic_int_inc (&self->shared->steps);
}

static void
play_steps (Life *self)
{
  Workload workload;
  WorkLog *log = &self->shared->log;
  guint n = self->kills[self->round].n_calls;

  workload_init (&workload, self->task->backend, self->folder, self->steps, log);
  workload.answered = note_answer;
  workload.data = self;
  workload.hurries = TRUE;
  workload_replay (&workload, G_MAXUINT);
  if (!workload_resume (&workload))
    return;
  enter (self, PHASE_PLAYING);
  if (!workload_go_on (&workload, n))
    return;
  enter (self, PHASE_CLOSING);
  workload_close (&workload);
  if (n == LAST && *log->complaint == '\0')
    workload_check (&workload);
  enter (self, PHASE_ENDED);
}

static JobQueue *
open_crowd (Life *self)
{
  g_autofree char *path = NULL;
  g_autoptr (GHashTable) options = workload_dup_options (self->task->backend, self->folder, &path);
  g_autoptr (GError) error = NULL;
  JobQueue *queue;

  g_hash_table_insert (options, (char *) "checkpoint-size", (char *) CROWD_CHECKPOINT_SIZE);
  queue = job_queue_new_for_backend (self->task->backend, options, NULL, &error);
  if (queue == NULL)
    crowd_complain (&self->shared->crowd, "the queue cannot be opened: %s", error->message);
  return queue;
}

static gboolean
close_crowd (Life *self, JobQueue *queue)
{
  g_autoptr (GError) error = NULL;

  if (!job_queue_close (queue, NULL, &error))
    crowd_complain (&self->shared->crowd, "the queue cannot be closed: %s", error->message);
  g_assert_finalize_object (queue);
  return *self->shared->crowd.complaint == '\0';
}

/* Opened once more, it is the same; then all of it is run to its end. */
static void
end_crowd (Life *self)
{
  CrowdTable *crowd = &self->shared->crowd;
  JobQueue *queue = open_crowd (self);

  if (queue == NULL || !crowd_check (crowd, queue) || !close_crowd (self, queue))
    return;
  queue = open_crowd (self);
  if (queue && crowd_check (crowd, queue) && crowd_drain (crowd, queue))
    close_crowd (self, queue);
}

static void
play_crowd (Life *self)
{
  CrowdTable *crowd = &self->shared->crowd;
  JobQueue *queue = open_crowd (self);
  guint n = self->kills[self->round].n_calls;
  guint64 seed = self->seed * (KILLS_A_CASE + 1) + self->round;

  if (queue == NULL || !crowd_check (crowd, queue))
    return;
  crowd->n_told = 0;
  enter (self, PHASE_PLAYING);
  if (n != LAST && self->kind == KIND_THREADS)
    crowd_play_threads (crowd, queue, seed, n);
  else if (n != LAST)
    crowd_play_loop (crowd, queue, seed, n);
  enter (self, PHASE_CLOSING);
  if (*crowd->complaint == '\0' && close_crowd (self, queue) && n == LAST)
    end_crowd (self);
  enter (self, PHASE_ENDED);
}

static void
live (gpointer data)
{
  Life *self = data;

  if (self->kind == KIND_STEPS)
    play_steps (self);
  else
    play_crowd (self);
}

/* --- the kill --------------------------------------------------------------------------------- */

static guint
count_told (Life *self)
{
  return (guint) (self->kind == KIND_STEPS ? g_atomic_int_get (&self->shared->steps)
                                           : g_atomic_int_get (&self->shared->crowd.n_told));
}

static gboolean
is_due (gpointer data)
{
  Life *self = data;
  const Kill *kill = &self->kills[self->round];
  Phase phase = (Phase) g_atomic_int_get (&self->shared->phase);

  if (phase < kill->phase || (phase == PHASE_PLAYING && count_told (self) < kill->n_told))
    return FALSE;
  if (self->due_at == 0)
    self->due_at = g_get_monotonic_time () + kill->delay;
  return g_get_monotonic_time () >= self->due_at;
}

/* As often a short time as a long one. */
static guint
draw_delay (GRand *rand, guint most)
{
  guint limit = most >> g_rand_int_range (rand, 0, 8);

  return (guint) g_rand_int_range (rand, 0, (gint32) limit + 1);
}

static Kill
draw_kill (GRand *rand, Kind kind)
{
  gint32 most = kind == KIND_STEPS ? 24 : 120;
  Kill kill = { .phase = PHASE_PLAYING,
                .n_told = (guint) g_rand_int_range (rand, 0, most),
                .delay = draw_delay (rand, 1000),
                .n_calls = 2 * (guint) most };
  gint32 chance = g_rand_int_range (rand, 0, 10);

  if (chance < 3)
    kill = (Kill){ .phase = PHASE_OPENING, .delay = draw_delay (rand, 4000), .n_calls = 1 };
  else if (chance == 3)
    kill =
        (Kill){ .phase = PHASE_CLOSING, .delay = draw_delay (rand, 4000), .n_calls = kill.n_told };
  return kill;
}

static void
draw_kills (Life *self)
{
  guint32 seeds[2] = { (guint32) self->seed, (guint32) (self->seed >> 32) };
  GRand *rand = g_rand_new_with_seed_array (seeds, 2);

  for (guint i = 0; i < KILLS_A_CASE; i++)
    self->kills[i] = draw_kill (rand, self->kind);
  self->kills[KILLS_A_CASE] = (Kill){ .n_calls = LAST };
  g_rand_free (rand);
}

/* --- cases ------------------------------------------------------------------------------------ */

static const char *
get_complaint (const Life *self)
{
  return self->kind == KIND_STEPS ? self->shared->log.complaint : self->shared->crowd.complaint;
}

/* One process. NULL: nothing is wrong. */
static char *
play_round (Life *self, TortureResult *result)
{
  Kill *kill = &self->kills[self->round];
  gboolean killed = FALSE;
  char *story = NULL;

  self->shared->phase = PHASE_OPENING;
  self->shared->steps = 0;
  self->shared->crowd.n_told = 0;
  self->due_at = 0;
  trial_run_until (live, self->round < KILLS_A_CASE ? is_due : NULL, self, &killed, &story);
  kill->met = (Phase) self->shared->phase;
  kill->position = self->kind == KIND_STEPS ? self->shared->log.n_steps : count_told (self);
  result->states += killed;
  if (story == NULL && *get_complaint (self))
    story = g_strdup (get_complaint (self));
  return story;
}

static char *
describe_kills (const Life *self)
{
  static const char *const phases[] = { "opening", "playing", "closing", "at its end" };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < MIN (self->round, KILLS_A_CASE); i++)
    g_string_append_printf (text, "%s%s at %u", i > 0 ? ", " : "", phases[self->kills[i].met],
                            self->kills[i].position);
  return g_string_free (text, FALSE);
}

static void
tell (Life *self, TortureResult *result, char *story)
{
  static const char *const kinds[] = { "one call after the other", "threads", "callbacks" };
  g_autofree char *kills = describe_kills (self);
  g_autofree char *steps = self->kind == KIND_STEPS
                               ? workload_describe (self->steps, &self->shared->log)
                               : g_strdup (kinds[self->kind]);

  torture_violation (result,
                     g_strdup_printf ("kill, %s, seed %" G_GUINT64_FORMAT "\n"
                                      "steps:    %s\n"
                                      "killed:   %s\n"
                                      "promised: what was acknowledged is there, what was under "
                                      "way whole or not at all\n"
                                      "found:    %s",
                                      self->task->backend, self->seed, steps, kills, story));
  g_free (story);
}

static void
try_case (gpointer data, guint64 seed, TortureResult *result)
{
  Life *self = data;
  char *story = NULL;

  self->seed = seed;
  self->kind = (Kind) (self->seed % N_KINDS);
  memset (self->shared, 0, sizeof *self->shared);
  trial_clear_folder (self->folder);
  g_clear_pointer (&self->steps, g_array_unref);
  self->steps = workload_plan (self->seed, N_STEPS);
  draw_kills (self);
  for (self->round = 0; story == NULL && self->round <= KILLS_A_CASE; self->round++)
    story = play_round (self, result);
  if (self->task->verbose)
    {
      g_autofree char *kills = describe_kills (self);

      g_print ("   %" G_GUINT64_FORMAT ": %s\n", self->seed, kills);
    }
  if (story)
    tell (self, result, story);
}

static void
run (const TortureTask *task, TortureResult *result)
{
  Life self = { .task = task, .folder = g_build_filename (task->folder, "case", NULL) };

  self.shared = trial_share (sizeof *self.shared);
  if (trial_prepare (task, result))
    trial_each_case (task, result, try_case, &self);
  g_clear_pointer (&self.steps, g_array_unref);
  g_free (self.folder);
}

static const char *const backends[] = { "fs-json", "gdbm", "sqlite", NULL };

const TortureLayer layer_kill = {
  .name = "kill",
  .title = "The process is killed at any moment",
  .states = "kills",
  .backends = backends,
  .short_cases = 60,
  .long_cases = 1100,
  .run = run,
};
