/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Layer C: every legal state after a power cut.
 *
 * A workload is played once, in a process of its own, and its calls on files are recorded with
 * their data; in every third case one sync fails, once, or as all calls until the queue is opened
 * again, and what it was about may never reach the disk.
 * Then the power is cut after each of them: power-disk.c knows what is durable by then, and which
 * parts of the rest may be on the disk as well. All choices of these are tried where they are few;
 * where they are many, none, all, all but one, each alone as far as it goes, and some by chance.
 * Each state is made in a folder and opened, twice: what was acknowledged is there, and the call
 * that was cut off whole or not at all. Equal states are tried once.
 *
 * Some of these openings are recorded, too, and the power is cut a second time in them; also some
 * openings after the process was only killed, between the write of a commit and its sync, or as
 * that sync had failed. Once an opening has shown what became of the call that was cut off, that is
 * so.
 *
 * A case is one workload. */

#include "power-case.h"

#include <string.h>

#include "trial.h"

#define N_STEPS 60
#define OPENINGS 4 /* that are cut, too */

/* --- what is wrong ---------------------------------------------------------------------------- */

static char *
describe_state (Power *self)
{
  g_autoptr (PowerDisk) disk = power_disk_new ();
  g_autofree gboolean *has = NULL;
  g_autofree char *parts = NULL;

  if (self->opening)
    power_make_first_cut (self, disk);
  power_do_events (disk, power_get_events (self), self->shared->event + 1);
  has = g_new0 (gboolean, power_disk_count_parts (disk) + 1);
  power_choose (self->shared->choice, power_disk_count_parts (disk),
                self->seed + self->shared->event, has);
  parts = power_disk_describe (disk, has);
  if (self->opening == NULL)
    return g_strdup_printf ("after call %u of %u on files, choice %u, the disk has%s",
                            self->shared->event, self->events->len, self->shared->choice, parts);
  return g_strdup_printf ("%s after call %u of %u on files, choice %u; then after call %u of %u of "
                          "the opening, choice %u, the disk has%s",
                          self->first.sync_failed ? "killed as the next sync had failed,"
                          : self->first.is_kill   ? "killed"
                                                  : "cut",
                          self->first.event, self->events->len, self->first.choice,
                          self->shared->event, self->opening->len, self->shared->choice, parts);
}

/* --- cases ------------------------------------------------------------------------------------ */

static void
load_recording (Power *self, GArray **events)
{
  g_clear_pointer (events, g_array_unref);
  *events = shim_load (self->recording);
}

/* NULL: it is recorded. */
static char *
play (Power *self)
{
  char *story = NULL;

  memset (self->shared, 0, sizeof *self->shared);
  trial_clear_folder (self->folder);
  if (trial_run (power_record, self, &story) && *self->shared->log.complaint)
    story = g_strdup (self->shared->log.complaint);
  load_recording (self, &self->events);
  return story;
}

/* NULL: all states are as promised. */
static char *
cut_everywhere (Power *self, guint64 *n_states)
{
  char *story = NULL;

  for (self->first_event = 0; self->first_event < power_get_events (self)->len;
       self->first_event = self->shared->event)
    {
      gboolean ended = trial_run (power_try_states, self, &story);

      *n_states += self->shared->n_states;
      if (!ended)
        return story;
      if (*self->shared->attempt.complaint)
        return g_strdup (self->shared->attempt.complaint);
    }
  return NULL;
}

static guint
count_answered (GArray *events, guint n)
{
  guint n_answered = 0;

  for (guint i = 0; i <= n && i < events->len; i++)
    if (g_array_index (events, ShimEvent, i).deed == SHIM_DID_NOTE)
      n_answered = (guint) g_array_index (events, ShimEvent, i).offset + 1;
  return n_answered;
}

/* NULL: all is as promised. */
static char *
cut_opening (Power *self, guint64 *n_states)
{
  char *story = NULL;

  trial_clear_folder (self->folder);
  if (trial_run (power_record_opening, self, &story) && *self->shared->attempt.complaint)
    story = g_strdup (self->shared->attempt.complaint);
  load_recording (self, &self->opening);
  return story ? story : cut_everywhere (self, n_states);
}

static ShimDeed
get_deed (GArray *events, guint event)
{
  return event < events->len ? g_array_index (events, ShimEvent, event).deed : SHIM_DID_NOTE;
}

/* The last one up to @event that is written and not synced, and then answered: a commit. */
static guint
find_commit (GArray *events, guint event)
{
  while (event > 0 && (get_deed (events, event) != SHIM_DID_WRITE ||
                       get_deed (events, event + 1) != SHIM_DID_SYNC ||
                       get_deed (events, event + 2) != SHIM_DID_NOTE))
    event--;
  return event;
}

static char *
cut_openings (Power *self, guint64 *n_states)
{
  guint32 seeds[2] = { (guint32) self->seed, (guint32) (self->seed >> 32) };
  GRand *rand = g_rand_new_with_seed_array (seeds, 2);
  char *story = NULL;

  for (guint i = 0; story == NULL && i < OPENINGS && self->events->len > 0; i++)
    {
      g_autoptr (PowerDisk) disk = power_disk_new ();

      self->first.event = (guint) g_rand_int_range (rand, 0, (gint32) self->events->len);
      self->first.chance = g_rand_int (rand);
      self->first.is_kill = i % 2 == 1;
      if (self->first.is_kill)
        self->first.event = find_commit (self->events, self->first.event);
      self->first.sync_failed =
          i % 4 == 3 && get_deed (self->events, self->first.event + 1) == SHIM_DID_SYNC;
      self->first.n_answered = count_answered (self->events, self->first.event);
      power_make_first_cut (self, disk); /* for its choice, to be told */
      story = cut_opening (self, n_states);
    }
  g_rand_free (rand);
  return story;
}

/* The whole case, with the steps that there are. */
static char *
try_steps (Power *self, guint64 *n_states)
{
  char *story;

  g_clear_pointer (&self->opening, g_array_unref);
  story = play (self);
  if (story == NULL)
    story = cut_everywhere (self, n_states);
  if (story == NULL)
    story = cut_openings (self, n_states);
  return story;
}

static char *
try_shorter (gpointer data)
{
  guint64 n_states = 0;

  return try_steps (data, &n_states);
}

static void
tell (Power *self, TortureResult *result, char *story)
{
  g_autofree char *again = NULL;
  g_autofree char *steps = NULL;
  g_autofree char *state = NULL;
  g_autofree char *fault = NULL;

  if (!self->task->whole)
    story = workload_shrink (&self->steps, story, try_shorter, self);
  again = try_shorter (self); /* for its logs */
  state = describe_state (self);
  fault = self->has_fault ? shim_fault_describe (&self->fault) : g_strdup ("none");
  steps = workload_describe (self->steps, &self->shared->log);
  torture_violation (
      result,
      g_strdup_printf ("power, %s, seed %" G_GUINT64_FORMAT "\n"
                       "fault:    %s\n"
                       "steps:    %s\n"
                       "cut:      %s\n"
                       "promised: what was acknowledged is there, and the call that was cut "
                       "off whole or not at all\n"
                       "found:    %s",
                       self->task->backend, self->seed, fault, steps, state, story));
  g_free (story);
}

/* Plays it to see its syncs, so that one of them can fail. */
static void
draw_fault (Power *self)
{
  g_autofree char *story = play (self);

  self->fault = self->shared->sync;
  self->has_fault = story == NULL && self->fault.at.count > 0;
}

static void
try_case (gpointer data, guint64 seed, TortureResult *result)
{
  Power *self = data;
  char *story;

  self->seed = seed;
  g_clear_pointer (&self->steps, g_array_unref);
  self->steps = workload_plan (self->seed, N_STEPS);
  self->has_fault = FALSE;
  if (self->seed % 3 == 2)
    draw_fault (self);
  story = try_steps (self, &result->states);
  if (self->task->verbose)
    g_print ("   %" G_GUINT64_FORMAT ": %u calls, %" G_GUINT64_FORMAT " states so far\n",
             self->seed, self->events->len, result->states);
  if (story)
    tell (self, result, story);
}

static void
run (const TortureTask *task, TortureResult *result)
{
  Power self = { .task = task,
                 .folder = g_build_filename (task->folder, "case", NULL),
                 .recording = g_build_filename (task->folder, "recording", NULL) };

  self.shared = trial_share (sizeof *self.shared);
  if (trial_prepare (task, result))
    trial_each_case (task, result, try_case, &self);
  g_clear_pointer (&self.steps, g_array_unref);
  g_clear_pointer (&self.events, g_array_unref);
  g_clear_pointer (&self.opening, g_array_unref);
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
