/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs the store's part of the conformance suite on one of our own backends, whose name is the
 * first argument. */

#define JOBQUEUE_ENABLE_BACKEND
#include "job-conformance-store.h"

#include <string.h>
#include <unistd.h>

static JobStore *
open_memory (const char *folder, GError **error)
{
  return job_conformance_open_store ("memory", NULL, error);
}

static JobStore *
open_in (const char *backend, const char *file, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);

  return job_conformance_open_store (backend, path, error);
}

static JobStore *
open_fs_json (const char *folder, GError **error)
{
  return open_in ("fs-json", "jobs", folder, error);
}

static JobStore *
open_gdbm (const char *folder, GError **error)
{
  return open_in ("gdbm", "jobs.gdbm", folder, error);
}

static JobStore *
open_sqlite (const char *folder, GError **error)
{
  return open_in ("sqlite", "jobs.sqlite", folder, error);
}

/* The other backends have tests of their own for damage, whose place is not so easy to tell. */
static void
damage_fs_json (const char *folder, const char *id)
{
  g_autofree char *name = g_strconcat (id, ".json", NULL);
  g_autofree char *path = g_build_filename (folder, "jobs", name, NULL);

  g_assert_cmpint (truncate (path, 20), ==, 0);
}

#define ON_DISK (JOB_CONFORMANCE_SURVIVES | JOB_CONFORMANCE_EXCLUSIVE)

static const JobConformanceStore stores[] = {
  { "memory", 0, open_memory, NULL },
  { "fs-json", ON_DISK, open_fs_json, damage_fs_json },
  { "gdbm", ON_DISK, open_gdbm, NULL },
  { "sqlite", ON_DISK, open_sqlite, NULL },
};

int
main (int argc, char **argv)
{
  for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS (stores); i++)
    if (strcmp (stores[i].name, argv[1]) == 0)
      return job_conformance_store_main (&stores[i], argc, argv);

  g_printerr ("usage: %s memory|fs-json|gdbm|sqlite [options of GTest]\n", argv[0]);
  return 2;
}
