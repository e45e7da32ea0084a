/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening a queue by a config: a key file, on disk or in memory. */

#include "job-queue-open-private.h"

#include "job-error.h"
#include "job-plugin-path.h"

#define QUEUE_GROUP "queue"
#define BACKEND_KEY "backend"

/* Where a config came from. */
typedef struct
{
  GKeyFile *key_file;
  const char *source; /* for errors */
  const char *folder; /* what a relative location counts from; NULL: the current folder */
} Config;

static char *
describe_backends (void)
{
  g_auto (GStrv) backends = job_list_backends ();

  return backends[0] != NULL ? g_strjoinv (", ", backends) : g_strdup ("none is installed");
}

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
  g_autofree char *backend = named ? get_text (config, QUEUE_GROUP, BACKEND_KEY, error)
                                   : g_strdup (JOB_QUEUE_DEFAULT_BACKEND);
  g_autofree char *where = NULL;

  if (backend == NULL)
    return NULL;
  where = g_strconcat (config->source, ", group [" QUEUE_GROUP "], ",
                       named ? "key “" BACKEND_KEY "”"
                             : "which names no “" BACKEND_KEY
                               "” and so means “" JOB_QUEUE_DEFAULT_BACKEND
                               "” (install that one, or name another one)",
                       NULL);
  return job_queue_find_backend (g_strstrip (backend), where, error);
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

  if (!job_queue_backend_is_listed (group))
    {
      backends = describe_backends ();
      g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
                   "%s: there is no such group; there are [" QUEUE_GROUP
                   "] and one for each backend: %s",
                   where, backends);
      return FALSE;
    }

  descriptor = job_queue_find_backend (group, where, error);
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
  return job_queue_open_backend (descriptor, options, NULL, where, error);
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
