/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a power cut leaves. A file has its content as processes see it, and as it is safe; what was
 * done since the last sync is a list. At a cut, the changes of its length hold up to some moment,
 * in order, as a journaling file system keeps them; of what was written, each sector holds or not
 * by itself, and the edge of one may be torn within. Names hold up to some moment, too, unless
 * their folder was synced.
 *
 * A sync that fails leaves nobody knows what: each sector is safe or not, is called clean from then
 * on, and no later sync brings it to the disk; what processes see may fall back to what is safe. */

#include "sim-disk-inside.h"

#include "sim-fiber.h"
#include "sim-store.h"

#include <string.h>

#define SECTOR 512

typedef struct
{
  char *path;
  SimFile *now; /* NULL: there is no such file */
  SimFile *safe;
} Name;

/* A name that was given, or taken (NULL), since the folder was synced. */
typedef struct
{
  guint name;
  SimFile *file;
} Naming;

static struct
{
  GPtrArray *files; /* of SimFile: all that there ever were */
  GArray *names;    /* of Name */
  GArray *namings;  /* of Naming */
} disk;

/* --- files ------------------------------------------------------------------------------------ */

static void
change_clear (gpointer data)
{
  g_free (((SimChange *) data)->data);
}

static SimFile *
file_new (void)
{
  SimFile *file = g_new (SimFile, 1);

  file->now = g_byte_array_new ();
  file->safe = g_byte_array_new ();
  file->changes = g_array_new (FALSE, FALSE, sizeof (SimChange));
  g_array_set_clear_func (file->changes, change_clear);
  g_ptr_array_add (disk.files, file);
  return file;
}

static void
file_free (gpointer data)
{
  SimFile *file = data;

  g_byte_array_unref (file->now);
  g_byte_array_unref (file->safe);
  g_array_unref (file->changes);
  g_free (file);
}

static void
name_clear (gpointer data)
{
  g_free (((Name *) data)->path);
}

static void
set_length (GByteArray *bytes, gsize size)
{
  guint old = bytes->len;

  g_byte_array_set_size (bytes, size);
  if (size > old)
    memset (bytes->data + old, 0, size - old);
}

static void
put (GByteArray *bytes, const SimChange *change)
{
  if (change->data == NULL)
    set_length (bytes, change->offset);
  else
    {
      set_length (bytes, MAX (bytes->len, change->offset + change->size));
      memcpy (bytes->data + change->offset, change->data, change->size);
    }
}

void
sim_file_change (SimFile *file, SimChange change)
{
  put (file->now, &change);
  g_array_append_val (file->changes, change);
}

void
sim_file_sync (SimFile *file)
{
  for (guint i = 0; i < file->changes->len; i++)
    put (file->safe, &g_array_index (file->changes, SimChange, i));
  g_array_set_size (file->changes, 0);
}

/* --- what holds ------------------------------------------------------------------------------- */

/* A part of one sector, as far as the file reaches. */
static void
keep_piece (GByteArray *bytes, const SimChange *change, guint64 from, guint64 to, gboolean tears)
{
  to = MIN (to, bytes->len);
  if (from >= to)
    return;
  if (tears && sim_chance (8))
    to = from + sim_below (to - from);
  memcpy (bytes->data + from, change->data + (from - change->offset), to - from);
}

/* @loss: one sector in so many is lost; 1: all of them, 0: none. */
static void
keep_sectors (GByteArray *bytes, const SimChange *change, guint loss)
{
  guint64 end = change->offset + change->size;
  guint64 next;

  for (guint64 at = change->offset; at < end; at = next)
    {
      next = MIN (end, (at / SECTOR + 1) * SECTOR);
      if (loss > 0 && sim_chance (loss))
        continue;
      keep_piece (bytes, change, at, next, loss > 0);
    }
}

/* Some of what was done since the last sync comes to what is safe. */
static void
keep_some (SimFile *file)
{
  guint n_lengths = sim_below (file->changes->len + 1);
  guint loss = sim_below (4);

  for (guint i = 0; i < file->changes->len; i++)
    {
      const SimChange *change = &g_array_index (file->changes, SimChange, i);

      if (i < n_lengths)
        set_length (file->safe, change->data ? MAX (file->safe->len, change->offset + change->size)
                                             : change->offset);
      if (change->data)
        keep_sectors (file->safe, change, loss);
    }
  g_array_set_size (file->changes, 0);
}

static void
see_what_is_safe (SimFile *file)
{
  g_byte_array_set_size (file->now, 0);
  g_byte_array_append (file->now, file->safe->data, file->safe->len);
}

void
sim_file_fail_sync (SimFile *file)
{
  keep_some (file);
  if (sim_chance (2))
    see_what_is_safe (file);
}

static void
keep_names (guint n)
{
  for (guint i = 0; i < n; i++)
    {
      const Naming *naming = &g_array_index (disk.namings, Naming, i);

      g_array_index (disk.names, Name, naming->name).safe = naming->file;
    }
  g_array_set_size (disk.namings, 0);
}

void
sim_disk_cut_power (void)
{
  keep_names (sim_below (disk.namings->len + 1));
  for (guint i = 0; i < disk.names->len; i++)
    g_array_index (disk.names, Name, i).now = g_array_index (disk.names, Name, i).safe;
  for (guint i = 0; i < disk.files->len; i++)
    {
      SimFile *file = g_ptr_array_index (disk.files, i);

      keep_some (file);
      see_what_is_safe (file);
    }
}

void
sim_disk_reset (void)
{
  g_clear_pointer (&disk.files, g_ptr_array_unref);
  g_clear_pointer (&disk.names, g_array_unref);
  g_clear_pointer (&disk.namings, g_array_unref);
  disk.files = g_ptr_array_new_with_free_func (file_free);
  disk.names = g_array_new (FALSE, FALSE, sizeof (Name));
  g_array_set_clear_func (disk.names, name_clear);
  disk.namings = g_array_new (FALSE, FALSE, sizeof (Naming));
  sim_trouble_reset ();
  sim_calls_reset ();
  sim_store_reset ();
}

/* --- names ------------------------------------------------------------------------------------ */

gboolean
sim_disk_has_files (void)
{
  for (guint i = 0; i < disk.names->len; i++)
    if (g_array_index (disk.names, Name, i).now)
      return TRUE;
  return FALSE;
}

static guint
find_name (const char *path)
{
  Name name = { 0 };

  for (guint i = 0; i < disk.names->len; i++)
    if (g_str_equal (g_array_index (disk.names, Name, i).path, path))
      return i;
  name.path = g_strdup (path);
  g_array_append_val (disk.names, name);
  return disk.names->len - 1;
}

static void
set_name (guint number, SimFile *file)
{
  Naming naming = { number, file };

  g_array_index (disk.names, Name, number).now = file;
  g_array_append_val (disk.namings, naming);
}

SimFile *
sim_file_find (const char *path)
{
  guint number = find_name (path); /* which may move them */

  return g_array_index (disk.names, Name, number).now;
}

SimFile *
sim_file_create (const char *path)
{
  SimFile *file = file_new ();

  set_name (find_name (path), file);
  return file;
}

void
sim_file_remove (const char *path)
{
  set_name (find_name (path), NULL);
}

void
sim_folder_sync (void)
{
  keep_names (disk.namings->len);
}
