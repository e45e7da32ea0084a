/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Args and results are JSON text, checked once and kept byte for byte. */

#include "conformance-private.h"

static const char *const good[] = {
  "null",
  "true",
  "false",
  "0",
  "-0",
  "-12.50e+3",
  "18446744073709551615",
  "-9223372036854775809",
  "0.1000000000000000055511151231257827021181583404541015625",
  "1e308",
  "\"\"",
  "\"text\"",
  "\"cut\\u0000here\"",
  "\"\\ud83d\\ude00 \\/ \\\" \\\\ \\b\\f\\n\\r\\t\"",
  "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"",
  "[]",
  "{}",
  "[ 1,\t[2, {\"deep\" : [ null ]}] ,\n\"x\" ]",
  "{\"b\": 1, \"a\": {\"b\": 2}, \"\": 3, \"A\": 4}",
};

static const char *const bad[] = {
  "",
  "  ",
  "nul",
  "True",
  "NaN",
  "Infinity",
  "-",
  "+1",
  "01",
  "-01",
  ".5",
  "1.",
  "1e",
  "0x10",
  "1e999",
  "-1e999",
  "[1e999]",
  "'single'",
  "{'a':1}",
  "{a:1}",
  "\"open",
  "\"tab\there\"",
  "\"bad \\x escape\"",
  "\"short \\u12\"",
  "\"lone \\ud800\"",
  "\"lone \\udc00\"",
  "\"\\ud800\\ud800\"",
  "\"overlong \xc0\x80\"",
  "\"surrogate \xed\xa0\x80\"",
  "\"beyond \xf4\x90\x80\x80\"",
  "\"cut \xe2\x82\"",
  "\xef\xbb\xbf{}",
  "[1,]",
  "[,1]",
  "[1 2]",
  "{\"a\":1,}",
  "{\"a\" 1}",
  "{\"a\":1",
  "{\"a\":1,\"a\":2}",
  "{\"a\":1,\"\\u0061\":2}",
  "{\"x\":{\"a\":1,\"b\":[],\"a\":1}}",
  "{1:2}",
  "[}",
  "1 2",
  "{}{}",
  "{} x",
  "/* why */ 1",
  "1 // why",
};

static char *
nested (guint depth)
{
  GString *text = g_string_sized_new (2 * depth);

  for (guint i = 0; i < depth; i++)
    g_string_append_c (text, '[');
  for (guint i = 0; i < depth; i++)
    g_string_append_c (text, ']');

  return g_string_free (text, FALSE);
}

static char *
add_with_args (Fixture *f, const char *args)
{
  g_autoptr (JobSpec) spec = job_spec_new ("args", args);

  return must_enqueue (f, spec);
}

static void
assert_kept (Fixture *f, const char *args)
{
  g_autofree char *id = add_with_args (f, args);
  g_autoptr (JobInfo) before = must_get_info (f, id);
  g_autoptr (JobLease) lease = must_dequeue_job (f, "args", id);
  g_autoptr (JobInfo) during = must_get_info (f, id);
  g_autoptr (JobInfo) after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (call_lease_complete (f, lease, args, &error));
  g_assert_no_error (error);
  after = must_get_info (f, id);

  g_assert_cmpstr (job_info_get_args (before), ==, args);
  g_assert_cmpstr (job_lease_get_args (lease), ==, args);
  g_assert_cmpstr (job_info_get_args (during), ==, args);
  g_assert_cmpstr (job_info_get_args (after), ==, args);
  g_assert_cmpstr (job_info_get_result (after), ==, args);
}

static void
test_kept_byte_for_byte (Fixture *f)
{
  g_autofree char *deepest = nested (512);

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    assert_kept (f, good[i]);
  assert_kept (f, deepest);
}

static void
test_large_ones_kept (Fixture *f)
{
  g_autoptr (GString) text = g_string_new ("[");

  for (guint i = 0; i < 200 * 1000; i++)
    g_string_append_printf (text, "%u,", i);
  g_string_append (text, "0]");
  assert_kept (f, text->str);
}

static void
test_null_without_any (Fixture *f)
{
  g_autofree char *id = add_with_args (f, NULL);
  g_autoptr (JobLease) lease = must_dequeue_job (f, "args", id);
  g_autoptr (JobInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (job_lease_get_args (lease), ==, "null");
  g_assert_true (call_lease_complete (f, lease, NULL, &error));
  g_assert_no_error (error);
  info = must_get_info (f, id);
  g_assert_cmpstr (job_info_get_result (info), ==, "null");
}

static void
test_white_space_around_goes (Fixture *f)
{
  g_autofree char *id = add_with_args (f, " \t\r\n{ \"a\" : [ ] }\n ");
  g_autoptr (JobInfo) info = must_get_info (f, id);

  g_assert_cmpstr (job_info_get_args (info), ==, "{ \"a\" : [ ] }");
}

static void
assert_args_refused (Fixture *f, const char *args)
{
  g_autoptr (JobSpec) spec = job_spec_new ("args", args);
  g_autoptr (GError) error = NULL;

  if (call_enqueue (f, spec, &error) != NULL)
    g_error ("taken as JSON: %s", args);
  assert_job_error (error, JOB_ERROR_INVALID);
}

static void
test_not_json_is_invalid (Fixture *f)
{
  g_autofree char *too_deep = nested (513);
  g_autofree char *far_too_deep = nested (75 * 1000);
  g_auto (GStrv) pending = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_args_refused (f, bad[i]);
  assert_args_refused (f, too_deep);
  assert_args_refused (f, far_too_deep);

  pending = ids_in_state (f, JOB_STATE_PENDING);
  assert_ids (pending, NULL);
}

static void
test_result_not_json_is_invalid (Fixture *f)
{
  g_autofree char *id = must_add (f, "args");
  g_autoptr (JobLease) lease = must_dequeue_job (f, "args", id);
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_false (call_lease_complete (f, lease, bad[i], &error));
      assert_job_error (error, JOB_ERROR_INVALID);
      g_assert_false (call_lease_fail (f, lease, bad[i], &error));
      assert_job_error (error, JOB_ERROR_INVALID);
    }

  assert_state (f, id, JOB_STATE_RUNNING);
  must_complete (f, lease);
}

const ConformanceTest job_conformance_args_tests[] = {
  { "kept-byte-for-byte", test_kept_byte_for_byte },
  { "large-ones-kept", test_large_ones_kept },
  { "null-without-any", test_null_without_any },
  { "white-space-around-goes", test_white_space_around_goes },
  { "not-json-is-invalid", test_not_json_is_invalid },
  { "result-not-json-is-invalid", test_result_not_json_is_invalid },
  { NULL },
};
