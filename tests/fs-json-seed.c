/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A folder as the seed sees it. What is a rule of the seed, and not of ours, is here: every name is
 * a job, every member has its type, and what has no started_at is run. */

#include "fs-json-fixture.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define NEVER "0001-01-01T00:00:00Z"
#define NIL "00000000-0000-0000-0000-000000000000"

static gboolean
is_uuid (const char *text)
{
  return g_uuid_string_is_valid (text);
}

static JsonNode *
get_member (JsonObject *job, const char *name)
{
  JsonNode *node = json_object_get_member (job, name);

  if (node == NULL)
    g_error ("The seed misses the member %s", name);
  return node;
}

static const char *
get_text (JsonObject *job, const char *name)
{
  JsonNode *node = get_member (job, name);

  g_assert_cmpint (json_node_get_value_type (node), ==, G_TYPE_STRING);
  return json_node_get_string (node);
}

/* Whether the time has come; it must be one in any case. */
static gboolean
get_time (JsonObject *job, const char *name)
{
  const char *text = get_text (job, name);
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, NULL);

  g_assert_nonnull (time);
  g_assert_true (g_str_has_suffix (text, "Z"));
  return !g_str_equal (text, NEVER);
}

static void
check_ids (JsonObject *job, const char *name)
{
  JsonNode *node = get_member (job, name);
  JsonArray *ids;

  if (JSON_NODE_HOLDS_NULL (node))
    return;
  g_assert_true (JSON_NODE_HOLDS_ARRAY (node));
  ids = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (ids); i++)
    g_assert_true (is_uuid (json_array_get_string_element (ids, i)));
}

static void
check_types (JsonObject *job)
{
  g_assert_true (is_uuid (get_text (job, "token")));
  g_assert_cmpstr (get_text (job, "type"), !=, "");
  get_text (job, "channel");
  get_member (job, "args");
  check_ids (job, "dependencies");
  check_ids (job, "dependents");
  g_assert_true (get_time (job, "queued_at"));
  get_time (job, "expires_at");
  g_assert_cmpint (json_node_get_value_type (get_member (job, "retries")), ==, G_TYPE_INT64);
  g_assert_cmpint (json_object_get_int_member (job, "retries"), >=, 0);
  if (json_object_has_member (job, "canceled"))
    g_assert_true (json_object_get_boolean_member (job, "canceled"));
}

static JsonParser *
read_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *id = g_strndup (name, strlen (name) - strlen (".json"));
  JsonParser *parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *job;

  g_assert_true (g_str_has_suffix (name, ".json"));
  g_assert_true (is_uuid (id));
  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);
  job = json_node_get_object (json_parser_get_root (parser));
  g_assert_cmpstr (get_text (job, "id"), ==, id);
  check_types (job);
  return parser;
}

/* Every name in the folder. */
static GHashTable *
read_folder (const char *folder)
{
  GHashTable *files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL)
    g_hash_table_insert (files, g_strndup (name, 36), read_file (folder, name));
  return files;
}

static JsonObject *
get_job (GHashTable *files, const char *id)
{
  JsonParser *parser = g_hash_table_lookup (files, id);

  if (parser == NULL)
    g_error ("The seed misses the job %s", id);
  return json_node_get_object (json_parser_get_root (parser));
}

static gboolean
is_blocked (GHashTable *files, JsonObject *job)
{
  JsonNode *node = get_member (job, "dependencies");
  JsonArray *ids = JSON_NODE_HOLDS_NULL (node) ? NULL : json_node_get_array (node);

  for (guint i = 0; ids != NULL && i < json_array_get_length (ids); i++)
    if (!get_time (get_job (files, json_array_get_string_element (ids, i)), "finished_at"))
      return TRUE;
  return FALSE;
}

/* When it writes a job that failed, it drops the member that says so: a result stays. */
static void
check_failed (JsonObject *job)
{
  JsonObject *ours = json_object_has_member (job, "jobqueue")
                         ? json_object_get_object_member (job, "jobqueue")
                         : NULL;

  if (ours != NULL && json_object_has_member (ours, "state"))
    g_assert_true (JSON_NODE_HOLDS_OBJECT (get_member (job, "result")));
}

static SeedState
judge (GHashTable *files, JsonObject *job)
{
  gboolean started = get_time (job, "started_at"), finished = get_time (job, "finished_at");

  if (!started)
    {
      /* It runs this: a job that is over may not come here. */
      g_assert_false (finished);
      g_assert_false (json_object_has_member (job, "canceled"));
      g_assert_cmpstr (get_text (job, "token"), ==, NIL);
      return is_blocked (files, job) ? SEED_BLOCKED : SEED_PENDING;
    }
  if (json_object_has_member (job, "canceled"))
    return SEED_CANCELED;
  if (finished)
    {
      check_failed (job);
      return SEED_FINISHED;
    }
  g_assert_cmpstr (get_text (job, "token"), !=, NIL);
  return SEED_RUNNING;
}

GHashTable *
seed_open (const char *folder)
{
  GHashTable *jobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) files = read_folder (folder);
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    g_hash_table_insert (jobs, g_strdup (id), GINT_TO_POINTER (judge (files, get_job (files, id))));
  return jobs;
}

SeedState
seed_get (GHashTable *jobs, const JobId *id)
{
  g_autofree char *text = job_id_dup_text (id);
  gpointer state;

  g_assert_true (g_hash_table_lookup_extended (jobs, text, NULL, &state));
  return (SeedState) GPOINTER_TO_INT (state);
}
