/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Layer D: the power is cut under the kernel's own ext4.
 *
 * Layer C knows all states of a disk that POSIX allows, but only of what a call can be seen for,
 * and in a process that stands still. Here it is the kernel that decides when something is written,
 * in which order, and what a flush is good for: a workload runs on an ext4, on a disk that loses
 * what was not flushed (block-disk.c), the power is cut at a moment drawn from the seed, and the
 * disk is mounted again, so that ext4 replays its own journal. Then the queue is opened, twice:
 * what was acknowledged at the cut is there, and the call that was under way whole or not at all.
 * In half of the cases another process has the kernel write back what it would have written back
 * later; in half of them the store follows while calls are made, and not between them; in one of
 * three the power is cut once more, in the midst of the first opening.
 *
 * A case is one workload, played in a child with mounts of its own. The moments of a cut depend on
 * the kernel as well as on the seed: a seed gives a similar case again, not the same. */

#include "torture.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block-device.h"
#include "trial.h"
#include "workload.h"

#define N_STEPS 80
#define SOON 4          /* requests: a call on a file is some of them */
#define LATER 30        /* a checkpoint, or an opening */
#define WRITE_BACK 3000 /* µs between two times, at most */

typedef struct
{
  WorkLog log;     /* of the workload */
  WorkLog at_cut;  /* the same, at the first cut */
  WorkLog attempt; /* of an opening */
  guint always;    /* 1 */
  guint n_cuts;
  BlockCut cuts[3];   /* and one at the end of the last opening */
  char problem[1024]; /* a child that did not end as it should; or why it cannot be done */
} Shared;

typedef struct
{
  const TortureTask *task;
  guint64 seed;
  GRand *rand;
  GArray *steps; /* of WorkStep */
  BlockDevice *device;
  BlockDisk *disk;
  Shared *shared;
} Block;

/* --- in the child ----------------------------------------------------------------------------- */

static void
end_with_parent (void)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/* What comes after the cut shows nothing. */
static void
stop_after_cut (guint step, gpointer data)
{
  Block *self = data;

  if (block_disk_is_cut (self->disk))
    _exit (0);
}

static void
work (gpointer data)
{
  Block *self = data;
  Workload workload;

  end_with_parent ();
  workload_init (&workload, self->task->backend, block_device_get_folder (self->device),
                 self->steps, &self->shared->log);
  workload.answered = stop_after_cut;
  workload.hurries = self->seed % 2 == 1;
  workload.data = self;
  workload_run (&workload);
  if (self->seed / 2 % 2 == 1)
    workload_close (&workload);
}

static guint
count_answered (const WorkLog *log)
{
  guint n = 0;

  while (n < log->n_steps && log->entries[n].outcome > WORK_BEGUN)
    n++;
  return n;
}

static void
check (gpointer data)
{
  Block *self = data;
  Workload workload;

  end_with_parent ();
  memcpy (&self->shared->attempt, &self->shared->at_cut, sizeof self->shared->at_cut);
  workload_init (&workload, self->task->backend, block_device_get_folder (self->device),
                 self->steps, &self->shared->attempt);
  workload_replay (&workload, count_answered (&self->shared->at_cut));
  workload_check (&workload);
  workload_clear (&workload);
}

/* --- what the kernel writes back by itself ---------------------------------------------------- */

static int
write_back_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  int fd;

  if (type != FTW_F || g_random_boolean ())
    return 0;
  fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return 0;
  sync_file_range (fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  close (fd);
  return 0;
}

static void
write_back_for_ever (Block *self)
{
  const char *folder = block_device_get_folder (self->device);

  end_with_parent ();
  g_random_set_seed ((guint32) self->seed);
  for (;;)
    {
      g_usleep ((gulong) g_random_int_range (1, WRITE_BACK));
      nftw (folder, write_back_one, 16, FTW_PHYS);
    }
}

static pid_t
start_writing_back (Block *self)
{
  pid_t child = fork ();

  if (child < 0)
    g_error ("No child");
  if (child == 0)
    write_back_for_ever (self);
  return child;
}

static void
stop_writing_back (pid_t child)
{
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
}

/* --- a case ----------------------------------------------------------------------------------- */

/* On the disk as it is now, whose power is cut meanwhile, or at its end. FALSE: it did not end as
 * it should. */
static gboolean
run_on_disk (Block *self, void (*play) (gpointer data), gboolean write_back)
{
  g_autofree char *story = NULL;
  gboolean good = block_device_mount (self->device, &story);

  if (good)
    {
      pid_t writer = write_back ? start_writing_back (self) : 0;

      good = trial_run (play, self, &story);
      if (writer)
        stop_writing_back (writer);
      block_disk_cut_now (self->disk, &self->shared->cuts[self->shared->n_cuts]);
      block_device_unmount (self->device);
    }
  if (!good)
    g_strlcpy (self->shared->problem, story, sizeof self->shared->problem);
  return good && *self->shared->log.complaint == '\0' && *self->shared->attempt.complaint == '\0';
}

/* Often in the midst of many writes, which is where most can go wrong. */
static void
cut_later (Block *self, guint64 seed, const guint *progress, guint from)
{
  static const guint least[] = { 0, 1, 2, 4, 8 };
  BlockMoment moment = { .seed = seed, .progress = progress, .from = from };

  moment.unsynced = least[g_rand_int_range (self->rand, 0, G_N_ELEMENTS (least))];
  moment.requests =
      (guint) g_rand_int_range (self->rand, 1, g_rand_boolean (self->rand) ? SOON : LATER);
  block_disk_cut_later (self->disk, &moment);
}

static gboolean
cut_workload (Block *self)
{
  guint from = (guint) g_rand_int_range (self->rand, 0, N_STEPS + 1);

  block_device_reset (self->device);
  block_disk_watch (self->disk, &self->shared->log, &self->shared->at_cut,
                    sizeof self->shared->log);
  cut_later (self, self->seed, &self->shared->log.n_steps, from);
  if (!run_on_disk (self, work, g_rand_boolean (self->rand)))
    return FALSE;
  self->shared->n_cuts++;
  return TRUE;
}

static gboolean
cut_opening (Block *self)
{
  block_disk_restart (self->disk);
  cut_later (self, self->seed + G_MAXUINT32, &self->shared->always, 1);
  if (!run_on_disk (self, check, FALSE))
    return FALSE;
  self->shared->n_cuts++;
  return TRUE;
}

static void
open_at_last (Block *self)
{
  block_disk_restart (self->disk);
  run_on_disk (self, check, FALSE);
}

static void
play_case (gpointer data)
{
  Block *self = data;
  g_autofree char *why = NULL;

  end_with_parent ();
  if (!block_device_set_apart (&why))
    g_error ("%s", why);
  if (!cut_workload (self))
    return;
  if (g_rand_int_range (self->rand, 0, 3) == 0 && !cut_opening (self))
    return;
  open_at_last (self);
}

/* --- what is wrong ---------------------------------------------------------------------------- */

static const char *
get_complaint (Shared *shared)
{
  return *shared->log.complaint       ? shared->log.complaint
         : *shared->attempt.complaint ? shared->attempt.complaint
         : *shared->problem           ? shared->problem
                                      : NULL;
}

static char *
describe_cuts (Shared *shared)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < shared->n_cuts; i++)
    g_string_append_printf (text,
                            "%safter %" G_GUINT64_FORMAT " writes and flushes%s, %u writes were "
                            "not flushed, and the disk has %u of their %u sectors",
                            i > 0 ? "; then " : "", shared->cuts[i].n_requests,
                            i > 0 ? " of an opening" : "", shared->cuts[i].n_unsynced,
                            shared->cuts[i].n_kept, shared->cuts[i].n_sectors);
  return g_string_free (text, FALSE);
}

static void
tell (Block *self, TortureResult *result, const char *complaint)
{
  Shared *shared = self->shared;
  g_autofree char *steps =
      workload_describe (self->steps, shared->n_cuts > 0 ? &shared->at_cut : &shared->log);
  g_autofree char *cuts = describe_cuts (shared);

  torture_violation (result,
                     g_strdup_printf ("block, %s, seed %" G_GUINT64_FORMAT "\n"
                                      "steps:    %s\n"
                                      "cut:      %s\n"
                                      "promised: what was acknowledged is there, and the call that "
                                      "was cut off whole or not at all\n"
                                      "found:    %s",
                                      self->task->backend, self->seed, steps, cuts, complaint));
}

/* --- cases ------------------------------------------------------------------------------------ */

static void
prepare_case (Block *self)
{
  guint32 seeds[3] = { (guint32) self->seed, (guint32) (self->seed >> 32), N_STEPS };

  memset (self->shared, 0, sizeof *self->shared);
  self->shared->always = 1;
  g_clear_pointer (&self->steps, g_array_unref);
  g_clear_pointer (&self->rand, g_rand_free);
  self->steps = workload_plan (self->seed, N_STEPS);
  self->rand = g_rand_new_with_seed_array (seeds, G_N_ELEMENTS (seeds));
}

static void
try_case (gpointer data, guint64 seed, TortureResult *result)
{
  Block *self = data;
  g_autofree char *story = NULL;
  const char *complaint;

  self->seed = seed;
  prepare_case (self);
  trial_run (play_case, self, &story);
  complaint = story ? story : get_complaint (self->shared);
  for (guint i = 0; i < self->shared->n_cuts; i++)
    result->states += self->shared->cuts[i].n_unsynced;
  if (self->task->verbose)
    {
      g_autofree char *cuts = describe_cuts (self->shared);

      g_print ("   %" G_GUINT64_FORMAT ": %u steps, %s\n", self->seed, self->shared->at_cut.n_steps,
               cuts);
    }
  if (complaint)
    tell (self, result, complaint);
}

/* Whether this machine can do it at all. */
static void
try_device (gpointer data)
{
  Block *self = data;
  g_autofree char *why = NULL;

  end_with_parent ();
  block_device_reset (self->device);
  if (block_device_set_apart (&why) && block_device_mount (self->device, &why))
    block_device_unmount (self->device);
  if (why)
    g_strlcpy (self->shared->problem, why, sizeof self->shared->problem);
}

/* NULL: it can. */
static char *
find_obstacle (Block *self)
{
  char *why = NULL;

  self->device = block_device_new (self->task->folder, &why);
  if (self->device == NULL)
    return why;
  self->disk = block_device_get_disk (self->device);
  if (trial_run (try_device, self, &why) && *self->shared->problem)
    why = g_strdup (self->shared->problem);
  return why;
}

static void
run (const TortureTask *task, TortureResult *result)
{
  Block self = { .task = task, .shared = trial_share (sizeof *self.shared) };

  if (trial_prepare (task, result))
    result->skipped = find_obstacle (&self);
  if (result->skipped == NULL)
    trial_each_case (task, result, try_case, &self);
  g_clear_pointer (&self.steps, g_array_unref);
  g_clear_pointer (&self.rand, g_rand_free);
  g_clear_pointer (&self.device, block_device_free);
}

static const char *const backends[] = { "fs-json", "gdbm", "sqlite", NULL };

const TortureLayer layer_block = {
  .name = "block",
  .title = "The power is cut under a real ext4",
  .states = "unsynced writes",
  .backends = backends,
  .short_cases = 10,
  .long_cases = 1000,
  .run = run,
};
