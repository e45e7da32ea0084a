/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The heap behind every "which is first": jobs of a lane, lanes of a wider one, waiters, deadlines.
 */

#include "job-heap-private.h"

#define MIN_ALLOCATED 4

static inline guint *
position_of (const JobHeap *self, gconstpointer item)
{
  return (guint *) ((char *) item + self->position_offset);
}

static inline gpointer *
slot_at (const JobHeap *self, guint index)
{
  if (G_LIKELY (index < JOB_HEAP_BLOCK))
    return &self->items[index];
  return &self->blocks[index / JOB_HEAP_BLOCK - 1][index % JOB_HEAP_BLOCK];
}

static inline gpointer
item_at (const JobHeap *self, guint index)
{
  return *slot_at (self, index);
}

static inline void
place (JobHeap *self, guint index, gpointer item)
{
  *slot_at (self, index) = item;
  *position_of (self, item) = index + 1;
}

static gboolean
rise (JobHeap *self, guint index)
{
  gpointer item = item_at (self, index);
  guint start = index;

  while (index > 0)
    {
      guint parent = (index - 1) / 2;

      if (self->compare (item_at (self, parent), item) <= 0)
        break;
      place (self, index, item_at (self, parent));
      index = parent;
    }

  place (self, index, item);
  return index != start;
}

static void
sink (JobHeap *self, guint index)
{
  gpointer item = item_at (self, index);

  for (;;)
    {
      guint child = index * 2 + 1;

      if (child >= self->length)
        break;
      if (child + 1 < self->length &&
          self->compare (item_at (self, child + 1), item_at (self, child)) < 0)
        child++;
      if (self->compare (item, item_at (self, child)) <= 0)
        break;
      place (self, index, item_at (self, child));
      index = child;
    }

  place (self, index, item);
}

/* --- room for items --------------------------------------------------------------------------- */

/* The list of blocks doubles, but it has only one pointer for a thousand items. */
static void
add_block (JobHeap *self)
{
  guint n = self->allocated / JOB_HEAP_BLOCK - 1;

  if ((n & (n - 1)) == 0)
    self->blocks = g_renew (gpointer *, self->blocks, MAX (1, n * 2));
  self->blocks[n] = g_new (gpointer, JOB_HEAP_BLOCK);
  self->allocated += JOB_HEAP_BLOCK;
}

static void
resize_first (JobHeap *self, guint allocated)
{
  self->items = g_renew (gpointer, self->items, allocated);
  self->allocated = allocated;
}

static void
grow (JobHeap *self)
{
  if (self->allocated < JOB_HEAP_BLOCK)
    resize_first (self, MAX (MIN_ALLOCATED, self->allocated * 2));
  else
    add_block (self);
}

/* Late enough not to grow again at once. */
static void
shrink (JobHeap *self)
{
  if (self->allocated <= JOB_HEAP_BLOCK)
    resize_first (self, self->allocated / 2);
  else
    {
      self->allocated -= JOB_HEAP_BLOCK;
      g_free (self->blocks[self->allocated / JOB_HEAP_BLOCK - 1]);
    }
}

static inline gboolean
is_too_large (const JobHeap *self)
{
  if (self->allocated <= JOB_HEAP_BLOCK)
    return self->allocated > MIN_ALLOCATED * 4 && self->length < self->allocated / 4;
  return self->length + JOB_HEAP_BLOCK * 3 / 2 <= self->allocated;
}

/* ---------------------------------------------------------------------------------------------- */

void
job_heap_init (JobHeap *self, GCompareFunc compare, gsize position_offset)
{
  *self = (JobHeap){ .compare = compare, .position_offset = position_offset };
}

void
job_heap_clear (JobHeap *self)
{
  for (guint n = JOB_HEAP_BLOCK; n < self->allocated; n += JOB_HEAP_BLOCK)
    g_free (self->blocks[n / JOB_HEAP_BLOCK - 1]);
  g_clear_pointer (&self->blocks, g_free);
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
    grow (self);
  *slot_at (self, self->length++) = item;
  rise (self, self->length - 1);
}

void
job_heap_remove (JobHeap *self, gpointer item)
{
  guint index = *position_of (self, item) - 1;
  gpointer last = item_at (self, --self->length);

  g_assert (index <= self->length);

  *position_of (self, item) = 0;
  if (last != item)
    {
      place (self, index, last);
      job_heap_update (self, last);
    }
  if (is_too_large (self))
    shrink (self);
}

void
job_heap_update (JobHeap *self, gpointer item)
{
  guint index = *position_of (self, item) - 1;

  if (!rise (self, index))
    sink (self, index);
}
