/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Redis as a queue: LPUSH puts a job in, RPOPLPUSH moves it to a list of those that are being
 * worked on, LREM takes it from there. Every command that changes something is fsynced before its
 * reply (appendfsync always). */

#include "peer.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CONNECTIONS 50

static void
start (PeerServer *server, const BenchTask *task)
{
  const char *argv[] = { "redis-server", "--port",        "PORT",   "--bind", "127.0.0.1",
                         "--dir",        task->folder,    "--save", "",       "--appendonly",
                         "yes",          "--appendfsync", "always", NULL };

  peer_server_start (server, task, argv);
}

static void
append_text (GString *out, const char *text, gsize length)
{
  g_string_append_printf (out, "$%" G_GSIZE_FORMAT "\r\n", length);
  g_string_append_len (out, text, length);
  g_string_append (out, "\r\n");
}

static void
request_push (PeerSlot *slot, GString *out)
{
  char payload[BENCH_PAYLOAD_SIZE + 1];

  bench_write_payload (slot->number, payload);
  g_string_append (out, "*3\r\n$5\r\nLPUSH\r\n$4\r\njobs\r\n");
  append_text (out, payload, BENCH_PAYLOAD_SIZE);
}

static void
request_move (PeerSlot *slot, GString *out)
{
  g_string_append (out, "*3\r\n$9\r\nRPOPLPUSH\r\n$4\r\njobs\r\n$4\r\nwork\r\n");
}

/* From the tail, where the oldest are. */
static void
request_remove (PeerSlot *slot, GString *out)
{
  char payload[BENCH_PAYLOAD_SIZE + 1];

  bench_write_payload (slot->id, payload);
  g_string_append (out, "*4\r\n$4\r\nLREM\r\n$4\r\nwork\r\n$2\r\n-1\r\n");
  append_text (out, payload, BENCH_PAYLOAD_SIZE);
}

static const char *
find_line_end (const char *data, gsize length)
{
  return memmem (data, length, "\r\n", 2);
}

/* ":NUMBER\r\n"; a job that was not there would be 0. */
static gsize
reply_number (PeerSlot *slot, const char *data, gsize length)
{
  const char *end = find_line_end (data, length);

  if (end == NULL)
    return 0;
  if (data[0] != ':' || data[1] == '0')
    bench_fail ("Redis replies: %.*s", (int) (end - data), data);
  return end + 2 - data;
}

/* "$300\r\n", the payload, "\r\n". */
static gsize
reply_payload (PeerSlot *slot, const char *data, gsize length)
{
  const char *end = find_line_end (data, length);
  gsize total;

  if (end == NULL)
    return 0;
  total = end + 2 + BENCH_PAYLOAD_SIZE + 2 - data;
  if (data[0] != '$' || atoi (data + 1) != BENCH_PAYLOAD_SIZE)
    bench_fail ("Redis replies: %.*s", (int) (end - data), data);
  if (length < total)
    return 0;
  slot->id = g_ascii_strtoull (end + 2 + strlen ("{\"number\":"), NULL, 10);
  return total;
}

static void
request_cycle (PeerSlot *slot, GString *out)
{
  static void (*const requests[]) (PeerSlot *, GString *) = { request_push, request_move,
                                                              request_remove };

  requests[slot->step](slot, out);
}

static gsize
reply_cycle (PeerSlot *slot, const char *data, gsize length)
{
  return slot->step == 1 ? reply_payload (slot, data, length) : reply_number (slot, data, length);
}

static const PeerProtocol push = { 1, request_push, reply_number };
static const PeerProtocol cycle = { 3, request_cycle, reply_cycle };

static void
measure (const BenchTask *task, const PeerProtocol *protocol)
{
  g_autoptr (GArray) latencies = bench_samples_new (task->jobs * protocol->n_steps);
  guint n_connections = MIN (task->in_flight, MAX_CONNECTIONS);
  PeerServer server;
  guint64 n_done;
  gint64 ns;

  start (&server, task);
  ns = peer_run (&server, task, protocol, n_connections, task->in_flight / n_connections, latencies,
                 &n_done);
  peer_server_stop (&server);
  bench_report_rate (n_done, ns);
  bench_samples_report (latencies, "");
}

void
probe_redis_push (const BenchTask *task)
{
  measure (task, &push);
}

/* Each of the slots goes on to the next command as soon as it has its reply, so that all three are
 * in flight at any time. (One phase for each command was seen to be slower: LREM then looks through
 * a long list.) */
void
probe_redis_cycle (const BenchTask *task)
{
  measure (task, &cycle);
}
