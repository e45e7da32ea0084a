/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table for people. */

#include "bench-run.h"

#include <stdio.h>
#include <string.h>

#define COLUMN 15

static guint n_verdicts[BENCH_UNKNOWN + 1];

/* The keys of all lines, in the order in which they come. */
static GPtrArray *
collect_keys (GPtrArray *lines)
{
  GPtrArray *keys = g_ptr_array_new ();

  for (guint i = 0; i < lines->len; i++)
    {
      const BenchLine *line = g_ptr_array_index (lines, i);

      for (guint j = 0; j < line->figures->len; j++)
        {
          const BenchFigure *figure = g_ptr_array_index (line->figures, j);

          if (!g_ptr_array_find (keys, figure->key, NULL))
            g_ptr_array_add (keys, (gpointer) figure->key);
        }
    }
  return keys;
}

static void
print_line (const BenchLine *line, GPtrArray *keys)
{
  g_autofree char *label = bench_line_label (line);

  printf ("  %-32s %9u", label, line->row->in_flight);
  for (guint i = 0; i < keys->len; i++)
    {
      const char *key = g_ptr_array_index (keys, i);
      g_autofree char *text = NULL;
      double value;

      if (bench_line_get (line, key, &value))
        text = bench_format_number (value);
      printf (" %*s", MAX (COLUMN, (int) strlen (key)), text ? text : "");
    }
  putchar ('\n');
  if (line->problem)
    printf ("    %s: %s\n", line->missing ? "not measured" : "FAILED", line->problem);
}

/* --- bars ------------------------------------------------------------------------------------- */

static const char *const judgements[] = {
  [BENCH_MET] = "met",
  [BENCH_MISSED] = "MISSED",
  [BENCH_SHOWN] = "shown only",
  [BENCH_FOR_A_FULL_RUN] = "to be judged in a full run",
  [BENCH_UNKNOWN] = "not judged, since there are no figures",
};

static void
print_verdict (const BenchVerdict *verdict)
{
  const BenchBar *bar = verdict->bar;
  g_autofree char *label = bench_line_label (verdict->line);
  g_autofree char *than = verdict->reference ? bench_line_label (verdict->reference) : NULL;
  g_autofree char *factor = bench_format_number (bar->factor);
  g_autofree char *text = NULL;

  n_verdicts[verdict->judgement]++;
  if (!verdict->known)
    {
      printf ("  - %s, %s: %s\n", label, bar->figure, judgements[BENCH_UNKNOWN]);
      return;
    }
  text = bench_format_number (verdict->ratio);
  printf ("  - %s, %s: %s%s%s; bar: %s %s: %s\n", label, bar->figure, text, than ? " x " : "",
          than ? than : "", bar->at_most ? "at most" : "at least", factor,
          judgements[verdict->judgement]);
}

void
bench_print_outcome (const BenchOutcome *outcome, const BenchOptions *options)
{
  g_autoptr (GPtrArray) keys = collect_keys (outcome->lines);
  g_autoptr (GArray) verdicts = bench_judge (outcome, options);

  printf ("\n%s: %s\n  %-32s %9s", outcome->bench_case->name, outcome->bench_case->title, "system",
          "in_flight");
  for (guint i = 0; i < keys->len; i++)
    printf (" %*s", COLUMN, (char *) g_ptr_array_index (keys, i));
  putchar ('\n');
  for (guint i = 0; i < outcome->lines->len; i++)
    print_line (g_ptr_array_index (outcome->lines, i), keys);
  for (guint i = 0; i < verdicts->len; i++)
    print_verdict (&g_array_index (verdicts, BenchVerdict, i));
  fflush (stdout);
}

void
bench_print_summary (void)
{
  printf ("\n%u bars met, %u missed, %u not judged\n", n_verdicts[BENCH_MET],
          n_verdicts[BENCH_MISSED], n_verdicts[BENCH_FOR_A_FULL_RUN] + n_verdicts[BENCH_UNKNOWN]);
  fflush (stdout);
}
