/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bytes of a file that nobody changes, to a new one.
 *
 * Where the file system can share blocks between files, the kernel does that, and it costs next to
 * nothing; else it copies them itself. Where it does neither, they go through memory. It is told to
 * begin with the writing as the copy grows, as in job-gdbm-writer.c. */

#include "job-gdbm-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CHUNK_SIZE (1024 * 1024)

/* Not from where @from is: gdbm's handle has the same offset. */
static gssize
copy_through_memory (int from, int to, off_t at, const char *path, GError **error)
{
  g_autofree guint8 *chunk = g_malloc (CHUNK_SIZE);
  gssize n;

  do
    n = pread (from, chunk, CHUNK_SIZE, at);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    job_file_set_error (error, errno, "read the file to be copied to", path);
  else if (!job_file_write_all (to, chunk, (gsize) n, path, error))
    n = -1;
  return n;
}

/* How many bytes; 0 at the end; -1 with an error. Whatever keeps the kernel from it, be it a full
 * disk, is told by the second way, if that meets with it, too. */
static gssize
copy_chunk (int from, int to, off_t at, const char *path, GError **error)
{
  off_t start = at;
  gssize n = copy_file_range (from, &start, to, NULL, CHUNK_SIZE, 0);

  return n > 0 ? n : copy_through_memory (from, to, at, path, error);
}

gboolean
job_gdbm_copy_bytes (int from, int to, const char *path, GError **error)
{
  off_t at = 0;
  gssize n;

  while ((n = copy_chunk (from, to, at, path, error)) > 0)
    {
      sync_file_range (to, at, n, SYNC_FILE_RANGE_WRITE);
      at += n;
    }
  return n == 0;
}
