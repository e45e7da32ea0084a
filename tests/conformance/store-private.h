/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the store's part of the suite shares: the story that is told to a store, and the plain table
 * that it is compared with. */

#pragma once

#include "conformance-private.h"
#include "job-conformance-store.h"
#include "job-id.h"

G_BEGIN_DECLS

/* store-story.c: changes as a queue makes them, drawn from a seed, and the table of what they lead
 * to. The same seed tells the same story, in another process, too. */
typedef struct
{
  GRand *rand;
  GHashTable *jobs; /* JobId, in the value → JobChange with record: a whole job */
  GPtrArray *order; /* of the same JobChange: to draw one by its number */
  GPtrArray *open;  /* of those that are not over */
  gint64 now;
} Story;

void story_init (Story *self, guint32 seed);
void story_clear (Story *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Story, story_clear)
/* The next changes (GArray of JobChange, owned), which the table has then. */
GArray *story_next (Story *self);
/* A new job, which the table has then. */
JobChange story_next_job (Story *self);

/* store-check.c */

/* A store in a folder of its own. */
typedef struct
{
  const JobConformanceStore *backend;
  char *folder;
  JobStore *store;
} StoreFixture;

/* Opens it, and visits what is not over, as every owner does first. */
void store_open (StoreFixture *f);
void store_close (StoreFixture *f);
void store_apply (StoreFixture *f, const GArray *changes);
void store_checkpoint (StoreFixture *f);
guint store_count_damage (StoreFixture *f);
/* What the store says of one job. */
void store_assert_job (StoreFixture *f, const JobChange *job);
/* The same of each job of the table; that there are no others; dependents, and both visits. */
void store_assert_all (StoreFixture *f, Story *story);
/* Of a few, drawn by GTest's numbers. */
void store_assert_some (StoreFixture *f, Story *story);

G_END_DECLS
