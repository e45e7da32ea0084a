/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store that follows the journal in a thread of its own: what goes on meanwhile, who waits, and
 * what becomes of a store that fails or is slow. */

#include "ledger-fixture.h"

#include "job-memory-store.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define CAPACITY 4096
#define LEAST_JOB 64 /* bytes of journal that any job takes */

/* --- warnings --------------------------------------------------------------------------------- */

static GMutex warnings_lock;
static GCond warned;
static guint n_warnings; /* guarded by warnings_lock */

static void
count_warning (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  g_mutex_lock (&warnings_lock);
  n_warnings++;
  g_cond_signal (&warned);
  g_mutex_unlock (&warnings_lock);
}

static void
await_warning (guint number)
{
  g_mutex_lock (&warnings_lock);
  while (n_warnings < number)
    g_cond_wait (&warned, &warnings_lock);
  g_assert_cmpuint (n_warnings, ==, number);
  g_mutex_unlock (&warnings_lock);
}

/* --- helpers ---------------------------------------------------------------------------------- */

static void
begin (Fixture *f)
{
  g_mutex_lock (&warnings_lock);
  n_warnings = 0;
  g_mutex_unlock (&warnings_lock);
  crash (f);
  open_ledger (f, CAPACITY);
}

static gsize
get_file_size (const char *path)
{
  struct stat info;

  return stat (path, &info) == 0 ? (gsize) info.st_size : 0;
}

/* Until the journal has gone over to its second segment. */
static void
fill_first_segment (Fixture *f)
{
  g_assert_cmpuint (get_file_size (f->second), ==, 0);
  while (get_file_size (f->second) == 0)
    add_jobs (f, 1);
  g_assert_cmpuint (f->n_jobs, >, 10);
}

static void
begin_held (Fixture *f, FaultCall call)
{
  begin (f);
  fault_store_hold (f->store, call, 1);
  fill_first_segment (f);
  fault_store_await_held (f->store);
}

/* --- while it is at work ---------------------------------------------------------------------- */

static void
test_commits_go_on (Fixture *f, gconstpointer data)
{
  static const FaultCall calls[] = { FAULT_APPLY, FAULT_CHECKPOINT };

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      guint n_before;

      begin_held (f, calls[i]);
      n_before = f->n_jobs;
      add_jobs (f, 1);
      change_job (f, 2, JOB_STATE_RUNNING, 1);
      change_job (f, n_before, JOB_STATE_SUCCEEDED, 1);
      g_assert_cmpuint (get_file_size (f->first), <=, CAPACITY + 64);
      fault_store_let_go (f->store);
      assert_whole (f);
      checkpoint (f);
      assert_whole (f);
      reopen (f);
      assert_whole (f);
      crash (f);
      g_remove (f->first);
      g_remove (f->second);
      open_ledger (f, CAPACITY);
      assert_whole (f);
    }
}

static void
test_reads_of_the_journal_go_on (Fixture *f, gconstpointer data)
{
  begin_held (f, FAULT_CHECKPOINT);
  for (guint i = 0; i < f->n_jobs; i++)
    {
      g_autoptr (JobRecord) record = NULL;
      g_auto (JobStatus) status = { 0 };
      g_autoptr (GError) error = NULL;

      g_assert_true (job_ledger_is_at_hand (f->ledger, &f->records[i]->id));
      job_ledger_read (f->ledger, &f->records[i]->id, &record, &status, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (record->args, ==, f->records[i]->args);
    }
  fault_store_let_go (f->store);
  checkpoint (f);
  g_assert_false (job_ledger_is_at_hand (f->ledger, &f->records[0]->id));
  assert_whole (f);
}

/* A crash in the middle of it: both segments are found. */
static gpointer
let_go_later (gpointer data)
{
  Fixture *f = data;

  fault_store_let_go (f->store);
  return NULL;
}

static void
test_crash_finds_both_segments (Fixture *f, gconstpointer data)
{
  GThread *thread;

  begin_held (f, FAULT_APPLY);
  change_job (f, 2, JOB_STATE_RUNNING, 1);
  change_job (f, 3, JOB_STATE_SUCCEEDED, 1);
  fault_store_tear (f->store, 1, 3); /* of the calls from now on: that is after the one held */
  thread = g_thread_new ("let-go", let_go_later, f);
  crash (f);
  g_thread_join (thread);
  open_ledger (f, CAPACITY);
  g_free (fault_store_take_trace (f->store));
  add_jobs (f, 1); /* not applied before the store was visited: it learns from that what it needs */
  assert_trace (f, "");
  assert_whole (f);
  checkpoint (f);
  assert_whole (f);
}

/* --- who is faster than the store ------------------------------------------------------------- */

typedef struct
{
  Fixture *f;
  gint n_more; /* atomic: jobs that were committed */
} Writer;

static gpointer
write_on (gpointer data)
{
  Writer *writer = data;

  for (guint i = 0; i < 200; i++)
    {
      add_jobs (writer->f, 1);
      g_atomic_int_inc (&writer->n_more);
    }
  return NULL;
}

/* A store that stands still stops the writers, before the journal outgrows its size. */
static void
test_writers_wait_for_the_store (Fixture *f, gconstpointer data)
{
  Writer writer = { f, 0 };
  GThread *thread;

  begin_held (f, FAULT_APPLY);
  thread = g_thread_new ("writer", write_on, &writer);
  while (g_atomic_int_get (&writer.n_more) < 2)
    g_thread_yield ();
  for (guint i = 0; i < 10000; i++) /* time enough to do what it must not */
    g_thread_yield ();
  g_assert_cmpint (g_atomic_int_get (&writer.n_more), <, CAPACITY / 4 / LEAST_JOB);
  fault_store_let_go (f->store);
  g_thread_join (thread);
  g_assert_cmpint (writer.n_more, ==, 200);
  g_assert_cmpuint (get_file_size (f->first), <=, CAPACITY + 64);
  g_assert_cmpuint (get_file_size (f->second), <=, CAPACITY + 64);
  assert_whole (f);
}

/* More than a segment takes, at once: it is taken, and the file is as small as before after it. */
static void
test_large_batch_is_taken (Fixture *f, gconstpointer data)
{
  begin (f);
  add_jobs (f, 1);
  add_jobs (f, 500);
  add_jobs (f, 1);
  assert_whole (f);
  reopen (f);
  assert_whole (f);
  crash (f);
  open_ledger (f, CAPACITY);
  checkpoint (f);
  add_jobs (f, 1);
  checkpoint (f);
  g_assert_cmpuint (get_file_size (f->first), <=, CAPACITY + 64);
  g_assert_cmpuint (get_file_size (f->second), <=, CAPACITY + 64);
}

/* --- a store that fails ----------------------------------------------------------------------- */

static void
test_failing_store_fills_the_journal (Fixture *f, gconstpointer data)
{
  static const FaultCall calls[] = { FAULT_APPLY, FAULT_CHECKPOINT };

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      JobChange change = { 0 };
      g_autoptr (GError) error = NULL;
      guint n_more = 0;

      begin (f);
      fault_store_fail (f->store, calls[i], 1);
      fill_first_segment (f);
      await_warning (1);
      assert_whole (f);

      fault_store_fail (f->store, calls[i], 1);
      change = (JobChange){ .id = f->records[2]->id, .status = f->statuses[2] };
      while (try_commit (f, &change, 1, &error))
        n_more++;
      g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
      g_assert_nonnull (strstr (error->message, "journal is full"));
      g_assert_nonnull (strstr (error->message, "was made to fail"));
      g_assert_cmpuint (n_more, >, 10);
      assert_whole (f);

      add_jobs (f, 1);
      assert_whole (f);
      await_warning (1); /* who waited for the second attempt was told by its error */
      crash (f);
      g_remove (f->first);
      g_remove (f->second);
      g_clear_object (&f->disk);
      f->disk = job_memory_store_new ();
      forget_jobs (f);
      open_ledger (f, CAPACITY);
    }
}

/* --- a disk that fails ------------------------------------------------------------------------ */

static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = size;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* With room for the other segment, and without; with the other one in use, too. */
static void
test_failed_write_never_was (Fixture *f, gconstpointer data)
{
  static const rlim_t limits[] = { 100, 0 };

  signal (SIGXFSZ, SIG_IGN);
  begin (f);
  add_jobs (f, 5);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (limits); i++)
    {
      JobChange change = { .id = f->records[2]->id, .status = { .state = JOB_STATE_FAILED } };
      g_autoptr (GError) error = NULL;
      gboolean hold = i >= G_N_ELEMENTS (limits);

      if (hold)
        {
          fault_store_hold (f->store, FAULT_APPLY, 1);
          while (get_file_size (f->second) < 100)
            add_jobs (f, 1);
          fault_store_await_held (f->store);
        }
      limit_files (limits[i % G_N_ELEMENTS (limits)]);
      g_assert_false (try_commit (f, &change, 1, &error));
      limit_files (RLIM_INFINITY);
      g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
      if (hold)
        fault_store_let_go (f->store);
      assert_whole (f);
      change_job (f, 1, JOB_STATE_RUNNING, i);
      reopen (f);
      assert_whole (f);
      checkpoint (f);
      crash (f);
      g_remove (f->first);
      g_remove (f->second);
      open_ledger (f, CAPACITY);
      add_jobs (f, 1);
    }
}

#define ADD(path, func) ADD_TEST ("/ledger/applier/" path, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_log_set_handler ("jobqueue", G_LOG_LEVEL_WARNING, count_warning, NULL);

  ADD ("commits-go-on", test_commits_go_on);
  ADD ("reads-of-the-journal-go-on", test_reads_of_the_journal_go_on);
  ADD ("crash-finds-both-segments", test_crash_finds_both_segments);
  ADD ("writers-wait-for-the-store", test_writers_wait_for_the_store);
  ADD ("large-batch-is-taken", test_large_batch_is_taken);
  ADD ("failing-store-fills-the-journal", test_failing_store_fills_the_journal);
  ADD ("failed-write-never-was", test_failed_write_never_was);

  return g_test_run ();
}
