/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ledger-fixture.h"

#include "job-memory-store.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

gboolean
try_open (Fixture *f, guint64 checkpoint_size, GError **error)
{
  g_clear_object (&f->store);
  f->store = fault_store_new (f->disk, f->journal);
  f->ledger = job_ledger_open (JOB_STORE (g_object_ref (f->store)), checkpoint_size, error);
  return f->ledger != NULL;
}

void
open_ledger (Fixture *f, guint64 checkpoint_size)
{
  g_autoptr (GError) error = NULL;

  try_open (f, checkpoint_size, &error);
  g_assert_no_error (error);
}

void
crash (Fixture *f)
{
  g_clear_pointer (&f->ledger, job_ledger_free);
}

void
reopen (Fixture *f)
{
  crash (f);
  open_ledger (f, NO_CHECKPOINT);
}

void
fixture_set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->folder = g_dir_make_tmp ("job-ledger-XXXXXX", &error);
  g_assert_no_error (error);
  f->journal = g_build_filename (f->folder, "journal", NULL);
  f->first = g_strconcat (f->journal, "-1", NULL);
  f->second = g_strconcat (f->journal, "-2", NULL);
  f->disk = job_memory_store_new ();
  open_ledger (f, NO_CHECKPOINT);
}

void
forget_jobs (Fixture *f)
{
  for (guint i = 0; i < f->n_jobs; i++)
    {
      job_record_unref (f->records[i]);
      job_status_clear (&f->statuses[i]);
    }
  f->n_jobs = 0;
}

void
fixture_tear_down (Fixture *f, gconstpointer data)
{
  crash (f);
  g_object_unref (f->store);
  g_object_unref (f->disk);
  forget_jobs (f);
  g_assert_cmpint (nftw (f->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_free (f->folder);
  g_free (f->journal);
  g_free (f->first);
  g_free (f->second);
}

/* --- changes ---------------------------------------------------------------------------------- */

static JobId
id_of (guint number)
{
  guint32 be = GUINT32_TO_BE (number);
  JobId id = { { 1, 0x8f, 0, 0, 0, 0, 0x70, 0, 0x80 } };

  memcpy (id.bytes + 12, &be, sizeof be);
  return id;
}

static JobRecord *
make_record (guint number)
{
  JobRecord *record = job_record_new (number > 0 ? 1 : 0);

  record->id = id_of (number);
  record->queued_at = number + 1;
  record->max_attempts = 3;
  record->type = g_strdup ("t");
  record->channel = g_strdup ("");
  record->args = g_strdup_printf ("[%u]", number);
  if (number > 0)
    record->dependencies[0].id = id_of (number / 2);
  return record;
}

gboolean
try_commit (Fixture *f, const JobChange *changes, gsize n_changes, GError **error)
{
  gboolean unknown = TRUE;
  gboolean done = job_ledger_commit (f->ledger, changes, n_changes, &unknown, error);

  g_assert_false (unknown);
  return done;
}

void
add_jobs (Fixture *f, guint n)
{
  g_autofree JobChange *changes = g_new0 (JobChange, n);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (f->n_jobs + n, <=, MAX_JOBS);
  for (guint i = 0; i < n; i++)
    {
      guint number = f->n_jobs++;

      f->records[number] = make_record (number);
      f->statuses[number] = (JobStatus){ .state = JOB_STATE_PENDING };
      changes[i] = (JobChange){ .id = f->records[number]->id, .record = f->records[number] };
      changes[i].status = f->statuses[number];
    }
  try_commit (f, changes, n, &error);
  g_assert_no_error (error);
}

void
change_job (Fixture *f, guint number, JobState state, guint attempts)
{
  JobChange change = { .id = f->records[number]->id };
  g_autoptr (GError) error = NULL;

  job_status_clear (&f->statuses[number]);
  f->statuses[number] = (JobStatus){ .state = state, .attempts = attempts };
  f->statuses[number].outcome = g_strdup_printf ("%u", attempts);
  change.status = f->statuses[number];
  try_commit (f, &change, 1, &error);
  g_assert_no_error (error);
}

/* --- what is so ------------------------------------------------------------------------------- */

gboolean
note_job (JobRecord *record, const JobStatus *status, gpointer data)
{
  g_autofree char *id = job_id_dup_text (&record->id);

  g_ptr_array_add (data, g_strdup_printf ("%s %s %d %u %s\n", id, record->args, status->state,
                                          status->attempts, status->outcome));
  return TRUE;
}

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static char *
join_sorted (GPtrArray *lines)
{
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, NULL);
  return g_strjoinv ("", (char **) lines->pdata);
}

static char *
expect (Fixture *f, gboolean everything)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < f->n_jobs; i++)
    if (everything || !job_state_is_final (f->statuses[i].state))
      note_job (f->records[i], &f->statuses[i], lines);
  return join_sorted (lines);
}

static void
assert_visited (Fixture *f, gboolean everything)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *expected = expect (f, everything), *found = NULL;
  g_autoptr (GError) error = NULL;

  job_ledger_visit (f->ledger, everything, note_job, lines, &error);
  g_assert_no_error (error);
  found = join_sorted (lines);
  g_assert_cmpstr (found, ==, expected);
}

static void
assert_read (Fixture *f, guint number)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) error = NULL;

  job_ledger_read (f->ledger, &f->records[number]->id, &record, &status, &error);
  g_assert_no_error (error);
  g_assert_nonnull (record);
  g_assert_cmpstr (record->args, ==, f->records[number]->args);
  g_assert_cmpint (status.state, ==, f->statuses[number].state);
  g_assert_cmpstr (status.outcome, ==, f->statuses[number].outcome);
}

static void
assert_dependents (Fixture *f, guint number)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (JobId));
  guint n = 0;

  for (guint i = 1; i < f->n_jobs; i++)
    n += i / 2 == number;
  g_assert_true (job_ledger_list_dependents (f->ledger, &f->records[number]->id, ids, NULL));
  g_assert_cmpuint (ids->len, ==, n);
  for (guint i = 0; i < ids->len; i++)
    for (guint j = 0; j < i; j++)
      g_assert_false (
          job_id_equal (&g_array_index (ids, JobId, i), &g_array_index (ids, JobId, j)));
}

void
assert_whole (Fixture *f)
{
  JobId absent = id_of (MAX_JOBS);
  JobRecord *record = (JobRecord *) f;
  JobStatus status = { 0 };

  assert_visited (f, TRUE);
  assert_visited (f, FALSE);
  for (guint i = 0; i < f->n_jobs; i += 1 + f->n_jobs / 50)
    {
      assert_read (f, i);
      assert_dependents (f, i);
    }
  g_assert_true (job_ledger_read (f->ledger, &absent, &record, &status, NULL));
  g_assert_null (record);
}

void
assert_trace (Fixture *f, const char *expected)
{
  g_autofree char *trace = fault_store_take_trace (f->store);

  g_assert_cmpstr (trace, ==, expected);
}

void
checkpoint (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  job_ledger_checkpoint (f->ledger, &error);
  g_assert_no_error (error);
}

void
assert_checkpoint_fails (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (job_ledger_checkpoint (f->ledger, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
}

void
fill (Fixture *f)
{
  add_jobs (f, 20);
  change_job (f, 3, JOB_STATE_RUNNING, 1);
  change_job (f, 4, JOB_STATE_SUCCEEDED, 1);
  checkpoint (f);
  add_jobs (f, 20);
  change_job (f, 3, JOB_STATE_SUCCEEDED, 1);
  change_job (f, 5, JOB_STATE_RUNNING, 1);
  change_job (f, 25, JOB_STATE_RUNNING, 1);
  change_job (f, 25, JOB_STATE_FAILED, 2);
  g_free (fault_store_take_trace (f->store));
}
