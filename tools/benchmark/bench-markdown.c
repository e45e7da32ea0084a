/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The same for a page such as docs/performance.md: the machine, a table of the bars, and one of all
 * figures. */

#include "bench-run.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* --- the machine ------------------------------------------------------------------------------ */

/* What stands behind the first @key of a file of "KEY : VALUE" lines. */
static char *
find_value (const char *path, const char *key)
{
  g_autofree char *text = NULL;
  const char *found, *value;

  if (!g_file_get_contents (path, &text, NULL, NULL) || (found = strstr (text, key)) == NULL ||
      (value = strchr (found, ':')) == NULL)
    return g_strdup ("unknown");
  return g_strstrip (g_strndup (value + 1, strcspn (value, "\n") - 1));
}

/* The kind of file system on which the folder is: the longest mount point that it is under. */
static char *
find_file_system (const char *folder)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  char *best = g_strdup ("unknown");
  gsize best_length = 0;

  g_file_get_contents ("/proc/self/mounts", &text, NULL, NULL);
  lines = g_strsplit (text ? text : "", "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", 4);
      gsize length = g_strv_length (words) >= 3 ? strlen (words[1]) : 0;

      if (length < best_length || length == 0 || !g_str_has_prefix (folder, words[1]))
        continue;
      g_free (best);
      best = g_strdup (words[2]);
      best_length = length;
    }
  return best;
}

static void
append_machine (GString *out, const BenchOptions *options)
{
  g_autofree char *processor = find_value ("/proc/cpuinfo", "model name");
  g_autofree char *memory = find_value ("/proc/meminfo", "MemTotal");
  g_autofree char *file_system = find_file_system (options->folder);
  struct utsname system = { 0 };

  uname (&system);
  g_string_append_printf (
      out, "%ld cores of %s, %.0f GiB of memory, Linux %s, %s. %u round%s; %s.\n\n",
      sysconf (_SC_NPROCESSORS_ONLN), processor, g_ascii_strtod (memory, NULL) / (1024 * 1024),
      system.release, file_system, options->rounds, options->rounds == 1 ? "" : "s, medians",
      options->quick ? "a quick run, with small counts" : "a full run");
}

/* --- the tables ------------------------------------------------------------------------------- */

static const char *const judgements[] = {
  [BENCH_MET] = "met",
  [BENCH_MISSED] = "**missed**",
  [BENCH_SHOWN] = "shown",
  [BENCH_FOR_A_FULL_RUN] = "for a full run",
  [BENCH_UNKNOWN] = "not judged",
};

static char *
format_measured (const BenchVerdict *verdict)
{
  return verdict->known ? bench_format_number (verdict->value) : g_strdup ("–");
}

/* "redis: 45,000", or nothing for a bar that stands for itself. */
static char *
format_reference (const BenchVerdict *verdict)
{
  g_autofree char *label = NULL;
  g_autofree char *number = NULL;

  if (verdict->reference == NULL)
    return g_strdup ("");
  label = bench_line_label (verdict->reference);
  number = verdict->known ? bench_format_number (verdict->unit) : g_strdup ("–");
  return g_strdup_printf ("%s: %s", label, number);
}

static void
append_verdict (GString *out, const BenchOutcome *outcome, const BenchVerdict *verdict)
{
  const BenchBar *bar = verdict->bar;
  g_autofree char *label = bench_line_label (verdict->line);
  g_autofree char *measured = format_measured (verdict);
  g_autofree char *reference = format_reference (verdict);
  g_autofree char *ratio =
      verdict->known && verdict->reference ? bench_format_number (verdict->ratio) : g_strdup ("");
  g_autofree char *factor = bench_format_number (bar->factor);

  g_string_append_printf (out, "| %s | %s | `%s` | %s | %s | %s | %s %s | %s |\n",
                          outcome->bench_case->name, label, bar->figure, measured, reference, ratio,
                          bar->at_most ? "≤" : "≥", factor, judgements[verdict->judgement]);
}

static void
append_bars (GString *out, GPtrArray *outcomes, const BenchOptions *options)
{
  g_string_append (out, "| case | system | figure | measured | compared with | ratio | bar | |\n"
                        "|---|---|---|---|---|---|---|---|\n");
  for (guint i = 0; i < outcomes->len; i++)
    {
      const BenchOutcome *outcome = g_ptr_array_index (outcomes, i);
      g_autoptr (GArray) verdicts = bench_judge (outcome, options);

      for (guint j = 0; j < verdicts->len; j++)
        append_verdict (out, outcome, &g_array_index (verdicts, BenchVerdict, j));
    }
}

static void
append_line (GString *out, const BenchCase *bench_case, const BenchLine *line)
{
  g_autofree char *label = bench_line_label (line);

  g_string_append_printf (out, "| %s | %s | %u | ", bench_case->name, label, line->row->in_flight);
  for (guint i = 0; i < line->figures->len; i++)
    {
      const BenchFigure *figure = g_ptr_array_index (line->figures, i);
      g_autofree char *number = NULL;
      double value = 0;

      bench_line_get (line, figure->key, &value);
      number = bench_format_number (value);
      g_string_append_printf (out, "%s%s %s", i > 0 ? ", " : "", figure->key, number);
    }
  if (line->problem)
    g_string_append (out, line->missing ? "not measured" : "failed");
  g_string_append (out, " |\n");
}

static void
append_figures (GString *out, GPtrArray *outcomes)
{
  g_string_append (out, "\n| case | system | in flight | figures |\n|---|---|---|---|\n");
  for (guint i = 0; i < outcomes->len; i++)
    {
      const BenchOutcome *outcome = g_ptr_array_index (outcomes, i);

      for (guint j = 0; j < outcome->lines->len; j++)
        append_line (out, outcome->bench_case, g_ptr_array_index (outcome->lines, j));
    }
}

gboolean
bench_write_markdown (GPtrArray *outcomes, const BenchOptions *options, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);

  append_machine (out, options);
  append_bars (out, outcomes, options);
  append_figures (out, outcomes);
  return g_file_set_contents (options->markdown, out->str, (gssize) out->len, error);
}
