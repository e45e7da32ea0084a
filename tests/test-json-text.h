/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of JSON share. Every text is checked in a heap block of exactly its size, so that
 * a sanitizer sees any reading beyond it. */

#pragma once

#include "job-error.h"
#include "job-json.h"

#include <string.h>

/* One of everything. */
static const char document[] =
    "{\"id\": \"a\\u00e9\\ud83d\\ude00\\n\\\\\", \"größe\": [1, -0, 2.5, 1e10, -3.25E-7, [], {}],\n"
    " \"nested\": {\"true\": true, \"false\": false, \"null\": null, \"\": \"\"}, \"€\": \"𝄞\",\t"
    "\"deep\": [[[{\"x\": [{\"y\": 18446744073709551615}]}]]]}";

/* Checks @length bytes at @text, and returns the value in them, or NULL. */
static inline char *
check_bytes (const char *text, gsize length, GError **error)
{
  g_autofree char *exact = g_memdup2 (text, length);
  const char *start = NULL, *end = NULL;

  if (!job_json_check (exact != NULL ? exact : "", length, "args", &start, &end, error))
    return NULL;
  g_assert_true (start >= exact && end > start && end <= exact + length);
  return g_strndup (start, end - start);
}

static inline void
assert_accepted (const char *text, gsize length, const char *value)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *found = check_bytes (text, length, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, value);
}
