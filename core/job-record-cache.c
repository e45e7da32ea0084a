/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where workers keep up, a job is leased a moment after it came, and its lease needs its record:
 * reading that back from the journal is two system calls and a decoding. A record never changes, so
 * that nothing here can be wrong, only gone. (One whose batch failed stays as well: nobody asks for
 * it, and if its id comes again, the new record takes its place.)
 *
 * An id has one slot; who comes takes it from who was there. That needs neither lists nor a
 * decision what to throw out, and bounds the memory: SLOTS × LARGEST bytes, 4 MiB, at the worst.
 *
 * Records come from the threads that enqueue, and so the same threads free them, some thousand jobs
 * later. If the committing thread did, as it would without this, its free() and their malloc()
 * would stand in each other's way at the lock of one heap, with a system call for each. */

#include "job-record-cache-private.h"

#include <string.h>

#define SLOTS 4096
#define LARGEST 1024 /* bytes of a record, with its texts */

void
job_record_cache_init (JobRecordCache *self)
{
  g_mutex_init (&self->lock);
  self->slots = NULL;
}

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
  g_mutex_clear (&self->lock);
}

static JobRecord *
replace (JobRecordCache *self, const JobId *id, JobRecord *record)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  JobRecord **slot, *old;

  if (self->slots == NULL)
    self->slots = g_new0 (JobRecord *, SLOTS);
  slot = slot_of (self, id);
  old = *slot;
  *slot = record;
  return old;
}

void
job_record_cache_add (JobRecordCache *self, JobRecord *record)
{
  JobRecord *kept = is_large (record) ? NULL : job_record_ref (record);
  JobRecord *old = replace (self, &record->id, kept);

  if (old)
    job_record_unref (old);
}

JobRecord *
job_record_cache_lookup (JobRecordCache *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  JobRecord *record = self->slots ? *slot_of (self, id) : NULL;

  return record && job_id_equal (&record->id, id) ? job_record_ref (record) : NULL;
}
