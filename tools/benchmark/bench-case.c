/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of cases. */

#include "bench-case.h"

/* clang-format off */

#define JOBS { 500000, 20000 }
#define FEW { 100000, 10000 }
#define BACKLOG { 1000000, 50000 }

/* Limits whose rate stays the same go on for some seconds only. */
#define LIMIT_SECONDS 40

#define APPEND(batch) { "append + fdatasync", "append", batch, JOBS, .seconds = LIMIT_SECONDS }
#define REDIS(probe, in_flight) { "redis", "redis-" probe, in_flight, JOBS }
#define BEANSTALKD(probe, in_flight) \
  { "beanstalkd", "beanstalkd-" probe, in_flight, JOBS, .seconds = 20 }
#define BEANSTALKD_MEMORY(probe, in_flight) \
  { "beanstalkd", "beanstalkd-" probe, in_flight, JOBS, .variant = "memory only" }

const BenchCase bench_cases[] = {
  {
    "memory-cycle",
    "enqueue, dequeue, complete: one thread, one at a time, finished jobs kept (memory: latencies of cycles)",
    { { "memory", "cycle", 1, JOBS },
      BEANSTALKD_MEMORY ("cycle", 100) },
    { { 0, 1, "per_second", .factor = 5 } },
  },
  {
    "enqueue-1",
    "enqueue, blocking, one at a time",
    { { BENCH_DISK, "enqueue", 1, JOBS },
      APPEND (1),
      { "redis", "redis-push", 1, JOBS, .seconds = 20 },
      BEANSTALKD ("put", 1) },
    { { 0, 1, "per_second", .factor = 1.2, .only = "sqlite" } },
  },
  {
    "enqueue-64",
    "enqueue, 64 in flight",
    { { BENCH_DISK, "enqueue", 64, JOBS },
      REDIS ("push", 50),
      APPEND (64),
      BEANSTALKD ("put", 100) },
    { { 0, 1, "per_second", .factor = 2, .only = "sqlite" } },
  },
  {
    "enqueue-1000",
    "enqueue, 1,000 in flight",
    { { BENCH_DISK, "enqueue", 1000, JOBS },
      REDIS ("push", 800),
      APPEND (1000) },
    { { 0, 1, "per_second", .factor = 1, .only = "sqlite" } },
  },
  {
    "enqueue-1000-long",
    "enqueue, 1,000 in flight, for 30 s (quick: 2 s), with what the store has not got at the end",
    { { BENCH_DISK, "enqueue-backlog", 1000, { G_MAXUINT64, G_MAXUINT64 }, .seconds = 30 },
      REDIS ("push", 800) },
    { { 0, 1, "per_second", .factor = 0.9, .only = "sqlite" } },
  },
  {
    "cycle-1000",
    "enqueue, dequeue, complete, each acknowledged on disk, 1,000 in flight",
    { { BENCH_DISK, "cycle", 1000, JOBS },
      REDIS ("cycle", 800),
      BEANSTALKD ("cycle", 100) },
    { { 0, 1, "per_second", .factor = 1.4, .only = "sqlite" } },
  },
  {
    "checkpoints-fs-json",
    "enqueue, 64 in flight, checkpoints and close included",
    { { "fs-json", "enqueue-and-close", 64, FEW },
      { "a file a job, renamed, fsync", "files", 1, FEW, .seconds = LIMIT_SECONDS } },
    { { 0, 1, "per_second", .factor = 8 } },
  },
  {
    "checkpoints-gdbm",
    "enqueue, 64 in flight, checkpoints and close included",
    { { "gdbm", "enqueue-and-close", 64, FEW },
      { "gdbm_store + gdbm_sync", "gdbm", 64, FEW } },
    { { 0, 1, "per_second", .factor = 1.5 } },
  },
  {
    "backlog",
    "a blocking cycle behind 1,000,000 (quick: 50,000) pending jobs of another type and channel",
    { { "memory", "cycle-behind", 1, FEW, .variant = "empty queue" },
      { "memory", "cycle-behind", 1, FEW, .variant = "behind the backlog", .pending = BACKLOG },
      { "sqlite", "cycle-behind", 1, { 20000, 1000 }, .variant = "empty queue" },
      { "sqlite", "cycle-behind", 1, { 20000, 1000 }, .variant = "behind the backlog", .pending = BACKLOG } },
    { { 1, 0, "p50_us", .factor = 1.3, .at_most = TRUE },
      { 3, 2, "p50_us", .factor = 1.3, .at_most = TRUE },
      { 1, -1, "stall_us", .factor = 1000, .at_most = TRUE } },
  },
  {
    "lanes",
    "a blocking cycle for a worker that serves 100 types on 10 channels, all with jobs",
    { { "memory", "cycle-lanes", 1, FEW, .variant = "1 type, 1 channel" },
      { "memory", "cycle-lanes", 1, FEW, .variant = "100 types, 10 channels" },
      { "sqlite", "cycle-lanes", 1, { 20000, 1000 }, .variant = "1 type, 1 channel" },
      { "sqlite", "cycle-lanes", 1, { 20000, 1000 }, .variant = "100 types, 10 channels" } },
    { { 1, 0, "p50_us", .factor = 2, .at_most = TRUE },
      { 3, 2, "p50_us", .factor = 2, .at_most = TRUE } },
  },
  /* In flight: how many graphs; pending: of what size. */
  {
    "dependents",
    "the time for each edge that is released (long chain: 100,000 jobs, quick: 10,000)",
    { { "memory", "fan", 100, .variant = "fan of 1,000", .pending = { 1000, 1000 } },
      { "memory", "fan", 10, .variant = "fan of 10,000", .pending = { 10000, 10000 } },
      { "memory", "chain", 100, .variant = "100 short chains", .pending = { 1000, 100 } },
      { "memory", "chain", 1, .variant = "one long chain", .pending = { 100000, 10000 } },
      { "memory", "layers", 100, .variant = "layers of 30", .pending = { 30, 30 } },
      { "memory", "layers", 1, .variant = "layers of 300", .pending = { 300, 300 } },
      { "sqlite", "fan", 100, .variant = "fan of 1,000", .pending = { 1000, 1000 } },
      { "sqlite", "fan", 10, .variant = "fan of 10,000", .pending = { 10000, 10000 } } },
    { { 1, 0, "edge_ns", .factor = 1.5, .at_most = TRUE },
      { 3, 2, "edge_ns", .factor = 1.5, .at_most = TRUE },
      { 5, 4, "edge_ns", .factor = 1.5, .at_most = TRUE },
      { 7, 6, "edge_ns", .factor = 1.5, .at_most = TRUE } },
  },
  {
    "wake-up",
    "from enqueue to the callback of a waiting dequeue in another thread",
    { { "memory", "wake", 1, { 20000, 3000 } },
      { "bare GMainContext", "wake-bare", 1, { 20000, 3000 } },
      { BENCH_DISK, "wake", 1, { 20000, 3000 } } },
    { { 0, 1, "p50_us", .factor = 2.5, .at_most = TRUE },
      { 0, 1, "p99_us", .factor = 2, .at_most = TRUE } },
  },
  {
    "waiting",
    "10,000 waiting dequeues, each of 16 types",
    { { "memory", "waiting", 10000, { 10000, 10000 } } },
    { { 0, -1, "bytes_per_waiter", .factor = 1024, .at_most = TRUE },
      { 0, -1, "more_threads", .factor = 0, .at_most = TRUE } },
  },
  {
    "opening",
    "opening 1,000,000 finished and 100,000 pending jobs (gdbm: a tenth; quick: 20,000 and 2,000)",
    { { "sqlite", "opening", 1, { 1000000, 20000 }, "clean", { 100000, 2000 }, "build" },
      { "sqlite", "opening", 1, { 1000000, 20000 }, "full journal", { 100000, 2000 }, "build-full-journal" },
      { "gdbm", "opening", 1, { 100000, 20000 }, "clean", { 10000, 2000 }, "build" },
      { "gdbm", "opening", 1, { 100000, 20000 }, "full journal", { 10000, 2000 }, "build-full-journal" } },
    { { 0, -1, "seconds", .factor = 0.4, .at_most = TRUE, .full_only = TRUE } },
  },
  {
    "opening-fs-json",
    "opening 20,000 finished jobs (the seed took 0.48 s, measured elsewhere)",
    { { "fs-json", "opening", 1, { 20000, 20000 }, "clean", { 0, 0 }, "build" },
      { "fs-json", "opening", 1, { 20000, 2000 }, "full journal", { 0, 0 }, "build-full-journal" } },
    { { 0, -1, "seconds", .factor = 0.48, .at_most = TRUE } },
  },
  {
    "pending-memory",
    "resident memory for each pending job (in the process that enqueued them; in one that opened them)",
    { { "sqlite", "pending", 1000, { 1000000, 100000 } },
      { "sqlite", "pending", 1, { 0, 0 }, "opened", { 1000000, 100000 }, "build" },
      { "gdbm", "pending", 1000, { 1000000, 100000 } },
      { "gdbm", "pending", 1, { 0, 0 }, "opened", { 1000000, 100000 }, "build" },
      { "fs-json", "pending", 1000, { 100000, 20000 } },
      { "fs-json", "pending", 1, { 0, 0 }, "opened", { 100000, 20000 }, "build" },
      { "memory", "pending", 1000, { 1000000, 100000 } } },
    { { 0, -1, "bytes_per_job", .factor = 120, .at_most = TRUE, .full_only = TRUE },
      { 1, -1, "bytes_per_job", .factor = 120, .at_most = TRUE, .full_only = TRUE } },
  },
  {
    "checkpoint-latency",
    "acknowledgements while a checkpoint runs (apply: while changes are brought into the store; rest: else), 64 in flight",
    { { BENCH_DISK, "checkpoint", 64, { 500000, 100000 }, "during checkpoints" },
      { BENCH_DISK, "checkpoint", 64, { 500000, 100000 }, "without" } },
    { { 0, 1, "p99_us", .factor = 5, .at_most = TRUE },
      { 0, 1, "apply_p99_us", "p99_us", .factor = 5, .at_most = TRUE } },
  },
};

const guint bench_n_cases = G_N_ELEMENTS (bench_cases);
