/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* There are two images of it: what is read, and what is on the disk for certain; and the writes
 * since the last flush, in their order. The process that serves the disk changes them, and whoever
 * cuts the power: under a lock that is shared as well.
 *
 * A disk writes sectors of 512 bytes whole, and so does this one. */

#include "block-disk.h"

#include <pthread.h>
#include <string.h>

#include "trial.h"

#define CACHE_SIZE (32 * 1024 * 1024)
#define CACHE_WRITES 16384
#define SECTOR 512

typedef struct
{
  guint64 offset;
  gsize size;
  gsize at; /* in the cache */
} Write;

struct _BlockDisk
{
  pthread_mutex_t lock; /* guards the rest, while it is served */
  guint8 image[BLOCK_DISK_SIZE];
  guint8 disk[BLOCK_DISK_SIZE]; /* what is there for certain; after the cut: what was kept */
  guint8 cache[CACHE_SIZE];
  Write writes[CACHE_WRITES];
  guint n_writes;
  gsize n_bytes;

  BlockMoment moment; /* its requests are counted down */
  gconstpointer watched;
  gpointer copy;
  gsize watched_size;
  gboolean is_cut;
  BlockCut cut;
};

/* --- the cut ---------------------------------------------------------------------------------- */

/* How much is kept: each write with the first chance, and then each of its sectors with the second.
 */
static const struct
{
  double write;
  double sector;
} lucks[] = { { 0, 0 },   { 1, 1 },   { 0.5, 1 }, { 0.9, 1 },  { 0.1, 1 },
              { 1, 0.5 }, { 1, 0.9 }, { 1, 0.1 }, { 0.5, 0.5 } };

static void
keep_sectors (BlockDisk *self, const Write *write, GRand *rand, double chance)
{
  for (gsize at = 0; at < write->size; at += SECTOR)
    {
      self->cut.n_sectors++;
      if (g_rand_double (rand) >= chance)
        continue;
      self->cut.n_kept++;
      memcpy (self->disk + write->offset + at, self->cache + write->at + at,
              MIN (SECTOR, write->size - at));
    }
}

/* One time in four the disk has written in order, as far as it came. */
static void
keep_some (BlockDisk *self)
{
  guint32 seeds[2] = { (guint32) self->moment.seed, (guint32) (self->moment.seed >> 32) };
  GRand *rand = g_rand_new_with_seed_array (seeds, 2);
  guint luck = (guint) g_rand_int_range (rand, 0, G_N_ELEMENTS (lucks));
  gboolean in_order = g_rand_int_range (rand, 0, 4) == 0;
  guint first = (guint) g_rand_int_range (rand, 0, (gint32) self->n_writes + 1);

  for (guint i = 0; i < self->n_writes; i++)
    {
      gboolean some = in_order ? i < first : g_rand_double (rand) < lucks[luck].write;

      keep_sectors (self, &self->writes[i], rand, !some ? 0 : in_order ? 1 : lucks[luck].sector);
    }
  g_rand_free (rand);
}

static void
cut (BlockDisk *self)
{
  if (self->watched)
    memcpy (self->copy, self->watched, self->watched_size);
  self->cut.n_unsynced = self->n_writes;
  keep_some (self);
  self->is_cut = TRUE;
}

static void
count_request (BlockDisk *self)
{
  BlockMoment *moment = &self->moment;

  self->cut.n_requests++;
  if (moment->progress && (guint) g_atomic_int_get (moment->progress) >= moment->from &&
      self->n_writes >= moment->unsynced && --moment->requests == 0)
    cut (self);
}

/* --- reading and writing ---------------------------------------------------------------------- */

static void
flush (BlockDisk *self)
{
  for (guint i = 0; i < self->n_writes; i++)
    memcpy (self->disk + self->writes[i].offset, self->cache + self->writes[i].at,
            self->writes[i].size);
  self->n_writes = 0;
  self->n_bytes = 0;
}

/* A disk whose cache is full writes it. */
static void
add_to_cache (BlockDisk *self, guint64 offset, gsize size)
{
  if (self->n_writes == CACHE_WRITES || size > CACHE_SIZE - self->n_bytes)
    flush (self);
  self->writes[self->n_writes++] = (Write){ offset, size, self->n_bytes };
  memcpy (self->cache + self->n_bytes, self->image + offset, size);
  self->n_bytes += size;
}

static void
on_read (guint64 offset, gsize size, void *bytes, gpointer data)
{
  BlockDisk *self = data;

  memcpy (bytes, self->image + offset, size);
}

/* The one that the cut comes upon is one of those that may be kept. */
static void
note_write (BlockDisk *self, guint64 offset, gsize size)
{
  if (self->is_cut)
    return;
  add_to_cache (self, offset, size);
  count_request (self);
}

static void
on_write (guint64 offset, gsize size, const void *bytes, gpointer data)
{
  BlockDisk *self = data;

  pthread_mutex_lock (&self->lock);
  memcpy (self->image + offset, bytes, size);
  note_write (self, offset, size);
  pthread_mutex_unlock (&self->lock);
}

static void
on_zero (guint64 offset, gsize size, gpointer data)
{
  BlockDisk *self = data;

  pthread_mutex_lock (&self->lock);
  memset (self->image + offset, 0, size);
  note_write (self, offset, size);
  pthread_mutex_unlock (&self->lock);
}

static void
on_flush (gpointer data)
{
  BlockDisk *self = data;

  pthread_mutex_lock (&self->lock);
  if (!self->is_cut)
    count_request (self);
  if (!self->is_cut)
    flush (self);
  pthread_mutex_unlock (&self->lock);
}

FuseFile
block_disk_get_file (BlockDisk *self)
{
  return (FuseFile){ .size = BLOCK_DISK_SIZE,
                     .read = on_read,
                     .write = on_write,
                     .zero = on_zero,
                     .flush = on_flush,
                     .data = self };
}

/* --- before and after a cut ------------------------------------------------------------------- */

/* Its last holder may have been killed. */
static void
init_lock (BlockDisk *self)
{
  pthread_mutexattr_t kind;

  pthread_mutexattr_init (&kind);
  pthread_mutexattr_setpshared (&kind, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init (&self->lock, &kind);
  pthread_mutexattr_destroy (&kind);
}

BlockDisk *
block_disk_new (void)
{
  BlockDisk *self = trial_share (sizeof *self);

  init_lock (self);
  return self;
}

static void
start (BlockDisk *self)
{
  init_lock (self);
  memcpy (self->image, self->disk, BLOCK_DISK_SIZE);
  self->n_writes = 0;
  self->n_bytes = 0;
  self->moment = (BlockMoment){ 0 };
  self->watched = NULL;
  self->is_cut = FALSE;
  self->cut = (BlockCut){ 0 };
}

void
block_disk_reset (BlockDisk *self, gconstpointer contents)
{
  memcpy (self->disk, contents, BLOCK_DISK_SIZE);
  start (self);
}

void
block_disk_restart (BlockDisk *self)
{
  start (self);
}

void
block_disk_cut_later (BlockDisk *self, const BlockMoment *moment)
{
  self->moment = *moment;
}

void
block_disk_watch (BlockDisk *self, gconstpointer watched, gpointer copy, gsize size)
{
  self->watched = watched;
  self->copy = copy;
  self->watched_size = size;
}

void
block_disk_cut_now (BlockDisk *self, BlockCut *met)
{
  pthread_mutex_lock (&self->lock);
  if (!self->is_cut)
    cut (self);
  *met = self->cut;
  pthread_mutex_unlock (&self->lock);
}

gboolean
block_disk_is_cut (BlockDisk *self)
{
  return g_atomic_int_get (&self->is_cut);
}
