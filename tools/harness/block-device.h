/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A block device of the kernel's on a disk of ours (block-disk.h), with the kernel's own ext4 on
 * it: a loop device over a file that a process of its own serves (fuse-file.h).
 *
 * What is mounted is seen only by the process that called block_device_set_apart(), and by its
 * children, and ends with them, and so does the loop device: nothing stays, whatever happens. */

#pragma once

#include "block-disk.h"

G_BEGIN_DECLS

typedef struct _BlockDevice BlockDevice;

/* Makes an ext4, with a folder "case" in it; in @folder are the files that this needs. %NULL, with
 * the reason, if that cannot be. */
BlockDevice *block_device_new (const char *folder, char **why);
void block_device_free (BlockDevice *self);

BlockDisk *block_device_get_disk (BlockDevice *self);
/* The folder "case", when it is mounted. */
const char *block_device_get_folder (BlockDevice *self);
/* Not while it is mounted: as it was made. */
void block_device_reset (BlockDevice *self);

/* Once in each process that is to mount it. */
gboolean block_device_set_apart (char **why);
gboolean block_device_mount (BlockDevice *self, char **why);
void block_device_unmount (BlockDevice *self);

G_END_DECLS
