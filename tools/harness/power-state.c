/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is left on the disk, when of the parts that are not certain only some are there. */

#include "power-disk-private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

guint
power_disk_count_parts (PowerDisk *self)
{
  return self->parts->len;
}

static GHashTable *
make_names (PowerDisk *self, const gboolean *has)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer path, inode;

  g_hash_table_iter_init (&iter, self->durable);
  while (g_hash_table_iter_next (&iter, &path, &inode))
    power_set_name (names, path, GPOINTER_TO_UINT (inode));
  for (guint i = 0; i < self->parts->len; i++)
    {
      const Part *part = &g_array_index (self->parts, Part, i);

      if (has[i] && power_part_is_about_name (part))
        power_part_change_names (names, part);
    }
  return names;
}

static GByteArray *
make_content (PowerDisk *self, const gboolean *has, guint inode)
{
  const GByteArray *durable = g_ptr_array_index (self->contents, inode);
  GByteArray *content = g_byte_array_sized_new (durable->len + 1);

  g_byte_array_append (content, durable->data, durable->len);
  for (guint i = 0; i < self->parts->len; i++)
    {
      const Part *part = &g_array_index (self->parts, Part, i);

      if (has[i] && !power_part_is_about_name (part) && part->inode == inode)
        power_part_change_content (content, part);
    }
  return content;
}

static guint64
add_up (guint64 sum, const void *data, gsize size)
{
  const guint8 *bytes = data;

  for (gsize i = 0; i < size; i++)
    sum = (sum ^ bytes[i]) * G_GUINT64_CONSTANT (1099511628211);
  return sum;
}

guint64
power_disk_get_sum (PowerDisk *self, const gboolean *has)
{
  g_autoptr (GHashTable) names = make_names (self, has);
  GHashTableIter iter;
  gpointer path, inode;
  guint64 sum = 0;

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &path, &inode))
    {
      guint64 one = add_up (G_GUINT64_CONSTANT (14695981039346656037), path, strlen (path));

      if (GPOINTER_TO_UINT (inode) != FOLDER)
        {
          g_autoptr (GByteArray) content = make_content (self, has, GPOINTER_TO_UINT (inode));

          one = add_up (one, content->data, content->len);
        }
      sum += one; /* they come in no order */
    }
  return sum;
}

/* Folders first; what is in a folder that is not there is not there. */
static void
write_file (PowerDisk *self, const gboolean *has, guint inode, const char *path)
{
  g_autoptr (GByteArray) content = make_content (self, has, inode);
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (fd >= 0 && write (fd, content->data, content->len) != (gssize) content->len)
    g_error ("%s cannot be written", path);
  if (fd >= 0)
    close (fd);
}

void
power_disk_write (PowerDisk *self, const gboolean *has, const char *folder)
{
  g_autoptr (GHashTable) names = make_names (self, has);
  GHashTableIter iter;
  gpointer name, inode;

  for (guint round = 0; round < 2; round++)
    {
      g_hash_table_iter_init (&iter, names);
      while (g_hash_table_iter_next (&iter, &name, &inode))
        {
          g_autofree char *path = g_build_filename (folder, name, NULL);

          if (round == 0 && GPOINTER_TO_UINT (inode) == FOLDER)
            mkdir (path, 0700);
          else if (round == 1 && GPOINTER_TO_UINT (inode) != FOLDER)
            write_file (self, has, GPOINTER_TO_UINT (inode), path);
        }
    }
}

void
power_disk_cut (PowerDisk *self, const gboolean *has)
{
  GHashTable *names = make_names (self, has);

  for (guint i = 0; i < self->contents->len; i++)
    {
      GByteArray *content = make_content (self, has, i);

      g_array_index (self->lengths, guint64, i) = content->len;
      g_byte_array_unref (self->contents->pdata[i]);
      self->contents->pdata[i] = content;
    }
  g_array_set_size (self->parts, 0);
  g_hash_table_unref (self->durable);
  self->durable = names;
  g_hash_table_unref (self->current);
  self->current = make_names (self, NULL);
}

static const char *
find_name (PowerDisk *self, guint inode)
{
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, self->current);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (GPOINTER_TO_UINT (value) == inode)
      return name;
  return "a file without a name";
}

static void
describe_part (PowerDisk *self, const Part *part, gboolean has, GString *text)
{
  static const char *const kinds[] = { "data",     "length", "truncation",
                                       "creation", "rename", "unlink" };

  g_string_append_printf (text, "\n          %s %s of %s", has ? "with   " : "without",
                          kinds[part->kind],
                          part->path ? part->path : find_name (self, part->inode));
  if (part->to)
    g_string_append_printf (text, " to %s", part->to);
  if (!power_part_is_about_name (part))
    g_string_append_printf (text, ", at %" G_GUINT64_FORMAT ", %" G_GSIZE_FORMAT " bytes",
                            part->offset, part->size);
}

char *
power_disk_describe (PowerDisk *self, const gboolean *has)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < self->parts->len && i < 40; i++)
    describe_part (self, &g_array_index (self->parts, Part, i), has[i], text);
  if (self->parts->len > 40)
    g_string_append (text, "\n          …");
  return g_string_free (text, FALSE);
}
