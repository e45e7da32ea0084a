/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The functions of the C library that touch files, in its place. Each finds out whether the file is
 * below the folder of the shim, asks it what becomes of the call, and makes the call by the real
 * function. */

/* Else open() is open64() here, and both are defined. */
#undef _FILE_OFFSET_BITS

#include "shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim-call.h"

/* As code is linked that was built with FORTIFY. */
int __open_2 (const char *path, int flags);
int __open64_2 (const char *path, int flags);
int __openat_2 (int folder, const char *path, int flags);
int __openat64_2 (int folder, const char *path, int flags);
ssize_t __read_chk (int fd, void *data, size_t size, size_t room);
ssize_t __pread_chk (int fd, void *data, size_t size, off_t offset, size_t room);
ssize_t __pread64_chk (int fd, void *data, size_t size, off64_t offset, size_t room);

/* --- opening and closing ---------------------------------------------------------------------- */

static gboolean
may_create (int flags)
{
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

/* Whether the file is new after the opening, or empty. */
static gboolean
would_make (int folder, const char *path, int flags)
{
  if ((flags & O_TRUNC) != 0)
    return TRUE;
  return (flags & O_CREAT) != 0 &&
         SHIM_REAL (faccessat) (folder, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

static int
open_seen (int folder, const char *path, const char *where, int flags, mode_t mode)
{
  gboolean made = shim_is_recording () && would_make (folder, path, flags);
  int fd = SHIM_REAL (openat64) (folder, path, flags, mode);

  if (fd < 0)
    return fd;
  shim_set_fd (fd, where);
  shim_note_done (
      (ShimEvent){ .deed = SHIM_DID_OPEN, .path = (char *) where, .fd = fd, .made = made });
  return fd;
}

static int
open_any (int folder, const char *path, int flags, mode_t mode)
{
  const char *where = shim_find_path (folder, path);
  int error, fd = -1;

  if (where == NULL)
    return SHIM_REAL (openat64) (folder, path, flags, mode);
  if (shim_enter (may_create (flags) ? SHIM_CREATE : SHIM_OPEN, where, &error) == SHIM_PASS)
    fd = open_seen (folder, path, where, flags, mode);
  else
    errno = error;
  shim_leave ();
  return fd;
}

#define MODE(flags)                                                                                \
  ({                                                                                               \
    mode_t mode_ = 0;                                                                              \
    va_list list_;                                                                                 \
    va_start (list_, flags);                                                                       \
    if (may_create (flags))                                                                        \
      mode_ = va_arg (list_, mode_t);                                                              \
    va_end (list_);                                                                                \
    mode_;                                                                                         \
  })

int
open (const char *path, int flags, ...)
{
  return open_any (AT_FDCWD, path, flags, MODE (flags));
}

int
open64 (const char *path, int flags, ...)
{
  return open_any (AT_FDCWD, path, flags, MODE (flags));
}

int
openat (int folder, const char *path, int flags, ...)
{
  return open_any (folder, path, flags, MODE (flags));
}

int
openat64 (int folder, const char *path, int flags, ...)
{
  return open_any (folder, path, flags, MODE (flags));
}

int
__open_2 (const char *path, int flags)
{
  return open_any (AT_FDCWD, path, flags, 0);
}

int
__open64_2 (const char *path, int flags)
{
  return open_any (AT_FDCWD, path, flags, 0);
}

int
__openat_2 (int folder, const char *path, int flags)
{
  return open_any (folder, path, flags, 0);
}

int
__openat64_2 (int folder, const char *path, int flags)
{
  return open_any (folder, path, flags, 0);
}

int
creat (const char *path, mode_t mode)
{
  return open_any (AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int
creat64 (const char *path, mode_t mode)
{
  return open_any (AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* Whatever it says, the descriptor is gone. */
int
close (int fd)
{
  const char *where = shim_find_fd (fd);
  int error, result;
  ShimFate fate;

  if (where == NULL)
    return SHIM_REAL (close) (fd);
  fate = shim_enter (SHIM_CLOSE, where, &error);
  shim_set_fd (fd, NULL);
  result = SHIM_REAL (close) (fd);
  shim_note_done ((ShimEvent){ .deed = SHIM_DID_CLOSE, .fd = fd });
  if (fate != SHIM_PASS)
    {
      result = -1;
      errno = error;
    }
  shim_leave ();
  return result;
}

static void
note_duplicate (const char *where, int fd, int other)
{
  shim_set_fd (other, where);
  shim_note_done ((ShimEvent){ .deed = SHIM_DID_DUPLICATE, .fd = fd, .other = other });
}

static int
duplicate_seen (int fd, const char *where, int command, long argument)
{
  int error, other = -1;

  if (shim_enter (SHIM_DUPLICATE, where, &error) == SHIM_PASS)
    other = SHIM_REAL (fcntl64) (fd, command, argument);
  else
    errno = error;
  if (other >= 0)
    note_duplicate (where, fd, other);
  shim_leave ();
  return other;
}

static int
control (int fd, int command, void *argument)
{
  const char *where = shim_find_fd (fd);

  if (where && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))
    return duplicate_seen (fd, where, command, (long) argument);
  if (where && (command == F_SETLK || command == F_SETLKW))
    return SHIM_SIMPLE (SHIM_LOCK, where, SHIM_REAL (fcntl64) (fd, command, argument),
                        SHIM_NOTHING);
  return SHIM_REAL (fcntl64) (fd, command, argument);
}

int
fcntl (int fd, int command, ...)
{
  va_list list;
  void *argument;

  va_start (list, command);
  argument = va_arg (list, void *);
  va_end (list);
  return control (fd, command, argument);
}

int
fcntl64 (int fd, int command, ...)
{
  va_list list;
  void *argument;

  va_start (list, command);
  argument = va_arg (list, void *);
  va_end (list);
  return control (fd, command, argument);
}

int
dup (int fd)
{
  const char *where = shim_find_fd (fd);

  return where ? duplicate_seen (fd, where, F_DUPFD, 0) : SHIM_REAL (dup) (fd);
}

int
flock (int fd, int operation)
{
  return SHIM_SIMPLE (SHIM_LOCK, shim_find_fd (fd), SHIM_REAL (flock) (fd, operation),
                      SHIM_NOTHING);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* @real_call comes after the fault. */
#define READ(fd, real_call)                                                                        \
  ({                                                                                               \
    const char *where_ = shim_find_fd (fd);                                                        \
    int error_;                                                                                    \
    ssize_t result_ = -1;                                                                          \
    if (where_ == NULL)                                                                            \
      result_ = (real_call);                                                                       \
    else                                                                                           \
      {                                                                                            \
        if (shim_enter (SHIM_READ, where_, &error_) == SHIM_PASS)                                  \
          result_ = (real_call);                                                                   \
        else                                                                                       \
          errno = error_;                                                                          \
        shim_leave ();                                                                             \
      }                                                                                            \
    result_;                                                                                       \
  })

ssize_t
read (int fd, void *data, size_t size)
{
  return READ (fd, SHIM_REAL (read) (fd, data, size));
}

ssize_t
pread (int fd, void *data, size_t size, off_t offset)
{
  return READ (fd, SHIM_REAL (pread) (fd, data, size, offset));
}

ssize_t
pread64 (int fd, void *data, size_t size, off64_t offset)
{
  return READ (fd, SHIM_REAL (pread64) (fd, data, size, offset));
}

ssize_t
__read_chk (int fd, void *data, size_t size, size_t room)
{
  return READ (fd, SHIM_REAL (read) (fd, data, size));
}

ssize_t
__pread_chk (int fd, void *data, size_t size, off_t offset, size_t room)
{
  return READ (fd, SHIM_REAL (pread) (fd, data, size, offset));
}

ssize_t
__pread64_chk (int fd, void *data, size_t size, off64_t offset, size_t room)
{
  return READ (fd, SHIM_REAL (pread64) (fd, data, size, offset));
}

/* --- writing ---------------------------------------------------------------------------------- */

static off64_t
find_position (int fd)
{
  int flags = SHIM_REAL (fcntl64) (fd, F_GETFL);

  return lseek64 (fd, 0, flags >= 0 && (flags & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
}

/* @offset: -1: where the descriptor stands. */
static ssize_t
write_seen (int fd, const void *data, size_t size, off64_t offset)
{
  off64_t at = offset < 0 && shim_is_recording () ? find_position (fd) : offset;
  ssize_t written = offset < 0 ? SHIM_REAL (write) (fd, data, size)
                               : SHIM_REAL (pwrite64) (fd, data, size, offset);

  if (written > 0)
    shim_add_event (
        (ShimEvent){
            .deed = SHIM_DID_WRITE, .fd = fd, .offset = (guint64) at, .size = (gsize) written },
        data);
  return written;
}

static ssize_t
write_any (int fd, const void *data, size_t size, off64_t offset)
{
  const char *where = shim_find_fd (fd);
  ssize_t written = -1;
  ShimFate fate;
  int error;

  if (where == NULL)
    return offset < 0 ? SHIM_REAL (write) (fd, data, size)
                      : SHIM_REAL (pwrite64) (fd, data, size, offset);
  fate = shim_enter (SHIM_WRITE, where, &error);
  if (fate == SHIM_PASS)
    written = write_seen (fd, data, size, offset);
  else if (fate != SHIM_FAIL)
    written = write_seen (fd, data, (size + 1) / 2, offset);
  if (fate == SHIM_FAIL || fate == SHIM_TORN)
    {
      written = -1;
      errno = error;
    }
  shim_leave ();
  return written;
}

ssize_t
write (int fd, const void *data, size_t size)
{
  return write_any (fd, data, size, -1);
}

ssize_t
pwrite (int fd, const void *data, size_t size, off_t offset)
{
  return write_any (fd, data, size, offset);
}

ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t offset)
{
  return write_any (fd, data, size, offset);
}

/* A short write of what comes first, which is legal. */
ssize_t
writev (int fd, const struct iovec *parts, int n_parts)
{
  if (shim_find_fd (fd) == NULL || n_parts == 0)
    return SHIM_REAL (writev) (fd, parts, n_parts);
  return write_any (fd, parts[0].iov_base, parts[0].iov_len, -1);
}

int
ftruncate (int fd, off_t size)
{
  return SHIM_SIMPLE (SHIM_TRUNCATE, shim_find_fd (fd), SHIM_REAL (ftruncate) (fd, size),
                      .deed = SHIM_DID_TRUNCATE, .fd = fd, .offset = (guint64) size);
}

int
ftruncate64 (int fd, off64_t size)
{
  return SHIM_SIMPLE (SHIM_TRUNCATE, shim_find_fd (fd), SHIM_REAL (ftruncate64) (fd, size),
                      .deed = SHIM_DID_TRUNCATE, .fd = fd, .offset = (guint64) size);
}

/* Nobody of ours calls these; to be seen all the same, if somebody does. */
static int
refuse (const char *what, const char *where)
{
  if (where != NULL)
    g_error ("The shim does not know what %s did to “%s”", what, where);
  return 0;
}

int
fallocate (int fd, int mode, off_t offset, off_t size)
{
  refuse ("fallocate()", shim_find_fd (fd));
  return SHIM_REAL (fallocate) (fd, mode, offset, size);
}

int
fallocate64 (int fd, int mode, off64_t offset, off64_t size)
{
  refuse ("fallocate64()", shim_find_fd (fd));
  return SHIM_REAL (fallocate64) (fd, mode, offset, size);
}

int
posix_fallocate (int fd, off_t offset, off_t size)
{
  refuse ("posix_fallocate()", shim_find_fd (fd));
  return SHIM_REAL (posix_fallocate) (fd, offset, size);
}

int
posix_fallocate64 (int fd, off64_t offset, off64_t size)
{
  refuse ("posix_fallocate64()", shim_find_fd (fd));
  return SHIM_REAL (posix_fallocate64) (fd, offset, size);
}

ssize_t
pwritev (int fd, const struct iovec *parts, int n_parts, off_t offset)
{
  refuse ("pwritev()", shim_find_fd (fd));
  return SHIM_REAL (pwritev) (fd, parts, n_parts, offset);
}

/* What was copied is what is there afterwards. */
static void
note_copy (int fd, off64_t offset, size_t size)
{
  g_autofree guint8 *data = NULL;

  if (!shim_is_recording ())
    return;
  data = g_malloc (size);
  if (SHIM_REAL (pread64) (fd, data, size, offset) == (ssize_t) size)
    shim_add_event (
        (ShimEvent){ .deed = SHIM_DID_WRITE, .fd = fd, .offset = (guint64) offset, .size = size },
        data);
}

/* As a write to the second one. */
ssize_t
copy_file_range (int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size,
                 unsigned int flags)
{
  const char *where = shim_find_fd (to);
  ssize_t copied = -1;
  off64_t at;
  ShimFate fate;
  int error;

  if (where == NULL)
    return SHIM_REAL (copy_file_range) (from, from_offset, to, to_offset, size, flags);
  fate = shim_enter (SHIM_WRITE, where, &error);
  at = to_offset ? *to_offset : find_position (to);
  if (fate != SHIM_FAIL)
    copied = SHIM_REAL (copy_file_range) (from, from_offset, to, to_offset,
                                          fate == SHIM_PASS ? size : (size + 1) / 2, flags);
  if (copied > 0)
    note_copy (to, at, (size_t) copied);
  if (fate == SHIM_FAIL || fate == SHIM_TORN)
    {
      copied = -1;
      errno = error;
    }
  shim_leave ();
  return copied;
}

static void
check_mapping (int fd, int protection, int flags)
{
  if ((flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0)
    refuse ("a shared mapping", shim_find_fd (fd));
}

void *
mmap (void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
  check_mapping (fd, protection, flags);
  return SHIM_REAL (mmap) (address, size, protection, flags, fd, offset);
}

void *
mmap64 (void *address, size_t size, int protection, int flags, int fd, off64_t offset)
{
  check_mapping (fd, protection, flags);
  return SHIM_REAL (mmap64) (address, size, protection, flags, fd, offset);
}

/* --- making durable --------------------------------------------------------------------------- */

/* The power is never cut for real: so nothing is synced for real, which would take most of the
 * time. */

int
fsync (int fd)
{
  const char *where = shim_find_fd (fd);

  return SHIM_SIMPLE (SHIM_SYNC, where, where ? 0 : SHIM_REAL (fsync) (fd), .deed = SHIM_DID_SYNC,
                      .fd = fd);
}

int
fdatasync (int fd)
{
  const char *where = shim_find_fd (fd);

  return SHIM_SIMPLE (SHIM_SYNC_DATA, where, where ? 0 : SHIM_REAL (fdatasync) (fd),
                      .deed = SHIM_DID_SYNC, .fd = fd);
}

int
syncfs (int fd)
{
  const char *where = shim_find_fd (fd);

  return SHIM_SIMPLE (SHIM_SYNC_ALL, where, where ? 0 : SHIM_REAL (syncfs) (fd),
                      .deed = SHIM_DID_SYNC_ALL);
}

int
sync_file_range (int fd, off64_t offset, off64_t size, unsigned int flags)
{
  const char *where = shim_find_fd (fd);

  return SHIM_SIMPLE (SHIM_SYNC_RANGE, where,
                      where ? 0 : SHIM_REAL (sync_file_range) (fd, offset, size, flags),
                      SHIM_NOTHING);
}
