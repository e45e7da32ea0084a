/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The gdbm store and damage: it costs what is damaged and no more, it is seen wherever it is, and
 * nothing that may still be read is thrown away. */

#include "gdbm-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Jobs 1 to 3, of which 2 is damaged, and a record whose key is no id: five bytes each. */
static void
make_damage (Fixture *fixture)
{
  JobId id = number_id (2);

  for (guint n = 1; n <= 3; n++)
    create (fixture, n, "1");
  checkpoint (fixture);
  close_store (fixture);
  tamper (fixture, id.bytes, sizeof id.bytes, "wrong", 5);
  tamper (fixture, "odd", 3, "stray", 5);
  tamper (fixture, "jobqueue", 8, "1 4", 3);
  open_store (fixture);
}

static void
assert_corrupt (Fixture *fixture, guint n)
{
  JobRecord *record = NULL;
  JobStatus status;
  g_autoptr (GError) error = NULL;
  JobId id = number_id (n);

  g_assert_false (job_store_read (fixture->store, &id, &record, &status, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, fixture->path));
}

static void
test_damage_kept (Fixture *fixture, gconstpointer data)
{
  JobId id = number_id (2);
  g_autoptr (GBytes) wrong = NULL;
  g_autoptr (GBytes) stray = NULL;

  make_damage (fixture);
  for (guint pass = 0; pass < 2; pass++)
    {
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2 + pass);
      g_assert_cmpuint (count_damaged (fixture), ==, 2);
      assert_corrupt (fixture, 2);
      assert_job (fixture, 3, "1", JOB_STATE_PENDING, NULL);
      /* A change of it, as it may come from the journal, does no harm. */
      update (fixture, 2, JOB_STATE_SUCCEEDED, "1");
      create (fixture, 4 + pass, "4");
      checkpoint (fixture);
      reopen (fixture);
    }
  wrong = fetch_raw (fixture, id.bytes, sizeof id.bytes);
  g_assert_cmpmem (g_bytes_get_data (wrong, NULL), g_bytes_get_size (wrong), "wrong", 5);
  stray = fetch_raw (fixture, "odd", 3);
  g_assert_cmpmem (g_bytes_get_data (stray, NULL), g_bytes_get_size (stray), "stray", 5);
}

static void
test_empty_records (Fixture *fixture, gconstpointer data)
{
  JobId id = number_id (1);

  close_store (fixture);
  tamper (fixture, "", 0, "a value", 7);
  tamper (fixture, id.bytes, sizeof id.bytes, "", 0);
  tamper (fixture, "jobqueue", 8, "1 2", 3);
  open_store (fixture);
  create (fixture, 2, "2");
  checkpoint (fixture);
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 1);
  g_assert_cmpuint (count_damaged (fixture), ==, 2);
  assert_corrupt (fixture, 1);
}

static JobDamage *
find_damage (Fixture *fixture, const char *ending)
{
  g_autoptr (GPtrArray) list = job_store_list_damaged (fixture->store);

  for (guint i = 0; i < list->len; i++)
    if (g_str_has_suffix (job_damage_get_location (list->pdata[i]), ending))
      return g_object_ref (list->pdata[i]);
  return NULL;
}

static void
move_damage (Fixture *fixture, const char *name)
{
  g_autoptr (JobDamage) damage = find_damage (fixture, name);
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strdup_printf ("%s: key %s", fixture->path, name);

  g_assert_nonnull (damage);
  g_assert_cmpstr (job_damage_get_location (damage), ==, expected);
  g_assert_true (job_store_move_damaged (fixture->store, damage, fixture->folder, &error));
  g_assert_no_error (error);
  g_assert_false (job_store_move_damaged (fixture->store, damage, fixture->folder, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND);
}

static void
assert_moved (Fixture *fixture, const char *name, const char *contents)
{
  g_autofree char *path = g_strdup_printf ("%s/%s.record", fixture->folder, name);
  g_autoptr (GBytes) bytes = read_file (path);

  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), contents,
                   strlen (contents));
}

#define HEX_2 "01000000000070008000000000000002"
#define HEX_ODD "6f6464"

static void
test_damage_moved (Fixture *fixture, gconstpointer data)
{
  make_damage (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
  move_damage (fixture, HEX_2);
  move_damage (fixture, HEX_ODD);
  assert_moved (fixture, HEX_2, "wrong");
  assert_moved (fixture, HEX_ODD, "stray");
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
  assert_absent (fixture, 2);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
  checkpoint (fixture);
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
  assert_absent (fixture, 2);
}

static void
test_damage_never_over_a_file (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_strdup_printf ("%s/" HEX_2 ".record", fixture->folder);
  g_autoptr (JobDamage) damage = NULL;
  g_autoptr (GError) error = NULL;

  make_damage (fixture);
  count_jobs (fixture, TRUE);
  g_file_set_contents (path, "mine", -1, &error);
  g_assert_no_error (error);
  damage = find_damage (fixture, HEX_2);
  g_assert_cmpstr (job_damage_get_id (damage), ==, "01000000-0000-7000-8000-000000000002");
  g_assert_false (job_store_move_damaged (fixture->store, damage, fixture->folder, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  assert_moved (fixture, HEX_2, "mine");
  g_assert_cmpuint (count_damaged (fixture), ==, 2);
  assert_corrupt (fixture, 2);
}

static void
test_damage_replaced (Fixture *fixture, gconstpointer data)
{
  make_damage (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 2);
  create (fixture, 2, "\"again\"");
  g_assert_cmpuint (count_damaged (fixture), ==, 1);
  checkpoint (fixture);
  reopen (fixture);
  assert_job (fixture, 2, "\"again\"", JOB_STATE_PENDING, NULL);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 3);
}

static void
test_orphan (Fixture *fixture, gconstpointer data)
{
  create (fixture, 1, "1");
  update (fixture, 9, JOB_STATE_SUCCEEDED, "\"nine\"");
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 1);
  g_assert_cmpuint (count_damaged (fixture), ==, 1);
  assert_corrupt (fixture, 9);
  move_damage (fixture, "01000000000070008000000000000009");
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
  checkpoint (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 1);
}

static void
test_flipped_bit (Fixture *fixture, gconstpointer data)
{
  JobId id = number_id (1);
  g_autoptr (GBytes) good = NULL;
  g_autofree char *bad = NULL;
  gsize size;

  create (fixture, 1, "\"a text in which a bit flips\"");
  checkpoint (fixture);
  close_store (fixture);
  good = fetch_raw (fixture, id.bytes, sizeof id.bytes);
  size = g_bytes_get_size (good);
  for (gsize at = 0; at < size; at += 5)
    {
      g_free (bad);
      bad = g_memdup2 (g_bytes_get_data (good, NULL), size);
      bad[at] ^= 1;
      tamper (fixture, id.bytes, sizeof id.bytes, bad, size);
      open_store (fixture);
      g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 0);
      g_assert_cmpuint (count_damaged (fixture), ==, 1);
      close_store (fixture);
    }
}

/* The count says five, and four can be read: nothing else would tell that a bucket was lost. */
static void
test_lost_record (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GBytes) after = NULL;

  for (guint n = 1; n <= 5; n++)
    create (fixture, n, "1");
  checkpoint (fixture);
  close_store (fixture);
  tamper (fixture, number_id (4).bytes, sizeof (JobId), NULL, 0);
  before = read_file (fixture->path);
  open_store (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 4);
  g_assert_cmpuint (count_damaged (fixture), ==, 1);
  create (fixture, 6, "6");
  g_assert_false (job_store_checkpoint (fixture->store, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  assert_job (fixture, 5, "1", JOB_STATE_PENDING, NULL);
  assert_job (fixture, 6, "6", JOB_STATE_PENDING, NULL);
  after = read_file (fixture->path);
  g_assert_true (g_bytes_equal (before, after));
}

#define N_BLOCK_JOBS 300

/* Moved out, the file is as it was, and what can be read of it is the store. */
static void
check_salvage (Fixture *fixture, JobDamage *whole, guint n_before)
{
  g_autofree char *kept = build_path (fixture, ".damaged");
  g_autofree char *new_path = build_path (fixture, ".new");
  g_autoptr (GBytes) original = read_file (fixture->path);
  g_autoptr (GBytes) copy = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (job_store_move_damaged (fixture->store, whole, fixture->folder, &error));
  g_assert_no_error (error);
  copy = read_file (kept);
  g_assert_true (g_bytes_equal (original, copy));
  g_assert_no_errno (g_unlink (kept));
  g_assert_false (g_file_test (new_path, G_FILE_TEST_EXISTS));
  checkpoint (fixture);
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), >=, n_before + 1);
  g_assert_null (find_damage (fixture, "jobs.gdbm"));
  checkpoint (fixture);
}

/* Whatever block is overwritten: the store refuses it, or knows of every job that it lacks, and
 * then no checkpoint replaces the file before it was moved out. */
static void
check_block (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) before = read_file (fixture->path);
  g_autoptr (GBytes) after = NULL;
  g_autoptr (JobDamage) whole = NULL;
  guint n;

  fixture->store = job_gdbm_store_new (fixture->path, &error);
  if (fixture->store == NULL)
    {
      g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
      return;
    }
  n = count_jobs (fixture, TRUE);
  create (fixture, N_BLOCK_JOBS + 1, "2");
  whole = find_damage (fixture, "jobs.gdbm");
  if (whole == NULL)
    g_assert_cmpuint (n + count_damaged (fixture), ==, N_BLOCK_JOBS);
  else
    g_assert_false (job_store_checkpoint (fixture->store, &error));
  assert_job (fixture, N_BLOCK_JOBS + 1, "2", JOB_STATE_PENDING, NULL);
  after = read_file (fixture->path);
  g_assert_true (g_bytes_equal (before, after));
  if (whole != NULL)
    check_salvage (fixture, whole, n);
  close_store (fixture);
}

static void
test_any_block (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) good = NULL;
  g_autofree char *args = g_strdup_printf ("\"%0200d\"", 0);
  gsize size;

  for (guint n = 1; n <= N_BLOCK_JOBS; n++)
    create (fixture, n, args);
  checkpoint (fixture);
  close_store (fixture);
  good = read_file (fixture->path);
  size = g_bytes_get_size (good);
  g_assert_cmpuint (size, >, 20 * 4096);
  for (gsize at = 0; at < size; at += 4096)
    for (int pattern = 0; pattern < 256; pattern += 85)
      {
        g_autofree char *bad = g_memdup2 (g_bytes_get_data (good, NULL), size);

        memset (bad + at, pattern, MIN (4096, size - at));
        write_file (fixture->path, bad, size);
        check_block (fixture);
      }
}

static void
test_truncated (Fixture *fixture, gconstpointer data)
{
  struct stat st;

  for (guint n = 1; n <= N_BLOCK_JOBS; n++)
    create (fixture, n, "\"some args that take a little room in the file\"");
  checkpoint (fixture);
  close_store (fixture);
  g_assert_no_errno (stat (fixture->path, &st));
  for (gsize size = (gsize) st.st_size - 4096; size > 4096; size -= 4096)
    {
      g_assert_no_errno (truncate (fixture->path, (off_t) size));
      check_block (fixture);
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/gdbm/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("damage/costs-one-record-and-is-kept", test_damage_kept);
  ADD ("damage/empty-records-are-kept", test_empty_records);
  ADD ("damage/can-be-moved-out", test_damage_moved);
  ADD ("damage/is-never-moved-over-a-file", test_damage_never_over_a_file);
  ADD ("damage/goes-when-the-job-comes-anew", test_damage_replaced);
  ADD ("damage/a-change-without-its-job-is-listed", test_orphan);
  ADD ("damage/any-flipped-bit-is-seen", test_flipped_bit);
  ADD ("damage/a-lost-record-stops-the-checkpoint", test_lost_record);
  ADD ("damage/any-overwritten-block-is-seen-and-can-be-salvaged", test_any_block);
  ADD ("damage/a-truncated-file-is-seen", test_truncated);
  return g_test_run ();
}
