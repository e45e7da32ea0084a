/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the jobs are if nobody says so: in a database in the user's folder for state, which is for
 * what outlives a program and is no document. A person at a terminal needs no more; a service names
 * its store. */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "job-file.h"
#include "jobctl.h"

#define PLACE "jobqueue/jobs.sqlite"

/* With the folders above it. A new one is durable when its entry is. */
static gboolean
make_folder (const char *path, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (g_strcmp0 (parent, path) != 0 && !make_folder (parent, error))
    return FALSE;
  if (mkdir (path, 0700) != 0 && errno != EEXIST)
    return job_file_set_error (error, errno, "make the folder", path);
  return job_file_sync_folder (-1, parent, error);
}

static char *
dup_place (GError **error)
{
  const char *state = g_get_user_state_dir ();

  if (g_path_is_absolute (state))
    return g_build_filename (state, PLACE, NULL);
  jobctl_set_usage_error (error, "XDG_STATE_HOME is “%s”, which is no absolute path", state);
  return NULL;
}

static JobQueue *
open_place (const char *place, GError **error)
{
  g_autoptr (GHashTable) options = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *folder = g_path_get_dirname (place);

  g_hash_table_insert (options, (gpointer) "file", (gpointer) place);
  return make_folder (folder, error) ? job_queue_new_for_backend (NULL, options, NULL, error)
                                     : NULL;
}

JobQueue *
jobctl_open_default (GError **error)
{
  g_autofree char *place = dup_place (error);
  JobQueue *queue = place != NULL ? open_place (place, error) : NULL;

  if (queue == NULL)
    g_prefix_error (error, "neither --store nor --config is given: ");
  return queue;
}
