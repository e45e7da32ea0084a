/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* jobctl show, wait, cancel and release: jobs by their ids. */

#include <math.h>
#include <stdio.h>

#include "jobctl.h"

int
jobctl_show (Jobctl *ctl, int argc, char **argv, GError **error)
{
  static const JobctlUsage usage = {
    "ID", "Shows all of one job: its args, its result, what it waits for.", NULL, 1, 1,
  };
  g_auto (GStrv) rest = jobctl_parse (ctl, &usage, NULL, argc, argv, error);
  g_autoptr (JobInfo) info = NULL;

  if (rest == NULL || jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  info = job_queue_get_info (ctl->queue, rest[0], NULL, error);
  if (info == NULL)
    return JOBCTL_EXIT_STORAGE;
  jobctl_print_info (ctl, info);
  return JOBCTL_EXIT_DONE;
}

int
jobctl_wait (Jobctl *ctl, int argc, char **argv, GError **error)
{
  static const JobctlUsage usage = {
    "ID",
    "Waits until a job is over, and shows it.",
    "The exit code is 0 if it succeeded, 1 if it failed or was cancelled, 124 if the time was\n"
    "up. On a store that one process holds at a time, nobody works while this waits.",
    1,
    1,
  };
  double seconds = INFINITY;
  gint64 timeout = -1;
  const GOptionEntry entries[] = {
    { "timeout", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_DOUBLE, &seconds,
      "Wait at most so long; 0 only looks (default: for ever)", "SECONDS" },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) rest = jobctl_parse (ctl, &usage, entries, argc, argv, error);
  g_autoptr (JobInfo) info = NULL;

  if (rest == NULL ||
      (seconds != INFINITY && !jobctl_parse_seconds (seconds, "--timeout", &timeout, error)) ||
      jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  info = job_queue_wait (ctl->queue, rest[0], timeout, NULL, error);
  if (info == NULL)
    return JOBCTL_EXIT_STORAGE;
  jobctl_print_info (ctl, info);
  return job_info_get_state (info) == JOB_STATE_SUCCEEDED ? JOBCTL_EXIT_DONE : JOBCTL_EXIT_JOB;
}

typedef gboolean (*JobVerb) (JobQueue *queue, const char *id, GError **error);

static gboolean
cancel_one (JobQueue *queue, const char *id, GError **error)
{
  return job_queue_cancel (queue, id, NULL, error);
}

static gboolean
release_one (JobQueue *queue, const char *id, GError **error)
{
  return job_queue_release (queue, id, NULL, NULL, error);
}

static void
print_done (Jobctl *ctl, const char *participle, const char *id)
{
  if (ctl->json)
    printf ("{\"event\":\"%s\",\"id\":\"%s\"}\n", participle, id);
  else
    printf ("%s %s\n", participle, id);
}

/* One job after the other, to the end: what fails is said at once, and the last failure decides the
 * exit code. */
static int
for_each_job (Jobctl *ctl, char **ids, JobVerb verb, const char *participle, GError **error)
{
  g_autoptr (GError) last = NULL;

  for (; *ids != NULL; ids++)
    {
      g_autoptr (GError) failure = NULL;

      if (verb (ctl->queue, *ids, &failure))
        {
          print_done (ctl, participle, *ids);
          continue;
        }
      if (last != NULL)
        jobctl_print_error (last);
      g_clear_error (&last);
      last = g_steal_pointer (&failure);
    }
  if (last == NULL)
    return JOBCTL_EXIT_DONE;
  g_propagate_error (error, g_steal_pointer (&last));
  return JOBCTL_EXIT_JOB;
}

int
jobctl_cancel (Jobctl *ctl, int argc, char **argv, GError **error)
{
  static const JobctlUsage usage = {
    "ID...",
    "Cancels jobs, and with them the jobs that can no longer run.",
    "A job that is over cannot be cancelled: exit code 1.",
    1,
    G_MAXUINT,
  };
  g_auto (GStrv) rest = jobctl_parse (ctl, &usage, NULL, argc, argv, error);

  if (rest == NULL || jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  return for_each_job (ctl, rest, cancel_one, "canceled", error);
}

int
jobctl_release (Jobctl *ctl, int argc, char **argv, GError **error)
{
  static const JobctlUsage usage = {
    "ID...",
    "Takes running jobs back from whoever holds them: they are pending again, in their old\n"
    "place, and the attempt does not count.",
    NULL,
    1,
    G_MAXUINT,
  };
  g_auto (GStrv) rest = jobctl_parse (ctl, &usage, NULL, argc, argv, error);

  if (rest == NULL || jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  return for_each_job (ctl, rest, release_one, "released", error);
}
