/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ways to open a queue: a config file, a key file in memory, a URI, a backend's name with
 * options. All come down to a backend, its options as text, and a few words that say in an error
 * where they came from.
 *
 * A config, or a caller, that names no backend means the default one. Its place has to be named
 * even so: the library never chooses where jobs lie. A URI always names its backend, since a path
 * in its stead could be read as either. */

#include "job-queue.h"

#include "job-error.h"
#include "job-plugin-path.h"
#include "job-plugin.h"
#include "job-queue-options-private.h"

#define QUEUE_GROUP "queue"
#define BACKEND_KEY "backend"
#define DEFAULT_BACKEND "sqlite"

/* Where a config came from. */
typedef struct
{
  GKeyFile *key_file;
  const char *source; /* for errors */
  const char *folder; /* what a relative location counts from; NULL: the current folder */
} Config;

static gboolean
is_listed (const char *backend)
{
  g_auto (GStrv) backends = job_list_backends ();

  return g_strv_contains ((const char *const *) backends, backend);
}

static char *
describe_backends (void)
{
  g_auto (GStrv) backends = job_list_backends ();

  return backends[0] != NULL ? g_strjoinv (", ", backends) : g_strdup ("none is installed");
}

/* A backend that is not there is a mistake in the config; one that does not load is the plugin's.
 */
static const JobPluginDescriptor *
find_backend (const char *backend, const char *where, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  const JobPluginDescriptor *descriptor =
      job_plugin_load (JOB_PLUGIN_BACKEND, backend, &local_error);

  if (descriptor == NULL)
    g_set_error (error, JOB_ERROR, is_listed (backend) ? JOB_ERROR_PLUGIN : JOB_ERROR_CONFIG,
                 "%s: %s", where, local_error->message);
  return descriptor;
}

static JobQueue *
open_queue (const JobPluginDescriptor *descriptor, JobQueueOptions *options, JobClock *clock,
            const char *where, GError **error)
{
  g_autoptr (GObject) object = NULL;

  if (!job_queue_options_check_location (options, descriptor, where, error))
    return NULL;
  if (clock != NULL && !job_queue_options_add_clock (options, clock, where, error))
    return NULL;

  object = job_queue_options_construct (options);
  if (!g_initable_init (G_INITABLE (object), NULL, error))
    return NULL;
  return JOB_QUEUE (g_steal_pointer (&object));
}

/* Key files */

static gboolean
names_backend (Config *config)
{
  return g_key_file_has_key (config->key_file, QUEUE_GROUP, BACKEND_KEY, NULL);
}

static char *
describe_group (Config *config, const char *group)
{
  return g_strdup_printf ("%s, group [%s]", config->source, group);
}

static char *
get_text (Config *config, const char *group, const char *key, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autofree char *text = g_key_file_get_string (config->key_file, group, key, &local_error);

  /* A text comes back with some errors too. */
  if (local_error == NULL)
    return g_steal_pointer (&text);

  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
               "%s, group [%s], key “%s”: the value is not UTF-8, or has an unknown escape "
               "sequence; write UTF-8, and “\\\\” for a backslash",
               config->source, group, key);
  return NULL;
}

static gboolean
check_queue_group (Config *config, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (config->key_file, QUEUE_GROUP, NULL, NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    if (!g_str_equal (keys[i], BACKEND_KEY))
      {
        g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
                     "%s, group [" QUEUE_GROUP "]: there is no key “%s”; its key is: " BACKEND_KEY
                     "; options of a backend go into the backend's own group",
                     config->source, keys[i]);
        return FALSE;
      }
  return TRUE;
}

static const JobPluginDescriptor *
choose_backend (Config *config, GError **error)
{
  gboolean named = names_backend (config);
  g_autofree char *backend =
      named ? get_text (config, QUEUE_GROUP, BACKEND_KEY, error) : g_strdup (DEFAULT_BACKEND);
  g_autofree char *where = NULL;

  if (backend == NULL)
    return NULL;
  where = g_strconcat (config->source, ", group [" QUEUE_GROUP "], ",
                       named ? "key “" BACKEND_KEY "”"
                             : "which names no “" BACKEND_KEY "” and so means “" DEFAULT_BACKEND
                               "” (install that one, or name another one)",
                       NULL);
  return find_backend (g_strstrip (backend), where, error);
}

static GHashTable *
read_group (Config *config, const char *group, GError **error)
{
  g_autoptr (GHashTable) texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) keys = g_key_file_get_keys (config->key_file, group, NULL, NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      char *text = get_text (config, group, keys[i], error);

      if (text == NULL)
        return NULL;
      g_hash_table_insert (texts, g_strdup (keys[i]), text);
    }
  return g_steal_pointer (&texts);
}

static JobQueueOptions *
parse_group (Config *config, const JobPluginDescriptor *descriptor, GError **error)
{
  g_autofree char *where = describe_group (config, descriptor->name);
  g_autoptr (GHashTable) texts = read_group (config, descriptor->name, error);

  if (texts == NULL)
    return NULL;
  return job_queue_options_parse (descriptor, texts, where, config->folder, error);
}

/* A group of a backend that is not the chosen one: it has to be right too. */
static gboolean
check_other_group (Config *config, const char *group, GError **error)
{
  g_autofree char *where = describe_group (config, group);
  g_autofree char *backends = NULL;
  g_autoptr (JobQueueOptions) options = NULL;
  const JobPluginDescriptor *descriptor;

  if (!is_listed (group))
    {
      backends = describe_backends ();
      g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
                   "%s: there is no such group; there are [" QUEUE_GROUP
                   "] and one for each backend: %s",
                   where, backends);
      return FALSE;
    }

  descriptor = find_backend (group, where, error);
  if (descriptor != NULL)
    options = parse_group (config, descriptor, error);
  return options != NULL;
}

static gboolean
check_other_groups (Config *config, const char *backend, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (config->key_file, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    if (!g_str_equal (groups[i], QUEUE_GROUP) && !g_str_equal (groups[i], backend) &&
        !check_other_group (config, groups[i], error))
      return FALSE;
  return TRUE;
}

/* Whoever forgot the key “backend” has to see why this group counts. */
static char *
describe_chosen_group (Config *config, const char *group)
{
  return g_strdup_printf ("%s, group [%s]%s", config->source, group,
                          names_backend (config) ? ""
                                                 : " (the backend, since [" QUEUE_GROUP
                                                   "] has no key “" BACKEND_KEY "”)");
}

static JobQueue *
open_checked (Config *config, GError **error)
{
  const JobPluginDescriptor *descriptor =
      check_queue_group (config, error) ? choose_backend (config, error) : NULL;
  g_autoptr (JobQueueOptions) options = NULL;
  g_autofree char *where = NULL;

  if (descriptor == NULL || !check_other_groups (config, descriptor->name, error))
    return NULL;
  options = parse_group (config, descriptor, error);
  if (options == NULL)
    return NULL;

  where = describe_chosen_group (config, descriptor->name);
  return open_queue (descriptor, options, NULL, where, error);
}

/* A file that is not UTF-8 has its bytes in the names of groups and keys, and so in messages. */
static void
make_message_valid (GError *error)
{
  char *valid = g_utf8_make_valid (error->message, -1);

  g_free (error->message);
  error->message = valid;
}

static JobQueue *
open_config (Config *config, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  JobQueue *queue = open_checked (config, &local_error);

  if (queue != NULL)
    return queue;
  make_message_valid (local_error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return NULL;
}

/* URIs */

static GUri *
parse_uri (const char *text, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  GUri *uri = g_uri_parse (text, G_URI_FLAGS_ENCODED_QUERY, &local_error);

  if (uri == NULL)
    g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
                 "“%s” does not name a queue: %s; write BACKEND:PATH?KEY=VALUE&…, as in "
                 "“sqlite:/var/lib/example/jobs.sqlite”, with “%%” and two hexadecimal digits for "
                 "a character that has a meaning in URIs",
                 text, local_error->message);
  return uri;
}

static gboolean
check_uri_parts (GUri *uri, const char *where, GError **error)
{
  const char *host = g_uri_get_host (uri);

  if ((host == NULL || host[0] == '\0') && g_uri_get_userinfo (uri) == NULL &&
      g_uri_get_port (uri) == -1 && g_uri_get_fragment (uri) == NULL)
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
               "%s: it has a user, a host, a port or a fragment (“#”), which mean nothing here; "
               "write BACKEND:PATH?KEY=VALUE&…, as in “fs-json:/var/lib/example/jobs”",
               where);
  return FALSE;
}

static gboolean
insert_once (GHashTable *texts, const char *key, const char *text, const char *where,
             GError **error)
{
  if (g_hash_table_insert (texts, g_strdup (key), g_strdup (text)))
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
               "%s, key “%s”: it is given twice (a path counts too); give it once", where, key);
  return FALSE;
}

static gboolean
read_path (GHashTable *texts, const JobPluginDescriptor *descriptor, GUri *uri, const char *where,
           GError **error)
{
  const char *path = g_uri_get_path (uri);

  if (path[0] == '\0')
    return TRUE;
  if (descriptor->location_property != NULL)
    return insert_once (texts, descriptor->location_property, path, where, error);

  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
               "%s: the backend “%s” has no place on disk, so no path either; write “%s:”", where,
               descriptor->name, descriptor->name);
  return FALSE;
}

static gboolean
read_query (GHashTable *texts, GUri *uri, const char *where, GError **error)
{
  const char *query = g_uri_get_query (uri);
  g_autoptr (GError) local_error = NULL;
  GUriParamsIter iter;
  char *next_key, *next_text;

  g_uri_params_iter_init (&iter, query != NULL ? query : "", -1, "&", G_URI_PARAMS_NONE);
  while (g_uri_params_iter_next (&iter, &next_key, &next_text, &local_error))
    {
      g_autofree char *key = next_key;
      g_autofree char *text = next_text;

      if (!insert_once (texts, key, text, where, error))
        return FALSE;
    }
  if (local_error == NULL)
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
               "%s: what follows “?” is wrong: %s; write KEY=VALUE, with “&” between two", where,
               local_error->message);
  return FALSE;
}

static JobQueue *
open_uri (GUri *uri, const char *where, GError **error)
{
  g_autoptr (GHashTable) texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (JobQueueOptions) options = NULL;
  const JobPluginDescriptor *descriptor;

  if (!check_uri_parts (uri, where, error))
    return NULL;
  descriptor = find_backend (g_uri_get_scheme (uri), where, error);
  if (descriptor == NULL || !read_path (texts, descriptor, uri, where, error) ||
      !read_query (texts, uri, where, error))
    return NULL;

  options = job_queue_options_parse (descriptor, texts, where, NULL, error);
  return options != NULL ? open_queue (descriptor, options, NULL, where, error) : NULL;
}

/**
 * job_queue_new_from_config:
 * @path: (type filename): a config file
 *
 * Opens the queue that a config file describes: a key file, with `backend=NAME` in the group
 * `[queue]`, and the backend's options in a group of the backend's name. Without that key, or that
 * group, the backend is `sqlite`, whose `file` has to be named all the same.
 *
 * A key is the name of a construct property of the backend's type. A relative path of a store
 * counts from the folder of the config file. Groups of other backends that are installed may be
 * there, and are checked too.
 *
 * Blocks until the store is open and its jobs are known. May be called from any thread.
 *
 * Errors are %JOB_ERROR_CONFIG for a file that cannot be read, is not a key file, wants a backend
 * that is not there, does not say where the jobs are kept, or has an unknown group, an unknown key
 * or a value that does not fit its key; %JOB_ERROR_PLUGIN for a backend that cannot be loaded; and
 * those that the backend has for opening its store, such as %JOB_ERROR_LOCKED, %JOB_ERROR_STORAGE,
 * %JOB_ERROR_CORRUPT or %JOB_ERROR_VERSION.
 *
 * Returns: (transfer full): a queue
 *
 * Since: 1.0
 */
JobQueue *
job_queue_new_from_config (const char *path, GError **error)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GError) local_error = NULL;
  g_autofree char *absolute = NULL;
  g_autofree char *shown = NULL;
  g_autofree char *folder = NULL;
  g_autofree char *source = NULL;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  absolute = g_canonicalize_filename (path, NULL);
  shown = g_filename_display_name (absolute);
  if (!g_key_file_load_from_file (key_file, absolute, G_KEY_FILE_KEEP_TRANSLATIONS, &local_error))
    {
      make_message_valid (local_error);
      g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
                   "Cannot read the config file “%s”: %s; it has to be a key file that this "
                   "process may read",
                   shown, local_error->message);
      return NULL;
    }

  folder = g_path_get_dirname (absolute);
  source = g_strdup_printf ("“%s”", shown);
  return open_config (&(Config){ key_file, source, folder }, error);
}

/**
 * job_queue_new_from_key_file:
 * @key_file: a config, as in a config file
 *
 * Opens the queue that a key file in memory describes, as job_queue_new_from_config() does for one
 * on disk. A relative path of a store counts from the current folder. @key_file is not changed, and
 * not used once this function has returned.
 *
 * Blocks until the store is open and its jobs are known. May be called from any thread.
 *
 * Errors are those of job_queue_new_from_config(), but for the file.
 *
 * Returns: (transfer full): a queue
 *
 * Since: 1.0
 */
JobQueue *
job_queue_new_from_key_file (GKeyFile *key_file, GError **error)
{
  g_return_val_if_fail (key_file != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return open_config (&(Config){ key_file, "The key file", NULL }, error);
}

/**
 * job_queue_new_for_uri:
 * @uri: a URI: `BACKEND:PATH?KEY=VALUE&…`
 *
 * Opens the queue that a URI names, such as `fs-json:/var/lib/example/jobs`, `memory:` or
 * `gdbm:jobs.gdbm?checkpoint-size=1048576`.
 *
 * The scheme is the backend's name. The path is where it keeps its jobs; a relative one counts from
 * the current folder. What follows `?` are more of its options, with the keys of its group in a
 * config file. A character with a meaning in URIs is written as `%` and two hexadecimal digits.
 *
 * Blocks until the store is open and its jobs are known. May be called from any thread.
 *
 * Errors are %JOB_ERROR_CONFIG for what is not such a URI, names a backend that is not there, or
 * has an unknown or repeated key or a value that does not fit its key; %JOB_ERROR_PLUGIN for a
 * backend that cannot be loaded; and those that the backend has for opening its store, such as
 * %JOB_ERROR_LOCKED, %JOB_ERROR_STORAGE, %JOB_ERROR_CORRUPT or %JOB_ERROR_VERSION.
 *
 * Returns: (transfer full): a queue
 *
 * Since: 1.0
 */
JobQueue *
job_queue_new_for_uri (const char *uri, GError **error)
{
  g_autoptr (GUri) parsed = NULL;
  g_autofree char *where = NULL;

  g_return_val_if_fail (uri != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  parsed = parse_uri (uri, error);
  if (parsed == NULL)
    return NULL;

  where = g_strdup_printf ("“%s”", uri);
  return open_uri (parsed, where, error);
}

/**
 * job_queue_new_for_backend:
 * @backend: (nullable): the name of a backend, such as `fs-json`, or %NULL for `sqlite`
 * @options: (nullable) (element-type utf8 utf8): its options, with the keys of its group in a
 * config file and values as they would be there, or %NULL for none
 * @clock: (nullable): the time as the queue is to have it, or %NULL for the system's
 *
 * Opens a queue on a backend that is named by the program. A relative path of a store counts from
 * the current folder.
 *
 * Blocks until the store is open and its jobs are known. May be called from any thread.
 *
 * Errors are %JOB_ERROR_CONFIG for a backend that is not there, an unknown key, a value that does
 * not fit its key, or a clock for a backend that keeps its own time; %JOB_ERROR_PLUGIN for a
 * backend that cannot be loaded; and those that the backend has for opening its store, such as
 * %JOB_ERROR_LOCKED, %JOB_ERROR_STORAGE, %JOB_ERROR_CORRUPT or %JOB_ERROR_VERSION.
 *
 * Returns: (transfer full): a queue
 *
 * Since: 1.0
 */
JobQueue *
job_queue_new_for_backend (const char *backend, GHashTable *options, JobClock *clock,
                           GError **error)
{
  g_autofree char *where = NULL;
  g_autoptr (JobQueueOptions) parsed = NULL;
  const JobPluginDescriptor *descriptor;

  g_return_val_if_fail (clock == NULL || JOB_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  where = g_strdup_printf ("Backend “%s”%s", backend != NULL ? backend : DEFAULT_BACKEND,
                           backend != NULL ? "" : " (since none is named)");
  descriptor = find_backend (backend != NULL ? backend : DEFAULT_BACKEND, where, error);
  if (descriptor == NULL)
    return NULL;

  parsed = job_queue_options_parse (descriptor, options, where, NULL, error);
  return parsed != NULL ? open_queue (descriptor, parsed, clock, where, error) : NULL;
}
