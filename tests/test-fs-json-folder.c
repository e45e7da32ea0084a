/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The folder of the fs-json store: who may have it, what lies about in it, and what a failed write
 * or a crash leaves. */

#include "fs-json-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOOD "bc85084e-c815-4646-b2c3-540b3b3a9934"
#define OTHER "be60d5c8-badd-4687-88b9-28f5669202af"

#define GOOD_FILE "{\"id\":\"" GOOD "\",\"type\":\"t\",\"queued_at\":\"2026-01-01T00:00:00Z\"}\n"

static char *
get_path (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, name, NULL);
}

static mode_t
get_mode (const char *path)
{
  GStatBuf st;

  g_assert_cmpint (g_stat (path, &st), ==, 0);
  return st.st_mode & 07777;
}

static void
assert_refused (const char *folder, JobError code, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_fs_json_store_new (folder, &error));
  g_assert_error (error, JOB_ERROR, (gint) code);
  if (strstr (error->message, message) == NULL || strstr (error->message, folder) == NULL)
    g_error ("“%s” or the folder is not in: %s", message, error->message);
}

/* Opening. */

static void
test_modes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JobRecord) record = make_record ("t", "null", 0, NULL);
  g_autofree char *id = job_id_dup_text (&record->id);
  g_autofree char *name = g_strconcat (id, ".json", NULL);
  g_autofree char *path = get_path (fixture, name);
  JobStatus status = make_status (JOB_STATE_PENDING);
  mode_t old = umask (0577);

  fixture_open (fixture);
  apply_record (fixture->store, record, &status);
  g_assert_cmpuint (get_mode (fixture->folder), ==, 0700);
  g_assert_cmpuint (get_mode (path), ==, 0600);
  umask (0);
  apply_status (fixture->store, &record->id, &status);
  checkpoint (fixture->store);
  g_assert_cmpuint (get_mode (path), ==, 0600);
  umask (old);
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  g_autofree char *inner = g_build_filename (fixture->folder, "jobs", NULL);

  assert_refused (inner, JOB_ERROR_STORAGE, "does not exist; create that first");
  fixture_put (fixture, "file", "x");
  g_free (inner);
  inner = get_path (fixture, "file");
  assert_refused (inner, JOB_ERROR_STORAGE, "Not a directory");
  g_assert_cmpint (g_chmod (fixture->folder, 01777), ==, 0);
  assert_refused (fixture->folder, JOB_ERROR_STORAGE, "mode 1777");
  g_assert_cmpint (g_chmod (fixture->folder, 0707), ==, 0);
  assert_refused (fixture->folder, JOB_ERROR_STORAGE, "mode 0707");
  g_assert_cmpint (g_chmod (fixture->folder, 0755), ==, 0);
  fixture_open (fixture);
}

static void
test_strangers_folder (Fixture *fixture, gconstpointer data)
{
  if (geteuid () != 0)
    {
      g_test_skip ("only root can give a folder to somebody else");
      return;
    }
  fixture_put (fixture, GOOD ".json", GOOD_FILE);
  g_assert_cmpint (chown (fixture->folder, 4711, 4711), ==, 0);
  assert_refused (fixture->folder, JOB_ERROR_STORAGE, "belongs to user 4711");
}

static void
test_locked_here (Fixture *fixture, gconstpointer data)
{
  g_autofree char *pid = g_strdup_printf ("pid %d", getpid ());

  fixture_open (fixture);
  assert_refused (fixture->folder, JOB_ERROR_LOCKED, pid);
  fixture_close (fixture);
  fixture_open (fixture);
}

/* Holds the lock, says so, and waits to be killed. */
static G_GNUC_NORETURN void
hold_lock (const char *folder, int ready)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY);

  if (fd < 0 || flock (fd, LOCK_EX) != 0 || write (ready, "x", 1) != 1)
    _exit (1);
  for (;;)
    pause ();
}

static void
test_locked_elsewhere (Fixture *fixture, gconstpointer data)
{
  g_autofree char *message = NULL;
  int ready[2], status;
  char byte;
  pid_t pid;

  g_assert_cmpint (g_mkdir (fixture->folder, 0700), ==, 0);
  g_assert_cmpint (pipe (ready), ==, 0);
  pid = fork ();
  if (pid == 0)
    hold_lock (fixture->folder, ready[1]);
  close (ready[1]);
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  close (ready[0]);
  message = g_strdup_printf ("pid %d", pid);
  assert_refused (fixture->folder, JOB_ERROR_LOCKED, message);
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  fixture_open (fixture);
}

/* What lies about. */

static void
put_junk (Fixture *fixture)
{
  g_autofree char *folder = get_path (fixture, "11111111-1111-4111-8111-111111111111.json");
  g_autofree char *symbolic = get_path (fixture, "22222222-2222-4222-8222-222222222222.json");
  g_autofree char *fifo = get_path (fixture, "33333333-3333-4333-8333-333333333333.json");
  g_autofree char *good = get_path (fixture, "linked");
  g_autofree char *hard = get_path (fixture, "44444444-4444-4444-8444-444444444444.json");

  fixture_put (fixture, GOOD ".json", GOOD_FILE);
  fixture_put (fixture, "notes.txt", "x");
  fixture_put (fixture, "BC85084E-C815-4646-B2C3-540B3B3A9935.json", "{}");
  fixture_put (fixture, GOOD ".json.bak", GOOD_FILE);
  fixture_put (fixture, GOOD "-json", GOOD_FILE);
  fixture_put (fixture, "linked", "{}");
  fixture_put (fixture, "55555555-5555-4555-8555-555555555555.json", "");
  fixture_put (fixture, "66666666-6666-4666-8666-666666666666.json", "{\"id\":");
  fixture_put (fixture, "77777777-7777-4777-8777-777777777777.json", GOOD_FILE);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_assert_cmpint (symlink (GOOD ".json", symbolic), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (link (good, hard), ==, 0);
}

static void
assert_damage (Fixture *fixture, const char *name, const char *message, gboolean has_id)
{
  g_autoptr (JobDamage) damage = find_damage (fixture->store, name);
  g_autofree char *path = get_path (fixture, name);

  if (damage == NULL)
    g_error ("%s is not listed", name);
  g_assert_cmpstr (job_damage_get_location (damage), ==, path);
  if (strstr (job_damage_get_message (damage), message) == NULL)
    g_error ("“%s” is not in: %s", message, job_damage_get_message (damage));
  if (has_id)
    g_assert_true (g_str_has_prefix (name, job_damage_get_id (damage)));
  else
    g_assert_null (job_damage_get_id (damage));
  g_assert_true (fixture_has (fixture, name));
}

static void
test_junk (Fixture *fixture, gconstpointer data)
{
  g_autofree char *ids = NULL, *again = NULL;

  put_junk (fixture);
  fixture_open (fixture);
  ids = visit_ids (fixture->store, FALSE);
  g_assert_cmpstr (ids, ==, GOOD);
  assert_damage (fixture, "notes.txt", "not named as a job", FALSE);
  assert_damage (fixture, "linked", "not named as a job", FALSE);
  assert_damage (fixture, "BC85084E-C815-4646-B2C3-540B3B3A9935.json", "not named", FALSE);
  assert_damage (fixture, GOOD ".json.bak", "not named as a job", FALSE);
  assert_damage (fixture, GOOD "-json", "not named as a job", FALSE);
  assert_damage (fixture, "11111111-1111-4111-8111-111111111111.json", "regular file", TRUE);
  assert_damage (fixture, "22222222-2222-4222-8222-222222222222.json", "symbolic link", TRUE);
  assert_damage (fixture, "33333333-3333-4333-8333-333333333333.json", "regular file", TRUE);
  assert_damage (fixture, "44444444-4444-4444-8444-444444444444.json", "2 names", TRUE);
  assert_damage (fixture, "55555555-5555-4555-8555-555555555555.json", "empty", TRUE);
  assert_damage (fixture, "66666666-6666-4666-8666-666666666666.json", "at byte 6", TRUE);
  assert_damage (fixture, "77777777-7777-4777-8777-777777777777.json", "differs from", TRUE);
  g_assert_cmpuint (count_damage (fixture->store), ==, 12);
  fixture_close (fixture);

  fixture_open (fixture);
  again = visit_ids (fixture->store, TRUE);
  g_assert_cmpstr (again, ==, GOOD);
  g_assert_cmpuint (count_damage (fixture->store), ==, 12);
}

static void
test_leftovers (Fixture *fixture, gconstpointer data)
{
  g_autofree char *folder = get_path (fixture, OTHER ".json-2.tmp");
  g_autofree char *ids = NULL;

  fixture_put (fixture, GOOD ".json", GOOD_FILE);
  fixture_put (fixture, GOOD ".json-1946284.tmp", "{\"id\"");
  fixture_put (fixture, GOOD ".json.tmp", "");
  fixture_put (fixture, OTHER ".json-1.tmp", GOOD_FILE);
  fixture_put (fixture, "journal", "j");
  fixture_put (fixture, "journal-2", "j");
  fixture_put (fixture, "mine.tmp", "not a job's");
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  fixture_open (fixture);
  ids = visit_ids (fixture->store, FALSE);
  g_assert_cmpstr (ids, ==, GOOD);
  g_assert_false (fixture_has (fixture, GOOD ".json-1946284.tmp"));
  g_assert_false (fixture_has (fixture, GOOD ".json.tmp"));
  g_assert_false (fixture_has (fixture, OTHER ".json-1.tmp"));
  g_assert_true (fixture_has (fixture, "journal"));
  g_assert_true (fixture_has (fixture, "journal-2"));
  assert_damage (fixture, "mine.tmp", "not named as a job", FALSE);
  assert_damage (fixture, OTHER ".json-2.tmp", "regular file", FALSE);
  g_assert_cmpuint (count_damage (fixture->store), ==, 2);
}

static void
test_journal_path (Fixture *fixture, gconstpointer data)
{
  g_autofree char *expected = get_path (fixture, "journal");
  g_autofree char *path = NULL;

  fixture_open (fixture);
  path = job_store_dup_journal_path (fixture->store);
  g_assert_cmpstr (path, ==, expected);
}

static void
test_read_errors (Fixture *fixture, gconstpointer data)
{
  JobId damaged = parse_id (OTHER), absent = parse_id (GOOD);
  JobRecord *record = (JobRecord *) 1;
  JobStatus status = { 0 };
  g_autoptr (GError) error = NULL;

  fixture_put (fixture, OTHER ".json", "{");
  fixture_open (fixture);
  g_assert_true (job_store_read (fixture->store, &absent, &record, &status, &error));
  g_assert_no_error (error);
  g_assert_null (record);
  g_assert_false (job_store_read (fixture->store, &damaged, &record, &status, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, fixture->folder));
  g_assert_nonnull (strstr (error->message, OTHER ".json"));
  g_clear_error (&error);
  fixture_put (fixture, OTHER ".json",
               "{\"id\":\"" OTHER "\",\"type\":\"t\",\"jobqueue\":{\"version\":2}}");
  g_assert_false (job_store_read (fixture->store, &damaged, &record, &status, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_VERSION);
  g_clear_error (&error);
  /* Mended by hand. */
  fixture_put (fixture, OTHER ".json", "{\"id\":\"" OTHER "\",\"type\":\"t\"}");
  record = read_job (fixture->store, &damaged, &status);
  g_assert_cmpuint (count_damage (fixture->store), ==, 0);
  job_record_unref (record);
  job_status_clear (&status);
}

/* Moving away. */

static void
move (Fixture *fixture, const char *name, const char *directory, GError **error)
{
  g_autoptr (JobDamage) damage = find_damage (fixture->store, name);
  gboolean ok;

  g_assert_nonnull (damage);
  ok = job_store_move_damaged (fixture->store, damage, directory, error);
  g_assert_cmpint (ok, ==, error == NULL || *error == NULL);
  g_assert_cmpint (ok, ==, !fixture_has (fixture, name));
}

static void
check_move (Fixture *fixture, const char *directory)
{
  g_autofree char *moved = g_build_filename (directory, "notes.txt", NULL);
  g_autofree char *ids = NULL, *text = NULL;
  g_autoptr (JobDamage) damage = NULL;
  g_autoptr (GError) error = NULL;

  fixture_put (fixture, "notes.txt", "mine");
  fixture_open (fixture);
  ids = visit_ids (fixture->store, FALSE);
  damage = find_damage (fixture->store, "notes.txt");
  g_assert_true (g_file_set_contents (moved, "theirs", -1, NULL));
  move (fixture, "notes.txt", directory, &error);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_true (g_file_get_contents (moved, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "theirs");
  g_clear_pointer (&text, g_free);
  g_assert_cmpint (g_unlink (moved), ==, 0);

  move (fixture, "notes.txt", directory, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (moved, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "mine");
  g_assert_cmpuint (count_damage (fixture->store), ==, 0);
  g_assert_false (job_store_move_damaged (fixture->store, damage, directory, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND);
}

/* What a damaged journal had is in the way of the seed, and somebody should look at it. */
static void
test_journal_set_aside (Fixture *fixture, gconstpointer data)
{
  g_autofree char *directory = g_strconcat (fixture->folder, "-damaged", NULL);
  g_autofree char *ids = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  fixture_put (fixture, "journal-damaged-1", "bytes");
  fixture_put (fixture, "journal", "not the store's");
  fixture_open (fixture);
  ids = visit_ids (fixture->store, FALSE);
  g_assert_cmpuint (count_damage (fixture->store), ==, 1);
  move (fixture, "journal-damaged-1", directory, &error);
  g_assert_no_error (error);
  g_assert_true (fixture_has (fixture, "journal"));
}

static void
test_move (Fixture *fixture, gconstpointer data)
{
  g_autofree char *directory = g_strconcat (fixture->folder, "-damaged", NULL);

  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  check_move (fixture, directory);
}

static void
test_move_far (Fixture *fixture, gconstpointer data)
{
  g_autofree char *directory = g_strdup ("/dev/shm/fs-json-XXXXXX");
  g_autofree char *moved = NULL, *parent = g_path_get_dirname (fixture->folder);
  GStatBuf here, there;

  if (g_mkdtemp (directory) == NULL)
    {
      g_test_skip ("there is no other file system to write to");
      return;
    }
  g_assert_cmpint (g_stat (directory, &there), ==, 0);
  g_assert_cmpint (g_stat (parent, &here), ==, 0);
  if (here.st_dev == there.st_dev)
    g_test_skip ("/dev/shm is the file system of the temporary folder");
  else
    check_move (fixture, directory);
  moved = g_build_filename (directory, "notes.txt", NULL);
  g_unlink (moved);
  g_rmdir (directory);
}

static void
test_move_kinds (Fixture *fixture, gconstpointer data)
{
  g_autofree char *directory = g_strconcat (fixture->folder, "-damaged", NULL);
  g_autofree char *missing = g_strconcat (fixture->folder, "-missing", NULL);
  g_autofree char *gone = get_path (fixture, "linked");
  g_autofree char *ids = NULL, *again = NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GError) error = NULL;

  put_junk (fixture);
  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  fixture_open (fixture);
  ids = visit_ids (fixture->store, FALSE);
  move (fixture, "notes.txt", missing, &error);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_clear_error (&error);
  g_assert_cmpint (g_unlink (gone), ==, 0); /* that is as good as moved */
  list = job_store_list_damaged (fixture->store);
  for (guint i = 0; i < list->len; i++)
    g_assert_true (
        job_store_move_damaged (fixture->store, g_ptr_array_index (list, i), directory, NULL));
  g_assert_cmpuint (count_damage (fixture->store), ==, 0);
  again = visit_ids (fixture->store, FALSE);
  g_assert_cmpstr (again, ==, GOOD);
  g_assert_cmpuint (count_damage (fixture->store), ==, 0);
  g_assert_cmpuint (fixture_count (fixture, ""), ==, 1);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/fs-json/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD ("open/modes-are-ours-whatever-the-umask", test_modes);
  ADD ("open/unsafe-folders-are-refused", test_refused);
  ADD ("open/a-strangers-folder-is-refused", test_strangers_folder);
  ADD ("open/a-second-queue-is-locked-out", test_locked_here);
  ADD ("open/a-second-process-is-locked-out", test_locked_elsewhere);
  ADD ("open/the-journal-is-in-the-folder", test_journal_path);
  ADD ("damage/costs-only-itself", test_junk);
  ADD ("damage/leftovers-of-writes-are-removed", test_leftovers);
  ADD ("damage/reading-it-names-file-and-cause", test_read_errors);
  ADD ("damage/is-moved-away", test_move);
  ADD ("damage/a-journal-set-aside-is-listed", test_journal_set_aside);
  ADD ("damage/is-moved-to-another-file-system", test_move_far);
  ADD ("damage/of-all-kinds-is-moved-away", test_move_kinds);

  return g_test_run ();
}
