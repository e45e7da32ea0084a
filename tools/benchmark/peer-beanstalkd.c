/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* beanstalkd: put, reserve, delete. With a log that is fsynced for each change, or, where the
 * variant says so, in memory only. */

#include "peer.h"

#include <string.h>

static void
start (PeerServer *server, const BenchTask *task)
{
  const char *durable[] = { "beanstalkd", "-l",         "127.0.0.1", "-p", "PORT",
                            "-b",         task->folder, "-f0",       NULL };
  const char *memory[] = { "beanstalkd", "-l", "127.0.0.1", "-p", "PORT", NULL };

  peer_server_start (server, task, g_str_has_prefix (task->variant, "memory") ? memory : durable);
}

static void
request_put (PeerSlot *slot, GString *out)
{
  char payload[BENCH_PAYLOAD_SIZE + 1];

  bench_write_payload (slot->number, payload);
  g_string_append_printf (out, "put 0 0 600 %d\r\n%s\r\n", BENCH_PAYLOAD_SIZE, payload);
}

static void
request_cycle (PeerSlot *slot, GString *out)
{
  if (slot->step == 0)
    request_put (slot, out);
  else if (slot->step == 1)
    g_string_append (out, "reserve\r\n");
  else
    g_string_append_printf (out, "delete %" G_GUINT64_FORMAT "\r\n", slot->id);
}

/* A line that begins with @word. */
static gsize
reply_line (const char *data, gsize length, const char *word)
{
  const char *end = memmem (data, length, "\r\n", 2);

  if (end == NULL)
    return 0;
  if (!g_str_has_prefix (data, word))
    bench_fail ("beanstalkd replies: %.*s", (int) (end - data), data);
  return end + 2 - data;
}

static gsize
reply_put (PeerSlot *slot, const char *data, gsize length)
{
  return reply_line (data, length, "INSERTED ");
}

/* "RESERVED ID 300\r\n", the payload, "\r\n". */
static gsize
reply_reserve (PeerSlot *slot, const char *data, gsize length)
{
  gsize line = reply_line (data, length, "RESERVED ");

  if (line == 0 || length < line + BENCH_PAYLOAD_SIZE + 2)
    return 0;
  slot->id = g_ascii_strtoull (data + strlen ("RESERVED "), NULL, 10);
  return line + BENCH_PAYLOAD_SIZE + 2;
}

static gsize
reply_cycle (PeerSlot *slot, const char *data, gsize length)
{
  if (slot->step == 0)
    return reply_put (slot, data, length);
  if (slot->step == 1)
    return reply_reserve (slot, data, length);
  return reply_line (data, length, "DELETED");
}

static const PeerProtocol put = { 1, request_put, reply_put };
static const PeerProtocol cycle = { 3, request_cycle, reply_cycle };

static void
measure (const BenchTask *task, const PeerProtocol *protocol)
{
  g_autoptr (GArray) latencies = bench_samples_new (task->jobs * protocol->n_steps);
  PeerServer server;
  guint64 n_done;
  gint64 ns;

  start (&server, task);
  ns = peer_run (&server, task, protocol, task->in_flight, 1, latencies, &n_done);
  peer_server_stop (&server);
  bench_report_rate (n_done, ns);
  bench_samples_report (latencies, "");
}

void
probe_beanstalkd_put (const BenchTask *task)
{
  measure (task, &put);
}

void
probe_beanstalkd_cycle (const BenchTask *task)
{
  measure (task, &cycle);
}
