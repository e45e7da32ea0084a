/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lines of a case, with their figures from all rounds. */

#include "bench-run.h"

#include "jobqueue.h"

#include <stdio.h>
#include <string.h>

/* What is there, and what should be: a backend that cannot be found is told, not left out. */
static const char *const disk_backends[] = { "sqlite", "fs-json", "gdbm" };

static void
figure_free (gpointer data)
{
  BenchFigure *figure = data;

  g_array_unref (figure->values);
  g_free (figure);
}

BenchLine *
bench_line_new (const BenchRow *row, const char *system)
{
  BenchLine *self = g_new0 (BenchLine, 1);

  self->row = row;
  self->system = g_intern_string (system);
  self->figures = g_ptr_array_new_with_free_func (figure_free);
  return self;
}

void
bench_line_free (BenchLine *self)
{
  g_ptr_array_unref (self->figures);
  g_free (self->problem);
  g_free (self->store);
  g_free (self);
}

static BenchFigure *
find (const BenchLine *self, const char *key)
{
  for (guint i = 0; i < self->figures->len; i++)
    {
      BenchFigure *figure = g_ptr_array_index (self->figures, i);

      if (g_str_equal (figure->key, key))
        return figure;
    }
  return NULL;
}

void
bench_line_add (BenchLine *self, const char *key, double value)
{
  BenchFigure *figure = find (self, key);

  if (figure == NULL)
    {
      figure = g_new0 (BenchFigure, 1);
      figure->key = g_intern_string (key);
      figure->values = g_array_new (FALSE, FALSE, sizeof (double));
      g_ptr_array_add (self->figures, figure);
    }
  g_array_append_val (figure->values, value);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return (x > y) - (x < y);
}

gboolean
bench_line_get (const BenchLine *self, const char *key, double *value)
{
  BenchFigure *figure = find (self, key);
  guint n;

  if (figure == NULL)
    return FALSE;
  g_array_sort (figure->values, compare);
  n = figure->values->len;
  *value = (g_array_index (figure->values, double, (n - 1) / 2) +
            g_array_index (figure->values, double, n / 2)) /
           2;
  return TRUE;
}

char *
bench_line_label (const BenchLine *self)
{
  return self->row->variant ? g_strdup_printf ("%s, %s", self->system, self->row->variant)
                            : g_strdup (self->system);
}

/* 1234567.8 → "1,234,568"; small values keep some digits. */
char *
bench_format_number (double value)
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

/* --- which ------------------------------------------------------------------------------------ */

gboolean
bench_is_backend (const char *system)
{
  return g_strv_contains ((const char *const[]){ "memory", "sqlite", "fs-json", "gdbm", NULL },
                          system);
}

static gboolean
is_wanted (const char *system, const BenchOptions *options)
{
  return options->backends->len == 0 || !bench_is_backend (system) ||
         g_ptr_array_find_with_equal_func (options->backends, system, g_str_equal, NULL);
}

static void
add_line (GPtrArray *lines, const BenchRow *row, const char *system, const BenchOptions *options)
{
  g_auto (GStrv) there = job_list_backends ();
  BenchLine *line;

  if (!is_wanted (system, options))
    return;
  line = bench_line_new (row, system);
  if (bench_is_backend (system) && !g_strv_contains ((const char *const *) there, system))
    {
      line->missing = TRUE;
      line->problem = g_strdup ("this backend is not there");
    }
  g_ptr_array_add (lines, line);
}

static gboolean
has_backend (GPtrArray *lines)
{
  for (guint i = 0; i < lines->len; i++)
    if (bench_is_backend (((BenchLine *) g_ptr_array_index (lines, i))->system))
      return TRUE;
  return FALSE;
}

GPtrArray *
bench_lines_new (const BenchCase *bench_case, const BenchOptions *options)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func ((GDestroyNotify) bench_line_free);

  for (const BenchRow *row = bench_case->rows; row->system; row++)
    if (!g_str_equal (row->system, BENCH_DISK))
      add_line (lines, row, row->system, options);
    else
      for (guint i = 0; i < G_N_ELEMENTS (disk_backends); i++)
        add_line (lines, row, disk_backends[i], options);
  for (guint i = 0; i < lines->len; i++)
    {
      BenchLine *line = g_ptr_array_index (lines, i);

      line->judged = bench_is_judged (bench_case, line);
    }
  if (!has_backend (lines)) /* the peers alone are of no interest */
    g_ptr_array_set_size (lines, 0);
  return lines;
}
