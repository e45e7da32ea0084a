/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Servers to compare with, and a client for them that keeps many requests in flight. */

#pragma once

#include "bench.h"

G_BEGIN_DECLS

/* peer-server.c */
typedef struct
{
  GPid pid;
  guint16 port; /* on 127.0.0.1 */
  char *log;    /* path */
} PeerServer;

/* Starts argv[0] with the free port in place of the argument "PORT", and waits until it listens. It
 * ends with this process, whatever becomes of that. */
void peer_server_start (PeerServer *self, const BenchTask *task, const char *const *argv);
void peer_server_stop (PeerServer *self);

/* peer-client.c */

/* One place in a connection's pipeline, which does one job after the other, step by step. */
typedef struct
{
  guint64 number; /* of the job */
  guint64 id;     /* the protocol's */
  guint step;     /* 0 in the beginning */
  gint64 began;   /* the request that is in flight */
} PeerSlot;

typedef struct
{
  guint n_steps; /* requests for each job */
  void (*request) (PeerSlot *slot, GString *out);
  /* How long the reply at @data is, 0 if it is not whole yet. Ends the process for a wrong one. */
  gsize (*reply) (PeerSlot *slot, const char *data, gsize length);
} PeerProtocol;

/* task->jobs jobs, with @depth requests in flight on each of @n_connections. Returns the time until
 * the last reply in ns. */
gint64 peer_run (const PeerServer *server, const BenchTask *task, const PeerProtocol *protocol,
                 guint n_connections, guint depth, GArray *latencies, guint64 *n_done);

G_END_DECLS
