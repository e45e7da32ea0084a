/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the journal share: a journal in a folder of its own, batches with predictable
 * changes, and what an opening shows, as text. */

#pragma once

#include "job-error.h"
#include "job-journal-private.h"

typedef struct
{
  char *folder;
  char *path; /* of the journal */
  JobJournal *journal;
  GPtrArray *shown; /* of char *: each change that the last opening showed */
} Fixture;

void fixture_set_up (Fixture *self, gconstpointer data);
void fixture_tear_down (Fixture *self, gconstpointer data);
#define ADD_TEST(path, func)                                                                       \
  g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

gboolean try_open (Fixture *self, GError **error);
void open_journal (Fixture *self);
void close_journal (Fixture *self);

/* The changes of the batch with that number: one to three, of sizes that differ. */
guint fill_batch (guint number, JobChange changes[3]);
gboolean try_append (Fixture *self, guint number, gboolean *unknown, GError **error);
void append (Fixture *self, guint number);
/* The last opening showed the changes of batches 1 to @n, and nothing else. */
void assert_shown (Fixture *self, guint n);
/* How many batches it showed, whole ones, from the first. */
guint count_shown (Fixture *self);

void put_file (Fixture *self, const guint8 *data, gsize size);
GBytes *get_file (Fixture *self);
/* How many damaged pieces lie beside the journal. */
guint count_set_aside (Fixture *self);
void remove_set_aside (Fixture *self);
