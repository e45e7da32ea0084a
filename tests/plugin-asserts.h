/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What tests of the plugin loader share. */

#pragma once

#include <string.h>

#include "jobqueue-backend.h"

G_BEGIN_DECLS

static inline char *
module_folder (void)
{
  return g_test_build_filename (G_TEST_BUILT, "bad-modules", NULL);
}

static inline void
assert_message (GError *error, int code, const char *first, const char *second)
{
  g_assert_error (error, JOB_ERROR, code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, first));
  g_assert_nonnull (strstr (error->message, second));
}

static inline void
assert_refused (JobPluginKind kind, const char *name, const char *file, const char *cause)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_plugin_load (kind, name, &error));
  assert_message (error, JOB_ERROR_PLUGIN, file, cause);
}

G_END_DECLS
