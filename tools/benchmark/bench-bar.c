/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bars of a case, and whether they are met. */

#include "bench-run.h"

/* Whether the bar is one for this line's system, or only shows it. */
static gboolean
is_for (const BenchBar *bar, const BenchLine *line)
{
  return bar->only == NULL || g_str_equal (line->system, bar->only);
}

/* What a line is compared with: of the reference's row, the line of the same system, else the only
 * one. */
static const BenchLine *
find_reference (const BenchOutcome *outcome, const BenchBar *bar, const BenchLine *line)
{
  const BenchLine *found = NULL;

  if (bar->than < 0)
    return NULL;
  for (guint i = 0; i < outcome->lines->len; i++)
    {
      const BenchLine *other = g_ptr_array_index (outcome->lines, i);

      if (other->row == &outcome->bench_case->rows[bar->than] &&
          (found == NULL || other->system == line->system))
        found = other;
    }
  return found;
}

static BenchJudgement
judge (const BenchVerdict *verdict, const BenchOptions *options)
{
  const BenchBar *bar = verdict->bar;

  if (!is_for (bar, verdict->line))
    return BENCH_SHOWN;
  if (!verdict->known)
    return BENCH_UNKNOWN;
  if (bar->full_only && options->quick)
    return BENCH_FOR_A_FULL_RUN;
  return (bar->at_most ? verdict->ratio <= bar->factor : verdict->ratio >= bar->factor)
             ? BENCH_MET
             : BENCH_MISSED;
}

static BenchVerdict
compare (const BenchOutcome *outcome, const BenchBar *bar, const BenchLine *line,
         const BenchOptions *options)
{
  BenchVerdict verdict = { .bar = bar,
                           .line = line,
                           .reference = find_reference (outcome, bar, line),
                           .than_figure = bar->than_figure ? bar->than_figure : bar->figure };
  gboolean has_unit = bar->than < 0;

  verdict.unit = 1;
  if (verdict.reference)
    has_unit = bench_line_get (verdict.reference, verdict.than_figure, &verdict.unit);
  verdict.known = bench_line_get (line, bar->figure, &verdict.value) && has_unit;
  verdict.ratio = verdict.value / verdict.unit;
  verdict.judgement = judge (&verdict, options);
  return verdict;
}

GArray *
bench_judge (const BenchOutcome *outcome, const BenchOptions *options)
{
  GArray *verdicts = g_array_new (FALSE, FALSE, sizeof (BenchVerdict));

  for (const BenchBar *bar = outcome->bench_case->bars; bar->figure; bar++)
    for (guint i = 0; i < outcome->lines->len; i++)
      {
        const BenchLine *line = g_ptr_array_index (outcome->lines, i);
        BenchVerdict verdict;

        if (line->row != &outcome->bench_case->rows[bar->row])
          continue;
        verdict = compare (outcome, bar, line, options);
        g_array_append_val (verdicts, verdict);
      }
  return verdicts;
}

/* One that is compared with counts as well: if it is a backend, for its own sake only. */
gboolean
bench_is_judged (const BenchCase *bench_case, const BenchLine *line)
{
  for (const BenchBar *bar = bench_case->bars; bar->figure; bar++)
    {
      gboolean measured = line->row == &bench_case->rows[bar->row];
      gboolean compared = bar->than >= 0 && line->row == &bench_case->rows[bar->than];

      if ((measured && is_for (bar, line)) ||
          (compared && (!bench_is_backend (line->system) || is_for (bar, line))))
        return TRUE;
    }
  return FALSE;
}
