/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the args of an "exec" job: a walk over the members of an object, with a function for each
 * of them. Whatever is not understood is an error, so that a misspelt limit is not a missing one.
 */

#include "job-exec-args.h"

#include "jobqueue-backend.h"

#include <string.h>

#define LONGEST_TIMEOUT 1e9 /* seconds: as good as none, and far from an overflow */

typedef struct
{
  JobExecArgs *args;
  gboolean clear_environment;
  GPtrArray *names;  /* owned; of "env" */
  GPtrArray *values; /* owned or NULL: unset */
} Parser;

typedef gboolean (*MemberFunc) (Parser *parser, const char *value, gsize length, GError **error);

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list list;

  va_start (list, format);
  message = g_strdup_vprintf (format, list);
  va_end (list);
  g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID, "The args of this exec job: %s", message);

  return FALSE;
}

/* One string into *@text; @must says what it has to be. */
static gboolean
take_string (const char *value, gsize length, char **text, const char *must, GError **error)
{
  char *string = job_json_dup_string (value, length);

  if (string == NULL)
    return refuse (error, "%s (without \\u0000)", must);

  g_free (*text);
  *text = string;
  return TRUE;
}

static gboolean
take_boolean (const char *value, gsize length, gboolean *flag, const char *name, GError **error)
{
  *flag = length == 4 && memcmp (value, "true", 4) == 0;
  if (*flag || (length == 5 && memcmp (value, "false", 5) == 0))
    return TRUE;

  return refuse (error, "“%s” must be true or false", name);
}

static gboolean
take_number (const char *value, gsize length, double *number)
{
  g_autofree char *text = g_strndup (value, length);
  char *end;

  *number = g_ascii_strtod (text, &end);

  return end != text && *end == '\0';
}

static gboolean
parse_argv (Parser *parser, const char *value, gsize length, GError **error)
{
  static const char must[] = "“argv” must be an array of strings, at least one, such as "
                             "[\"ls\", \"-l\"]";
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  JobJsonIter iter;

  if (!job_json_iter_init_array (&iter, value, length))
    return refuse (error, "%s", must);

  while (job_json_iter_next_element (&iter, &value, &length))
    {
      char *text = NULL;

      if (!take_string (value, length, &text, must, error))
        return FALSE;
      g_ptr_array_add (argv, text);
    }

  if (argv->len == 0 || *(const char *) argv->pdata[0] == '\0')
    return refuse (error, "%s; the first one is the program", must);

  g_ptr_array_add (argv, NULL);
  parser->args->argv = (char **) g_ptr_array_steal (argv, NULL);
  return TRUE;
}

static gboolean
parse_stdin (Parser *parser, const char *value, gsize length, GError **error)
{
  return take_string (value, length, &parser->args->input, "“stdin” must be a string", error);
}

static gboolean
parse_stdin_from (Parser *parser, const char *value, gsize length, GError **error)
{
  g_autofree char *text = job_json_dup_string (value, length);

  if (g_strcmp0 (text, "dependencies") != 0)
    return refuse (error, "“stdin_from” can only be \"dependencies\"");

  parser->args->input_from_dependencies = TRUE;
  return TRUE;
}

static gboolean
parse_variable (Parser *parser, const char *key, gsize key_length, const char *value, gsize length,
                GError **error)
{
  /* The slice of a key has no quotes, but they are there. */
  g_autofree char *name = job_json_dup_string (key - 1, key_length + 2);
  g_autofree char *text = NULL;
  gboolean unset = length == 4 && memcmp (value, "null", 4) == 0;

  if (name == NULL || *name == '\0' || strchr (name, '=') != NULL)
    return refuse (error, "“%s” in “env” cannot be the name of a variable",
                   name != NULL ? name : "\\u0000");
  if (!unset && !take_string (value, length, &text,
                              "a value in “env” must be a string, or null to unset it", error))
    return FALSE;

  g_ptr_array_add (parser->names, g_steal_pointer (&name));
  g_ptr_array_add (parser->values, g_steal_pointer (&text));
  return TRUE;
}

static gboolean
parse_env (Parser *parser, const char *value, gsize length, GError **error)
{
  JobJsonIter iter;
  const char *key;
  gsize key_length;

  if (!job_json_iter_init (&iter, value, length))
    return refuse (error, "“env” must be an object of names and values");

  while (job_json_iter_next (&iter, &key, &key_length, &value, &length))
    if (!parse_variable (parser, key, key_length, value, length, error))
      return FALSE;

  return TRUE;
}

static gboolean
parse_clear_env (Parser *parser, const char *value, gsize length, GError **error)
{
  return take_boolean (value, length, &parser->clear_environment, "clear_env", error);
}

static gboolean
parse_cwd (Parser *parser, const char *value, gsize length, GError **error)
{
  if (!take_string (value, length, &parser->args->cwd, "“cwd” must be the path of a folder", error))
    return FALSE;
  if (*parser->args->cwd == '\0')
    return refuse (error, "“cwd” must be the path of a folder, not an empty string");

  return TRUE;
}

static gboolean
parse_timeout (Parser *parser, const char *value, gsize length, GError **error)
{
  double seconds;

  if (!take_number (value, length, &seconds) || !(seconds > 0 && seconds <= LONGEST_TIMEOUT))
    return refuse (error,
                   "“timeout” must be a number of seconds, more than 0 and at most %.0f; leave it "
                   "out for no limit",
                   LONGEST_TIMEOUT);

  parser->args->timeout = MAX ((gint64) (seconds * G_USEC_PER_SEC), 1);
  return TRUE;
}

static gboolean
parse_max_output (Parser *parser, const char *value, gsize length, GError **error)
{
  double bytes;

  if (!take_number (value, length, &bytes) || !(bytes >= 0 && bytes <= JOB_EXEC_MAX_OUTPUT) ||
      (double) (gsize) bytes != bytes)
    return refuse (error, "“max_output” must be a whole number of bytes from 0 to %d",
                   JOB_EXEC_MAX_OUTPUT);

  parser->args->max_output = (gsize) bytes;
  return TRUE;
}

static const struct
{
  const char *name;
  MemberFunc parse;
} members[] = {
  { "argv", parse_argv },
  { "stdin", parse_stdin },
  { "stdin_from", parse_stdin_from },
  { "env", parse_env },
  { "clear_env", parse_clear_env },
  { "cwd", parse_cwd },
  { "timeout", parse_timeout },
  { "max_output", parse_max_output },
};

static gboolean
parse_member (Parser *parser, const char *key, gsize key_length, const char *value, gsize length,
              GError **error)
{
  g_autofree char *name = job_json_dup_string (key - 1, key_length + 2);

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (g_strcmp0 (name, members[i].name) == 0)
      return members[i].parse (parser, value, length, error);

  return refuse (error,
                 "unknown member “%s”; known are argv, stdin, stdin_from, env, clear_env, cwd, "
                 "timeout and max_output",
                 name != NULL ? name : "\\u0000");
}

static gboolean
parse_members (Parser *parser, const char *json, GError **error)
{
  JobJsonIter iter;
  const char *key, *value;
  gsize key_length, length;

  if (!job_json_iter_init (&iter, json, strlen (json)))
    return refuse (error, "they must be an object such as {\"argv\": [\"ls\", \"-l\"]}");

  while (job_json_iter_next (&iter, &key, &key_length, &value, &length))
    if (!parse_member (parser, key, key_length, value, length, error))
      return FALSE;

  if (parser->args->argv == NULL)
    return refuse (error, "“argv” is missing: it says what to run, such as "
                          "{\"argv\": [\"ls\", \"-l\"]}");
  if (parser->args->input != NULL && parser->args->input_from_dependencies)
    return refuse (error, "“stdin” and “stdin_from” exclude each other; leave one of them out");

  return TRUE;
}

static char **
make_environment (Parser *parser)
{
  char **environment = parser->clear_environment ? g_new0 (char *, 1) : g_get_environ ();

  for (guint i = 0; i < parser->names->len; i++)
    if (parser->values->pdata[i] == NULL)
      environment = g_environ_unsetenv (environment, parser->names->pdata[i]);
    else
      environment =
          g_environ_setenv (environment, parser->names->pdata[i], parser->values->pdata[i], TRUE);

  return environment;
}

JobExecArgs *
job_exec_args_parse (const char *json, GError **error)
{
  g_autoptr (JobExecArgs) args = g_new0 (JobExecArgs, 1);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);
  Parser parser = { .args = args, .names = names, .values = values };

  args->max_output = JOB_EXEC_DEFAULT_OUTPUT;
  if (!parse_members (&parser, json, error))
    return NULL;

  args->environment = make_environment (&parser);
  return g_steal_pointer (&args);
}

void
job_exec_args_free (JobExecArgs *self)
{
  g_strfreev (self->argv);
  g_strfreev (self->environment);
  g_free (self->cwd);
  g_free (self->input);
  g_free (self);
}
