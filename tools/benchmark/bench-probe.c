/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of measurements, and how one tells what it found. */

#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct
{
  const char *name;
  BenchProbe probe;
} probes[] = {
  { "enqueue", probe_enqueue },
  { "enqueue-and-close", probe_enqueue_and_close },
  { "enqueue-backlog", probe_enqueue_backlog },
  { "cycle", probe_cycle },
  { "cycle-behind", probe_cycle_behind },
  { "cycle-lanes", probe_cycle_lanes },
  { "fan", probe_fan },
  { "chain", probe_chain },
  { "layers", probe_layers },
  { "wake-bare", probe_wake_bare },
  { "wake", probe_wake },
  { "waiting", probe_waiting },
  { "pending", probe_pending },
  { "build", probe_build },
  { "build-full-journal", probe_build_full_journal },
  { "opening", probe_opening },
  { "checkpoint", probe_checkpoint },
  { "append", probe_append },
  { "files", probe_files },
  { "gdbm", probe_gdbm },
  { "redis-push", probe_redis_push },
  { "redis-cycle", probe_redis_cycle },
  { "beanstalkd-put", probe_beanstalkd_put },
  { "beanstalkd-cycle", probe_beanstalkd_cycle },
};

BenchProbe
bench_find_probe (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (probes); i++)
    if (g_str_equal (probes[i].name, name))
      return probes[i].probe;
  return NULL;
}

void
bench_report (const char *key, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  printf ("%s %s\n", key, g_ascii_dtostr (text, sizeof text, value));
}

void
bench_fail (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);
  exit (1);
}

void
bench_missing (const char *what)
{
  fprintf (stderr, "%s is not there\n", what);
  exit (BENCH_EXIT_MISSING);
}

void
bench_leave (void)
{
  fflush (stdout);
  _exit (0);
}

void
bench_check (const GError *error, const char *what)
{
  if (error)
    bench_fail ("could not %s: %s", what, error->message);
}

void
bench_check_errno (gboolean good, const char *what)
{
  if (!good)
    bench_fail ("could not %s: %s", what, g_strerror (errno));
}
