/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of the simulated disk share: sim-disk.c (files and names, and what a power cut
 * leaves of them), sim-disk-calls.c (the system calls) and sim-trouble.c (what goes wrong). */

#pragma once

#include "sim-disk.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 offset;
  gsize size;
  guint8 *data; /* owned; NULL: the file was cut, or grown, to @offset bytes */
} SimChange;

typedef struct
{
  GByteArray *now;
  GByteArray *safe;
  GArray *changes; /* of SimChange: since the last sync */
} SimFile;

/* sim-disk.c */
SimFile *sim_file_find (const char *path);
SimFile *sim_file_create (const char *path);
void sim_file_remove (const char *path);
/* Takes over @change. */
void sim_file_change (SimFile *file, SimChange change);
void sim_file_sync (SimFile *file);
void sim_file_fail_sync (SimFile *file);
void sim_folder_sync (void);
void sim_disk_cut_power (void);

/* sim-disk-calls.c */
void sim_calls_reset (void);

/* sim-trouble.c */
void sim_trouble_reset (void);

G_END_DECLS
