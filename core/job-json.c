/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The strict JSON scanner.
 *
 * It takes a text apart from left to right in one loop; what is open is on a stack of its own,
 * never on the machine's. Nothing is built: a text that passes is kept as it stands.
 *
 * Keys that are there twice: the keys of all open objects lie on one more stack, the innermost
 * object's on top, since an object's keys end with it. When an object ends, its keys are compared:
 * a few each with each, many after sorting, so that no choice of keys costs more than n log n. A
 * key with escapes is compared as what it means. */

#include "job-json-private.h"

#include "job-error.h"

#include <string.h>

#define ARRAY_LEVEL G_MAXUINT32 /* in Scanner.levels */
#define FEW_KEYS 16             /* up to so many are compared each with each */
#define OWN_KEYS 64             /* more are on the heap */
#define SHOWN_BYTES 40          /* how much of a repeated key an error repeats */

typedef struct
{
  guint64 prefix;      /* its first eight bytes, to tell most keys apart at once */
  const guint8 *bytes; /* unescaped */
  guint32 length;
  guint32 offset; /* in the text */
} Key;

typedef struct
{
  const guint8 *start;
  const guint8 *at;
  const guint8 *end;
  const guint8 *culprit; /* where a failure is … */
  const char *problem;   /* … and what is wrong there */
  guint depth;
  guint max_depth;
  guint32 levels[JOB_JSON_DOCUMENT_MAX_DEPTH]; /* an object's first key's index, or ARRAY_LEVEL */
  Key *keys;
  gsize n_keys;
  gsize max_keys;
  GStringChunk *unescaped; /* what keys with escapes mean; or NULL */
  Key own_keys[OWN_KEYS];
} Scanner;

/* The scanner. Its functions return FALSE after fail(). */

/* Not zeroed as a whole: the stacks are large, and most texts small. */
static void
scanner_init (Scanner *self, const char *text, gsize length, guint max_depth)
{
  self->start = self->at = (const guint8 *) text;
  self->end = self->start + length;
  self->culprit = NULL;
  self->problem = NULL;
  self->depth = 0;
  self->max_depth = max_depth;
  self->keys = self->own_keys;
  self->n_keys = 0;
  self->max_keys = OWN_KEYS;
  self->unescaped = NULL;
}

static void
scanner_clear (Scanner *self)
{
  if (self->keys != self->own_keys)
    g_free (self->keys);
  g_clear_pointer (&self->unescaped, g_string_chunk_free);
}

static gboolean
fail (Scanner *self, const guint8 *culprit, const char *problem)
{
  self->culprit = culprit;
  self->problem = problem;
  return FALSE;
}

static gboolean
scan_string (Scanner *self, gboolean *escaped)
{
  const char *problem = job_json_scan_string (&self->at, self->end, escaped);

  return problem == NULL || fail (self, self->at, problem);
}

static gboolean
scan_number (Scanner *self)
{
  const char *problem = job_json_scan_number (&self->at, self->end);

  return problem == NULL || fail (self, self->at, problem);
}

static gboolean
scan_word (Scanner *self, const char *word)
{
  gsize length = strlen (word);

  if ((gsize) (self->end - self->at) < length || memcmp (self->at, word, length) != 0)
    return fail (self, self->at, "expected a value");
  self->at += length;
  return TRUE;
}

/* Keys. */

static void
grow_keys (Scanner *self)
{
  gsize max_keys = 2 * self->max_keys;

  if (self->keys != self->own_keys)
    self->keys = g_renew (Key, self->keys, max_keys);
  else
    {
      self->keys = g_new (Key, max_keys);
      memcpy (self->keys, self->own_keys, sizeof self->own_keys);
    }
  self->max_keys = max_keys;
}

/* Puts what a key with escapes means in place of its text. */
static void
unescape_key (Scanner *self, Key *key)
{
  g_autofree guint8 *bytes = g_malloc (key->length);

  if (self->unescaped == NULL)
    self->unescaped = g_string_chunk_new (4096);
  key->length = job_json_unescape (key->bytes, key->bytes + key->length, bytes);
  key->bytes = (guint8 *) g_string_chunk_insert_len (self->unescaped, (char *) bytes, key->length);
}

/* From its quote to behind the colon. */
static gboolean
scan_key (Scanner *self)
{
  const guint8 *quote = self->at = job_json_skip_space (self->at, self->end);
  gboolean escaped = FALSE;
  Key *key;

  if (self->at == self->end || *self->at != '"')
    return fail (self, self->at, "expected a key in double quotes");
  if (!scan_string (self, &escaped))
    return FALSE;

  if (self->n_keys == self->max_keys)
    grow_keys (self);
  key = &self->keys[self->n_keys++];
  key->offset = quote - self->start;
  key->bytes = quote + 1;
  key->length = self->at - 1 - key->bytes;
  if (escaped)
    unescape_key (self, key);
  key->prefix = 0;
  memcpy (&key->prefix, key->bytes, MIN (key->length, sizeof key->prefix));

  self->at = job_json_skip_space (self->at, self->end);
  if (self->at == self->end || *self->at != ':')
    return fail (self, self->at, "expected ':' after a key");
  self->at++;
  return TRUE;
}

static gboolean
keys_equal (const Key *a, const Key *b)
{
  return a->prefix == b->prefix && a->length == b->length &&
         memcmp (a->bytes, b->bytes, a->length) == 0;
}

/* Any order will do that puts equal keys side by side. */
static gint
compare_keys (gconstpointer a, gconstpointer b, gpointer data)
{
  const Key *x = a, *y = b;

  if (x->prefix != y->prefix)
    return x->prefix < y->prefix ? -1 : 1;
  if (x->length != y->length)
    return x->length < y->length ? -1 : 1;
  return memcmp (x->bytes, y->bytes, x->length);
}

static const Key *
find_repeated_of_few (const Key *keys, gsize n)
{
  for (gsize i = 1; i < n; i++)
    for (gsize j = 0; j < i; j++)
      if (keys_equal (&keys[i], &keys[j]))
        return &keys[i];
  return NULL;
}

/* The sort is stable: the second of two equal keys is the later one in the text. */
static const Key *
find_repeated_of_many (Key *keys, gsize n)
{
  g_qsort_with_data (keys, n, sizeof *keys, compare_keys, NULL);
  for (gsize i = 1; i < n; i++)
    if (keys_equal (&keys[i], &keys[i - 1]))
      return &keys[i];
  return NULL;
}

static const char repeated_key[] = "a key is there twice in one object";

static gboolean
check_keys (Scanner *self, Key *keys, gsize n)
{
  const Key *repeated =
      n <= FEW_KEYS ? find_repeated_of_few (keys, n) : find_repeated_of_many (keys, n);

  if (repeated == NULL)
    return TRUE;
  return fail (self, self->start + repeated->offset, repeated_key);
}

/* What is open. */

static gboolean
in_array (const Scanner *self)
{
  return self->levels[self->depth - 1] == ARRAY_LEVEL;
}

static const char too_deep[] =
    "nested deeper than the limit of " G_STRINGIFY (JOB_JSON_MAX_DEPTH) " levels";
static const char document_too_deep[] =
    "nested deeper than the limit of " G_STRINGIFY (JOB_JSON_DOCUMENT_MAX_DEPTH) " levels";

static gboolean
open_level (Scanner *self)
{
  if (self->depth == self->max_depth)
    return fail (self, self->at,
                 self->max_depth == JOB_JSON_MAX_DEPTH ? too_deep : document_too_deep);
  self->levels[self->depth++] = *self->at == '[' ? ARRAY_LEVEL : self->n_keys;
  self->at = job_json_skip_space (self->at + 1, self->end);
  return TRUE;
}

static gboolean
close_level (Scanner *self)
{
  guint32 level = self->levels[--self->depth];

  self->at++;
  if (level == ARRAY_LEVEL)
    return TRUE;
  if (!check_keys (self, self->keys + level, self->n_keys - level))
    return FALSE;
  self->n_keys = level;
  return TRUE;
}

static gboolean
is_next (const Scanner *self, guint8 c)
{
  return self->at < self->end && *self->at == c;
}

/* An array or object: all of it if it is empty, else up to where its first value is due (*due). */
static gboolean
scan_opening (Scanner *self, gboolean *due)
{
  if (!open_level (self))
    return FALSE;
  if (is_next (self, in_array (self) ? ']' : '}'))
    return close_level (self);
  *due = TRUE;
  return in_array (self) || scan_key (self);
}

static gboolean
scan_value (Scanner *self, gboolean *due)
{
  gboolean escaped = FALSE;

  *due = FALSE;
  self->at = job_json_skip_space (self->at, self->end);
  if (self->at == self->end)
    return fail (self, self->at, "expected a value");
  switch (*self->at)
    {
    case '{':
    case '[':
      return scan_opening (self, due);
    case '"':
      return scan_string (self, &escaped);
    case 't':
      return scan_word (self, "true");
    case 'f':
      return scan_word (self, "false");
    case 'n':
      return scan_word (self, "null");
    default:
      if (*self->at == '-' || g_ascii_isdigit (*self->at))
        return scan_number (self);
      if (*self->at == 0xef)
        return fail (self, self->at, "expected a value, and no byte order mark before it");
      return fail (self, self->at, "expected a value");
    }
}

/* What follows a value: closes all that ends here, up to where the next value is due (depth > 0) or
 * the end. */
static gboolean
scan_after_value (Scanner *self)
{
  while (self->depth > 0)
    {
      gboolean array = in_array (self);

      self->at = job_json_skip_space (self->at, self->end);
      if (is_next (self, ','))
        {
          self->at++;
          return array || scan_key (self);
        }
      if (!is_next (self, array ? ']' : '}'))
        return fail (self, self->at,
                     array ? "expected ',' or ']' after an element"
                           : "expected ',' or '}' after a member");
      if (!close_level (self))
        return FALSE;
    }
  return TRUE;
}

static gboolean
scan_text (Scanner *self, const guint8 **value_end)
{
  do
    {
      gboolean due;

      if (!scan_value (self, &due) || (!due && !scan_after_value (self)))
        return FALSE;
    }
  while (self->depth > 0);

  *value_end = self->at;
  self->at = job_json_skip_space (self->at, self->end);
  return self->at == self->end || fail (self, self->at, "expected nothing after the value");
}

/* Errors. */

/* A key that is there twice without its quotes, cut. */
static char *
describe_key (const Scanner *self)
{
  const guint8 *key = self->culprit + 1;
  const guint8 *end = self->culprit;
  gboolean escaped;
  gboolean cut;
  g_autofree char *text = NULL;
  g_autofree char *shown = NULL;

  job_json_scan_string (&end, self->end, &escaped);
  end--;
  cut = end - key > SHOWN_BYTES;
  text = g_strndup ((const char *) key, cut ? SHOWN_BYTES : end - key);
  shown = g_utf8_make_valid (text, -1);
  return g_strdup_printf ("\"%s%s\"", shown, cut ? "…" : "");
}

/* The byte at fault, never more of the text, which may hold secrets; or the name of a key. */
static char *
describe_found (const Scanner *self)
{
  if (self->culprit >= self->end)
    return g_strdup ("the end of the text");
  if (self->problem == repeated_key)
    return describe_key (self);
  if (g_ascii_isgraph (*self->culprit))
    return g_strdup_printf ("'%c'", *self->culprit);
  return g_strdup_printf ("the byte 0x%02x", *self->culprit);
}

static void
set_error (const Scanner *self, const char *what, GError **error)
{
  g_autofree char *found = describe_found (self);

  g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
               "The %s must be one JSON value (RFC 8259); at byte %" G_GSIZE_FORMAT
               ": %s (found %s)",
               what, (gsize) (self->culprit - self->start), self->problem, found);
}

static gboolean
check_size (gsize length, gsize max, const char *what, GError **error)
{
  if (length <= max)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
               "The %s has %" G_GSIZE_FORMAT " bytes of JSON, and at most %" G_GSIZE_FORMAT
               " (%" G_GSIZE_FORMAT " MiB) are allowed; keep large data in a file, and its name in "
               "the job",
               what, length, max, max / (1024 * 1024));
  return FALSE;
}

static gboolean
check_text (const char *text, gsize size, guint max_depth, const char *what, const char **start,
            const char **end, GError **error)
{
  const guint8 *value_end = NULL;
  gboolean passed;
  Scanner self;

  scanner_init (&self, text != NULL ? text : "", size, max_depth);
  passed = scan_text (&self, &value_end);
  if (!passed)
    set_error (&self, what, error);
  else if (start != NULL)
    *start = (const char *) job_json_skip_space (self.start, self.end);
  if (passed && end != NULL)
    *end = (const char *) value_end;
  scanner_clear (&self);
  return passed;
}

static gsize
measure (const char *text, gssize length)
{
  if (text == NULL)
    return 0;
  return length < 0 ? strlen (text) : (gsize) length;
}

gboolean
job_json_check (const char *text, gssize length, const char *what, const char **start,
                const char **end, GError **error)
{
  gsize size = measure (text, length);

  return check_size (size, JOB_JSON_MAX_BYTES, what, error) &&
         check_text (text, size, JOB_JSON_MAX_DEPTH, what, start, end, error);
}

gboolean
job_json_check_document (const char *text, gssize length, const char *what, const char **start,
                         const char **end, GError **error)
{
  gsize size = measure (text, length);

  return check_size (size, JOB_JSON_DOCUMENT_MAX_BYTES, what, error) &&
         check_text (text, size, JOB_JSON_DOCUMENT_MAX_DEPTH, what, start, end, error);
}

char *
job_json_dup_checked (const char *text, const char *what, GError **error)
{
  const char *start, *end;
  char *copy;

  if (text == NULL)
    return g_strdup ("null");
  if (!job_json_check (text, -1, what, &start, &end, error))
    return NULL;
  copy = g_malloc (end - start + 1);
  memcpy (copy, start, end - start);
  copy[end - start] = '\0';
  return copy;
}
