/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The gdbm store adds new jobs to a copy of its file: with the content, and about the size, of one
 * that is written from nothing; and never where that would not do. What a failed write or a kill
 * does to it: test-gdbm-checkpoint.c. */

#include "gdbm-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <gdbm.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test-effort.h"

static guint n_copies;    /* that were begun, … */
static guint n_removed;   /* … and files that were given up */
static gboolean unshared; /* as between two file systems of an old kernel */

/* In place of the C library's. */
ssize_t
copy_file_range (int from, off64_t *at, int to, off64_t *to_at, size_t size, unsigned int flags)
{
  n_copies += *at == 0 ? 1 : 0;
  if (!unshared)
    return syscall (SYS_copy_file_range, from, at, to, to_at, size, flags);
  errno = EXDEV;
  return -1;
}

int
unlink (const char *path)
{
  n_removed++;
  return (int) syscall (SYS_unlinkat, AT_FDCWD, path, 0);
}

/* That became the file. */
static guint
count_copies (Fixture *fixture)
{
  n_copies = n_removed = 0;
  checkpoint (fixture);
  return n_copies - n_removed;
}

static void
test_when (Fixture *fixture, gconstpointer data)
{
  create (fixture, 1, "1");
  g_assert_cmpuint (count_copies (fixture), ==, 1);
  /* Changed before it was settled. */
  create (fixture, 2, "2");
  update (fixture, 2, JOB_STATE_SUCCEEDED, "\"2\"");
  g_assert_cmpuint (count_copies (fixture), ==, 1);
  /* A job of the file. */
  create (fixture, 3, "3");
  update (fixture, 1, JOB_STATE_SUCCEEDED, "\"1\"");
  g_assert_cmpuint (count_copies (fixture), ==, 0);
  create (fixture, 4, "4");
  g_assert_cmpuint (count_copies (fixture), ==, 1);
  /* A file that was there before. */
  reopen (fixture);
  create (fixture, 5, "5");
  g_assert_cmpuint (count_copies (fixture), ==, 0);
  create (fixture, 6, "6");
  g_assert_cmpuint (count_copies (fixture), ==, 1);
  /* It is begun, and given up, since the job is there. */
  create (fixture, 6, "\"again\"");
  g_assert_cmpuint (count_copies (fixture), ==, 0);
  g_assert_cmpuint (n_removed, ==, 1);
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 6);
  assert_job (fixture, 1, "1", JOB_STATE_SUCCEEDED, "\"1\"");
  assert_job (fixture, 2, "2", JOB_STATE_SUCCEEDED, "\"2\"");
  assert_job (fixture, 6, "\"again\"", JOB_STATE_PENDING, NULL);
}

/* All records of a file, by key. */
static GHashTable *
read_content (Fixture *fixture)
{
  GHashTable *content = g_hash_table_new_full (
      g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, (GDestroyNotify) g_bytes_unref);
  GDBM_FILE dbf = gdbm_open (fixture->path, 0, GDBM_READER | GDBM_NOLOCK, 0, NULL);
  datum key;

  g_assert_nonnull (dbf);
  for (key = gdbm_firstkey (dbf); key.dptr != NULL;)
    {
      datum value = gdbm_fetch (dbf, key), next = gdbm_nextkey (dbf, key);

      g_assert_nonnull (value.dptr);
      g_hash_table_insert (content, g_bytes_new_take (key.dptr, (gsize) key.dsize),
                           g_bytes_new_take (value.dptr, (gsize) value.dsize));
      key = next;
    }
  g_assert_cmpint (gdbm_last_errno (dbf), ==, GDBM_ITEM_NOT_FOUND);
  gdbm_close (dbf);
  return content;
}

static void
assert_equal_content (Fixture *one, Fixture *other)
{
  g_autoptr (GHashTable) a = read_content (one);
  g_autoptr (GHashTable) b = read_content (other);
  GHashTableIter iter;
  gpointer key, value;

  g_assert_cmpuint (g_hash_table_size (a), ==, g_hash_table_size (b));
  g_hash_table_iter_init (&iter, a);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      GBytes *found = g_hash_table_lookup (b, key);

      g_assert_nonnull (found);
      g_assert_true (g_bytes_equal (value, found));
    }
}

static char *
random_args (GRand *random)
{
  gboolean large = g_rand_int_range (random, 0, 100) == 0;
  gsize size = (gsize) g_rand_int_range (random, 0, large ? 20000 : 400);
  g_autofree char *text = g_strnfill (size, (char) ('a' + g_rand_int_range (random, 0, 26)));

  return g_strdup_printf ("\"%s\"", text);
}

/* The same to both: some new jobs; in one of three rounds changes, of older ones, too. */
static guint
change_both (Fixture *fixtures, GRand *random, guint n, gboolean *only_new)
{
  guint n_new = (guint) g_rand_int_range (random, 1, 60);
  guint n_changed = g_rand_int_range (random, 0, 3) == 0 ? 20 : 0;

  *only_new = n_changed == 0;
  for (guint i = 0; i < n_new; i++)
    {
      g_autofree char *args = random_args (random);

      for (guint f = 0; f < 2; f++)
        create (&fixtures[f], n + i, args);
    }
  for (guint i = 0; i < n_changed; i++)
    {
      guint which = (guint) g_rand_int_range (random, 1, (gint32) (n + n_new));
      g_autofree char *outcome = random_args (random);

      for (guint f = 0; f < 2; f++)
        update (&fixtures[f], which, JOB_STATE_SUCCEEDED, outcome);
    }
  return n + n_new;
}

/* The second store writes from nothing each time, since it was just opened. */
static void
test_content (Fixture *fixture, gconstpointer data)
{
  guint32 seed = g_test_rand_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  Fixture fixtures[2] = { *fixture, { 0 } };
  guint n = 1;

  g_test_message ("seed %u", seed);
  fixture_set_up (&fixtures[1], NULL);
  for (guint round = 0; round < test_effort (60, 15); round++)
    {
      guint n_added;
      gboolean only_new;

      unshared = round % 4 == 3;
      reopen (&fixtures[1]);
      n = change_both (fixtures, random, n, &only_new);
      n_added = count_copies (&fixtures[0]);
      if (only_new)
        g_assert_cmpuint (n_added, ==, 1);
      g_assert_cmpuint (count_copies (&fixtures[1]), ==, 0);
      assert_equal_content (&fixtures[0], &fixtures[1]);
      g_assert_cmpuint (count_jobs (&fixtures[0], TRUE), ==, n - 1);
    }
  unshared = FALSE;
  fixture_tear_down (&fixtures[1], NULL);
  *fixture = fixtures[0];
}

static void
assert_count (Fixture *fixture, gdbm_count_t expected)
{
  GDBM_FILE dbf = gdbm_open (fixture->path, 0, GDBM_READER | GDBM_NOLOCK, 0, NULL);
  gdbm_count_t n;

  g_assert_nonnull (dbf);
  g_assert_cmpint (gdbm_count (dbf, &n), ==, 0);
  g_assert_cmpuint (n, ==, expected);
  gdbm_close (dbf);
}

static off_t
get_size (Fixture *fixture)
{
  struct stat st;

  g_assert_no_errno (stat (fixture->path, &st));
  return st.st_size;
}

static off_t
get_size_anew (Fixture *fixture, guint n)
{
  reopen (fixture);
  create (fixture, n, "1");
  g_assert_cmpuint (count_copies (fixture), ==, 0);
  return get_size (fixture);
}

/* Whether jobs are only added, a few each time, or finish later. */
static void
test_size (Fixture *fixture, gconstpointer finish)
{
  guint n = 0;
  off_t size;

  for (guint round = 0; round < test_effort (400, 40); round++)
    {
      for (guint i = 0; i < 5; i++)
        create (fixture, ++n, "\"some args that take a little room in the file\"");
      for (guint i = 1; finish && round > 0 && i <= 5; i++)
        update (fixture, n - 4 - i, JOB_STATE_SUCCEEDED, "\"and a result\"");
      checkpoint (fixture);
    }
  size = get_size (fixture);
  g_assert_cmpint (size, <=, get_size_anew (fixture, n + 1) * 5 / 4);
}

#define N_JOBS 300

/* As a bad sector does, in a file that is open. */
static void
overwrite (Fixture *fixture, gsize at, int pattern)
{
  g_autofree guint8 *bad = g_malloc (4096);
  int fd = open (fixture->path, O_WRONLY | O_CLOEXEC);

  g_assert_no_errno (fd);
  memset (bad, pattern, 4096);
  g_assert_cmpint (pwrite (fd, bad, 4096, (off_t) at), ==, 4096);
  close (fd);
}

static gboolean
is_listed (Fixture *fixture, const char *location)
{
  g_autoptr (GPtrArray) list = job_store_list_damaged (fixture->store);

  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (job_damage_get_location (list->pdata[i]), location))
      return TRUE;
  return FALSE;
}

/* Either the file is not replaced, or the new one has all records, damaged ones too. */
static void
check_damaged_base (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  guint n;

  create (fixture, N_JOBS + 1, "2");
  if (!job_store_checkpoint (fixture->store, &error))
    {
      g_assert_error (error, JOB_ERROR, JOB_ERROR_CORRUPT);
      g_assert_true (is_listed (fixture, fixture->path));
      assert_job (fixture, N_JOBS + 1, "2", JOB_STATE_PENDING, NULL);
      return;
    }
  assert_count (fixture, N_JOBS + 2);
  reopen (fixture);
  assert_job (fixture, N_JOBS + 1, "2", JOB_STATE_PENDING, NULL);
  n = count_jobs (fixture, TRUE);
  if (!is_listed (fixture, fixture->path))
    g_assert_cmpuint (n + count_damaged (fixture), ==, N_JOBS + 1);
}

static void
test_damaged_base (Fixture *fixture, gconstpointer data)
{
  g_autofree char *args = g_strdup_printf ("\"%0200d\"", 0);
  g_autoptr (GBytes) good = NULL;
  gsize size;

  for (guint n = 1; n <= N_JOBS; n++)
    create (fixture, n, args);
  checkpoint (fixture);
  good = read_file (fixture->path);
  size = g_bytes_get_size (good);
  for (gsize at = 0; at < size; at += 4096)
    for (int pattern = 0; pattern < 256; pattern += 85)
      {
        close_store (fixture);
        write_file (fixture->path, g_bytes_get_data (good, NULL), size);
        open_store (fixture);
        /* Only what was written here is copied. */
        update (fixture, 1, JOB_STATE_PENDING, NULL);
        checkpoint (fixture);
        overwrite (fixture, at, pattern);
        check_damaged_base (fixture);
      }
}

static void
test_damaged_record (Fixture *fixture, gconstpointer data)
{
  JobId id = number_id (1);
  g_autoptr (GBytes) wrong = NULL;

  create (fixture, 1, "1");
  checkpoint (fixture);
  close_store (fixture);
  tamper (fixture, id.bytes, sizeof id.bytes, "wrong", 5);
  open_store (fixture);
  for (guint n = 2; n < 5; n++)
    {
      create (fixture, n, "1");
      g_assert_cmpuint (count_copies (fixture), ==, n == 2 ? 0 : 1);
    }
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 3);
  g_assert_cmpuint (count_damaged (fixture), ==, 1);
  create (fixture, 1, "\"again\"");
  checkpoint (fixture);
  reopen (fixture);
  g_assert_cmpuint (count_jobs (fixture, TRUE), ==, 4);
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
  assert_job (fixture, 1, "\"again\"", JOB_STATE_PENDING, NULL);
}

#define ADD(name, data, function)                                                                  \
  g_test_add ("/gdbm/copy/" name, Fixture, data, fixture_set_up, function, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("takes-new-jobs-into-a-file-that-was-made-here", NULL, test_when);
  ADD ("is-as-a-file-from-nothing", NULL, test_content);
  ADD ("stays-small-when-jobs-are-added", NULL, test_size);
  ADD ("stays-small-when-jobs-finish", "finish", test_size);
  ADD ("of-a-damaged-file-hides-nothing", NULL, test_damaged_base);
  ADD ("keeps-a-damaged-record", NULL, test_damaged_record);
  return g_test_run ();
}
