/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads one job of a graph file: an object that the library's strict scanner has passed, walked by
 * its slices, so that the args go into the queue byte for byte. */

#include <string.h>

#include "job-time.h"
#include "jobctl-node.h"

JobctlNode *
jobctl_node_new (const char *file, guint index, gint64 now)
{
  JobctlNode *node = g_new0 (JobctlNode, 1);
  char id_text[JOB_ID_TEXT_SIZE];
  JobId id;

  node->file = file;
  node->index = index;
  node->now = now;
  node->spec = job_spec_new ("", NULL);
  node->dependencies = g_array_new (FALSE, FALSE, sizeof (guint));
  job_id_new (&id, now);
  job_id_to_text (&id, id_text);
  job_spec_set_id (node->spec, id_text, NULL);
  return node;
}

void
jobctl_node_free (JobctlNode *node)
{
  g_free (node->name);
  g_clear_object (&node->spec);
  g_array_unref (node->dependencies);
  g_free (node);
}

/* A job that has no name yet goes by its place, from 1. */
gboolean
jobctl_node_refuse (const JobctlNode *node, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  if (node->name == NULL)
    g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID, "%s: job number %u: %s", node->file,
                 node->index + 1, what);
  else
    g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID, "%s: job \"%s\": %s", node->file, node->name,
                 what);
  return FALSE;
}

/* A value for an error message: not all of it if it is long. */
static char *
dup_excerpt (JobctlSlice value)
{
  g_autofree char *start = g_strndup (value.text, MIN (value.length, 60));
  g_autofree char *valid = g_utf8_make_valid (start, -1);

  return g_strconcat (valid, value.length > 60 ? "..." : NULL, NULL);
}

static gboolean
refuse_value (const JobctlNode *node, const char *member, const char *wanted, JobctlSlice value,
              GError **error)
{
  g_autofree char *excerpt = dup_excerpt (value);

  return jobctl_node_refuse (node, error, "\"%s\" must be %s, not %s", member, wanted, excerpt);
}

static gboolean
slice_equal (JobctlSlice slice, const char *text)
{
  return strlen (text) == slice.length && memcmp (slice.text, text, slice.length) == 0;
}

/* The members */

static gboolean
parse_string (const JobctlNode *node, const char *member, JobctlSlice value, char **text,
              GError **error)
{
  *text = job_json_dup_string (value.text, value.length);
  return *text != NULL || refuse_value (node, member, "a string without NUL", value, error);
}

static gboolean
parse_integer (const JobctlNode *node, const char *member, gint64 min, gint64 max,
               JobctlSlice value, gint64 *number, GError **error)
{
  g_autofree char *text = g_strndup (value.text, value.length);
  g_autofree char *wanted = NULL;

  if (g_ascii_string_to_signed (text, 10, min, max, number, NULL))
    return TRUE;
  wanted =
      g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min, max);
  return refuse_value (node, member, wanted, value, error);
}

static gboolean
parse_name (JobctlNode *node, JobctlSlice value, GError **error)
{
  g_autofree char *name = NULL;

  if (!parse_string (node, "name", value, &name, error))
    return FALSE;
  if (*name == '\0')
    return jobctl_node_refuse (node, error, "\"name\" must not be empty");
  node->name = g_steal_pointer (&name);
  return TRUE;
}

/* A type or a channel: the library's limits, but an error that names the job. */
static gboolean
parse_word (const JobctlNode *node, const char *member, gsize min, JobctlSlice value, char **word,
            GError **error)
{
  gsize length;

  if (!parse_string (node, member, value, word, error))
    return FALSE;
  length = strlen (*word);
  return (length >= min && length <= 255) ||
         jobctl_node_refuse (node, error, "\"%s\" must have %zu to 255 bytes, not %zu", member, min,
                             length);
}

static gboolean
parse_type (JobctlNode *node, JobctlSlice value, GError **error)
{
  g_autofree char *type = NULL;

  if (!parse_word (node, "type", 1, value, &type, error))
    return FALSE;
  job_spec_set_job_type (node->spec, type);
  return TRUE;
}

static gboolean
parse_args (JobctlNode *node, JobctlSlice value, GError **error)
{
  g_autofree char *args = g_strndup (value.text, value.length);

  job_spec_set_args (node->spec, args);
  return TRUE;
}

static gboolean
parse_channel (JobctlNode *node, JobctlSlice value, GError **error)
{
  g_autofree char *channel = NULL;

  if (!parse_word (node, "channel", 0, value, &channel, error))
    return FALSE;
  job_spec_set_channel (node->spec, channel);
  return TRUE;
}

static gboolean
parse_priority (JobctlNode *node, JobctlSlice value, GError **error)
{
  gint64 priority;

  if (!parse_integer (node, "priority", G_MININT, G_MAXINT, value, &priority, error))
    return FALSE;
  job_spec_set_priority (node->spec, (int) priority);
  return TRUE;
}

static gboolean
parse_max_attempts (JobctlNode *node, JobctlSlice value, GError **error)
{
  gint64 max_attempts;

  if (!parse_integer (node, "max_attempts", 1, G_MAXINT, value, &max_attempts, error))
    return FALSE;
  job_spec_set_max_attempts (node->spec, (guint) max_attempts);
  return TRUE;
}

static gboolean
parse_delay (JobctlNode *node, JobctlSlice value, GError **error)
{
  gboolean is_number = *value.text == '-' || g_ascii_isdigit (*value.text);
  g_autofree char *text = g_strndup (value.text, value.length);
  double seconds = g_ascii_strtod (text, NULL);

  if (!is_number || !(seconds >= 0 && seconds <= 1e9))
    return refuse_value (node, "delay", "a number of seconds from 0 to 1000000000", value, error);
  if (seconds > 0)
    job_spec_set_run_at (node->spec,
                         node->now + (gint64) (seconds * (double) JOB_TIME_NS_PER_SECOND));
  return TRUE;
}

static gboolean
parse_after (JobctlNode *node, JobctlSlice value, GError **error)
{
  if (*value.text != '[')
    return refuse_value (node, "after", "an array", value, error);
  node->after = value;
  return TRUE;
}

static const struct
{
  const char *name;
  gboolean (*parse) (JobctlNode *node, JobctlSlice value, GError **error);
} members[] = {
  { "name", parse_name },         { "type", parse_type },
  { "args", parse_args },         { "channel", parse_channel },
  { "priority", parse_priority }, { "after", parse_after },
  { "delay", parse_delay },       { "max_attempts", parse_max_attempts },
};

static gboolean
parse_member (JobctlNode *node, JobctlSlice key, JobctlSlice value, GError **error)
{
  g_autofree char *excerpt = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    if (slice_equal (key, members[i].name))
      return members[i].parse (node, value, error);
  excerpt = dup_excerpt (key);
  return jobctl_node_refuse (
      node, error,
      "unknown member \"%s\"; there are name, type, args, channel, priority, after, "
      "delay and max_attempts",
      excerpt);
}

gboolean
jobctl_node_parse (JobctlNode *node, JobctlSlice job, GError **error)
{
  JobJsonIter iter;
  JobctlSlice key, value;

  if (!job_json_iter_init (&iter, job.text, job.length))
    return jobctl_node_refuse (node, error, "it must be an object with its name and type");
  while (job_json_iter_next (&iter, &key.text, &key.length, &value.text, &value.length))
    if (!parse_member (node, key, value, error))
      return FALSE;
  if (node->name == NULL)
    return jobctl_node_refuse (node, error, "\"name\" is missing");
  if (*job_spec_get_job_type (node->spec) == '\0')
    return jobctl_node_refuse (node, error, "\"type\" is missing");
  return TRUE;
}

static gboolean
parse_edge_member (JobctlNode *node, JobctlSlice key, JobctlSlice value, JobctlEdge *edge,
                   GError **error)
{
  g_autofree char *member = dup_excerpt (key);
  g_autofree char *text = NULL;
  g_autoptr (GError) reason = NULL;
  gboolean is_job = slice_equal (key, "job");

  if (!is_job && !slice_equal (key, "condition"))
    return jobctl_node_refuse (
        node, error, "\"after\": unknown member \"%s\"; there are job and condition", member);
  if (!parse_string (node, member, value, &text, error))
    return FALSE;
  if (is_job)
    edge->job = g_steal_pointer (&text);
  else if (!job_condition_from_string (text, &edge->condition, &reason))
    return jobctl_node_refuse (node, error, "\"after\": %s", reason->message);
  return TRUE;
}

/* What an element of "after" says: a name, or {"job": name, "condition": condition}. */
gboolean
jobctl_node_parse_edge (JobctlNode *node, JobctlSlice text, JobctlEdge *edge, GError **error)
{
  JobJsonIter iter;
  JobctlSlice key, value;

  edge->condition = JOB_CONDITION_AFTER_OK;
  if (*text.text == '"')
    return parse_string (node, "after", text, &edge->job, error);
  if (!job_json_iter_init (&iter, text.text, text.length))
    return refuse_value (node, "after", "made of names and {\"job\", \"condition\"}", text, error);
  while (job_json_iter_next (&iter, &key.text, &key.length, &value.text, &value.length))
    if (!parse_edge_member (node, key, value, edge, error))
      return FALSE;
  return edge->job != NULL || jobctl_node_refuse (node, error, "\"after\": \"job\" is missing");
}

void
jobctl_edge_clear (JobctlEdge *edge)
{
  g_free (edge->job);
}
