/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "reference-json.h"

#include <math.h>
#include <string.h>

typedef struct
{
  const char *at;
  const char *end;
  guint depth; /* levels that may still be opened */
} Reference;

static gboolean accept_value (Reference *self);

/* The next byte, without taking it; 0 at the end, as for a NUL, which is right nowhere. */
static char
peek (const Reference *self)
{
  return self->at < self->end ? *self->at : '\0';
}

static gboolean
take (Reference *self, char c)
{
  if (c == '\0' || peek (self) != c)
    return FALSE;
  self->at++;
  return TRUE;
}

static gboolean
take_text (Reference *self, const char *text)
{
  while (*text != '\0')
    if (!take (self, *text++))
      return FALSE;
  return TRUE;
}

static void
take_space (Reference *self)
{
  while (take (self, ' ') || take (self, '\n') || take (self, '\r') || take (self, '\t'))
    ;
}

/* ws structure ws */
static gboolean
take_structure (Reference *self, char c)
{
  take_space (self);
  if (!take (self, c))
    return FALSE;
  take_space (self);
  return TRUE;
}

static gboolean
take_digits (Reference *self)
{
  const char *start = self->at;

  while (peek (self) >= '0' && peek (self) <= '9')
    self->at++;
  return self->at > start;
}

/* [ minus ] int [ frac ] [ exp ] */
static gboolean
accept_number (Reference *self)
{
  const char *start = self->at;
  g_autofree char *number = NULL;

  take (self, '-');
  if (!take (self, '0') && !take_digits (self))
    return FALSE;
  if (take (self, '.') && !take_digits (self))
    return FALSE;
  if (take (self, 'e') || take (self, 'E'))
    {
      if (!take (self, '+'))
        take (self, '-');
      if (!take_digits (self))
        return FALSE;
    }
  number = g_strndup (start, (gsize) (self->at - start));
  return isfinite (g_ascii_strtod (number, NULL));
}

static gboolean
take_unit (Reference *self, gunichar *unit)
{
  *unit = 0;
  for (int i = 0; i < 4; i++)
    {
      if (!g_ascii_isxdigit (peek (self)))
        return FALSE;
      *unit = *unit * 16 + (gunichar) g_ascii_xdigit_value (*self->at++);
    }
  return TRUE;
}

static gboolean
accept_unicode (Reference *self, GByteArray *meaning)
{
  gunichar unit, low;
  char utf8[6];

  if (!take_unit (self, &unit) || (unit >= 0xdc00 && unit < 0xe000))
    return FALSE;
  if (unit >= 0xd800 && unit < 0xdc00)
    {
      if (!take_text (self, "\\u") || !take_unit (self, &low) || low < 0xdc00 || low >= 0xe000)
        return FALSE;
      unit = (unit - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000;
    }
  g_byte_array_append (meaning, (guint8 *) utf8, (guint) g_unichar_to_utf8 (unit, utf8));
  return TRUE;
}

static gboolean
accept_escape (Reference *self, GByteArray *meaning)
{
  static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t"; /* each with what it means */

  if (take (self, 'u'))
    return accept_unicode (self, meaning);
  for (const char *letter = letters; *letter != '\0'; letter += 2)
    if (take (self, *letter))
      {
        g_byte_array_append (meaning, (const guint8 *) letter + 1, 1);
        return TRUE;
      }
  return FALSE;
}

/* What it means: two keys may be the same with different escapes. Whether it is UTF-8 was seen for
 * the text as a whole. */
static GBytes *
accept_string (Reference *self)
{
  g_autoptr (GByteArray) meaning = g_byte_array_new ();

  if (!take (self, '"'))
    return NULL;
  while (!take (self, '"'))
    {
      if (take (self, '\\'))
        {
          if (!accept_escape (self, meaning))
            return NULL;
        }
      else if ((guint8) peek (self) < 0x20)
        return NULL;
      else
        g_byte_array_append (meaning, (const guint8 *) self->at++, 1);
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&meaning));
}

static gboolean
accept_member (Reference *self, GHashTable *keys)
{
  GBytes *key = accept_string (self);

  if (key == NULL || !g_hash_table_add (keys, key))
    return FALSE;
  return take_structure (self, ':') && accept_value (self);
}

static gboolean
accept_object (Reference *self)
{
  g_autoptr (GHashTable) keys =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);

  take_space (self);
  if (take (self, '}'))
    return TRUE;
  do
    if (!accept_member (self, keys))
      return FALSE;
  while (take_structure (self, ','));
  return take (self, '}');
}

static gboolean
accept_array (Reference *self)
{
  take_space (self);
  if (take (self, ']'))
    return TRUE;
  do
    if (!accept_value (self))
      return FALSE;
  while (take_structure (self, ','));
  return take (self, ']');
}

static gboolean
accept_container (Reference *self, gboolean (*accept) (Reference *self))
{
  gboolean accepted;

  if (self->depth == 0)
    return FALSE;
  self->depth--;
  accepted = accept (self);
  self->depth++;
  return accepted;
}

static gboolean
accept_value (Reference *self)
{
  if (take (self, '{'))
    return accept_container (self, accept_object);
  if (take (self, '['))
    return accept_container (self, accept_array);
  if (peek (self) == '"')
    {
      g_autoptr (GBytes) meaning = accept_string (self);

      return meaning != NULL;
    }
  if (peek (self) == 't')
    return take_text (self, "true");
  if (peek (self) == 'f')
    return take_text (self, "false");
  if (peek (self) == 'n')
    return take_text (self, "null");
  return accept_number (self);
}

gboolean
reference_json_accepts (const char *text, gsize length, guint max_depth)
{
  Reference self = { text, text + length, max_depth };

  if (length == 0 || !g_utf8_validate_len (text, length, NULL))
    return FALSE;
  take_space (&self);
  if (!accept_value (&self))
    return FALSE;
  take_space (&self);
  return self.at == self.end;
}
