/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the fs-json store writes: what a crash, a failed write or damage leaves, and how fast it
 * opens what it wrote. */

#include "fs-json-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GOOD "bc85084e-c815-4646-b2c3-540b3b3a9934"
#define OTHER "be60d5c8-badd-4687-88b9-28f5669202af"

#define GOOD_FILE "{\"id\":\"" GOOD "\",\"type\":\"t\",\"queued_at\":\"2026-01-01T00:00:00Z\"}\n"

/* What comes once right before, or right after, a file is opened for reading, as if from another
 * thread. */
static void (*before_open) (Fixture *fixture);
static void (*after_open) (Fixture *fixture);
static Fixture *opened;

static void
run_hook (void (**hook) (Fixture *fixture))
{
  void (*function) (Fixture * fixture) = *hook;

  *hook = NULL;
  if (function != NULL)
    function (opened);
}

/* In place of the C library's, for the store. */
int
openat64 (int folder, const char *name, int flags, ...)
{
  gboolean reads = (flags & (O_ACCMODE | O_CREAT | O_DIRECTORY)) == O_RDONLY;
  va_list arguments;
  mode_t mode;
  int fd;

  va_start (arguments, flags);
  mode = (flags & O_CREAT) != 0 ? va_arg (arguments, mode_t) : 0;
  va_end (arguments);
  if (reads)
    run_hook (&before_open);
  fd = (int) syscall (SYS_openat, folder, name, flags, mode);
  if (reads)
    run_hook (&after_open);
  return fd;
}

static GMutex sync_lock; /* guards the rest */
static GCond sync_changed;
static guint n_syncs;      /* how many have begun */
static gboolean fail_sync; /* the next one */

/* In place of the C library's, for the store. */
int
syncfs (int fd)
{
  gboolean failing;

  g_mutex_lock (&sync_lock);
  n_syncs++;
  failing = fail_sync;
  fail_sync = FALSE;
  g_cond_signal (&sync_changed);
  g_mutex_unlock (&sync_lock);
  if (!failing)
    return (int) syscall (SYS_syncfs, fd);
  errno = EIO;
  return -1;
}

static guint
count_syncs (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&sync_lock);

  return n_syncs;
}

static void
test_pending (Fixture *fixture, gconstpointer data)
{
  JobId id = parse_id (GOOD);
  JobStatus first = make_status (JOB_STATE_RUNNING), second = make_status (JOB_STATE_SUCCEEDED);
  g_auto (JobStatus) read = { 0 };
  g_autofree char *before = NULL, *open = NULL, *after = NULL;

  fixture_put (fixture, GOOD ".json", GOOD_FILE);
  fixture_open (fixture);
  apply_status (fixture->store, &id, &first);
  apply_status (fixture->store, &id, &second);
  g_assert_cmpuint (fixture_count (fixture, ".tmp"), ==, 1);
  read = read_status (fixture->store, GOOD);
  g_assert_cmpint (read.state, ==, JOB_STATE_SUCCEEDED);
  open = visit_ids (fixture->store, FALSE);
  g_assert_cmpstr (open, ==, "");
  g_assert_cmpuint (count_damage (fixture->store), ==, 0);
  before = fixture_get (fixture, GOOD ".json");
  g_assert_cmpstr (before, ==, GOOD_FILE);
  checkpoint (fixture->store);
  g_assert_cmpuint (fixture_count (fixture, ".tmp"), ==, 0);
  after = fixture_get (fixture, GOOD ".json");
  g_assert_nonnull (strstr (after, "\"finished_at\":\"2026"));
}

/* The journal would bring the change again. */
static void
test_crash (Fixture *fixture, gconstpointer data)
{
  JobId id = parse_id (GOOD);
  JobStatus status = make_status (JOB_STATE_SUCCEEDED);
  g_auto (JobStatus) read = { 0 };
  g_autofree char *open = NULL, *text = NULL;

  fixture_put (fixture, GOOD ".json", GOOD_FILE);
  fixture_open (fixture);
  apply_status (fixture->store, &id, &status);
  fixture_crash (fixture);
  text = fixture_get (fixture, GOOD ".json");
  g_assert_cmpstr (text, ==, GOOD_FILE);
  fixture_open (fixture);
  apply_status (fixture->store, &id, &status);
  open = visit_ids (fixture->store, FALSE);
  g_assert_cmpuint (fixture_count (fixture, ".tmp"), ==, 1);
  fixture_close (fixture);
  g_assert_cmpuint (fixture_count (fixture, ".tmp"), ==, 0);
  fixture_open (fixture);
  read = read_status (fixture->store, GOOD);
  g_assert_cmpint (read.state, ==, JOB_STATE_SUCCEEDED);
}

static void
check_torn (Fixture *fixture, const char *torn)
{
  g_autoptr (JobRecord) record = make_record ("t", "[\"long enough to be torn\"]", 0, NULL);
  g_autofree char *id = job_id_dup_text (&record->id);
  g_autofree char *name = g_strconcat (id, ".json", NULL);
  JobStatus waiting = make_status (JOB_STATE_PENDING), done = make_status (JOB_STATE_SUCCEEDED);
  g_auto (JobStatus) read = { 0 }, last = { 0 };
  g_autoptr (JobRecord) found = NULL;

  fixture_put (fixture, name, torn);
  fixture_open (fixture);
  apply_record (fixture->store, record, &waiting);
  found = read_job (fixture->store, &record->id, &read);
  g_assert_cmpstr (found->args, ==, record->args);
  apply_status (fixture->store, &record->id, &done);
  fixture_close (fixture);
  fixture_open (fixture);
  last = read_status (fixture->store, id);
  g_assert_cmpint (last.state, ==, JOB_STATE_SUCCEEDED);
  fixture_close (fixture);
}

static void
test_torn (Fixture *fixture, gconstpointer data)
{
  check_torn (fixture, "");
  check_torn (fixture, "{\"id\":\"01");
  check_torn (fixture, "{\"id\":\"01                                                            "
                       "                                                                         "
                       "                                                                         "
                       "                                                                         "
                       "                                         and longer than the new one");
}

static void
test_again (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JobRecord) record = make_record ("t", "null", 0, NULL);
  JobStatus waiting = make_status (JOB_STATE_PENDING), done = make_status (JOB_STATE_SUCCEEDED);
  g_autofree char *once = NULL, *twice = NULL;

  fixture_open (fixture);
  apply_record (fixture->store, record, &waiting);
  apply_status (fixture->store, &record->id, &done);
  checkpoint (fixture->store);
  once = fixture_get_job (fixture, &record->id);
  apply_record (fixture->store, record, &waiting);
  apply_status (fixture->store, &record->id, &done);
  checkpoint (fixture->store);
  twice = fixture_get_job (fixture, &record->id);
  g_assert_cmpstr (once, ==, twice);
  g_assert_cmpuint (fixture_count (fixture, ""), ==, 1);
}

static void
test_damaged_meanwhile (Fixture *fixture, gconstpointer data)
{
  JobId id = parse_id (GOOD), gone = parse_id (OTHER);
  JobStatus status = make_status (JOB_STATE_SUCCEEDED);
  g_autoptr (JobDamage) damage = NULL;
  g_autofree char *text = NULL;

  fixture_put (fixture, GOOD ".json", "{");
  fixture_open (fixture);
  g_test_expect_message ("jobqueue", G_LOG_LEVEL_WARNING, "*succeeded*" GOOD "*damaged*");
  apply_status (fixture->store, &id, &status);
  g_test_assert_expected_messages ();
  g_test_expect_message ("jobqueue", G_LOG_LEVEL_WARNING, "*succeeded*" OTHER "*gone*");
  apply_status (fixture->store, &gone, &status);
  g_test_assert_expected_messages ();
  checkpoint (fixture->store);
  damage = find_damage (fixture->store, GOOD ".json");
  g_assert_nonnull (damage);
  g_assert_cmpuint (count_damage (fixture->store), ==, 2);
  text = fixture_get (fixture, GOOD ".json");
  g_assert_cmpstr (text, ==, "{");
}

/* No file may be larger than @size; 0: as it was. */
static void
limit_files (rlim_t size)
{
  static struct rlimit former;
  struct rlimit limit;

  if (size == 0)
    limit = former;
  else
    {
      g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &former), ==, 0);
      limit = (struct rlimit){ size, former.rlim_max };
    }
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
test_failed_write (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (8000, '1');
  g_autofree char *args = g_strdup_printf ("\"%s\"", large);
  g_autoptr (JobRecord) record = make_record ("t", args, 0, NULL);
  g_autofree char *new_id = job_id_dup_text (&record->id);
  g_autofree char *name = g_strconcat (new_id, ".json", NULL);
  JobId id = parse_id (GOOD);
  JobStatus waiting = make_status (JOB_STATE_PENDING), done = make_status (JOB_STATE_SUCCEEDED);
  g_auto (JobStatus) read = { 0 };
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  signal (SIGXFSZ, SIG_IGN);
  done.outcome = args;
  fixture_put (fixture, GOOD ".json", GOOD_FILE);
  fixture_open (fixture);
  limit_files (4000);
  g_assert_false (try_apply (fixture->store, &record->id, record, &waiting, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, name));
  g_assert_nonnull (strstr (error->message, g_strerror (EFBIG)));
  g_clear_error (&error);
  g_assert_false (fixture_has (fixture, name));
  g_assert_false (try_apply (fixture->store, &id, NULL, &done, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  limit_files (0);

  g_assert_cmpuint (fixture_count (fixture, ""), ==, 1);
  read = read_status (fixture->store, GOOD);
  g_assert_cmpint (read.state, ==, JOB_STATE_PENDING);
  text = fixture_get (fixture, GOOD ".json");
  g_assert_cmpstr (text, ==, GOOD_FILE);
  apply_record (fixture->store, record, &waiting);
  apply_status (fixture->store, &id, &done);
  fixture_close (fixture);
  g_assert_cmpuint (fixture_count (fixture, ".json"), ==, 2);
}

static void
finish (Fixture *fixture)
{
  JobId id = parse_id (GOOD);
  JobStatus done = make_status (JOB_STATE_SUCCEEDED);

  apply_status (fixture->store, &id, &done);
}

static void
settle (Fixture *fixture)
{
  checkpoint (fixture->store);
}

static void
finish_and_settle (Fixture *fixture)
{
  finish (fixture);
  settle (fixture);
}

/* Reads the good job, and tells its state. */
static JobState
read_good (Fixture *fixture)
{
  g_auto (JobStatus) read = read_status (fixture->store, GOOD);

  g_assert_null (before_open);
  g_assert_null (after_open);
  g_assert_cmpuint (count_damage (fixture->store), ==, 0);
  return read.state;
}

static void
test_read_beside (Fixture *fixture, gconstpointer data)
{
  JobId id = parse_id (GOOD);
  JobStatus running = make_status (JOB_STATE_RUNNING);

  opened = fixture;
  fixture_put (fixture, GOOD ".json", GOOD_FILE);
  fixture_open (fixture);
  /* The temporary file takes the job's name, after it was looked up. */
  apply_status (fixture->store, &id, &running);
  before_open = settle;
  g_assert_cmpint (read_good (fixture), ==, JOB_STATE_RUNNING);
  /* A newer one comes. */
  apply_status (fixture->store, &id, &running);
  before_open = finish;
  g_assert_cmpint (read_good (fixture), ==, JOB_STATE_SUCCEEDED);
  /* … and takes the job's name. */
  apply_status (fixture->store, &id, &running);
  before_open = finish_and_settle;
  g_assert_cmpint (read_good (fixture), ==, JOB_STATE_SUCCEEDED);
  /* The job's file itself, which is open, is replaced. */
  apply_status (fixture->store, &id, &running);
  settle (fixture);
  after_open = finish_and_settle;
  g_assert_cmpint (read_good (fixture), ==, JOB_STATE_SUCCEEDED);
}

/* As many as make the store begin a sync; waits until that has begun. */
static void
apply_many (Fixture *fixture, gboolean failing)
{
  JobStatus waiting = make_status (JOB_STATE_PENDING);
  g_autoptr (GMutexLocker) locker = NULL;

  n_syncs = 0;
  fail_sync = failing;
  fixture_open (fixture);
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (JobRecord) record = make_record ("t", "null", 0, NULL);

      apply_record (fixture->store, record, &waiting);
    }
  locker = g_mutex_locker_new (&sync_lock);
  while (n_syncs == 0)
    g_cond_wait (&sync_changed, &sync_lock);
}

static void
test_sync (Fixture *fixture, gconstpointer data)
{
  apply_many (fixture, FALSE);
  g_assert_cmpuint (count_syncs (), ==, 1);
  checkpoint (fixture->store);
  g_assert_cmpuint (count_syncs (), ==, 2);
}

static void
test_failed_sync (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) first = NULL, second = NULL;

  apply_many (fixture, TRUE);
  g_assert_false (job_store_checkpoint (fixture->store, &first));
  g_assert_error (first, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_nonnull (strstr (first->message, g_strerror (EIO)));
  g_assert_false (job_store_checkpoint (fixture->store, &second));
  g_assert_error (second, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_cmpuint (count_syncs (), ==, 1);
}

/* How long the opening of many finished jobs takes, for -m perf. */
static void
test_open_many (Fixture *fixture, gconstpointer data)
{
  const guint n = g_test_perf () ? 20000 : 200;
  JobStatus done = make_status (JOB_STATE_SUCCEEDED);
  g_autofree char *open = NULL;
  gint64 started;

  done.outcome = (char *) "{\"exit\":0,\"stdout\":\"0123456789abcdef0123456789abcdef\"}";
  fixture_open (fixture);
  started = g_get_monotonic_time ();
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (JobRecord) record =
          make_record ("t", "{\"argv\":[\"sha256sum\",\"--\",\"a/file/somewhere\"]}", 0, NULL);

      apply_record (fixture->store, record, &done);
    }
  g_test_message ("written in %.3f s", (g_get_monotonic_time () - started) / 1e6);
  fixture_close (fixture);
  started = g_get_monotonic_time ();
  fixture_open (fixture);
  open = visit_ids (fixture->store, FALSE);
  g_test_minimized_result ((g_get_monotonic_time () - started) / 1e6, "%u jobs opened in %.3f s", n,
                           (g_get_monotonic_time () - started) / 1e6);
  g_assert_cmpstr (open, ==, "");
}

#define ADD(path, func)                                                                            \
  g_test_add ("/fs-json/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("open/many-finished-jobs", test_open_many);
  ADD ("write/a-new-status-is-read-before-the-checkpoint", test_pending);
  ADD ("write/a-file-is-whole-to-who-reads-beside-a-change", test_read_beside);
  ADD ("write/a-crash-leaves-the-old-status", test_crash);
  ADD ("write/a-torn-new-file-is-written-again", test_torn);
  ADD ("write/twice-is-as-once", test_again);
  ADD ("write/a-failure-changes-nothing", test_failed_write);
  ADD ("write/a-checkpoint-syncs-what-came-after-an-earlier-sync", test_sync);
  ADD ("write/a-sync-that-failed-fails-each-checkpoint-after-it", test_failed_sync);
  ADD ("write/damage-loses-only-its-own-changes", test_damaged_meanwhile);

  return g_test_run ();
}
