/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "journal-fixture.h"

#include <ftw.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MAX_BATCHES 64

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

void
fixture_set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  /* In memory if that can be had: thousands of syncs take their time. */
  self->folder = g_strdup ("/dev/shm/job-journal-XXXXXX");
  if (g_mkdtemp (self->folder) == NULL)
    {
      g_free (self->folder);
      self->folder = g_dir_make_tmp ("job-journal-XXXXXX", &error);
    }
  g_assert_no_error (error);
  self->base = g_build_filename (self->folder, "journal", NULL);
  self->path = g_strconcat (self->base, "-1", NULL);
  self->other = g_strconcat (self->base, "-2", NULL);
  self->shown = g_ptr_array_new_with_free_func (g_free);
}

void
fixture_tear_down (Fixture *self, gconstpointer data)
{
  close_journal (self);
  g_assert_cmpint (nftw (self->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_free (self->folder);
  g_free (self->base);
  g_free (self->path);
  g_free (self->other);
  g_ptr_array_unref (self->shown);
}

/* --- changes ---------------------------------------------------------------------------------- */

static JobId
make_id (guint number, guint index)
{
  JobId id = { { 1, 2, 3, 4, 5, 6, 0x70, 8, 0x80 } };

  id.bytes[10] = (guint8) number;
  id.bytes[11] = (guint8) index;
  return id;
}

guint
fill_batch (guint number, JobChange changes[3])
{
  guint n = 1 + number % 3;

  memset (changes, 0, 3 * sizeof *changes);
  for (guint i = 0; i < n; i++)
    {
      changes[i].id = make_id (number, i);
      changes[i].status.state = i == 2 ? JOB_STATE_SUCCEEDED : JOB_STATE_PENDING;
      changes[i].status.attempts = number;
      changes[i].status.outcome = i > 0 ? g_strdup_printf ("\"of %u\"", number) : NULL;
      if (i == 1)
        continue;
      changes[i].record = job_record_new (0);
      changes[i].record->id = changes[i].id;
      changes[i].record->max_attempts = 1;
      changes[i].record->type = g_strdup ("t");
      changes[i].record->channel = g_strdup ("");
      changes[i].record->args = g_strdup_printf ("[%u]", number);
    }
  return n;
}

static char *
describe (const JobChange *change)
{
  g_autofree char *id = job_id_dup_text (&change->id);

  return g_strdup_printf ("%s %s %d %u %s", id, change->record ? change->record->args : "-",
                          change->status.state, change->status.attempts, change->status.outcome);
}

static void
show (const JobChange *change, guint segment, JobPlace place, gpointer data)
{
  g_assert_cmpuint (place.length, >, 0);
  g_ptr_array_add (data, describe (change));
}

/* --- the journal ------------------------------------------------------------------------------ */

gboolean
try_open (Fixture *self, GError **error)
{
  g_assert_null (self->journal);
  g_ptr_array_set_size (self->shown, 0);
  self->journal = job_journal_open (self->base, show, self->shown, error);
  return self->journal != NULL;
}

void
open_journal (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  try_open (self, &error);
  g_assert_no_error (error);
}

void
close_journal (Fixture *self)
{
  g_clear_pointer (&self->journal, job_journal_free);
}

static void
check_place (Fixture *self, const JobChange *change, JobPlace place)
{
  g_autofree char *expected = describe (change), *text = NULL;
  g_autoptr (GError) error = NULL;
  JobChange found;

  job_journal_read (self->journal, job_journal_get_active (self->journal), place, &found, &error);
  g_assert_no_error (error);
  text = describe (&found);
  g_assert_cmpstr (text, ==, expected);
  job_change_clear (&found);
}

static gboolean
stage (Fixture *self, const JobChange *changes, guint n, JobPlace *places, GError **error)
{
  gsize size;

  return job_journal_stage (self->journal, changes, n, places, &size, error) &&
         job_journal_prepare (self->journal, 0, error);
}

gboolean
try_append (Fixture *self, guint number, GError **error)
{
  JobChange changes[3];
  JobPlace places[3];
  guint n = fill_batch (number, changes);
  gboolean done =
      stage (self, changes, n, places, error) && job_journal_write (self->journal, places, error);

  for (guint i = 0; i < n; i++)
    {
      if (done)
        check_place (self, &changes[i], places[i]);
      job_change_clear (&changes[i]);
    }
  return done;
}

void
append (Fixture *self, guint number)
{
  g_autoptr (GError) error = NULL;

  try_append (self, number, &error);
  g_assert_no_error (error);
}

gsize
get_end (Fixture *self)
{
  guint active = job_journal_get_active (self->journal);

  return JOB_SEGMENT_HEADER + job_journal_get_size (self->journal, active);
}

/* SIGXFSZ must be ignored. */
void
limit_files (rlim_t size)
{
  struct rlimit limit;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = size;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

void
assert_write_fails (Fixture *self, guint number, gsize room)
{
  JobChange changes[3];
  JobPlace places[3];
  guint n = fill_batch (number, changes);
  g_autoptr (GError) error = NULL;

  g_assert_true (stage (self, changes, n, places, &error));
  limit_files (get_end (self) + room);
  g_assert_false (job_journal_write (self->journal, places, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  limit_files (RLIM_INFINITY);
  for (guint i = 0; i < n; i++)
    job_change_clear (&changes[i]);
}

void
void_failed (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  gboolean unknown;

  job_journal_void (self->journal, &unknown, &error);
  g_assert_no_error (error);
  g_assert_false (unknown);
}

void
switch_segments (Fixture *self)
{
  job_journal_switch (self->journal);
}

void
release_other (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  job_journal_release (self->journal, 1 - job_journal_get_active (self->journal), 4096, &error);
  g_assert_no_error (error);
}

guint
count_shown (Fixture *self)
{
  guint at = 0;

  for (guint number = 1; number <= MAX_BATCHES; number++)
    {
      JobChange changes[3];
      guint n = fill_batch (number, changes);
      gboolean over = at == self->shown->len;

      g_assert_true (over || at + n <= self->shown->len);
      for (guint i = 0; i < n; i++)
        {
          g_autofree char *text = describe (&changes[i]);

          if (!over)
            g_assert_cmpstr (g_ptr_array_index (self->shown, at++), ==, text);
          job_change_clear (&changes[i]);
        }
      if (over)
        return number - 1;
    }
  g_assert_not_reached ();
}

void
assert_shown (Fixture *self, guint n)
{
  g_assert_cmpuint (count_shown (self), ==, n);
}

/* --- files ------------------------------------------------------------------------------------ */

void
put_file (Fixture *self, const guint8 *data, gsize size)
{
  FILE *file = fopen (self->path, "w"); /* without a sync: it is done often */

  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (data, 1, size, file), ==, size);
  g_assert_cmpint (fclose (file), ==, 0);
}

GBytes *
get_bytes_of (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}

GBytes *
get_file (Fixture *self)
{
  return get_bytes_of (self->path);
}

guint
count_set_aside (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, &error);
  const char *name;
  guint n = 0;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)))
    n += g_str_has_prefix (name, "journal-damaged-");
  return n;
}

void
remove_set_aside (Fixture *self)
{
  for (guint n = count_set_aside (self); n > 0; n--)
    {
      g_autofree char *path = g_strdup_printf ("%s-damaged-%u", self->base, n);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
}
