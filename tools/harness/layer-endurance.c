/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The long run: what grows a little, or slows down a little, with each job.
 *
 * A process enqueues, dequeues and completes jobs, a thousand at a time, with the journal small
 * enough that checkpoints go on all the while. The run has ten parts, and the last one is compared
 * with the second (the first one warms up): memory, descriptors, threads, the journal, what a job
 * takes in the database, and how long calls take (generously: others use the machine, too). At last
 * every checkpoint fails, and jobs are enqueued until the journal is full and refuses more; the
 * process is killed, and the queue opened again: all that was acknowledged is there, and in its
 * order, and nothing that was refused.
 *
 * A case is a job. */

#include "torture.h"

#include <signal.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <jobqueue-backend.h>

#include "endurance-part.h"
#include "trial.h"

#define N_PARTS 10
#define MIN_JOBS 20000       /* fewer show nothing */
#define SAMPLES 1000         /* in a run */
#define MAX_JOURNAL 16777216 /* the default */
#define MIN_JOURNAL 65536
#define JOURNAL_SHARE 8 /* bytes of journal for each job: some dozens of checkpoints */
#define MIN_CHECKPOINTS 10
#define RECORD_MIN_SIZE 64 /* bytes that a new job takes in the journal at least … */
#define RECORD_SIZE 256    /* … and at most */
#define CHECK_AT_MOST 200000
#define N_ORDER 1000
#define ROOM_FOR_JOB 256 /* bytes in the database, more or less */

typedef enum
{
  STAGE_RUNNING,
  STAGE_FULL, /* the journal is full: it kills itself */
  STAGE_CHECKING,
} Stage;

typedef struct
{
  Stage stage;
  guint64 n_done;
  gint n_checkpoints;
  guint64 n_extra; /* jobs that were enqueued when no checkpoint ended any more */
  char complaint[1024];
  EndurancePart parts[N_PARTS];
} Shared;

typedef struct
{
  const TortureTask *task;
  char *file;
  guint64 n_jobs;
  guint64 checkpoint_size;
  guint64 n_marks;
  guint8 *marks; /* shared */
  Shared *shared;
} Endurance;

static gboolean (*original_checkpoint) (JobStore *, GError **);
static gint *n_checkpoints;
static gint failing; /* every checkpoint */

G_GNUC_PRINTF (2, 3)
static void
complain (Endurance *self, const char *format, ...)
{
  va_list args;

  if (*self->shared->complaint)
    return;
  va_start (args, format);
  g_vsnprintf (self->shared->complaint, sizeof self->shared->complaint, format, args);
  va_end (args);
}

/* --- the queue -------------------------------------------------------------------------------- */

static JobQueue *
open_queue (Endurance *self)
{
  g_autoptr (GHashTable) options = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  g_autoptr (GError) error = NULL;
  JobQueue *queue;

  g_hash_table_insert (options, (char *) "file", g_strdup (self->file));
  g_hash_table_insert (options, (char *) "checkpoint-size",
                       g_strdup_printf ("%" G_GUINT64_FORMAT, self->checkpoint_size));
  queue = job_queue_new_for_backend (self->task->backend, options, NULL, &error);
  if (queue == NULL)
    complain (self, "the queue cannot be opened: %s", error->message);
  return queue;
}

static gboolean
watched_checkpoint (JobStore *store, GError **error)
{
  if (!g_atomic_int_get (&failing))
    {
      g_atomic_int_inc (n_checkpoints);
      return original_checkpoint (store, error);
    }
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE, "There is no checkpoint any more");
  return FALSE;
}

/* Of the one kind of store that this process has opened. */
static void
watch_checkpoints (Endurance *self)
{
  guint n_types = 0;
  g_autofree GType *types = g_type_children (JOB_TYPE_STORE, &n_types);
  JobStoreClass *klass;

  if (n_types != 1)
    g_error ("There are %u kinds of store in this process", n_types);
  n_checkpoints = &self->shared->n_checkpoints;
  klass = g_type_class_ref (types[0]);
  original_checkpoint = klass->checkpoint;
  klass->checkpoint = watched_checkpoint;
}

/* --- the run ---------------------------------------------------------------------------------- */

static void
on_over (gpointer data)
{
  Endurance *self = data;
  guint64 n = ++self->shared->n_done;

  if (n % MAX (self->n_jobs / SAMPLES, 1) != 0)
    return;
  alarm (TRIAL_SECONDS);
  endurance_part_sample (&self->shared->parts[MIN (n * N_PARTS / self->n_jobs, N_PARTS - 1)],
                         self->file);
}

static gboolean
run_part (Endurance *self, JobQueue *queue, guint number)
{
  EndurancePart *part = &self->shared->parts[number];
  guint64 size = self->n_jobs / N_PARTS;
  EnduranceLoad load = { .queue = queue,
                         .marks = self->marks,
                         .next = number * size,
                         .end = (number + 1) * size,
                         .cycle = TRUE,
                         .over = on_over,
                         .data = self,
                         .times = &part->times };
  gint64 began = g_get_monotonic_time ();
  gboolean good = endurance_load_run (&load);

  if (!good)
    complain (self, "a call failed: %s", load.problem);
  part->n_jobs = load.end;
  part->seconds = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;
  endurance_part_sample (part, self->file);
  g_free (load.problem);
  return good;
}

static guint64
count_enqueued (Endurance *self, guint64 first, guint64 end)
{
  guint64 n = 0;

  for (guint64 i = first; i < end; i++)
    n += self->marks[i] == ENDURANCE_ENQUEUED;
  return n;
}

/* As many jobs as a journal takes that was empty, and then a call that fails. */
static void
fill_journal (Endurance *self)
{
  g_autoptr (JobQueue) queue = open_queue (self);
  guint64 first = self->n_jobs / N_PARTS * N_PARTS;
  EnduranceLoad load = {
    .queue = queue, .marks = self->marks, .next = first, .end = self->n_marks
  };

  if (queue == NULL)
    return;
  alarm (TRIAL_SECONDS);
  g_atomic_int_set (&failing, TRUE);
  if (endurance_load_run (&load))
    complain (self, "without a checkpoint the journal took %" G_GUINT64_FORMAT " jobs and more",
              load.end - first);
  self->shared->n_extra = count_enqueued (self, first, load.next);
  if (self->shared->n_extra * RECORD_SIZE < self->checkpoint_size * 3 / 2)
    complain (self, "a journal of %" G_GUINT64_FORMAT " jobs takes no more: %s",
              self->shared->n_extra, load.problem);
  self->shared->stage = STAGE_FULL;
  kill (getpid (), SIGKILL);
}

/* FALSE with a complaint. */
static gboolean
run_parts (Endurance *self)
{
  g_autoptr (JobQueue) queue = open_queue (self);
  g_autoptr (GError) error = NULL;

  if (queue == NULL)
    return FALSE;
  watch_checkpoints (self);
  memset (self->marks, ENDURANCE_NOTHING, self->n_marks); /* its pages are there from now on */
  for (guint i = 0; i < N_PARTS; i++)
    if (!run_part (self, queue, i))
      _exit (0); /* with the complaint */
  if (!job_queue_close (queue, NULL, &error))
    complain (self, "the queue cannot be closed: %s", error->message);
  return error == NULL;
}

static void
endure (gpointer data)
{
  if (run_parts (data))
    fill_journal (data);
}

/* --- afterwards ------------------------------------------------------------------------------- */

static void
check_job (Endurance *self, JobQueue *queue, guint64 number)
{
  char id[ENDURANCE_ID_SIZE], args[ENDURANCE_ARGS_SIZE];
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;
  EnduranceMark mark = self->marks[number];

  endurance_write_id (number, id);
  endurance_write_args (number, args);
  info = job_queue_get_info (queue, id, NULL, &error);
  if (info == NULL && mark > ENDURANCE_REFUSED)
    complain (self, "job %" G_GUINT64_FORMAT " (%s) is lost: %s", number, id, error->message);
  if (info && mark == ENDURANCE_REFUSED)
    complain (self, "job %" G_GUINT64_FORMAT " (%s) is there, and was refused", number, id);
  if (info == NULL)
    return;
  if (!g_str_equal (job_info_get_args (info), args))
    complain (self, "job %" G_GUINT64_FORMAT " has other args: %s", number,
              job_info_get_args (info));
  if (mark == ENDURANCE_COMPLETED && (job_info_get_state (info) != JOB_STATE_SUCCEEDED ||
                                      !g_str_equal (job_info_get_result (info), ENDURANCE_RESULT)))
    complain (self, "job %" G_GUINT64_FORMAT " was completed, and is not over", number);
  if (mark != ENDURANCE_COMPLETED && job_info_get_state (info) != JOB_STATE_PENDING)
    complain (self, "job %" G_GUINT64_FORMAT " was only enqueued, and is not pending", number);
}

/* All that came at last, and some of the rest, if these are many. */
static void
check_jobs (Endurance *self, JobQueue *queue)
{
  guint64 first = self->n_jobs / N_PARTS * N_PARTS;
  guint64 step = first / CHECK_AT_MOST + 1;

  for (guint64 i = self->task->seed % step; i < first; i += step)
    {
      if (i % 1024 < step)
        alarm (TRIAL_SECONDS);
      check_job (self, queue, i);
    }
  for (guint64 i = first; i < self->n_marks; i++)
    {
      if (i % 1024 == 0)
        alarm (TRIAL_SECONDS);
      check_job (self, queue, i);
    }
}

static void
check_order (Endurance *self, JobQueue *queue)
{
  guint64 next = self->n_jobs / N_PARTS * N_PARTS;

  for (guint64 i = MIN (N_ORDER, self->shared->n_extra); i > 0 && *self->shared->complaint == '\0';
       i--)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JobLease) lease = job_queue_dequeue (queue, NULL, NULL, 0, NULL, &error);

      if (lease == NULL)
        complain (self, "job %" G_GUINT64_FORMAT " cannot be dequeued: %s", next, error->message);
      else if (endurance_read_number (job_lease_get_args (lease)) != next)
        complain (self, "job %s was leased, though job %" G_GUINT64_FORMAT " comes first",
                  job_lease_get_args (lease), next);
      else if (!job_lease_complete (lease, ENDURANCE_RESULT, NULL, &error))
        complain (self, "job %" G_GUINT64_FORMAT " cannot be completed: %s", next, error->message);
      next++;
    }
}

static void
check (gpointer data)
{
  Endurance *self = data;
  g_autoptr (JobQueue) queue = open_queue (self);
  g_autoptr (GError) error = NULL;

  if (queue == NULL)
    return;
  check_jobs (self, queue);
  check_order (self, queue);
  if (!job_queue_close (queue, NULL, &error))
    complain (self, "the queue cannot be closed: %s", error->message);
}

/* --- the layer -------------------------------------------------------------------------------- */

static void
print_parts (Endurance *self)
{
  endurance_part_print_head ();
  for (guint i = 0; i < N_PARTS; i++)
    endurance_part_print (&self->shared->parts[i], self->n_jobs / N_PARTS);
  g_print ("   %" G_GUINT64_FORMAT " jobs more in the full journal\n", self->shared->n_extra);
}

/* The last part with the second: the first one warms up. */
static void
compare (Endurance *self)
{
  g_autofree char *difference = endurance_part_compare (
      &self->shared->parts[1], &self->shared->parts[N_PARTS - 1], self->checkpoint_size);

  if (difference)
    complain (self, "%s", difference);
  if (self->shared->n_checkpoints < MIN_CHECKPOINTS)
    complain (self, "there were only %d checkpoints, so nothing is shown",
              self->shared->n_checkpoints);
}

static void
tell (Endurance *self, TortureResult *result, const char *complaint)
{
  torture_violation (
      result, g_strdup_printf ("endurance, %s, seed %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
                               " jobs, a checkpoint each %" G_GUINT64_FORMAT " bytes\n"
                               "promised: nothing grows but by what is kept, and all of that is "
                               "there after a kill\n"
                               "found:    %s",
                               self->task->backend, self->task->seed, self->shared->n_done,
                               self->checkpoint_size, complaint));
}

static void
play (Endurance *self, TortureResult *result)
{
  g_autofree char *story = NULL;
  gboolean killed = !trial_run (endure, self, &story) && self->shared->stage == STAGE_FULL;

  result->cases = self->shared->n_done;
  result->states = (guint64) self->shared->n_checkpoints;
  if (killed)
    {
      g_clear_pointer (&story, g_free);
      if (self->task->verbose)
        print_parts (self);
      compare (self);
      self->shared->stage = STAGE_CHECKING;
      trial_run (check, self, &story);
    }
  if (*self->shared->complaint || story)
    tell (self, result, *self->shared->complaint ? self->shared->complaint : story);
}

/* NULL: there is. */
static char *
find_lack_of_room (Endurance *self)
{
  guint64 needed = self->n_jobs * ROOM_FOR_JOB + 8 * self->checkpoint_size;
  struct statvfs info;

  if (statvfs (self->task->folder, &info) != 0 || info.f_bavail * info.f_frsize >= needed)
    return NULL;
  return g_strdup_printf ("%s has not the %" G_GUINT64_FORMAT " bytes that it needs",
                          self->task->folder, needed);
}

static void
run (const TortureTask *task, TortureResult *result)
{
  Endurance self = { .task = task, .file = g_build_filename (task->folder, "jobs.sqlite", NULL) };

  self.n_jobs = MAX (task->cases, MIN_JOBS);
  self.checkpoint_size = CLAMP (self.n_jobs * JOURNAL_SHARE, MIN_JOURNAL, MAX_JOURNAL);
  self.n_marks = self.n_jobs + 4 * self.checkpoint_size / RECORD_MIN_SIZE;
  self.marks = trial_share (self.n_marks);
  self.shared = trial_share (sizeof *self.shared);
  if (trial_prepare (task, result))
    result->skipped = find_lack_of_room (&self);
  if (result->skipped == NULL)
    play (&self, result);
  g_free (self.file);
}

static const char *const backends[] = { "sqlite", NULL };

const TortureLayer layer_endurance = {
  .name = "endurance",
  .title = "Many jobs, one after the other, and nothing grows",
  .states = "checkpoints",
  .backends = backends,
  .short_cases = 50000,
  .long_cases = 10000000,
  .run = run,
};
