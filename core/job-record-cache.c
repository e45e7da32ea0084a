/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where workers keep up, a job is leased a moment after it came, and its lease needs its record:
 * reading that back from the journal is two system calls and a decoding. A record never changes, so
 * that nothing here can be wrong, only gone.
 *
 * An id has one slot; who comes takes it from who was there. That needs neither lists nor a
 * decision what to throw out, and bounds the memory: SLOTS × LARGEST bytes, 4 MiB, at the worst. */

#include "job-record-cache-private.h"

#include <string.h>

#define SLOTS 4096
#define LARGEST 1024 /* bytes of a record, with its texts */

static JobRecord **
slot_of (const JobRecordCache *self, const JobId *id)
{
  return &self->slots[job_id_hash (id) % SLOTS];
}

static gboolean
is_large (const JobRecord *record)
{
  return strlen (record->args) + record->n_dependencies * sizeof (JobDependency) > LARGEST;
}

void
job_record_cache_clear (JobRecordCache *self)
{
  for (guint i = 0; self->slots && i < SLOTS; i++)
    g_clear_pointer (&self->slots[i], job_record_unref);
  g_clear_pointer (&self->slots, g_free);
}

void
job_record_cache_add (JobRecordCache *self, JobRecord *record)
{
  JobRecord **slot;

  if (is_large (record))
    return;
  if (self->slots == NULL)
    self->slots = g_new0 (JobRecord *, SLOTS);
  slot = slot_of (self, &record->id);
  g_clear_pointer (slot, job_record_unref);
  *slot = job_record_ref (record);
}

JobRecord *
job_record_cache_lookup (const JobRecordCache *self, const JobId *id)
{
  JobRecord *record = self->slots ? *slot_of (self, id) : NULL;

  return record && job_id_equal (&record->id, id) ? record : NULL;
}
