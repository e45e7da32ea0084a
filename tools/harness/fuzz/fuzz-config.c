/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A config file. What is refused is refused with the names of the file and the group, and of the
 * key where there is one; what is accepted has given each option just the value that stands there,
 * has no group that means nothing, and is accepted again. */

#include "backend-options.h"

#include "job-error.h"

#include <string.h>

static char *
put_config (const guint8 *data, gsize size)
{
  char *path = g_build_filename (fuzz_get_folder (), "queue.conf", NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents_full (path, size > 0 ? (const char *) data : "", (gssize) size,
                            G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
  return path;
}

/* A file that is no key file has no groups that could be named. */
static void
check_refusal (const char *path, const GError *error)
{
  fuzz_assert_error (error);
  if (error->code == JOB_ERROR_LOCKED)
    return; /* by the queue itself */
  g_assert_true (error->code == JOB_ERROR_CONFIG || error->code == JOB_ERROR_PLUGIN);
  g_assert_nonnull (strstr (error->message, path));
  if (g_str_has_prefix (error->message, "Cannot read"))
    return;
  g_assert_nonnull (strstr (error->message, ", group ["));
  g_assert_true (strstr (error->message, "key") != NULL ||
                 strstr (error->message, "there is no such group") != NULL);
}

static void
check_values (JobQueue *queue, GKeyFile *file, const char *backend)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, backend, NULL, NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      g_autofree char *text = g_key_file_get_string (file, backend, keys[i], NULL);

      backend_options_assert_is (queue, keys[i], text);
    }
}

static void
check_acceptance (const char *path, JobQueue *queue)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) again = job_queue_new_from_config (path, &error);
  g_autofree char *backend = NULL;

  g_assert_no_error (error);
  backend_options_assert_same (queue, again);
  g_key_file_load_from_file (file, path, G_KEY_FILE_KEEP_TRANSLATIONS, &error);
  g_assert_no_error (error);
  backend = g_key_file_get_string (file, "queue", "backend", NULL);
  check_values (queue, file, backend != NULL ? g_strstrip (backend) : "sqlite");
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue = NULL;

  if (size > FUZZ_MAX_SIZE)
    return 0;
  backend_options_register ();
  path = put_config (data, size);
  queue = job_queue_new_from_config (path, &error);
  if (queue != NULL)
    check_acceptance (path, queue);
  else
    check_refusal (path, error);
  return 0;
}
