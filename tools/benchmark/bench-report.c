/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table for people. */

#include "bench-run.h"

#include <stdio.h>
#include <string.h>

#define COLUMN 15

static guint n_met, n_missed, n_open;

/* 1234567.8 → "1,234,568"; small values keep some digits. */
static char *
format_number (double value)
{
  GString *text = g_string_new (NULL);
  gboolean whole = value == (gint64) value || ABS (value) >= 1000;
  char plain[64];
  gsize length;

  if (!whole)
    {
      g_string_printf (text, ABS (value) >= 10 ? "%.1f" : "%.3f", value);
      return g_string_free (text, FALSE);
    }
  snprintf (plain, sizeof plain, "%.0f", ABS (value));
  length = strlen (plain);
  if (value < 0)
    g_string_append_c (text, '-');
  for (gsize i = 0; i < length; i++)
    {
      if (i > 0 && (length - i) % 3 == 0)
        g_string_append_c (text, ',');
      g_string_append_c (text, plain[i]);
    }
  return g_string_free (text, FALSE);
}

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

static char *
make_label (const BenchLine *line)
{
  return line->row->variant ? g_strdup_printf ("%s, %s", line->system, line->row->variant)
                            : g_strdup (line->system);
}

static void
print_line (const BenchLine *line, GPtrArray *keys)
{
  g_autofree char *label = make_label (line);

  printf ("  %-32s %9u", label, line->row->in_flight);
  for (guint i = 0; i < keys->len; i++)
    {
      const char *key = g_ptr_array_index (keys, i);
      g_autofree char *text = NULL;
      double value;

      if (bench_line_get (line, key, &value))
        text = format_number (value);
      printf (" %*s", MAX (COLUMN, (int) strlen (key)), text ? text : "");
    }
  putchar ('\n');
  if (line->problem)
    printf ("    %s: %s\n", line->missing ? "not measured" : "FAILED", line->problem);
}

/* --- bars ------------------------------------------------------------------------------------- */

/* What a line is compared with: of the reference's row, the line of the same system, else the only
 * one. */
static const BenchLine *
find_reference (const BenchOutcome *outcome, const BenchBar *bar, const BenchLine *line)
{
  const BenchRow *row = &outcome->bench_case->rows[bar->than];
  const BenchLine *found = NULL;

  for (guint i = 0; i < outcome->lines->len; i++)
    {
      const BenchLine *other = g_ptr_array_index (outcome->lines, i);

      if (other->row == row && (found == NULL || other->system == line->system))
        found = other;
    }
  return found;
}

static const char *
judge (const BenchBar *bar, const BenchLine *line, double ratio, const BenchOptions *options)
{
  if (bar->only && !g_str_equal (line->system, bar->only))
    return "shown only";
  if (bar->full_only && options->quick)
    {
      n_open++;
      return "to be judged in a full run";
    }
  if (bar->at_most ? ratio <= bar->factor : ratio >= bar->factor)
    {
      n_met++;
      return "met";
    }
  n_missed++;
  return "MISSED";
}

static void
print_bar (const BenchOutcome *outcome, const BenchBar *bar, const BenchLine *line,
           const BenchOptions *options)
{
  const BenchLine *reference = bar->than < 0 ? NULL : find_reference (outcome, bar, line);
  const char *than_figure = bar->than_figure ? bar->than_figure : bar->figure;
  g_autofree char *label = make_label (line);
  g_autofree char *than = reference ? make_label (reference) : NULL;
  g_autofree char *factor = format_number (bar->factor);
  g_autofree char *text = NULL;
  double value, unit = 1;

  if (!bench_line_get (line, bar->figure, &value) ||
      (bar->than >= 0 && (!reference || !bench_line_get (reference, than_figure, &unit))))
    {
      n_open += bar->only == NULL || g_str_equal (line->system, bar->only);
      printf ("  - %s, %s: not judged, since there are no figures\n", label, bar->figure);
      return;
    }
  text = format_number (value / unit);
  printf ("  - %s, %s: %s%s%s; bar: %s %s: %s\n", label, bar->figure, text, reference ? " x " : "",
          reference ? than : "", bar->at_most ? "at most" : "at least", factor,
          judge (bar, line, value / unit, options));
}

void
bench_print_outcome (const BenchOutcome *outcome, const BenchOptions *options)
{
  g_autoptr (GPtrArray) keys = collect_keys (outcome->lines);

  printf ("\n%s: %s\n  %-32s %9s", outcome->bench_case->name, outcome->bench_case->title, "system",
          "in_flight");
  for (guint i = 0; i < keys->len; i++)
    printf (" %*s", COLUMN, (char *) g_ptr_array_index (keys, i));
  putchar ('\n');
  for (guint i = 0; i < outcome->lines->len; i++)
    print_line (g_ptr_array_index (outcome->lines, i), keys);
  for (const BenchBar *bar = outcome->bench_case->bars; bar->figure; bar++)
    for (guint i = 0; i < outcome->lines->len; i++)
      {
        const BenchLine *line = g_ptr_array_index (outcome->lines, i);

        if (line->row == &outcome->bench_case->rows[bar->row])
          print_bar (outcome, bar, line, options);
      }
  fflush (stdout);
}

void
bench_print_summary (void)
{
  printf ("\n%u bars met, %u missed, %u not judged\n", n_met, n_missed, n_open);
  fflush (stdout);
}
