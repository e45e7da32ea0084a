/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A disk whose power can be cut, in memory that all children of its maker share.
 *
 * It has a cache: what is written is read again at once, but is on the disk for certain only after
 * a flush. At the cut, each write since the last flush is kept, or is not, or in some of its
 * sectors. Whoever uses the disk does not notice: what was written can be read until the disk is
 * started again; then it has what was kept. */

#pragma once

#include "fuse-file.h"

G_BEGIN_DECLS

#define BLOCK_DISK_SIZE (32 * 1024 * 1024)

typedef struct _BlockDisk BlockDisk;

/* What a cut met. */
typedef struct
{
  guint64 n_requests; /* writes and flushes until then */
  guint n_unsynced;   /* writes since the last flush … */
  guint n_sectors;    /* … their sectors … */
  guint n_kept;       /* … and how many of those the disk has */
} BlockCut;

/* For as long as the process lives. */
BlockDisk *block_disk_new (void);
/* To be served. */
FuseFile block_disk_get_file (BlockDisk *self);

/* Not while it is served. With BLOCK_DISK_SIZE bytes of @contents; or with what the power cut left.
 */
void block_disk_reset (BlockDisk *self, gconstpointer contents);
void block_disk_restart (BlockDisk *self);

/* When the power is cut: at the write or flush number @requests of those that come when *@progress,
 * which is shared memory, is @from or more, and at least @unsynced writes are not flushed. */
typedef struct
{
  guint64 seed; /* of what is kept */
  const guint *progress;
  guint from;
  guint unsynced;
  guint requests;
} BlockMoment;

/* After a reset or restart, and before it is served. */
void block_disk_cut_later (BlockDisk *self, const BlockMoment *moment);
/* At the cut, and before anything else is answered, *@watched is copied to @copy; both are shared.
 */
void block_disk_watch (BlockDisk *self, gconstpointer watched, gpointer copy, gsize size);
/* The power is cut now, if it was not. */
void block_disk_cut_now (BlockDisk *self, BlockCut *met);
gboolean block_disk_is_cut (BlockDisk *self);

G_END_DECLS
