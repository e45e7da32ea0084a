/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds a cycle in a graph without recursing: nodes that point nowhere are taken away, then those
 * that pointed only to them, and so on. Whoever is left points to somebody who is left, so that
 * following them leads round a cycle. */

#include "jobctl-cycle.h"

/* edges the other way round */
static GPtrArray *
reverse (GPtrArray *edges)
{
  GPtrArray *reversed = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);

  for (guint i = 0; i < edges->len; i++)
    g_ptr_array_add (reversed, g_array_new (FALSE, FALSE, sizeof (guint)));
  for (guint i = 0; i < edges->len; i++)
    {
      GArray *targets = g_ptr_array_index (edges, i);

      for (guint j = 0; j < targets->len; j++)
        g_array_append_val (g_ptr_array_index (reversed, g_array_index (targets, guint, j)), i);
    }
  return reversed;
}

/* For each node, to how many that are left it points; 0: it was taken away. */
static guint *
take_away (GPtrArray *edges)
{
  g_autoptr (GPtrArray) sources = reverse (edges);
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (guint));
  guint *n_left = g_new0 (guint, edges->len);

  for (guint i = 0; i < edges->len; i++)
    {
      n_left[i] = ((GArray *) g_ptr_array_index (edges, i))->len;
      if (n_left[i] == 0)
        g_array_append_val (taken, i);
    }
  for (guint next = 0; next < taken->len; next++)
    {
      GArray *from = g_ptr_array_index (sources, g_array_index (taken, guint, next));

      for (guint j = 0; j < from->len; j++)
        {
          guint source = g_array_index (from, guint, j);

          if (--n_left[source] == 0)
            g_array_append_val (taken, source);
        }
    }
  return n_left;
}

static guint
follow (GPtrArray *edges, const guint *n_left, guint node)
{
  GArray *targets = g_ptr_array_index (edges, node);
  guint j = 0;

  while (n_left[g_array_index (targets, guint, j)] == 0)
    j++;
  return g_array_index (targets, guint, j);
}

GArray *
jobctl_find_cycle (GPtrArray *edges)
{
  g_autofree guint *n_left = take_away (edges);
  GArray *cycle = NULL;
  guint start = 0, node;

  while (start < edges->len && n_left[start] == 0)
    start++;
  if (start == edges->len)
    return NULL;
  for (guint i = 0; i < edges->len; i++) /* far enough to be in the cycle, not before it */
    start = follow (edges, n_left, start);
  cycle = g_array_new (FALSE, FALSE, sizeof (guint));
  node = start;
  do
    {
      g_array_append_val (cycle, node);
      node = follow (edges, n_left, node);
    }
  while (node != start);
  return cycle;
}
