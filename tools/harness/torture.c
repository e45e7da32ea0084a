/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The torture harness: runs the layers, one after the other, for each backend, and says how many
 * cases were tried, what was met in them, and how many promises were broken. tools/torture starts
 * it; docs/reliability.md tells what each layer is for. Three programs have this main, each with
 * its own table of layers: one sees the library as an application does (layers-outside.c), one does
 * so without the shim (layers-threads.c), and one sees its insides (layers-inside.c). */

#include "torture.h"

#include <ftw.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_SEED 1
#define MEMORY "/dev/shm" /* what happens to the files is made up by the layers, not by a disk */

typedef struct
{
  char **names;    /* of layers; %NULL: all */
  char **backends; /* %NULL: all that a layer names */
  gint64 seed;
  gint64 cases; /* 0: as many as the layer says */
  gboolean is_long;
  gboolean verbose;
  gboolean whole;
  gboolean list;
  gboolean tap;
  char *folder;
} Options;

static guint n_results;

void
torture_violation (TortureResult *result, char *story)
{
  result->violations++;
  if (result->story == NULL)
    result->story = story;
  else
    g_free (story);
}

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

/* --- one layer, one backend ------------------------------------------------------------------- */

static void
print_tap (const TortureLayer *layer, const char *name, const TortureResult *result)
{
  g_auto (GStrv) lines = g_strsplit (result->story ? result->story : "", "\n", -1);

  g_print ("%s %u - %s", result->violations > 0 ? "not ok" : "ok", ++n_results, name);
  if (result->skipped)
    g_print (" # SKIP %s\n", result->skipped);
  else
    g_print (": %" G_GUINT64_FORMAT " cases, %" G_GUINT64_FORMAT " %s\n", result->cases,
             result->states, layer->states);
  for (guint i = 0; lines[i]; i++)
    g_print ("# %s\n", lines[i]);
}

static void
print_line (const TortureLayer *layer, const char *name, const TortureResult *result,
            double seconds)
{
  if (result->skipped)
    g_print ("%-24s cannot be done here, so nothing is shown: %s\n", name, result->skipped);
  else
    g_print ("%-24s %10" G_GUINT64_FORMAT " cases %12" G_GUINT64_FORMAT " %s %" G_GUINT64_FORMAT
             " violations %8.1f s\n",
             name, result->cases, result->states, layer->states, result->violations, seconds);
  if (result->story)
    g_print ("\n%s\n", result->story);
}

static void
print_result (const TortureLayer *layer, const char *backend, const TortureResult *result,
              const Options *options, double seconds)
{
  g_autofree char *name =
      g_strdup_printf ("%s%s%s", layer->name, backend ? " " : "", backend ? backend : "");

  if (options->tap)
    print_tap (layer, name, result);
  else
    print_line (layer, name, result, seconds);
}

static guint64
cases_for (const TortureLayer *layer, const Options *options)
{
  if (options->cases > 0)
    return (guint64) options->cases;
  return options->is_long ? layer->long_cases : layer->short_cases;
}

/* Whether all promises were kept. */
static gboolean
run_one (const TortureLayer *layer, const char *backend, const Options *options)
{
  g_autofree char *template = g_build_filename (options->folder, "torture-XXXXXX", NULL);
  TortureTask task = { .backend = backend,
                       .seed = (guint64) options->seed,
                       .cases = cases_for (layer, options),
                       .folder = g_mkdtemp (template),
                       .verbose = options->verbose,
                       .whole = options->whole };
  TortureResult result = { 0 };
  gint64 start = g_get_monotonic_time ();

  if (task.folder == NULL)
    g_error ("%s: no folder can be made there", options->folder);
  layer->run (&task, &result);
  print_result (layer, backend, &result, options,
                (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  nftw (task.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  g_free (result.story);
  g_free (result.skipped);
  return result.violations == 0;
}

static gboolean
is_wanted (char **names, const char *name)
{
  return names == NULL || g_strv_contains ((const char *const *) names, name);
}

static gboolean
run_layer (const TortureLayer *layer, const Options *options)
{
  gboolean kept = TRUE;

  if (layer->backends == NULL)
    return run_one (layer, NULL, options);
  for (guint i = 0; kept && layer->backends[i]; i++)
    if (is_wanted (options->backends, layer->backends[i]))
      kept = run_one (layer, layer->backends[i], options);
  return kept;
}

static gboolean
run_layers (const Options *options)
{
  gboolean kept = TRUE;

  for (guint i = 0; kept && torture_layers[i]; i++)
    if (is_wanted (options->names, torture_layers[i]->name))
      kept = run_layer (torture_layers[i], options);
  return kept;
}

/* --- options ---------------------------------------------------------------------------------- */

static void
list_layers (void)
{
  for (guint i = 0; torture_layers[i]; i++)
    g_print ("%-12s %s\n", torture_layers[i]->name, torture_layers[i]->title);
}

static gboolean
is_layer (const char *name)
{
  for (guint i = 0; torture_layers[i]; i++)
    if (g_str_equal (torture_layers[i]->name, name))
      return TRUE;
  return FALSE;
}

static void
check_options (const Options *options)
{
  for (guint i = 0; options->names && options->names[i]; i++)
    if (!is_layer (options->names[i]))
      {
        g_printerr ("torture: there is no layer \"%s\"; --list names them\n", options->names[i]);
        exit (2);
      }
}

static void
parse_options (Options *options, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "layer", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->names, "Only this layer; may be repeated",
      "NAME" },
    { "backend", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->backends,
      "Only on this backend; may be repeated", "NAME" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &options->seed,
      "Where the chances begin: case n has seed N + n", "N" },
    { "cases", 0, 0, G_OPTION_ARG_INT64, &options->cases, "How many, for each layer and backend",
      "N" },
    { "long", 0, 0, G_OPTION_ARG_NONE, &options->is_long,
      "As many cases as the promises are stated for", NULL },
    { "tap", 0, 0, G_OPTION_ARG_NONE, &options->tap, "Print what a test harness reads", NULL },
    { "list", 0, 0, G_OPTION_ARG_NONE, &options->list, "Name the layers", NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose, "Say what is being tried", NULL },
    { "whole", 0, 0, G_OPTION_ARG_NONE, &options->whole,
      "Tell the first violation as it was: do not look for a shorter one", NULL },
    { "folder", 0, 0, G_OPTION_ARG_FILENAME, &options->folder, "Where the files go", "DIR" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- try to break the promises of the queue");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      g_printerr ("torture: %s\n", error->message);
      exit (2);
    }
}

int
main (int argc, char **argv)
{
  Options options = { .seed = DEFAULT_SEED };
  gboolean kept = TRUE;

  setlocale (LC_ALL, "");
  setvbuf (stdout, NULL, _IOLBF, 0);
  parse_options (&options, &argc, &argv);
  check_options (&options);
  if (options.folder == NULL)
    options.folder = g_strdup (access (MEMORY, W_OK) == 0 ? MEMORY : g_get_tmp_dir ());
  if (options.list)
    list_layers ();
  else
    kept = run_layers (&options);
  if (options.tap)
    g_print ("1..%u\n", n_results);
  g_strfreev (options.names);
  g_strfreev (options.backends);
  g_free (options.folder);
  return kept ? 0 : 1;
}
