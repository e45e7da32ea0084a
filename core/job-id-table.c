/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The head of its hash tells the part that an id is in. Each part is a table of its own: open
 * addressing with linear probing, at most seven eighths full, and removal by shifting back what
 * follows: no tombstones, so that a table that many jobs pass through stays as fast as a new one.
 *
 * The hashes are kept beside the items. So a search reads an item only to find that it is the right
 * one, and a part that grows (by a quarter) reads none at all: with a million items it moves 4,000,
 * within some 20 µs. With a million, what costs is how many places of the memory are read that no
 * cache has: so a search begins with a group of slots that are in one line. */

#include "job-id-table.h"

#define PART_BITS 8
#define MIN_GROUPS 2
#define LINE_SIZE 64

G_STATIC_ASSERT (JOB_ID_TABLE_N_PARTS == 1 << PART_BITS);

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

static inline gpointer *
item_at (const JobIdTablePart *self, guint slot)
{
  return &self->groups[slot / JOB_ID_TABLE_GROUP].items[slot % JOB_ID_TABLE_GROUP];
}

static inline guint32 *
hash_at (const JobIdTablePart *self, guint slot)
{
  return &self->groups[slot / JOB_ID_TABLE_GROUP].hashes[slot % JOB_ID_TABLE_GROUP];
}

/* Where the search for @hash begins: the groups in the order of the hashes. */
static inline guint
home_of (const JobIdTablePart *self, guint32 hash)
{
  guint64 n_groups = self->n_slots / JOB_ID_TABLE_GROUP;

  return (guint) (((guint64) (guint32) (hash << PART_BITS) * n_groups) >> 32) * JOB_ID_TABLE_GROUP;
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
  guint slot = home_of (self, hash);
  guint32 there;

  while ((there = *hash_at (self, slot)) != 0 &&
         (there != hash || !job_id_equal (*item_at (self, slot), id)))
    slot = next_slot (self, slot);
  return slot;
}

static void
put (JobIdTablePart *self, guint slot, gpointer item, guint32 hash)
{
  *item_at (self, slot) = item;
  *hash_at (self, slot) = hash;
}

static guint
find_free (const JobIdTablePart *self, guint32 hash)
{
  guint slot = home_of (self, hash);

  while (*hash_at (self, slot) != 0)
    slot = next_slot (self, slot);
  return slot;
}

static void
resize (JobIdTablePart *self, guint n_groups)
{
  const JobIdTablePart old = *self;

  self->n_slots = n_groups * JOB_ID_TABLE_GROUP;
  self->groups = g_aligned_alloc0 (n_groups, sizeof (JobIdTableGroup), LINE_SIZE);
  for (guint i = 0; i < old.n_slots; i++)
    {
      guint32 hash = *hash_at (&old, i);

      if (hash != 0)
        put (self, find_free (self, hash), *item_at (&old, i), hash);
    }
  g_aligned_free (old.groups);
}

static void
grow (JobIdTablePart *self)
{
  guint n_groups = self->n_slots / JOB_ID_TABLE_GROUP;

  resize (self, MAX (MIN_GROUPS, n_groups + (n_groups + 3) / 4));
}

static void
shrink (JobIdTablePart *self)
{
  guint n_groups = self->n_slots / JOB_ID_TABLE_GROUP;

  resize (self, MAX (MIN_GROUPS, n_groups - n_groups / 3));
}

void
job_id_table_clear (JobIdTable *self)
{
  for (guint i = 0; self->parts && i < JOB_ID_TABLE_N_PARTS; i++)
    g_aligned_free (self->parts[i].groups);
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
  return *hash_at (part, slot) != 0 ? *item_at (part, slot) : NULL;
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
    grow (part);
  put (part, find_free (part, hash), item, hash);
  part->length++;
  self->length++;
}

void
job_id_table_remove (JobIdTable *self, gconstpointer item)
{
  guint32 hash = hash_of (item);
  JobIdTablePart *part = part_of (self, hash);
  guint hole = find (part, item, hash);

  g_assert (part->length > 0 && *hash_at (part, hole) != 0 && *item_at (part, hole) == item);

  /* An item may fill the hole unless the search for it begins behind the hole. */
  for (guint i = next_slot (part, hole); *hash_at (part, i) != 0; i = next_slot (part, i))
    {
      if (distance (part, home_of (part, *hash_at (part, i)), i) < distance (part, hole, i))
        continue;
      put (part, hole, *item_at (part, i), *hash_at (part, i));
      hole = i;
    }
  *hash_at (part, hole) = 0;
  part->length--;
  self->length--;

  if (part->n_slots > MIN_GROUPS * JOB_ID_TABLE_GROUP && part->length < part->n_slots / 4)
    shrink (part);
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

          if (*hash_at (part, slot) != 0)
            return *item_at (part, slot);
        }
    }
  return NULL;
}
