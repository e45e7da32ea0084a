/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue that is closed while threads are in the middle of every verb: each call ends, with its
 * answer or with CLOSED, and what was acknowledged is there at the next opening. */

#include <jobqueue.h>

#include <ftw.h>
#include <stdio.h>

#define N_ROUNDS 8
#define N_CALLS 3 /* of each thread, before the end */

typedef struct
{
  JobQueue *queue;
  char *known; /* a job that is over */
  GMutex lock; /* guards all below */
  GCond cond;
  guint n_ready;    /* threads that are well under way */
  GPtrArray *ids;   /* of acknowledged jobs */
  GHashTable *done; /* ids of those that were completed, as acknowledged */
} Round;

/* One call; FALSE, with an error, if it failed. */
typedef gboolean (*Verb) (Round *round, GError **error);

static gboolean
add_one (Round *round, GError **error)
{
  g_autoptr (JobSpec) spec = job_spec_new ("a", "[1]");
  char *id = job_queue_enqueue (round->queue, spec, NULL, error);

  g_mutex_lock (&round->lock);
  if (id)
    g_ptr_array_add (round->ids, id);
  g_mutex_unlock (&round->lock);
  return id != NULL;
}

static gboolean
run_one (Round *round, GError **error)
{
  g_autoptr (JobLease) lease = job_queue_dequeue (round->queue, NULL, NULL, -1, NULL, error);

  if (lease == NULL || !job_lease_complete (lease, "[2]", NULL, error))
    return FALSE;
  g_mutex_lock (&round->lock);
  g_assert_true (g_hash_table_add (round->done, g_strdup (job_lease_get_id (lease))));
  g_mutex_unlock (&round->lock);
  return TRUE;
}

static gboolean
look_at_one (Round *round, GError **error)
{
  g_autoptr (JobInfo) info = job_queue_get_info (round->queue, round->known, NULL, error);

  if (info)
    g_assert_cmpstr (job_info_get_result (info), ==, "[0]");
  return info != NULL;
}

static gboolean
look_at_all (Round *round, GError **error)
{
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GListModel) list = job_queue_list (round->queue, filter, NULL, error);
  g_autoptr (GListModel) damaged = NULL;

  if (list == NULL)
    return FALSE;
  g_assert_cmpuint (g_list_model_get_n_items (list), >, 0);
  damaged = job_queue_list_damaged (round->queue, NULL, error);
  return damaged != NULL;
}

static gboolean
come_too_late (Round *round, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (job_queue_complete (round->queue, round->known, NULL, NULL, NULL, &failure));
  if (g_error_matches (failure, JOB_ERROR, JOB_ERROR_NOT_RUNNING))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
wait_for_one (Round *round, GError **error)
{
  g_autoptr (JobInfo) info = job_queue_wait (round->queue, round->known, -1, NULL, error);

  return info != NULL;
}

static const Verb verbs[] = { add_one,     add_one,       run_one,     run_one,
                              look_at_one, come_too_late, look_at_all, wait_for_one };

typedef struct
{
  Round *round;
  Verb verb;
} Caller;

static void
note_ready (Round *round)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&round->lock);

  round->n_ready++;
  g_cond_signal (&round->cond);
}

static gpointer
call_until_closed (gpointer data)
{
  Caller *caller = data;
  g_autoptr (GError) error = NULL;

  for (guint n_calls = 1; caller->verb (caller->round, &error); n_calls++)
    if (n_calls == N_CALLS)
      note_ready (caller->round);
  g_assert_error (error, JOB_ERROR, JOB_ERROR_CLOSED);
  return NULL;
}

static void
open_queue (Round *round, const char *backend, const char *folder)
{
  g_autoptr (GHashTable) options = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;

  if (folder)
    g_hash_table_insert (options, (gpointer) "directory", (gpointer) folder);
  round->queue = job_queue_new_for_backend (backend, options, NULL, &error);
  g_assert_no_error (error);
}

static void
close_queue (Round *round)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (job_queue_close (round->queue, NULL, &error));
  g_assert_no_error (error);
}

static void
make_known (Round *round)
{
  g_autoptr (JobSpec) spec = job_spec_new ("known", NULL);
  g_autoptr (JobLease) lease = NULL;

  round->known = job_queue_enqueue (round->queue, spec, NULL, NULL);
  lease = job_queue_dequeue_by_id (round->queue, round->known, NULL, NULL);
  g_assert_true (job_lease_complete (lease, "[0]", NULL, NULL));
}

static void
call_and_close (Round *round)
{
  GThread *threads[G_N_ELEMENTS (verbs)];
  Caller callers[G_N_ELEMENTS (verbs)];

  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      callers[i] = (Caller){ round, verbs[i] };
      threads[i] = g_thread_new ("caller", call_until_closed, &callers[i]);
    }
  g_mutex_lock (&round->lock);
  while (round->n_ready < G_N_ELEMENTS (verbs))
    g_cond_wait (&round->cond, &round->lock);
  g_mutex_unlock (&round->lock);
  close_queue (round);
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    g_thread_join (threads[i]);
}

static void
check (Round *round)
{
  for (guint i = 0; i < round->ids->len; i++)
    {
      const char *id = g_ptr_array_index (round->ids, i);
      g_autoptr (GError) error = NULL;
      g_autoptr (JobInfo) info = job_queue_get_info (round->queue, id, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (job_info_get_args (info), ==, "[1]");
      if (g_hash_table_contains (round->done, id))
        g_assert_cmpstr (job_info_get_result (info), ==, "[2]");
      else
        g_assert_cmpint (job_info_get_state (info), !=, JOB_STATE_SUCCEEDED);
    }
}

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

static void
play (const char *backend, const char *folder)
{
  Round round = { NULL };

  g_mutex_init (&round.lock);
  g_cond_init (&round.cond);
  round.ids = g_ptr_array_new_with_free_func (g_free);
  round.done = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  open_queue (&round, backend, folder);
  make_known (&round);
  call_and_close (&round);
  g_object_unref (round.queue);
  if (folder)
    {
      open_queue (&round, backend, folder);
      check (&round);
      close_queue (&round);
      g_object_unref (round.queue);
    }
  g_free (round.known);
  g_hash_table_unref (round.done);
  g_ptr_array_unref (round.ids);
  g_mutex_clear (&round.lock);
  g_cond_clear (&round.cond);
}

static void
test_memory (void)
{
  for (guint i = 0; i < N_ROUNDS; i++)
    play ("memory", NULL);
}

static void
test_fs_json (void)
{
  for (guint i = 0; i < N_ROUNDS; i++)
    {
      g_autofree char *folder = g_dir_make_tmp ("job-close-XXXXXX", NULL);
      g_autofree char *jobs = g_build_filename (folder, "jobs", NULL);

      play ("fs-json", jobs);
      g_assert_cmpint (nftw (folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/close/amid-calls/memory", test_memory);
  g_test_add_func ("/close/amid-calls/fs-json", test_fs_json);
  return g_test_run ();
}
