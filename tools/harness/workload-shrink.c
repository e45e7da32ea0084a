/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The shortest sequence that shows what is wrong. */

#include "workload.h"

#define MOST_TIME (60 * G_USEC_PER_SEC)

static GArray *
copy_without (GArray *steps, guint at, guint n)
{
  GArray *copy = g_array_copy (steps);

  return g_array_remove_range (copy, at, n);
}

char *
workload_shrink (GArray **steps, char *story, char *(*attempt) (gpointer data), gpointer data)
{
  gint64 deadline = g_get_monotonic_time () + MOST_TIME;

  for (guint size = (*steps)->len / 2; size > 0; size /= 2)
    for (guint at = 0; at < (*steps)->len && g_get_monotonic_time () < deadline;)
      {
        GArray *all = *steps;
        guint n = MIN (size, all->len - at);
        char *next;

        *steps = copy_without (all, at, n);
        next = (*steps)->len > 0 ? attempt (data) : NULL;
        g_array_unref (next ? all : *steps);
        if (next)
          {
            g_free (story);
            story = next;
            continue;
          }
        *steps = all;
        at += n;
      }
  return story;
}
