/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The SQLite store and what is damaged: a row costs itself, a page its rows, and both are said. */

#include "sqlite-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "test-effort.h"

#define ID_2 "01000000-0002-7000-8000-000000000009"
#define PAGE_SIZE 16384

/* What can be wrong with the row of job 2. */
static const struct
{
  const char *change;
  gboolean loses_id; /* so that it cannot be told whose row it is */
} damages[] = {
  { "state = 99" },
  { "state = 1" },
  { "state = 'pending'" },
  { "reason = 17" },
  { "attempts = -1" },
  { "token = x'0102'" },
  { "culprit = 'text'" },
  { "started_at = 'now'" },
  { "priority = 1.5" },
  { "priority = 3000000000" },
  { "priority = 9e999" },
  { "max_attempts = -1" },
  { "dependencies = 2" },
  { "dependencies = 0x7fffffff" },
  { "dependencies = -1" },
  { "type = ''" },
  { "type = x'61'" },
  { "type = cast (x'ff41' AS TEXT)" },
  { "type = 'a' || char (0) || 'b'" },
  { "channel = printf ('%256d', 1)" },
  { "args = '{''a'':1}'" },
  { "args = ''" },
  { "args = x'31'" },
  { "args = '1' || char (0)" },
  { "outcome = '{\"a\":1'" },
  { "id = x'01'", TRUE },
  { "id = 'text of 16 bytes'", TRUE },
  { "key = key + 1", TRUE },
  { "key = 0", TRUE },
};

static void
damage_job_2 (Fixture *fixture, const char *change)
{
  g_autofree char *sql = g_strdup_printf ("UPDATE job SET %s WHERE queued_at = 1002", change);

  close_store (fixture);
  run_sql (fixture, sql);
  open_store (fixture);
}

static JobDamage *
get_only_damage (Fixture *fixture)
{
  g_autoptr (GPtrArray) list = job_store_list_damaged (fixture->store);

  g_assert_cmpuint (list->len, ==, 1);
  return g_object_ref (g_ptr_array_index (list, 0));
}

static void
create_three (Fixture *fixture)
{
  for (guint n = 1; n <= 3; n++)
    apply (fixture, new_job (n, "{\"a\":1}", 9));
  checkpoint (fixture);
}

static void
assert_costs_one (Fixture *fixture, gboolean loses_id)
{
  g_autoptr (JobDamage) damage = NULL;

  for (int pass = 0; pass < 2; pass++)
    {
      g_assert_cmpuint (count_jobs (fixture, pass > 0), ==, 2);
      assert_job (fixture, 1, "{\"a\":1}", JOB_STATE_PENDING, NULL);
      assert_job (fixture, 3, "{\"a\":1}", JOB_STATE_PENDING, NULL);
      damage = get_only_damage (fixture);
      g_assert_true (g_str_has_prefix (job_damage_get_location (damage), fixture->path));
      g_assert_cmpstr (job_damage_get_id (damage), ==, loses_id ? NULL : ID_2);
      g_clear_object (&damage);
    }
  if (!loses_id)
    {
      /* Nobody changes it behind its back. */
      assert_corrupt (fixture, 2);
      update (fixture, 2, JOB_STATE_RUNNING, NULL);
      checkpoint (fixture);
      assert_corrupt (fixture, 2);
    }
}

static void
test_rows (Fixture *fixture, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++)
    {
      g_test_message ("%s", damages[i].change);
      create_three (fixture);
      damage_job_2 (fixture, damages[i].change);
      assert_costs_one (fixture, damages[i].loses_id);
      close_store (fixture);
      run_sql (fixture, "DELETE FROM job; DELETE FROM dependency");
      open_store (fixture);
    }
}

/* A row whose id is damaged is at the home of one job: that one is not missing. */
static void
test_row_without_id (Fixture *fixture, gconstpointer data)
{
  create_three (fixture);
  damage_job_2 (fixture, "id = x'01'");
  assert_corrupt (fixture, 2);
  create (fixture, 2, "\"again\"");
  checkpoint (fixture);
  for (int pass = 0; pass < 2; pass++)
    {
      assert_job (fixture, 2, "\"again\"", JOB_STATE_PENDING, NULL);
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 3);
      g_assert_cmpuint (count_damaged (fixture), ==, 1);
      reopen (fixture);
    }
}

static void
test_dependencies (Fixture *fixture, gconstpointer data)
{
  const char *changes[] = {
    "UPDATE dependency SET condition = 3 WHERE job = (SELECT key FROM job WHERE queued_at = 1002)",
    "UPDATE dependency SET id = 'x' WHERE job = (SELECT key FROM job WHERE queued_at = 1002)",
    "UPDATE dependency SET ordinal = 1 WHERE job = (SELECT key FROM job WHERE queued_at = 1002)",
    "DELETE FROM dependency WHERE job = (SELECT key FROM job WHERE queued_at = 1002)",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      create_three (fixture);
      close_store (fixture);
      run_sql (fixture, changes[i]);
      open_store (fixture);
      assert_costs_one (fixture, FALSE);
    }
}

/* --- moving it out ---------------------------------------------------------------------------- */

/* The only file with that suffix. */
static char *
find_moved (Fixture *fixture)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->folder, 0, NULL);
  const char *name;
  char *path = NULL;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".record"))
      {
        g_assert_null (path);
        path = g_build_filename (fixture->folder, name, NULL);
      }
  g_assert_nonnull (path);
  return path;
}

static void
move_only_damage (Fixture *fixture)
{
  g_autoptr (JobDamage) damage = get_only_damage (fixture);
  g_autoptr (GError) error = NULL;

  job_store_move_damaged (fixture->store, damage, fixture->folder, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
}

/* All that is in the tables, whatever its type. */
static char *
dump_tables (Fixture *fixture)
{
  return ask_sql (
      fixture,
      "SELECT group_concat (row, ';') FROM ("
      "SELECT hex (key) || typeof (key) || hex (id) || typeof (id) || hex (state) ||"
      " typeof (state) || hex (reason) || hex (attempts) || hex (token) || typeof (token) ||"
      " hex (culprit) || typeof (culprit) || hex (started_at) || typeof (started_at) ||"
      " hex (priority) || typeof (priority) || hex (max_attempts) || hex (dependencies) ||"
      " hex (type) || typeof (type) || hex (channel) || hex (args) || typeof (args) ||"
      " hex (outcome) || typeof (outcome) AS row FROM job UNION ALL"
      " SELECT hex (job) || hex (ordinal) || hex (id) || hex (condition) FROM dependency)");
}

/* What was moved out can be given back as it was. */
static void
test_moved (Fixture *fixture, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++)
    {
      g_autofree char *before = NULL;
      g_autofree char *after = NULL;
      g_autofree char *path = NULL;
      g_autofree char *sql = NULL;

      g_test_message ("%s", damages[i].change);
      create_three (fixture);
      damage_job_2 (fixture, damages[i].change);
      close_store (fixture);
      before = dump_tables (fixture);
      open_store (fixture);
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
      move_only_damage (fixture);
      reopen (fixture);
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
      g_assert_cmpuint (count_damaged (fixture), ==, 0);
      assert_absent (fixture, 2);
      path = find_moved (fixture);
      g_assert_true (g_file_get_contents (path, &sql, NULL, NULL));
      g_assert_no_errno (g_unlink (path));
      close_store (fixture);
      run_sql (fixture, sql);
      after = dump_tables (fixture);
      g_assert_cmpstr (before, ==, after);
      run_sql (fixture, "DELETE FROM job; DELETE FROM dependency");
      open_store (fixture);
    }
}

static void
test_moved_never_over_a_file (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, ID_2 ".record", NULL);
  g_autoptr (JobDamage) damage = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *contents = NULL;

  create_three (fixture);
  damage_job_2 (fixture, "state = 99");
  count_jobs (fixture, FALSE);
  write_file (path, "mine", 4);
  damage = get_only_damage (fixture);
  g_assert_false (job_store_move_damaged (fixture->store, damage, fixture->folder, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_true (g_file_get_contents (path, &contents, NULL, NULL));
  g_assert_cmpstr (contents, ==, "mine");
  g_assert_cmpuint (count_damaged (fixture), ==, 1);
  reopen (fixture);
  assert_corrupt (fixture, 2);
}

static void
test_replaced (Fixture *fixture, gconstpointer data)
{
  create_three (fixture);
  damage_job_2 (fixture, "args = '{'");
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
  create (fixture, 2, "\"again\"");
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
  checkpoint (fixture);
  reopen (fixture);
  assert_job (fixture, 2, "\"again\"", JOB_STATE_PENDING, NULL);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 3);
}

static void
test_orphan (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JobDamage) damage = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GBytes) contents = NULL;
  JobChange change;
  gsize used;

  create (fixture, 1, "1");
  g_test_expect_message ("jobqueue", G_LOG_LEVEL_WARNING, "*" ID_2 "*not in*");
  update (fixture, 2, JOB_STATE_SUCCEEDED, "\"two\"");
  update (fixture, 2, JOB_STATE_SUCCEEDED, "\"two\"");
  g_test_assert_expected_messages ();
  assert_corrupt (fixture, 2);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 1);
  move_only_damage (fixture);
  assert_absent (fixture, 2);
  path = find_moved (fixture);
  contents = read_file (path);
  g_assert_true (job_change_decode (g_bytes_get_data (contents, NULL), g_bytes_get_size (contents),
                                    &change, &used, NULL));
  g_assert_cmpstr (change.status.outcome, ==, "\"two\"");
  job_change_clear (&change);
}

static void
test_unknown_damage (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JobDamage) damage = job_damage_new ("elsewhere", "of another store", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (job_store_move_damaged (fixture->store, damage, fixture->folder, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND);
}

/* --- pages ------------------------------------------------------------------------------------ */

#define N_JOBS 1500
#define MOST_ON_A_PAGE 60

static gboolean
is_listed (Fixture *fixture, const char *location)
{
  g_autoptr (GPtrArray) list = job_store_list_damaged (fixture->store);

  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (job_damage_get_location (g_ptr_array_index (list, i)), location))
      return TRUE;
  return FALSE;
}

static void
assert_takes_no_change (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  JobChange change = new_job (N_JOBS + 1, "1", 0);

  g_assert_false (job_store_apply (fixture->store, &change, 1, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  g_clear_error (&error);
  g_assert_false (job_store_checkpoint (fixture->store, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, fixture->path));
  job_change_clear (&change);
}

/* How many jobs it cost. */
static guint
visit_damaged_file (Fixture *fixture)
{
  guint n = MIN (count_jobs (fixture, FALSE), count_jobs (fixture, TRUE));

  g_assert_cmpuint (n, <=, N_JOBS);
  if (n < N_JOBS)
    g_assert_cmpuint (count_damaged (fixture), >, 0);
  if (is_listed (fixture, fixture->path))
    assert_takes_no_change (fixture);
  else
    g_assert_cmpuint (n + count_damaged (fixture), ==, N_JOBS);
  return N_JOBS - n;
}

/* Whether the store was opened, and *lost jobs. */
static gboolean
try_damaged_page (Fixture *fixture, const char *contents, gsize size, guint *lost)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) after = NULL;

  write_file (fixture->path, contents, size);
  fixture->store = job_sqlite_store_new (fixture->path, &error);
  if (fixture->store == NULL)
    {
      g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
      g_assert_nonnull (strstr (error->message, fixture->path));
      return FALSE;
    }
  *lost = visit_damaged_file (fixture);
  close_store (fixture);
  after = read_file (fixture->path);
  g_assert_cmpmem (contents, size, g_bytes_get_data (after, NULL), g_bytes_get_size (after));
  return TRUE;
}

static GBytes *
make_large_file (Fixture *fixture)
{
  g_autofree char *args = g_strdup_printf ("\"%0300d\"", 0);

  for (guint n = 1; n <= N_JOBS; n++)
    apply (fixture, new_job (n, args, n % 10 == 0 ? 1 : 0));
  checkpoint (fixture);
  close_store (fixture);
  return read_file (fixture->path);
}

/* Whatever page is overwritten: the store is refused, or serves what is on the others, says what it
 * lacks, and changes nothing. */
static void
test_any_page (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) good = make_large_file (fixture);
  gsize size = g_bytes_get_size (good);
  const int patterns[] = { 0, 255, 85, 170 };
  guint n_patterns = test_effort (4, 1);
  guint n_refused = 0, n_costly = 0, n_cheap = 0;

  g_assert_cmpuint (size, >, 30 * PAGE_SIZE);
  for (gsize at = 0; at < size; at += PAGE_SIZE)
    for (guint i = 0; i < n_patterns; i++)
      {
        g_autofree char *bad = g_memdup2 (g_bytes_get_data (good, NULL), size);
        guint lost = 0;

        memset (bad + at, patterns[i], PAGE_SIZE);
        if (!try_damaged_page (fixture, bad, size, &lost))
          n_refused++;
        else if (lost > MOST_ON_A_PAGE)
          n_costly++;
        else
          n_cheap += lost > 0;
      }
  /* Page 1, and the roots. */
  g_assert_cmpuint (n_refused, <=, n_patterns * 3);
  g_assert_cmpuint (n_costly, <=, n_patterns * 3);
  g_assert_cmpuint (n_cheap, >, n_patterns * 20);
  write_file (fixture->path, g_bytes_get_data (good, NULL), size);
  open_store (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, N_JOBS);
}

static void
test_truncated (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) good = make_large_file (fixture);
  const char *contents = g_bytes_get_data (good, NULL);
  guint lost = 0;

  for (gsize size = g_bytes_get_size (good) - PAGE_SIZE; size > 0; size -= PAGE_SIZE)
    g_assert_true (!try_damaged_page (fixture, contents, size, &lost) || lost > 0);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/sqlite/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("damage/a-row-costs-one-job", test_rows);
  ADD ("damage/a-row-without-its-id-hides-nothing", test_row_without_id);
  ADD ("damage/a-dependency-costs-one-job", test_dependencies);
  ADD ("damage/can-be-moved-out-and-given-back", test_moved);
  ADD ("damage/is-never-moved-over-a-file", test_moved_never_over_a_file);
  ADD ("damage/goes-when-the-job-comes-anew", test_replaced);
  ADD ("damage/a-change-without-its-job-is-listed", test_orphan);
  ADD ("damage/what-is-not-listed-is-not-moved", test_unknown_damage);
  ADD ("damage/any-overwritten-page-is-seen-and-costs-its-rows", test_any_page);
  ADD ("damage/a-truncated-file-is-seen", test_truncated);
  return g_test_run ();
}
