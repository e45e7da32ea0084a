/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Layer C: every legal state after a power cut.
 *
 * A workload is played once, in a process of its own, and its calls on files are recorded with
 * their data. Then the power is cut after each of them: power-disk.c knows what is durable by then,
 * and which parts of the rest may be on the disk as well. All choices of these are tried where they
 * are few; where they are many, none, all, all but one, each alone as far as it goes, and some by
 * chance. Each state is made in a folder and opened, twice: what was acknowledged is there, and the
 * call that was cut off whole or not at all. Equal states are tried once.
 *
 * A case is one workload. */

#include "torture.h"

#include <string.h>

#include "power-disk.h"
#include "trial.h"
#include "workload.h"

#define N_STEPS 60
#define MAX_ALL 6      /* parts, of which all choices are tried */
#define MAX_CHOICES 40 /* else */
#define STATES_A_CHILD 100

typedef struct
{
  WorkLog log;      /* of the recording */
  WorkLog attempt;  /* of one state */
  guint64 n_states; /* tried by the child */
  guint event;      /* where the child is … */
  guint choice;     /* … and which state it tries */
} Shared;

typedef struct
{
  const TortureTask *task;
  guint64 seed;
  char *folder;
  char *recording; /* the path of the file */
  GArray *steps;   /* of WorkStep */
  GArray *events;  /* of ShimEvent */
  Shared *shared;
  guint first_event; /* where the next child begins */
} Power;

/* --- the recording ---------------------------------------------------------------------------- */

static void
note_answer (guint step, gpointer data)
{
  shim_note (step);
}

static void
record (gpointer data)
{
  Power *self = data;
  Workload workload;

  shim_begin (self->folder);
  shim_record ();
  workload_init (&workload, self->task->backend, self->folder, self->steps, &self->shared->log);
  workload.answered = note_answer;
  workload_run (&workload);
  workload_close (&workload);
  workload_await_quiet ();
  if (!shim_save (self->recording))
    g_error ("%s cannot be written", self->recording);
}

/* --- the choices ------------------------------------------------------------------------------ */

/* The choice with that number, of @n parts; FALSE: there are no more. */
static gboolean
choose (guint number, guint n, guint64 seed, gboolean *has)
{
  guint32 seeds[3] = { (guint32) seed, (guint32) (seed >> 32), number };
  GRand *rand;
  double density;

  if (n <= MAX_ALL)
    {
      for (guint i = 0; i < n; i++)
        has[i] = (number >> i & 1) != 0;
      return number < 1u << n;
    }
  rand = g_rand_new_with_seed_array (seeds, 3);
  density = number % 3 == 0 ? 0.5 : number % 3 == 1 ? 0.1 : 0.9;
  for (guint i = 0; i < n; i++)
    has[i] = number == 1 || (number > 1 && g_rand_double (rand) < density);
  if (number >= 2 && number < 12)
    for (guint i = 0; i < n; i++)
      has[i] = (i == (number - 2) / 2 * n / 5) == (number % 2 == 0);
  g_rand_free (rand);
  return number < MAX_CHOICES;
}

/* --- one state -------------------------------------------------------------------------------- */

/* As it was when @n_answered steps were answered, and the next one was under way. */
static void
check_state (Power *self, guint n_answered)
{
  Workload workload;

  memcpy (&self->shared->attempt, &self->shared->log, sizeof self->shared->log);
  workload_init (&workload, self->task->backend, self->folder, self->steps, &self->shared->attempt);
  workload_replay (&workload, n_answered);
  workload_check (&workload);
  workload_clear (&workload);
}

/* All choices at one cut. FALSE: something is wrong. */
static gboolean
try_cut (Power *self, PowerDisk *disk, guint event, guint n_answered, GHashTable *seen)
{
  guint n = power_disk_count_parts (disk);
  g_autofree gboolean *has = g_new0 (gboolean, n + 1);

  for (guint i = 0; choose (i, n, self->seed + event, has); i++)
    {
      gint64 sum = (gint64) (power_disk_get_sum (disk, has) + n_answered);

      if (!g_hash_table_add (seen, g_memdup2 (&sum, sizeof sum)))
        continue;
      self->shared->event = event;
      self->shared->choice = i;
      trial_clear_folder (self->folder);
      power_disk_write (disk, has, self->folder);
      check_state (self, n_answered);
      self->shared->n_states++;
      if (*self->shared->attempt.complaint)
        return FALSE;
    }
  return TRUE;
}

/* Goes through all events; from @first_event on, with cuts, until there were enough states. */
static void
try_states (gpointer data)
{
  Power *self = data;
  g_autoptr (PowerDisk) disk = power_disk_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  guint n_answered = 0;

  self->shared->n_states = 0;
  for (guint i = 0; i < self->events->len; i++)
    {
      const ShimEvent *event = &g_array_index (self->events, ShimEvent, i);

      power_disk_do (disk, event);
      if (event->deed == SHIM_DID_NOTE)
        n_answered = (guint) event->offset + 1;
      if (i < self->first_event || event->deed == SHIM_DID_CLOSE ||
          event->deed == SHIM_DID_DUPLICATE)
        continue;
      if (!try_cut (self, disk, i, n_answered, seen))
        return;
      self->shared->event = i + 1;
      if (self->shared->n_states >= STATES_A_CHILD)
        return;
    }
  self->shared->event = self->events->len;
}

/* --- what is wrong ---------------------------------------------------------------------------- */

static char *
describe_state (Power *self)
{
  g_autoptr (PowerDisk) disk = power_disk_new ();
  g_autofree gboolean *has = NULL;

  for (guint i = 0; i <= self->shared->event && i < self->events->len; i++)
    power_disk_do (disk, &g_array_index (self->events, ShimEvent, i));
  has = g_new0 (gboolean, power_disk_count_parts (disk) + 1);
  choose (self->shared->choice, power_disk_count_parts (disk), self->seed + self->shared->event,
          has);
  return power_disk_describe (disk, has);
}

static void
tell (Power *self, TortureResult *result, char *story)
{
  g_autofree char *steps = NULL;
  g_autofree char *state = describe_state (self);

  self->shared->log.n_steps = MIN (self->shared->log.n_steps, self->shared->attempt.n_steps);
  steps = workload_describe (self->steps, &self->shared->log);
  torture_violation (
      result,
      g_strdup_printf ("power, %s, seed %" G_GUINT64_FORMAT "\n"
                       "steps:    %s\n"
                       "cut:      after call %u of %u on files, choice %u, the disk has%s\n"
                       "promised: what was acknowledged is there, and the call that was cut "
                       "off whole or not at all\n"
                       "found:    %s",
                       self->task->backend, self->seed, steps, self->shared->event,
                       self->events->len, self->shared->choice, state, story));
  g_free (story);
}

/* --- cases ------------------------------------------------------------------------------------ */

/* NULL: it is recorded. */
static char *
play (Power *self)
{
  char *story = NULL;

  memset (self->shared, 0, sizeof *self->shared);
  trial_clear_folder (self->folder);
  if (trial_run (record, self, &story) && *self->shared->log.complaint)
    story = g_strdup (self->shared->log.complaint);
  g_clear_pointer (&self->events, g_array_unref);
  self->events = shim_load (self->recording);
  return story;
}

/* NULL: all states are as promised. */
static char *
cut_everywhere (Power *self, TortureResult *result)
{
  char *story = NULL;

  for (self->first_event = 0; self->first_event < self->events->len;
       self->first_event = self->shared->event)
    {
      gboolean ended = trial_run (try_states, self, &story);

      result->states += self->shared->n_states;
      if (!ended)
        return story;
      if (*self->shared->attempt.complaint)
        return g_strdup (self->shared->attempt.complaint);
    }
  return NULL;
}

static gboolean
try_case (Power *self, TortureResult *result)
{
  char *story;

  g_clear_pointer (&self->steps, g_array_unref);
  self->steps = workload_plan (self->seed, N_STEPS);
  story = play (self);
  if (story == NULL)
    story = cut_everywhere (self, result);
  result->cases++;
  if (self->task->verbose)
    g_print ("   %" G_GUINT64_FORMAT ": %u calls, %" G_GUINT64_FORMAT " states so far\n",
             self->seed, self->events->len, result->states);
  if (story)
    tell (self, result, story);
  return story == NULL;
}

static void
run (const TortureTask *task, TortureResult *result)
{
  Power self = { .task = task,
                 .folder = g_build_filename (task->folder, "case", NULL),
                 .recording = g_build_filename (task->folder, "recording", NULL) };
  g_autoptr (GError) error = NULL;

  self.shared = trial_share (sizeof *self.shared);
  if (!trial_prepare (task->backend, &error))
    result->skipped = g_strdup (error->message);
  else
    for (guint64 i = 0; i < task->cases; i++)
      {
        self.seed = task->seed + i;
        if (!try_case (&self, result))
          break;
      }
  g_clear_pointer (&self.steps, g_array_unref);
  g_clear_pointer (&self.events, g_array_unref);
  g_free (self.folder);
  g_free (self.recording);
}

static const char *const backends[] = { "fs-json", "gdbm", "sqlite", NULL };

const TortureLayer layer_power = {
  .name = "power",
  .title = "The power is cut after each call on files",
  .states = "crash states",
  .backends = backends,
  .short_cases = 4,
  .long_cases = 200,
  .run = run,
};
