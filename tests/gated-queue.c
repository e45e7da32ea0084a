/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gated-queue.h"

#include "job-memory-store.h"

typedef struct
{
  gatomicrefcount ref_count;
  GMutex lock; /* guards all below */
  GCond cond;
  gboolean shut;
  gboolean waited_at;
  gboolean fails; /* once */
} Gate;

static Gate *
gate_new (void)
{
  Gate *gate = g_new0 (Gate, 1);

  g_atomic_ref_count_init (&gate->ref_count);
  g_mutex_init (&gate->lock);
  g_cond_init (&gate->cond);
  return gate;
}

static Gate *
gate_ref (Gate *gate)
{
  g_atomic_ref_count_inc (&gate->ref_count);
  return gate;
}

static void
gate_unref (Gate *gate)
{
  if (!g_atomic_ref_count_dec (&gate->ref_count))
    return;
  g_mutex_clear (&gate->lock);
  g_cond_clear (&gate->cond);
  g_free (gate);
}

/* FALSE: what comes through is to fail. */
static gboolean
gate_pass (Gate *gate)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);
  gboolean passes;

  while (gate->shut)
    {
      gate->waited_at = TRUE;
      g_cond_broadcast (&gate->cond);
      g_cond_wait (&gate->cond, &gate->lock);
    }
  passes = !gate->fails;
  gate->waited_at = gate->fails = FALSE;
  return passes;
}

/* The store: another one behind a gate. */

#define GATED_TYPE_STORE (gated_store_get_type ())
G_DECLARE_FINAL_TYPE (GatedStore, gated_store, GATED, STORE, JobStore)

struct _GatedStore
{
  JobStore parent_instance;

  JobStore *inner; /* owned */
  Gate *gate;      /* owned */
};

G_DEFINE_FINAL_TYPE (GatedStore, gated_store, JOB_TYPE_STORE)

static gboolean
gated_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  GatedStore *self = GATED_STORE (store);

  if (gate_pass (self->gate))
    return job_store_apply (self->inner, changes, n_changes, error);
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE, "The gate is closed for this one");
  return FALSE;
}

static gboolean
gated_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor, gpointer data,
                   GError **error)
{
  return job_store_visit (GATED_STORE (store)->inner, everything, visitor, data, error);
}

static gboolean
gated_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                  GError **error)
{
  return job_store_read (GATED_STORE (store)->inner, id, record, status, error);
}

static gboolean
gated_store_list_dependents (JobStore *store, const JobId *id, GArray *ids, GError **error)
{
  return job_store_list_dependents (GATED_STORE (store)->inner, id, ids, error);
}

static void
gated_store_finalize (GObject *object)
{
  GatedStore *self = GATED_STORE (object);

  g_object_unref (self->inner);
  gate_unref (self->gate);
  G_OBJECT_CLASS (gated_store_parent_class)->finalize (object);
}

static void
gated_store_class_init (GatedStoreClass *klass)
{
  JobStoreClass *store_class = JOB_STORE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gated_store_finalize;
  store_class->apply = gated_store_apply;
  store_class->visit = gated_store_visit;
  store_class->read = gated_store_read;
  store_class->list_dependents = gated_store_list_dependents;
}

static void
gated_store_init (GatedStore *self)
{
  self->inner = job_memory_store_new ();
}

/* The queue. */

struct _GatedQueue
{
  JobLocalQueue parent_instance;

  Gate *gate; /* owned */
};

G_DEFINE_FINAL_TYPE (GatedQueue, gated_queue, JOB_TYPE_LOCAL_QUEUE)

static JobStore *
gated_queue_open_store (JobLocalQueue *queue, GError **error)
{
  GatedStore *store = g_object_new (GATED_TYPE_STORE, NULL);

  store->gate = gate_ref (GATED_QUEUE (queue)->gate);
  return JOB_STORE (store);
}

static void
gated_queue_finalize (GObject *object)
{
  gate_unref (GATED_QUEUE (object)->gate);
  G_OBJECT_CLASS (gated_queue_parent_class)->finalize (object);
}

static void
gated_queue_class_init (GatedQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gated_queue_finalize;
  JOB_LOCAL_QUEUE_CLASS (klass)->open_store = gated_queue_open_store;
}

static void
gated_queue_init (GatedQueue *self)
{
  self->gate = gate_new ();
}

GatedQueue *
gated_queue_new (JobClock *clock)
{
  g_autoptr (GError) error = NULL;
  GatedQueue *self = g_initable_new (GATED_TYPE_QUEUE, NULL, &error, "clock", clock, NULL);

  g_assert_no_error (error);
  return self;
}

void
gated_queue_shut_gate (GatedQueue *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->gate->lock);

  self->gate->shut = TRUE;
}

void
gated_queue_await_commit (GatedQueue *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->gate->lock);

  while (!self->gate->waited_at)
    g_cond_wait (&self->gate->cond, &self->gate->lock);
}

void
gated_queue_open_gate (GatedQueue *self, gboolean fails)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->gate->lock);

  self->gate->shut = FALSE;
  self->gate->fails = fails;
  g_cond_broadcast (&self->gate->cond);
}
