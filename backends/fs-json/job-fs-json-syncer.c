/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One syncfs for thousands of files takes as long as a fifth of their writing. Meanwhile each
 * fdatasync of the journal stands in line behind it, and the journal has not that much room: those
 * who wrote faster than the store stood still until the sync was over. So a sync begins whenever
 * some hundred files have been written, in a thread of its own, beside the writing of the next
 * ones. A checkpoint syncs what is left, which is little.
 *
 * If the disk does not follow, the writer waits for it now and then: that slows callers down evenly
 * (see is_ahead () in core/job-ledger.c), which a long sync at the end would not. */

#include "job-fs-json-syncer.h"

#define ENOUGH 200    /* files: a smaller sync costs more for each */
#define MAX_LEFT 1000 /* files that no sync has begun with */

struct _JobFsJsonSyncer
{
  JobFsJsonFolder *folder; /* constant */
  GThreadPool *pool;       /* constant; of one thread */
  gsize n_left;            /* files written since the last sync began; the writer's */

  GMutex lock;     /* guards the rest */
  GCond done;      /* busy has become FALSE */
  gboolean busy;   /* a sync is under way in the pool */
  GError *failure; /* of the first sync that failed; or NULL */
};

/* In the pool, or in the writer's thread while the pool has nothing to do. */
static void
run_sync (gpointer data, gpointer unused)
{
  JobFsJsonSyncer *self = data;
  g_autoptr (GError) failure = NULL;

  job_fs_json_folder_sync_files (self->folder, &failure);
  g_mutex_lock (&self->lock);
  self->busy = FALSE;
  self->failure = g_steal_pointer (&failure);
  g_cond_signal (&self->done);
  g_mutex_unlock (&self->lock);
}

JobFsJsonSyncer *
job_fs_json_syncer_new (JobFsJsonFolder *folder)
{
  JobFsJsonSyncer *self = g_new0 (JobFsJsonSyncer, 1);

  self->folder = folder;
  self->pool = g_thread_pool_new (run_sync, NULL, 1, FALSE, NULL);
  g_mutex_init (&self->lock);
  g_cond_init (&self->done);
  return self;
}

void
job_fs_json_syncer_free (JobFsJsonSyncer *self)
{
  g_thread_pool_free (self->pool, FALSE, TRUE);
  g_clear_error (&self->failure);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->done);
  g_free (self);
}

static void
await_locked (JobFsJsonSyncer *self)
{
  while (self->busy)
    g_cond_wait (&self->done, &self->lock);
}

/* Not after a failure: nothing can become durable any more. */
static void
begin_locked (JobFsJsonSyncer *self)
{
  if (self->busy || self->failure != NULL)
    return;
  self->n_left = 0;
  self->busy = TRUE;
  g_thread_pool_push (self->pool, self, NULL);
}

void
job_fs_json_syncer_note (JobFsJsonSyncer *self, gsize n_files)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->n_left += n_files;
  if (self->n_left >= MAX_LEFT)
    await_locked (self);
  if (self->n_left >= ENOUGH)
    begin_locked (self);
}

/* FALSE if a sync has failed. */
static gboolean
await_others (JobFsJsonSyncer *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  await_locked (self);
  return self->failure == NULL;
}

gboolean
job_fs_json_syncer_finish (JobFsJsonSyncer *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (await_others (self))
    run_sync (self, NULL);
  self->n_left = 0;
  locker = g_mutex_locker_new (&self->lock);
  if (self->failure != NULL)
    g_propagate_error (error, g_error_copy (self->failure));
  return self->failure == NULL;
}
