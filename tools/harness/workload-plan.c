/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which steps a workload has. */

#include "workload.h"

#include <string.h>

/* How often each of them comes. */
static const guint weights[WORK_N_VERBS] = {
  [WORK_ENQUEUE] = 30,  [WORK_ENQUEUE_MANY] = 5, [WORK_DEQUEUE] = 26, [WORK_DEQUEUE_BY_ID] = 2,
  [WORK_COMPLETE] = 14, [WORK_FAIL] = 6,         [WORK_RELEASE] = 5,  [WORK_HEARTBEAT] = 3,
  [WORK_CANCEL] = 4,    [WORK_GET_INFO] = 5,
};

static const char *const names[WORK_N_VERBS] = {
  "enqueue", "enqueue-many", "dequeue", "dequeue-by-id", "complete",       "fail",
  "release", "heartbeat",    "cancel",  "get-info",      "close and open",
};

static WorkVerb
draw_verb (GRand *rand)
{
  guint sum = 0, at;
  WorkVerb verb = 0;

  for (guint i = 0; i < WORK_N_VERBS; i++)
    sum += weights[i];
  at = (guint) g_rand_int_range (rand, 0, (gint32) sum);
  while (at >= weights[verb])
    at -= weights[verb++];
  return verb;
}

GArray *
workload_plan (guint64 seed, guint n_steps)
{
  guint32 seeds[2] = { (guint32) seed, (guint32) (seed >> 32) };
  GRand *rand = g_rand_new_with_seed_array (seeds, 2);
  GArray *steps = g_array_new (FALSE, TRUE, sizeof (WorkStep));

  for (guint i = 0; i < n_steps; i++)
    {
      WorkStep step = { .verb = draw_verb (rand), .number = i };

      if (n_steps > 2 && i == n_steps / 2)
        step.verb = WORK_REOPEN;
      for (guint k = 0; k < G_N_ELEMENTS (step.chances); k++)
        step.chances[k] = g_rand_int (rand);
      g_array_append_val (steps, step);
    }
  g_rand_free (rand);
  return steps;
}

char *
workload_describe (GArray *steps, const WorkLog *log)
{
  static const char *const outcomes[] = { "", "began", "", "failed", "outcome unknown" };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < steps->len && i < log->n_steps; i++)
    {
      const WorkStep *step = &g_array_index (steps, WorkStep, i);
      const char *outcome = outcomes[log->entries[i].outcome];

      g_string_append_printf (text, "%s%u %s%s%s", i > 0 ? ", " : "", step->number,
                              names[step->verb], *outcome ? ": " : "", outcome);
    }
  return g_string_free (text, FALSE);
}
