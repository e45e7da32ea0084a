/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* jobctl: the queue on the command line. This file has main(), the options that all commands share,
 * and what an error means as an exit code. The commands are in the other files, one family each;
 * none of them knows another.
 *
 * Texts from outside are taken as bytes (G_OPTION_ARG_FILENAME): whatever the locale is, a type, a
 * channel or a JSON text arrives as it was typed. */

#include <errno.h>
#include <gio/gunixinputstream.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jobctl.h"

#define EXAMPLE "for example: --store sqlite:/var/lib/example/jobs.sqlite"

typedef struct
{
  const char *name;
  const char *summary;
  JobctlFunc func;
} JobctlCommand;

static const JobctlCommand commands[] = {
  { "add", "Enqueue one job and print its id", jobctl_add },
  { "list", "List jobs", jobctl_list },
  { "show", "Show all of one job", jobctl_show },
  { "wait", "Wait until a job is over", jobctl_wait },
  { "cancel", "Cancel jobs", jobctl_cancel },
  { "release", "Take running jobs back: they are pending again", jobctl_release },
  { "leases", "List the jobs that workers hold", jobctl_leases },
  { "check", "Find damaged records, and move them away", jobctl_check },
  { "work", "Run a pool of workers", jobctl_work },
  { "run", "Enqueue a graph of jobs from a file and work it", jobctl_run },
};

void
jobctl_set_usage_error (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, message);
}

gboolean
jobctl_parse_seconds (double seconds, const char *option, gint64 *microseconds, GError **error)
{
  if (!isfinite (seconds) || seconds < 0 || seconds > 1e9)
    {
      jobctl_set_usage_error (error, "%s takes seconds from 0 to 1000000000, not %g", option,
                              seconds);
      return FALSE;
    }
  *microseconds = (gint64) (seconds * G_USEC_PER_SEC);
  return TRUE;
}

static char *
read_standard_input (gsize *length, GError **error)
{
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();

  if (g_output_stream_splice (memory, input, G_OUTPUT_STREAM_SPLICE_NONE, NULL, error) < 0 ||
      !g_output_stream_write_all (memory, "", 1, NULL, NULL, error) ||
      !g_output_stream_close (memory, NULL, error))
    {
      g_prefix_error (error, "standard input: ");
      return NULL;
    }
  *length = g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (memory)) - 1;
  return g_memory_output_stream_steal_data (G_MEMORY_OUTPUT_STREAM (memory));
}

char *
jobctl_read_text (const char *path, gsize *length, GError **error)
{
  char *text = NULL;

  if (strcmp (path, "-") == 0)
    return read_standard_input (length, error);
  return g_file_get_contents (path, &text, length, error) ? text : NULL;
}

static void
add_shared_entries (GOptionContext *context, Jobctl *ctl)
{
  const GOptionEntry entries[] = {
    { "config", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &ctl->config,
      "The config file that says where the jobs are", "FILE" },
    { "store", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &ctl->store,
      "Where the jobs are, as BACKEND:PATH (instead of --config)", "URI" },
    { "json", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &ctl->json, "Print JSON, for programs",
      NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_add_main_entries (context, entries, NULL);
}

static gboolean
check_arguments (const JobctlUsage *usage, const char *command, char **rest, GError **error)
{
  guint n = g_strv_length (rest);

  if (n < usage->n_min)
    jobctl_set_usage_error (error, "%s: an argument is missing: jobctl %s %s", command, command,
                            usage->parameters);
  else if (n > usage->n_max)
    jobctl_set_usage_error (error, "%s: \"%s\" is one argument too many: jobctl %s %s", command,
                            rest[usage->n_max], command, usage->parameters);
  else
    return TRUE;
  return FALSE;
}

static GOptionContext *
new_command_context (Jobctl *ctl, const JobctlUsage *usage, const GOptionEntry *entries,
                     const char *command)
{
  g_autofree char *parameters = g_strdup_printf ("%s %s", command, usage->parameters);
  GOptionContext *context = g_option_context_new (parameters);

  g_option_context_set_summary (context, usage->summary);
  g_option_context_set_description (context, usage->description);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

char **
jobctl_parse (Jobctl *ctl, const JobctlUsage *usage, const GOptionEntry *entries, int argc,
              char **argv, GError **error)
{
  g_autoptr (GOptionContext) context = new_command_context (ctl, usage, entries, argv[0]);
  g_auto (GStrv) rest = NULL;
  const GOptionEntry remaining[] = {
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &rest, "", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) words = g_strdupv (argv); /* the parser takes words out of it */
  const char *command = argv[0];

  g_free (words[0]);
  words[0] = g_strdup ("jobctl");
  g_option_context_add_main_entries (context, remaining, NULL);
  add_shared_entries (context, ctl);
  if (!g_option_context_parse_strv (context, &words, error))
    {
      g_prefix_error (error, "%s: ", command);
      return NULL;
    }
  if (rest == NULL)
    rest = g_new0 (char *, 1);
  return check_arguments (usage, command, rest, error) ? g_steal_pointer (&rest) : NULL;
}

JobQueue *
jobctl_open (Jobctl *ctl, GError **error)
{
  if (ctl->config == NULL && ctl->store == NULL)
    ctl->queue = jobctl_open_default (error);
  else if (ctl->config != NULL && ctl->store != NULL)
    jobctl_set_usage_error (error, "--config and --store exclude each other: give one; %s",
                            EXAMPLE);
  else if (ctl->config != NULL)
    ctl->queue = job_queue_new_from_config (ctl->config, error);
  else
    ctl->queue = job_queue_new_for_uri (ctl->store, error);
  return ctl->queue;
}

static int
get_job_error_code (int code)
{
  switch ((JobError) code)
    {
    case JOB_ERROR_NOT_FOUND:
      return JOBCTL_EXIT_NOT_FOUND;
    case JOB_ERROR_LOCKED:
      return JOBCTL_EXIT_LOCKED;
    case JOB_ERROR_TIMED_OUT:
      return JOBCTL_EXIT_TIMED_OUT;
    case JOB_ERROR_INVALID:
    case JOB_ERROR_CONFIG:
    case JOB_ERROR_PLUGIN:
      return JOBCTL_EXIT_USAGE;
    case JOB_ERROR_NOT_PENDING:
    case JOB_ERROR_NOT_RUNNING:
    case JOB_ERROR_CANCELED:
    case JOB_ERROR_LEASE_LOST:
    case JOB_ERROR_EXISTS:
      return JOBCTL_EXIT_JOB;
    case JOB_ERROR_FAILED:
    case JOB_ERROR_CORRUPT:
    case JOB_ERROR_STORAGE:
    case JOB_ERROR_CLOSED:
    case JOB_ERROR_VERSION:
    default:
      return JOBCTL_EXIT_STORAGE;
    }
}

static int
get_exit_code (const GError *error)
{
  if (error->domain == JOB_ERROR)
    return get_job_error_code (error->code);
  if (error->domain == G_OPTION_ERROR || error->domain == G_FILE_ERROR)
    return JOBCTL_EXIT_USAGE;
  return JOBCTL_EXIT_STORAGE;
}

void
jobctl_print_error (const GError *error)
{
  g_autofree char *message = jobctl_dup_printable (error->message, 0);

  fprintf (stderr, "jobctl: %s\n", message);
  if (error->domain == G_OPTION_ERROR)
    fputs ("jobctl: try --help\n", stderr);
}

/* Everything that was printed must have arrived: a program that reads us relies on it. */
static int
finish (Jobctl *ctl, int code)
{
  g_autoptr (GError) error = NULL;

  if (ctl->queue != NULL && !job_queue_close (ctl->queue, NULL, &error))
    {
      jobctl_print_error (error);
      code = code == JOBCTL_EXIT_DONE ? get_exit_code (error) : code;
    }
  g_clear_object (&ctl->queue);
  if (fflush (stdout) != 0 || ferror (stdout))
    {
      fprintf (stderr, "jobctl: standard output: %s\n", g_strerror (errno));
      code = code == JOBCTL_EXIT_DONE ? JOBCTL_EXIT_STORAGE : code;
    }
  return code;
}

static int
run_command (Jobctl *ctl, const JobctlCommand *command, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code = command->func (ctl, argc, argv, &error);

  if (error != NULL)
    {
      jobctl_print_error (error);
      code = get_exit_code (error);
    }
  return finish (ctl, code);
}

static const JobctlCommand *
find_command (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}

static char *
dup_description (void)
{
  g_autoptr (GString) text = g_string_new ("Commands:\n");

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    g_string_append_printf (text, "  %-9s %s\n", commands[i].name, commands[i].summary);
  g_string_append (text, "\n\"jobctl COMMAND --help\" tells more of each.\n\n"
                         "Without --store and --config, the jobs are in the SQLite database\n"
                         "jobqueue/jobs.sqlite in $XDG_STATE_HOME, by default ~/.local/state.\n\n"
                         "Exit codes: 0 done; 1 a job failed or was cancelled, or its state does "
                         "not allow\nthis; 2 wrong usage; 3 not found; 4 another process holds the "
                         "store; 5 the storage\nfailed, or records are damaged; 6 jobs are left "
                         "that no handler here can run;\n124 timed out.");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The options before the command; what is left is the command with its arguments. */
static gboolean
parse_before_command (Jobctl *ctl, gboolean *version, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "version", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, version, "Print the version and exit",
      NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("COMMAND [ARGUMENT...]");
  g_autofree char *description = dup_description ();

  g_option_context_set_summary (context, "A durable queue of jobs, on the command line.");
  g_option_context_set_description (context, description);
  g_option_context_set_strict_posix (context, TRUE);
  g_option_context_add_main_entries (context, entries, NULL);
  add_shared_entries (context, ctl);
  return g_option_context_parse (context, argc, argv, error);
}

static const JobctlCommand *
choose_command (int argc, char **argv, GError **error)
{
  const JobctlCommand *command = argc < 2 ? NULL : find_command (argv[1]);

  if (argc < 2)
    jobctl_set_usage_error (error, "a command is missing");
  else if (command == NULL)
    jobctl_set_usage_error (error, "there is no command \"%s\"", argv[1]);
  return command;
}

static int
dispatch (Jobctl *ctl, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gboolean version = FALSE;
  const JobctlCommand *command = NULL;

  if (parse_before_command (ctl, &version, &argc, &argv, &error))
    {
      if (version)
        {
          puts ("jobctl " JOBCTL_VERSION);
          return finish (ctl, JOBCTL_EXIT_DONE);
        }
      command = choose_command (argc, argv, &error);
    }
  if (command != NULL)
    return run_command (ctl, command, argc - 1, argv + 1);
  jobctl_print_error (error);
  return JOBCTL_EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  Jobctl ctl = { 0 };
  int code;

  setlocale (LC_CTYPE, "");
  code = dispatch (&ctl, argc, argv);
  g_free (ctl.config);
  g_free (ctl.store);
  return code;
}
