/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bench: runs the cases, round by round, each round over all systems, and prints the medians.
 * tools/bench starts it. */

#include "bench-run.h"

#include "bench.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>

#define FULL_SECONDS 120
#define QUICK_SECONDS 2
#define FULL_ROUNDS 3
#define QUICK_ROUNDS 3

/* --- a measurement ---------------------------------------------------------------------------- */

/* The arguments that bench-process.c makes. */
static int
measure (char **argv)
{
  BenchProbe probe = bench_find_probe (argv[2]);
  BenchTask task = {
    .probe = argv[2],
    .system = argv[3],
    .variant = argv[4],
    .in_flight = strtoul (argv[5], NULL, 10),
    .jobs = g_ascii_strtoull (argv[6], NULL, 10),
    .pending = g_ascii_strtoull (argv[7], NULL, 10),
    .seconds = g_ascii_strtod (argv[8], NULL),
    .folder = argv[9],
    .store = argv[10],
  };

  if (probe == NULL)
    bench_fail ("there is no measurement \"%s\"", argv[2]);
  probe (&task);
  return 0;
}

/* --- options ---------------------------------------------------------------------------------- */

static gboolean
is_case (const char *name)
{
  for (guint i = 0; i < bench_n_cases; i++)
    if (g_str_equal (bench_cases[i].name, name))
      return TRUE;
  return FALSE;
}

static void
list_cases (void)
{
  for (guint i = 0; i < bench_n_cases; i++)
    g_print ("%-20s %s\n", bench_cases[i].name, bench_cases[i].title);
}

static void
take_names (GPtrArray *names, char **from)
{
  for (guint i = 0; from && from[i]; i++)
    g_ptr_array_add (names, from[i]);
}

static void
check_names (const BenchOptions *options)
{
  for (guint i = 0; i < options->cases->len; i++)
    if (!is_case (g_ptr_array_index (options->cases, i)))
      bench_fail ("there is no case \"%s\"; --list names them",
                  (char *) g_ptr_array_index (options->cases, i));
  for (guint i = 0; i < options->backends->len; i++)
    if (!bench_is_backend (g_ptr_array_index (options->backends, i)))
      bench_fail ("there is no backend \"%s\" here; there are memory, sqlite, fs-json and gdbm",
                  (char *) g_ptr_array_index (options->backends, i));
}

static void
parse (BenchOptions *options, int *argc, char ***argv)
{
  gboolean list = FALSE;
  int rounds = 0;
  char **cases = NULL, **backends = NULL;
  GOptionEntry entries[] = {
    { "quick", 0, 0, G_OPTION_ARG_NONE, &options->quick, "Small counts: some minutes", NULL },
    { "case", 0, 0, G_OPTION_ARG_STRING_ARRAY, &cases, "Only this case (may be repeated)", "NAME" },
    { "backend", 0, 0, G_OPTION_ARG_STRING_ARRAY, &backends,
      "Of our backends, only this one (may be repeated)", "NAME" },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "How many rounds", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &options->seconds,
      "After how long a measurement begins nothing new", "S" },
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &options->json, "Write the figures to a file", "FILE" },
    { "markdown", 0, 0, G_OPTION_ARG_FILENAME, &options->markdown,
      "Write the bars and the figures as tables of a page", "FILE" },
    { "folder", 0, 0, G_OPTION_ARG_FILENAME, &options->folder,
      "Where to make the temporary folder: on the disk that is to be measured", "DIR" },
    { "list", 0, 0, G_OPTION_ARG_NONE, &list, "List the cases", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_parse (context, argc, argv, &error);
  bench_check (error, "understand the arguments");
  if (*argc > 1)
    bench_fail ("\"%s\" is too much; see --help", (*argv)[1]);
  if (list)
    {
      list_cases ();
      exit (0);
    }
  take_names (options->cases, cases);
  take_names (options->backends, backends);
  check_names (options);
  options->rounds = rounds > 0 ? rounds : options->quick ? QUICK_ROUNDS : FULL_ROUNDS;
  if (options->seconds <= 0)
    options->seconds = options->quick ? QUICK_SECONDS : FULL_SECONDS;
}

/* --- the run ---------------------------------------------------------------------------------- */

static void
tell (const BenchCase *bench_case, const char *what, const BenchLine *line)
{
  g_printerr ("%s: %s: %s%s%s\n", bench_case->name, what, line->system,
              line->row->variant ? ", " : "", line->row->variant ? line->row->variant : "");
}

static void
run_case (const BenchCase *bench_case, GPtrArray *lines, const BenchOptions *options)
{
  for (guint i = 0; i < lines->len && !bench_is_stopped (); i++)
    bench_prepare (g_ptr_array_index (lines, i), options);
  for (guint round = 1; round <= options->rounds; round++)
    for (guint i = 0; i < lines->len && !bench_is_stopped (); i++)
      {
        g_autofree char *what = g_strdup_printf ("round %u of %u", round, options->rounds);
        BenchLine *line = g_ptr_array_index (lines, i);

        if (round > 1 && !line->judged) /* once is enough for a look */
          continue;
        if (line->problem == NULL)
          tell (bench_case, what, line);
        bench_measure (line, options);
      }
  for (guint i = 0; i < lines->len; i++)
    {
      BenchLine *line = g_ptr_array_index (lines, i);

      if (line->store)
        bench_discard (line, line->store);
    }
}

static gboolean
is_wanted (const BenchCase *bench_case, const BenchOptions *options)
{
  return options->cases->len == 0 ||
         g_ptr_array_find_with_equal_func (options->cases, bench_case->name, g_str_equal, NULL);
}

static void
outcome_free (gpointer data)
{
  BenchOutcome *outcome = data;

  g_ptr_array_unref (outcome->lines);
  g_free (outcome);
}

static GPtrArray *
run_all (const BenchOptions *options)
{
  GPtrArray *outcomes = g_ptr_array_new_with_free_func (outcome_free);

  for (guint i = 0; i < bench_n_cases && !bench_is_stopped (); i++)
    {
      BenchOutcome *outcome;

      if (!is_wanted (&bench_cases[i], options))
        continue;
      outcome = g_new0 (BenchOutcome, 1);
      outcome->bench_case = &bench_cases[i];
      outcome->lines = bench_lines_new (&bench_cases[i], options);
      g_ptr_array_add (outcomes, outcome);
      run_case (&bench_cases[i], outcome->lines, options);
      if (outcome->lines->len > 0 && !bench_is_stopped ())
        bench_print_outcome (outcome, options);
    }
  return outcomes;
}

static gboolean
has_failure (GPtrArray *outcomes)
{
  for (guint i = 0; i < outcomes->len; i++)
    {
      BenchOutcome *outcome = g_ptr_array_index (outcomes, i);

      for (guint j = 0; j < outcome->lines->len; j++)
        {
          BenchLine *line = g_ptr_array_index (outcome->lines, j);

          if (line->problem && !line->missing)
            return TRUE;
        }
    }
  return FALSE;
}

static void
catch_signals (void)
{
  struct sigaction action = { .sa_handler = bench_stop };
  const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM };

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    sigaction (signals[i], &action, NULL);
}

static char *
make_folder (const char *parent)
{
  char *path = g_build_filename (parent ? parent : ".", "bench-XXXXXX", NULL);

  bench_check_errno (g_mkdtemp (path) != NULL, "make a temporary folder");
  return path;
}

static int
run (BenchOptions *options)
{
  g_autoptr (GPtrArray) outcomes = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *parent = options->folder;
  g_autofree char *folder = make_folder (parent);
  g_autofree char *absolute = g_canonicalize_filename (folder, NULL);

  options->folder = absolute;
  catch_signals ();
  outcomes = run_all (options);
  if (!bench_is_stopped ())
    {
      bench_print_summary ();
      if (options->json)
        bench_write_json (outcomes, options->json, &error);
      if (options->markdown && error == NULL)
        bench_write_markdown (outcomes, options, &error);
    }
  g_printerr ("%sremoving files\n", bench_is_stopped () ? "stopped, " : "");
  bench_remove_folder (absolute);
  if (bench_is_stopped ())
    return 130;
  bench_check (error, "write the figures");
  return has_failure (outcomes) ? 1 : 0;
}

int
main (int argc, char **argv)
{
  BenchOptions options = { .cases = g_ptr_array_new (), .backends = g_ptr_array_new () };

  if (argc == 11 && g_str_equal (argv[1], "--measure"))
    return measure (argv);
  setlocale (LC_ALL, "");
  parse (&options, &argc, &argv);
  return run (&options);
}
