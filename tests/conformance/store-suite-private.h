/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of a store share, besides the store and the story. */

#pragma once

#include "store-private.h"

G_BEGIN_DECLS

/* Beside the capabilities: the program says how to damage a record. */
#define STORE_DAMAGE (1 << 16)

typedef struct
{
  const char *promise;
  void (*run) (StoreFixture *f);
  guint needs; /* of JobConformanceCapability, and STORE_DAMAGE */
} StoreTest;

/* store-kill.c */
void store_test_kills (StoreFixture *f);

/* What is in it goes, too. */
void store_remove_folder (const char *folder);

G_END_DECLS
