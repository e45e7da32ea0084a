/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a stream. The buffer grows to twice what is kept before its head is dropped, so that
 * each byte is moved once on the average. */

#include "job-exec-output.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_SIZE (64 * 1024) /* what a pipe holds */

void
job_exec_output_init (JobExecOutput *self, gsize max)
{
  self->bytes = g_byte_array_new ();
  self->max = max;
  self->cut = FALSE;
}

void
job_exec_output_clear (JobExecOutput *self)
{
  g_clear_pointer (&self->bytes, g_byte_array_unref);
}

static void
job_exec_output_append (JobExecOutput *self, const guint8 *data, gsize size)
{
  g_byte_array_append (self->bytes, data, size);
  if (self->bytes->len <= 2 * self->max)
    return;

  g_byte_array_remove_range (self->bytes, 0, self->bytes->len - self->max);
  self->cut = TRUE;
}

gboolean
job_exec_output_read (JobExecOutput *self, int fd, gsize max)
{
  guint8 data[READ_SIZE];
  gssize n;

  do
    n = read (fd, data, MIN (max, sizeof data));
  while (n < 0 && errno == EINTR);

  if (n > 0)
    job_exec_output_append (self, data, n);

  return n > 0 || (n < 0 && errno == EAGAIN);
}

void
job_exec_output_drain (JobExecOutput *self, int fd)
{
  int left = 0;

  if (ioctl (fd, FIONREAD, &left) != 0)
    return;

  for (; left > 0; left -= READ_SIZE)
    if (!job_exec_output_read (self, fd, MIN (left, READ_SIZE)))
      break;
}

gboolean
job_exec_output_was_cut (JobExecOutput *self)
{
  return self->cut || self->bytes->len > self->max;
}

/* The last bytes, from the beginning of a character on: at most three bytes continue one. */
char *
job_exec_output_dup_text (JobExecOutput *self)
{
  gsize size = MIN (self->bytes->len, self->max);
  const guint8 *start, *end;

  if (size == 0)
    return g_strdup ("");

  end = self->bytes->data + self->bytes->len;
  start = end - size;
  if (job_exec_output_was_cut (self))
    for (guint i = 0; i < 3 && start < end && (*start & 0xc0) == 0x80; i++)
      start++;

  return g_utf8_make_valid ((const char *) start, end - start);
}
