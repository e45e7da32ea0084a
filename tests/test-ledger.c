/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The journal and the store as one: what was committed is read, wherever it is kept; and what is
 * damaged in the store. */

#include "ledger-fixture.h"

/* --- without faults --------------------------------------------------------------------------- */

static void
test_reads_see_the_journal_over_the_store (Fixture *f, gconstpointer data)
{
  fill (f);
  g_assert_false (job_ledger_is_quick (f->ledger));
  assert_whole (f);
  assert_trace (f, "");
  reopen (f);
  assert_whole (f);
}

static void
test_checkpoint_folds (Fixture *f, gconstpointer data)
{
  fill (f);
  checkpoint (f);
  assert_trace (f, "apply 22, checkpoint");
  assert_whole (f);
  checkpoint (f);
  assert_trace (f, "");
  reopen (f);
  assert_whole (f);
}

static void
test_checkpoint_in_portions (Fixture *f, gconstpointer data)
{
  add_jobs (f, 500);
  checkpoint (f);
  assert_trace (f, "apply 200, apply 200, apply 100, checkpoint");
  assert_whole (f);
}

static void
test_close_leaves_the_store_alone (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fill (f);
  g_assert_true (job_ledger_close (f->ledger, &error));
  g_assert_no_error (error);
  assert_trace (f, "apply 22, checkpoint, close clean");
  g_assert_false (g_file_test (f->first, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (f->second, G_FILE_TEST_EXISTS));
  g_assert_true (job_ledger_close (f->ledger, &error));
  reopen (f);
  assert_whole (f);
}

static void
test_without_a_journal_apply_is_the_commit (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  JobChange change = { 0 };

  crash (f);
  g_clear_pointer (&f->journal, g_free);
  open_ledger (f, NO_CHECKPOINT);
  f->journal = g_build_filename (f->folder, "journal", NULL);
  g_assert_true (job_ledger_is_quick (f->ledger));
  add_jobs (f, 3);
  assert_trace (f, "apply 3");
  change.id = f->records[2]->id;
  fault_store_fail (f->store, FAULT_APPLY, 1);
  g_assert_false (try_commit (f, &change, 1, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  assert_whole (f);
}

/* --- damage ----------------------------------------------------------------------------------- */

static guint
count_damaged (Fixture *f)
{
  g_autoptr (GPtrArray) damaged = job_ledger_list_damaged (f->ledger);

  return damaged->len;
}

static void
test_damage_that_the_journal_covers_is_none (Fixture *f, gconstpointer data)
{
  fill (f);
  fault_store_tear (f->store, 1, 22);
  assert_checkpoint_fails (f);
  fault_store_damage (f->store, &f->records[30]->id);
  g_assert_cmpuint (count_damaged (f), ==, 0);
  assert_whole (f);
  checkpoint (f);
  g_assert_cmpuint (count_damaged (f), ==, 0);
  assert_whole (f);
}

/* The journal knows how it stands, but not what it is. */
static void
test_damage_that_it_does_not_cover_is_listed (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) error = NULL;

  fill (f);
  fault_store_damage (f->store, &f->records[5]->id);
  g_assert_cmpuint (count_damaged (f), ==, 1);
  g_assert_false (job_ledger_read (f->ledger, &f->records[5]->id, &record, &status, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  g_assert_true (job_ledger_visit (f->ledger, TRUE, note_job, lines, NULL));
  g_assert_cmpuint (lines->len, ==, f->n_jobs - 1);
  checkpoint (f);
  g_assert_cmpuint (count_damaged (f), ==, 1);
}

/* --- threads ---------------------------------------------------------------------------------- */

static gpointer
checkpoint_in_thread (gpointer data)
{
  checkpoint (data);
  return NULL;
}

static gpointer
read_in_thread (gpointer data)
{
  assert_whole (data);
  return NULL;
}

/* One call at a time gets in: a reader that comes during a checkpoint has the right answer. */
static void
test_reads_wait_for_a_checkpoint (Fixture *f, gconstpointer data)
{
  GThread *writer, *reader;

  fill (f);
  fault_store_hold (f->store, FAULT_CHECKPOINT, 1);
  writer = g_thread_new ("checkpoint", checkpoint_in_thread, f);
  fault_store_await_held (f->store);
  reader = g_thread_new ("reader", read_in_thread, f);
  fault_store_let_go (f->store);
  g_thread_join (reader);
  g_thread_join (writer);
  assert_whole (f);
}

#define ADD(path, func) ADD_TEST ("/ledger/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("reads-see-the-journal-over-the-store", test_reads_see_the_journal_over_the_store);
  ADD ("checkpoint-folds", test_checkpoint_folds);
  ADD ("checkpoint-in-portions", test_checkpoint_in_portions);
  ADD ("close-leaves-the-store-alone", test_close_leaves_the_store_alone);
  ADD ("without-a-journal-apply-is-the-commit", test_without_a_journal_apply_is_the_commit);
  ADD ("damage-that-the-journal-covers-is-none", test_damage_that_the_journal_covers_is_none);
  ADD ("damage-that-it-does-not-cover-is-listed", test_damage_that_it_does_not_cover_is_listed);
  ADD ("reads-wait-for-a-checkpoint", test_reads_wait_for_a_checkpoint);

  return g_test_run ();
}
