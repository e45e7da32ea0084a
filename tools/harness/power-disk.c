/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An inode has its durable content, and what was done to it since, in parts; the folders together
 * have the durable names, and the changes of names since. A sync of a file makes its parts certain,
 * a sync of a folder the changes of names in it, a sync of the file system all. A name that is not
 * certain is lost though its file was synced, and the other way round: what ext4 does beyond that
 * is not promised by POSIX, and other file systems do not do it. */

#include "power-disk-private.h"

#include <string.h>

#define SECTOR 512
#define LARGE 4096 /* a write of more goes in pieces of so many bytes */
#define PAGE 4096

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
  for (guint i = 0; i < POWER_MAX_FDS; i++)
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

void
power_set_name (GHashTable *names, const char *path, guint inode)
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

void
power_part_change_names (GHashTable *names, const Part *part)
{
  if (part->kind == PART_CREATION)
    power_set_name (names, part->path, part->inode);
  else
    drop_name (names, part->path, part->inode);
  if (part->kind == PART_RENAMING)
    power_set_name (names, part->to, part->inode);
}

/* --- contents --------------------------------------------------------------------------------- */

void
power_set_length (GByteArray *content, gsize length)
{
  gsize old = content->len;

  g_byte_array_set_size (content, (guint) length);
  if (length > old)
    memset (content->data + old, 0, length - old);
}

/* A new length without the data: zeros. */
void
power_part_change_content (GByteArray *content, const Part *part)
{
  if (part->kind == PART_TRUNCATION || (part->kind == PART_LENGTH && content->len < part->offset))
    power_set_length (content, part->offset);
  if (part->kind != PART_DATA || part->size == 0)
    return;
  if (content->len < part->offset + part->size)
    power_set_length (content, part->offset + part->size);
  memcpy (content->data + part->offset, part->data, part->size);
}

/* --- what is done ----------------------------------------------------------------------------- */

static void
add_part (PowerDisk *self, Part part)
{
  g_array_append_val (self->parts, part);
  if (power_part_is_about_name (&part))
    power_part_change_names (self->current, &part);
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

/* Who writes to a page makes all of it dirty again. */
static void
find_again (PowerDisk *self, guint inode, guint64 offset, gsize size)
{
  for (guint i = 0; i < self->parts->len; i++)
    {
      Part *part = &g_array_index (self->parts, Part, i);

      if (part->kind == PART_DATA && part->inode == inode &&
          part->offset / PAGE <= (offset + size - 1) / PAGE &&
          (part->offset + part->size - 1) / PAGE >= offset / PAGE)
        part->lost = FALSE;
    }
}

static void
do_write (PowerDisk *self, const ShimEvent *event)
{
  guint inode = self->inodes[event->fd];
  guint64 *length = &g_array_index (self->lengths, guint64, inode);
  gsize piece = event->size > LARGE ? LARGE : SECTOR;
  gsize size;

  find_again (self, inode, event->offset, event->size);
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
  if (power_part_is_about_name (part))
    power_part_change_names (self->durable, part);
  else
    power_part_change_content (g_ptr_array_index (self->contents, part->inode), part);
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
  if (!power_part_is_about_name (part))
    return part->inode == inode;
  return folder &&
         (is_in_folder (part->path, folder) || (part->to && is_in_folder (part->to, folder)));
}

static gboolean
is_of (PowerDisk *self, const Part *part, int fd)
{
  return is_synced (part, self->folders[fd] ? FOLDER : self->inodes[fd], self->folders[fd]);
}

/* The kernel says so once, and calls the pages clean: they may be on the disk or not, and no sync
 * changes that. */
static void
fail_sync (PowerDisk *self, int fd)
{
  for (guint i = 0; i < self->parts->len; i++)
    {
      Part *part = &g_array_index (self->parts, Part, i);

      if (part->kind == PART_DATA && is_of (self, part, fd))
        part->lost = TRUE;
    }
}

/* What was lost behind the new end of a file stays away, now that the end is certain. */
static void
drop_lost_behind (PowerDisk *self, const Part *truncation, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      Part *part = &g_array_index (self->parts, Part, i);

      if (part->lost && part->inode == truncation->inode &&
          part->offset + part->size > truncation->offset)
        part->size = truncation->offset > part->offset ? truncation->offset - part->offset : 0;
    }
}

/* @all: else what the descriptor is for. */
static void
do_sync (PowerDisk *self, int fd, gboolean all)
{
  guint n = 0;

  for (guint i = 0; i < self->parts->len; i++)
    {
      Part *part = &g_array_index (self->parts, Part, i);

      if (!part->lost && (all || is_of (self, part, fd)))
        {
          settle (self, part);
          if (part->kind == PART_TRUNCATION)
            drop_lost_behind (self, part, n);
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
    case SHIM_DID_FAIL_SYNC:
      fail_sync (self, event->fd);
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
