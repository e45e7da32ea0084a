/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The conformance suite: what every JobQueue promises, written once, for any backend.
 *
 * A program that tests a backend says how to open a queue on it and what it can do, and leaves the
 * rest to job_conformance_main():
 *
 *   static JobQueue *
 *   open_queue (const char *folder, JobClock *clock, GError **error)
 *   {
 *     g_autoptr (GHashTable) options = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
 * g_free);
 *
 *     g_hash_table_insert (options, "file", g_build_filename (folder, "jobs", NULL));
 *     return job_queue_new_for_backend ("mine", options, clock, error);
 *   }
 *
 *   int
 *   main (int argc, char **argv)
 *   {
 *     const JobConformanceBackend backend = {
 *       "mine", JOB_CONFORMANCE_CLOCK | JOB_CONFORMANCE_SURVIVES, open_queue
 *     };
 *
 *     return job_conformance_main (&backend, argc, argv);
 *   }
 *
 * Paths of tests are /job-queue/<backend>/<theme>/<promise>; most run twice, as …/blocking with the
 * blocking verbs and as …/async with the asynchronous pairs in a GMainContext. A test that needs a
 * capability which the backend has not is skipped, and says which. */

#pragma once

#include "jobqueue.h"

G_BEGIN_DECLS

/**
 * JobConformanceCapability:
 * @JOB_CONFORMANCE_CLOCK: the queue goes by the clock it is given, so that a test can step the time
 * @JOB_CONFORMANCE_SURVIVES: jobs are there again after a close, or a kill, and another opening
 * @JOB_CONFORMANCE_EXCLUSIVE: one opening at a time: a second one is %JOB_ERROR_LOCKED
 * @JOB_CONFORMANCE_FILES: it writes files of its own process, so that RLIMIT_FSIZE makes them fail
 *
 * What a backend can do. Tests go by these, never by a name.
 */
typedef enum
{
  JOB_CONFORMANCE_CLOCK = 1 << 0,
  JOB_CONFORMANCE_SURVIVES = 1 << 1,
  JOB_CONFORMANCE_EXCLUSIVE = 1 << 2,
  JOB_CONFORMANCE_FILES = 1 << 3,
} JobConformanceCapability;

/**
 * JobConformanceBackend:
 * @name: for the paths of tests
 * @capabilities: what it can do: a set of #JobConformanceCapability
 * @open: opens the one queue that lives in @folder, which is empty at a test's first opening and
 *   removed after the test. @clock is what the queue is to go by.
 *
 * The backend under test.
 */
typedef struct
{
  const char *name;
  guint capabilities;
  JobQueue *(*open) (const char *folder, JobClock *clock, GError **error);
} JobConformanceBackend;

/* Adds the suite to GTest's. @backend must live as long as the tests. Before that, and before
 * g_test_init(), the program has to call job_conformance_run_child(). */
void job_conformance_add_tests (const JobConformanceBackend *backend);

/* Some tests kill the process that has the queue, or let its writes fail: they start the program
 * anew, with the same arguments and JOB_CONFORMANCE_CHILD in the environment. Such a child does its
 * part here, and does not return. In any other process, this does nothing. */
void job_conformance_run_child (const JobConformanceBackend *backend);

/* Both, with g_test_init() before and g_test_run() after: all that a program's main() needs. */
int job_conformance_main (const JobConformanceBackend *backend, int argc, char **argv);

G_END_DECLS
