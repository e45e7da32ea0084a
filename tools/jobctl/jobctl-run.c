/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* jobctl run: a whole graph of jobs from a file, enqueued at once and worked to its end.
 *
 * The end of each job is learned by waiting for it, so that jobs count which no worker ever sees:
 * those that are cancelled because they can no longer run. The pool ends when all jobs of the graph
 * are over, whatever else is in the store, or when it can run nothing any more. */

#include <stdio.h>

#include "jobctl-graph.h"
#include "jobctl-pool.h"
#include "jobctl-progress.h"

#define N_NAMED 5 /* how many jobs that did not succeed the summary names */

typedef struct
{
  Jobctl *ctl;
  JobctlGraph *graph;
  char **ids; /* in the order of the graph */
  JobctlPool *pool;
  GCancellable *cancellable; /* of the waits */
  gboolean *over;            /* for each job: whether its end was seen */
  guint n_waits;             /* that have not called back */
  guint n_open;              /* jobs whose end was not seen */
  guint counts[JOB_STATE_CANCELED + 1];
  GString *troubles; /* the first jobs that did not succeed, a line each */
  guint n_troubles;
} Run;

typedef struct
{
  Run *run;
  guint index;
} Wait;

static void
run_clear (Run *run)
{
  g_clear_pointer (&run->graph, jobctl_graph_free);
  g_clear_pointer (&run->ids, g_strfreev);
  g_clear_pointer (&run->over, g_free);
  g_clear_pointer (&run->pool, jobctl_pool_free);
  g_clear_object (&run->cancellable);
  if (run->troubles != NULL)
    g_string_free (run->troubles, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static const char *
get_name (Run *run, guint index)
{
  return g_ptr_array_index (run->graph->names, index);
}

static void
note_trouble (Run *run, guint index, const char *state, const char *why)
{
  g_autofree char *name = jobctl_dup_printable (get_name (run, index), 60);
  g_autofree char *excerpt = jobctl_dup_printable (why, 200);

  if (run->n_troubles++ < N_NAMED)
    g_string_append_printf (run->troubles, "  %s %s (%s): %s\n", state, name, run->ids[index],
                            excerpt);
}

static void
count_info (Run *run, guint index, JobInfo *info)
{
  JobState state = job_info_get_state (info);
  g_autofree char *reason = job_info_dup_reason_text (info);

  run->counts[state]++;
  if (state == JOB_STATE_FAILED)
    note_trouble (run, index, "failed", job_info_get_error (info));
  else if (state != JOB_STATE_SUCCEEDED)
    note_trouble (run, index, job_state_to_string (state), reason);
}

static void
print_canceled (Run *run, JobInfo *info)
{
  g_autofree char *text = job_info_dup_reason_text (info);
  g_autoptr (GString) reason = g_string_new (NULL);

  job_json_append_string (reason, text != NULL ? text : "");
  jobctl_print_event ("canceled", job_info_get_id (info), job_info_get_job_type (info), "reason",
                      reason->str);
}

static void
on_job_over (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Wait *wait = data;
  Run *run = wait->run;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobInfo) info = job_queue_wait_finish (JOB_QUEUE (source), result, &error);

  run->n_waits--;
  if (info == NULL && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  run->n_open--;
  if (info == NULL)
    note_trouble (run, wait->index, "unknown", error->message);
  else
    count_info (run, wait->index, info);
  if (info != NULL && run->ctl->json && job_info_get_state (info) == JOB_STATE_CANCELED)
    print_canceled (run, info);
  run->over[wait->index] = TRUE;
  if (run->n_open == 0)
    jobctl_pool_stop (run->pool);
}

static guint
get_n_jobs (Run *run)
{
  return run->graph->specs->len;
}

static void
wait_for_jobs (Run *run)
{
  run->n_open = run->n_waits = get_n_jobs (run);
  run->over = g_new0 (gboolean, run->n_open);
  run->cancellable = g_cancellable_new ();
  run->troubles = g_string_new (NULL);
  for (guint i = 0; i < get_n_jobs (run); i++)
    {
      Wait *wait = g_new0 (Wait, 1);

      wait->run = run;
      wait->index = i;
      job_queue_wait_async (run->ctl->queue, run->ids[i], -1, run->cancellable, on_job_over, wait);
    }
}

static void
stop_waiting (Run *run)
{
  g_cancellable_cancel (run->cancellable);
  while (run->n_waits > 0)
    g_main_context_iteration (NULL, TRUE);
}

/* The jobs whose end did not come, as they are. */
static gboolean
look_at_the_rest (Run *run, GError **error)
{
  for (guint i = 0; i < get_n_jobs (run); i++)
    {
      g_autoptr (JobInfo) info = NULL;

      if (run->over[i])
        continue;
      info = job_queue_get_info (run->ctl->queue, run->ids[i], NULL, error);
      if (info == NULL)
        return FALSE;
      count_info (run, i, info);
    }
  return TRUE;
}

static void
get_numbers (JobctlProgressNumbers *numbers, gpointer data)
{
  Run *run = data;

  numbers->n_jobs = get_n_jobs (run);
  numbers->n_done = get_n_jobs (run) - run->n_open;
  numbers->n_running = job_worker_get_n_running (run->pool->worker);
  numbers->n_failed = run->counts[JOB_STATE_FAILED] + run->counts[JOB_STATE_CANCELED];
}

static void
print_summary_json (Run *run, double seconds)
{
  printf ("{\"event\":\"summary\",\"jobs\":%u", get_n_jobs (run));
  for (guint state = 0; state < G_N_ELEMENTS (run->counts); state++)
    printf (",\"%s\":%u", job_state_to_string (state), run->counts[state]);
  printf (",\"seconds\":%.3f}\n", seconds);
}

static void
print_summary (Run *run, double seconds)
{
  printf ("%u jobs in %.1f s:", get_n_jobs (run), seconds);
  for (guint state = 0; state < G_N_ELEMENTS (run->counts); state++)
    if (run->counts[state] > 0 || state == JOB_STATE_SUCCEEDED || state == JOB_STATE_FAILED ||
        state == JOB_STATE_CANCELED)
      printf (" %u %s", run->counts[state], job_state_to_string (state));
  puts ("");
  fputs (run->troubles->str, stdout);
  if (run->n_troubles > N_NAMED)
    printf ("  and %u more\n", run->n_troubles - N_NAMED);
}

static int
get_code (Run *run)
{
  guint n_over = run->counts[JOB_STATE_SUCCEEDED] + run->counts[JOB_STATE_FAILED] +
                 run->counts[JOB_STATE_CANCELED];
  guint n_left = get_n_jobs (run) - n_over;

  if (run->pool->signal != 0 && n_left > 0)
    return 128 + run->pool->signal;
  if (n_left > 0)
    {
      fprintf (stderr, "jobctl: %u job%s left that no handler here can run\n", n_left,
               n_left == 1 ? " is" : "s are");
      return JOBCTL_EXIT_LEFT;
    }
  return run->counts[JOB_STATE_SUCCEEDED] == n_over ? JOBCTL_EXIT_DONE : JOBCTL_EXIT_JOB;
}

static gboolean
enqueue (Run *run, GError **error)
{
  run->ids = job_queue_enqueue_many (run->ctl->queue, (JobSpec **) run->graph->specs->pdata,
                                     get_n_jobs (run), NULL, error);
  return run->ids != NULL;
}

static void
print_enqueued (Run *run)
{
  for (guint i = 0; i < get_n_jobs (run); i++)
    {
      g_autoptr (GString) name = g_string_new (NULL);

      job_json_append_string (name, get_name (run, i));
      jobctl_print_event ("enqueued", run->ids[i],
                          job_spec_get_job_type (g_ptr_array_index (run->graph->specs, i)), "name",
                          name->str);
    }
}

static gboolean
work (Run *run, GError **error)
{
  g_autoptr (JobctlProgress) progress =
      run->ctl->json ? NULL : jobctl_progress_new (get_numbers, run);
  gboolean good;

  wait_for_jobs (run);
  good = jobctl_pool_run (run->pool, TRUE, error);
  stop_waiting (run);
  return good && look_at_the_rest (run, error);
}

static int
enqueue_and_work (Run *run, const JobctlPoolOptions *options, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  double seconds;

  run->pool = jobctl_pool_new (run->ctl, options, error);
  if (run->pool == NULL)
    return JOBCTL_EXIT_USAGE;
  run->pool->quiet = TRUE; /* the summary names those that failed */
  if (!jobctl_pool_take_back_leases (run->pool, error) || !enqueue (run, error))
    return JOBCTL_EXIT_STORAGE;
  if (run->ctl->json)
    print_enqueued (run);
  if (!work (run, error))
    return JOBCTL_EXIT_STORAGE;
  seconds = (g_get_monotonic_time () - start) / (double) G_USEC_PER_SEC;
  if (run->ctl->json)
    print_summary_json (run, seconds);
  else
    print_summary (run, seconds);
  return get_code (run);
}

static int
enqueue_only (Run *run, GError **error)
{
  g_autoptr (GString) out = g_string_new ("{");

  if (!enqueue (run, error))
    return JOBCTL_EXIT_STORAGE;
  for (guint i = 0; i < get_n_jobs (run); i++)
    {
      g_string_append (out, i == 0 ? "\n" : ",\n");
      job_json_append_string (out, get_name (run, i));
      g_string_append_printf (out, ":\"%s\"", run->ids[i]);
    }
  g_string_append (out, "\n}");
  puts (out->str);
  return JOBCTL_EXIT_DONE;
}

static gboolean
read_graph (Run *run, const char *path, GError **error)
{
  gsize length;
  g_autofree char *text = jobctl_read_text (path, &length, error);

  run->graph = text != NULL ? jobctl_graph_parse (text, length, path, error) : NULL;
  return run->graph != NULL;
}

static const JobctlUsage usage = {
  "FILE",
  "Enqueues a graph of jobs from a JSON file (\"-\": standard input), all of it or nothing,\n"
  "and runs it to its end.",
  "The file:\n"
  "  {\"jobs\": [\n"
  "    {\"name\": \"a\", \"type\": \"exec\", \"args\": {\"argv\": [\"uptime\"]}},\n"
  "    {\"name\": \"b\", \"type\": \"exec\", \"args\": {\"argv\": [\"date\"]}, \"after\": "
  "[\"a\"]},\n"
  "    {\"name\": \"c\", \"type\": \"exec\", \"args\": {\"argv\": [\"id\"]},\n"
  "     \"after\": [\"b\", {\"job\": \"a\", \"condition\": \"afterany\"}]}\n"
  "  ]}\n"
  "Further members of a job: channel, priority, delay (seconds), max_attempts. \"after\"\n"
  "takes ids of jobs in the store as well.\n\n"
  "Exit codes: 0 all succeeded; 1 some failed or were cancelled; 6 jobs are left that no\n"
  "handler here can run; 128 + the number of a signal that came first.",
  1,
  1,
};

int
jobctl_run (Jobctl *ctl, int argc, char **argv, GError **error)
{
  g_auto (JobctlPoolOptions) options = { 0 };
  g_auto (Run) run = { .ctl = ctl };
  gboolean only = FALSE;
  const GOptionEntry entries[] = {
    { "jobs", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &options.n_jobs,
      "How many to run at the same time (default: one for each core)", "NUMBER" },
    { "type", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &options.types,
      "Which handler runs jobs of a type; may be given again (default: exec=exec)",
      "TYPE=HANDLER" },
    { "enqueue-only", 'e', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &only,
      "Do not work; print the ids of the jobs by their names, as JSON", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (GStrv) rest = jobctl_parse (ctl, &usage, entries, argc, argv, error);

  if (rest == NULL || !read_graph (&run, rest[0], error) || jobctl_open (ctl, error) == NULL)
    return JOBCTL_EXIT_USAGE;
  return only ? enqueue_only (&run, error) : enqueue_and_work (&run, &options, error);
}
