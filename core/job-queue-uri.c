/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening a queue by a URI. */

#include "job-queue-open-private.h"

#include "job-error.h"

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
  descriptor = job_queue_find_backend (g_uri_get_scheme (uri), where, error);
  if (descriptor == NULL || !read_path (texts, descriptor, uri, where, error) ||
      !read_query (texts, uri, where, error))
    return NULL;

  options = job_queue_options_parse (descriptor, texts, where, NULL, error);
  return options != NULL ? job_queue_open_backend (descriptor, options, NULL, where, error) : NULL;
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
