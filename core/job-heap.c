/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The heap behind every "which is first": jobs of a lane, lanes of a wider one, waiters, deadlines.
 */

#include "job-heap-private.h"

static inline guint *
position_of (const JobHeap *self, gconstpointer item)
{
  return (guint *) ((char *) item + self->position_offset);
}

static inline void
place (JobHeap *self, guint index, gpointer item)
{
  self->items[index] = item;
  *position_of (self, item) = index + 1;
}

static gboolean
rise (JobHeap *self, guint index)
{
  gpointer item = self->items[index];
  guint start = index;

  while (index > 0)
    {
      guint parent = (index - 1) / 2;

      if (self->compare (self->items[parent], item) <= 0)
        break;
      place (self, index, self->items[parent]);
      index = parent;
    }

  place (self, index, item);
  return index != start;
}

static void
sink (JobHeap *self, guint index)
{
  gpointer item = self->items[index];

  for (;;)
    {
      guint child = index * 2 + 1;

      if (child >= self->length)
        break;
      if (child + 1 < self->length &&
          self->compare (self->items[child + 1], self->items[child]) < 0)
        child++;
      if (self->compare (item, self->items[child]) <= 0)
        break;
      place (self, index, self->items[child]);
      index = child;
    }

  place (self, index, item);
}

void
job_heap_init (JobHeap *self, GCompareFunc compare, gsize position_offset)
{
  *self = (JobHeap){ .compare = compare, .position_offset = position_offset };
}

void
job_heap_clear (JobHeap *self)
{
  g_clear_pointer (&self->items, g_free);
  self->length = self->allocated = 0;
}

gboolean
job_heap_contains (const JobHeap *self, gconstpointer item)
{
  return *position_of (self, item) != 0;
}

void
job_heap_push (JobHeap *self, gpointer item)
{
  g_assert (!job_heap_contains (self, item));

  if (self->length == self->allocated)
    {
      self->allocated = MAX (4, self->allocated * 2);
      self->items = g_renew (gpointer, self->items, self->allocated);
    }
  self->items[self->length++] = item;
  rise (self, self->length - 1);
}

void
job_heap_remove (JobHeap *self, gpointer item)
{
  guint index = *position_of (self, item) - 1;
  gpointer last = self->items[--self->length];

  g_assert (index <= self->length);

  *position_of (self, item) = 0;
  if (last == item)
    return;
  place (self, index, last);
  job_heap_update (self, last);
}

void
job_heap_update (JobHeap *self, gpointer item)
{
  guint index = *position_of (self, item) - 1;

  if (!rise (self, index))
    sink (self, index);
}
