/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a power cut leaves. A file has its content as processes see it, and as it is safe; what was
 * done since the last sync is a list. At a cut, the changes of its length hold up to some moment,
 * in order, as a journaling file system keeps them; of what was written, each sector holds or not
 * by itself, and the edge of one may be torn within. Names hold up to some moment, too, unless
 * their folder was synced.
 *
 * A sync that fails leaves nobody knows what: each sector is safe or not, is called clean from then
 * on, and no later sync brings it to the disk; what processes see may fall back to what is safe. */

#include "sim-disk.h"

#include "sim-fiber.h"
#include "sim-store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512
#define FIRST_FD (1 << 20)
#define MAX_FDS 64

/* The linker makes up the names of the calls. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

typedef struct
{
  guint64 offset;
  gsize size;
  guint8 *data; /* owned; NULL: the file was cut, or grown, to @offset bytes */
} Change;

typedef struct
{
  GByteArray *now;
  GByteArray *safe;
  GArray *changes; /* of Change: since the last sync */
} File;

typedef struct
{
  char *path;
  File *now; /* NULL: there is no such file */
  File *safe;
} Name;

/* A name that was given, or taken (NULL), since the folder was synced. */
typedef struct
{
  guint name;
  File *file;
} Naming;

typedef struct
{
  File *file; /* NULL: the folder */
  guint64 offset;
  gboolean is_open;
} Descriptor;

static struct
{
  GPtrArray *files; /* of File: all that there ever were */
  GArray *names;    /* of Name */
  GArray *namings;  /* of Naming */
  Descriptor fds[MAX_FDS];

  SimTrouble trouble;
  gboolean dead;
  gboolean dies; /* at the end of this step */
  gboolean cut;  /* it died of a power cut */
  guint64 n_errors;
  guint64 n_faults;
  guint64 n_crashes;
  char *complaint;
} disk;

/* --- troubles --------------------------------------------------------------------------------- */

void
sim_disk_trouble (const SimTrouble *trouble)
{
  disk.trouble = *trouble;
}

void
sim_disk_calm (void)
{
  disk.trouble = (SimTrouble){ 0 };
}

gboolean
sim_disk_is_dead (void)
{
  return disk.dead;
}

guint64
sim_disk_count_errors (void)
{
  return disk.n_errors;
}

guint64
sim_disk_count_crashes (void)
{
  return disk.n_crashes;
}

guint64
sim_disk_count_faults (void)
{
  return disk.n_faults;
}

const char *
sim_disk_get_complaint (void)
{
  return disk.complaint;
}

gboolean
sim_disk_has_files (void)
{
  for (guint i = 0; i < disk.names->len; i++)
    if (g_array_index (disk.names, Name, i).now)
      return TRUE;
  return FALSE;
}

void
sim_disk_complain (const char *format, ...)
{
  va_list args;

  if (disk.complaint)
    return;
  va_start (args, format);
  disk.complaint = g_strdup_vprintf (format, args);
  va_end (args);
}

static gboolean
applies (SimFault fault, SimCall call)
{
  switch (fault)
    {
    case SIM_ENOSPC:
      return call == SIM_CALL_GROW || call == SIM_CALL_CREATE;
    case SIM_EINTR:
      return call == SIM_CALL_READ || call == SIM_CALL_WRITE || call == SIM_CALL_GROW;
    case SIM_SHORT:
      return call == SIM_CALL_WRITE || call == SIM_CALL_GROW;
    case SIM_EIO:
    default:
      return TRUE;
    }
}

static int
take_fault (SimCall call, gboolean *short_write)
{
  SimTrouble *trouble = &disk.trouble;

  if (trouble->fault_in == 0 || (trouble->fault_in > 1 && --trouble->fault_in > 0) ||
      !applies (trouble->fault, call))
    return 0;
  if (--trouble->fault_length == 0)
    trouble->fault_in = 0;
  disk.n_faults++;
  if (trouble->fault == SIM_SHORT && short_write)
    *short_write = TRUE;
  if (trouble->fault == SIM_SHORT)
    return 0;
  disk.n_errors += trouble->fault != SIM_EINTR;
  return trouble->fault == SIM_EIO ? EIO : trouble->fault == SIM_ENOSPC ? ENOSPC : EINTR;
}

int
sim_step_begin (SimCall call, gboolean *short_write)
{
  sim_pass ();
  if (disk.dead)
    return EIO;
  if (disk.trouble.crash_in > 0 && --disk.trouble.crash_in == 0)
    {
      if (sim_chance (2))
        {
          sim_disk_kill (disk.trouble.power);
          return EIO;
        }
      disk.dies = TRUE;
    }
  return take_fault (call, short_write);
}

void
sim_step_end (void)
{
  if (disk.dies)
    sim_disk_kill (disk.trouble.power);
}

/* --- files ------------------------------------------------------------------------------------ */

static void
change_clear (gpointer data)
{
  g_free (((Change *) data)->data);
}

static File *
file_new (void)
{
  File *file = g_new (File, 1);

  file->now = g_byte_array_new ();
  file->safe = g_byte_array_new ();
  file->changes = g_array_new (FALSE, FALSE, sizeof (Change));
  g_array_set_clear_func (file->changes, change_clear);
  g_ptr_array_add (disk.files, file);
  return file;
}

static void
file_free (gpointer data)
{
  File *file = data;

  g_byte_array_unref (file->now);
  g_byte_array_unref (file->safe);
  g_array_unref (file->changes);
  g_free (file);
}

static void
name_clear (gpointer data)
{
  g_free (((Name *) data)->path);
}

static void
set_length (GByteArray *bytes, gsize size)
{
  guint old = bytes->len;

  g_byte_array_set_size (bytes, size);
  if (size > old)
    memset (bytes->data + old, 0, size - old);
}

static void
put (GByteArray *bytes, const Change *change)
{
  if (change->data == NULL)
    set_length (bytes, change->offset);
  else
    {
      set_length (bytes, MAX (bytes->len, change->offset + change->size));
      memcpy (bytes->data + change->offset, change->data, change->size);
    }
}

static void
do_change (File *file, Change change)
{
  put (file->now, &change);
  g_array_append_val (file->changes, change);
}

static void
sync_file (File *file)
{
  for (guint i = 0; i < file->changes->len; i++)
    put (file->safe, &g_array_index (file->changes, Change, i));
  g_array_set_size (file->changes, 0);
}

/* --- what holds ------------------------------------------------------------------------------- */

/* A part of one sector, as far as the file reaches. */
static void
keep_piece (GByteArray *bytes, const Change *change, guint64 from, guint64 to)
{
  to = MIN (to, bytes->len);
  if (from >= to)
    return;
  if (sim_chance (8)) /* torn */
    to = from + sim_below (to - from);
  memcpy (bytes->data + from, change->data + (from - change->offset), to - from);
}

/* @loss: one sector in so many is lost; 1: all of them, 0: none. */
static void
keep_sectors (GByteArray *bytes, const Change *change, guint loss)
{
  guint64 end = change->offset + change->size;
  guint64 next;

  for (guint64 at = change->offset; at < end; at = next)
    {
      next = MIN (end, (at / SECTOR + 1) * SECTOR);
      if (loss == 0)
        memcpy (bytes->data + at, change->data + (at - change->offset),
                at < bytes->len ? MIN (next, bytes->len) - at : 0);
      else if (!sim_chance (loss))
        keep_piece (bytes, change, at, next);
    }
}

/* Some of what was done since the last sync comes to what is safe. */
static void
keep_some (File *file)
{
  guint n_lengths = sim_below (file->changes->len + 1);
  guint loss = sim_below (4);

  for (guint i = 0; i < file->changes->len; i++)
    {
      const Change *change = &g_array_index (file->changes, Change, i);

      if (i < n_lengths)
        set_length (file->safe, change->data ? MAX (file->safe->len, change->offset + change->size)
                                             : change->offset);
      if (change->data)
        keep_sectors (file->safe, change, loss);
    }
  g_array_set_size (file->changes, 0);
}

static void
see_what_is_safe (File *file)
{
  g_byte_array_set_size (file->now, 0);
  g_byte_array_append (file->now, file->safe->data, file->safe->len);
}

static void
fail_sync (File *file)
{
  keep_some (file);
  if (sim_chance (2))
    see_what_is_safe (file);
}

static void
keep_names (guint n)
{
  for (guint i = 0; i < n; i++)
    {
      const Naming *naming = &g_array_index (disk.namings, Naming, i);

      g_array_index (disk.names, Name, naming->name).safe = naming->file;
    }
  g_array_set_size (disk.namings, 0);
}

static void
cut_power (void)
{
  keep_names (sim_below (disk.namings->len + 1));
  for (guint i = 0; i < disk.names->len; i++)
    g_array_index (disk.names, Name, i).now = g_array_index (disk.names, Name, i).safe;
  for (guint i = 0; i < disk.files->len; i++)
    {
      File *file = g_ptr_array_index (disk.files, i);

      keep_some (file);
      see_what_is_safe (file);
    }
}

void
sim_disk_kill (gboolean power)
{
  disk.dies = FALSE;
  if (disk.dead)
    return;
  disk.dead = TRUE;
  disk.cut = power;
  disk.n_crashes++;
}

/* Nothing has changed since the death, but the dead may have been looking at it still. */
void
sim_disk_revive (void)
{
  if (!disk.dead)
    return;
  if (disk.cut)
    {
      cut_power ();
      sim_store_cut_power ();
    }
  disk.dead = FALSE;
  memset (disk.fds, 0, sizeof disk.fds);
}

void
sim_disk_reset (void)
{
  g_clear_pointer (&disk.files, g_ptr_array_unref);
  g_clear_pointer (&disk.names, g_array_unref);
  g_clear_pointer (&disk.namings, g_array_unref);
  g_free (disk.complaint);
  memset (&disk, 0, sizeof disk);
  disk.files = g_ptr_array_new_with_free_func (file_free);
  disk.names = g_array_new (FALSE, FALSE, sizeof (Name));
  g_array_set_clear_func (disk.names, name_clear);
  disk.namings = g_array_new (FALSE, FALSE, sizeof (Naming));
  sim_store_reset ();
}

/* --- names ------------------------------------------------------------------------------------ */

static gboolean
is_simulated (const char *path)
{
  return sim_is_running () && g_str_has_prefix (path, SIM_FOLDER) &&
         (path[strlen (SIM_FOLDER)] == '\0' || path[strlen (SIM_FOLDER)] == '/');
}

static guint
find_name (const char *path)
{
  Name name = { 0 };

  for (guint i = 0; i < disk.names->len; i++)
    if (g_str_equal (g_array_index (disk.names, Name, i).path, path))
      return i;
  name.path = g_strdup (path);
  g_array_append_val (disk.names, name);
  return disk.names->len - 1;
}

static void
set_name (guint number, File *file)
{
  Naming naming = { number, file };

  g_array_index (disk.names, Name, number).now = file;
  g_array_append_val (disk.namings, naming);
}

static Descriptor *
descriptor_of (int fd)
{
  return fd >= FIRST_FD && fd < FIRST_FD + MAX_FDS ? &disk.fds[fd - FIRST_FD] : NULL;
}

static int
fail (int error)
{
  errno = error;
  return -1;
}

static int
new_fd (File *file)
{
  for (guint i = 0; i < MAX_FDS; i++)
    if (!disk.fds[i].is_open)
      {
        disk.fds[i] = (Descriptor){ file, 0, TRUE };
        return FIRST_FD + i;
      }
  return fail (EMFILE);
}

/* --- the calls: names ------------------------------------------------------------------------- */

int __real_open64 (const char *path, int flags, mode_t mode);
int __real_close (int fd);
int __real_unlink (const char *path);
gboolean __real_g_file_test (const char *path, GFileTest test);

static int
open_file (const char *path, int flags)
{
  guint number = find_name (path);
  File *file = g_array_index (disk.names, Name, number).now;

  if (file == NULL && (flags & O_CREAT) == 0)
    return fail (ENOENT);
  if (file && (flags & O_EXCL) != 0)
    return fail (EEXIST);
  if (file == NULL)
    {
      file = file_new ();
      set_name (number, file);
      if (strstr (path, "damaged"))
        sim_disk_complain ("a part of the journal was set aside as damaged, in %s", path);
    }
  return new_fd (file);
}

int
__wrap_open64 (const char *path, int flags, mode_t mode)
{
  int error, fd;

  if (!is_simulated (path))
    return __real_open64 (path, flags, mode);
  error = sim_step_begin (flags & O_CREAT ? SIM_CALL_CREATE : SIM_CALL_OTHER, NULL);
  if (error)
    return fail (error);
  fd = g_str_equal (path, SIM_FOLDER) ? new_fd (NULL) : open_file (path, flags);
  sim_step_end ();
  return fd;
}

int
__wrap_close (int fd)
{
  Descriptor *descriptor = descriptor_of (fd);

  if (descriptor == NULL)
    return __real_close (fd);
  if (!descriptor->is_open)
    sim_disk_complain ("a descriptor was closed twice");
  descriptor->is_open = FALSE;
  return 0;
}

int
__wrap_unlink (const char *path)
{
  guint number;
  int error;

  if (!is_simulated (path))
    return __real_unlink (path);
  error = sim_step_begin (SIM_CALL_OTHER, NULL);
  number = find_name (path);
  if (error == 0 && g_array_index (disk.names, Name, number).now == NULL)
    error = ENOENT;
  if (error)
    return fail (error);
  set_name (number, NULL);
  sim_step_end ();
  return 0;
}

gboolean
__wrap_g_file_test (const char *path, GFileTest test)
{
  if (!is_simulated (path))
    return __real_g_file_test (path, test);
  return g_array_index (disk.names, Name, find_name (path)).now != NULL;
}

/* --- the calls: contents ---------------------------------------------------------------------- */

ssize_t __real_write (int fd, const void *data, size_t size);
ssize_t __real_pwrite64 (int fd, const void *data, size_t size, off_t offset);
ssize_t __real_pread64 (int fd, void *data, size_t size, off_t offset);
off_t __real_lseek64 (int fd, off_t offset, int whence);
int __real_ftruncate64 (int fd, off_t size);
int __real_fdatasync (int fd);
int __real_fsync (int fd);
int __real_fstat64 (int fd, struct stat *st);

static ssize_t
write_at (File *file, const void *data, size_t size, guint64 offset)
{
  gboolean grows = offset + size > file->now->len;
  gboolean is_short = FALSE;
  int error = sim_step_begin (grows ? SIM_CALL_GROW : SIM_CALL_WRITE, &is_short);

  if (error)
    return fail (error);
  if (is_short && size > 1)
    size = 1 + sim_below (size - 1);
  do_change (file, (Change){ offset, size, g_memdup2 (data, size) });
  sim_step_end ();
  return size;
}

ssize_t
__wrap_pwrite64 (int fd, const void *data, size_t size, off_t offset)
{
  Descriptor *descriptor = descriptor_of (fd);

  return descriptor ? write_at (descriptor->file, data, size, offset)
                    : __real_pwrite64 (fd, data, size, offset);
}

ssize_t
__wrap_write (int fd, const void *data, size_t size)
{
  Descriptor *descriptor = descriptor_of (fd);
  ssize_t n;

  if (descriptor == NULL)
    return __real_write (fd, data, size);
  n = write_at (descriptor->file, data, size, descriptor->offset);
  if (n > 0)
    descriptor->offset += n;
  return n;
}

ssize_t
__wrap_pread64 (int fd, void *data, size_t size, off_t offset)
{
  Descriptor *descriptor = descriptor_of (fd);
  gsize length;
  int error;

  if (descriptor == NULL)
    return __real_pread64 (fd, data, size, offset);
  error = sim_step_begin (SIM_CALL_READ, NULL);
  if (error)
    return fail (error);
  length = descriptor->file->now->len;
  size = (gsize) offset < length ? MIN (size, length - (gsize) offset) : 0;
  memcpy (data, descriptor->file->now->data + offset, size);
  sim_step_end ();
  return size;
}

off_t
__wrap_lseek64 (int fd, off_t offset, int whence)
{
  Descriptor *descriptor = descriptor_of (fd);

  if (descriptor == NULL)
    return __real_lseek64 (fd, offset, whence);
  g_assert (whence == SEEK_SET);
  descriptor->offset = offset;
  return offset;
}

int
__wrap_ftruncate64 (int fd, off_t size)
{
  Descriptor *descriptor = descriptor_of (fd);
  int error;

  if (descriptor == NULL)
    return __real_ftruncate64 (fd, size);
  error = sim_step_begin (SIM_CALL_OTHER, NULL);
  if (error)
    return fail (error);
  do_change (descriptor->file, (Change){ .offset = size });
  sim_step_end ();
  return 0;
}

static int
sync_descriptor (Descriptor *descriptor)
{
  gboolean was_dead = disk.dead;
  int error = sim_step_begin (SIM_CALL_OTHER, NULL);

  if (error && !was_dead && !disk.dead && descriptor->file)
    fail_sync (descriptor->file);
  if (error)
    return fail (error);
  if (descriptor->file)
    sync_file (descriptor->file);
  else
    keep_names (disk.namings->len);
  sim_step_end ();
  return 0;
}

int
__wrap_fdatasync (int fd)
{
  Descriptor *descriptor = descriptor_of (fd);

  return descriptor ? sync_descriptor (descriptor) : __real_fdatasync (fd);
}

int
__wrap_fsync (int fd)
{
  Descriptor *descriptor = descriptor_of (fd);

  return descriptor ? sync_descriptor (descriptor) : __real_fsync (fd);
}

int
__wrap_fstat64 (int fd, struct stat *st)
{
  Descriptor *descriptor = descriptor_of (fd);

  if (descriptor == NULL)
    return __real_fstat64 (fd, st);
  *st = (struct stat){ .st_mode = S_IFREG | 0600, .st_nlink = 1, .st_uid = geteuid () };
  st->st_size = descriptor->file ? descriptor->file->now->len : 0;
  return 0;
}
