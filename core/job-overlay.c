/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-overlay-private.h"

static void
item_free (gpointer item)
{
  g_slice_free (JobOverlayItem, item);
}

void
job_overlay_init (JobOverlay *self)
{
  *self = (JobOverlay){
    .items = g_ptr_array_new_with_free_func (item_free),
    .dependents = job_dependents_new (),
  };
}

void
job_overlay_clear (JobOverlay *self)
{
  job_id_table_clear (&self->by_id);
  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_clear_pointer (&self->dependents, job_dependents_free);
}

static JobOverlayItem *
add_item (JobOverlay *self, const JobId *id)
{
  JobOverlayItem *item = g_slice_new0 (JobOverlayItem);

  item->id = *id;
  item->number = self->items->len;
  job_id_table_insert (&self->by_id, item);
  g_ptr_array_add (self->items, item);
  return item;
}

void
job_overlay_note (JobOverlay *self, const JobChange *change, JobPlace place)
{
  JobOverlayItem *item = job_id_table_lookup (&self->by_id, &change->id);

  if (item == NULL)
    item = add_item (self, &change->id);
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
  job_overlay_clear (self);
  job_overlay_init (self);
}

const JobOverlayItem *
job_overlay_lookup (const JobOverlay *self, const JobId *id)
{
  return job_id_table_lookup (&self->by_id, id);
}
