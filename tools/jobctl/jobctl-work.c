/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* jobctl work: a pool of workers, until a signal ends it or nothing is left to do. */

#include <stdio.h>

#include "jobctl-pool.h"

static const JobctlUsage usage = {
  "",
  "Runs jobs, several at a time, until SIGINT or SIGTERM; with --drain until nothing is\n"
  "left that can run here.",
  "The first signal ends the commands that run and gives their jobs back, the second one\n"
  "ends this program at once. At its start it takes back what a worker that died was\n"
  "running. With --json it prints a line for each event, once the event is on disk:\n"
  "started, succeeded, failed (one attempt), canceled, released, lost.\n\n"
  "A job that failed does not change the exit code. With --drain the exit code is 6 if\n"
  "jobs are left, and 128 + the signal's number if a signal came first.",
  0,
  0,
};

static guint
count_left (GListModel *infos, guint counts[JOB_STATE_CANCELED + 1])
{
  guint n = g_list_model_get_n_items (infos);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (infos, i);

      counts[job_info_get_state (info)]++;
    }
  return n;
}

/* What is not over after a drain: nobody here can run it. */
static int
report_left (Jobctl *ctl, GError **error)
{
  static const JobState states[] = { JOB_STATE_BLOCKED, JOB_STATE_SCHEDULED, JOB_STATE_PENDING,
                                     JOB_STATE_RUNNING };
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GListModel) infos = NULL;
  guint counts[JOB_STATE_CANCELED + 1] = { 0 };
  guint n;

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    job_filter_add_state (filter, states[i]);
  infos = job_queue_list (ctl->queue, filter, NULL, error);
  if (infos == NULL)
    return JOBCTL_EXIT_STORAGE;
  n = count_left (infos, counts);
  if (n == 0)
    return JOBCTL_EXIT_DONE;
  fprintf (stderr, "jobctl: %u job%s left that no handler here can run:", n,
           n == 1 ? " is" : "s are");
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    if (counts[states[i]] > 0)
      fprintf (stderr, " %u %s", counts[states[i]], job_state_to_string (states[i]));
  fputs ("; \"jobctl list\" tells more\n", stderr);
  return JOBCTL_EXIT_LEFT;
}

static int
work (JobctlPool *pool, gboolean drain, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  if (!jobctl_pool_take_back_leases (pool, error) || !jobctl_pool_run (pool, drain, error))
    return JOBCTL_EXIT_STORAGE;
  if (!pool->ctl->json)
    printf ("%u succeeded, %u failed in %.1f s\n", pool->n_succeeded, pool->n_failed,
            (g_get_monotonic_time () - start) / (double) G_USEC_PER_SEC);
  if (!drain)
    return JOBCTL_EXIT_DONE;
  return pool->signal != 0 ? 128 + pool->signal : report_left (pool->ctl, error);
}

int
jobctl_work (Jobctl *ctl, int argc, char **argv, GError **error)
{
  g_auto (JobctlPoolOptions) options = { 0 };
  gboolean drain = FALSE;
  const GOptionEntry entries[] = {
    { "jobs", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &options.n_jobs,
      "How many to run at the same time (default: one for each core)", "NUMBER" },
    { "type", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &options.types,
      "Which handler runs jobs of a type; may be given again (default: exec=exec)",
      "TYPE=HANDLER" },
    { "channel", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &options.channels,
      "Only jobs in this channel; may be given again (default: any)", "CHANNEL" },
    { "drain", 'd', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &drain,
      "End when nothing is left that can run here", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) rest = jobctl_parse (ctl, &usage, entries, argc, argv, error);
  g_autoptr (JobctlPool) pool = NULL;

  if (rest == NULL || jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  pool = jobctl_pool_new (ctl, &options, error);
  return pool != NULL ? work (pool, drain, error) : JOBCTL_EXIT_USAGE;
}
