/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Children of the harness. */

#include "trial.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jobqueue-backend.h>

static char *last_words; /* shared: the last message of a child */
static gboolean in_child;

#define LAST_WORDS 2048
#define POLL_TIME 10 /* µs */

gpointer
trial_share (gsize size)
{
  gpointer memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED)
    g_error ("No memory to share: %s", g_strerror (errno));
  return memory;
}

gboolean
trial_prepare (const TortureTask *task, TortureResult *result)
{
  g_autoptr (GError) error = NULL;

  if (last_words == NULL)
    last_words = trial_share (LAST_WORDS);
  if (job_plugin_load (JOB_PLUGIN_BACKEND, task->backend, &error) == NULL)
    result->skipped = g_strdup (error->message);
  return result->skipped == NULL;
}

void
trial_each_case (const TortureTask *task, TortureResult *result,
                 void (*try_case) (gpointer data, guint64 seed, TortureResult *result),
                 gpointer data)
{
  for (; result->violations == 0 && result->cases < task->cases; result->cases++)
    try_case (data, task->seed + result->cases, result);
}

/* The library warns of what is done to it here, again and again. */
static GLogWriterOutput
keep_words (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      g_strlcpy (last_words, fields[i].value, LAST_WORDS);
  return G_LOG_WRITER_HANDLED;
}

static void
play_in_child (void (*play) (gpointer data), gpointer data)
{
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  if (!in_child) /* a child may have children, too */
    g_log_set_writer_func (keep_words, NULL, NULL);
  in_child = TRUE;
  alarm (TRIAL_SECONDS);
  play (data);
  _exit (0);
}

static char *
describe_end (int status)
{
  if (WIFSIGNALED (status) && WTERMSIG (status) == SIGALRM)
    return g_strdup_printf ("it hangs: it was not done after %d s", TRIAL_SECONDS);
  if (WIFSIGNALED (status))
    return g_strdup_printf ("it was ended by signal %d (%s); its last message: %s",
                            WTERMSIG (status), strsignal (WTERMSIG (status)), last_words);
  return g_strdup_printf ("it ended with exit code %d; its last message: %s", WEXITSTATUS (status),
                          last_words);
}

static pid_t
start_child (void (*play) (gpointer data), gpointer data)
{
  pid_t child;

  *last_words = '\0';
  fflush (NULL);
  child = fork ();
  if (child < 0)
    g_error ("No child: %s", g_strerror (errno));
  if (child == 0)
    play_in_child (play, data);
  return child;
}

/* -1: it has not ended yet, which @flags let happen. */
static int
await_child (pid_t child, int flags)
{
  pid_t ended;
  int status;

  do
    ended = waitpid (child, &status, flags);
  while (ended < 0 && errno == EINTR);
  return ended == child ? status : -1;
}

static gboolean
judge_end (int status, char **story)
{
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  *story = describe_end (status);
  return FALSE;
}

gboolean
trial_run (void (*play) (gpointer data), gpointer data, char **story)
{
  return judge_end (await_child (start_child (play, data), 0), story);
}

gboolean
trial_run_until (void (*play) (gpointer data), gboolean (*when) (gpointer data), gpointer data,
                 gboolean *killed, char **story)
{
  pid_t child = start_child (play, data);
  int status = -1;

  *killed = FALSE;
  while (when && status == -1 && !when (data))
    {
      g_usleep (POLL_TIME);
      status = await_child (child, WNOHANG);
    }
  if (status != -1)
    return judge_end (status, story);
  if (when)
    kill (child, SIGKILL);
  status = await_child (child, 0);
  *killed = WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL;
  return *killed || judge_end (status, story);
}

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

void
trial_clear_folder (const char *folder)
{
  nftw (folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  if (g_mkdir_with_parents (folder, 0700) != 0)
    g_error ("%s: %s", folder, g_strerror (errno));
}
