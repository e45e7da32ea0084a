/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One measurement: a process and a folder of its own, and an end. */

#include "bench-run.h"

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a measurement may take besides the time in which it begins new things: preparing, ending
 * what is in flight, closing. */
#define GRACE_FULL 900 /* s */
#define GRACE_QUICK 120
#define MAX_FILES 50000
#define LOOK_SECONDS 15 /* where no bar depends on it */

static volatile sig_atomic_t stopped;
static volatile sig_atomic_t child; /* pid; 0: none */
static volatile sig_atomic_t timed_out;

/* In a handler of signals. */
void
bench_stop (int signal)
{
  if (signal == SIGALRM)
    timed_out = 1;
  else
    stopped = 1;
  if (child > 0)
    kill (child, SIGKILL);
}

gboolean
bench_is_stopped (void)
{
  return stopped;
}

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

void
bench_remove_folder (const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);
  int fd;

  nftw (path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0)
    {
      syncfs (fd);
      close (fd);
    }
}

/* ext4 looks at each inode that was freed in the last minutes before it takes a new one, so that a
 * hundred thousand deleted files make the next measurement several times slower. Such files stay
 * until the end of the run. */
static gboolean
makes_many_files (const BenchLine *line)
{
  return g_str_equal (line->system, "fs-json") || g_str_equal (line->row->probe, "files");
}

void
bench_discard (const BenchLine *line, const char *path)
{
  if (!makes_many_files (line))
    bench_remove_folder (path);
}

static guint64
pick (BenchCount count, const BenchOptions *options)
{
  return options->quick ? count.quick : count.full;
}

/* Since the files of a job each stay, there is a limit where fs-json is only looked at. */
static guint64
pick_jobs (const BenchLine *line, const BenchOptions *options)
{
  guint64 jobs = pick (line->row->jobs, options);
  gboolean limited =
      g_str_equal (line->system, "fs-json") && g_str_equal (line->row->system, BENCH_DISK);

  return limited ? MIN (jobs, MAX_FILES) : jobs;
}

static double
pick_seconds (const BenchLine *line, const BenchOptions *options)
{
  double seconds = line->row->seconds;

  if (options->quick)
    return options->seconds;
  if (seconds == 0)
    seconds = options->seconds;
  return line->judged ? seconds : MIN (seconds, LOOK_SECONDS);
}

static char **
make_argv (const BenchLine *line, const char *probe, const char *folder,
           const BenchOptions *options)
{
  GPtrArray *argv = g_ptr_array_new ();
  char seconds[G_ASCII_DTOSTR_BUF_SIZE];

  g_ptr_array_add (argv, g_strdup ("/proc/self/exe"));
  g_ptr_array_add (argv, g_strdup ("--measure"));
  g_ptr_array_add (argv, g_strdup (probe));
  g_ptr_array_add (argv, g_strdup (line->system));
  g_ptr_array_add (argv, g_strdup (line->row->variant ? line->row->variant : ""));
  g_ptr_array_add (argv, g_strdup_printf ("%u", line->row->in_flight));
  g_ptr_array_add (argv, g_strdup_printf ("%" G_GUINT64_FORMAT, pick_jobs (line, options)));
  g_ptr_array_add (argv,
                   g_strdup_printf ("%" G_GUINT64_FORMAT, pick (line->row->pending, options)));
  g_ptr_array_add (
      argv, g_strdup (g_ascii_dtostr (seconds, sizeof seconds, pick_seconds (line, options))));
  g_ptr_array_add (argv, g_strdup (folder));
  g_ptr_array_add (argv, g_strdup (line->store ? line->store : ""));
  g_ptr_array_add (argv, NULL);
  return (char **) g_ptr_array_free (argv, FALSE);
}

typedef struct
{
  pid_t parent;
  int out;
  int err;
} Setup;

/* In the new process, before it becomes the measurement. */
static void
set_up (gpointer data)
{
  Setup *setup = data;

  dup2 (setup->out, STDOUT_FILENO);
  dup2 (setup->err, STDERR_FILENO);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != setup->parent)
    _exit (1);
}

static int
create (const char *folder, const char *name, char **path)
{
  int fd;

  *path = g_build_filename (folder, name, NULL);
  fd = open (*path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bench_check_errno (fd >= 0, "create a file");
  return fd;
}

static int
wait_for (pid_t pid, const BenchLine *line, const BenchOptions *options)
{
  int status = 0;

  timed_out = 0;
  child = pid;
  alarm (pick_seconds (line, options) + (options->quick ? GRACE_QUICK : GRACE_FULL));
  if (stopped)
    kill (pid, SIGKILL);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  child = 0;
  alarm (0);
  return status;
}

static void
take_figures (BenchLine *line, const char *text)
{
  g_auto (GStrv) rows = g_strsplit (text, "\n", -1);

  for (guint i = 0; rows[i]; i++)
    {
      char *space = strchr (rows[i], ' ');

      if (space == NULL)
        continue;
      *space = '\0';
      bench_line_add (line, rows[i], g_ascii_strtod (space + 1, NULL));
    }
}

static void
take_outcome (BenchLine *line, int status, const char *out, const char *err)
{
  gboolean good = WIFEXITED (status) && WEXITSTATUS (status) == 0;

  if (good)
    take_figures (line, out);
  if (good || line->problem)
    return;
  line->missing = WIFEXITED (status) && WEXITSTATUS (status) == BENCH_EXIT_MISSING;
  if (timed_out)
    line->problem = g_strdup ("it took too long, and was ended");
  else if (*err)
    line->problem = g_strdup (err);
  else
    line->problem = g_strdup_printf ("it ended with status 0x%x and without a word", status);
  g_strdelimit (g_strchomp (line->problem), "\n", ' ');
}

/* Runs @probe in @folder. */
static void
run (BenchLine *line, const char *probe, const char *folder, const BenchOptions *options)
{
  g_auto (GStrv) argv = make_argv (line, probe, folder, options);
  g_autofree char *out_path = NULL, *err_path = NULL, *out = NULL, *err = NULL;
  Setup setup = { getpid (), create (options->folder, "out", &out_path),
                  create (options->folder, "err", &err_path) };
  g_autoptr (GError) error = NULL;
  GPid pid;
  int status;

  g_spawn_async (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, set_up, &setup, &pid, &error);
  bench_check (error, "start a measurement");
  status = wait_for (pid, line, options);
  close (setup.out);
  close (setup.err);
  g_file_get_contents (out_path, &out, NULL, NULL);
  g_file_get_contents (err_path, &err, NULL, NULL);
  if (!stopped)
    take_outcome (line, status, out ? out : "", err ? err : "");
}

static char *
make_folder (const BenchOptions *options)
{
  char *path = g_build_filename (options->folder, "XXXXXX", NULL);

  bench_check_errno (g_mkdtemp (path) != NULL, "make a folder");
  return path;
}

void
bench_measure (BenchLine *line, const BenchOptions *options)
{
  g_autofree char *folder = NULL;

  if (line->problem)
    return;
  folder = make_folder (options);
  run (line, line->row->probe, folder, options);
  bench_discard (line, folder);
}

void
bench_prepare (BenchLine *line, const BenchOptions *options)
{
  if (line->row->prepare == NULL || line->problem)
    return;
  line->store = make_folder (options);
  run (line, line->row->prepare, line->store, options);
}
