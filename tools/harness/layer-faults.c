/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Layer A: every system call on files fails in its turn, and what follows is whole.
 *
 * A workload is played once without a fault, and its calls are counted. Then, for each fault, it is
 * played again in a process of its own, in which the n-th call of one kind on one file fails. It
 * goes on: what fails has changed nothing, or says that nobody knows, and then the queue is closed
 * and opened again. In the end the process closes the queue, or just ends. Another process opens it
 * without the fault, twice, and compares it with the model.
 *
 * Between two steps all threads come to rest, so that the n-th call is about the same one each
 * time. A fault that was not met is counted, but not as tried.
 *
 * Few cases are faults drawn by their seeds; as many as the workload has faults are all of them, in
 * their order, whose seeds have the bit EXACT: so any part of these can be tried again. */

#include "torture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"
#include "trial.h"
#include "workload.h"

#define N_STEPS 200
#define SEEDS_PER_WORKLOAD 1024
#define MAX_COUNTS 8192
#define N_TRIES 4 /* for a fault that is not met */
/* A seed with this bit names a workload, and a fault of it by its number: not by chance. */
#define EXACT (G_GUINT64_CONSTANT (1) << 40)
#define MAX_FAULTS (1 << 20)

typedef struct
{
  gboolean met;
  guint n_counts;
  ShimCount counts[MAX_COUNTS];
  WorkLog log;
} Shared;

typedef struct
{
  const TortureTask *task;
  char *folder;
  GArray *steps; /* of WorkStep */
  Shared *shared;
  gboolean has_fault;
  ShimFault fault;
  gboolean closes;  /* the process closes the queue before it ends */
  gboolean cleared; /* in the child: the fault was over at the last opening */
  guint64 n_not_met;
} Sweep;

/* --- in the children -------------------------------------------------------------------------- */

static gboolean
may_fail (gpointer data)
{
  const Sweep *self = data;

  return self->has_fault && shim_has_met () && !self->cleared;
}

static void
note_opening (gpointer data)
{
  Sweep *self = data;

  self->cleared = self->has_fault && self->fault.span == SHIM_ONCE && shim_has_met ();
}

static void
publish_counts (Shared *shared)
{
  const ShimCount *counts = shim_get_counts (&shared->n_counts);

  if (shared->n_counts > MAX_COUNTS)
    g_error ("%u kinds of calls are too many", shared->n_counts);
  memcpy (shared->counts, counts, shared->n_counts * sizeof *counts);
  shared->met = shim_has_met ();
}

static void
check_closed (Sweep *self)
{
  WorkLog *log = &self->shared->log;

  if (shim_count_open () > 0 && *log->complaint == '\0')
    g_snprintf (log->complaint, sizeof log->complaint,
                "%u descriptors stay open after the queue is closed", shim_count_open ());
}

static void
play_with_fault (gpointer data)
{
  Sweep *self = data;
  Workload workload;

  shim_begin (self->folder);
  if (self->has_fault)
    shim_arm (&self->fault);
  workload_init (&workload, self->task->backend, self->folder, self->steps, &self->shared->log);
  workload.may_fail = may_fail;
  workload.opening = note_opening;
  workload.data = self;
  workload.fault_lasts = self->has_fault && self->fault.span != SHIM_ONCE;
  workload.verbose = self->task->verbose;
  workload_run (&workload);
  publish_counts (self->shared);
  if (!self->closes || *self->shared->log.complaint)
    return;
  workload_close (&workload);
  workload_await_quiet (); /* a thread may have the last reference */
  publish_counts (self->shared);
  check_closed (self);
}

static void
check_without_fault (gpointer data)
{
  Sweep *self = data;
  Workload workload;

  workload_init (&workload, self->task->backend, self->folder, self->steps, &self->shared->log);
  workload_replay (&workload, G_MAXUINT);
  workload_check (&workload);
  workload_clear (&workload);
}

/* --- one case --------------------------------------------------------------------------------- */

/* What is not as promised, to be freed; NULL: all is. */
static char *
try_fault (Sweep *self)
{
  WorkLog *log = &self->shared->log;
  char *story = NULL;

  memset (self->shared, 0, sizeof *self->shared);
  trial_clear_folder (self->folder);
  if (trial_run (play_with_fault, self, &story) && *log->complaint == '\0')
    trial_run (check_without_fault, self, &story);
  if (story == NULL && *log->complaint)
    story = g_strdup (log->complaint);
  return story;
}

static guint
find_count (const Shared *shared, const ShimFault *fault)
{
  for (guint i = 0; i < shared->n_counts; i++)
    if (shared->counts[i].call == fault->at.call &&
        g_str_equal (shared->counts[i].path, fault->at.path))
      return shared->counts[i].count;
  return 0;
}

/* With fewer steps there are fewer calls: the fault may move forward for it. */
static char *
try_moved (gpointer data)
{
  Sweep *self = data;
  ShimFault before = self->fault;
  char *story = try_fault (self);
  guint count = find_count (self->shared, &self->fault);

  for (guint i = 0; story == NULL && !self->shared->met && i < 6 && i < count; i++)
    {
      self->fault.at.count = count - i;
      story = try_fault (self);
    }
  if (story == NULL)
    self->fault = before;
  return story;
}

static char *
shrink (Sweep *self, char *story)
{
  g_array_set_size (self->steps, MAX (self->shared->log.n_steps, 1));
  return workload_shrink (&self->steps, story, try_moved, self);
}

static void
tell (Sweep *self, TortureResult *result, guint64 seed, char *story)
{
  g_autofree char *what = NULL;
  g_autofree char *steps = NULL;

  if (self->has_fault)
    {
      g_autofree char *again = NULL;

      if (!self->task->whole)
        story = shrink (self, story);
      again = try_fault (self); /* for its log */
    }
  what = self->has_fault ? shim_fault_describe (&self->fault) : g_strdup ("none");
  steps = workload_describe (self->steps, &self->shared->log);
  torture_violation (result, g_strdup_printf ("faults, %s, seed %" G_GUINT64_FORMAT "\n"
                                              "fault:    %s\n"
                                              "steps:    %s\n"
                                              "then:     %s\n"
                                              "promised: a call that failed changed nothing, or "
                                              "says so; what was acknowledged is there",
                                              self->task->backend, seed, what, steps,
                                              self->closes ? "close" : "end of the process"));
  result->story = g_strconcat (result->story, "\nfound:    ", story, NULL);
  g_free (story);
}

/* A call of the closing comes only if the process closes; and which calls the applier makes depends
 * on when it comes to run. */
static char *
try_until_met (Sweep *self)
{
  char *story = try_fault (self);

  for (guint i = 1; story == NULL && !self->shared->met && i < N_TRIES; i++)
    {
      self->closes = TRUE;
      story = try_fault (self);
    }
  return story;
}

/* FALSE: something is wrong. */
static gboolean
try_case (Sweep *self, TortureResult *result, guint64 seed, const ShimFault *fault)
{
  char *story;

  self->has_fault = TRUE;
  self->fault = *fault;
  self->closes = seed % 2 == 0;
  story = try_until_met (self);
  if (self->task->verbose)
    {
      g_autofree char *what = shim_fault_describe (fault);

      g_print ("   %" G_GUINT64_FORMAT ": %s: %s, %u calls failed, opened again %u times\n", seed,
               what, self->shared->met ? "met" : "NOT MET", self->shared->log.n_failed,
               self->shared->log.n_reopened);
    }
  result->cases++;
  result->states += self->shared->met;
  self->n_not_met += !self->shared->met;
  if (story)
    tell (self, result, seed, story);
  return story == NULL;
}

/* --- all faults ------------------------------------------------------------------------------- */

static const int errors[] = { EIO, ENOSPC, EDQUOT, EMFILE, EINTR, 0 };

static gboolean
makes_sense (const ShimFault *fault)
{
  if (!shim_call_can_fail (fault->at.call, fault->error))
    return FALSE;
  if (fault->span == SHIM_DEAD)
    return fault->error == EIO;
  return fault->error != EINTR || fault->span == SHIM_ONCE;
}

static void
add_faults (GArray *faults, const ShimCount *count)
{
  for (guint number = 1; number <= count->count; number++)
    for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
      for (ShimSpan span = SHIM_ONCE; span <= SHIM_DEAD; span++)
        {
          ShimFault fault = { *count, errors[i], span };

          fault.at.count = number;
          if (makes_sense (&fault))
            g_array_append_val (faults, fault);
        }
}

/* Of the workload that was just played without one. */
static GArray *
list_faults (const Shared *shared)
{
  GArray *faults = g_array_new (FALSE, FALSE, sizeof (ShimFault));

  for (guint i = 0; i < shared->n_counts; i++)
    add_faults (faults, &shared->counts[i]);
  return faults;
}

/* First the kind of call, so that the rare ones have their turn; then one of them. */
static const ShimFault *
draw_fault (GArray *faults, guint64 seed)
{
  guint32 seeds[2] = { (guint32) seed, (guint32) (seed >> 32) };
  GRand *rand = g_rand_new_with_seed_array (seeds, 2);
  gboolean has[SHIM_N_CALLS] = { FALSE };
  const ShimFault *fault = NULL;
  ShimCall call;

  for (guint i = 0; i < faults->len; i++)
    has[g_array_index (faults, ShimFault, i).at.call] = TRUE;
  do
    call = (ShimCall) g_rand_int_range (rand, 0, SHIM_N_CALLS);
  while (!has[call]);
  do
    fault = &g_array_index (faults, ShimFault,
                            (guint) g_rand_int_range (rand, 0, (gint32) faults->len));
  while (fault->at.call != call);
  g_rand_free (rand);
  return fault;
}

/* To be compared with what is seen from outside the process. */
static void
print_counts (const Shared *shared)
{
  guint sums[SHIM_N_CALLS] = { 0 };

  for (guint i = 0; i < shared->n_counts; i++)
    sums[shared->counts[i].call] += shared->counts[i].count;
  for (guint i = 0; i < SHIM_N_CALLS; i++)
    if (sums[i] > 0)
      g_print ("   %8u %s\n", sums[i], shim_call_name ((ShimCall) i));
}

static guint64
get_workload (guint64 seed)
{
  return seed & EXACT ? (seed & ~EXACT) / MAX_FAULTS : seed / SEEDS_PER_WORKLOAD;
}

/* Without a fault. NULL: that is wrong already. */
static GArray *
count_calls (Sweep *self, TortureResult *result, guint64 seed)
{
  char *story;

  if (self->steps)
    g_array_unref (self->steps);
  self->steps = workload_plan (get_workload (seed), N_STEPS);
  self->has_fault = FALSE;
  self->closes = TRUE;
  story = try_fault (self);
  if (self->task->verbose)
    print_counts (self->shared);
  if (story == NULL)
    return list_faults (self->shared);
  tell (self, result, seed, story);
  return NULL;
}

static gboolean
try_seed (Sweep *self, TortureResult *result, guint64 seed, GArray *faults)
{
  guint number = (guint) (seed % MAX_FAULTS);

  if ((seed & EXACT) == 0)
    return try_case (self, result, seed, draw_fault (faults, seed));
  return number < faults->len &&
         try_case (self, result, seed, &g_array_index (faults, ShimFault, number));
}

static void
try_seeds (Sweep *self, TortureResult *result, guint64 first, guint64 n, GArray *faults)
{
  for (guint64 seed = first; seed < first + n; seed++)
    {
      if (seed > first && get_workload (seed) != get_workload (seed - 1))
        {
          g_array_unref (faults);
          faults = count_calls (self, result, seed);
        }
      if (faults == NULL || !try_seed (self, result, seed, faults))
        break;
    }
  g_clear_pointer (&faults, g_array_unref);
}

/* More cases than a workload has faults: each of them once. */
static void
try_faults (Sweep *self, TortureResult *result)
{
  guint64 seed = self->task->seed;
  GArray *faults = count_calls (self, result, seed);

  if (faults && (seed & EXACT) == 0 && self->task->cases >= faults->len)
    try_seeds (self, result, EXACT + get_workload (seed) * MAX_FAULTS, faults->len, faults);
  else if (faults)
    try_seeds (self, result, seed, self->task->cases, faults);
}

static void
run (const TortureTask *task, TortureResult *result)
{
  Sweep self = { .task = task, .folder = g_build_filename (task->folder, "case", NULL) };

  self.shared = trial_share (sizeof *self.shared);
  if (trial_prepare (task, result))
    try_faults (&self, result);
  if (self.n_not_met > 0)
    g_printerr ("   %" G_GUINT64_FORMAT " faults were not met\n", self.n_not_met);
  g_clear_pointer (&self.steps, g_array_unref);
  g_free (self.folder);
}

static const char *const backends[] = { "fs-json", "gdbm", "sqlite", NULL };

const TortureLayer layer_faults = {
  .name = "faults",
  .title = "Each system call on files fails in its turn",
  .states = "faults met",
  .backends = backends,
  .short_cases = 300,
  .long_cases = G_MAXUINT32,
  .run = run,
};
