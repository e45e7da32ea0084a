/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plays a workload. Every step is made by the model and by the queue; workload-step.c has the
 * verbs, this file what becomes of them, and the opening and closing. */

#include "workload-private.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BEGINNING G_GINT64_CONSTANT (1700000000000000000)
#define STEP_TIME 1000 /* µs */
#define CHECKPOINT_SIZE "6144"
#define MAX_REOPENINGS 3

void
workload_complain (Workload *self, const char *format, ...)
{
  va_list args;

  if (*self->log->complaint)
    return;
  va_start (args, format);
  g_vsnprintf (self->log->complaint, sizeof self->log->complaint, format, args);
  va_end (args);
}

/* --- quiet ------------------------------------------------------------------------------------ */

static gboolean
is_waiting (const char *task)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%s/stat", task);
  char line[256];
  FILE *file = fopen (path, "r");
  const char *state = NULL;

  if (file == NULL)
    return TRUE; /* it is gone */
  if (fgets (line, sizeof line, file))
    state = strrchr (line, ')');
  fclose (file);
  return state == NULL || state[2] == 'S';
}

static gboolean
is_quiet (void)
{
  DIR *tasks = opendir ("/proc/self/task");
  struct dirent *entry;
  gboolean quiet = TRUE;
  g_autofree char *self = g_strdup_printf ("%d", (int) getpid ());

  while (quiet && (entry = readdir (tasks)))
    quiet =
        *entry->d_name == '.' || g_str_equal (entry->d_name, self) || is_waiting (entry->d_name);
  closedir (tasks);
  return quiet;
}

/* Twice: the first one that was looked at may have been woken by the last one. */
void
workload_await_quiet (void)
{
  guint n = 0;

  while (n < 2)
    if (is_quiet ())
      n++;
    else
      {
        n = 0;
        sched_yield ();
      }
}

/* --- time ------------------------------------------------------------------------------------- */

static void
tell_time (Workload *self, Model *model)
{
  model_set_time (model, job_clock_get_wall_time (JOB_CLOCK (self->clock)),
                  job_clock_get_boot_time (JOB_CLOCK (self->clock)));
}

static void
let_time_pass (Workload *self)
{
  job_stepped_clock_step (self->clock, STEP_TIME);
  tell_time (self, self->model);
  if (self->maybe)
    tell_time (self, self->maybe);
}

void
workload_init (Workload *self, const char *backend, const char *folder, GArray *steps, WorkLog *log)
{
  *self = (Workload){ .backend = backend, .folder = folder, .steps = steps, .log = log };
  self->clock = job_stepped_clock_new (BEGINNING);
  self->model = model_new ();
  self->model->exact_times = TRUE;
  tell_time (self, self->model);
}

void
workload_clear (Workload *self)
{
  g_clear_object (&self->queue);
  g_clear_object (&self->clock);
  g_clear_pointer (&self->model, model_free);
  g_clear_pointer (&self->maybe, model_free);
}

/* --- opening and closing ---------------------------------------------------------------------- */

GHashTable *
workload_dup_options (const char *backend, const char *folder, char **path)
{
  GHashTable *options = g_hash_table_new (g_str_hash, g_str_equal);
  gboolean is_folder = g_str_equal (backend, "fs-json");
  const char *file = is_folder                       ? "jobs"
                     : g_str_equal (backend, "gdbm") ? "jobs.gdbm"
                                                     : "jobs.sqlite";

  *path = g_build_filename (folder, file, NULL);
  g_hash_table_insert (options, is_folder ? (char *) "directory" : (char *) "file", *path);
  return options;
}

static JobQueue *
open_queue (Workload *self, GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (GHashTable) options = workload_dup_options (self->backend, self->folder, &path);

  g_hash_table_insert (options, (char *) "checkpoint-size", (char *) CHECKPOINT_SIZE);
  return job_queue_new_for_backend (self->backend, options, JOB_CLOCK (self->clock), error);
}

gboolean
workload_may_fail (Workload *self)
{
  return self->may_fail && self->may_fail (self->data);
}

void
workload_close (Workload *self)
{
  g_autoptr (GError) error = NULL;

  if (self->queue == NULL)
    return;
  if (!job_queue_close (self->queue, NULL, &error) && !workload_may_fail (self))
    workload_complain (self, "the queue cannot be closed: %s", error->message);
  g_assert_finalize_object (g_steal_pointer (&self->queue));
}

/* The fault again, or what it left in this opening: then the queue cannot be looked at. */
static gboolean
is_hidden (Workload *self, const char *difference)
{
  return workload_may_fail (self) &&
         (strstr (difference, "cannot be read") || strstr (difference, "are damaged"));
}

/* Which of the two models is true. FALSE: neither, or it cannot be seen. */
static gboolean
choose (Workload *self)
{
  g_autofree char *first = NULL, *second = NULL;

  if (model_check (self->model, self->queue, &first))
    {
      g_clear_pointer (&self->maybe, model_free);
      return TRUE;
    }
  if (self->maybe && model_check (self->maybe, self->queue, &second))
    {
      model_free (self->model);
      self->model = g_steal_pointer (&self->maybe);
      return TRUE;
    }
  if (is_hidden (self, first) || (second && is_hidden (self, second)))
    return FALSE;
  workload_complain (self, "%s%s%s", first,
                     second ? "; nor is the call that was cut off done whole: " : "",
                     second ? second : "");
  return FALSE;
}

static gboolean
reopen (Workload *self, GError **error)
{
  if (self->opening)
    self->opening (self->data);
  self->queue = open_queue (self, error);
  if (self->queue == NULL)
    return FALSE;
  model_reopen (self->model);
  if (self->maybe)
    model_reopen (self->maybe);
  return TRUE;
}

/* What could not be read at the opening is not in this queue, and who depends on it stays blocked:
 * which is no harm, but is not what the model says. The next opening may be luckier. */
static gboolean
is_sound (Workload *self)
{
  g_autofree char *first = NULL, *second = NULL;

  return model_check (self->model, self->queue, &first) ||
         (self->maybe && model_check (self->maybe, self->queue, &second));
}

/* FALSE: it does not go any more. */
static gboolean
open_again (Workload *self)
{
  for (guint i = 0; i < MAX_REOPENINGS; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!reopen (self, &error))
        {
          if (!workload_may_fail (self))
            workload_complain (self, "the queue cannot be opened: %s", error->message);
          continue;
        }
      if (!workload_may_fail (self) || is_sound (self))
        return TRUE;
      workload_close (self);
    }
  return FALSE;
}

/* --- the steps -------------------------------------------------------------------------------- */

/* The model may have been chosen by now: then the log has to tell others. */
static void
settle_log (Workload *self, gboolean done)
{
  for (guint i = 0; i < self->log->n_steps; i++)
    if (self->log->entries[i].outcome == WORK_UNKNOWN)
      self->log->entries[i].outcome = done ? WORK_ANSWERED : WORK_FAILED;
}

/* After an outcome that nobody knows, or when the queue has closed itself. */
static gboolean
recover (Workload *self)
{
  const Model *before = self->model;

  self->log->n_reopened++;
  workload_close (self);
  if (!open_again (self))
    return FALSE;
  if (!choose (self))
    return FALSE;
  settle_log (self, self->model != before);
  return TRUE;
}

static gboolean
play_reopen (Workload *self)
{
  workload_close (self);
  return open_again (self) && choose (self);
}

/* A call that failed has changed nothing, in memory either. */
static gboolean
check_unchanged (Workload *self)
{
  g_autofree char *difference = NULL;

  if (model_check (self->model, self->queue, &difference) || is_hidden (self, difference))
    return TRUE;
  workload_complain (self, "after a call that failed: %s", difference);
  return FALSE;
}

static gboolean
play_verb (Workload *self, const WorkStep *step, WorkEntry *entry)
{
  WorkAnswer answer = workload_play_step (self, step, entry->token);

  entry->outcome = answer == WORK_ANSWER_UNKNOWN    ? WORK_UNKNOWN
                   : answer == WORK_ANSWER_AS_MODEL ? WORK_ANSWERED
                                                    : WORK_FAILED;
  self->log->n_failed += answer != WORK_ANSWER_AS_MODEL;
  if (*self->log->complaint)
    return FALSE;
  if (answer == WORK_ANSWER_UNKNOWN || answer == WORK_ANSWER_CLOSED)
    return recover (self);
  return answer != WORK_ANSWER_FAILED || check_unchanged (self);
}

static gboolean
play (Workload *self, guint number)
{
  const WorkStep *step = &g_array_index (self->steps, WorkStep, number);
  WorkEntry *entry = &self->log->entries[number];
  gboolean goes_on;

  let_time_pass (self);
  entry->outcome = WORK_BEGUN;
  self->log->n_steps = number + 1;
  if (step->verb == WORK_REOPEN)
    {
      goes_on = play_reopen (self);
      entry->outcome = WORK_ANSWERED;
    }
  else
    goes_on = play_verb (self, step, entry);
  if (!self->hurries)
    workload_await_quiet ();
  if (self->answered)
    self->answered (number, self->data);
  return goes_on && *self->log->complaint == '\0';
}

void
workload_run (Workload *self)
{
  gboolean goes_on = open_again (self);

  for (guint i = 0; goes_on && i < self->steps->len; i++)
    goes_on = play (self, i);
}

/* --- afterwards ------------------------------------------------------------------------------- */

void
workload_replay (Workload *self, guint n_entries)
{
  guint n = MIN (self->log->n_steps, self->steps->len);

  for (guint i = 0; i < n; i++)
    {
      const WorkStep *step = &g_array_index (self->steps, WorkStep, i);
      const WorkEntry *entry = &self->log->entries[i];
      gboolean is_open =
          i >= n_entries || entry->outcome == WORK_BEGUN || entry->outcome == WORK_UNKNOWN;

      if (i > n_entries)
        break;
      let_time_pass (self);
      if (is_open)
        {
          self->maybe = model_copy (self->model);
          workload_model_step (self, self->maybe, step, NULL);
        }
      else if (step->verb == WORK_REOPEN)
        model_reopen (self->model);
      else if (entry->outcome == WORK_ANSWERED)
        workload_model_step (self, self->model, step, entry->token);
      if (is_open)
        break;
    }
}

/* The step that was cut off is known now, but for the token of its lease. */
static void
settle_cut (Workload *self, gboolean done)
{
  for (guint i = 0; i < self->log->n_steps; i++)
    if (self->log->entries[i].outcome == WORK_BEGUN)
      {
        *self->log->entries[i].token = '\0';
        self->log->entries[i].outcome = done ? WORK_ANSWERED : WORK_FAILED;
      }
}

gboolean
workload_resume (Workload *self)
{
  const Model *before = self->model;

  if (!open_again (self) || !choose (self))
    return FALSE;
  settle_cut (self, self->model != before);
  return TRUE;
}

gboolean
workload_go_on (Workload *self, guint n_steps)
{
  gboolean goes_on = TRUE;

  for (guint n = 0; goes_on && n < n_steps && self->log->n_steps < self->steps->len; n++)
    goes_on = play (self, self->log->n_steps);
  return goes_on;
}

gboolean
workload_check (Workload *self)
{
  for (guint i = 0; i < 2 && *self->log->complaint == '\0'; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!reopen (self, &error))
        workload_complain (self, "the queue cannot be opened: %s", error->message);
      else if (choose (self))
        workload_close (self);
    }
  return *self->log->complaint == '\0';
}
