/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the ledger share: a ledger over a store that fails on demand, over one in
 * memory that stands for the disk, and an account of what was committed. */

#pragma once

#include "fault-store.h"
#include "job-error.h"
#include "job-ledger-private.h"

#define MAX_JOBS 2600 /* more than two portions of a checkpoint */
#define NO_CHECKPOINT G_MAXINT64

typedef struct
{
  char *folder;
  char *journal; /* its path; NULL: there is none */
  char *first;   /* its two files */
  char *second;
  JobStore *disk; /* in memory: what a crash leaves */
  FaultStore *store;
  JobLedger *ledger;
  JobRecord *records[MAX_JOBS]; /* what has to be read */
  JobStatus statuses[MAX_JOBS];
  guint n_jobs;
} Fixture;

void fixture_set_up (Fixture *f, gconstpointer data);
void fixture_tear_down (Fixture *f, gconstpointer data);
#define ADD_TEST(path, func)                                                                       \
  g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

gboolean try_open (Fixture *f, guint64 checkpoint_size, GError **error);
void open_ledger (Fixture *f, guint64 checkpoint_size);
/* Without closing anything. */
void crash (Fixture *f);
void reopen (Fixture *f);
/* For a disk that has none of them. */
void forget_jobs (Fixture *f);

gboolean try_commit (Fixture *f, const JobChange *changes, gsize n_changes, GError **error);
/* New jobs; each depends on one before it. */
void add_jobs (Fixture *f, guint n);
void change_job (Fixture *f, guint number, JobState state, guint attempts);
/* Some in the store alone, some in the journal alone, some in both: 22 in all in the journal. */
void fill (Fixture *f);
void checkpoint (Fixture *f);
void assert_checkpoint_fails (Fixture *f);

/* A visitor that appends a line to a GPtrArray. */
gboolean note_job (JobRecord *record, const JobStatus *status, gpointer data);
/* Everything is there, however it is asked for. */
void assert_whole (Fixture *f);
/* What the store was asked since the last time. */
void assert_trace (Fixture *f, const char *expected);
