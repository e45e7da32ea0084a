/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What changed since the last checkpoint: whole jobs, folded into one each, as the values that they
 * will be in the file. So they take a third of what the structs would.
 *
 * They lie one after the other in large blocks, which the system gives and gets back: what hundreds
 * of thousands of small pieces leave, malloc() would keep for ever. And a checkpoint reads them in
 * that order, instead of all over the memory. One that is replaced stays where it is, unless the
 * new one fits in its place: there are few of them, since the owner applies a job once a
 * checkpoint, and a second time only after a failure, when it is as large as before. */

#include "job-gdbm-overlay.h"

#include <string.h>
#include <sys/mman.h>

#include "job-gdbm-value.h"

#define BLOCK_SIZE (1024 * 1024)

typedef struct
{
  JobId id;      /* first: an entry is its own key */
  gsize room;    /* for data */
  gsize size;    /* of data; 0 if another entry came in its place */
  guint8 data[]; /* a value of the file */
} Entry;

/* Entries follow on this. */
typedef struct
{
  gsize size;
  gsize used; /* both with this header */
} Block;

struct _JobGdbmOverlay
{
  GHashTable *entries; /* a set of Entry, in … */
  GPtrArray *blocks;   /* … these; the last one may have room */
  GByteArray *scratch; /* to encode into */
  gboolean replaces;   /* a job that the file has */
};

static void
block_free (gpointer data)
{
  Block *block = data;

  munmap (block, block->size);
}

static Block *
block_new (gsize size)
{
  Block *block = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (block == MAP_FAILED)
    g_error ("No memory for a block of %" G_GSIZE_FORMAT " bytes", size); /* as g_malloc() does */
  block->size = size;
  block->used = sizeof *block;
  return block;
}

JobGdbmOverlay *
job_gdbm_overlay_new (void)
{
  JobGdbmOverlay *self = g_new0 (JobGdbmOverlay, 1);

  self->entries = g_hash_table_new (job_id_hash, job_id_equal);
  self->blocks = g_ptr_array_new_with_free_func (block_free);
  self->scratch = g_byte_array_new ();
  return self;
}

void
job_gdbm_overlay_free (JobGdbmOverlay *self)
{
  g_hash_table_unref (self->entries);
  g_ptr_array_unref (self->blocks);
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

gboolean
job_gdbm_overlay_only_adds (JobGdbmOverlay *self)
{
  return !self->replaces;
}

/* Multiples of eight, so that the next one is aligned. */
static gsize
get_entry_size (gsize room)
{
  return (sizeof (Entry) + room + 7) & ~(gsize) 7;
}

/* The block that has room for @size bytes more. */
static Block *
ensure_block (JobGdbmOverlay *self, gsize size)
{
  Block *block = self->blocks->len > 0 ? self->blocks->pdata[self->blocks->len - 1] : NULL;

  if (block == NULL || block->size - block->used < size)
    {
      block = block_new (MAX (BLOCK_SIZE, sizeof *block + size));
      g_ptr_array_add (self->blocks, block);
    }
  return block;
}

static Entry *
add_entry (JobGdbmOverlay *self, const JobId *id, gsize room)
{
  gsize size = get_entry_size (room);
  Block *block = ensure_block (self, size);
  Entry *entry = (Entry *) ((guint8 *) block + block->used);

  block->used += size;
  entry->id = *id;
  entry->room = room;
  return entry;
}

/* Where a value of @size bytes goes. */
static Entry *
ensure_entry (JobGdbmOverlay *self, const JobId *id, gsize size)
{
  Entry *entry = g_hash_table_lookup (self->entries, id), *old = entry;

  if (entry != NULL && entry->room >= size)
    return entry;
  entry = add_entry (self, id, size);
  g_hash_table_add (self->entries, entry);
  if (old != NULL)
    old->size = 0;
  return entry;
}

void
job_gdbm_overlay_put (JobGdbmOverlay *self, const JobChange *job, gboolean settled)
{
  Entry *entry;

  self->replaces = self->replaces || settled;
  g_byte_array_set_size (self->scratch, 0);
  job_gdbm_value_encode (job, self->scratch);
  entry = ensure_entry (self, &job->id, self->scratch->len);
  entry->size = self->scratch->len;
  memcpy (entry->data, self->scratch->data, entry->size);
}

static void
decode_entry (const Entry *entry, JobChange *job)
{
  g_autoptr (GBytes) key = g_bytes_new_static (entry->id.bytes, sizeof entry->id.bytes);
  g_autoptr (GBytes) value = g_bytes_new_static (entry->data, entry->size);
  g_autoptr (GError) error = NULL;

  /* It was encoded here: no input leads to this. */
  if (!job_gdbm_value_decode (key, value, job, &error))
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

/* FALSE stops. */
typedef gboolean (*EntryVisitor) (const Entry *entry, gpointer data, GError **error);

static gboolean
visit_block (const Block *block, EntryVisitor visitor, gpointer data, GError **error)
{
  for (gsize at = sizeof *block; at < block->used;)
    {
      const Entry *entry = (const Entry *) ((const guint8 *) block + at);

      if (entry->size > 0 && !visitor (entry, data, error))
        return FALSE;
      at += get_entry_size (entry->room);
    }
  return TRUE;
}

static gboolean
visit_entries (JobGdbmOverlay *self, EntryVisitor visitor, gpointer data, GError **error)
{
  for (guint i = 0; i < self->blocks->len; i++)
    if (!visit_block (self->blocks->pdata[i], visitor, data, error))
      return FALSE;
  return TRUE;
}

typedef struct
{
  JobGdbmOverlayVisitor visitor;
  gpointer data;
} Visit;

static gboolean
visit_entry (const Entry *entry, gpointer data, GError **error)
{
  const Visit *visit = data;
  JobChange job;
  gboolean more;

  decode_entry (entry, &job);
  more = visit->visitor (&job, visit->data);
  job_change_clear (&job);
  return more;
}

void
job_gdbm_overlay_visit (JobGdbmOverlay *self, JobGdbmOverlayVisitor visitor, gpointer data)
{
  Visit visit = { visitor, data };

  visit_entries (self, visit_entry, &visit, NULL);
}

static gboolean
write_entry (const Entry *entry, gpointer data, GError **error)
{
  g_autoptr (GBytes) key = g_bytes_new_static (entry->id.bytes, sizeof entry->id.bytes);
  g_autoptr (GBytes) value = g_bytes_new_static (entry->data, entry->size);

  return job_gdbm_writer_add (data, key, value, error);
}

gboolean
job_gdbm_overlay_write (JobGdbmOverlay *self, JobGdbmWriter *writer, GError **error)
{
  return visit_entries (self, write_entry, writer, error);
}
