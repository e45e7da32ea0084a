/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What every backend has to hold, for this one. */

#include <jobqueue/job-conformance.h>

static JobQueue *
open_queue (const char *folder, JobClock *clock, GError **error)
{
  g_autoptr (GHashTable) options = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);

  g_hash_table_insert (options, (char *) "file", g_build_filename (folder, "jobs", NULL));
  return job_queue_new_for_backend ("lines", options, clock, error);
}

int
main (int argc, char **argv)
{
  const JobConformanceBackend backend = {
    "lines",
    JOB_CONFORMANCE_CLOCK | JOB_CONFORMANCE_SURVIVES | JOB_CONFORMANCE_EXCLUSIVE |
        JOB_CONFORMANCE_FILES,
    open_queue,
  };

  return job_conformance_main (&backend, argc, argv);
}
