/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON strings: how far one goes and what is wrong in it, what its escapes mean, and how text
 * becomes one. */

#include "job-json-private.h"

#include <string.h>

/* The escapes of one letter, and what each means. */
static const char letters[] = "\"\\/bfnrt";
static const char letters_meant[] = "\"\\/\b\f\n\r\t";

#define BLOCK 32 /* bytes that are looked at together */

static inline gboolean
is_plain (guint8 c)
{
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Without a way out before the end: so the compiler can take many bytes at once. */
static inline gboolean
is_plain_block (const guint8 *at)
{
  guint8 others = 0;

  for (guint i = 0; i < BLOCK; i++)
    others |= (guint8) !is_plain (at[i]);
  return others == 0;
}

/* Skips what stands for itself in a string: all of ASCII but quote, backslash and controls. */
static const guint8 *
skip_plain (const guint8 *at, const guint8 *end)
{
  while (end - at >= BLOCK && is_plain_block (at))
    at += BLOCK;
  while (at < end && is_plain (*at))
    at++;
  return at;
}

static gboolean
is_continuation (const guint8 *at, guint8 low, guint8 high)
{
  return *at >= low && *at <= high;
}

/* The bytes of the UTF-8 character at @at, which is not ASCII; 0 if it is malformed (Unicode,
 * table 3-7: no overlong forms, no surrogates, nothing over U+10FFFF). */
static guint
utf8_length (const guint8 *at, const guint8 *end)
{
  guint8 c = *at;
  guint length = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
  guint8 low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
  guint8 high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

  if (length == 0 || (gsize) (end - at) < length || !is_continuation (at + 1, low, high))
    return 0;
  for (guint i = 2; i < length; i++)
    if (!is_continuation (at + i, 0x80, 0xbf))
      return 0;
  return length;
}

/* Reads the XXXX of \uXXXX, and moves on. */
static gboolean
read_hex4 (const guint8 **at, const guint8 *end, gunichar *unit)
{
  if (end - *at < 4)
    return FALSE;
  *unit = 0;
  for (guint i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value ((*at)[i]);

      if (digit < 0)
        return FALSE;
      *unit = *unit << 4 | digit;
    }
  *at += 4;
  return TRUE;
}

/* Reads what follows \u: one unit, or a pair of surrogates. */
static const char *
read_unicode (const guint8 **at, const guint8 *end, gunichar *character)
{
  gunichar low;

  if (!read_hex4 (at, end, character))
    return "four hexadecimal digits must follow \\u";
  if (*character < 0xd800 || *character > 0xdfff)
    return NULL;
  if (*character > 0xdbff || end - *at < 2 || (*at)[0] != '\\' || (*at)[1] != 'u')
    return "half of a surrogate pair; write both halves, or the character itself";
  *at += 2;
  if (!read_hex4 (at, end, &low) || low < 0xdc00 || low > 0xdfff)
    return "half of a surrogate pair; write both halves, or the character itself";
  *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
  return NULL;
}

/* Reads the escape at *at, a backslash, and moves on; or says what is wrong with it. */
static const char *
read_escape (const guint8 **at, const guint8 *end, gunichar *character)
{
  const char *letter;
  guint8 c = end - *at >= 2 ? (*at)[1] : 0;

  if (c == 'u')
    {
      *at += 2;
      return read_unicode (at, end, character);
    }
  letter = c != 0 ? strchr (letters, c) : NULL;
  if (letter == NULL)
    return "expected one of \" \\ / b f n r t u after a backslash";
  *character = (guint8) letters_meant[letter - letters];
  *at += 2;
  return NULL;
}

/* Writes what the inside of a string means; that is never longer than itself. G_MAXSIZE if there is
 * a bad escape (never in a text that passed). */
gsize
job_json_unescape (const guint8 *at, const guint8 *end, guint8 *out)
{
  guint8 *to = out;

  while (at < end)
    {
      gunichar character;

      if (*at != '\\')
        *to++ = *at++;
      else if (read_escape (&at, end, &character) == NULL)
        to += g_unichar_to_utf8 (character, (char *) to);
      else
        return G_MAXSIZE;
    }
  return to - out;
}

/* Moves *at from the opening quote to behind the closing one; or says what is wrong, and moves it
 * to where that is. */
const char *
job_json_scan_string (const guint8 **at, const guint8 *end, gboolean *escaped)
{
  const guint8 *p = *at + 1;

  for (;;)
    {
      const guint8 *stop = p = skip_plain (p, end);
      const char *problem = NULL;
      gunichar character;
      guint length = 0;

      if (p == end)
        return "a string is never closed";
      if (*p == '"')
        break;
      if (*p == '\\')
        {
          *escaped = TRUE;
          problem = read_escape (&p, end, &character);
        }
      else if (*p < 0x20)
        problem = "a control character in a string must be escaped";
      else if ((length = utf8_length (p, end)) == 0)
        problem = "malformed UTF-8";
      if (problem != NULL)
        {
          *at = stop;
          return problem;
        }
      p += length;
    }
  *at = p + 1;
  return NULL;
}

char *
job_json_dup_string (const char *value, gsize length)
{
  g_autofree guint8 *text = NULL;
  gsize text_length;

  if (length < 2 || value[0] != '"' || value[length - 1] != '"')
    return NULL;
  text = g_malloc (length - 1);
  text_length =
      job_json_unescape ((const guint8 *) value + 1, (const guint8 *) value + length - 1, text);
  if (text_length == G_MAXSIZE || memchr (text, 0, text_length) != NULL)
    return NULL;
  text[text_length] = '\0';
  return (char *) g_steal_pointer (&text);
}

static void
append_escape (GString *out, guint8 c)
{
  const char *letter = strchr (letters_meant, c);

  if (letter != NULL)
    g_string_append_printf (out, "\\%c", letters[letter - letters_meant]);
  else
    g_string_append_printf (out, "\\u%04x", c);
}

/* Text that is not UTF-8 after all would make a document that nobody can read any more: what is
 * malformed in it becomes U+FFFD. */
void
job_json_append_string (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_validate (text, -1, NULL) ? NULL : g_utf8_make_valid (text, -1);
  const char *at = valid != NULL ? valid : text;

  g_string_append_c (out, '"');
  while (*at != '\0')
    {
      const char *run = at;

      while ((guint8) *at >= 0x20 && *at != '"' && *at != '\\')
        at++;
      g_string_append_len (out, run, at - run);
      if (*at != '\0')
        append_escape (out, *at++);
    }
  g_string_append_c (out, '"');
}
