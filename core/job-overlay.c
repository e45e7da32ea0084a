/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-overlay-private.h"

void
job_overlay_init (JobOverlay *self)
{
  *self = (JobOverlay){ .dependents = job_dependents_new () };
}

void
job_overlay_clear (JobOverlay *self)
{
  job_overlay_empty (self);
  job_id_table_clear (&self->items);
  g_clear_pointer (&self->dependents, job_dependents_free);
}

void
job_overlay_note (JobOverlay *self, const JobChange *change, JobPlace place)
{
  JobOverlayItem *item = job_id_table_lookup (&self->items, &change->id);

  if (item == NULL)
    {
      item = g_slice_new0 (JobOverlayItem);
      item->id = change->id;
      job_id_table_insert (&self->items, item);
    }
  item->status = place;
  if (change->record)
    {
      item->record = place;
      job_dependents_add (self->dependents, change->record);
    }
}

void
job_overlay_empty (JobOverlay *self)
{
  for (gsize i = 0; i < self->items.n_slots; i++)
    if (self->items.slots[i])
      g_slice_free (JobOverlayItem, self->items.slots[i]);
  job_id_table_clear (&self->items);
  job_dependents_clear (self->dependents);
}

const JobOverlayItem *
job_overlay_lookup (const JobOverlay *self, const JobId *id)
{
  return job_id_table_lookup (&self->items, id);
}
