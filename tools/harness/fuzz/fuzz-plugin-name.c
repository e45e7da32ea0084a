/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The name of a plugin: a byte for its kind, then the name. One that is not made of a to z, 0 to 9
 * and "-" is refused as such, before any folder is looked at. */

#include "fuzz.h"

#include "job-error.h"

#include <string.h>

static gboolean
is_name (const char *text)
{
  return g_regex_match_simple ("\\A[a-z0-9-]+\\z", text, G_REGEX_RAW, 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  const JobPluginDescriptor *descriptor;
  JobPluginKind kind;
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;

  if (size < 1 || size > FUZZ_MAX_SIZE)
    return 0;
  kind = data[0] % 2 == 0 ? JOB_PLUGIN_BACKEND : JOB_PLUGIN_HANDLER;
  name = g_strndup ((const char *) data + 1, size - 1);
  descriptor = job_plugin_load (kind, name, &error);
  if (descriptor != NULL)
    {
      g_assert_cmpstr (descriptor->name, ==, name);
      g_assert_true (is_name (name));
      return 0;
    }
  fuzz_assert_error (error);
  g_assert_cmpint (error->code, ==, JOB_ERROR_PLUGIN);
  g_assert_cmpint (strstr (error->message, "is never a path") == NULL, ==, is_name (name));
  return 0;
}
