/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the journal share: a journal in a folder of its own, batches with predictable
 * changes, and what an opening shows, as text. */

#pragma once

#include <sys/resource.h>

#include "job-error.h"
#include "job-journal-private.h"
#include "job-segment-private.h"

typedef struct
{
  char *folder;
  char *base;  /* the journal's path */
  char *path;  /* of its first segment */
  char *other; /* of its second one */
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
gboolean try_append (Fixture *self, guint number, GError **error);
void append (Fixture *self, guint number);
/* Where the next batch goes, as the size of its file if nothing is written in advance. */
gsize get_end (Fixture *self);
/* No file may grow beyond @size. */
void limit_files (rlim_t size);
/* The next append gets as far as @room bytes, and fails. */
void assert_write_fails (Fixture *self, guint number, gsize room);
/* After it: goes on in the other segment. */
void void_failed (Fixture *self);
/* What an owner does when a segment is full, and when the store has it. */
void switch_segments (Fixture *self);
void release_other (Fixture *self);
/* The last opening showed the changes of batches 1 to @n, and nothing else. */
void assert_shown (Fixture *self, guint n);
/* How many batches it showed, whole ones, from the first. */
guint count_shown (Fixture *self);

/* Of the first segment. */
void put_file (Fixture *self, const guint8 *data, gsize size);
GBytes *get_file (Fixture *self);
GBytes *get_bytes_of (const char *path);
/* How many damaged pieces lie beside the journal. */
guint count_set_aside (Fixture *self);
void remove_set_aside (Fixture *self);
