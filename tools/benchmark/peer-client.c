/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client: one thread, epoll, some connections, and on each a number of requests in flight. As
 * soon as replies are there, as many new requests go out with one write. */

#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE 65536
#define MAX_EVENTS 128
#define REPLY_TIMEOUT 30000 /* ms */

typedef struct
{
  int fd;
  PeerSlot *slots;   /* as many as may be in flight */
  PeerSlot **flying; /* a ring: replies come in the order of the requests */
  guint first;       /* of the ring */
  guint n_flying;
  GByteArray *in;
  GString *out;
} Connection;

typedef struct
{
  const PeerProtocol *protocol;
  guint depth;
  guint64 jobs;
  guint64 n_begun;
  guint64 n_done;
  guint n_flying; /* on all connections */
  gint64 deadline;
  gint64 now;
  GArray *latencies;
} Run;

static int
connect_to (guint16 port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons (port),
                                 .sin_addr = { htonl (INADDR_LOOPBACK) } };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int one = 1;

  bench_check_errno (fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) == 0 &&
                         setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0,
                     "connect to a server");
  return fd;
}

static void
connection_init (Connection *self, guint16 port, guint depth)
{
  self->fd = connect_to (port);
  self->slots = g_new0 (PeerSlot, depth);
  self->flying = g_new0 (PeerSlot *, depth);
  self->in = g_byte_array_new ();
  self->out = g_string_new (NULL);
}

static void
connection_clear (Connection *self)
{
  close (self->fd);
  g_free (self->slots);
  g_free (self->flying);
  g_byte_array_unref (self->in);
  g_string_free (self->out, TRUE);
}

static void
send_requests (Connection *self)
{
  for (gsize done = 0; done < self->out->len;)
    {
      gssize n = send (self->fd, self->out->str + done, self->out->len - done, MSG_NOSIGNAL);

      bench_check_errno (n > 0 || errno == EINTR, "write to a server");
      done += MAX (n, 0);
    }
  g_string_truncate (self->out, 0);
}

/* The next step of the slot's job, or a new job, if there is one. */
static void
add_request (Run *run, Connection *self, PeerSlot *slot)
{
  if (slot->step == 0)
    {
      if (run->n_begun == run->jobs || run->now > run->deadline)
        return;
      slot->number = run->n_begun++;
    }
  run->protocol->request (slot, self->out);
  slot->began = run->now;
  self->flying[(self->first + self->n_flying++) % run->depth] = slot;
  run->n_flying++;
}

static gboolean
take_reply (Run *run, Connection *self, gsize *at)
{
  PeerSlot *slot = self->flying[self->first];
  gsize length =
      run->protocol->reply (slot, (const char *) self->in->data + *at, self->in->len - *at);

  if (length == 0)
    return FALSE;
  *at += length;
  bench_samples_add (run->latencies, run->now - slot->began);
  slot->step = (slot->step + 1) % run->protocol->n_steps;
  run->n_done += slot->step == 0;
  self->first = (self->first + 1) % run->depth;
  self->n_flying--;
  run->n_flying--;
  add_request (run, self, slot);
  return TRUE;
}

static void
receive (Run *run, Connection *self)
{
  guint8 bytes[READ_SIZE];
  gssize n = recv (self->fd, bytes, sizeof bytes, 0);
  gsize at = 0;

  if (n == 0)
    bench_fail ("a server closed the connection");
  bench_check_errno (n > 0, "read from a server");
  run->now = bench_now ();
  g_byte_array_append (self->in, bytes, n);
  while (at < self->in->len && self->n_flying > 0 && take_reply (run, self, &at))
    ;
  if (at > 0)
    g_byte_array_remove_range (self->in, 0, at);
  send_requests (self);
}

static void
start (Run *run, Connection *self, int poll_fd)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = self };

  bench_check_errno (epoll_ctl (poll_fd, EPOLL_CTL_ADD, self->fd, &event) == 0,
                     "wait for a server");
  for (guint i = 0; i < run->depth; i++)
    add_request (run, self, &self->slots[i]);
  send_requests (self);
}

static void
receive_all (Run *run, int poll_fd)
{
  struct epoll_event events[MAX_EVENTS];
  int n = epoll_wait (poll_fd, events, MAX_EVENTS, REPLY_TIMEOUT);

  bench_check_errno (n >= 0 || errno == EINTR, "wait for a server");
  if (n == 0)
    bench_fail ("a server does not answer");
  for (int i = 0; i < n; i++)
    receive (run, events[i].data.ptr);
}

gint64
peer_run (const PeerServer *server, const BenchTask *task, const PeerProtocol *protocol,
          guint n_connections, guint depth, GArray *latencies, guint64 *n_done)
{
  g_autofree Connection *connections = g_new0 (Connection, n_connections);
  int poll_fd = epoll_create1 (EPOLL_CLOEXEC);
  gint64 began;
  Run run = { .protocol = protocol,
              .depth = depth,
              .jobs = task->jobs,
              .deadline = bench_deadline (task),
              .latencies = latencies };

  for (guint i = 0; i < n_connections; i++)
    connection_init (&connections[i], server->port, depth);
  began = run.now = bench_now ();
  for (guint i = 0; i < n_connections; i++)
    start (&run, &connections[i], poll_fd);
  while (run.n_flying > 0)
    receive_all (&run, poll_fd);
  for (guint i = 0; i < n_connections; i++)
    connection_clear (&connections[i]);
  close (poll_fd);
  *n_done = run.n_done;
  return run.now - began;
}
