/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Walks over a JSON text that passed the scanner, handing out slices of it. On any other text the
 * slices are nonsense, or the walk ends early, but nothing outside of the text is read. */

#include "job-json-private.h"

/* From the opening quote to behind the closing one, or to the end. */
static const guint8 *
skip_string (const guint8 *at, const guint8 *end)
{
  for (at++; at < end && *at != '"'; at++)
    if (*at == '\\')
      at++;
  return at < end ? at + 1 : end;
}

/* From the opening bracket to behind its closing one: of which kind the inner ones are need not be
 * looked at in a text that passed. */
static const guint8 *
skip_container (const guint8 *at, const guint8 *end)
{
  gsize depth = 0;

  while (at < end)
    {
      guint8 c = *at;

      at = c == '"' ? skip_string (at, end) : at + 1;
      if (c == '{' || c == '[')
        depth++;
      else if ((c == '}' || c == ']') && --depth == 0)
        break;
    }
  return at;
}

static gboolean
ends_scalar (guint8 c)
{
  return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const guint8 *
skip_value (const guint8 *at, const guint8 *end)
{
  if (at < end && *at == '"')
    return skip_string (at, end);
  if (at < end && (*at == '{' || *at == '['))
    return skip_container (at, end);
  while (at < end && !ends_scalar (*at))
    at++;
  return at;
}

static gboolean
iter_init (JobJsonIter *iter, const char *text, gsize length, guint8 bracket)
{
  const guint8 *at = (const guint8 *) text;
  const guint8 *end = at + length;

  at = job_json_skip_space (at, end);
  iter->next = iter->end = (const char *) end;
  if (at == end || *at != bracket)
    return FALSE;
  iter->next = (const char *) at + 1;
  return TRUE;
}

/* To where the next member or element begins; NULL if there is none, and then for ever. */
static const guint8 *
find_next (JobJsonIter *iter)
{
  const guint8 *end = (const guint8 *) iter->end;
  const guint8 *at = job_json_skip_space ((const guint8 *) iter->next, end);

  if (at < end && *at == ',')
    at = job_json_skip_space (at + 1, end);
  if (at < end && *at != '}' && *at != ']')
    return at;
  iter->next = iter->end;
  return NULL;
}

static gboolean
take_value (JobJsonIter *iter, const guint8 *at, const char **value, gsize *value_length)
{
  const guint8 *value_end = skip_value (at, (const guint8 *) iter->end);

  iter->next = (const char *) value_end;
  *value = (const char *) at;
  *value_length = value_end - at;
  return *value_length > 0;
}

gboolean
job_json_iter_init (JobJsonIter *iter, const char *object, gsize length)
{
  return iter_init (iter, object, length, '{');
}

gboolean
job_json_iter_next (JobJsonIter *iter, const char **key, gsize *key_length, const char **value,
                    gsize *value_length)
{
  const guint8 *end = (const guint8 *) iter->end;
  const guint8 *at = find_next (iter);
  const guint8 *quote = at;

  if (at == NULL || *at != '"')
    return FALSE;
  at = skip_string (at, end);
  *key = (const char *) quote + 1;
  *key_length = MAX (at - quote, 2) - 2;
  at = job_json_skip_space (at, end);
  if (at == end || *at != ':')
    return FALSE;
  return take_value (iter, job_json_skip_space (at + 1, end), value, value_length);
}

gboolean
job_json_iter_init_array (JobJsonIter *iter, const char *array, gsize length)
{
  return iter_init (iter, array, length, '[');
}

gboolean
job_json_iter_next_element (JobJsonIter *iter, const char **value, gsize *value_length)
{
  const guint8 *at = find_next (iter);

  return at != NULL && take_value (iter, at, value, value_length);
}
