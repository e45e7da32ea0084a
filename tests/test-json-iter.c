/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is taken out of a JSON text, and what is put into one. */

#include "test-json-text.h"

#define MUTATIONS 20000

/* Writes what the iterators give, down to the scalars, as "key=value;" and "[element;]". */
static void
walk (const char *value, gsize length, GString *out)
{
  JobJsonIter iter;
  const char *key, *child;
  gsize key_length, child_length;

  if (job_json_iter_init (&iter, value, length))
    {
      g_string_append_c (out, '{');
      while (job_json_iter_next (&iter, &key, &key_length, &child, &child_length))
        {
          g_string_append_len (out, key, key_length);
          g_string_append_c (out, '=');
          walk (child, child_length, out);
        }
      g_string_append_c (out, '}');
    }
  else if (job_json_iter_init_array (&iter, value, length))
    {
      g_string_append_c (out, '[');
      while (job_json_iter_next_element (&iter, &child, &child_length))
        walk (child, child_length, out);
      g_string_append_c (out, ']');
    }
  else
    {
      g_string_append_len (out, value, length);
      g_string_append_c (out, ';');
    }
}

static void
assert_walk (const char *text, const char *expected)
{
  gsize length = strlen (text);
  g_autofree char *exact = g_memdup2 (text, length);
  g_autoptr (GString) out = g_string_new (NULL);

  walk (exact, length, out);
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_iterators_give_raw_slices (void)
{
  assert_walk ("{}", "{}");
  assert_walk (" { } ", "{}");
  assert_walk ("[]", "[]");
  assert_walk ("[1]", "[1;]");
  assert_walk (" [ 1 , \"a,]\\\"}\" , null ] ", "[1;\"a,]\\\"}\";null;]");
  assert_walk ("{\"a\":1}", "{a=1;}");
  assert_walk ("{ \"a\\\"\\u0041\" : -1.5e3 ,\"\":\"\", \"c\":{ \"d\" : [ ] } }",
               "{a\\\"\\u0041=-1.5e3;=\"\";c={d=[]}}");
  assert_walk ("[[[]],{\"{\":\"}\"},[\"]\"]]", "[[[]]{{=\"}\";}[\"]\";]]");
  assert_walk (document, "{id=\"a\\u00e9\\ud83d\\ude00\\n\\\\\";größe=[1;-0;2.5;1e10;-3.25E-7;[]{}]"
                         "nested={true=true;false=false;null=null;=\"\";}€=\"𝄞\";"
                         "deep=[[[{x=[{y=18446744073709551615;}]}]]]}");
}

static void
test_iterators_refuse_the_other_kind (void)
{
  static const char *const neither[] = { "", " ", "null", "1", "\"{}\"", "\"[]\"", "}", "]" };
  JobJsonIter iter;
  const char *key, *value;
  gsize key_length, value_length;

  for (gsize i = 0; i < G_N_ELEMENTS (neither); i++)
    {
      g_assert_false (job_json_iter_init (&iter, neither[i], strlen (neither[i])));
      g_assert_false (job_json_iter_next (&iter, &key, &key_length, &value, &value_length));
      g_assert_false (job_json_iter_init_array (&iter, neither[i], strlen (neither[i])));
      g_assert_false (job_json_iter_next_element (&iter, &value, &value_length));
    }
  g_assert_false (job_json_iter_init (&iter, "[\"a\"]", 5));
  g_assert_false (job_json_iter_next (&iter, &key, &key_length, &value, &value_length));
  g_assert_false (job_json_iter_init_array (&iter, "{\"a\":1}", 7));
  g_assert_false (job_json_iter_next_element (&iter, &value, &value_length));
  g_assert_true (job_json_iter_init_array (&iter, "[]", 2));
  g_assert_false (job_json_iter_next_element (&iter, &value, &value_length));
  g_assert_false (job_json_iter_next_element (&iter, &value, &value_length));
}

static void
assert_string (const char *value, const char *expected)
{
  gsize length = strlen (value);
  g_autofree char *exact = g_memdup2 (value, length);
  g_autofree char *found = job_json_dup_string (exact, length);

  g_assert_cmpstr (found, ==, expected);
}

static void
test_strings_are_unescaped (void)
{
  assert_string ("\"\"", "");
  assert_string ("\"abc\"", "abc");
  assert_string ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
  assert_string ("\"\\u0041\\u00e9\\u20AC\\ud834\\uDD1E\"", "Aé€𝄞");
  assert_string ("\"größe\"", "größe");
  assert_string ("\"\\u0000\"", NULL);
  assert_string ("\"a\\u0000b\"", NULL);
  assert_string ("", NULL);
  assert_string ("\"", NULL);
  assert_string ("null", NULL);
  assert_string ("123", NULL);
  assert_string ("[\"a\"]", NULL);
  assert_string ("\"abc", NULL);
  assert_string ("\"\\\"", NULL);
  assert_string ("\"\\u12\"", NULL);
  assert_string ("\"\\ud800\"", NULL);
}

static void
assert_appended (const char *text, const char *expected)
{
  g_autoptr (GString) out = g_string_new ("x");

  job_json_append_string (out, text);
  g_assert_cmpstr (out->str + 1, ==, expected);
  assert_accepted (out->str + 1, out->len - 1, expected);
}

static void
test_appended_strings_are_json (void)
{
  assert_appended ("", "\"\"");
  assert_appended ("abc", "\"abc\"");
  assert_appended ("a\"b\\c/", "\"a\\\"b\\\\c/\"");
  assert_appended ("\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  assert_appended ("größe 𝄞", "\"größe 𝄞\"");
  assert_appended ("a\xff\xc3", "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void
test_strings_survive_a_round_trip (void)
{
  for (gunichar c = 1; c < 0x3000; c++)
    {
      char text[16] = "ab";
      g_autoptr (GString) out = g_string_new (NULL);

      g_unichar_to_utf8 (c, text + 2);
      job_json_append_string (out, text);
      assert_string (out->str, text);
    }
}

/* What passed holds nothing but values that pass. */
static void
assert_parts_accepted (const char *value, gsize length)
{
  JobJsonIter iter;
  const char *key, *child;
  gsize key_length, child_length;
  g_autofree char *whole = check_bytes (value, length, NULL);

  g_assert_nonnull (whole);
  if (job_json_iter_init (&iter, value, length))
    while (job_json_iter_next (&iter, &key, &key_length, &child, &child_length))
      {
        g_assert_true (key[-1] == '"' && key[key_length] == '"');
        assert_parts_accepted (key - 1, key_length + 2);
        assert_parts_accepted (child, child_length);
      }
  else if (job_json_iter_init_array (&iter, value, length))
    while (job_json_iter_next_element (&iter, &child, &child_length))
      assert_parts_accepted (child, child_length);
}

static void
mutate (GRand *rand, GString *text)
{
  static const char alphabet[] = "{}[]\",:\\u0019eE+-. \n\tnullatrfs\x01\x80\xc3\xe2\xf0\xff";
  gsize at = g_rand_int_range (rand, 0, text->len);
  gsize n = g_rand_int_range (rand, 1, 9);
  char c = alphabet[g_rand_int_range (rand, 0, sizeof alphabet)];

  switch (g_rand_int_range (rand, 0, 4))
    {
    case 0:
      text->str[at] = c;
      break;
    case 1:
      g_string_insert_c (text, at, c);
      break;
    case 2:
      g_string_erase (text, at, MIN (text->len - at, n));
      break;
    default:
      text->str[at] ^= 1 << g_rand_int_range (rand, 0, 8);
      break;
    }
}

static void
test_mutations_do_no_harm (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20240601);
  guint accepted = 0;

  for (guint i = 0; i < MUTATIONS; i++)
    {
      g_autoptr (GString) text = g_string_new (document);
      g_autoptr (GString) out = g_string_new (NULL);
      g_autofree char *value = NULL;
      g_autofree char *exact = NULL;

      for (int n = g_rand_int_range (rand, 1, 4); n > 0; n--)
        mutate (rand, text);
      exact = g_memdup2 (text->str, text->len);
      walk (exact, text->len, out);
      g_free (job_json_dup_string (exact, text->len));
      value = check_bytes (text->str, text->len, NULL);
      if (value == NULL)
        continue;
      accepted++;
      assert_accepted (value, strlen (value), value);
      assert_parts_accepted (value, strlen (value));
    }
  g_assert_cmpuint (accepted, >, MUTATIONS / 100);
  g_assert_cmpuint (accepted, <, MUTATIONS);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/iter/gives-raw-slices", test_iterators_give_raw_slices);
  g_test_add_func ("/json/iter/refuses-the-other-kind", test_iterators_refuse_the_other_kind);
  g_test_add_func ("/json/string/is-unescaped", test_strings_are_unescaped);
  g_test_add_func ("/json/string/appended-is-json", test_appended_strings_are_json);
  g_test_add_func ("/json/string/survives-a-round-trip", test_strings_survive_a_round_trip);
  g_test_add_func ("/json/mutations-do-no-harm", test_mutations_do_no_harm);
  return g_test_run ();
}
