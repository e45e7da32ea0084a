/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the gdbm store share: one store in a folder of its own, and jobs that are known
 * by a number. Whatever is not as expected ends the test. */

#pragma once

#include <jobqueue-backend.h>

#include "job-gdbm-store.h"

typedef struct
{
  char *folder;
  char *path;
  JobStore *store;
} Fixture;

/* For g_test_add(): a new store is open. */
void fixture_set_up (Fixture *fixture, gconstpointer data);
void fixture_tear_down (Fixture *fixture, gconstpointer data);

void open_store (Fixture *fixture);
void close_store (Fixture *fixture);
void reopen (Fixture *fixture);
void checkpoint (Fixture *fixture);
/* It cannot be opened: the error says so in these words, and names the file. */
void assert_refused (Fixture *fixture, int code, const char *words);

JobId number_id (guint n);
/* @dependency: the number of another job, or 0. */
JobChange new_job (guint n, const char *args, guint dependency);
/* Takes the change. */
void apply (Fixture *fixture, JobChange change);
void create (Fixture *fixture, guint n, const char *args);
void update (Fixture *fixture, guint n, JobState state, const char *outcome);

void assert_job (Fixture *fixture, guint n, const char *args, JobState state, const char *outcome);
void assert_absent (Fixture *fixture, guint n);
guint count_jobs (Fixture *fixture, gboolean everything);
guint count_damaged (Fixture *fixture);

/* The path of the file with @suffix. */
char *build_path (Fixture *fixture, const char *suffix);
GBytes *read_file (const char *path);
void write_file (const char *path, gconstpointer data, gsize size);
/* Puts a record into the file behind the store's back; a NULL value takes one out. */
void tamper (Fixture *fixture, gconstpointer key, gsize key_size, const char *value, gsize size);
/* The value in the file, or NULL. */
GBytes *fetch_raw (Fixture *fixture, gconstpointer key, gsize key_size);
