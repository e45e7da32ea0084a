/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prints the folders in which backends are looked for, one a line. */

#include "job-plugin-path-private.h"

int
main (void)
{
  g_auto (GStrv) folders = job_plugin_dup_folders (JOB_PLUGIN_BACKEND);

  for (guint i = 0; folders[i] != NULL; i++)
    g_print ("%s\n", folders[i]);
  return 0;
}
