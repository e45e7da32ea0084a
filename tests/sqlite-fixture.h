/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the SQLite store share: one store in a folder of its own, and jobs that are
 * known by a number. Whatever is not as expected ends the test. */

#pragma once

#include <jobqueue-backend.h>

#include "job-sqlite-store.h"

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

/* An id in order, whose head no other number has. */
JobId number_id (guint n);
/* @dependency: the number of another job, or 0. */
JobChange new_job (guint n, const char *args, guint dependency);
/* Takes the change. */
void apply (Fixture *fixture, JobChange change);
void create (Fixture *fixture, guint n, const char *args);
JobChange new_status (guint n, JobState state, const char *outcome);
void update (Fixture *fixture, guint n, JobState state, const char *outcome);

void assert_job (Fixture *fixture, guint n, const char *args, JobState state, const char *outcome);
void assert_absent (Fixture *fixture, guint n);
void assert_corrupt (Fixture *fixture, guint n);
guint count_jobs (Fixture *fixture, gboolean everything);
guint count_damaged (Fixture *fixture);

/* The path of the file with @suffix. */
char *build_path (Fixture *fixture, const char *suffix);
GBytes *read_file (const char *path);
void write_file (const char *path, gconstpointer data, gsize size);
/* Runs SQL on the file, behind the store's back, while it is closed. */
void run_sql (Fixture *fixture, const char *sql);
/* The first value of an answer, as text; NULL for none. */
char *ask_sql (Fixture *fixture, const char *sql);

/* Rounds: each changes jobs all over the file and adds some, so that a mix of two can be told. */
#define N_OLD 300
#define N_CHANGES 60
#define FILL "\"some args that take a little room in the file, so that it has many pages, and\""

/* The jobs that are there in round 0. */
void create_old (Fixture *fixture);
/* The changes of a round, N_CHANGES of them. */
void make_round (JobChange *changes, guint round);
void clear_round (JobChange *changes);
gboolean apply_round (Fixture *fixture, const JobChange *changes, GError **error);
/* Which round the store is in, the one or the one before. */
guint find_round (Fixture *fixture, guint round);
/* All of that round is there, and nothing of the next one. */
void assert_round (Fixture *fixture, guint round);
