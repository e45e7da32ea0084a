/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A URI that names a queue. What is refused is refused with the URI in the message; what is
 * accepted is accepted again, with the same options. */

#include "backend-options.h"

#include "job-error.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autofree char *uri = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue = NULL, again = NULL;

  if (size > FUZZ_MAX_SIZE || !g_utf8_validate (uri, -1, NULL))
    return 0;
  backend_options_register ();
  queue = job_queue_new_for_uri (uri, &error);
  if (queue == NULL)
    {
      fuzz_assert_error (error);
      g_assert_true (error->code == JOB_ERROR_LOCKED || strstr (error->message, uri) != NULL);
      return 0;
    }
  again = job_queue_new_for_uri (uri, &error);
  g_assert_no_error (error);
  backend_options_assert_same (queue, again);
  return 0;
}
