/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SIGKILL at any moment: what was acknowledged is there, byte for byte; what was not is there whole
 * or not at all. */

#include "conformance-private.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define N_KILLS 5
#define GROUP_SIZE 5

/* --- in the child ----------------------------------------------------------------------------- */

/* Args that tell a job's own number and the size of its group, and fill some bytes. */
static JobSpec *
new_numbered (guint number, guint group, guint group_size)
{
  g_autofree char *fill = g_strnfill (number % 700, 'x');
  g_autofree char *args =
      g_strdup_printf ("{\"group\": %u, \"of\": %u, \"fill\": \"%s\"}", group, group_size, fill);

  return job_spec_new ("k", args);
}

static void
say (const char *what, const char *id, const char *text)
{
  printf ("%s %s %s\n", what, id, text);
  fflush (stdout);
}

static void
enqueue_one (Fixture *f, guint number)
{
  g_autoptr (JobSpec) spec = new_numbered (number, 0, 1);
  g_autofree char *id = must_enqueue (f, spec);

  say ("queued", id, job_spec_get_args (spec));
}

static void
enqueue_group (Fixture *f, guint group)
{
  JobSpec *specs[GROUP_SIZE];
  g_auto (GStrv) ids = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < GROUP_SIZE; i++)
    specs[i] = new_numbered (group + i, group, GROUP_SIZE);
  ids = job_queue_enqueue_many (f->queue, specs, GROUP_SIZE, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < GROUP_SIZE; i++)
    {
      say ("queued", ids[i], job_spec_get_args (specs[i]));
      g_object_unref (specs[i]);
    }
}

void
child_enqueue_until_killed (Fixture *f)
{
  for (guint i = 0;; i++)
    if (i % 7 == 6)
      enqueue_group (f, g_random_int ());
    else
      enqueue_one (f, i);
}

/* Enqueues two jobs and ends one of them: by a result, a cancel, or a second attempt. */
void
child_work_until_killed (Fixture *f)
{
  for (guint i = 0;; i++)
    {
      g_autoptr (JobLease) lease = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *result = g_strdup_printf ("{\"round\" : %u}", i);

      enqueue_one (f, i);
      enqueue_one (f, i + 1);
      lease = must_dequeue (f, "k");
      say ("leased", job_lease_get_id (lease), job_lease_get_token (lease));
      if (i % 5 == 4)
        {
          must_cancel (f, job_lease_get_id (lease));
          say ("canceled", job_lease_get_id (lease), "");
          continue;
        }
      g_assert_true (job_lease_complete (lease, result, NULL, &error));
      g_assert_no_error (error);
      say ("done", job_lease_get_id (lease), result);
    }
}

/* Is killed as soon as it has opened what a killed one left behind. */
void
child_die_at_opening (Fixture *f)
{
  raise (SIGKILL);
}

/* --- in the parent ---------------------------------------------------------------------------- */

/* What was acknowledged, by id. */
typedef struct
{
  GHashTable *args;
  GHashTable *results; /* of jobs that are done; "" for a canceled one */
  GHashTable *tokens;
} Acknowledged;

static void
acknowledged_init (Acknowledged *self)
{
  self->args = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->results = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->tokens = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static void
acknowledged_clear (Acknowledged *self)
{
  g_hash_table_unref (self->args);
  g_hash_table_unref (self->results);
  g_hash_table_unref (self->tokens);
}

static void
acknowledged_add (Acknowledged *self, const char *line)
{
  g_auto (GStrv) parts = g_strsplit (line, " ", 3);
  GHashTable *table = self->results;

  if (g_strv_length (parts) < 3)
    return; /* cut by the kill */
  if (g_str_equal (parts[0], "queued"))
    table = self->args;
  else if (g_str_equal (parts[0], "leased"))
    table = self->tokens;
  g_hash_table_insert (table, g_strdup (parts[1]), g_strdup (parts[2]));
}

/* Lets a child work for a random number of lines, kills it, and reads what it still said. */
static void
run_and_kill (Fixture *f, const char *part, Acknowledged *acknowledged)
{
  Child child;
  guint n_lines = (guint) g_test_rand_int_range (1, 200);
  char *line;

  child_start (&child, f, part);
  for (guint i = 0; (line = child_read_line (&child)) != NULL; i++)
    {
      if (i == n_lines)
        g_subprocess_force_exit (child.process);
      acknowledged_add (acknowledged, line);
      g_free (line);
    }
  child_kill (&child);
}

static void
assert_args_kept (Fixture *f, Acknowledged *acknowledged)
{
  GHashTableIter iter;
  gpointer id;
  gpointer args;

  g_hash_table_iter_init (&iter, acknowledged->args);
  while (g_hash_table_iter_next (&iter, &id, &args))
    {
      g_autoptr (JobInfo) info = must_get_info (f, id);

      g_assert_cmpstr (job_info_get_args (info), ==, args);
    }
}

static void
assert_ends_kept (Fixture *f, Acknowledged *acknowledged)
{
  GHashTableIter iter;
  gpointer id;
  gpointer result;

  g_hash_table_iter_init (&iter, acknowledged->results);
  while (g_hash_table_iter_next (&iter, &id, &result))
    {
      g_autoptr (JobInfo) info = must_get_info (f, id);
      gboolean canceled = *(char *) result == '\0';

      g_assert_cmpint (job_info_get_state (info), ==,
                       canceled ? JOB_STATE_CANCELED : JOB_STATE_SUCCEEDED);
      if (!canceled)
        g_assert_cmpstr (job_info_get_result (info), ==, result);
    }
}

/* A lease that was told of, and whose end was not, is there with its token, unless its end came
 * through without being told. */
static void
assert_leases_kept (Fixture *f, Acknowledged *acknowledged)
{
  GHashTableIter iter;
  gpointer id;
  gpointer token;

  g_hash_table_iter_init (&iter, acknowledged->tokens);
  while (g_hash_table_iter_next (&iter, &id, &token))
    {
      g_autoptr (JobInfo) info = must_get_info (f, id);
      g_autoptr (GError) error = NULL;
      g_autofree char *found = NULL;

      if (job_info_get_state (info) != JOB_STATE_RUNNING)
        {
          g_assert_true (job_state_is_final (job_info_get_state (info)));
          continue;
        }
      found = call_lookup_token (f, token, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (found, ==, id);
    }
}

/* Every job that is there is whole, and so is every group. */
static void
assert_all_whole (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = call_list (f, NULL, &error);
  g_autoptr (GHashTable) groups = g_hash_table_new (NULL, NULL);
  g_autoptr (GListModel) damaged = NULL;
  GHashTableIter iter;
  gpointer count;

  g_assert_no_error (error);
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);
      guint group;
      guint of;

      g_assert_cmpint (
          sscanf (job_info_get_args (info), "{\"group\": %u, \"of\": %u, \"fill\"", &group, &of),
          ==, 2);
      if (of == 1)
        continue;
      count = g_hash_table_lookup (groups, GUINT_TO_POINTER (group));
      g_hash_table_insert (groups, GUINT_TO_POINTER (group), (char *) count + 1);
    }

  g_hash_table_iter_init (&iter, groups);
  while (g_hash_table_iter_next (&iter, NULL, &count))
    g_assert_cmpuint (GPOINTER_TO_UINT (count), ==, GROUP_SIZE);
  damaged = call_list_damaged (f, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (damaged), ==, 0);
}

static void
assert_kept (Fixture *f, Acknowledged *acknowledged)
{
  assert_args_kept (f, acknowledged);
  assert_ends_kept (f, acknowledged);
  assert_leases_kept (f, acknowledged);
  assert_all_whole (f);
}

/* Every other time, a child opens the same store right after the kill, and not the parent. */
static void
kill_and_check (Fixture *f, const char *part)
{
  Acknowledged acknowledged;

  acknowledged_init (&acknowledged);
  fixture_close (f);
  for (guint i = 0; i < N_KILLS; i++)
    {
      run_and_kill (f, part, &acknowledged);
      if (i % 2 == 1)
        continue;
      fixture_open (f);
      assert_kept (f, &acknowledged);
      fixture_close (f);
    }
  g_assert_cmpuint (g_hash_table_size (acknowledged.args), >, 0);
  fixture_open (f);
  acknowledged_clear (&acknowledged);
}

static void
test_acknowledged_jobs_exist (Fixture *f)
{
  kill_and_check (f, "enqueue");
}

static void
test_acknowledged_ends_stand (Fixture *f)
{
  kill_and_check (f, "work");
}

static void
test_killed_at_opening_changes_nothing (Fixture *f)
{
  Acknowledged acknowledged;
  Child child;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  acknowledged_init (&acknowledged);
  fixture_close (f);
  run_and_kill (f, "work", &acknowledged);
  for (guint i = 0; i < 2; i++)
    {
      child_start (&child, f, "die-at-opening");
      g_assert_null (child_read_line (&child));
      child_kill (&child);
    }
  fixture_open (f);
  assert_kept (f, &acknowledged);
  first = snapshot (f);
  fixture_reopen (f);
  second = snapshot (f);
  g_assert_cmpstr (second, ==, first);
  acknowledged_clear (&acknowledged);
}

const ConformanceTest job_conformance_kill_tests[] = {
  { "acknowledged-jobs-exist", test_acknowledged_jobs_exist, JOB_CONFORMANCE_SURVIVES, TRUE },
  { "acknowledged-ends-stand", test_acknowledged_ends_stand, JOB_CONFORMANCE_SURVIVES, TRUE },
  { "killed-at-opening-changes-nothing", test_killed_at_opening_changes_nothing,
    JOB_CONFORMANCE_SURVIVES, TRUE },
  { NULL },
};
