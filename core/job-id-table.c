/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Linear probing, at most three quarters full, and removal by shifting back what follows: no
 * tombstones, so that a table that many jobs pass through stays as fast as a new one. */

#include "job-id-table-private.h"

static inline gsize
home_of (const JobIdTable *self, gconstpointer item)
{
  return job_id_hash (item) & (self->n_slots - 1);
}

static gsize
find (const JobIdTable *self, const JobId *id)
{
  gsize i = home_of (self, id);

  while (self->slots[i] && !job_id_equal (self->slots[i], id))
    i = (i + 1) & (self->n_slots - 1);
  return i;
}

static void
grow (JobIdTable *self)
{
  g_autofree gpointer *old = self->slots;
  gsize n_old = self->n_slots;

  self->n_slots = MAX (16, n_old * 2);
  self->slots = g_new0 (gpointer, self->n_slots);
  for (gsize i = 0; i < n_old; i++)
    if (old[i])
      self->slots[find (self, old[i])] = old[i];
}

void
job_id_table_clear (JobIdTable *self)
{
  g_free (self->slots);
  *self = (JobIdTable){ 0 };
}

gpointer
job_id_table_lookup (const JobIdTable *self, const JobId *id)
{
  return self->n_slots > 0 ? self->slots[find (self, id)] : NULL;
}

void
job_id_table_insert (JobIdTable *self, gpointer item)
{
  gsize i;

  if (self->length * 4 >= self->n_slots * 3)
    grow (self);

  i = find (self, item);
  g_assert (self->slots[i] == NULL);
  self->slots[i] = item;
  self->length++;
}

void
job_id_table_remove (JobIdTable *self, gconstpointer item)
{
  gsize mask = self->n_slots - 1;
  gsize hole = find (self, item);

  g_assert (self->slots[hole] == item);

  /* An item may fill the hole unless its home lies (cyclically) after the hole. */
  for (gsize i = (hole + 1) & mask; self->slots[i]; i = (i + 1) & mask)
    {
      gsize distance = (i - home_of (self, self->slots[i])) & mask;

      if (distance < ((i - hole) & mask))
        continue;
      self->slots[hole] = self->slots[i];
      hole = i;
    }

  self->slots[hole] = NULL;
  self->length--;
}
