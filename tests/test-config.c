/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ways to open a queue, and every mistake that a config, a URI or a set of options can have.
 * What is right is seen on two backends of bad-modules/: "fake" has an option of each kind, and
 * shows what it was given; "sound" has no place, no options and no clock. */

#include <glib/gstdio.h>
#include <string.h>

#include "jobqueue-backend.h"

/* Config files */

typedef struct
{
  char *folder;
  char *path;
} Fixture;

static void
setup (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("jobqueue-config-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
  fixture->path = g_build_filename (fixture->folder, "queue.conf", NULL);
}

static void
teardown (Fixture *fixture, gconstpointer data)
{
  g_remove (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->path);
}

static JobQueue *
open_text (Fixture *fixture, const char *text, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  g_file_set_contents (fixture->path, text, -1, &local_error);
  g_assert_no_error (local_error);
  return job_queue_new_from_config (fixture->path, error);
}

/* @words: what the message must have, separated by "|". */
static void
assert_words (GError *error, int code, const char *words)
{
  g_auto (GStrv) list = g_strsplit (words, "|", -1);

  g_assert_error (error, JOB_ERROR, code);
  g_test_message ("%s", error->message);
  for (guint i = 0; list[i] != NULL; i++)
    if (strstr (error->message, list[i]) == NULL)
      g_error ("“%s” is not in “%s”", list[i], error->message);
}

/* As GValue says it: numbers in decimal, booleans and enumerators by their C names. */
static void
assert_property (JobQueue *queue, const char *name, const char *expected)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_object_get_property (G_OBJECT (queue), name, &value);
  g_assert_cmpstr (g_value_get_string (&value), ==, expected);
}

typedef struct
{
  const char *promise;
  const char *text;
  const char *words;
} BadConfig;

#define FAKE "[queue]\nbackend=fake\n"
#define FAKE_AT FAKE "[fake]\ndirectory=/d\n"

static const BadConfig bad_configs[] = {
  { "empty-file", "", "[sqlite]|no key “backend”|“file”|missing" },
  { "not-a-key-file", "jobs!\n", "Cannot read|key file" },
  { "no-queue-group", "[fake]\ndirectory=/d\n", "[sqlite]|no key “backend”|“file”|missing" },
  { "no-backend-key", "[queue]\n[fake]\ndirectory=/d\n",
    "[sqlite]|no key “backend”|“file”|missing" },
  { "no-backend-and-wrong-key", "[sqlite]\ndirectory=/d\n", "[sqlite]|“directory”|file" },
  { "no-backend-and-unknown-group", "[sqlite]\nfile=/d\n[fak]\n", "[fak]|[queue]|fake" },
  { "empty-backend", "[queue]\nbackend=\n", "[queue]|“backend”" },
  { "unknown-backend", "[queue]\nbackend=oracle\n",
    "[queue]|“backend”|“oracle”|fake, foreign-name" },
  { "backend-as-path", "[queue]\nbackend=../fake\n", "[queue]|“backend”|“../fake”|never a path" },
  { "unknown-queue-key", FAKE "bakend=x\n", "[queue]|“bakend”|backend" },
  { "unknown-group", FAKE_AT "[fak]\n", "[fak]|[queue]|fake, foreign-name" },
  { "unknown-key", FAKE_AT "dir=/x\n",
    "[fake]|“dir”|bus, directory, fast, level, limit, max-size, offset, title" },
  { "unknown-key-of-another-backend", FAKE_AT "[sound]\nx=1\n", "[sound]|“x”|no keys" },
  { "wrong-value-of-another-backend", "[queue]\nbackend=sound\n[fake]\nlimit=x\n",
    "[fake]|“limit”|“x”|from 1 to 100" },
  { "key-with-underscore", FAKE_AT "max_size=1\n", "[fake]|“max_size”|max-size" },
  { "object-as-key", FAKE_AT "clock=1\n", "[fake]|“clock”|bus" },
  { "unsupported-property-as-key", FAKE_AT "ratio=1\n", "[fake]|“ratio”|bus" },
  { "later-property-as-key", FAKE_AT "later=1\n", "[fake]|“later”|bus" },
  { "translated-key", FAKE_AT "title[de]=x\n", "[fake]|“title[de]”|title" },
  { "no-default-location", "[queue]\n[sqlite]\ncheckpoint-size=4096\n",
    "[sqlite]|no key “backend”|“file”|missing|file=/" },
  { "no-location", FAKE "[fake]\nlimit=1\n", "[fake]|“directory”|missing|directory=/" },
  { "no-group-for-a-location", FAKE, "[fake]|“directory”|missing" },
  { "empty-location", FAKE "[fake]\ndirectory=\n", "[fake]|“directory”|empty" },
  { "wrong-boolean", FAKE_AT "fast=yes\n", "[fake]|“fast”|“yes”|“true” or “false”" },
  { "not-a-number", FAKE_AT "level=high\n", "[fake]|“level”|“high”|from -5 to 5" },
  { "number-too-small", FAKE_AT "level=-6\n", "[fake]|“level”|“-6”|from -5 to 5" },
  { "number-too-large", FAKE_AT "limit=101\n", "[fake]|“limit”|“101”|from 1 to 100" },
  { "negative-unsigned", FAKE_AT "max-size=-1\n",
    "[fake]|“max-size”|“-1”|from 0 to 18446744073709551615" },
  { "number-beyond-64-bits", FAKE_AT "max-size=18446744073709551616\n",
    "[fake]|“max-size”|from 0 to 18446744073709551615" },
  { "number-with-unit", FAKE_AT "max-size=1M\n", "[fake]|“max-size”|“1M”|whole number" },
  { "positive-offset", FAKE_AT "offset=0\n", "[fake]|“offset”|from -9223372036854775808 to -1" },
  { "empty-number", FAKE_AT "limit=\n", "[fake]|“limit”|“”|from 1 to 100" },
  { "wrong-enum", FAKE_AT "bus=yellow\n", "[fake]|“bus”|“yellow”|session|system" },
  { "bad-escape", FAKE_AT "title=\\q\n", "[fake]|“title”|backslash" },
  { "bad-escape-in-backend", "[queue]\nbackend=\\q\n", "[queue]|“backend”|backslash" },
  { "not-utf-8", FAKE_AT "title=\xff\n", "[fake]|“title”|UTF-8" },
};

static void
test_bad_config (Fixture *fixture, gconstpointer data)
{
  const BadConfig *bad = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) memory_error = NULL;
  g_autoptr (GKeyFile) key_file = g_key_file_new ();

  g_assert_null (open_text (fixture, bad->text, &error));
  assert_words (error, JOB_ERROR_CONFIG, bad->words);
  assert_words (error, JOB_ERROR_CONFIG, fixture->path);

  if (!g_key_file_load_from_data (key_file, bad->text, -1, G_KEY_FILE_KEEP_TRANSLATIONS, NULL))
    return;
  g_assert_null (job_queue_new_from_key_file (key_file, &memory_error));
  assert_words (memory_error, JOB_ERROR_CONFIG, bad->words);
  assert_words (memory_error, JOB_ERROR_CONFIG, "The key file");
}

static void
test_missing_config (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) folder_error = NULL;

  g_assert_null (job_queue_new_from_config (fixture->path, &error));
  assert_words (error, JOB_ERROR_CONFIG, fixture->path);
  g_assert_null (job_queue_new_from_config (fixture->folder, &folder_error));
  assert_words (folder_error, JOB_ERROR_CONFIG, fixture->folder);
}

/* A group of another backend that is there may be there too, with its location or without. */
static void
test_good_config (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue =
      open_text (fixture,
                 FAKE "[sound]\n[fake]\ndirectory=/some/where\ntitle= a\\sb\\\\\nfast=true\n"
                      "level=-5\nlimit=100\noffset=-9223372036854775808\n"
                      "max-size=18446744073709551615\nbus=session\n",
                 &error);

  g_assert_no_error (error);
  assert_property (queue, "directory", "/some/where");
  assert_property (queue, "title", "a b\\");
  assert_property (queue, "fast", "TRUE");
  assert_property (queue, "level", "-5");
  assert_property (queue, "limit", "100");
  assert_property (queue, "offset", "-9223372036854775808");
  assert_property (queue, "max-size", "18446744073709551615");
  assert_property (queue, "bus", "G_BUS_TYPE_SESSION");
}

static void
test_defaults (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue = open_text (fixture, FAKE_AT, &error);
  g_autoptr (JobQueue) sound = NULL;

  g_assert_no_error (error);
  assert_property (queue, "limit", "10");
  assert_property (queue, "title", "none");

  sound = open_text (fixture, "[queue]\nbackend=sound\n[fake]\nlimit=3\n", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (G_OBJECT_TYPE_NAME (sound), ==, "SoundQueue");
}

static void
test_relative_location (Fixture *fixture, gconstpointer data)
{
  const char *text = FAKE "[fake]\ndirectory=a/../jobs\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (JobQueue) from_file = open_text (fixture, text, &error);
  g_autoptr (JobQueue) from_memory = NULL;
  g_autofree char *beside = g_build_filename (fixture->folder, "jobs", NULL);
  g_autofree char *here = g_canonicalize_filename ("jobs", NULL);

  g_assert_no_error (error);
  assert_property (from_file, "directory", beside);

  g_key_file_load_from_data (key_file, text, -1, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  from_memory = job_queue_new_from_key_file (key_file, &error);
  g_assert_no_error (error);
  assert_property (from_memory, "directory", here);
}

/* What the backend itself says is passed on as it is. */
static void
test_backend_error (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (open_text (fixture, FAKE_AT "title=locked\n", &error));
  assert_words (error, JOB_ERROR_LOCKED, "It is locked");
}

/* A backend that is there but not fit is the plugin's fault, and still says which key asked for it.
 */
static void
test_broken_backend (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) group_error = NULL;

  g_assert_null (open_text (fixture, "[queue]\nbackend=wrong-abi\n", &error));
  assert_words (error, JOB_ERROR_PLUGIN, "queue.conf|[queue]|“backend”|wrong-abi.so|rebuild");
  g_assert_null (open_text (fixture, FAKE_AT "[wrong-abi]\n", &group_error));
  assert_words (group_error, JOB_ERROR_PLUGIN, "queue.conf|[wrong-abi]|wrong-abi.so|rebuild");
}

/* The real backends: each opens from a config with all of its keys, takes a job, and takes a clock.
 */

typedef struct
{
  const char *backend;
  const char *location; /* the key, or NULL */
} Backend;

static const Backend backends[] = {
  { "memory", NULL },
  { "fs-json", "directory" },
  { "gdbm", "file" },
  { "sqlite", "file" },
};

static void
assert_works (JobQueue *queue, GError *error)
{
  g_autoptr (JobSpec) spec = job_spec_new ("work", "{}");
  g_autoptr (GError) local_error = NULL;
  g_autofree char *id = NULL;

  g_assert_no_error (error);
  id = job_queue_enqueue (queue, spec, NULL, &local_error);
  g_assert_no_error (local_error);
  g_assert_cmpuint (strlen (id), ==, 36);
  job_queue_close (queue, NULL, &local_error);
  g_assert_no_error (local_error);
}

static void
remove_place (const char *path)
{
  char *const argv[] = { (char *) "rm", (char *) "-rf", (char *) path, NULL };
  g_autoptr (GError) error = NULL;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                &error);
  g_assert_no_error (error);
}

static void
test_real_backend (Fixture *fixture, gconstpointer data)
{
  const Backend *backend = data;
  g_autofree char *folder = g_build_filename (fixture->folder, "place", NULL);
  g_autofree char *location = g_build_filename (folder, "jobs", NULL);
  g_autofree char *line =
      backend->location != NULL ? g_strconcat (backend->location, "=place/jobs\n", NULL) : NULL;
  g_autofree char *text =
      g_strdup_printf ("[queue]\nbackend=%s\n[%s]\ncheckpoint-size=1048576\n%s", backend->backend,
                       backend->backend, line != NULL ? line : "");
  g_autoptr (GHashTable) options = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue = NULL;
  g_autoptr (JobQueue) with_clock = NULL;

  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  queue = open_text (fixture, text, &error);
  assert_works (queue, error);
  if (backend->location != NULL)
    {
      g_assert_true (g_file_test (location, G_FILE_TEST_EXISTS));
      g_hash_table_insert (options, (gpointer) backend->location, location);
    }

  with_clock = job_queue_new_for_backend (backend->backend, options, JOB_CLOCK (clock), &error);
  assert_works (with_clock, error);
  remove_place (folder);
}

/* URIs */

static const BadConfig bad_uris[] = {
  { "no-scheme", "/var/lib/jobs", "“/var/lib/jobs”|BACKEND:PATH|sqlite:/" },
  { "empty", "", "“”|BACKEND:PATH" },
  { "unknown-backend", "oracle:/x", "“oracle:/x”|“oracle”|fake, foreign-name" },
  { "no-path", "fake:", "“fake:”|“directory”|missing" },
  { "path-without-place", "sound:/x", "“sound:/x”|“sound”|no path" },
  { "host", "fake://host/x", "“fake://host/x”|host" },
  { "user", "fake://me@/x", "“fake://me@/x”|user" },
  { "fragment", "fake:/x#y", "“fake:/x#y”|fragment" },
  { "unknown-key", "fake:/x?dir=1", "“fake:/x?dir=1”|“dir”|bus, directory" },
  { "wrong-value", "fake:/x?limit=0", "“fake:/x?limit=0”|“limit”|from 1 to 100" },
  { "key-twice", "fake:/x?limit=1&limit=2", "“limit”|twice" },
  { "location-twice", "fake:/x?directory=/y", "“directory”|twice" },
  { "no-value", "fake:/x?limit", "“fake:/x?limit”|KEY=VALUE" },
  { "bad-percent", "fake:/x%zz", "“fake:/x%zz”|BACKEND:PATH" },
  { "nul-in-path", "fake:/x%00y", "“fake:/x%00y”|BACKEND:PATH" },
};

static void
test_bad_uri (gconstpointer data)
{
  const BadConfig *bad = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_new_for_uri (bad->text, &error));
  assert_words (error, JOB_ERROR_CONFIG, bad->words);
}

static void
assert_uri_directory (const char *uri, const char *directory)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue = job_queue_new_for_uri (uri, &error);

  g_assert_no_error (error);
  assert_property (queue, "directory", directory);
}

static void
test_good_uri (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue =
      job_queue_new_for_uri ("fake:/a?limit=3&title=b%26c%3Dd&bus=system", &error);
  g_autoptr (JobQueue) sound = NULL;
  g_autofree char *here = g_canonicalize_filename ("jobs/x", NULL);

  g_assert_no_error (error);
  assert_property (queue, "limit", "3");
  assert_property (queue, "title", "b&c=d");
  assert_property (queue, "bus", "G_BUS_TYPE_SYSTEM");
  sound = job_queue_new_for_uri ("sound:", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (G_OBJECT_TYPE_NAME (sound), ==, "SoundQueue");

  assert_uri_directory ("fake:/var/lib/jobs", "/var/lib/jobs");
  assert_uri_directory ("fake:///var/lib/jobs", "/var/lib/jobs");
  assert_uri_directory ("fake:jobs/x", here);
  assert_uri_directory ("fake:/a%20b%3Fc%25?limit=1", "/a b?c%");
  assert_uri_directory ("fake:?directory=/d", "/d");
}

/* A backend by its name */

static GHashTable *
options_new (const char *key, const char *text)
{
  GHashTable *options = g_hash_table_new (g_str_hash, g_str_equal);

  g_hash_table_insert (options, (gpointer) "directory", (gpointer) "/d");
  g_hash_table_insert (options, (gpointer) key, (gpointer) text);
  return options;
}

static void
assert_bad_options (const char *backend, GHashTable *options, JobClock *clock, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_new_for_backend (backend, options, clock, &error));
  assert_words (error, JOB_ERROR_CONFIG, words);
}

static void
test_bad_options (void)
{
  g_autoptr (GHashTable) unknown = options_new ("dir", "x");
  g_autoptr (GHashTable) wrong = options_new ("limit", "x");
  g_autoptr (GHashTable) null = options_new ("title", NULL);
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);

  assert_bad_options ("oracle", NULL, NULL, "“oracle”|fake, foreign-name");
  assert_bad_options ("fake", NULL, NULL, "“fake”|“directory”|missing");
  assert_bad_options ("fake", unknown, NULL, "“fake”|“dir”|bus, directory");
  assert_bad_options ("fake", wrong, NULL, "“fake”|“limit”|from 1 to 100");
  assert_bad_options ("fake", null, NULL, "“fake”|“title”|no value");
  assert_bad_options ("sound", NULL, JOB_CLOCK (clock), "“sound”|no clock");
}

static void
test_good_options (void)
{
  g_autoptr (GHashTable) options = options_new ("limit", "5");
  g_autoptr (JobSteppedClock) clock = job_stepped_clock_new (0);
  g_autoptr (GError) error = NULL;
  g_autoptr (JobQueue) queue =
      job_queue_new_for_backend ("fake", options, JOB_CLOCK (clock), &error);
  g_autoptr (JobClock) given = NULL;
  g_autoptr (JobQueue) sound = NULL;

  g_assert_no_error (error);
  assert_property (queue, "limit", "5");
  g_object_get (queue, "clock", &given, NULL);
  g_assert_true (given == JOB_CLOCK (clock));
  sound = job_queue_new_for_backend ("sound", NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (G_OBJECT_TYPE_NAME (sound), ==, "SoundQueue");
}

#define ADD(path, func) g_test_add ("/config/" path, Fixture, NULL, setup, func, teardown)

int
main (int argc, char **argv)
{
  g_autofree char *folder = NULL;

  g_test_init (&argc, &argv, NULL);
  folder = g_test_build_filename (G_TEST_BUILT, "bad-modules", NULL);
  job_add_backend_folder (folder);

  for (guint i = 0; i < G_N_ELEMENTS (bad_configs); i++)
    {
      g_autofree char *path = g_strconcat ("/config/refuses/", bad_configs[i].promise, NULL);

      g_test_add (path, Fixture, &bad_configs[i], setup, test_bad_config, teardown);
    }
  ADD ("refuses/missing-file", test_missing_config);
  ADD ("opens-with-every-kind-of-option", test_good_config);
  ADD ("opens-with-defaults", test_defaults);
  ADD ("relative-location-counts-from-the-file", test_relative_location);
  ADD ("backend-error-is-passed-on", test_backend_error);
  ADD ("refuses/broken-backend", test_broken_backend);
  for (guint i = 0; i < G_N_ELEMENTS (backends); i++)
    {
      g_autofree char *path = g_strconcat ("/config/opens-real/", backends[i].backend, NULL);

      g_test_add (path, Fixture, &backends[i], setup, test_real_backend, teardown);
    }

  for (guint i = 0; i < G_N_ELEMENTS (bad_uris); i++)
    {
      g_autofree char *path = g_strconcat ("/config/uri/refuses/", bad_uris[i].promise, NULL);

      g_test_add_data_func (path, &bad_uris[i], test_bad_uri);
    }
  g_test_add_func ("/config/uri/opens", test_good_uri);
  g_test_add_func ("/config/options/refuses", test_bad_options);
  g_test_add_func ("/config/options/opens", test_good_options);

  return g_test_run ();
}
