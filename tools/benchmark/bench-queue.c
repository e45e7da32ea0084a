/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Queues and jobs for the measurements. */

#include "bench.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define FILL_AT_ONCE 1000

void
bench_write_payload (guint64 number, char *payload)
{
  int length = snprintf (payload, BENCH_PAYLOAD_SIZE,
                         "{\"number\":%" G_GUINT64_FORMAT ",\"text\":\"", number);

  memset (payload + length, 'x', BENCH_PAYLOAD_SIZE - 2 - length);
  strcpy (payload + BENCH_PAYLOAD_SIZE - 2, "\"}");
}

char *
bench_uri (const char *backend, const char *folder, guint64 checkpoint_size)
{
  g_autofree char *path = g_build_filename (folder, "queue", NULL);
  g_autofree char *escaped = g_uri_escape_string (path, "/", FALSE);

  if (g_str_equal (backend, "memory"))
    return g_strdup ("memory:");
  if (checkpoint_size == 0)
    return g_strdup_printf ("%s:%s", backend, escaped);
  return g_strdup_printf ("%s:%s?checkpoint-size=%" G_GUINT64_FORMAT, backend, escaped,
                          checkpoint_size);
}

JobQueue *
bench_open_uri (const char *uri)
{
  g_autoptr (GError) error = NULL;
  JobQueue *queue = job_queue_new_for_uri (uri, &error);

  bench_check (error, "open a queue");
  return queue;
}

JobQueue *
bench_open (const char *backend, const char *folder)
{
  g_autofree char *uri = bench_uri (backend, folder, 0);

  return bench_open_uri (uri);
}

void
bench_close (JobQueue *queue)
{
  g_autoptr (GError) error = NULL;

  job_queue_close (queue, NULL, &error);
  bench_check (error, "close the queue");
}

JobSpec *
bench_spec (guint64 number, const char *type, const char *channel)
{
  char payload[BENCH_PAYLOAD_SIZE + 1];
  JobSpec *spec;

  bench_write_payload (number, payload);
  spec = job_spec_new (type, payload);
  if (channel)
    job_spec_set_channel (spec, channel);
  return spec;
}

void
bench_enqueue (JobQueue *queue, guint64 number)
{
  g_autoptr (JobSpec) spec = bench_spec (number, BENCH_TYPE, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *id = job_queue_enqueue (queue, spec, NULL, &error);

  bench_check (error, "enqueue a job");
}

void
bench_work (JobQueue *queue, const char *const *types, const char *const *channels)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue (queue, types, channels, 0, NULL, &error);

  bench_check (error, "dequeue a job");
  job_lease_complete (lease, BENCH_RESULT, NULL, &error);
  bench_check (error, "complete a job");
}

void
bench_fill (JobQueue *queue, guint64 jobs, const char *type, const char *channel)
{
  for (guint64 done = 0; done < jobs;)
    {
      g_autoptr (GPtrArray) specs = g_ptr_array_new_with_free_func (g_object_unref);
      g_autoptr (GError) error = NULL;
      g_auto (GStrv) ids = NULL;

      for (; done < jobs && specs->len < FILL_AT_ONCE; done++)
        g_ptr_array_add (specs, bench_spec (done, type, channel));
      ids = job_queue_enqueue_many (queue, (JobSpec **) specs->pdata, specs->len, NULL, &error);
      bench_check (error, "enqueue many jobs");
    }
}

guint64
bench_count_bytes (const char *folder, const char *part)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint64 bytes = 0;

  bench_check_errno (dir != NULL, "list a folder");
  while ((name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      GStatBuf info;

      if (g_stat (path, &info) != 0)
        continue;
      if (S_ISDIR (info.st_mode))
        bytes += bench_count_bytes (path, part);
      else if (strstr (name, part))
        bytes += info.st_size;
    }
  return bytes;
}
