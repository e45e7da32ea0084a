/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <jobqueue/jobqueue.h>

static gboolean
run (const char *uri, GError **error)
{
  const char *types[] = { "greet", NULL };
  g_autoptr (JobQueue) queue = job_queue_new_for_uri (uri, error);
  g_autoptr (JobSpec) spec = job_spec_new ("greet", "{\"name\": \"world\"}");
  g_autoptr (JobLease) lease = NULL;
  g_autofree char *id = NULL;

  if (queue == NULL || (id = job_queue_enqueue (queue, spec, NULL, error)) == NULL)
    return FALSE;
  lease = job_queue_dequeue (queue, types, NULL, 0, NULL, error);
  if (lease == NULL || !job_lease_complete (lease, "\"hello, world\"", NULL, error))
    return FALSE;
  g_print ("job %s is done\n", job_lease_get_id (lease));
  return job_queue_close (queue, NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (run (argc > 1 ? argv[1] : "memory:", &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}
