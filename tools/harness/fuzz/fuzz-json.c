/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The JSON that comes with a job. The strict scanner accepts exactly what the reference does; what
 * it accepts says the same to json-glib, and is cut into slices that say the same by themselves. */

#include "fuzz.h"
#include "reference-json.h"

#include <json-glib/json-glib.h>
#include <string.h>

static void compare_value (const char *value, gsize length, JsonNode *node);

/* json-glib cuts strings there. */
static gboolean
has_escaped_nul (const char *text, gsize length)
{
  return memmem (text, length, "\\u0000", 6) != NULL;
}

/* An inner value passes by itself, as itself. */
static void
assert_passes (const char *value, gsize length)
{
  g_autoptr (GError) error = NULL;
  const char *start = NULL, *end = NULL;

  job_json_check (value, (gssize) length, "slice", &start, &end, &error);
  g_assert_no_error (error);
  g_assert_true (start == value && end == value + length);
}

static void
compare_object (const char *value, gsize length, JsonNode *node)
{
  JsonObject *object = json_node_get_object (node);
  JobJsonIter iter;
  const char *key, *member;
  gsize key_length, member_length;
  guint n = 0;

  g_assert_true (job_json_iter_init (&iter, value, length));
  for (; job_json_iter_next (&iter, &key, &key_length, &member, &member_length); n++)
    {
      g_autofree char *name = job_json_dup_string (key - 1, key_length + 2);

      g_assert_nonnull (name);
      g_assert_true (json_object_has_member (object, name));
      compare_value (member, member_length, json_object_get_member (object, name));
    }
  g_assert_cmpuint (n, ==, json_object_get_size (object));
}

static void
compare_array (const char *value, gsize length, JsonNode *node)
{
  JsonArray *array = json_node_get_array (node);
  JobJsonIter iter;
  const char *element;
  gsize element_length;
  guint n = 0;

  g_assert_true (job_json_iter_init_array (&iter, value, length));
  for (; job_json_iter_next_element (&iter, &element, &element_length); n++)
    {
      g_assert_cmpuint (n, <, json_array_get_length (array));
      compare_value (element, element_length, json_array_get_element (array, n));
    }
  g_assert_cmpuint (n, ==, json_array_get_length (array));
}

/* And written again it reads the same. */
static void
compare_string (const char *value, gsize length, JsonNode *node)
{
  g_autofree char *text = job_json_dup_string (value, length);
  g_autofree char *again = NULL;
  g_autoptr (GString) written = g_string_new (NULL);

  g_assert_cmpstr (text, ==, json_node_get_string (node));
  job_json_append_string (written, text);
  assert_passes (written->str, written->len);
  again = job_json_dup_string (written->str, written->len);
  g_assert_cmpstr (again, ==, text);
}

/* json-glib has 64 bits for a whole number; what is beyond them it gets wrong. */
static void
compare_number (const char *value, gsize length, JsonNode *node)
{
  g_autofree char *text = g_strndup (value, length);
  gint64 number;

  if (strpbrk (text, ".eE") != NULL)
    g_assert_cmpfloat (g_ascii_strtod (text, NULL), ==, json_node_get_double (node));
  else if (g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &number, NULL))
    g_assert_cmpint (number, ==, json_node_get_int (node));
}

static void
compare_value (const char *value, gsize length, JsonNode *node)
{
  if (*value == '{')
    compare_object (value, length, node);
  else if (*value == '[')
    compare_array (value, length, node);
  else if (*value == '"')
    compare_string (value, length, node);
  else if (*value == 'n')
    g_assert_true (json_node_is_null (node));
  else if (*value == 't' || *value == 'f')
    g_assert_cmpint (json_node_get_boolean (node), ==, *value == 't');
  else
    compare_number (value, length, node);
}

static void
compare_with_json_glib (const char *value, gsize length)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, value, (gssize) length, &error);
  g_assert_no_error (error);
  compare_value (value, length, json_parser_get_root (parser));
}

/* What is directly in it, each by itself. */
static void
check_slices (const char *value, gsize length)
{
  JobJsonIter iter;
  const char *key, *slice;
  gsize key_length, slice_length;

  if (job_json_iter_init (&iter, value, length))
    while (job_json_iter_next (&iter, &key, &key_length, &slice, &slice_length))
      {
        assert_passes (key - 1, key_length + 2);
        assert_passes (slice, slice_length);
      }
  if (job_json_iter_init_array (&iter, value, length))
    while (job_json_iter_next_element (&iter, &slice, &slice_length))
      assert_passes (slice, slice_length);
}

/* On a text that did not pass a walk gives nonsense, but it ends, and reads nothing outside. */
static void
walk_anyhow (const char *text, gsize length)
{
  JobJsonIter iter;
  const char *key, *slice;
  gsize key_length, slice_length;

  if (job_json_iter_init (&iter, text, length))
    while (job_json_iter_next (&iter, &key, &key_length, &slice, &slice_length))
      g_free (job_json_dup_string (slice, slice_length));
  if (job_json_iter_init_array (&iter, text, length))
    while (job_json_iter_next_element (&iter, &slice, &slice_length))
      g_free (job_json_dup_string (slice, slice_length));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  const char *text = (const char *) data;
  const char *start = NULL, *end = NULL;
  g_autoptr (GError) error = NULL;
  gboolean accepted;

  if (size > FUZZ_MAX_SIZE)
    return 0;
  accepted = job_json_check (text, (gssize) size, "input", &start, &end, &error);
  g_assert_cmpint (accepted, ==, reference_json_accepts (text, size, JOB_JSON_MAX_DEPTH));
  if (!accepted)
    {
      fuzz_assert_error (error);
      g_assert_cmpint (error->code, ==, JOB_ERROR_INVALID);
      walk_anyhow (text, size);
      return 0;
    }
  assert_passes (start, (gsize) (end - start));
  check_slices (start, (gsize) (end - start));
  if (!has_escaped_nul (text, size))
    compare_with_json_glib (start, (gsize) (end - start));
  return 0;
}
