/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Between the two files of the disk. */

#pragma once

#include "power-disk.h"

G_BEGIN_DECLS

#define POWER_MAX_FDS 1024
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
  char *path;    /* owned */
  char *to;      /* owned */
  gboolean lost; /* its sync failed, so that no later one is about it */
} Part;

struct _PowerDisk
{
  GPtrArray *contents; /* of GByteArray: durable, by the number of the inode */
  GArray *lengths;     /* of guint64: as the process sees them */
  GHashTable *durable; /* path to the number of its inode + 1; FOLDER + 1 is 0, so … */
  GHashTable *current; /* … look with g_hash_table_lookup_extended() */
  GArray *parts;       /* of Part, in their order */
  guint inodes[POWER_MAX_FDS];
  char *folders[POWER_MAX_FDS]; /* of descriptors of folders */
};

static inline gboolean
power_part_is_about_name (const Part *part)
{
  return part->kind >= PART_CREATION;
}

void power_set_name (GHashTable *names, const char *path, guint inode);
void power_part_change_names (GHashTable *names, const Part *part);
void power_part_change_content (GByteArray *content, const Part *part);
void power_set_length (GByteArray *content, gsize length);

G_END_DECLS
