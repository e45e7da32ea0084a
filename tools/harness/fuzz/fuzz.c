/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fuzz.h"

#include <glib/gstdio.h>
#include <stdlib.h>

static char *folder; /* constant once it is there */

/* A warning is no broken promise, and there would be millions of them. GLib's own way to die is a
 * trap, which libFuzzer does not take for a crash that is worth an input. */
static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) == 0)
    return G_LOG_WRITER_HANDLED;
  g_log_writer_default (level, fields, n_fields, data);
  abort ();
}

static void
remove_folder (void)
{
  fuzz_clear_folder ();
  g_rmdir (folder);
}

/* Modules that may be installed are no part of this: a config would have them open real stores. */
int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_unsetenv ("JOBQUEUE_BACKEND_PATH");
  g_unsetenv ("JOBQUEUE_PLUGIN_PATH");
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_log_set_writer_func (write_log, NULL, NULL);
  return 0;
}

/* In memory if that can be had: thousands of syncs take their time. */
const char *
fuzz_get_folder (void)
{
  if (folder != NULL)
    return folder;
  folder = g_strdup ("/dev/shm/jobqueue-fuzz-XXXXXX");
  if (g_getenv ("TMPDIR") != NULL || g_mkdtemp (folder) == NULL)
    {
      g_free (folder);
      folder = g_dir_make_tmp ("jobqueue-fuzz-XXXXXX", NULL);
    }
  g_assert_nonnull (folder);
  atexit (remove_folder);
  return folder;
}

void
fuzz_clear_folder (void)
{
  g_autoptr (GDir) dir = g_dir_open (fuzz_get_folder (), 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
}

void
fuzz_assert_error (const GError *error)
{
  g_assert_nonnull (error);
  if (error->domain != JOB_ERROR)
    g_error ("not an error of ours: %s", error->message);
  g_assert_cmpstr (error->message, !=, "");
  if (!g_utf8_validate (error->message, -1, NULL))
    g_error ("not UTF-8: %s", error->message);
}
