/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What could not be read of a gdbm file, by key. A record that is damaged stays in the file, byte
 * for byte, from checkpoint to checkpoint, until it is moved out. The second kind is a change of a
 * job that the file does not have (it was moved out, and a crash kept it in the journal; or the
 * file is an older one than the journal's): then it is kept here, to be moved out in its place. */

#include "job-gdbm-damage.h"

#include "job-gdbm-value.h"

typedef struct
{
  GBytes *key; /* its own key in the table */
  JobDamage *object;
  GBytes *change; /* or NULL */
} Damage;

struct _JobGdbmDamages
{
  char *path;
  GHashTable *table; /* GBytes → Damage */
};

static void
damage_free (gpointer data)
{
  Damage *damage = data;

  g_bytes_unref (damage->key);
  g_object_unref (damage->object);
  g_clear_pointer (&damage->change, g_bytes_unref);
  g_free (damage);
}

JobGdbmDamages *
job_gdbm_damages_new (const char *path)
{
  JobGdbmDamages *self = g_new (JobGdbmDamages, 1);

  self->path = g_strdup (path);
  self->table = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, NULL, damage_free);
  return self;
}

void
job_gdbm_damages_free (JobGdbmDamages *self)
{
  g_hash_table_unref (self->table);
  g_free (self->path);
  g_free (self);
}

gboolean
job_gdbm_damages_is_empty (JobGdbmDamages *self)
{
  return g_hash_table_size (self->table) == 0;
}

void
job_gdbm_damages_add (JobGdbmDamages *self, GBytes *key, const char *message, GBytes *change)
{
  g_autofree char *name = job_gdbm_key_dup_name (key);
  g_autofree char *location = g_strdup_printf ("%s: key %s", self->path, name);
  Damage *damage;

  if (g_hash_table_contains (self->table, key))
    return;
  damage = g_new (Damage, 1);
  damage->key = g_bytes_ref (key);
  damage->object = job_damage_new (location, message, job_gdbm_key_get_id (key));
  damage->change = change != NULL ? g_bytes_ref (change) : NULL;
  g_hash_table_insert (self->table, damage->key, damage);
}

void
job_gdbm_damages_remove (JobGdbmDamages *self, GBytes *key)
{
  g_hash_table_remove (self->table, key);
}

gboolean
job_gdbm_damages_check (JobGdbmDamages *self, GBytes *key, GError **error)
{
  const Damage *damage = g_hash_table_lookup (self->table, key);

  if (damage == NULL)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "“%s” is damaged: %s",
               job_damage_get_location (damage->object), job_damage_get_message (damage->object));
  return FALSE;
}

void
job_gdbm_damages_list (JobGdbmDamages *self, GPtrArray *list)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (list, g_object_ref (((Damage *) value)->object));
}

gboolean
job_gdbm_damages_find (JobGdbmDamages *self, JobDamage *object, GBytes **key, GBytes **change)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Damage *damage = value;

      if (g_strcmp0 (job_damage_get_location (damage->object), job_damage_get_location (object)) !=
          0)
        continue;
      *key = g_bytes_ref (damage->key);
      *change = damage->change != NULL ? g_bytes_ref (damage->change) : NULL;
      return TRUE;
    }
  return FALSE;
}

gboolean
job_gdbm_damages_write (GBytes *key, GBytes *bytes, const char *directory, GError **error)
{
  g_autofree char *name = job_gdbm_key_dup_name (key);
  g_autofree char *base = g_strconcat (name, ".record", NULL);
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return job_file_write_new (directory, base, data, size, error);
}
