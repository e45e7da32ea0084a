/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An inode has its durable content, and what was done to it since, in parts; the folders together
 * have the durable names, and the changes of names since. A sync of a file makes its parts certain,
 * a sync of a folder the changes of names in it, a sync of the file system all. A name that is not
 * certain is lost though its file was synced, and the other way round: what ext4 does beyond that
 * is not promised by POSIX, and other file systems do not do it. */

#include "power-disk.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512
#define LARGE 4096 /* a write of more goes in pieces of so many bytes */
#define MAX_FDS 1024
#define FOLDER G_MAXUINT /* as a number of an inode */

typedef enum
{
  PART_DATA,
  PART_LENGTH, /* of a file that a write made longer */
  PART_TRUNCATION,
  PART_CREATION,
  PART_RENAMING,
  PART_UNLINKING,
} PartKind;

typedef struct
{
  PartKind kind;
  guint inode; /* or FOLDER */
  guint64 offset;
  guint8 *data; /* owned */
  gsize size;
  char *path; /* owned */
  char *to;   /* owned */
} Part;

struct _PowerDisk
{
  GPtrArray *contents; /* of GByteArray: durable, by the number of the inode */
  GArray *lengths;     /* of guint64: as the process sees them */
  GHashTable *durable; /* path to the number of its inode + 1; FOLDER + 1 is 0, so … */
  GHashTable *current; /* … look with g_hash_table_lookup_extended() */
  GArray *parts;       /* of Part, in their order */
  guint inodes[MAX_FDS];
  char *folders[MAX_FDS]; /* of descriptors of folders */
};

static void
part_clear (gpointer data)
{
  Part *part = data;

  g_free (part->data);
  g_free (part->path);
  g_free (part->to);
}

PowerDisk *
power_disk_new (void)
{
  PowerDisk *self = g_new0 (PowerDisk, 1);

  self->contents = g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);
  self->lengths = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->durable = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->current = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_array_set_clear_func (self->parts, part_clear);
  return self;
}

void
power_disk_free (PowerDisk *self)
{
  for (guint i = 0; i < MAX_FDS; i++)
    g_free (self->folders[i]);
  g_array_unref (self->parts);
  g_hash_table_unref (self->durable);
  g_hash_table_unref (self->current);
  g_ptr_array_unref (self->contents);
  g_array_unref (self->lengths);
  g_free (self);
}

/* --- names ------------------------------------------------------------------------------------ */

static gboolean
find (GHashTable *names, const char *path, guint *inode)
{
  gpointer value;

  if (!g_hash_table_lookup_extended (names, path, NULL, &value))
    return FALSE;
  *inode = GPOINTER_TO_UINT (value);
  return TRUE;
}

static void
set_name (GHashTable *names, const char *path, guint inode)
{
  g_hash_table_insert (names, g_strdup (path), GUINT_TO_POINTER (inode));
}

static void
drop_name (GHashTable *names, const char *path, guint inode)
{
  guint found;

  if (find (names, path, &found) && found == inode)
    g_hash_table_remove (names, path);
}

static void
change_names (GHashTable *names, const Part *part)
{
  if (part->kind == PART_CREATION)
    set_name (names, part->path, part->inode);
  else
    drop_name (names, part->path, part->inode);
  if (part->kind == PART_RENAMING)
    set_name (names, part->to, part->inode);
}

/* --- contents --------------------------------------------------------------------------------- */

static void
set_length (GByteArray *content, gsize length)
{
  gsize old = content->len;

  g_byte_array_set_size (content, (guint) length);
  if (length > old)
    memset (content->data + old, 0, length - old);
}

static void
change_content (GByteArray *content, const Part *part)
{
  if (part->kind == PART_TRUNCATION)
    set_length (content, part->offset);
  else if (content->len < part->offset + part->size)
    set_length (content, part->offset + part->size);
  if (part->kind == PART_DATA)
    memcpy (content->data + part->offset, part->data, part->size);
}

static gboolean
is_about_name (const Part *part)
{
  return part->kind >= PART_CREATION;
}

/* --- what is done ----------------------------------------------------------------------------- */

static void
add_part (PowerDisk *self, Part part)
{
  g_array_append_val (self->parts, part);
  if (is_about_name (&part))
    change_names (self->current, &part);
}

static void
make_inode (PowerDisk *self, const char *path, guint *inode)
{
  guint64 length = 0;

  *inode = self->contents->len;
  g_ptr_array_add (self->contents, g_byte_array_new ());
  g_array_append_val (self->lengths, length);
  add_part (self, (Part){ .kind = PART_CREATION, .inode = *inode, .path = g_strdup (path) });
}

static void
truncate_inode (PowerDisk *self, guint inode, guint64 length)
{
  g_array_index (self->lengths, guint64, inode) = length;
  add_part (self, (Part){ .kind = PART_TRUNCATION, .inode = inode, .offset = length });
}

static void
do_open (PowerDisk *self, const ShimEvent *event)
{
  guint inode = FOLDER;
  gboolean known = *event->path == '\0' || find (self->current, event->path, &inode);

  if (!known && event->made)
    make_inode (self, event->path, &inode);
  else if (event->made)
    truncate_inode (self, inode, 0);
  self->inodes[event->fd] = inode;
  g_free (self->folders[event->fd]);
  self->folders[event->fd] = inode == FOLDER ? g_strdup (event->path) : NULL;
}

static void
do_write (PowerDisk *self, const ShimEvent *event)
{
  guint inode = self->inodes[event->fd];
  guint64 *length = &g_array_index (self->lengths, guint64, inode);
  gsize piece = event->size > LARGE ? LARGE : SECTOR;
  gsize size;

  if (event->offset + event->size > *length)
    {
      *length = event->offset + event->size;
      add_part (self, (Part){ .kind = PART_LENGTH, .inode = inode, .offset = *length });
    }
  for (gsize at = 0; at < event->size; at += size)
    {
      guint64 offset = event->offset + at;

      size = MIN (piece - offset % piece, event->size - at);
      add_part (self, (Part){ .kind = PART_DATA,
                              .inode = inode,
                              .offset = offset,
                              .data = g_memdup2 (event->data + at, size),
                              .size = size });
    }
}

static void
settle (PowerDisk *self, const Part *part)
{
  if (is_about_name (part))
    change_names (self->durable, part);
  else
    change_content (g_ptr_array_index (self->contents, part->inode), part);
}

static gboolean
is_in_folder (const char *path, const char *folder)
{
  g_autofree char *parent = g_path_get_dirname (path);

  return g_str_equal (g_str_equal (parent, ".") ? "" : parent, folder);
}

static gboolean
is_synced (const Part *part, guint inode, const char *folder)
{
  if (!is_about_name (part))
    return part->inode == inode;
  return folder &&
         (is_in_folder (part->path, folder) || (part->to && is_in_folder (part->to, folder)));
}

/* @all: else what the descriptor is for. */
static void
do_sync (PowerDisk *self, int fd, gboolean all)
{
  guint n = 0;

  for (guint i = 0; i < self->parts->len; i++)
    {
      Part *part = &g_array_index (self->parts, Part, i);

      if (all || is_synced (part, self->folders[fd] ? FOLDER : self->inodes[fd], self->folders[fd]))
        {
          settle (self, part);
          part_clear (part);
        }
      else
        g_array_index (self->parts, Part, n++) = *part;
    }
  /* What is behind was cleared, or has moved. */
  memset (&g_array_index (self->parts, Part, n), 0, (self->parts->len - n) * sizeof (Part));
  g_array_set_size (self->parts, n);
}

static void
do_rename (PowerDisk *self, const ShimEvent *event)
{
  guint inode;

  if (find (self->current, event->path, &inode))
    add_part (self, (Part){ .kind = PART_RENAMING,
                            .inode = inode,
                            .path = g_strdup (event->path),
                            .to = g_strdup (event->to) });
}

static void
do_unlink (PowerDisk *self, const ShimEvent *event)
{
  guint inode;

  if (find (self->current, event->path, &inode))
    add_part (self,
              (Part){ .kind = PART_UNLINKING, .inode = inode, .path = g_strdup (event->path) });
}

static void
do_duplicate (PowerDisk *self, const ShimEvent *event)
{
  self->inodes[event->other] = self->inodes[event->fd];
  g_free (self->folders[event->other]);
  self->folders[event->other] = g_strdup (self->folders[event->fd]);
}

void
power_disk_do (PowerDisk *self, const ShimEvent *event)
{
  switch (event->deed)
    {
    case SHIM_DID_OPEN:
      do_open (self, event);
      break;
    case SHIM_DID_DUPLICATE:
      do_duplicate (self, event);
      break;
    case SHIM_DID_WRITE:
      do_write (self, event);
      break;
    case SHIM_DID_TRUNCATE:
      truncate_inode (self, self->inodes[event->fd], event->offset);
      break;
    case SHIM_DID_SYNC:
      do_sync (self, event->fd, FALSE);
      break;
    case SHIM_DID_SYNC_ALL:
      do_sync (self, event->fd, TRUE);
      break;
    case SHIM_DID_RENAME:
      do_rename (self, event);
      break;
    case SHIM_DID_UNLINK:
      do_unlink (self, event);
      break;
    case SHIM_DID_MAKE_FOLDER:
      add_part (self,
                (Part){ .kind = PART_CREATION, .inode = FOLDER, .path = g_strdup (event->path) });
      break;
    case SHIM_DID_LINK:
      g_error ("A link of “%s” is more than this disk knows", event->path);
    case SHIM_DID_CLOSE:
    case SHIM_DID_NOTE:
    default:
      break;
    }
}

/* --- what may be left ------------------------------------------------------------------------- */

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
    set_name (names, path, GPOINTER_TO_UINT (inode));
  for (guint i = 0; i < self->parts->len; i++)
    {
      const Part *part = &g_array_index (self->parts, Part, i);

      if (has[i] && is_about_name (part))
        change_names (names, part);
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

      if (has[i] && !is_about_name (part) && part->inode == inode)
        {
          Part length = *part;

          /* The new length without the data: zeros. */
          if (part->kind == PART_LENGTH && content->len < part->offset)
            set_length (content, part->offset);
          else if (part->kind != PART_LENGTH)
            change_content (content, &length);
        }
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
  if (!is_about_name (part))
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
