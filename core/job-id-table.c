/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The head of its hash tells the part that an id is in. Each part is a table of its own: open
 * addressing with linear probing, at most seven eighths full, and removal by shifting back what
 * follows: no tombstones, so that a table that many jobs pass through stays as fast as a new one.
 *
 * The hashes are kept beside the items. So a search reads an item only to find that it is the right
 * one, and a part that grows (by a quarter) reads none at all: with a million items it moves 4,000,
 * within some 20 µs. */

#include "job-id-table.h"

#include <string.h>

#define PART_BITS 8
#define MIN_SLOTS 8

G_STATIC_ASSERT (JOB_ID_TABLE_N_PARTS == 1 << PART_BITS);

static inline guint32 *
hashes_of (const JobIdTablePart *self)
{
  return (guint32 *) (self->items + self->n_slots);
}

/* Scattered, since ids that an application chose may differ in few bits. */
static inline guint32
hash_of (gconstpointer item)
{
  return MAX (job_id_hash (item) * 0x9e3779b1u, 1);
}

static inline JobIdTablePart *
part_of (const JobIdTable *self, guint32 hash)
{
  return &self->parts[hash >> (32 - PART_BITS)];
}

/* Where the search for @hash begins: the slots in the order of the hashes. */
static inline guint
home_of (const JobIdTablePart *self, guint32 hash)
{
  return (guint) ((guint64) (guint32) (hash << PART_BITS) * self->n_slots >> 32);
}

static inline guint
next_slot (const JobIdTablePart *self, guint slot)
{
  return slot + 1 < self->n_slots ? slot + 1 : 0;
}

/* How far a search that begins at @home goes to @slot. */
static inline guint
distance (const JobIdTablePart *self, guint home, guint slot)
{
  return slot >= home ? slot - home : slot + self->n_slots - home;
}

/* The slot of the item, or the free one that it would come to. */
static guint
find (const JobIdTablePart *self, const JobId *id, guint32 hash)
{
  const guint32 *hashes = hashes_of (self);
  guint slot = home_of (self, hash);

  while (hashes[slot] != 0 && (hashes[slot] != hash || !job_id_equal (self->items[slot], id)))
    slot = next_slot (self, slot);
  return slot;
}

static void
put (JobIdTablePart *self, gpointer item, guint32 hash)
{
  guint32 *hashes = hashes_of (self);
  guint slot = home_of (self, hash);

  while (hashes[slot] != 0)
    slot = next_slot (self, slot);
  self->items[slot] = item;
  hashes[slot] = hash;
}

static void
resize (JobIdTablePart *self, guint n_slots)
{
  const JobIdTablePart old = *self;

  self->items = g_malloc_n (n_slots, sizeof (gpointer) + sizeof (guint32));
  self->n_slots = n_slots;
  memset (hashes_of (self), 0, n_slots * sizeof (guint32));
  for (guint i = 0; i < old.n_slots; i++)
    if (hashes_of (&old)[i] != 0)
      put (self, old.items[i], hashes_of (&old)[i]);
  g_free (old.items);
}

void
job_id_table_clear (JobIdTable *self)
{
  for (guint i = 0; self->parts && i < JOB_ID_TABLE_N_PARTS; i++)
    g_free (self->parts[i].items);
  g_free (self->parts);
  *self = (JobIdTable){ 0 };
}

gpointer
job_id_table_lookup (const JobIdTable *self, const JobId *id)
{
  guint32 hash = hash_of (id);
  const JobIdTablePart *part;
  guint slot;

  if (self->length == 0)
    return NULL;
  part = part_of (self, hash);
  if (part->length == 0)
    return NULL;
  slot = find (part, id, hash);
  return hashes_of (part)[slot] != 0 ? part->items[slot] : NULL;
}

void
job_id_table_insert (JobIdTable *self, gpointer item)
{
  guint32 hash = hash_of (item);
  JobIdTablePart *part;

  if (self->parts == NULL)
    self->parts = g_new0 (JobIdTablePart, JOB_ID_TABLE_N_PARTS);
  part = part_of (self, hash);
  if (part->length >= part->n_slots - part->n_slots / 8)
    resize (part, MAX (MIN_SLOTS, part->n_slots + part->n_slots / 4));
  put (part, item, hash);
  part->length++;
  self->length++;
}

void
job_id_table_remove (JobIdTable *self, gconstpointer item)
{
  guint32 hash = hash_of (item);
  JobIdTablePart *part = part_of (self, hash);
  guint32 *hashes = hashes_of (part);
  guint hole = find (part, item, hash);

  g_assert (part->length > 0 && hashes[hole] != 0 && part->items[hole] == item);

  /* An item may fill the hole unless the search for it begins behind the hole. */
  for (guint i = next_slot (part, hole); hashes[i] != 0; i = next_slot (part, i))
    {
      if (distance (part, home_of (part, hashes[i]), i) < distance (part, hole, i))
        continue;
      part->items[hole] = part->items[i];
      hashes[hole] = hashes[i];
      hole = i;
    }
  hashes[hole] = 0;
  part->length--;
  self->length--;

  if (part->n_slots > MIN_SLOTS && part->length < part->n_slots / 4)
    resize (part, MAX (MIN_SLOTS, part->n_slots - part->n_slots / 3));
}

gpointer
job_id_table_next (const JobIdTable *self, JobIdTableIter *iter)
{
  for (; self->parts && iter->part < JOB_ID_TABLE_N_PARTS; iter->part++, iter->slot = 0)
    {
      const JobIdTablePart *part = &self->parts[iter->part];

      while (iter->slot < part->n_slots)
        {
          guint slot = iter->slot++;

          if (hashes_of (part)[slot] != 0)
            return part->items[slot];
        }
    }
  return NULL;
}
