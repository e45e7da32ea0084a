/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The journal and the store as one, when calls of the store fail: whatever becomes of a checkpoint,
 * what was committed is read, by this opening and the next. */

#include "ledger-fixture.h"

#include <glib/gstdio.h>

/* --- failures --------------------------------------------------------------------------------- */

static void
test_failed_checkpoint_loses_nothing (Fixture *f, gconstpointer data)
{
  static const FaultCall calls[] = { FAULT_APPLY, FAULT_CHECKPOINT };

  fill (f);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      fault_store_fail (f->store, calls[i], 1);
      assert_checkpoint_fails (f);
      assert_whole (f);
      change_job (f, 6 + i, JOB_STATE_SUCCEEDED, 1);
      assert_whole (f);
    }
  checkpoint (f);
  assert_whole (f);
  reopen (f);
  assert_whole (f);
}

/* A checkpoint ends anywhere: at once, and after the next opening, all is as it was; and after as
 * many such openings as there may be. */
static void
test_torn_checkpoint_changes_nothing (Fixture *f, gconstpointer data)
{
  fill (f);
  for (gsize n = 0; n <= 22; n++)
    {
      fault_store_tear (f->store, 1, n);
      assert_checkpoint_fails (f);
      assert_whole (f);
      reopen (f);
      assert_whole (f);
    }
  reopen (f);
  assert_whole (f);
  checkpoint (f);
  assert_whole (f);
  g_unlink (f->first);
  g_unlink (f->second);
  reopen (f);
  assert_whole (f);
}

static void
test_torn_in_a_later_portion (Fixture *f, gconstpointer data)
{
  add_jobs (f, 500);
  fault_store_tear (f->store, 2, 100);
  assert_checkpoint_fails (f);
  assert_trace (f, "apply 200, apply 200");
  assert_whole (f);
  reopen (f);
  change_job (f, 250, JOB_STATE_RUNNING, 1);
  assert_whole (f);
  checkpoint (f);
  assert_whole (f);
}

/* The store has it all, and the crash comes before the journal is emptied: it is applied again. */
static void
test_replayed_over_a_whole_store (Fixture *f, gconstpointer data)
{
  g_autofree char *copy = NULL;
  gsize size;

  fill (f); /* with one checkpoint, so that the second segment is the active one */
  g_assert_true (g_file_get_contents (f->second, &copy, &size, NULL));
  for (guint i = 0; i < 2; i++)
    {
      checkpoint (f);
      crash (f);
      g_assert_true (g_file_set_contents (f->second, copy, (gssize) size, NULL));
      open_ledger (f, NO_CHECKPOINT);
      assert_whole (f);
    }
}

static void
test_failed_close_keeps_the_journal (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fill (f);
  fault_store_fail (f->store, FAULT_CHECKPOINT, 1);
  g_assert_false (job_ledger_close (f->ledger, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  assert_trace (f, "apply 22, checkpoint, close");
  reopen (f);
  assert_whole (f);
}

static void
test_failed_opening_closes_the_store (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  crash (f);
  g_assert_cmpint (g_mkdir (f->first, 0700), ==, 0);
  g_assert_false (try_open (f, NO_CHECKPOINT, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  assert_trace (f, "close");
}

static void
test_failed_read_is_told (Fixture *f, gconstpointer data)
{
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GArray) dependents = g_array_new (FALSE, FALSE, sizeof (JobId));
  g_autoptr (GError) error = NULL;

  fill (f);
  fault_store_fail (f->store, FAULT_READ, 1);
  g_assert_false (job_ledger_read (f->ledger, &f->records[5]->id, &record, &status, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_clear_error (&error);
  fault_store_fail (f->store, FAULT_LIST_DEPENDENTS, 1);
  g_assert_false (job_ledger_list_dependents (f->ledger, &f->records[5]->id, dependents, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_cmpuint (dependents->len, ==, 0);
  g_clear_error (&error);
  fault_store_fail (f->store, FAULT_VISIT, 1);
  g_assert_false (job_ledger_visit (f->ledger, TRUE, note_job, f, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  assert_whole (f);
}

#define ADD(path, func) ADD_TEST ("/ledger/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("failed-checkpoint-loses-nothing", test_failed_checkpoint_loses_nothing);
  ADD ("torn-checkpoint-changes-nothing", test_torn_checkpoint_changes_nothing);
  ADD ("torn-in-a-later-portion", test_torn_in_a_later_portion);
  ADD ("replayed-over-a-whole-store", test_replayed_over_a_whole_store);
  ADD ("failed-close-keeps-the-journal", test_failed_close_keeps_the_journal);
  ADD ("failed-opening-closes-the-store", test_failed_opening_closes_the_store);
  ADD ("failed-read-is-told", test_failed_read_is_told);

  return g_test_run ();
}
