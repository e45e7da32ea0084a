/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a caller could try who is not to be trusted: with names, with tokens, with sheer numbers.
 * What a part promises by itself has its tests there; docs/reliability.md has the list of all. */

#include "security-fixture.h"
#include "test-effort.h"

#include <string.h>

#define WRONG_TOKEN "5f0c3a52-7d0b-4d55-9f6e-6d5f6f3b3c11"
#define UNKNOWN_ID "01890a5d-ac96-774b-bcce-b302099a8057"
#define MEBIBYTE (1024 * 1024)

/* --- names ------------------------------------------------------------------------------------ */

static const char *const hostile[] = {
  "'; DROP TABLE job; --",
  "' OR '1'='1",
  "\"; DELETE FROM job; --",
  "%",
  "_",
  "*",
  "a%",
  "job\\",
  "?1",
  ":id",
  "$1",
  "%s%n%s",
  "../../../../etc/passwd",
  "/etc/passwd",
  "a\nb\rc\td",
  "\x1b[2J",
  "größe",
};

static char *
quote_json (const char *text)
{
  GString *out = g_string_new ("\"");

  for (const char *at = text; *at != '\0'; at++)
    if ((guchar) *at < 0x20 || *at == '"' || *at == '\\')
      g_string_append_printf (out, "\\u%04x", (guchar) *at);
    else
      g_string_append_c (out, *at);
  return g_string_free (g_string_append_c (out, '"'), FALSE);
}

/* Any name is a name, and nothing else: it comes back as it was, and matches itself alone. */
static void
test_names (Fixture *f, gconstpointer data)
{
  const gsize n = G_N_ELEMENTS (hostile);
  g_autofree char *plain = NULL;
  g_autoptr (JobLease) last = NULL;

  open_queue (f);
  plain = add (f, "a", NULL, NULL);
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *args = quote_json (hostile[i]);
      g_autofree char *id = add (f, hostile[i], hostile[n - 1 - i], args);
    }
  if (f->backend->option != NULL)
    {
      close_queue (f);
      open_queue (f);
    }
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *args = quote_json (hostile[i]);
      g_autoptr (JobLease) none = take (f, hostile[i], "");
      g_autoptr (JobLease) lease = take (f, hostile[i], hostile[n - 1 - i]);
      g_autoptr (GError) error = NULL;

      g_assert_null (none);
      g_assert_nonnull (lease);
      g_assert_cmpstr (job_lease_get_job_type (lease), ==, hostile[i]);
      g_assert_cmpstr (job_lease_get_channel (lease), ==, hostile[n - 1 - i]);
      g_assert_cmpstr (job_lease_get_args (lease), ==, args);
      g_assert_cmpuint (count (f, hostile[i]), ==, 1);
      job_lease_complete (lease, args, NULL, &error);
      g_assert_no_error (error);
    }
  g_assert_cmpuint (count (f, NULL), ==, n + 1);
  last = take (f, "a", "");
  g_assert_cmpstr (job_lease_get_id (last), ==, plain);
}

/* As an id or a token, none of them is even looked for. */
static void
test_ids (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;

  open_queue (f);
  id = add (f, "a", NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      g_autoptr (JobSpec) spec = job_spec_new ("b", NULL);
      g_autoptr (GError) error = NULL;

      g_assert_null (job_queue_get_info (f->queue, hostile[i], NULL, &error));
      g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
      g_clear_error (&error);
      g_assert_null (job_queue_lookup_token (f->queue, hostile[i], NULL, &error));
      g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
      g_clear_error (&error);
      job_spec_add_dependency (spec, hostile[i], JOB_CONDITION_AFTER_OK);
      g_assert_null (job_queue_enqueue (f->queue, spec, NULL, &error));
      g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
    }
  g_assert_cmpuint (count (f, NULL), ==, 1);
}

/* --- tokens ----------------------------------------------------------------------------------- */

/* Everything that the library said while a test listened. */
static GMutex heard_lock;
static GString *heard; /* heard_lock; NULL: nobody listens */

static void
hear (const char *text)
{
  g_mutex_lock (&heard_lock);
  if (heard != NULL)
    g_string_append_printf (heard, "%s\n", text);
  g_mutex_unlock (&heard_lock);
}

static void
hear_log (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  hear (message);
  g_log_default_handler (domain, level, message, data);
}

static void
hear_error (GError *error)
{
  g_assert_nonnull (error);
  hear (error->message);
  g_error_free (error);
}

/* Each verb that takes a token, with one that is wrong for this job, and with a piece of it. */
static void
provoke_errors (JobQueue *queue, const char *id, const char *token)
{
  g_autofree char *piece = g_strndup (token, 35);
  GError *error = NULL;

  g_assert_false (job_queue_complete (queue, id, token, NULL, NULL, &error));
  hear_error (g_steal_pointer (&error));
  g_assert_false (job_queue_fail (queue, id, token, NULL, NULL, &error));
  hear_error (g_steal_pointer (&error));
  g_assert_false (job_queue_release (queue, id, token, NULL, &error));
  hear_error (g_steal_pointer (&error));
  g_assert_false (job_queue_heartbeat (queue, id, token, NULL, &error));
  hear_error (g_steal_pointer (&error));
  g_assert_null (job_queue_lookup_token (queue, piece, NULL, &error));
  hear_error (g_steal_pointer (&error));
}

static void
hear_listing (JobQueue *queue)
{
  g_autoptr (GListModel) list = job_queue_list (queue, NULL, NULL, NULL);

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);
      g_autofree char *json = job_info_to_json (info);

      g_assert_null (job_info_get_token (info));
      hear (json);
    }
}

static void
assert_unheard (const char *token)
{
  g_autofree char *head = g_strndup (token, 23);

  g_assert_null (strstr (heard->str, head));
}

/* Of a running lease, of one that is over, and of none. */
static void
test_tokens (Fixture *f, gconstpointer data)
{
  g_autofree char *over_id = NULL, *id = NULL;
  g_autoptr (JobLease) over = NULL, lease = NULL;
  g_autoptr (GError) error = NULL;

  heard = g_string_new (NULL);
  open_queue (f);
  over_id = add (f, "a", NULL, NULL);
  id = add (f, "b", NULL, NULL);
  over = take (f, "a", "");
  lease = take (f, "b", "");
  g_assert_true (job_lease_complete (over, NULL, NULL, &error));
  provoke_errors (f->queue, id, WRONG_TOKEN);
  provoke_errors (f->queue, id, job_lease_get_token (over));
  provoke_errors (f->queue, over_id, job_lease_get_token (over));
  provoke_errors (f->queue, over_id, job_lease_get_token (lease));
  provoke_errors (f->queue, UNKNOWN_ID, job_lease_get_token (lease));
  hear_listing (f->queue);
  if (f->backend->option != NULL)
    {
      close_queue (f);
      open_queue (f);
      provoke_errors (f->queue, over_id, job_lease_get_token (over));
      hear_listing (f->queue);
    }
  g_assert_nonnull (strstr (heard->str, id));
  assert_unheard (WRONG_TOKEN);
  assert_unheard (job_lease_get_token (over));
  assert_unheard (job_lease_get_token (lease));
  g_mutex_lock (&heard_lock);
  g_string_free (g_steal_pointer (&heard), TRUE);
  g_mutex_unlock (&heard_lock);
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* The enqueueing is refused, by a message that says @what and @limit. */
static void
assert_refused (Fixture *f, JobSpec *spec, const char *what, const char *limit)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_enqueue (f->queue, spec, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
  if (strstr (error->message, what) == NULL || strstr (error->message, limit) == NULL)
    g_error ("“%s” or “%s” is not in: %s", what, limit, error->message);
  g_assert_cmpuint (strlen (error->message), <, 1000);
}

static void
test_limit_of_bytes (Fixture *f, gconstpointer data)
{
  g_autofree char *args = g_strnfill (64 * MEBIBYTE + 1, 'x');
  g_autoptr (JobSpec) spec = NULL;
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  args[0] = args[64 * MEBIBYTE] = '"';
  spec = job_spec_new ("a", args);
  open_queue (f);
  assert_refused (f, spec, "args", "67108864");
  id = add (f, "a", NULL, NULL);
  lease = take (f, "a", "");
  g_assert_false (job_lease_complete (lease, args, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "result"));
  g_assert_nonnull (strstr (error->message, "67108864"));
  g_clear_error (&error);
  g_assert_true (job_lease_complete (lease, NULL, NULL, &error));
  g_assert_no_error (error);
}

static void
test_limit_of_depth (Fixture *f, gconstpointer data)
{
  g_autofree char *args = g_strnfill (1000000, '[');
  g_autoptr (JobSpec) spec = job_spec_new ("a", args);

  open_queue (f);
  assert_refused (f, spec, "args", "512");
}

static void
test_limit_of_dependencies (Fixture *f, gconstpointer data)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", NULL);

  for (guint i = 0; i < 65536; i++)
    {
      g_autofree char *id = g_strdup_printf ("%08x-0000-7000-8000-000000000000", i);

      job_spec_add_dependency (spec, id, JOB_CONDITION_AFTER_ANY);
    }
  open_queue (f);
  assert_refused (f, spec, "dependencies", "65535");
}

static void
test_limit_of_names (Fixture *f, gconstpointer data)
{
  g_autofree char *longest = g_strnfill (MEBIBYTE, 'x');
  g_autoptr (JobSpec) long_type = job_spec_new (longest, NULL);
  g_autoptr (JobSpec) long_channel = job_spec_new ("a", NULL);
  g_autofree const char **types = g_new0 (const char *, 10002);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 10001; i++)
    types[i] = "a";
  job_spec_set_channel (long_channel, longest);
  open_queue (f);
  assert_refused (f, long_type, "type", "255");
  assert_refused (f, long_channel, "channel", "255");
  g_assert_null (job_queue_dequeue (f->queue, types, NULL, 0, NULL, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "10000"));
}

#define MAX_WAITING 100000

/* What became of those who wait. */
typedef struct
{
  guint n_refused;
  guint n_closed;
} Waiting;

static void
count_error (Waiting *waiting, const GError *error)
{
  if (g_error_matches (error, JOB_ERROR, JOB_ERROR_CLOSED))
    {
      waiting->n_closed++;
      return;
    }
  g_assert_error (error, JOB_ERROR, JOB_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "100000"));
  waiting->n_refused++;
}

static void
count_dequeue (GObject *queue, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_dequeue_finish (JOB_QUEUE (queue), result, &error));
  count_error (data, error);
}

static void
count_wait (GObject *queue, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_queue_wait_finish (JOB_QUEUE (queue), result, &error));
  count_error (data, error);
}

static void
await_answers (const guint *n_answers, guint n)
{
  while (*n_answers < n)
    g_main_context_iteration (NULL, TRUE);
}

/* Who comes too late is told so; who does not wait still gets a job. */
static void
test_limit_of_waiting (Fixture *f, gconstpointer data)
{
  const char *const types[] = { "b", NULL };
  Waiting for_job = { 0 }, for_end = { 0 };
  g_autofree char *id = NULL;
  g_autoptr (JobLease) lease = NULL;

  if (test_effort (1, 0) == 0)
    {
      g_test_skip ("a hundred thousand calls take too long here");
      return;
    }
  open_queue (f);
  id = add (f, "a", NULL, NULL);
  for (guint i = 0; i < MAX_WAITING + 1; i++)
    {
      job_queue_dequeue_async (f->queue, types, NULL, -1, NULL, count_dequeue, &for_job);
      job_queue_wait_async (f->queue, id, -1, NULL, count_wait, &for_end);
    }
  await_answers (&for_job.n_refused, 1);
  await_answers (&for_end.n_refused, 1);
  lease = take (f, "a", "");
  g_assert_nonnull (lease);
  close_queue (f);
  await_answers (&for_job.n_closed, MAX_WAITING);
  await_answers (&for_end.n_closed, MAX_WAITING);
  g_assert_cmpuint (for_job.n_refused, ==, 1);
  g_assert_cmpuint (for_end.n_refused, ==, 1);
}

static const SecurityTest tests[] = {
  { "names/are-names-and-nothing-else", test_names, NULL },
  { "names/are-no-ids", test_ids, NULL },
  { "tokens/are-in-no-error-no-log-and-no-listing", test_tokens, NULL },
  { "limits/bytes", test_limit_of_bytes, "memory" },
  { "limits/depth", test_limit_of_depth, "memory" },
  { "limits/dependencies", test_limit_of_dependencies, "memory" },
  { "limits/names", test_limit_of_names, "memory" },
  { "limits/waiting", test_limit_of_waiting, "memory" },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_handler ("jobqueue", G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION,
                     hear_log, NULL);
  add_tests (tests, G_N_ELEMENTS (tests), FALSE);

  return g_test_run ();
}
