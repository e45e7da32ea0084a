/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The SQLite store and a power cut. What is written lies in a model of the disk: what was synced is
 * there for certain, of what was written since, any sectors may be. Before each write, sync or
 * truncation of a checkpoint, and after its end, the power is cut, a few times each; what is on the
 * disk then is opened, and is the state before the checkpoint or the one after it. And the disk
 * cannot be read for a while: that is no damage. */

#include "sqlite-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test-effort.h"

#define SECTOR 512
#define N_ROUNDS 4
#define N_CUTS test_effort (3, 1) /* at each point */

/* --- the disk --------------------------------------------------------------------------------- */

/* A write, or, without data, a truncation to @offset. */
typedef struct
{
  gsize offset;
  GBytes *data;
} Operation;

typedef struct
{
  const char *suffix;
  GByteArray *durable;
  GArray *since; /* of Operation: what came since the last sync */
} File;

static File files[] = { { ".sqlite" }, { ".sqlite-journal" } };

/* What a cut left. */
typedef struct
{
  GBytes *contents[G_N_ELEMENTS (files)];
  guint acknowledged; /* the last round whose checkpoint had returned */
} Image;

static gboolean recording;
static gboolean unreadable; /* every read fails */
static guint acknowledged;
static GArray *images;

static void
operation_clear (gpointer data)
{
  g_clear_pointer (&((Operation *) data)->data, g_bytes_unref);
}

static void
image_clear (gpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    g_bytes_unref (((Image *) data)->contents[i]);
}

static void
write_at (GByteArray *contents, gsize offset, const guint8 *data, gsize size)
{
  gsize old = contents->len;

  if (offset + size > old)
    {
      g_byte_array_set_size (contents, offset + size);
      memset (contents->data + old, 0, contents->len - old);
    }
  memcpy (contents->data + offset, data, size);
}

static void
truncate_at (GByteArray *contents, gsize size)
{
  gsize old = contents->len;

  g_byte_array_set_size (contents, size);
  if (size > old)
    memset (contents->data + old, 0, size - old);
}

static void
perform (GByteArray *contents, const Operation *operation)
{
  gsize size;
  const guint8 *data;

  if (operation->data == NULL)
    {
      truncate_at (contents, operation->offset);
      return;
    }
  data = g_bytes_get_data (operation->data, &size);
  write_at (contents, operation->offset, data, size);
}

/* Nothing of it, all of it, or some sectors. */
static void
perform_perhaps (GByteArray *contents, const Operation *operation)
{
  int luck = g_test_rand_int_range (0, 3);
  gsize size, step;
  const guint8 *data;

  if (luck == 0)
    return;
  if (luck == 1 || operation->data == NULL)
    {
      perform (contents, operation);
      return;
    }
  data = g_bytes_get_data (operation->data, &size);
  for (gsize at = 0; at < size; at += step)
    {
      step = MIN (SECTOR - (operation->offset + at) % SECTOR, size - at);
      if (g_test_rand_bit ())
        write_at (contents, operation->offset + at, data + at, step);
    }
}

static GBytes *
cut_file (const File *file)
{
  GByteArray *contents = g_byte_array_new ();

  g_byte_array_append (contents, file->durable->data, file->durable->len);
  for (guint i = 0; i < file->since->len; i++)
    perform_perhaps (contents, &g_array_index (file->since, Operation, i));
  return g_byte_array_free_to_bytes (contents);
}

static void
cut_power (void)
{
  for (guint i = 0; i < N_CUTS; i++)
    {
      Image image = { .acknowledged = acknowledged };

      for (gsize k = 0; k < G_N_ELEMENTS (files); k++)
        image.contents[k] = cut_file (&files[k]);
      g_array_append_val (images, image);
    }
}

/* --- what is written to it -------------------------------------------------------------------- */

static File *
find_file (int fd)
{
  g_autofree char *link = NULL;
  g_autofree char *path = NULL;

  if (!recording)
    return NULL;
  link = g_strdup_printf ("/proc/self/fd/%d", fd);
  path = g_file_read_link (link, NULL);
  for (gsize i = 0; path != NULL && i < G_N_ELEMENTS (files); i++)
    if (g_str_has_suffix (path, files[i].suffix))
      return &files[i];
  return NULL;
}

static void
note (int fd, gsize offset, const void *data, gsize size)
{
  File *file = find_file (fd);
  Operation operation = { .offset = offset };

  if (file == NULL)
    return;
  cut_power ();
  if (data != NULL)
    operation.data = g_bytes_new (data, size);
  g_array_append_val (file->since, operation);
}

static void
note_sync (int fd)
{
  File *file = find_file (fd);

  if (file == NULL)
    return;
  cut_power ();
  for (guint i = 0; i < file->since->len; i++)
    perform (file->durable, &g_array_index (file->since, Operation, i));
  g_array_set_size (file->since, 0);
}

/* In place of the C library's, for SQLite. */
ssize_t pwrite64 (int fd, const void *data, size_t size, off64_t offset);

ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t offset)
{
  note (fd, (gsize) offset, data, size);
  return syscall (SYS_pwrite64, fd, data, size, offset);
}

ssize_t pread64 (int fd, void *data, size_t size, off64_t offset);

ssize_t
pread64 (int fd, void *data, size_t size, off64_t offset)
{
  if (!unreadable)
    return syscall (SYS_pread64, fd, data, size, offset);
  errno = EIO;
  return -1;
}

int ftruncate64 (int fd, off64_t size);

int
ftruncate64 (int fd, off64_t size)
{
  note (fd, (gsize) size, NULL, 0);
  return (int) syscall (SYS_ftruncate, fd, size);
}

int
fdatasync (int fd)
{
  note_sync (fd);
  return (int) syscall (SYS_fdatasync, fd);
}

int
fsync (int fd)
{
  note_sync (fd);
  return (int) syscall (SYS_fsync, fd);
}

/* --- the test --------------------------------------------------------------------------------- */

/* All that is there now is durable. */
static void
start_recording (Fixture *fixture)
{
  g_autofree char *base = g_strndup (fixture->path, strlen (fixture->path) - strlen (".sqlite"));

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_strconcat (base, files[i].suffix, NULL);

      files[i].durable = g_bytes_unref_to_array (read_file (path));
      files[i].since = g_array_new (FALSE, FALSE, sizeof (Operation));
      g_array_set_clear_func (files[i].since, operation_clear);
    }
  images = g_array_new (FALSE, FALSE, sizeof (Image));
  g_array_set_clear_func (images, image_clear);
  recording = TRUE;
}

static void
stop_recording (void)
{
  recording = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_byte_array_unref (files[i].durable);
      g_array_unref (files[i].since);
    }
}

static void
record_rounds (Fixture *fixture)
{
  for (guint round = 1; round <= N_ROUNDS; round++)
    {
      JobChange changes[N_CHANGES];
      g_autoptr (GError) error = NULL;

      make_round (changes, round);
      apply_round (fixture, changes, &error);
      g_assert_no_error (error);
      clear_round (changes);
      acknowledged = round;
      cut_power ();
    }
}

static void
assert_image (Fixture *fixture, const Image *image)
{
  g_autofree char *journal = build_path (fixture, "-journal");
  const char *paths[] = { fixture->path, journal };
  guint round;

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    write_file (paths[i], g_bytes_get_data (image->contents[i], NULL),
                g_bytes_get_size (image->contents[i]));
  open_store (fixture);
  round = find_round (fixture, image->acknowledged + 1);
  assert_round (fixture, round);
  close_store (fixture);
}

static void
test_power_cut (Fixture *fixture, gconstpointer data)
{
  create_old (fixture);
  start_recording (fixture);
  record_rounds (fixture);
  stop_recording ();
  close_store (fixture);
  g_test_message ("%u cuts", images->len);
  g_assert_cmpuint (images->len, >, 50 * N_CUTS);
  for (guint i = 0; i < images->len; i++)
    assert_image (fixture, &g_array_index (images, Image, i));
  g_array_unref (images);
}

/* SQLite calls what it cannot read corrupt. */
static void
test_input_error (Fixture *fixture, gconstpointer data)
{
  JobId id = number_id (N_OLD / 2);
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) error = NULL;

  create_old (fixture);
  reopen (fixture);
  unreadable = TRUE;
  g_assert_false (job_store_read (fixture->store, &id, &record, &status, &error));
  unreadable = FALSE;
  g_assert_error (error, JOB_ERROR, JOB_ERROR_STORAGE);
  g_assert_cmpuint (count_damaged (fixture), ==, 0);
  g_clear_error (&error);
  g_assert_true (job_store_read (fixture->store, &id, &record, &status, &error));
  g_assert_no_error (error);
  g_assert_nonnull (record);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/sqlite/power/a-cut-leaves-one-state-or-the-next", Fixture, NULL, fixture_set_up,
              test_power_cut, fixture_tear_down);
  g_test_add ("/sqlite/power/what-the-disk-does-not-give-is-no-damage", Fixture, NULL,
              fixture_set_up, test_input_error, fixture_tear_down);
  return g_test_run ();
}
