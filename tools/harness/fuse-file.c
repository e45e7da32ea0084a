/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The protocol is that of <linux/fuse.h>: the kernel writes one request at a time, a header and a
 * body, and gets a header with the same number, and a body. There is only one node, the root, which
 * is the file. The kernel keeps no write back (that would have to be agreed upon at the beginning),
 * so that each of the loop device arrives here before it is answered. */

#include "fuse-file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_WRITE (128 * 1024)
#define MESSAGE_SIZE (MAX_WRITE + 4096)
#define FOR_EVER 3600 /* s that what is told of the file stays true */

typedef struct
{
  const FuseFile *file;
  int fd;
  const struct fuse_in_header *header; /* of the request */
  const void *body;
  char *room; /* for an answer, MAX_WRITE bytes */
} Server;

int
fuse_file_mount (const char *path, char **why)
{
  g_autofree char *options = NULL;
  int fd = open ("/dev/fuse", O_RDWR | O_CLOEXEC);

  if (fd < 0)
    {
      *why = g_strdup_printf ("/dev/fuse: %s", g_strerror (errno));
      return -1;
    }
  options = g_strdup_printf ("fd=%d,rootmode=%o,user_id=%d,group_id=%d", fd, S_IFREG | 0600,
                             (int) geteuid (), (int) getegid ());
  if (mount ("jobqueue-torture", path, "fuse", MS_NOSUID | MS_NODEV, options) == 0)
    return fd;
  *why = g_strdup_printf ("mounting a FUSE file: %s", g_strerror (errno));
  close (fd);
  return -1;
}

/* A request whose asker is gone takes no answer: ENOENT. */
static void
answer (const Server *self, int error, const void *body, gsize size)
{
  struct fuse_out_header header = { .len = (guint32) (sizeof header + size),
                                    .error = -error,
                                    .unique = self->header->unique };
  struct iovec parts[] = { { &header, sizeof header }, { (void *) body, size } };

  if (writev (self->fd, parts, size > 0 ? 2 : 1) < 0 && errno != ENOENT && errno != ENODEV)
    g_error ("An answer that the kernel does not take: %s", g_strerror (errno));
}

static void
answer_init (const Server *self)
{
  const struct fuse_init_in *in = self->body;
  struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION,
                               .minor = MIN (in->minor, FUSE_KERNEL_MINOR_VERSION),
                               .max_readahead = in->max_readahead,
                               .flags = in->flags & (FUSE_BIG_WRITES | FUSE_MAX_PAGES),
                               .max_write = MAX_WRITE,
                               .max_pages = MAX_WRITE / 4096,
                               .time_gran = 1 };

  answer (self, 0, &out, sizeof out);
}

static void
answer_attributes (const Server *self)
{
  struct fuse_attr_out out = { .attr_valid = FOR_EVER,
                               .attr = { .ino = FUSE_ROOT_ID,
                                         .size = self->file->size,
                                         .blocks = self->file->size / 512,
                                         .mode = S_IFREG | 0600,
                                         .nlink = 1,
                                         .uid = geteuid (),
                                         .gid = getegid (),
                                         .blksize = 4096 } };

  answer (self, 0, &out, sizeof out);
}

static gboolean
is_inside (const Server *self, guint64 offset, guint64 size)
{
  return offset <= self->file->size && size <= self->file->size - offset;
}

static void
answer_read (const Server *self)
{
  const struct fuse_read_in *in = self->body;
  gsize size = MIN (in->size, MAX_WRITE);

  if (in->offset >= self->file->size)
    size = 0;
  else
    size = MIN (size, self->file->size - in->offset);
  self->file->read (in->offset, size, self->room, self->file->data);
  answer (self, 0, self->room, size);
}

static void
answer_write (const Server *self)
{
  const struct fuse_write_in *in = self->body;
  struct fuse_write_out out = { .size = in->size };

  if (!is_inside (self, in->offset, in->size))
    {
      answer (self, ENOSPC, NULL, 0);
      return;
    }
  self->file->write (in->offset, in->size, in + 1, self->file->data);
  answer (self, 0, &out, sizeof out);
}

/* Holes are asked for only, and they are zeros. */
static void
answer_hole (const Server *self)
{
  const struct fuse_fallocate_in *in = self->body;
  gboolean good = is_inside (self, in->offset, in->length);

  if (good)
    self->file->zero (in->offset, in->length, self->file->data);
  answer (self, good ? 0 : ENOSPC, NULL, 0);
}

static void
answer_statistics (const Server *self)
{
  struct fuse_statfs_out out = { .st = { .bsize = 4096, .frsize = 4096, .namelen = 255 } };

  answer (self, 0, &out, sizeof out);
}

static void
answer_open (const Server *self)
{
  struct fuse_open_out out = { 0 };

  answer (self, 0, &out, sizeof out);
}

static void
answer_flush (const Server *self)
{
  self->file->flush (self->file->data);
  answer (self, 0, NULL, 0);
}

static void
handle (const Server *self)
{
  switch (self->header->opcode)
    {
    case FUSE_INIT:
      answer_init (self);
      break;
    case FUSE_GETATTR:
    case FUSE_SETATTR:
      answer_attributes (self);
      break;
    case FUSE_STATFS:
      answer_statistics (self);
      break;
    case FUSE_OPEN:
      answer_open (self);
      break;
    case FUSE_READ:
      answer_read (self);
      break;
    case FUSE_WRITE:
      answer_write (self);
      break;
    case FUSE_FALLOCATE:
      answer_hole (self);
      break;
    case FUSE_FSYNC:
      answer_flush (self);
      break;
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_ACCESS:
    case FUSE_DESTROY:
      answer (self, 0, NULL, 0);
      break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      break; /* these are told, not asked */
    default:
      answer (self, ENOSYS, NULL, 0);
      break;
    }
}

void
fuse_file_serve (const FuseFile *file, int fd)
{
  g_autofree struct fuse_in_header *message = g_malloc (MESSAGE_SIZE);
  g_autofree char *room = g_malloc (MAX_WRITE);
  Server self = { .file = file, .fd = fd, .header = message, .body = message + 1, .room = room };

  for (;;)
    {
      gssize size = read (fd, message, MESSAGE_SIZE);

      if (size >= (gssize) sizeof *message)
        handle (&self);
      else if (size < 0 && errno == ENODEV)
        return; /* it is no longer mounted */
      else if (size >= 0 || (errno != EINTR && errno != ENOENT && errno != EAGAIN))
        g_error ("The kernel asks nothing any more: %s", g_strerror (errno));
    }
}
