/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of a whole queue on sqlite and its faults share: a queue in a folder of its own,
 * what stands in that folder, and parts, which need a process of their own and run in the test
 * program, started anew. Whatever is not as expected ends the test. */

#pragma once

#include <gio/gio.h>

#include "jobqueue-backend.h"

typedef struct
{
  char *folder;
  char *path; /* of the database */
} Fixture;

/* For g_test_add(). */
void fixture_set_up (Fixture *f, gconstpointer data);
void fixture_tear_down (Fixture *f, gconstpointer data);

JobQueue *open_queue (Fixture *f, GError **error);
JobQueue *must_open (Fixture *f);
void must_close (JobQueue *queue);
guint count_jobs (JobQueue *queue);
/* Opens it twice in a row, and counts each time. */
void assert_in_store (Fixture *f, guint n_jobs);
/* One job of some hundred bytes, of type "work". */
char *enqueue (JobQueue *queue, GError **error);

/* The error says what, and where. */
void assert_says (GError *error, Fixture *f, int code, const char *words);
/* It cannot be opened, and no file has changed. (Files that are named *.lock do not count.) */
void assert_refused (Fixture *f, int code, const char *words);

/* A part: what a process does with the folder. */
typedef struct
{
  const char *name;
  void (*play) (Fixture *f);
} Part;

/* In such a process, plays its part, which is one of @parts, up to a NULL, and does not return.
 * To be called first of all. */
void play_part (const Part *parts);
GSubprocess *start_part (Fixture *f, const char *name);
/* Says that it is ready, and waits to be ended. */
void hold (void);
void wait_until_ready (GSubprocess *process);
void end_part (GSubprocess *process);

/* So many jobs, acknowledged, and the process killed: they are in the journal. Any program has this
 * part. */
#define N_LEFT 50
void leave_jobs (Fixture *f);
