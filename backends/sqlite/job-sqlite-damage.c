/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What could not be read, by location: "FILE: job ID", or "FILE: row KEY" where the row has no id.
 * A damaged row stays in the table until it is moved out. The second kind is a change of a job that
 * the file does not have (it was moved out, and a crash kept it in the journal; or the journal
 * belongs to another file): it is kept here, to be moved out in its place. */

#include "job-sqlite-damage.h"

#include "job-sqlite-dump.h"
#include "job-sqlite-row.h"

typedef struct
{
  JobDamage *object;
  char *name;     /* of the file that it is written to, without the suffix */
  gint64 key;     /* of the row */
  GBytes *change; /* what there is instead of a row, or NULL */
} Damage;

struct _JobSqliteDamages
{
  JobSqliteConnection *connection;
  GHashTable *table; /* location, the object's, to Damage */
};

static void
damage_free (gpointer data)
{
  Damage *damage = data;

  g_object_unref (damage->object);
  g_clear_pointer (&damage->change, g_bytes_unref);
  g_free (damage->name);
  g_free (damage);
}

JobSqliteDamages *
job_sqlite_damages_new (JobSqliteConnection *connection)
{
  JobSqliteDamages *self = g_new (JobSqliteDamages, 1);

  self->connection = connection;
  self->table = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, damage_free);
  return self;
}

void
job_sqlite_damages_free (JobSqliteDamages *self)
{
  g_hash_table_unref (self->table);
  g_free (self);
}

static char *
build_location (JobSqliteDamages *self, const JobId *id, gint64 key)
{
  const char *path = job_sqlite_connection_get_path (self->connection);
  char text[JOB_ID_TEXT_SIZE];

  if (id == NULL)
    return g_strdup_printf ("%s: row %" G_GINT64_FORMAT, path, key);
  job_id_to_text (id, text);
  return g_strdup_printf ("%s: job %s", path, text);
}

static void
add (JobSqliteDamages *self, const JobId *id, gint64 key, const char *message, GBytes *change)
{
  g_autofree char *location = build_location (self, id, key);
  Damage *damage;

  if (g_hash_table_contains (self->table, location))
    return;
  damage = g_new (Damage, 1);
  damage->object = job_damage_new (location, message, id);
  damage->name = id != NULL ? job_id_dup_text (id) : g_strdup_printf ("row%" G_GINT64_FORMAT, key);
  damage->key = key;
  damage->change = change != NULL ? g_bytes_ref (change) : NULL;
  g_hash_table_insert (self->table, (char *) job_damage_get_location (damage->object), damage);
}

/* The id of a row is believed only if the row is where that id would be: else it could be a copy of
 * a job that is well. */
void
job_sqlite_damages_add_row (JobSqliteDamages *self, sqlite3_stmt *row, const char *message)
{
  gint64 key = sqlite3_column_int64 (row, JOB_SQLITE_KEY);
  JobId id;
  gboolean known = job_sqlite_row_get_id (row, JOB_SQLITE_ID, &id) &&
                   (key < 0 || key == job_sqlite_row_get_home (&id));

  add (self, known ? &id : NULL, key, message, NULL);
}

void
job_sqlite_damages_add_orphan (JobSqliteDamages *self, const JobChange *change)
{
  GByteArray *data = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;

  job_change_encode (change, data);
  bytes = g_byte_array_free_to_bytes (data);
  add (self, &change->id, 0, "A change came for a job that is not in the file", bytes);
}

static Damage *
find_id (JobSqliteDamages *self, const JobId *id)
{
  g_autofree char *location = NULL;

  if (g_hash_table_size (self->table) == 0)
    return NULL;
  location = build_location (self, id, 0);
  return g_hash_table_lookup (self->table, location);
}

void
job_sqlite_damages_remove (JobSqliteDamages *self, const JobId *id)
{
  Damage *damage = find_id (self, id);

  if (damage != NULL)
    job_sqlite_damages_forget (self, damage->object);
}

gboolean
job_sqlite_damages_check (JobSqliteDamages *self, const JobId *id, GError **error)
{
  const Damage *damage = find_id (self, id);

  if (damage == NULL)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "“%s” is damaged: %s",
               job_damage_get_location (damage->object), job_damage_get_message (damage->object));
  return FALSE;
}

void
job_sqlite_damages_list (JobSqliteDamages *self, GPtrArray *list)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (list, g_object_ref (((Damage *) value)->object));
}

static GBytes *
get_contents (JobSqliteDamages *self, const Damage *damage, GError **error)
{
  if (damage->change != NULL)
    return g_bytes_ref (damage->change);
  return job_sqlite_dump_row (self->connection, damage->key, error);
}

gboolean
job_sqlite_damages_write (JobSqliteDamages *self, JobDamage *object, const char *directory,
                          gboolean *has_row, gint64 *key, GError **error)
{
  const Damage *damage = g_hash_table_lookup (self->table, job_damage_get_location (object));
  g_autoptr (GBytes) contents = NULL;
  g_autofree char *name = NULL;
  gconstpointer data;
  gsize size;

  if (damage == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND, "There is no damaged record at “%s”",
                   job_damage_get_location (object));
      return FALSE;
    }
  *has_row = damage->change == NULL;
  *key = damage->key;
  contents = get_contents (self, damage, error);
  if (contents == NULL)
    return FALSE;
  name = g_strconcat (damage->name, ".record", NULL);
  data = g_bytes_get_data (contents, &size);
  return job_file_write_new (directory, name, data, size, error);
}

void
job_sqlite_damages_forget (JobSqliteDamages *self, JobDamage *object)
{
  g_hash_table_remove (self->table, job_damage_get_location (object));
}
