/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The functions of the C library that open, read and sync files, in its place; shim-writes.c has
 * those that write, shim-names.c those that are about names. Each finds out whether the file is
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
#include <sys/file.h>
#include <sys/stat.h>
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

/* --- making durable --------------------------------------------------------------------------- */

/* The power is never cut for real: so nothing is synced for real, which would take most of the
 * time. */

/* A sync that fails is recorded, too: what was to be written counts as clean from then on. */
static int
sync_any (int fd, ShimCall call, const char *where)
{
  ShimFate fate;
  int error;

  fate = shim_enter (call, where, &error);
  shim_add_event (
      (ShimEvent){ .deed = fate == SHIM_PASS ? SHIM_DID_SYNC : SHIM_DID_FAIL_SYNC, .fd = fd },
      NULL);
  if (fate != SHIM_PASS)
    errno = error;
  shim_leave ();
  return fate == SHIM_PASS ? 0 : -1;
}

int
fsync (int fd)
{
  const char *where = shim_find_fd (fd);

  return where ? sync_any (fd, SHIM_SYNC, where) : SHIM_REAL (fsync) (fd);
}

int
fdatasync (int fd)
{
  const char *where = shim_find_fd (fd);

  return where ? sync_any (fd, SHIM_SYNC_DATA, where) : SHIM_REAL (fdatasync) (fd);
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
