/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "backend-options.h"

extern const JobPluginDescriptor job_plugin_descriptor; /* in fake.c */

void
backend_options_register (void)
{
  static const char *const names[] = {
    "fake", "sqlite", "gdbm", "fs-json", "memory", "postgresql"
  };
  static JobPluginDescriptor descriptors[G_N_ELEMENTS (names)];
  static gsize done;
  g_autoptr (GError) error = NULL;

  if (!g_once_init_enter (&done))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      descriptors[i] = job_plugin_descriptor;
      descriptors[i].name = names[i];
      job_plugin_register (&descriptors[i], &error);
      g_assert_no_error (error);
    }
  g_once_init_leave (&done, 1);
}

static char *
dup_nick (const GValue *value)
{
  GEnumClass *enum_class = g_type_class_ref (G_VALUE_TYPE (value));
  const GEnumValue *found = g_enum_get_value (enum_class, g_value_get_enum (value));
  char *nick = g_strdup (found->value_nick);

  g_type_class_unref (enum_class);
  return nick;
}

static void
assert_enum (const GValue *value, const char *text)
{
  g_autofree char *nick = dup_nick (value);

  g_assert_cmpstr (nick, ==, text);
}

void
backend_options_assert_is (JobQueue *queue, const char *name, const char *text)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (queue), name, &value);
  if (g_str_equal (name, "directory"))
    g_assert_true (g_path_is_absolute (g_value_get_string (&value)));
  else if (G_VALUE_HOLDS_STRING (&value))
    g_assert_cmpstr (g_value_get_string (&value), ==, text);
  else if (G_VALUE_HOLDS_BOOLEAN (&value))
    g_assert_cmpstr (g_value_get_boolean (&value) ? "true" : "false", ==, text);
  else if (G_VALUE_HOLDS_INT (&value))
    g_assert_cmpint (g_value_get_int (&value), ==, g_ascii_strtoll (text, NULL, 10));
  else if (G_VALUE_HOLDS_UINT (&value))
    g_assert_cmpuint (g_value_get_uint (&value), ==, g_ascii_strtoull (text, NULL, 10));
  else if (G_VALUE_HOLDS_INT64 (&value))
    g_assert_cmpint (g_value_get_int64 (&value), ==, g_ascii_strtoll (text, NULL, 10));
  else if (G_VALUE_HOLDS_UINT64 (&value))
    g_assert_cmpuint (g_value_get_uint64 (&value), ==, g_ascii_strtoull (text, NULL, 10));
  else
    assert_enum (&value, text);
}

void
backend_options_assert_same (JobQueue *a, JobQueue *b)
{
  static const char *const names[] = { "directory", "title",  "fast",     "level",
                                       "limit",     "offset", "max-size", "bus" };

  g_assert_true (G_OBJECT_TYPE (a) == G_OBJECT_TYPE (b));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_auto (GValue) in_a = G_VALUE_INIT, in_b = G_VALUE_INIT;
      GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (a), names[i]);

      g_object_get_property (G_OBJECT (a), names[i], &in_a);
      g_object_get_property (G_OBJECT (b), names[i], &in_b);
      g_assert_cmpint (g_param_values_cmp (pspec, &in_a, &in_b), ==, 0);
    }
}
