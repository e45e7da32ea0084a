/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A block begins at a multiple of its size, so that an item's address tells its block. What was
 * freed in a block is used again before what never was in use; and a block that is full is in no
 * list. For AddressSanitizer, which is to see what is freed, each item is an allocation. */

#include "job-slab-private.h"

#include <string.h>

#define BLOCK_SIZE 8192    /* small enough for the holes that growing tables leave in the heap */
#define MALLOC_OVERHEAD 64 /* left free, so that blocks fit one behind the other */

typedef struct
{
  GList link;     /* in JobSlab.blocks; data: this */
  gpointer freed; /* a list of items, each beginning with the next one */
  guint fresh;    /* offset of the first item that was never in use */
  guint n_used;
} Block;

#if defined(__SANITIZE_ADDRESS__)
#define SEPARATE_ITEMS TRUE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEPARATE_ITEMS TRUE
#endif
#endif
#ifndef SEPARATE_ITEMS
#define SEPARATE_ITEMS FALSE
#endif

static inline Block *
block_of (gpointer item)
{
  return (Block *) (GPOINTER_TO_SIZE (item) & ~(gsize) (BLOCK_SIZE - 1));
}

static inline gboolean
is_full (const JobSlab *self, const Block *block)
{
  return block->freed == NULL && block->fresh + self->item_size > BLOCK_SIZE - MALLOC_OVERHEAD;
}

void
job_slab_init (JobSlab *self, gsize item_size)
{
  *self = (JobSlab){ .item_size = item_size };
  g_queue_init (&self->blocks);
}

static Block *
add_block (JobSlab *self)
{
  Block *block = g_aligned_alloc (1, BLOCK_SIZE - MALLOC_OVERHEAD, BLOCK_SIZE);

  *block = (Block){ .link.data = block, .fresh = sizeof (Block) };
  g_queue_push_head_link (&self->blocks, &block->link);
  self->n_blocks++;
  return block;
}

static void
drop_block (JobSlab *self, Block *block)
{
  g_queue_unlink (&self->blocks, &block->link);
  g_aligned_free (block);
  self->n_blocks--;
}

void
job_slab_clear (JobSlab *self)
{
  while (self->blocks.head)
    drop_block (self, self->blocks.head->data);
}

gpointer
job_slab_alloc (JobSlab *self)
{
  Block *block = self->blocks.head ? self->blocks.head->data : NULL;
  gpointer item;

  if (SEPARATE_ITEMS)
    return g_malloc0 (self->item_size);

  if (block == NULL)
    block = add_block (self);
  item = block->freed;
  if (item)
    block->freed = *(gpointer *) item;
  else
    {
      item = (char *) block + block->fresh;
      block->fresh += self->item_size;
    }
  block->n_used++;
  if (is_full (self, block))
    g_queue_unlink (&self->blocks, &block->link);
  return memset (item, 0, self->item_size);
}

/* One empty block stays, so that a few items that come and go do not bring it and take it. */
void
job_slab_free (JobSlab *self, gpointer item)
{
  Block *block = block_of (item);

  if (SEPARATE_ITEMS)
    {
      g_free (item);
      return;
    }

  if (is_full (self, block))
    g_queue_push_tail_link (&self->blocks, &block->link);
  *(gpointer *) item = block->freed;
  block->freed = item;
  block->n_used--;
  if (block->n_used == 0 && self->blocks.length > 1)
    drop_block (self, block);
}
