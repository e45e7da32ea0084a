/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The loader against modules that are not fit. What is refused is never cached; only "sound" is
 * ever loaded. */

#include "plugin-asserts.h"

static void
assert_bad_module (const char *name, const char *cause)
{
  g_autofree char *file = g_strconcat ("bad-modules/", name, ".so", NULL);

  assert_refused (JOB_PLUGIN_BACKEND, name, file, cause);
}

static void
test_bad_module (gconstpointer data)
{
  const char *const *name_and_cause = data;
  g_autofree char *folder = module_folder ();

  job_add_backend_folder (folder);
  assert_bad_module (name_and_cause[0], name_and_cause[1]);
  /* It is the same the next time. */
  assert_bad_module (name_and_cause[0], name_and_cause[1]);
}

static gpointer
load_sound (gpointer data)
{
  g_autoptr (GError) error = NULL;
  const JobPluginDescriptor *descriptor = job_plugin_load (JOB_PLUGIN_BACKEND, "sound", &error);

  g_assert_no_error (error);
  return (gpointer) descriptor;
}

static void
test_sound (void)
{
  g_autofree char *folder = module_folder ();
  const JobPluginDescriptor *descriptor;
  GThread *threads[8];
  gpointer loaded[8];

  job_add_backend_folder (folder);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("load", load_sound, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    loaded[i] = g_thread_join (threads[i]);

  descriptor = load_sound (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_true (loaded[i] == descriptor);
  g_assert_cmpstr (descriptor->name, ==, "sound");
  g_assert_true (g_type_is_a (descriptor->get_type (), JOB_TYPE_QUEUE));
  /* A name belongs to its kind. */
  assert_refused (JOB_PLUGIN_HANDLER, "sound", "sound.so", "There is no handler");
}

static void
test_bad_name (void)
{
  const char *names[] = { "",         "../sound", "/tmp/sound", "a/b", "..", ".",
                          "sound.so", "Sound",    "so und",     "s\n", "ü" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *escaped = g_strescape (names[i], NULL);

      g_assert_null (job_plugin_load (JOB_PLUGIN_BACKEND, names[i], &error));
      assert_message (error, JOB_ERROR_PLUGIN, escaped, "never a path");
    }
}

/* --- registering ------------------------------------------------------------------------------ */

static void
assert_not_registered (const JobPluginDescriptor *descriptor, const char *what, const char *cause)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (job_plugin_register (descriptor, &error));
  assert_message (error, JOB_ERROR_PLUGIN, what, cause);
}

static void
test_register_bad (void)
{
  const JobPluginDescriptor *sound = load_sound (NULL);
  JobPluginDescriptor descriptor = *sound;

  descriptor.abi_version++;
  assert_not_registered (&descriptor, "registers", "rebuild");
  descriptor = *sound;
  descriptor.kind = 99;
  assert_not_registered (&descriptor, "“sound”", "unknown kind 99");
  descriptor = *sound;
  descriptor.name = "../up";
  assert_not_registered (&descriptor, "../up", "never a path");
  descriptor.name = NULL;
  assert_not_registered (&descriptor, "“”", "not the name");
  descriptor.name = "broken";
  descriptor.get_type = g_object_get_type;
  assert_not_registered (&descriptor, "“broken”", "JobQueue and GInitable");
  descriptor = *sound;
  descriptor.name = "lost";
  descriptor.location_property = "folder";
  assert_not_registered (&descriptor, "“lost”", "“folder”");
}

static void
test_register (void)
{
  static JobPluginDescriptor registered, another;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = NULL;

  registered = *(const JobPluginDescriptor *) load_sound (NULL);
  registered.name = "registered";
  another = registered;
  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (job_plugin_register (&registered, &error));
      g_assert_no_error (error);
    }
  assert_not_registered (&another, "“registered”", "already");

  g_assert_true (job_plugin_load (JOB_PLUGIN_BACKEND, "registered", &error) == &registered);
  g_assert_no_error (error);
  names = job_list_backends ();
  g_assert_true (g_strv_contains ((const char *const *) names, "registered"));
}

static const char *const bad_modules[][2] = {
  { "no-symbol", "job_plugin_descriptor" },
  { "wrong-abi", "version 2 of the plugin interface" },
  { "wrong-kind", "it is a handler and not a backend" },
  { "unknown-kind", "unknown kind 77" },
  { "foreign-name", "calls itself “somebody-else”" },
  { "unresolved", "job_bad_module_nowhere_get_type" },
  { "wrong-type", "“GObject”" },
  { "abstract-type", "“JobLocalQueue”" },
  { "no-type", "“invalid”" },
  { "half-type", "function “wait”" },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (bad_modules); i++)
    {
      g_autofree char *path = g_strconcat ("/plugin/refuses/", bad_modules[i][0], NULL);

      g_test_add_data_func (path, bad_modules[i], test_bad_module);
    }
  g_test_add_func ("/plugin/refuses/bad-name", test_bad_name);
  g_test_add_func ("/plugin/loads-once-from-many-threads", test_sound);
  g_test_add_func ("/plugin/register/refuses", test_register_bad);
  g_test_add_func ("/plugin/register/is-found", test_register);

  return g_test_run ();
}
