/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Clocks, memory and latencies. */

#include "bench.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static gint64
read_clock (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

gint64
bench_now (void)
{
  return read_clock (CLOCK_MONOTONIC);
}

gint64
bench_thread_time (void)
{
  return read_clock (CLOCK_THREAD_CPUTIME_ID);
}

gint64
bench_deadline (const BenchTask *task)
{
  return bench_now () + (gint64) (task->seconds * 1e9);
}

void
bench_report_rate (guint64 jobs, gint64 ns)
{
  bench_report ("jobs", jobs);
  bench_report ("seconds", ns / 1e9);
  bench_report ("per_second", jobs / (ns / 1e9));
}

guint64
bench_resident_memory (void)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  guint64 size, resident;

  g_file_get_contents ("/proc/self/statm", &text, NULL, &error);
  bench_check (error, "read the resident memory");
  if (sscanf (text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &size, &resident) != 2)
    bench_fail ("/proc/self/statm is not as expected: %s", text);
  return resident * sysconf (_SC_PAGESIZE);
}

guint
bench_count_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  guint n_threads = 0;

  bench_check_errno (dir != NULL, "count the threads");
  while (g_dir_read_name (dir))
    n_threads++;
  return n_threads;
}

/* --- latencies -------------------------------------------------------------------------------- */

GArray *
bench_samples_new (guint64 expected)
{
  return g_array_sized_new (FALSE, FALSE, sizeof (gint64), MIN (expected, 16 * 1000 * 1000));
}

void
bench_samples_add (GArray *self, gint64 ns)
{
  if (self)
    g_array_append_val (self, ns);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a;
  gint64 y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
report_rank (GArray *self, const char *prefix, const char *key, double rank)
{
  g_autofree char *whole = g_strconcat (prefix, key, NULL);

  bench_report (whole, g_array_index (self, gint64, (guint) ((self->len - 1) * rank)) / 1e3);
}

void
bench_samples_report (GArray *self, const char *prefix)
{
  if (self->len == 0)
    return;
  g_array_sort (self, compare);
  report_rank (self, prefix, "p50_us", 0.5);
  report_rank (self, prefix, "p99_us", 0.99);
}

void
bench_samples_report_max (GArray *self, const char *key)
{
  if (self->len == 0)
    return;
  g_array_sort (self, compare);
  report_rank (self, key, "", 1);
}
