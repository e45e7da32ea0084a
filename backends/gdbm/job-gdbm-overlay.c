/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What changed since the last checkpoint: whole jobs, folded into one each, encoded as they will be
 * in the file. Encoded, since that is a third of what the structs take, and one allocation. */

#include "job-gdbm-overlay.h"

#include <string.h>

#include "job-gdbm-value.h"

typedef struct
{
  JobId id; /* first: an entry is its own key */
  gsize size;
  guint8 data[]; /* an encoded change with a record */
} Entry;

struct _JobGdbmOverlay
{
  GHashTable *entries; /* a set of Entry */
  GByteArray *scratch; /* to encode into */
};

JobGdbmOverlay *
job_gdbm_overlay_new (void)
{
  JobGdbmOverlay *self = g_new (JobGdbmOverlay, 1);

  self->entries = g_hash_table_new_full (job_id_hash, job_id_equal, NULL, g_free);
  self->scratch = g_byte_array_new ();
  return self;
}

void
job_gdbm_overlay_free (JobGdbmOverlay *self)
{
  g_hash_table_unref (self->entries);
  g_byte_array_unref (self->scratch);
  g_free (self);
}

gboolean
job_gdbm_overlay_is_empty (JobGdbmOverlay *self)
{
  return g_hash_table_size (self->entries) == 0;
}

gboolean
job_gdbm_overlay_contains (JobGdbmOverlay *self, const JobId *id)
{
  return g_hash_table_contains (self->entries, id);
}

void
job_gdbm_overlay_put (JobGdbmOverlay *self, const JobChange *job)
{
  Entry *entry;

  g_byte_array_set_size (self->scratch, 0);
  job_change_encode (job, self->scratch);
  entry = g_malloc (sizeof *entry + self->scratch->len);
  entry->id = job->id;
  entry->size = self->scratch->len;
  memcpy (entry->data, self->scratch->data, entry->size);
  g_hash_table_replace (self->entries, &entry->id, entry);
}

static void
decode_entry (const Entry *entry, JobChange *job)
{
  g_autoptr (GError) error = NULL;

  /* It was encoded here: no input leads to this. */
  if (!job_change_decode (entry->data, entry->size, job, NULL, &error))
    g_error ("A job that was encoded here cannot be decoded: %s", error->message);
}

gboolean
job_gdbm_overlay_get (JobGdbmOverlay *self, const JobId *id, JobChange *job)
{
  const Entry *entry = g_hash_table_lookup (self->entries, id);

  *job = (JobChange){ 0 };
  if (entry != NULL)
    decode_entry (entry, job);
  return entry != NULL;
}

void
job_gdbm_overlay_visit (JobGdbmOverlay *self, JobGdbmOverlayVisitor visitor, gpointer data)
{
  GHashTableIter iter;
  gpointer value;
  gboolean more = TRUE;

  g_hash_table_iter_init (&iter, self->entries);
  while (more && g_hash_table_iter_next (&iter, NULL, &value))
    {
      JobChange job;

      decode_entry (value, &job);
      more = visitor (&job, data);
      job_change_clear (&job);
    }
}

static gboolean
write_entry (JobGdbmWriter *writer, const Entry *entry, GError **error)
{
  g_autoptr (GBytes) key = job_gdbm_key_new (&entry->id);
  g_autoptr (GBytes) value = job_gdbm_value_new (key, entry->data, entry->size);

  return job_gdbm_writer_add (writer, key, value, error);
}

gboolean
job_gdbm_overlay_write (JobGdbmOverlay *self, JobGdbmWriter *writer, GError **error)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (!write_entry (writer, value, error))
      return FALSE;
  return TRUE;
}
