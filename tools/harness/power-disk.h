/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A disk as a power cut may leave it. What the shim recorded is done to it, one event after the
 * other. What was synced is there for certain; of what was not, any parts may be: a sector of a
 * write, the new length of a file, a truncation, a name that came, went or moved. */

#pragma once

#include "shim.h"

G_BEGIN_DECLS

typedef struct _PowerDisk PowerDisk;

PowerDisk *power_disk_new (void);
void power_disk_free (PowerDisk *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PowerDisk, power_disk_free)

void power_disk_do (PowerDisk *self, const ShimEvent *event);

/* How many parts are not certain just now. */
guint power_disk_count_parts (PowerDisk *self);
/* What is on the disk if of these only those with has[i] are; equal states have equal sums. */
guint64 power_disk_get_sum (PowerDisk *self, const gboolean *has);
/* The power comes back: it is the disk in that state, with nothing uncertain, and no file open. */
void power_disk_cut (PowerDisk *self, const gboolean *has);
/* Makes the files of that state, in a folder that is empty. */
void power_disk_write (PowerDisk *self, const gboolean *has, const char *folder);
/* Names the parts that are there, and those that are not, to be freed. */
char *power_disk_describe (PowerDisk *self, const gboolean *has);

G_END_DECLS
