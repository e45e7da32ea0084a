/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What all measurements share. Each runs in a process of its own, which the bench starts with the
 * task on its command line, and which prints its figures, one "KEY VALUE" a line; the key ends with
 * the unit. */

#pragma once

#include "jobqueue-backend.h"

G_BEGIN_DECLS

#define BENCH_PAYLOAD_SIZE 300 /* bytes of args, for each system the same */
#define BENCH_EXIT_MISSING 77  /* what is to be measured is not installed */

/* One measurement. Strings are never NULL. */
typedef struct
{
  const char *probe;
  const char *system;
  const char *variant;
  guint in_flight;
  guint64 jobs;
  guint64 pending;    /* of the jobs of a prepared store: how many more are not over */
  double seconds;     /* begins nothing new after that */
  const char *folder; /* its own, empty */
  const char *store;  /* what the case has prepared, or "" */
} BenchTask;

typedef void (*BenchProbe) (const BenchTask *task);

/* bench-probe.c */
BenchProbe bench_find_probe (const char *name);
void bench_report (const char *key, double value);
G_NORETURN void bench_fail (const char *format, ...) G_GNUC_PRINTF (1, 2);
G_NORETURN void bench_missing (const char *what);
/* Ends the measurement without a close: what the store has not got yet would only make more files
 * to remove. */
G_NORETURN void bench_leave (void);
/* Ends the process with the error, unless it is NULL. */
void bench_check (const GError *error, const char *what);
/* The same with errno, unless @good. */
void bench_check_errno (gboolean good, const char *what);

/* bench-measure.c */
gint64 bench_now (void);         /* monotonic, ns */
gint64 bench_thread_time (void); /* what this thread has computed so far, ns */
gint64 bench_deadline (const BenchTask *task);
void bench_report_rate (guint64 jobs, gint64 ns);
guint64 bench_resident_memory (void); /* bytes */
guint bench_count_threads (void);

/* Latencies: arrays of gint64, in ns. */
GArray *bench_samples_new (guint64 expected);
void bench_samples_add (GArray *self, gint64 ns);
/* Reports PREFIXp50_us, PREFIXp99_us, or nothing if there are none. Sorts them. */
void bench_samples_report (GArray *self, const char *prefix);
void bench_samples_report_max (GArray *self, const char *key);

/* bench-queue.c */
#define BENCH_TYPE "bench"
#define BENCH_RESULT "{\"done\":true}"

/* Writes the payload of a job, BENCH_PAYLOAD_SIZE bytes and a NUL. */
void bench_write_payload (guint64 number, char *payload);
char *bench_uri (const char *backend, const char *folder, guint64 checkpoint_size);
JobQueue *bench_open (const char *backend, const char *folder);
JobQueue *bench_open_uri (const char *uri);
void bench_close (JobQueue *queue);
JobSpec *bench_spec (guint64 number, const char *type, const char *channel);
void bench_enqueue (JobQueue *queue, guint64 number);
/* Takes the next job and completes it. */
void bench_work (JobQueue *queue, const char *const *types, const char *const *channels);
/* Enqueues many jobs, fast. */
void bench_fill (JobQueue *queue, guint64 jobs, const char *type, const char *channel);
/* The bytes of the files of a folder whose name contains @part. */
guint64 bench_count_bytes (const char *folder, const char *part);

/* bench-load.c: many asynchronous calls from the default main context. */
typedef struct
{
  JobQueue *queue;
  guint in_flight;
  guint64 jobs;
  gint64 deadline;    /* of bench_now(); G_MAXINT64: none */
  gboolean cycle;     /* also dequeue and complete */
  gint64 stuck_after; /* ns without an acknowledgement until it gives up; 0: never */
  GArray *latencies;  /* may be NULL */
  GArray *begins;     /* of the same calls, may be NULL */

  guint64 n_done; /* jobs */
  gint64 ns;      /* from the first call to the last acknowledgement */
} BenchLoad;

/* FALSE: it was stuck. */
gboolean bench_load_run (BenchLoad *load);

/* bench-store.c: looks over the shoulder of the store behind a queue that was just opened. */
typedef struct
{
  gint64 begin;
  gint64 end;
} BenchSpan;

typedef struct
{
  GArray *applies;     /* of BenchSpan */
  GArray *checkpoints; /* of BenchSpan */
  guint64 n_records;   /* how many jobs have arrived in the store */
} BenchStoreWork;

void bench_store_watch (void);
/* What it has done since; the arrays are the caller's. */
BenchStoreWork bench_store_get_work (void);
/* From now on no checkpoint ends, so that the journal becomes full. (If it took no changes either,
 * callers would be slowed down to that before.) */
void bench_store_block (void);

/* The measurements, by file. probe-enqueue.c: */
void probe_enqueue (const BenchTask *task);
void probe_enqueue_and_close (const BenchTask *task);
void probe_enqueue_backlog (const BenchTask *task);
/* probe-cycle.c: */
void probe_cycle (const BenchTask *task);
void probe_cycle_behind (const BenchTask *task);
void probe_cycle_lanes (const BenchTask *task);
/* probe-dependents.c: */
void probe_fan (const BenchTask *task);
void probe_chain (const BenchTask *task);
void probe_layers (const BenchTask *task);
/* probe-wake.c: */
void probe_wake_bare (const BenchTask *task);
void probe_wake (const BenchTask *task);
/* probe-memory.c: */
void probe_waiting (const BenchTask *task);
void probe_pending (const BenchTask *task);
/* probe-opening.c: */
void probe_build (const BenchTask *task);
void probe_build_full_journal (const BenchTask *task);
void probe_opening (const BenchTask *task);
/* probe-checkpoint.c: */
void probe_checkpoint (const BenchTask *task);
/* limits.c: */
void probe_append (const BenchTask *task);
void probe_files (const BenchTask *task);
void probe_gdbm (const BenchTask *task);
/* peer-redis.c: */
void probe_redis_push (const BenchTask *task);
void probe_redis_cycle (const BenchTask *task);
/* peer-beanstalkd.c: */
void probe_beanstalkd_put (const BenchTask *task);
void probe_beanstalkd_cycle (const BenchTask *task);

G_END_DECLS
