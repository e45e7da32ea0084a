/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The functions of the C library that change what is in files, as those in shim-calls.c. */

/* Else pwrite() is pwrite64() here, and both are defined. */
#undef _FILE_OFFSET_BITS

#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim-call.h"

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
