/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* jobctl add: one job, from the command line. */

#include <stdio.h>
#include <string.h>

#include "job-time.h"
#include "jobctl.h"

typedef struct
{
  char *channel;
  int priority;
  GStrv after;
  double delay;
  char *run_at;
  int max_attempts;
} AddOptions;

static void
add_options_clear (AddOptions *options)
{
  g_free (options->channel);
  g_strfreev (options->after);
  g_free (options->run_at);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AddOptions, add_options_clear)

static const JobctlUsage usage = {
  "TYPE [ARGS|-]",
  "Enqueues one job of type TYPE and prints its id. ARGS is JSON text (default: null);\n"
  "\"-\" reads it from standard input.",
  "Example:\n"
  "  jobctl add exec '{\"argv\":[\"uptime\"]}'\n\n"
  "CONDITION is afterok (the default), afterany or afternotok.",
  1,
  2,
};

static char **
parse (Jobctl *ctl, AddOptions *options, int argc, char **argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "channel", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &options->channel,
      "The channel of the job (default: the empty one)", "CHANNEL" },
    { "priority", 'p', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &options->priority,
      "Higher runs first (default: 0)", "NUMBER" },
    { "after", 'a', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &options->after,
      "A job to wait for; may be given again", "ID[:CONDITION]" },
    { "delay", 'd', G_OPTION_FLAG_NONE, G_OPTION_ARG_DOUBLE, &options->delay,
      "Do not start before so many seconds from now", "SECONDS" },
    { "run-at", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &options->run_at,
      "Do not start before this time, such as 2030-01-31T08:00:00Z", "TIME" },
    { "max-attempts", 'm', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &options->max_attempts,
      "How often it may be tried (default: 1)", "NUMBER" },
    G_OPTION_ENTRY_NULL,
  };

  return jobctl_parse (ctl, &usage, entries, argc, argv, error);
}

static gboolean
add_dependency (JobSpec *spec, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 2);
  JobCondition condition = JOB_CONDITION_AFTER_OK;
  gboolean has_condition = parts[0] != NULL && parts[1] != NULL;

  if (has_condition && !job_condition_from_string (parts[1], &condition, error))
    return FALSE;
  job_spec_add_dependency (spec, parts[0] != NULL ? parts[0] : "", condition);
  return TRUE;
}

static gboolean
set_run_at (JobSpec *spec, const AddOptions *options, GError **error)
{
  gint64 run_at = 0, delay = 0;

  if (options->run_at != NULL && options->delay != 0)
    {
      jobctl_set_usage_error (error, "--delay and --run-at exclude each other: give one");
      return FALSE;
    }
  if (options->run_at != NULL && (!job_time_parse (options->run_at, &run_at) || run_at <= 0))
    {
      jobctl_set_usage_error (error,
                              "--run-at: \"%s\" is not a time with its zone from 1970 to 2262, "
                              "such as 2030-01-31T08:00:00Z",
                              options->run_at);
      return FALSE;
    }
  if (!jobctl_parse_seconds (options->delay, "--delay", &delay, error))
    return FALSE;
  if (delay > 0)
    run_at = job_clock_get_wall_time (job_clock_get_system ()) + delay * 1000;
  job_spec_set_run_at (spec, run_at);
  return TRUE;
}

static gboolean
set_options (JobSpec *spec, const AddOptions *options, GError **error)
{
  if (options->max_attempts < 1)
    {
      jobctl_set_usage_error (error, "--max-attempts is at least 1, not %d", options->max_attempts);
      return FALSE;
    }
  job_spec_set_max_attempts (spec, options->max_attempts);
  job_spec_set_priority (spec, options->priority);
  if (options->channel != NULL)
    job_spec_set_channel (spec, options->channel);
  for (char **after = options->after; after != NULL && *after != NULL; after++)
    if (!add_dependency (spec, *after, error))
      return FALSE;
  return set_run_at (spec, options, error);
}

/* The JSON text of the job's args. A NUL in it would cut it short unseen, so it is refused here. */
static char *
read_args (const char *argument, GError **error)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  if (argument == NULL || strcmp (argument, "-") != 0)
    return g_strdup (argument != NULL ? argument : "null");
  text = jobctl_read_text (argument, &length, error);
  if (text == NULL || !job_json_check (text, length, "args", NULL, NULL, error))
    return NULL;
  return g_steal_pointer (&text);
}

int
jobctl_add (Jobctl *ctl, int argc, char **argv, GError **error)
{
  g_auto (AddOptions) options = { .max_attempts = 1 };
  g_auto (GStrv) rest = parse (ctl, &options, argc, argv, error);
  g_autofree char *args = rest != NULL ? read_args (rest[1], error) : NULL;
  g_autofree char *id = NULL;
  g_autoptr (JobSpec) spec = NULL;

  if (args == NULL)
    return JOBCTL_EXIT_USAGE;
  spec = job_spec_new (rest[0], args);
  if (!set_options (spec, &options, error) || jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  id = job_queue_enqueue (ctl->queue, spec, NULL, error);
  if (id == NULL)
    return JOBCTL_EXIT_STORAGE;
  if (ctl->json)
    printf ("{\"id\":\"%s\"}\n", id);
  else
    puts (id);
  return JOBCTL_EXIT_DONE;
}
