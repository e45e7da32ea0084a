/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory for millions of structs of one size: cut from blocks, with nothing in front of each, where
 * malloc takes 8 to 16 bytes more and GSlice, while it lasted, rounded up to 16. A block goes back
 * when none of its items is in use. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gsize item_size;
  GQueue blocks; /* those with room, by their links */
  gsize n_blocks;
} JobSlab;

/* @item_size: at least that of a pointer, and a multiple of it. */
void job_slab_init (JobSlab *self, gsize item_size);
/* All items have been freed. */
void job_slab_clear (JobSlab *self);
/* A zeroed item. */
gpointer job_slab_alloc (JobSlab *self);
void job_slab_free (JobSlab *self, gpointer item);

G_END_DECLS
