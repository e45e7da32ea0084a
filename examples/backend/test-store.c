/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What every store has to hold, for this one; and how a record of it is damaged. */

#define JOBQUEUE_ENABLE_BACKEND
#include <jobqueue/job-conformance-store.h>

#include <string.h>

static JobStore *
open_store (const char *folder, GError **error)
{
  g_autofree char *file = g_build_filename (folder, "jobs", NULL);

  return job_conformance_open_store ("lines", file, error);
}

/* One character of the job's line. */
static void
damage (const char *folder, const char *id)
{
  g_autofree char *file = g_build_filename (folder, "jobs", NULL);
  g_autofree char *text = NULL;
  char *line;

  g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
  line = strstr (text, id);
  g_assert_nonnull (line);
  line[strcspn (line, "\n") - 20] ^= 1;
  g_assert_true (g_file_set_contents_full (file, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

int
main (int argc, char **argv)
{
  const JobConformanceStore store = { "lines", JOB_CONFORMANCE_SURVIVES | JOB_CONFORMANCE_EXCLUSIVE,
                                      open_store, damage };

  return job_conformance_store_main (&store, argc, argv);
}
