/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the children of the layer power do. */

#include "power-case.h"

#include <errno.h>
#include <string.h>

#include "trial.h"

#define MAX_ALL 6      /* parts, of which all choices are tried */
#define MAX_CHOICES 40 /* else */
#define STATES_A_CHILD 100

/* --- the recording ---------------------------------------------------------------------------- */

static void
note_answer (guint step, gpointer data)
{
  shim_note (step);
}

static gboolean
may_fail (gpointer data)
{
  const Power *self = data;

  return self->has_fault && shim_has_met () && !self->cleared;
}

static void
note_opening (gpointer data)
{
  Power *self = data;

  self->cleared = shim_has_met ();
  if (self->cleared)
    shim_disarm ();
}

/* Each file, and each sync of it, is as likely. */
static void
draw_sync (Power *self)
{
  guint32 seeds[2] = { (guint32) self->seed, (guint32) (self->seed >> 32) };
  GRand *rand = g_rand_new_with_seed_array (seeds, 2);
  guint n, n_seen = 0;
  const ShimCount *counts = shim_get_counts (&n);

  for (guint i = 0; i < n; i++)
    if ((counts[i].call == SHIM_SYNC || counts[i].call == SHIM_SYNC_DATA) &&
        g_rand_int_range (rand, 0, (gint32) ++n_seen) == 0)
      {
        self->shared->sync = (ShimFault){ .at = counts[i],
                                          .error = EIO,
                                          .span = self->seed % 2 == 0 ? SHIM_ONCE : SHIM_DEAD };
        self->shared->sync.at.count =
            (guint) g_rand_int_range (rand, 1, (gint32) counts[i].count + 1);
      }
  g_rand_free (rand);
}

static void
save_recording (Power *self)
{
  workload_await_quiet ();
  if (!shim_save (self->recording))
    g_error ("%s cannot be written", self->recording);
}

void
power_record (gpointer data)
{
  Power *self = data;
  Workload workload;

  shim_begin (self->folder);
  shim_record ();
  if (self->has_fault)
    shim_arm (&self->fault);
  workload_init (&workload, self->task->backend, self->folder, self->steps, &self->shared->log);
  workload.answered = note_answer;
  workload.may_fail = may_fail;
  workload.opening = note_opening;
  workload.data = self;
  workload_run (&workload);
  draw_sync (self);
  workload_close (&workload);
  save_recording (self);
}

/* --- the choices ------------------------------------------------------------------------------ */

gboolean
power_choose (guint number, guint n, guint64 seed, gboolean *has)
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

void
power_do_events (PowerDisk *disk, GArray *events, guint n)
{
  for (guint i = 0; i < n && i < events->len; i++)
    power_disk_do (disk, &g_array_index (events, ShimEvent, i));
}

static void
fail_next_sync (Power *self, PowerDisk *disk)
{
  ShimEvent sync = g_array_index (self->events, ShimEvent, self->first.event + 1);

  sync.deed = SHIM_DID_FAIL_SYNC;
  power_disk_do (disk, &sync);
}

/* The disk after the first cut. */
void
power_make_first_cut (Power *self, PowerDisk *disk)
{
  g_autofree gboolean *has = NULL;
  guint n;

  power_do_events (disk, self->events, self->first.event + 1);
  if (self->first.sync_failed)
    fail_next_sync (self, disk);
  if (self->first.is_kill)
    return;
  n = power_disk_count_parts (disk);
  has = g_new0 (gboolean, n + 1);
  self->first.choice = self->first.chance % (n <= MAX_ALL ? 1u << n : MAX_CHOICES);
  power_choose (self->first.choice, n, self->seed + self->first.event, has);
  power_disk_cut (disk, has);
}

/* --- one state -------------------------------------------------------------------------------- */

/* Where a child is. */
typedef struct
{
  PowerDisk *disk;
  guint n_answered;
  WorkOutcome shown; /* of the step after these, to who opened the queue after the first cut */
  GHashTable *seen;  /* sums of states */
} Place;

/* As it was when so many steps were answered, and the next one was under way. */
static void
init_workload (Power *self, const Place *place, Workload *workload)
{
  WorkLog *log = &self->shared->attempt;
  guint n = place->n_answered;

  memcpy (log, &self->shared->log, sizeof *log);
  if (place->shown != WORK_NOT_YET)
    log->entries[n++].outcome = place->shown;
  workload_init (workload, self->task->backend, self->folder, self->steps, log);
  workload_replay (workload, n);
}

static void
check_state (Power *self, const Place *place)
{
  Workload workload;

  init_workload (self, place, &workload);
  workload_check (&workload);
  workload_clear (&workload);
}

static gboolean
is_new (const Place *place, const gboolean *has)
{
  guint64 sum = power_disk_get_sum (place->disk, has);

  sum = sum * 31 + place->n_answered * 8 + place->shown;
  return g_hash_table_add (place->seen, g_memdup2 (&sum, sizeof sum));
}

/* All choices at one cut. FALSE: something is wrong. */
static gboolean
try_cut (Power *self, const Place *place, guint event)
{
  guint n = power_disk_count_parts (place->disk);
  g_autofree gboolean *has = g_new0 (gboolean, n + 1);

  for (guint i = 0; power_choose (i, n, self->seed + event, has); i++)
    {
      if (!is_new (place, has))
        continue;
      self->shared->event = event;
      self->shared->choice = i;
      trial_clear_folder (self->folder);
      power_disk_write (place->disk, has, self->folder);
      check_state (self, place);
      self->shared->n_states++;
      if (*self->shared->attempt.complaint)
        return FALSE;
    }
  return TRUE;
}

static void
take_note (Power *self, Place *place, guint64 note)
{
  if (self->opening)
    place->shown = note ? WORK_ANSWERED : WORK_FAILED;
  else
    place->n_answered = (guint) note + 1;
}

GArray *
power_get_events (const Power *self)
{
  return self->opening ? self->opening : self->events;
}

/* Goes through all events; from @first_event on, with cuts, until there were enough states. */
static void
try_events (Power *self, Place *place)
{
  GArray *events = power_get_events (self);

  for (guint i = 0; i < events->len; i++)
    {
      const ShimEvent *event = &g_array_index (events, ShimEvent, i);

      power_disk_do (place->disk, event);
      if (event->deed == SHIM_DID_NOTE)
        take_note (self, place, event->offset);
      if (i < self->first_event || event->deed == SHIM_DID_CLOSE ||
          event->deed == SHIM_DID_DUPLICATE)
        continue;
      if (!try_cut (self, place, i))
        return;
      self->shared->event = i + 1;
      if (self->shared->n_states >= STATES_A_CHILD)
        return;
    }
  self->shared->event = events->len;
}

void
power_try_states (gpointer data)
{
  Power *self = data;
  g_autoptr (PowerDisk) disk = power_disk_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  Place place = { .disk = disk, .seen = seen };

  self->shared->n_states = 0;
  if (self->opening)
    {
      power_make_first_cut (self, disk);
      place.n_answered = self->first.n_answered;
    }
  try_events (self, &place);
}

/* The opening after the first cut. */
void
power_record_opening (gpointer data)
{
  Power *self = data;
  g_autoptr (PowerDisk) disk = power_disk_new ();
  Place place = { .n_answered = self->first.n_answered };
  Workload workload;
  const Model *before;
  g_autofree gboolean *has = NULL;

  power_make_first_cut (self, disk);
  has = g_new (gboolean, power_disk_count_parts (disk) + 1);
  for (guint i = 0; i < power_disk_count_parts (disk); i++)
    has[i] = TRUE;
  power_disk_write (disk, has, self->folder);
  init_workload (self, &place, &workload);
  before = workload.model;
  shim_begin (self->folder);
  shim_record ();
  if (workload_resume (&workload))
    {
      shim_note (workload.model != before);
      workload_close (&workload);
    }
  save_recording (self);
}
