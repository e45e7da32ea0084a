/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Layer F: many threads on one queue.
 *
 * Most cases are histories (threads-history.c), checked for an order in which they make sense
 * (linearize.c). The others cancel dequeues at all points of their way (threads-cancel.c), call
 * from within callbacks in several contexts (threads-chain.c), and close the queue amid calls
 * (threads-close.c).
 *
 * What is asked is drawn from the seed; how the threads meet is up to the machine. So a seed does
 * not bring a failure back for sure, and the story has to tell all of it. To see more ways of
 * meeting, ask for more cases. */

#include "threads.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jobqueue-backend.h>

#define CASES_PER_STORE 64
#define CHECKPOINT_SIZE "16384" /* small: checkpoints go on all the time */
#define MAX_SECONDS 120         /* of a case: more is a hang */

/* --- time ------------------------------------------------------------------------------------- */

GRand *
draw_rand (GRand *rand)
{
  return g_rand_new_with_seed (g_rand_int (rand));
}

static void
spin (gint64 duration)
{
  gint64 end = g_get_monotonic_time () + duration;

  while (g_get_monotonic_time () < end)
    ;
}

void
dawdle (GRand *rand)
{
  switch (draw (rand, 8))
    {
    case 0:
      g_thread_yield ();
      break;
    case 1:
      spin (draw (rand, 20));
      break;
    case 2:
      spin (draw (rand, 100));
      break;
    case 3:
      g_usleep (draw (rand, 200));
      break;
    default:
      break;
    }
}

/* --- the queue -------------------------------------------------------------------------------- */

gboolean
arena_is_durable (const Arena *self)
{
  return !g_str_equal (self->task->backend, "memory");
}

void
arena_complain (Arena *self, const char *format, ...)
{
  va_list args;

  if (self->story)
    return;
  va_start (args, format);
  self->story = g_strdup_vprintf (format, args);
  va_end (args);
}

static GHashTable *
make_options (const Arena *self)
{
  GHashTable *options = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  gboolean is_folder = g_str_equal (self->task->backend, "fs-json");

  if (!arena_is_durable (self))
    return options;
  g_hash_table_insert (options, is_folder ? (char *) "directory" : (char *) "file",
                       g_build_filename (self->folder, "jobs", NULL));
  g_hash_table_insert (options, (char *) "checkpoint-size", g_strdup (CHECKPOINT_SIZE));
  return options;
}

void
arena_open (Arena *self)
{
  g_autoptr (GHashTable) options = make_options (self);
  g_autoptr (GError) error = NULL;

  self->queue = job_queue_new_for_backend (self->task->backend, options, NULL, &error);
  if (self->queue == NULL)
    g_error ("The queue cannot be opened: %s", error->message);
}

void
arena_close (Arena *self)
{
  g_autoptr (GError) error = NULL;

  if (!job_queue_close (self->queue, NULL, &error) &&
      !g_error_matches (error, JOB_ERROR, JOB_ERROR_CLOSED))
    arena_complain (self, "the queue cannot be closed: %s", error->message);
  g_clear_object (&self->queue);
}

void
arena_clear (Arena *self)
{
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GListModel) list = job_queue_list (self->queue, filter, NULL, NULL);

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);

      if (!job_state_is_final (job_info_get_state (info)))
        job_queue_cancel (self->queue, job_info_get_id (info), NULL, NULL);
    }
}

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

static void
renew_store (Arena *self)
{
  arena_close (self);
  nftw (self->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  g_mkdir_with_parents (self->folder, 0700);
  arena_open (self);
}

/* --- a hang ----------------------------------------------------------------------------------- */

static char last_words[256];

static void
end_hang (int signal_number)
{
  G_GNUC_UNUSED ssize_t written = write (STDERR_FILENO, last_words, strlen (last_words));

  abort ();
}

static void
watch (const Arena *self, const char *kind)
{
  snprintf (last_words, sizeof last_words,
            "threads, %s, seed %" G_GUINT64_FORMAT ", %s: not done after %d s: a call is never "
            "answered\n",
            self->task->backend, self->seed, kind, MAX_SECONDS);
  alarm (MAX_SECONDS);
}

/* --- cases ------------------------------------------------------------------------------------ */

static const struct
{
  const char *name;
  guint weight;
  void (*play) (Arena *arena);
} kinds[] = {
  { "history", 12, threads_play_history },
  { "cancellation", 5, threads_play_cancellation },
  { "chains", 2, threads_play_chains },
  { "close", 1, threads_play_close },
};

static guint
draw_kind (GRand *rand)
{
  guint sum = 0, kind = 0, at;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    sum += kinds[i].weight;
  for (at = draw (rand, sum); at >= kinds[kind].weight; kind++)
    at -= kinds[kind].weight;
  return kind;
}

static void
play_case (Arena *self, guint64 seed)
{
  guint32 seeds[2] = { (guint32) seed, (guint32) (seed >> 32) };
  guint kind;

  self->seed = seed;
  self->rand = g_rand_new_with_seed_array (seeds, G_N_ELEMENTS (seeds));
  kind = draw_kind (self->rand);
  watch (self, kinds[kind].name);
  kinds[kind].play (self);
  if (self->task->verbose)
    g_print ("   %" G_GUINT64_FORMAT ": %s\n", seed, kinds[kind].name);
  g_rand_free (self->rand);
}

static void
tell (Arena *self, TortureResult *result)
{
  torture_violation (result, g_strdup_printf ("threads, %s, seed %" G_GUINT64_FORMAT "\n%s",
                                              self->task->backend, self->seed, self->story));
  g_clear_pointer (&self->story, g_free);
}

static void
run (const TortureTask *task, TortureResult *result)
{
  Arena self = { .task = task };
  g_autoptr (GError) error = NULL;

  if (job_plugin_load (JOB_PLUGIN_BACKEND, task->backend, &error) == NULL)
    {
      result->skipped = g_strdup (error->message);
      return;
    }
  self.folder = g_build_filename (task->folder, "case", NULL);
  signal (SIGALRM, end_hang);
  g_mkdir_with_parents (self.folder, 0700);
  arena_open (&self);
  for (; result->cases < task->cases && result->violations == 0; result->cases++)
    {
      if (result->cases % CASES_PER_STORE == CASES_PER_STORE - 1)
        renew_store (&self);
      play_case (&self, task->seed + result->cases);
      if (self.story)
        tell (&self, result);
    }
  arena_close (&self);
  alarm (0);
  signal (SIGALRM, SIG_DFL);
  result->states = self.n_answers;
  g_free (self.folder);
}

static const char *const backends[] = { "memory", "fs-json", "gdbm", "sqlite", NULL };

const TortureLayer layer_threads = {
  .name = "threads",
  .title = "Threads on one queue: histories, cancellations, callbacks, closing",
  .states = "answers judged",
  .backends = backends,
  .short_cases = 200,
  .long_cases = 50000,
  .run = run,
};
