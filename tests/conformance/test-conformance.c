/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs the conformance suite on one of our own backends, whose name is the first argument. */

#include "job-conformance.h"

#include <string.h>

static JobQueue *
open_in (const char *name, const char *option, const char *file, const char *folder,
         JobClock *clock, GError **error)
{
  g_autoptr (GHashTable) options = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);

  if (option != NULL)
    g_hash_table_insert (options, (char *) option, g_build_filename (folder, file, NULL));

  return job_queue_new_for_backend (name, options, clock, error);
}

static JobQueue *
open_memory (const char *folder, JobClock *clock, GError **error)
{
  return open_in ("memory", NULL, NULL, folder, clock, error);
}

static JobQueue *
open_fs_json (const char *folder, JobClock *clock, GError **error)
{
  return open_in ("fs-json", "directory", "jobs", folder, clock, error);
}

static JobQueue *
open_gdbm (const char *folder, JobClock *clock, GError **error)
{
  return open_in ("gdbm", "file", "jobs.gdbm", folder, clock, error);
}

static JobQueue *
open_sqlite (const char *folder, JobClock *clock, GError **error)
{
  return open_in ("sqlite", "file", "jobs.sqlite", folder, clock, error);
}

#define ON_DISK                                                                                    \
  (JOB_CONFORMANCE_CLOCK | JOB_CONFORMANCE_SURVIVES | JOB_CONFORMANCE_EXCLUSIVE |                  \
   JOB_CONFORMANCE_FILES)

static const JobConformanceBackend backends[] = {
  { "memory", JOB_CONFORMANCE_CLOCK, open_memory },
  { "fs-json", ON_DISK, open_fs_json },
  { "gdbm", ON_DISK, open_gdbm },
  { "sqlite", ON_DISK, open_sqlite },
};

int
main (int argc, char **argv)
{
  for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS (backends); i++)
    if (strcmp (backends[i].name, argv[1]) == 0)
      return job_conformance_main (&backends[i], argc, argv);

  g_printerr ("usage: %s memory|fs-json|gdbm|sqlite [options of GTest]\n", argv[0]);
  return 2;
}
