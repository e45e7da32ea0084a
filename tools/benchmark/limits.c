/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the disk gives to anybody: a log, a file for each job, a gdbm file. A batch is
 * task->in_flight jobs; the latency of a batch is that of each of its jobs. */

#include "bench.h"

#include <fcntl.h>
#include <gdbm.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_SIZE 320 /* a job with a little around it */

/* Writes @n jobs from @first on, and makes them durable. */
typedef void (*Write) (gpointer data, guint64 first, guint n);

static void
measure (const BenchTask *task, Write write, gpointer data, GDestroyNotify end)
{
  g_autoptr (GArray) latencies = bench_samples_new (task->jobs / task->in_flight + 1);
  gint64 deadline = bench_deadline (task);
  gint64 began = bench_now (), before = began;
  guint64 n_done = 0;

  while (n_done < task->jobs && before < deadline)
    {
      guint n = MIN (task->jobs - n_done, task->in_flight);
      gint64 now;

      write (data, n_done, n);
      n_done += n;
      now = bench_now ();
      bench_samples_add (latencies, now - before);
      before = now;
    }
  end (data);
  bench_report_rate (n_done, bench_now () - began);
  bench_samples_report (latencies, "");
}

static int
create (int folder, const char *name)
{
  int fd = openat (folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  bench_check_errno (fd >= 0, "create a file");
  return fd;
}

static void
write_all (int fd, const char *bytes, gsize size)
{
  bench_check_errno (write (fd, bytes, size) == (gssize) size, "write a file");
}

/* --- append, fdatasync ------------------------------------------------------------------------ */

typedef struct
{
  int fd;
  char *bytes;
} Log;

static void
append (gpointer data, guint64 first, guint n)
{
  Log *log = data;

  for (guint i = 0; i < n; i++)
    bench_write_payload (first + i, log->bytes + (gsize) i * RECORD_SIZE);
  write_all (log->fd, log->bytes, (gsize) n * RECORD_SIZE);
  bench_check_errno (fdatasync (log->fd) == 0, "sync a file");
}

static void
close_log (gpointer data)
{
  Log *log = data;

  close (log->fd);
  g_free (log->bytes);
}

void
probe_append (const BenchTask *task)
{
  Log log = { create (AT_FDCWD, g_build_filename (task->folder, "log", NULL)),
              g_malloc0 ((gsize) task->in_flight * RECORD_SIZE) };

  measure (task, append, &log, close_log);
}

/* --- a file for each job ---------------------------------------------------------------------- */

static void
write_file (int folder, guint64 number)
{
  char payload[BENCH_PAYLOAD_SIZE + 1];
  char name[64];
  int fd = create (folder, "new");

  bench_write_payload (number, payload);
  snprintf (name, sizeof name, "%016" G_GINT64_MODIFIER "x.json", number);
  write_all (fd, payload, BENCH_PAYLOAD_SIZE);
  bench_check_errno (fsync (fd) == 0, "sync a file");
  close (fd);
  bench_check_errno (renameat (folder, "new", folder, name) == 0, "rename a file");
  bench_check_errno (fsync (folder) == 0, "sync a folder");
}

static void
write_files (gpointer data, guint64 first, guint n)
{
  for (guint i = 0; i < n; i++)
    write_file (*(int *) data, first + i);
}

static void
close_folder (gpointer data)
{
  close (*(int *) data);
}

void
probe_files (const BenchTask *task)
{
  int folder = open (task->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  bench_check_errno (folder >= 0, "open a folder");
  measure (task, write_files, &folder, close_folder);
}

/* --- gdbm ------------------------------------------------------------------------------------- */

/* Keys as random as those of jobs whose ids are not in order would be, so that buckets are met all
 * over the file. */
static void
make_key (guint64 number, guint64 key[2])
{
  key[0] = (number + 1) * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);
  key[1] = number;
}

static void
store_and_sync (gpointer data, guint64 first, guint n)
{
  GDBM_FILE file = data;

  for (guint i = 0; i < n; i++)
    {
      char payload[BENCH_PAYLOAD_SIZE + 1];
      guint64 key[2];

      bench_write_payload (first + i, payload);
      make_key (first + i, key);
      if (gdbm_store (file, (datum){ (char *) key, sizeof key },
                      (datum){ payload, BENCH_PAYLOAD_SIZE }, GDBM_INSERT) != 0)
        bench_fail ("could not store in a gdbm file: %s", gdbm_db_strerror (file));
    }
  if (gdbm_sync (file) != 0)
    bench_fail ("could not sync a gdbm file: %s", gdbm_db_strerror (file));
}

static void
close_gdbm (gpointer data)
{
  if (gdbm_close (data) != 0)
    bench_fail ("could not close a gdbm file: %s", gdbm_strerror (gdbm_errno));
}

void
probe_gdbm (const BenchTask *task)
{
  g_autofree char *path = g_build_filename (task->folder, "file", NULL);
  GDBM_FILE file = gdbm_open (path, 0, GDBM_NEWDB, 0600, NULL);

  if (file == NULL)
    bench_fail ("could not create a gdbm file: %s", gdbm_strerror (gdbm_errno));
  measure (task, store_and_sync, file, close_gdbm);
}
