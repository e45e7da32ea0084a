/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A binary heap of pointers. Each item keeps its own position (a guint, zeroed while it is out), so
 * that any item can be removed or moved in O(log n). The heap knows nothing else of its items. What
 * a large one takes is in blocks, so that it never moves as a whole, and shrinks again. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define JOB_HEAP_BLOCK 1024

typedef struct
{
  gpointer *items;   /* items[0] is the first; JOB_HEAP_BLOCK at most */
  gpointer **blocks; /* each has JOB_HEAP_BLOCK of those that follow */
  guint length;
  guint allocated; /* in items, or in all blocks */
  GCompareFunc compare;
  gsize position_offset; /* of the guint in each item: its index + 1 */
} JobHeap;

void job_heap_init (JobHeap *self, GCompareFunc compare, gsize position_offset);
void job_heap_clear (JobHeap *self);
void job_heap_push (JobHeap *self, gpointer item);
void job_heap_remove (JobHeap *self, gpointer item);
/* After the key of @item changed. */
void job_heap_update (JobHeap *self, gpointer item);
gboolean job_heap_contains (const JobHeap *self, gconstpointer item);

static inline gpointer
job_heap_peek (const JobHeap *self)
{
  return self->length > 0 ? self->items[0] : NULL;
}

G_END_DECLS
