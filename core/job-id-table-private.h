/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A hash table of structs that begin with a JobId: open addressing, one pointer a slot. */

#pragma once

#include "job-id.h"

G_BEGIN_DECLS

typedef struct
{
  gpointer *slots;
  gsize n_slots; /* a power of two, or 0 */
  gsize length;
} JobIdTable;

void job_id_table_clear (JobIdTable *self);
gpointer job_id_table_lookup (const JobIdTable *self, const JobId *id);
/* @item begins with its JobId, and no item with that id is in the table. */
void job_id_table_insert (JobIdTable *self, gpointer item);
void job_id_table_remove (JobIdTable *self, gconstpointer item);

/* For walking: for (i = 0; i < table.n_slots; i++) if ((item = table.slots[i])) … */

G_END_DECLS
