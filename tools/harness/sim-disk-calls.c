/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The system calls of the library's objects, which the linker brings here (--wrap, in meson.build):
 * those on files of the simulation come to its disk, a step each; the others go on to the system.
 */

#include "sim-disk-inside.h"

#include "sim-fiber.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_FD (1 << 20)
#define MAX_FDS 64

/* The linker makes up the names of the calls. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

typedef struct
{
  SimFile *file; /* NULL: the folder */
  guint64 offset;
  gboolean is_open;
} Descriptor;

static Descriptor fds[MAX_FDS];

void
sim_calls_reset (void)
{
  memset (fds, 0, sizeof fds);
}

static gboolean
is_simulated (const char *path)
{
  return sim_is_running () && g_str_has_prefix (path, SIM_FOLDER) &&
         (path[strlen (SIM_FOLDER)] == '\0' || path[strlen (SIM_FOLDER)] == '/');
}

static Descriptor *
descriptor_of (int fd)
{
  return fd >= FIRST_FD && fd < FIRST_FD + MAX_FDS ? &fds[fd - FIRST_FD] : NULL;
}

static int
fail (int error)
{
  errno = error;
  return -1;
}

static int
new_fd (SimFile *file)
{
  for (guint i = 0; i < MAX_FDS; i++)
    if (!fds[i].is_open)
      {
        fds[i] = (Descriptor){ file, 0, TRUE };
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
  SimFile *file = sim_file_find (path);

  if (file == NULL && (flags & O_CREAT) == 0)
    return fail (ENOENT);
  if (file && (flags & O_EXCL) != 0)
    return fail (EEXIST);
  if (file == NULL)
    {
      file = sim_file_create (path);
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
  int error;

  if (!is_simulated (path))
    return __real_unlink (path);
  error = sim_step_begin (SIM_CALL_OTHER, NULL);
  if (error)
    return fail (error);
  if (sim_file_find (path) == NULL)
    error = ENOENT;
  else
    sim_file_remove (path);
  sim_step_end ();
  return error ? fail (error) : 0;
}

gboolean
__wrap_g_file_test (const char *path, GFileTest test)
{
  if (!is_simulated (path))
    return __real_g_file_test (path, test);
  return sim_file_find (path) != NULL;
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
write_at (SimFile *file, const void *data, size_t size, guint64 offset)
{
  gboolean grows = offset + size > file->now->len;
  gboolean is_short = FALSE;
  int error = sim_step_begin (grows ? SIM_CALL_GROW : SIM_CALL_WRITE, &is_short);

  if (error)
    return fail (error);
  if (is_short && size > 1)
    size = 1 + sim_below (size - 1);
  sim_file_change (file, (SimChange){ offset, size, g_memdup2 (data, size) });
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
  sim_file_change (descriptor->file, (SimChange){ .offset = size });
  sim_step_end ();
  return 0;
}

static int
sync_descriptor (Descriptor *descriptor)
{
  gboolean was_dead = sim_disk_is_dead ();
  int error = sim_step_begin (SIM_CALL_OTHER, NULL);

  if (error && !was_dead && !sim_disk_is_dead () && descriptor->file)
    sim_file_fail_sync (descriptor->file);
  if (error)
    return fail (error);
  if (descriptor->file)
    sim_file_sync (descriptor->file);
  else
    sim_folder_sync ();
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
