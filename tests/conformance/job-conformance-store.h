/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The part of the suite that is for a JobStore alone: what job-store.h asks of it, whatever the
 * queue above it does.
 *
 * A whole program:
 *
 *   #define JOBQUEUE_ENABLE_BACKEND
 *   #include <jobqueue/job-conformance-store.h>
 *
 *   static JobStore *
 *   open_store (const char *folder, GError **error)
 *   {
 *     g_autofree char *file = g_build_filename (folder, "jobs", NULL);
 *
 *     return job_conformance_open_store ("mine", file, error);
 *   }
 *
 *   int
 *   main (int argc, char **argv)
 *   {
 *     const JobConformanceStore store = { "mine", JOB_CONFORMANCE_SURVIVES, open_store };
 *
 *     return job_conformance_store_main (&store, argc, argv);
 *   }
 *
 * Paths of tests are /job-store/<name>/<promise>. What is drawn at random comes from GTest's seed:
 * a failure is seen again with the --seed that was printed. */

#pragma once

#include "job-conformance.h"
#include "job-store.h"

G_BEGIN_DECLS

/**
 * JobConformanceStore:
 * @name: for the paths of tests
 * @capabilities: %JOB_CONFORMANCE_SURVIVES, %JOB_CONFORMANCE_EXCLUSIVE, or both, or 0
 * @open: opens the one store that lives in @folder, which is empty at a test's first opening and
 *   removed after the test
 * @damage: (nullable): makes the record of the job @id unreadable, in the closed store in @folder;
 *   every other one must stay as it is
 *
 * The store under test.
 */
typedef struct
{
  const char *name;
  guint capabilities;
  JobStore *(*open) (const char *folder, GError **error);
  void (*damage) (const char *folder, const char *id);
} JobConformanceStore;

/* The store that the backend of this name, which must derive from JobLocalQueue, opens at
 * @location, the path of its URIs (NULL: it has none): by the backend's own code, and with all of
 * its other options as they are by default. */
JobStore *job_conformance_open_store (const char *backend, const char *location, GError **error);

/* These three are as those of job-conformance.h. A program can have both parts: first both
 * run_child(), then g_test_init(), then both add_tests(), then g_test_run(). */
void job_conformance_store_add_tests (const JobConformanceStore *store);
void job_conformance_store_run_child (const JobConformanceStore *store);
int job_conformance_store_main (const JobConformanceStore *store, int argc, char **argv);

G_END_DECLS
