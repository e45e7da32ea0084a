/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* jobctl list, leases and check: what is in the store. */

#include <stdio.h>

#include "jobctl.h"

typedef struct
{
  GStrv states;
  GStrv types;
  GStrv channels;
  int limit;
} ListOptions;

static void
list_options_clear (ListOptions *options)
{
  g_strfreev (options->states);
  g_strfreev (options->types);
  g_strfreev (options->channels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ListOptions, list_options_clear)

static char **
parse_list (Jobctl *ctl, ListOptions *options, int argc, char **argv, GError **error)
{
  static const JobctlUsage usage = {
    "",
    "Lists jobs in the order in which they are dequeued.",
    "STATE is blocked, scheduled, pending, running, succeeded, failed or canceled.\n"
    "--state, --type and --channel may be given again; without any, all jobs are listed.",
    0,
    0,
  };
  const GOptionEntry entries[] = {
    { "state", 's', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &options->states,
      "Only jobs in this state", "STATE" },
    { "type", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &options->types,
      "Only jobs of this type", "TYPE" },
    { "channel", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &options->channels,
      "Only jobs in this channel", "CHANNEL" },
    { "limit", 'n', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &options->limit,
      "At most so many jobs (default: 0, all)", "NUMBER" },
    G_OPTION_ENTRY_NULL,
  };

  return jobctl_parse (ctl, &usage, entries, argc, argv, error);
}

static JobFilter *
build_filter (const ListOptions *options, GError **error)
{
  g_autoptr (JobFilter) filter = job_filter_new ();
  JobState state;

  if (options->limit < 0)
    {
      jobctl_set_usage_error (error, "--limit is 0 or more, not %d", options->limit);
      return NULL;
    }
  for (char **text = options->states; text != NULL && *text != NULL; text++)
    {
      if (!job_state_from_string (*text, &state, error))
        return NULL;
      job_filter_add_state (filter, state);
    }
  if (options->types != NULL)
    job_filter_set_types (filter, (const char *const *) options->types);
  if (options->channels != NULL)
    job_filter_set_channels (filter, (const char *const *) options->channels);
  job_filter_set_limit (filter, options->limit);
  return g_steal_pointer (&filter);
}

static void
add_info (JobctlTable *table, JobInfo *info)
{
  g_autofree char *queued_at = jobctl_dup_time (job_info_get_queued_at (info));
  g_autofree char *reason = job_info_dup_reason_text (info);
  g_autofree char *attempts =
      g_strdup_printf ("%u/%u", job_info_get_attempts (info), job_info_get_max_attempts (info));
  const char *cells[] = {
    job_info_get_id (info),
    job_state_to_string (job_info_get_state (info)),
    job_info_get_job_type (info),
    job_info_get_channel (info),
    queued_at,
    attempts,
    reason,
  };

  jobctl_table_add (table, cells);
}

static void
print_infos (GListModel *infos)
{
  const char *const titles[] = {
    "ID", "STATE", "TYPE", "CHANNEL", "QUEUED AT", "ATTEMPTS", "REASON"
  };
  g_autoptr (JobctlTable) table = jobctl_table_new ("lllllrl", titles);

  for (guint i = 0; i < g_list_model_get_n_items (infos); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (infos, i);

      add_info (table, info);
    }
  jobctl_table_print (table, stdout);
}

int
jobctl_list (Jobctl *ctl, int argc, char **argv, GError **error)
{
  g_auto (ListOptions) options = { 0 };
  g_auto (GStrv) rest = parse_list (ctl, &options, argc, argv, error);
  g_autoptr (JobFilter) filter = rest != NULL ? build_filter (&options, error) : NULL;
  g_autoptr (GListModel) infos = NULL;

  if (filter == NULL || jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  infos = job_queue_list (ctl->queue, filter, NULL, error);
  if (infos == NULL)
    return JOBCTL_EXIT_STORAGE;
  if (ctl->json)
    jobctl_print_infos_json (infos);
  else
    print_infos (infos);
  return JOBCTL_EXIT_DONE;
}

static void
add_lease (JobctlTable *table, JobInfo *info)
{
  g_autofree char *started_at = jobctl_dup_time (job_info_get_started_at (info));
  g_autofree char *age =
      g_strdup_printf ("%.1f s", job_info_get_heartbeat_age (info) / (double) G_USEC_PER_SEC);
  const char *cells[] = { job_info_get_id (info), job_info_get_job_type (info),
                          job_info_get_channel (info), started_at, age };

  jobctl_table_add (table, cells);
}

static void
print_leases (GListModel *infos)
{
  const char *const titles[] = { "ID", "TYPE", "CHANNEL", "STARTED AT", "HEARTBEAT" };
  g_autoptr (JobctlTable) table = jobctl_table_new ("llllr", titles);

  for (guint i = 0; i < g_list_model_get_n_items (infos); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (infos, i);

      add_lease (table, info);
    }
  jobctl_table_print (table, stdout);
}

int
jobctl_leases (Jobctl *ctl, int argc, char **argv, GError **error)
{
  static const JobctlUsage usage = {
    "",
    "Lists the running jobs with the age of their last heartbeat, the oldest first.",
    "After the store was opened, ages count from the opening. \"jobctl release ID\" takes a\n"
    "job back; \"jobctl work\" does so by itself for what a dead worker held.",
    0,
    0,
  };
  double seconds = 0;
  const GOptionEntry entries[] = {
    { "older-than", 'o', G_OPTION_FLAG_NONE, G_OPTION_ARG_DOUBLE, &seconds,
      "Only those without a heartbeat for so long (default: 0)", "SECONDS" },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) rest = jobctl_parse (ctl, &usage, entries, argc, argv, error);
  g_autoptr (GListModel) infos = NULL;
  gint64 older_than;

  if (rest == NULL || !jobctl_parse_seconds (seconds, "--older-than", &older_than, error) ||
      jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  infos = job_queue_list_leases (ctl->queue, older_than, NULL, error);
  if (infos == NULL)
    return JOBCTL_EXIT_STORAGE;
  if (ctl->json)
    jobctl_print_infos_json (infos);
  else
    print_leases (infos);
  return JOBCTL_EXIT_DONE;
}

static void
append_damage (GString *out, JobDamage *damage)
{
  const char *id = job_damage_get_id (damage);
  g_autofree char *location = jobctl_dup_printable (job_damage_get_location (damage), 0);
  g_autofree char *message = jobctl_dup_printable (job_damage_get_message (damage), 0);

  g_string_append (out, "{\"location\":");
  job_json_append_string (out, location);
  g_string_append (out, ",\"id\":");
  if (id != NULL)
    job_json_append_string (out, id);
  else
    g_string_append (out, "null");
  g_string_append (out, ",\"message\":");
  job_json_append_string (out, message);
  g_string_append_c (out, '}');
}

static void
append_damages (GString *out, const char *name, GListModel *damages)
{
  g_string_append_printf (out, ",\"%s\":[", name);
  for (guint i = 0; damages != NULL && i < g_list_model_get_n_items (damages); i++)
    {
      g_autoptr (JobDamage) damage = g_list_model_get_item (damages, i);

      if (i > 0)
        g_string_append_c (out, ',');
      append_damage (out, damage);
    }
  g_string_append_c (out, ']');
}

static void
print_check_json (guint n_jobs, GListModel *moved, GListModel *left)
{
  g_autoptr (GString) out = g_string_new (NULL);

  g_string_append_printf (out, "{\"jobs\":%u", n_jobs);
  append_damages (out, "moved", moved);
  append_damages (out, "damaged", left);
  g_string_append (out, "}");
  puts (out->str);
}

static void
print_damages (GListModel *damages)
{
  for (guint i = 0; damages != NULL && i < g_list_model_get_n_items (damages); i++)
    {
      g_autoptr (JobDamage) damage = g_list_model_get_item (damages, i);
      g_autofree char *location = jobctl_dup_printable (job_damage_get_location (damage), 0);
      g_autofree char *message = jobctl_dup_printable (job_damage_get_message (damage), 0);

      printf ("%s: %s\n", location, message);
    }
}

static void
print_check (guint n_jobs, const char *directory, GListModel *moved, GListModel *left)
{
  guint n_left = g_list_model_get_n_items (left);

  print_damages (moved);
  print_damages (left);
  printf ("%u job%s read", n_jobs, n_jobs == 1 ? "" : "s");
  if (moved != NULL)
    {
      g_autofree char *printable = jobctl_dup_printable (directory, 0);

      printf (", %u damaged moved to %s", g_list_model_get_n_items (moved), printable);
    }
  printf (", %u damaged%s\n", n_left, moved != NULL ? " left" : "");
}

/* Every job is read first: a record may have been damaged after the store was opened, or be one of
 * a job that is over, which opening does not read. */
static int
check (Jobctl *ctl, const char *directory, GError **error)
{
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GListModel) jobs = job_queue_list (ctl->queue, filter, NULL, error);
  g_autoptr (GListModel) moved = NULL;
  g_autoptr (GListModel) left = NULL;

  if (jobs == NULL)
    return JOBCTL_EXIT_STORAGE;
  if (directory != NULL)
    moved = job_queue_move_damaged (ctl->queue, directory, NULL, error);
  if (directory == NULL || moved != NULL)
    left = job_queue_list_damaged (ctl->queue, NULL, error);
  if (left == NULL)
    return JOBCTL_EXIT_STORAGE;
  if (ctl->json)
    print_check_json (g_list_model_get_n_items (jobs), moved, left);
  else
    print_check (g_list_model_get_n_items (jobs), directory, moved, left);
  return g_list_model_get_n_items (left) == 0 ? JOBCTL_EXIT_DONE : JOBCTL_EXIT_STORAGE;
}

int
jobctl_check (Jobctl *ctl, int argc, char **argv, GError **error)
{
  static const JobctlUsage usage = {
    "",
    "Reads every job and lists the records that are damaged.",
    "The other jobs are not touched. The exit code is 5 while damaged records are left.",
    0,
    0,
  };
  g_autofree char *directory = NULL;
  const GOptionEntry entries[] = {
    { "move", 'm', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &directory,
      "Move the damaged records into this folder, which must exist", "FOLDER" },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) rest = jobctl_parse (ctl, &usage, entries, argc, argv, error);

  if (rest == NULL || jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  return check (ctl, directory, error);
}
