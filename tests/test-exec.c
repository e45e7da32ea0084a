/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the exec handler makes of args, and what it says of a command: run with leases of a queue
 * that is none. */

#include "exec-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Results. */

static void
test_success (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("printf out; printf err >&2", "", &outcome);
  g_assert_no_error (outcome.error);
  g_assert_true (outcome.succeeded);
  g_assert_cmpint (exec_outcome_get_int (&outcome, "exit_status"), ==, 0);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, "out");
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stderr"), ==, "err");
  g_assert_cmpint (exec_outcome_get_int (&outcome, "seconds"), >=, 0);
  g_assert_null (exec_outcome_get_string (&outcome, "message"));
  g_assert_false (exec_outcome_get_flag (&outcome, "stdout_truncated"));
}

static void
test_failure (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("echo no >&2; exit 3", "", &outcome);
  g_assert_no_error (outcome.error);
  g_assert_false (outcome.succeeded);
  g_assert_cmpint (exec_outcome_get_int (&outcome, "exit_status"), ==, 3);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stderr"), ==, "no\n");
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "message"), ==, "“sh” exited with status 3");
}

static void
test_signal (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("kill -USR1 $$", "", &outcome);
  g_assert_no_error (outcome.error);
  g_assert_false (outcome.succeeded);
  g_assert_cmpint (exec_outcome_get_int (&outcome, "signal"), ==, SIGUSR1);
  g_assert_cmpint (exec_outcome_get_int (&outcome, "exit_status"), ==, -1);
  g_assert_true (g_str_has_prefix (exec_outcome_get_string (&outcome, "message"),
                                   "“sh” was killed by signal"));
}

/* Output. */

static void
test_tail (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("printf 0123456789; printf abc >&2", ",\"max_output\":4", &outcome);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, "6789");
  g_assert_true (exec_outcome_get_flag (&outcome, "stdout_truncated"));
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stderr"), ==, "abc");
  g_assert_false (exec_outcome_get_flag (&outcome, "stderr_truncated"));
}

static void
test_no_output_kept (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("printf 0123456789", ",\"max_output\":0", &outcome);
  g_assert_true (outcome.succeeded);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, "");
  g_assert_true (exec_outcome_get_flag (&outcome, "stdout_truncated"));
}

/* Each of these characters has three bytes: seven bytes are two and a third of them. */
static void
test_cut_between_characters (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("printf '€€€€'", ",\"max_output\":7", &outcome);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, "€€");
  g_assert_true (exec_outcome_get_flag (&outcome, "stdout_truncated"));
}

static void
test_invalid_utf8 (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("printf 'a\\377b\\000c\\n'", "", &outcome);
  g_assert_true (outcome.succeeded);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==,
                   "a\357\277\275b\357\277\275c\n");
}

static void
test_much_output (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("head -c 8000000 /dev/zero | tr '\\0' x; head -c 8000000 /dev/zero >&2; echo end",
                  "", &outcome);
  g_assert_true (outcome.succeeded);
  g_assert_cmpuint (strlen (exec_outcome_get_string (&outcome, "stdout")), ==, 16384);
  g_assert_true (g_str_has_suffix (exec_outcome_get_string (&outcome, "stdout"), "xxxend\n"));
  g_assert_true (exec_outcome_get_flag (&outcome, "stderr_truncated"));
}

/* It has left the group, and holds stdout open. */
static void
test_escaped_process_does_not_hang (void)
{
  g_auto (ExecOutcome) outcome = { 0 };
  g_autofree char *folder = g_dir_make_tmp ("test-exec-XXXXXX", NULL);
  g_autofree char *more = g_strdup_printf (",\"cwd\":\"%s\"", folder);
  g_autofree char *fifo = g_build_filename (folder, "fifo", NULL);

  exec_run_shell ("mkfifo fifo; setsid sh -c 'echo $$ > fifo; exec sleep 1000' & cat fifo", more,
                  &outcome);
  g_assert_true (outcome.succeeded);
  g_assert_no_errno (kill (atoi (exec_outcome_get_string (&outcome, "stdout")), SIGKILL));
  g_unlink (fifo);
  g_rmdir (folder);
}

/* Input. */

static void
test_stdin (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("cat", ",\"stdin\":\"tschüß\\n\"", &outcome);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, "tschüß\n");
}

static void
test_no_stdin (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run_shell ("cat; echo end", "", &outcome);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, "end\n");
}

static void
test_stdin_not_read (void)
{
  g_auto (ExecOutcome) outcome = { 0 };
  g_autofree char *text = g_strnfill (1000000, 'x');
  g_autofree char *more = g_strdup_printf (",\"stdin\":\"%s\"", text);

  exec_run_shell ("exec <&-; true", more, &outcome);
  g_assert_true (outcome.succeeded);
}

static void
test_stdin_from_dependencies (void)
{
  g_autoptr (JobHandler) handler = exec_load_handler ();
  g_autoptr (ScriptedQueue) queue = scripted_queue_new ();
  g_autofree char *one = scripted_queue_dup_id (1);
  g_autofree char *two = scripted_queue_dup_id (2);
  char *ids[] = { two, one, NULL };
  g_auto (ExecOutcome) outcome = { 0 };
  g_autoptr (JobLease) lease = NULL;
  g_autofree char *expected = NULL;

  scripted_queue_add_over (queue, 1, JOB_STATE_SUCCEEDED, "{\"a\": 1.50}", "[1e2]");
  scripted_queue_add_over (queue, 2, JOB_STATE_FAILED, "null", "{\"message\":\"no\"}");
  lease = job_lease_new (queue, one, one, "exec", "",
                         "{\"argv\":[\"cat\"],\"stdin_from\":\"dependencies\"}", 1, ids, NULL);
  job_handler_run_async (handler, lease, NULL, exec_on_done, &outcome);
  while (!outcome.done)
    g_main_context_iteration (NULL, TRUE);

  expected = g_strdup_printf (
      "[{\"id\":\"%s\",\"type\":\"sum\",\"state\":\"failed\",\"args\":null,\"result\":null,"
      "\"error\":{\"message\":\"no\"}},\n"
      "{\"id\":\"%s\",\"type\":\"sum\",\"state\":\"succeeded\",\"args\":{\"a\": 1.50},"
      "\"result\":[1e2],\"error\":null}]\n",
      two, one);
  g_assert_no_error (outcome.error);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, expected);
}

/* Surroundings. */

static void
test_environment (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  g_setenv ("TEST_EXEC_KEPT", "kept", TRUE);
  g_setenv ("TEST_EXEC_GONE", "gone", TRUE);
  exec_run_shell ("echo $TEST_EXEC_KEPT ${TEST_EXEC_GONE-unset} $NEW",
                  ",\"env\":{\"NEW\":\"new=1\",\"TEST_EXEC_GONE\":null}", &outcome);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, "kept unset new=1\n");
}

static void
test_clear_environment (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run ("{\"argv\":[\"env\"],\"clear_env\":true,\"env\":{\"A\":\"b\"}}", &outcome);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, "A=b\n");
}

static void
test_path_of_the_job (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run ("{\"argv\":[\"true\"],\"env\":{\"PATH\":\"/nowhere\"}}", &outcome);
  g_assert_error (outcome.error, JOB_ERROR, JOB_ERROR_FAILED);
  g_assert_nonnull (strstr (outcome.error->message, "“true”"));
  g_assert_nonnull (strstr (outcome.error->message, "/nowhere"));
}

static void
test_cwd (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run ("{\"argv\":[\"pwd\"],\"cwd\":\"/usr\"}", &outcome);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==, "/usr\n");
}

static void
test_missing_cwd (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run ("{\"argv\":[\"pwd\"],\"cwd\":\"/usr/nowhere\"}", &outcome);
  g_assert_error (outcome.error, JOB_ERROR, JOB_ERROR_FAILED);
  g_assert_nonnull (strstr (outcome.error->message, "/usr/nowhere"));
}

static void
test_missing_program (void)
{
  g_auto (ExecOutcome) by_name = { 0 };
  g_auto (ExecOutcome) by_path = { 0 };
  g_auto (ExecOutcome) folder = { 0 };

  exec_run ("{\"argv\":[\"no-such-program\"]}", &by_name);
  g_assert_error (by_name.error, JOB_ERROR, JOB_ERROR_FAILED);
  g_assert_nonnull (strstr (by_name.error->message, "no-such-program"));
  exec_run ("{\"argv\":[\"/usr/bin/no-such-program\"]}", &by_path);
  g_assert_error (by_path.error, JOB_ERROR, JOB_ERROR_FAILED);
  g_assert_nonnull (strstr (by_path.error->message, "/usr/bin/no-such-program"));
  exec_run ("{\"argv\":[\"/usr\"]}", &folder);
  g_assert_error (folder.error, JOB_ERROR, JOB_ERROR_FAILED);
}

/* The shell itself opens what "ls" needs to list a folder: one more than the first three. */
static void
test_descriptors_and_signals (void)
{
  g_auto (ExecOutcome) outcome = { 0 };
  int leak = dup (STDIN_FILENO);

  signal (SIGPIPE, SIG_IGN);
  exec_run_shell ("ls /proc/self/fd | wc -l; grep SigIgn /proc/self/status; grep SigBlk "
                  "/proc/self/status",
                  "", &outcome);
  signal (SIGPIPE, SIG_DFL);
  close (leak);
  g_assert_cmpstr (exec_outcome_get_string (&outcome, "stdout"), ==,
                   "4\nSigIgn:\t0000000000000000\nSigBlk:\t0000000000000000\n");
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (folder) != NULL)
    n++;

  return n;
}

static void
test_no_leak (void)
{
  guint before = 0;

  for (guint i = 0; i < 20; i++)
    {
      g_auto (ExecOutcome) outcome = { 0 };

      exec_run (i % 4 == 0 ? "{\"argv\":[\"/no/such\"]}" : "{\"argv\":[\"true\"],\"stdin\":\"x\"}",
                &outcome);
      if (i == 0)
        before = count_descriptors ();
    }

  g_assert_cmpuint (count_descriptors (), ==, before);
}

static void
test_many_at_once (void)
{
  g_autoptr (JobHandler) handler = exec_load_handler ();
  g_autoptr (ScriptedQueue) queue = scripted_queue_new ();
  g_autofree char *id = scripted_queue_dup_id (1);
  g_autoptr (JobLease) lease =
      job_lease_new (queue, id, id, "exec", "", "{\"argv\":[\"echo\",\"hi\"]}", 1, NULL, NULL);
  ExecOutcome outcomes[50] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++)
    job_handler_run_async (handler, lease, NULL, exec_on_done, &outcomes[i]);

  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++)
    {
      while (!outcomes[i].done)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpstr (exec_outcome_get_string (&outcomes[i], "stdout"), ==, "hi\n");
      exec_outcome_clear (&outcomes[i]);
    }
}

/* Bad args. */

static const struct
{
  const char *name;
  const char *args;
  const char *culprit;
} bad_args[] = {
  { "no-object", "null", "object" },
  { "no-argv", "{}", "argv" },
  { "argv-empty", "{\"argv\":[]}", "argv" },
  { "argv-no-program", "{\"argv\":[\"\"]}", "argv" },
  { "argv-string", "{\"argv\":\"ls -l\"}", "argv" },
  { "argv-number", "{\"argv\":[\"sleep\",1]}", "argv" },
  { "argv-nul", "{\"argv\":[\"a\\u0000b\"]}", "argv" },
  { "unknown-member", "{\"argv\":[\"true\"],\"time_out\":1}", "time_out" },
  { "stdin-number", "{\"argv\":[\"true\"],\"stdin\":1}", "stdin" },
  { "stdin-nul", "{\"argv\":[\"true\"],\"stdin\":\"\\u0000\"}", "stdin" },
  { "stdin-from", "{\"argv\":[\"true\"],\"stdin_from\":\"file\"}", "stdin_from" },
  { "stdin-twice", "{\"argv\":[\"true\"],\"stdin\":\"\",\"stdin_from\":\"dependencies\"}",
    "stdin_from" },
  { "env-array", "{\"argv\":[\"true\"],\"env\":[\"A=b\"]}", "env" },
  { "env-number", "{\"argv\":[\"true\"],\"env\":{\"A\":1}}", "env" },
  { "env-name", "{\"argv\":[\"true\"],\"env\":{\"A=B\":\"1\"}}", "A=B" },
  { "env-no-name", "{\"argv\":[\"true\"],\"env\":{\"\":\"1\"}}", "env" },
  { "clear-env", "{\"argv\":[\"true\"],\"clear_env\":1}", "clear_env" },
  { "cwd-number", "{\"argv\":[\"true\"],\"cwd\":1}", "cwd" },
  { "cwd-empty", "{\"argv\":[\"true\"],\"cwd\":\"\"}", "cwd" },
  { "timeout-zero", "{\"argv\":[\"true\"],\"timeout\":0}", "timeout" },
  { "timeout-negative", "{\"argv\":[\"true\"],\"timeout\":-1}", "timeout" },
  { "timeout-string", "{\"argv\":[\"true\"],\"timeout\":\"1\"}", "timeout" },
  { "timeout-huge", "{\"argv\":[\"true\"],\"timeout\":1e300}", "timeout" },
  { "output-huge", "{\"argv\":[\"true\"],\"max_output\":1048577}", "max_output" },
  { "output-half", "{\"argv\":[\"true\"],\"max_output\":1.5}", "max_output" },
  { "output-negative", "{\"argv\":[\"true\"],\"max_output\":-1}", "max_output" },
};

static void
test_bad_args (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run (bad_args[i].args, &outcome);
  g_assert_error (outcome.error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_nonnull (strstr (outcome.error->message, bad_args[i].culprit));
}

static void
test_escaped_key (void)
{
  g_auto (ExecOutcome) outcome = { 0 };

  exec_run ("{\"\\u0061rgv\":[\"true\"]}", &outcome);
  g_assert_true (outcome.succeeded);
}

static void
add_bad_args_tests (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_args); i++)
    {
      g_autofree char *path = g_strconcat ("/exec/bad-args/", bad_args[i].name, NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_bad_args);
    }
}

static void
add_tests (void)
{
  g_test_add_func ("/exec/result/success", test_success);
  g_test_add_func ("/exec/result/failure", test_failure);
  g_test_add_func ("/exec/result/signal", test_signal);
  g_test_add_func ("/exec/output/end-is-kept", test_tail);
  g_test_add_func ("/exec/output/none-is-kept", test_no_output_kept);
  g_test_add_func ("/exec/output/cut-between-characters", test_cut_between_characters);
  g_test_add_func ("/exec/output/invalid-bytes-are-replaced", test_invalid_utf8);
  g_test_add_func ("/exec/output/much-does-not-block", test_much_output);
  g_test_add_func ("/exec/output/escaped-process-does-not-hang",
                   test_escaped_process_does_not_hang);
  g_test_add_func ("/exec/input/text", test_stdin);
  g_test_add_func ("/exec/input/none", test_no_stdin);
  g_test_add_func ("/exec/input/not-read", test_stdin_not_read);
  g_test_add_func ("/exec/input/dependencies", test_stdin_from_dependencies);
  g_test_add_func ("/exec/surroundings/environment", test_environment);
  g_test_add_func ("/exec/surroundings/clear-environment", test_clear_environment);
  g_test_add_func ("/exec/surroundings/path-of-the-job", test_path_of_the_job);
  g_test_add_func ("/exec/surroundings/cwd", test_cwd);
  g_test_add_func ("/exec/surroundings/missing-cwd", test_missing_cwd);
  g_test_add_func ("/exec/surroundings/missing-program", test_missing_program);
  g_test_add_func ("/exec/surroundings/descriptors-and-signals", test_descriptors_and_signals);
  g_test_add_func ("/exec/no-leak", test_no_leak);
  g_test_add_func ("/exec/many-at-once", test_many_at_once);
  g_test_add_func ("/exec/escaped-key", test_escaped_key);
  add_bad_args_tests ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_tests ();

  return g_test_run ();
}
