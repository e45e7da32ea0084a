/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules for types and channels: their lengths, and that they are UTF-8. An error names the
 * culprit, but never a whole book of it. */

#include "job-name-private.h"
#include "job-error.h"

#include <string.h>

#define QUOTED_BYTES 64

typedef gboolean (*NameCheck) (const char *name, GError **error);

char *
job_name_quote (const char *text)
{
  g_autofree char *cut = NULL;
  g_autofree char *valid = NULL;

  if (text == NULL)
    return g_strdup ("NULL");
  cut = g_strndup (text, QUOTED_BYTES);
  valid = g_utf8_make_valid (cut, -1);
  return g_strdup_printf ("\"%s%s\"", valid, strlen (text) > QUOTED_BYTES ? "…" : "");
}

static gboolean
check_name (const char *name, const char *what, GError **error)
{
  g_autofree char *quoted = NULL;

  if (strlen (name) > JOB_NAME_MAX_BYTES)
    {
      quoted = job_name_quote (name);
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "The %s %s has %" G_GSIZE_FORMAT " bytes: use a name of at most %d", what,
                   quoted, strlen (name), JOB_NAME_MAX_BYTES);
      return FALSE;
    }
  if (!g_utf8_validate (name, -1, NULL))
    {
      quoted = job_name_quote (name);
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "The %s %s is not UTF-8: use a name that is valid UTF-8 text", what, quoted);
      return FALSE;
    }
  return TRUE;
}

gboolean
job_name_check_type (const char *type, GError **error)
{
  if (type == NULL || *type == '\0')
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "The type is %s: every job needs a type of 1 to %d bytes",
                   type == NULL ? "missing" : "empty", JOB_NAME_MAX_BYTES);
      return FALSE;
    }
  return check_name (type, "type", error);
}

gboolean
job_name_check_channel (const char *channel, GError **error)
{
  if (channel == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "The channel is missing: the default channel is the empty string");
      return FALSE;
    }
  return check_name (channel, "channel", error);
}

static gboolean
check_list (const char *const *names, const char *what, NameCheck check, GError **error)
{
  if (names == NULL)
    return TRUE;
  if (names[0] == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                   "The list of %s is empty: name at least one, or pass NULL for any", what);
      return FALSE;
    }
  for (gsize i = 0; names[i] != NULL; i++)
    {
      if (i == JOB_NAME_MAX_LISTED)
        {
          g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
                       "The list of %s has more than %d names: name fewer, or pass NULL for any",
                       what, JOB_NAME_MAX_LISTED);
          return FALSE;
        }
      if (!check (names[i], error))
        return FALSE;
    }
  return TRUE;
}

gboolean
job_name_check_types (const char *const *types, GError **error)
{
  return check_list (types, "types", job_name_check_type, error);
}

gboolean
job_name_check_channels (const char *const *channels, GError **error)
{
  return check_list (channels, "channels", job_name_check_channel, error);
}
