/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The strict JSON scanner: what passes, what does not, and what is said of it. */

#include "test-json-text.h"
#include "test-effort.h"

static void
assert_refused (const char *text, gsize length, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *found = check_bytes (text, length, &error);

  if (found != NULL)
    g_error ("accepted: %.*s", (int) MIN (length, 100), text);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_nonnull (strstr (error->message, "args"));
  if (strstr (error->message, message) == NULL)
    g_error ("“%s” is not in “%s”", message, error->message);
}

static char *
repeat (const char *text, guint n)
{
  GString *out = g_string_new (NULL);

  while (n-- > 0)
    g_string_append (out, text);
  return g_string_free (out, FALSE);
}

static void
test_accepts (void)
{
  static const char *const texts[] = {
    "null",
    "true",
    "false",
    "\"\"",
    "[]",
    "{}",
    "0",
    "-0",
    "0.0",
    "-0.0e0",
    "0e1",
    "10",
    "1E5",
    "1e+5",
    "1e-5",
    "123.456e-7",
    "1e308",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "-1.7976931348623157e308",
    "1e-999",
    "0e999999999999999999999",
    "0.00000000000000000000000000000000000000001e340",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890.123456789012345678901234567890",
    "[1,2,[3,{\"a\":[]}]]",
    "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}",
    "[{\"a\":1},{\"a\":1}]",
    "{\"a\":1,\"A\":2,\"\":3,\"aa\":4}",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uABCD\\uabcd\"",
    "\"\\u0000\"",
    "\"a\\u0000b\"",
    "{\"a\\u0000b\":1,\"a\\u0000c\":2,\"a\":3}",
    "\"\\ud83d\\ude00\"",
    "\"\\uD800\\uDC00\\uDBFF\\uDFFF\"",
    "\"\\uffff\\ufffe\\ue000\\ud7ff\"",
    "\"\x7f\"",
    "\"\xc2\x80\xdf\xbf\"",
    "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"",
    "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
    "\"'/*//#[{]},:\"",
    document,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    assert_accepted (texts[i], strlen (texts[i]), texts[i]);
}

typedef struct
{
  const char *text;
  const char *message;
} Refusal;

static void
assert_all_refused (const Refusal *refusals, gsize n)
{
  for (gsize i = 0; i < n; i++)
    assert_refused (refusals[i].text, strlen (refusals[i].text), refusals[i].message);
}

static void
test_refuses_what_is_not_json (void)
{
  static const Refusal refusals[] = {
    { "", "at byte 0: expected a value (found the end of the text)" },
    { " \n\t\r ", "at byte 5: expected a value" },
    { "\xef\xbb\xbf{}", "no byte order mark" },
    { "nul", "at byte 0: expected a value" },
    { "nULL", "at byte 0: expected a value" },
    { "True", "expected a value" },
    { "NaN", "expected a value (found 'N')" },
    { "Infinity", "expected a value" },
    { "-Infinity", "at byte 1: expected a digit" },
    { "undefined", "expected a value" },
    { "'a'", "expected a value" },
    { "{'a':1}", "at byte 1: expected a key in double quotes" },
    { "{a:1}", "at byte 1: expected a key in double quotes" },
    { "{1:1}", "at byte 1: expected a key in double quotes" },
    { "{\"a\"}", "at byte 4: expected ':'" },
    { "{\"a\":}", "at byte 5: expected a value" },
    { "{\"a\" 1}", "at byte 5: expected ':'" },
    { "{\"a\":1,}", "at byte 7: expected a key" },
    { "{,}", "at byte 1: expected a key" },
    { "{\"a\":1 \"b\":2}", "at byte 7: expected ',' or '}'" },
    { "{\"a\":1]", "at byte 6: expected ',' or '}'" },
    { "[1,]", "at byte 3: expected a value" },
    { "[,1]", "at byte 1: expected a value" },
    { "[1 2]", "at byte 3: expected ',' or ']'" },
    { "[1}", "at byte 2: expected ',' or ']'" },
    { "[", "at byte 1: expected a value (found the end" },
    { "{", "at byte 1: expected a key in double quotes (found the end" },
    { "]", "at byte 0: expected a value" },
    { ":", "expected a value" },
    { "1 2", "at byte 2: expected nothing after the value" },
    { "{}x", "at byte 2: expected nothing after the value" },
    { "{}}", "at byte 2: expected nothing after the value" },
    { "null,", "at byte 4: expected nothing after the value" },
    { "/* a */ 1", "at byte 0: expected a value" },
    { "1 // a", "at byte 2: expected nothing" },
    { "[1, # a\n2]", "at byte 4: expected a value" },
    { "\xc2\xa0"
      "1",
      "expected a value (found the byte 0xc2)" },
    { "1\x0b", "at byte 1: expected nothing" },
    { "\f1", "at byte 0: expected a value" },
  };

  assert_all_refused (refusals, G_N_ELEMENTS (refusals));
  assert_refused ("1\0", 2, "at byte 1: expected nothing after the value (found the byte 0x00)");
  assert_refused ("{\"a\":\0}", 7, "at byte 5: expected a value");
}

static void
test_refuses_bad_numbers (void)
{
  static const Refusal refusals[] = {
    { "01", "at byte 0: a number must not begin with a superfluous 0" },
    { "-01", "at byte 1: a number must not begin" },
    { "00", "must not begin" },
    { "[1,02]", "at byte 3: a number must not begin" },
    { "-", "at byte 1: expected a digit" },
    { "+1", "expected a value" },
    { ".5", "expected a value" },
    { "5.", "at byte 2: expected a digit after the point" },
    { "5.e1", "at byte 2: expected a digit after the point" },
    { "1e", "at byte 2: expected a digit in the exponent" },
    { "1e+", "at byte 3: expected a digit in the exponent" },
    { "1e1.5", "at byte 3: expected nothing" },
    { "0x10", "at byte 1: expected nothing" },
    { "1_000", "at byte 1: expected nothing" },
    { "1,5", "at byte 1: expected nothing" },
    { "--1", "at byte 1: expected a digit" },
    { "1e999", "at byte 0: a number greater than a double holds" },
    { "-1e999", "a number greater than a double holds" },
    { "[1,1e309]", "at byte 3: a number greater than a double holds" },
    { "1.7976931348623159e308", "a number greater than a double holds" },
    { "1e99999999999999999999999", "a number greater than a double holds" },
    { "0.0000000001e319", "a number greater than a double holds" },
  };
  g_autofree char *nines = repeat ("9", 309);
  g_autofree char *zeros = repeat ("0", 308);
  g_autofree char *fits = g_strconcat ("1", zeros, NULL);

  assert_all_refused (refusals, G_N_ELEMENTS (refusals));
  assert_refused (nines, 309, "a number greater than a double holds");
  assert_accepted (nines, 308, nines + 1);
  assert_accepted (fits, 309, fits);
}

static void
test_refuses_bad_strings (void)
{
  static const Refusal refusals[] = {
    { "\"", "at byte 0: a string is never closed" },
    { "[\"abc", "at byte 1: a string is never closed" },
    { "\"abc\\\"", "at byte 0: a string is never closed" },
    { "\"\\", "at byte 1: expected one of" },
    { "\"\\x\"", "at byte 1: expected one of" },
    { "\"\\'\"", "expected one of" },
    { "\"\\a\"", "expected one of" },
    { "\"\\U0041\"", "expected one of" },
    { "\"\\u\"", "four hexadecimal digits" },
    { "\"\\u12\"", "four hexadecimal digits" },
    { "\"\\u123", "four hexadecimal digits" },
    { "\"\\u123g\"", "four hexadecimal digits" },
    { "\"\\u+123\"", "four hexadecimal digits" },
    { "\"\\ud800\"", "at byte 1: half of a surrogate pair" },
    { "\"\\udc00\"", "half of a surrogate pair" },
    { "\"\\udc00\\ud800\"", "half of a surrogate pair" },
    { "\"\\ud800\\ud800\"", "half of a surrogate pair" },
    { "\"\\ud800\\u0041\"", "half of a surrogate pair" },
    { "\"\\ud800\\n\"", "half of a surrogate pair" },
    { "\"\\ud800x\"", "half of a surrogate pair" },
    { "\"\\ud800\\u12", "half of a surrogate pair" },
    { "\"a\nb\"",
      "at byte 2: a control character in a string must be escaped (found the byte 0x0a" },
    { "\"\t\"", "a control character" },
    { "\"\x1f\"", "a control character" },
    { "\"abcdefghijklmno\x01pqrstuvwxyz\"", "at byte 16: a control character" },
    { "{\"a\tb\":1}", "at byte 3: a control character" },
    { "{\"\\ud800\":1}", "half of a surrogate pair" },
  };

  assert_all_refused (refusals, G_N_ELEMENTS (refusals));
  assert_refused ("\"a\0b\"", 5, "at byte 2: a control character");
}

static void
test_refuses_bad_utf8 (void)
{
  static const char *const sequences[] = {
    "\x80",             /* a continuation alone */
    "\xbf",             /* … */
    "\xc0\x80",         /* overlong NUL */
    "\xc1\xbf",         /* overlong ASCII */
    "\xc2",             /* cut */
    "\xc2\x41",         /* not a continuation */
    "\xc2\xc2",         /* … */
    "\xe0\x9f\xbf",     /* overlong */
    "\xe0\xa0",         /* cut */
    "\xe1\x80\x41",     /* not a continuation */
    "\xed\xa0\x80",     /* the surrogate U+D800 */
    "\xed\xbf\xbf",     /* the surrogate U+DFFF */
    "\xf0\x8f\xbf\xbf", /* overlong */
    "\xf0\x90\x80",     /* cut */
    "\xf0\x90\x41\x80", /* not a continuation */
    "\xf4\x90\x80\x80", /* over U+10FFFF */
    "\xf5\x80\x80\x80", /* never in UTF-8 */
    "\xfe",             /* … */
    "\xff",             /* … */
    "\xe4",             /* Latin-1 */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (sequences); i++)
    {
      g_autofree char *closed = g_strdup_printf ("[\"ab%scdefghijk\"]", sequences[i]);
      g_autofree char *key = g_strdup_printf ("{\"%s\":1}", sequences[i]);
      g_autofree char *cut = g_strdup_printf ("\"%s", sequences[i]);

      assert_refused (closed, strlen (closed), "at byte 4: malformed UTF-8");
      assert_refused (key, strlen (key), "at byte 2: malformed UTF-8");
      assert_refused (cut, strlen (cut), "at byte 1: malformed UTF-8");
    }
}

/* Each byte that a string stops at, at each place of a word of eight. */
static void
test_sees_every_byte_of_a_string (void)
{
  for (guint position = 1; position < 40; position++)
    for (guint byte = 0; byte < 256; byte++)
      {
        g_autofree char *text = repeat ("a", 42);
        g_autofree char *found = NULL;

        text[0] = text[41] = '"';
        text[position] = byte;
        found = check_bytes (text, 42, NULL);
        if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\')
          g_assert_cmpstr (found, ==, text);
        else
          g_assert_null (found);
      }
}

static void
test_depth_is_limited (void)
{
  g_autofree char *opening = repeat ("[", 513);
  g_autofree char *closing = repeat ("]", 513);
  g_autofree char *many = repeat ("[", 100000);
  g_autofree char *many_objects = repeat ("{\"a\":", 100000);
  g_autofree char *fits = g_strconcat (opening + 1, closing + 1, NULL);
  g_autofree char *too_deep = g_strconcat (opening, closing, NULL);
  g_autofree char *objects = repeat ("{\"a\":", 512);
  g_autofree char *braces = repeat ("}", 512);
  g_autofree char *objects_fit = g_strconcat (objects, "1", braces, NULL);
  g_autofree char *innermost = g_strconcat (objects, "[]", braces, NULL);

  assert_accepted (fits, strlen (fits), fits);
  assert_accepted (objects_fit, strlen (objects_fit), objects_fit);
  assert_refused (too_deep, strlen (too_deep),
                  "at byte 512: nested deeper than the limit of 512 levels");
  assert_refused (innermost, strlen (innermost), "nested deeper than the limit of 512 levels");
  assert_refused (many, strlen (many), "nested deeper than the limit of 512 levels");
  assert_refused (many_objects, strlen (many_objects),
                  "nested deeper than the limit of 512 levels");
}

static void
test_size_is_limited (void)
{
  gsize size = JOB_JSON_MAX_BYTES + 1;
  g_autofree char *text = g_malloc (size);
  g_autoptr (GError) error = NULL;
  const char *start, *end;

  memset (text, ' ', size);
  text[1] = '1';
  g_assert_true (job_json_check (text, size - 1, "result", &start, &end, &error));
  g_assert_no_error (error);
  g_assert_true (start == text + 1 && end == text + 2);
  g_assert_false (job_json_check (text, size, "result", NULL, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "result"));
  g_assert_nonnull (strstr (error->message, "64 MiB"));
}

/* Else a store could not read back what it wrote around args as deep and long as allowed. */
static void
test_document_of_a_store_may_be_larger (void)
{
  g_autofree char *opening = repeat ("[", 521);
  g_autofree char *closing = repeat ("]", 521);
  g_autofree char *fits = g_strconcat (opening + 1, closing + 1, NULL);
  g_autofree char *too_deep = g_strconcat (opening, closing, NULL);
  g_autofree char *large = g_strnfill (JOB_JSON_MAX_BYTES + 1, ' ');
  g_autoptr (GError) error = NULL;

  large[0] = '1';
  g_assert_true (job_json_check_document (fits, -1, "file", NULL, NULL, &error));
  g_assert_true (job_json_check_document (large, -1, "file", NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (job_json_check_document (too_deep, -1, "file", NULL, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "the limit of 520 levels"));
}

static void
test_refuses_repeated_keys (void)
{
  static const Refusal refusals[] = {
    { "{\"a\":1,\"a\":1}", "at byte 7: a key is there twice in one object (found \"a\")" },
    { "{\"\":1,\"\":1}", "twice" },
    { "{\"a\":1,\"b\":2,\"a\":3}", "at byte 13: " },
    { "{\"a\":1,\"\\u0061\":2}", "at byte 7: a key is there twice" },
    { "{\"\\u0061\":1,\"a\":2}", "at byte 12: a key is there twice" },
    { "{\"\\u00e9\":1,\"\xc3\xa9\":2}", "twice" },
    { "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", "twice" },
    { "{\"\\/\":1,\"/\":2}", "twice" },
    { "{\"a\\u0000b\":1,\"a\\u0000b\":2}", "twice" },
    { "{\"a long key, longer than eight\":1,\"a long key, longer than eight\":2}", "twice" },
    { "[{\"x\":{\"a\":1,\"b\":{\"a\":1},\"a\":2}}]", "at byte 25: a key is there twice" },
    { "{\"a\":{\"b\":1,\"c\":2},\"b\":1,\"a\":1}", "at byte 25: a key is there twice" },
    { "{\"a\":[{\"a\":1},{\"a\":2}],\"a\":1}", "at byte 23: a key is there twice" },
    { "{\"a\":{\"a\":1,\"a\":2}}", "at byte 12: a key is there twice" },
  };
  g_autofree char *name = repeat ("€", 50);
  g_autofree char *text = g_strdup_printf ("{\"%s\":1,\"%s\":1}", name, name);

  assert_all_refused (refusals, G_N_ELEMENTS (refusals));
  assert_refused (text, strlen (text), "€€€");
}

/* An object of @n + 1 keys, the first of which is "first", and @more after them. */
static char *
make_object (const char *prefix, guint n, const char *more)
{
  GString *out = g_string_new ("{\"first\":0");

  for (guint i = 0; i < n; i++)
    g_string_append_printf (out, ",\"%s%u\":1", prefix, (guint) ((guint64) i * 7919 % n));
  g_string_append_printf (out, "%s}", more);
  return g_string_free (out, FALSE);
}

/* 100,000 keys would take minutes if each were compared with each. */
static void
test_finds_repeated_keys_among_many (void)
{
  const guint sizes[] = { 1, 14, 15, 16, 17, 63, 64, 65, 1000, test_effort (100000, 5000) };
  static const char *const prefixes[] = { "", "a common beginning of all keys ", "\\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (prefixes); j++)
      {
        g_autofree char *fine = make_object (prefixes[j], sizes[i], "");
        g_autofree char *twice = make_object (prefixes[j], sizes[i], ",\"first\":1");
        g_autofree char *escaped = make_object (prefixes[j], sizes[i], ",\"\\u0066irst\":1");
        g_autofree char *inside = make_object (prefixes[j], sizes[i], ",\"x\":{\"first\":1}");
        g_autofree char *where =
            g_strdup_printf ("at byte %" G_GSIZE_FORMAT ": a key is there twice",
                             strlen (fine)); /* a comma there, for the brace here */

        assert_accepted (fine, strlen (fine), fine);
        assert_accepted (inside, strlen (inside), inside);
        assert_refused (twice, strlen (twice), where);
        assert_refused (escaped, strlen (escaped), where);
      }
}

static void
test_refuses_every_beginning (void)
{
  for (gsize length = 0; length < strlen (document); length++)
    assert_refused (document, length, "at byte");
}

static void
test_cuts_white_space_around_only (void)
{
  static const char text[] = "\r\n\t { \"a\" :\t[ 1 ,\n2 ] } \t\r\n";
  static const char value[] = "{ \"a\" :\t[ 1 ,\n2 ] }";
  g_autoptr (GError) error = NULL;
  g_autofree char *copy = job_json_dup_checked (text, "args", &error);
  g_autofree char *nothing = job_json_dup_checked (NULL, "args", &error);
  g_autofree char *bad = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (copy, ==, value);
  g_assert_cmpstr (nothing, ==, "null");
  assert_accepted (text, strlen (text), value);
  assert_accepted (" 1 ", 3, "1");
  g_assert_true (job_json_check (text, -1, "args", NULL, NULL, NULL));

  bad = job_json_dup_checked ("{} {}", "result", &error);
  g_assert_null (bad);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "result"));
}

static void
test_null_text_is_refused (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (job_json_check (NULL, -1, "args", NULL, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/accepts-rfc-8259", test_accepts);
  g_test_add_func ("/json/refuses-what-is-not-json", test_refuses_what_is_not_json);
  g_test_add_func ("/json/refuses-bad-numbers", test_refuses_bad_numbers);
  g_test_add_func ("/json/refuses-bad-strings", test_refuses_bad_strings);
  g_test_add_func ("/json/refuses-bad-utf8", test_refuses_bad_utf8);
  g_test_add_func ("/json/sees-every-byte-of-a-string", test_sees_every_byte_of_a_string);
  g_test_add_func ("/json/depth-is-limited", test_depth_is_limited);
  g_test_add_func ("/json/size-is-limited", test_size_is_limited);
  g_test_add_func ("/json/document-of-a-store-may-be-larger",
                   test_document_of_a_store_may_be_larger);
  g_test_add_func ("/json/refuses-repeated-keys", test_refuses_repeated_keys);
  g_test_add_func ("/json/finds-repeated-keys-among-many", test_finds_repeated_keys_among_many);
  g_test_add_func ("/json/refuses-every-beginning", test_refuses_every_beginning);
  g_test_add_func ("/json/cuts-white-space-around-only", test_cuts_white_space_around_only);
  g_test_add_func ("/json/null-text-is-refused", test_null_text_is_refused);
  return g_test_run ();
}
