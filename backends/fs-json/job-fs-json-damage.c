/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The damaged records. The table is by name as it is on disk, which need not be UTF-8; the location
 * that people see is a path that is. */

#include "job-fs-json-damage.h"

#include <string.h>

struct _JobFsJsonDamageTable
{
  JobFsJsonFolder *folder;
  GHashTable *damaged; /* name in the folder to JobDamage */
};

static gint
compare_locations (gconstpointer a, gconstpointer b)
{
  return strcmp (job_damage_get_location (*(JobDamage *const *) a),
                 job_damage_get_location (*(JobDamage *const *) b));
}

JobFsJsonDamageTable *
job_fs_json_damage_table_new (JobFsJsonFolder *folder)
{
  JobFsJsonDamageTable *self = g_new (JobFsJsonDamageTable, 1);

  self->folder = folder;
  self->damaged = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  return self;
}

void
job_fs_json_damage_table_free (JobFsJsonDamageTable *self)
{
  g_hash_table_unref (self->damaged);
  g_free (self);
}

void
job_fs_json_damage_table_add (JobFsJsonDamageTable *self, const char *name, const JobId *id,
                              const char *message)
{
  g_autofree char *location = job_fs_json_folder_dup_path (self->folder, name);

  g_hash_table_insert (self->damaged, g_strdup (name), job_damage_new (location, message, id));
}

void
job_fs_json_damage_table_remove (JobFsJsonDamageTable *self, const char *name)
{
  if (g_hash_table_size (self->damaged) > 0)
    g_hash_table_remove (self->damaged, name);
}

GPtrArray *
job_fs_json_damage_table_list (JobFsJsonDamageTable *self)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer damage;

  g_hash_table_iter_init (&iter, self->damaged);
  while (g_hash_table_iter_next (&iter, NULL, &damage))
    g_ptr_array_add (list, g_object_ref (damage));
  g_ptr_array_sort (list, compare_locations);
  return list;
}

const char *
job_fs_json_damage_table_find (JobFsJsonDamageTable *self, JobDamage *damage)
{
  GHashTableIter iter;
  gpointer name, known;

  g_hash_table_iter_init (&iter, self->damaged);
  while (g_hash_table_iter_next (&iter, &name, &known))
    if (known == damage ||
        g_str_equal (job_damage_get_location (known), job_damage_get_location (damage)))
      return name;
  return NULL;
}
