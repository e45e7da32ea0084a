/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "endurance-part.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_NOISE (1024 * 1024 * 1024) /* the sanitizers keep what was freed */
#else
#define MEMORY_NOISE (12 * 1024 * 1024) /* SQLite's cache has 8 of them, once it is full */
#endif
#define TIME_FACTOR 4
#define MEDIAN_NOISE 100000 /* µs, since others use the machine, too */
#define SLOWEST_NOISE 500000

/* --- what is measured ------------------------------------------------------------------------- */

static guint64
get_resident (void)
{
  g_autofree char *text = NULL;
  const char *second;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL) ||
      (second = strchr (text, ' ')) == NULL)
    g_error ("The resident memory cannot be read");
  return g_ascii_strtoull (second + 1, NULL, 10) * (guint64) sysconf (_SC_PAGESIZE);
}

static guint
count_entries (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (dir && g_dir_read_name (dir))
    n++;
  return n;
}

static guint64
get_size (const char *file, const char *suffix)
{
  g_autofree char *path = g_strconcat (file, suffix, NULL);
  struct stat info;

  return stat (path, &info) == 0 ? (guint64) info.st_size : 0;
}

void
endurance_part_sample (EndurancePart *self, const char *file)
{
  guint64 journal = get_size (file, ".journal-1") + get_size (file, ".journal-2");

  self->memory = MAX (self->memory, get_resident ());
  self->n_files = MAX (self->n_files, count_entries ("/proc/self/fd"));
  self->n_threads = MAX (self->n_threads, count_entries ("/proc/self/task"));
  self->journal = MAX (self->journal, journal);
  self->rollback = MAX (self->rollback, get_size (file, "-journal"));
  self->database = get_size (file, "");
}

/* --- the comparison --------------------------------------------------------------------------- */

/* A byte for each job is as much as a table of all jobs that there ever were would need at least.
 */
static char *
compare_process (const EndurancePart *early, const EndurancePart *late)
{
  if (late->memory > early->memory + MEMORY_NOISE + (late->n_jobs - early->n_jobs))
    return g_strdup_printf ("the process has %" G_GUINT64_FORMAT
                            " bytes of memory, after %" G_GUINT64_FORMAT " at the beginning",
                            late->memory, early->memory);
  if (late->n_files > early->n_files)
    return g_strdup_printf ("there are %u files open, after %u at the beginning", late->n_files,
                            early->n_files);
  if (late->n_threads > early->n_threads)
    return g_strdup_printf ("there are %u threads, after %u at the beginning", late->n_threads,
                            early->n_threads);
  return NULL;
}

static char *
compare_journals (const EndurancePart *early, const EndurancePart *late, guint64 checkpoint_size)
{
  if (late->journal > 4 * checkpoint_size)
    return g_strdup_printf ("the journal has %" G_GUINT64_FORMAT
                            " bytes, with a checkpoint each %" G_GUINT64_FORMAT,
                            late->journal, checkpoint_size);
  if (late->rollback > 2 * early->rollback + MEMORY_NOISE)
    return g_strdup_printf ("SQLite's journal has %" G_GUINT64_FORMAT
                            " bytes, after %" G_GUINT64_FORMAT " at the beginning",
                            late->rollback, early->rollback);
  return NULL;
}

static double
get_job_size (const EndurancePart *self)
{
  return (double) self->database / (double) MAX (self->n_jobs, 1);
}

/* What the store has not got yet is missing in the database. */
static char *
compare_databases (const EndurancePart *early, const EndurancePart *late, guint64 checkpoint_size)
{
  double n = (double) (late->n_jobs - early->n_jobs);
  double growth = ((double) late->database - (double) early->database) / n;
  double noise = 4 * (double) checkpoint_size / n;

  if (growth > 1.1 * get_job_size (early) + noise || growth > ENDURANCE_JOB_SIZE)
    return g_strdup_printf ("the database grew by %.0f bytes a job, after %.0f at the beginning",
                            growth, get_job_size (early));
  return NULL;
}

static char *
compare_times (const EndurancePart *early, const EndurancePart *late, double rank, guint64 noise)
{
  guint64 before = endurance_times_get (&early->times, rank);
  guint64 now = endurance_times_get (&late->times, rank);

  if (now > TIME_FACTOR * before + noise)
    return g_strdup_printf ("%.0f of 100 calls take up to %" G_GUINT64_FORMAT
                            " µs, after %" G_GUINT64_FORMAT " at the beginning",
                            100 * rank, now, before);
  return NULL;
}

char *
endurance_part_compare (const EndurancePart *early, const EndurancePart *late,
                        guint64 checkpoint_size)
{
  char *difference = compare_process (early, late);

  if (difference == NULL)
    difference = compare_journals (early, late, checkpoint_size);
  if (difference == NULL)
    difference = compare_databases (early, late, checkpoint_size);
  if (difference == NULL)
    difference = compare_times (early, late, 0.5, MEDIAN_NOISE);
  if (difference == NULL)
    difference = compare_times (early, late, 0.99, SLOWEST_NOISE);
  return difference;
}

/* --- the table -------------------------------------------------------------------------------- */

void
endurance_part_print_head (void)
{
  g_print ("         jobs     jobs/s   p50 µs   p99 µs  memory KiB  files  threads  journal KiB  "
           "SQLite's  bytes a job\n");
}

/* @n_jobs of them in this part. */
void
endurance_part_print (const EndurancePart *self, guint64 n_jobs)
{
  g_print ("   %10" G_GUINT64_FORMAT " %10.0f %8" G_GUINT64_FORMAT " %8" G_GUINT64_FORMAT
           " %11" G_GUINT64_FORMAT " %6u %8u %12" G_GUINT64_FORMAT " %9" G_GUINT64_FORMAT
           " %12.1f\n",
           self->n_jobs, (double) n_jobs / MAX (self->seconds, 1e-6),
           endurance_times_get (&self->times, 0.5), endurance_times_get (&self->times, 0.99),
           self->memory / 1024, self->n_files, self->n_threads, self->journal / 1024,
           self->rollback / 1024, get_job_size (self));
}
