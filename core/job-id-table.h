/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A hash table of structs that begin with a JobId. Made for a million of them: it grows by small
 * parts, so that no insertion takes long, where a table that doubles as a whole would take tens of
 * milliseconds; a look-up in vain reads one place of the memory, and one that finds its item two.
 * 15 to 18 bytes an item. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-id.h"

G_BEGIN_DECLS

#define JOB_ID_TABLE_N_PARTS 256

#define JOB_ID_TABLE_GROUP 5

/* Some slots that fill a line of the processor's cache. */
typedef struct
{
  gpointer items[JOB_ID_TABLE_GROUP];
  guint32 hashes[JOB_ID_TABLE_GROUP]; /* 0: the slot is free */
} JobIdTableGroup;

/* A table of its own. */
typedef struct
{
  JobIdTableGroup *groups;
  guint n_slots;
  guint length;
} JobIdTablePart;

/* Zeroed: an empty one. */
typedef struct
{
  JobIdTablePart *parts; /* NULL until there was an item */
  gsize length;
} JobIdTable;

/* For walking, in no order; begins zeroed. */
typedef struct
{
  guint part;
  guint slot;
} JobIdTableIter;

/* Leaves the items alone. */
JOB_API void job_id_table_clear (JobIdTable *self);
JOB_API gpointer job_id_table_lookup (const JobIdTable *self, const JobId *id);
/* @item begins with its JobId, and no item with that id is in the table. */
JOB_API void job_id_table_insert (JobIdTable *self, gpointer item);
JOB_API void job_id_table_remove (JobIdTable *self, gconstpointer item);
/* The next item, or NULL. The table must not change until the walk is over. */
JOB_API gpointer job_id_table_next (const JobIdTable *self, JobIdTableIter *iter);

G_END_DECLS
