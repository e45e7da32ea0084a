/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All kinds of call end the same way: an answer is put down, then it goes to who waits. A blocking
 * caller sleeps on a condition; an asynchronous one is called back from a delivery in its context.
 * Where an asynchronous caller gave no callback, nobody waits: that needs no context, which might
 * never run, and the answer goes with the call.
 *
 * What a callback gets is a GAsyncResult of our own, which is there for the callback only. A GTask
 * would have to be there as long as the call, and tells its property "completed" on the way: a
 * sixth of the time that a call took in its caller's thread. If nobody kept the result, or attached
 * anything to it, the thread's next callback gets the same object again: making and ending a
 * GObject is another tenth.
 *
 * A lease is the one answer that must not get lost. It is judged at the last moment, in the
 * caller's context: if the caller cancelled by then, or if nobody takes the result, the lease is
 * released. */

#include "job-call-private.h"

#include "job-delivery-private.h"
#include "job-lease-private.h"
#include "job-queue-backend.h"

#define ANSWERED GINT_TO_POINTER (TRUE)

struct _JobCall
{
  JobParcel parcel; /* first: the way of an asynchronous answer. Has a reference */
  gatomicrefcount ref_count;
  gpointer queue;            /* constant; owned but in a blocking call, whose caller has it */
  GCancellable *cancellable; /* constant */
  gboolean blocking;         /* constant */

  /* Asynchronous, with a callback: constant. */
  gpointer source;       /* owned: the queue, or a lease */
  GMainContext *context; /* owned; NULL: nobody is called back */
  GAsyncReadyCallback callback;
  gpointer user_data;
  gpointer source_tag;

  gpointer value; /* written once, before done */
  GDestroyNotify destroy;
  GError *error;
  gboolean is_lease;

  /* Of a blocking call; the lock guards all that follows. */
  GMutex lock;
  GCond cond;
  gboolean done;
  gboolean sleeping;    /* its thread, at cond: else a signal would be a system call for nothing */
  JobCallErrand errand; /* what its thread is to do, or NULL */
  gpointer errand_data;
};

/* --- what a callback gets --------------------------------------------------------------------- */

#define JOB_TYPE_CALL_RESULT (job_call_result_get_type ())
G_DECLARE_FINAL_TYPE (JobCallResult, job_call_result, JOB, CALL_RESULT, GObject)

struct _JobCallResult
{
  GObject parent_instance;

  JobCall *call; /* owned; constant while anybody but this file has a reference; NULL: a spare */
};

static void async_result_init (GAsyncResultIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (JobCallResult, job_call_result, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, async_result_init))

static void
job_call_result_finalize (GObject *object)
{
  g_clear_pointer (&JOB_CALL_RESULT (object)->call, job_call_unref);
  G_OBJECT_CLASS (job_call_result_parent_class)->finalize (object);
}

static void
job_call_result_class_init (JobCallResultClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = job_call_result_finalize;
}

static void
job_call_result_init (JobCallResult *self)
{
}

static gpointer
get_user_data (GAsyncResult *result)
{
  return JOB_CALL_RESULT (result)->call->user_data;
}

static GObject *
get_source_object (GAsyncResult *result)
{
  return g_object_ref (JOB_CALL_RESULT (result)->call->source);
}

static gboolean
is_tagged (GAsyncResult *result, gpointer source_tag)
{
  return JOB_CALL_RESULT (result)->call->source_tag == source_tag;
}

static void
async_result_init (GAsyncResultIface *iface)
{
  iface->get_user_data = get_user_data;
  iface->get_source_object = get_source_object;
  iface->is_tagged = is_tagged;
}

/* --- the call --------------------------------------------------------------------------------- */

static void
discard_lease (gpointer data)
{
  g_autoptr (JobLease) lease = data;
  JobQueueInterface *iface = JOB_QUEUE_GET_IFACE (lease->queue);

  if (iface->discard && lease->has_ids)
    iface->discard (lease->queue, &lease->record->id, &lease->alarm->token);
  else
    job_lease_release_async (lease, NULL, NULL, NULL);
}

static JobCall *
call_new (gpointer queue, GCancellable *cancellable)
{
  JobCall *self = g_new (JobCall, 1);

  *self = (JobCall){ .queue = queue };
  g_atomic_ref_count_init (&self->ref_count);
  g_set_object (&self->cancellable, cancellable);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  return self;
}

JobCall *
job_call_new_blocking (gpointer queue, GCancellable *cancellable)
{
  JobCall *self = call_new (queue, cancellable);

  self->blocking = TRUE;
  return self;
}

JobCall *
job_call_new_async (gpointer queue, gpointer source, GCancellable *cancellable, gpointer source_tag,
                    GAsyncReadyCallback callback, gpointer user_data)
{
  JobCall *self = call_new (g_object_ref (queue), cancellable);

  if (callback == NULL)
    return self;
  self->source = g_object_ref (source);
  self->context = g_main_context_ref_thread_default ();
  self->callback = callback;
  self->user_data = user_data;
  self->source_tag = source_tag;
  return self;
}

JobCall *
job_call_ref (JobCall *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
job_call_unref (JobCall *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  if (self->value && self->destroy)
    self->destroy (self->value);
  g_clear_error (&self->error);
  g_clear_object (&self->source);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_object (&self->cancellable);
  if (!self->blocking)
    g_object_unref (self->queue);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}

gpointer
job_call_get_queue (JobCall *self)
{
  return self->queue;
}

gboolean
job_call_is_blocking (JobCall *self)
{
  return self->blocking;
}

GCancellable *
job_call_get_cancellable (JobCall *self)
{
  return self->cancellable;
}

GMainContext *
job_call_get_context (JobCall *self)
{
  return self->context;
}

static gboolean
is_thread_default (GMainContext *context)
{
  GMainContext *current = g_main_context_get_thread_default ();

  return context == (current ? current : g_main_context_default ());
}

/* One for each thread that calls back. */
static GPrivate spare_result = G_PRIVATE_INIT (g_object_unref);

static JobCallResult *
take_result (void)
{
  JobCallResult *spare = g_private_get (&spare_result);

  if (spare == NULL)
    return g_object_new (JOB_TYPE_CALL_RESULT, NULL);
  g_private_set (&spare_result, NULL);
  return spare;
}

/* Whoever keeps it leaves a trace in the one, and whoever attaches data or weak references to it in
 * the other; it has no signals. */
static gboolean
is_as_new (JobCallResult *result)
{
  GObject *object = G_OBJECT (result);

  return g_atomic_int_get (&object->ref_count) == 1 && object->qdata == NULL;
}

static void
give_back_result (JobCallResult *result)
{
  if (!is_as_new (result))
    {
      g_object_unref (result);
      return;
    }
  g_clear_pointer (&result->call, job_call_unref);
  g_private_replace (&spare_result, result);
}

/* Consumes the reference. */
static void
call_back (JobCall *self)
{
  JobCallResult *result = take_result ();
  gboolean pushes = !is_thread_default (self->context);

  result->call = self;
  if (pushes)
    g_main_context_push_thread_default (self->context);
  self->callback (self->source, G_ASYNC_RESULT (result), self->user_data);
  if (pushes)
    g_main_context_pop_thread_default (self->context);
  give_back_result (result);
}

/* In the caller's context. */
static void
deliver (JobParcel *parcel)
{
  JobCall *self = (JobCall *) parcel;

  if (self->is_lease && g_cancellable_is_cancelled (self->cancellable))
    {
      discard_lease (g_steal_pointer (&self->value));
      g_cancellable_set_error_if_cancelled (self->cancellable, &self->error);
    }
  call_back (self);
}

static void
drop (JobParcel *parcel)
{
  job_call_unref ((JobCall *) parcel);
}

static void
set_done (JobCall *self)
{
  g_mutex_lock (&self->lock);
  self->done = TRUE;
  if (self->sleeping)
    g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
}

void
job_call_ask (JobCall *self, JobCallErrand errand, gpointer data)
{
  g_mutex_lock (&self->lock);
  self->errand = errand;
  self->errand_data = data;
  if (self->sleeping)
    g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
}

static void
answer (JobCall *self, gpointer value, GDestroyNotify destroy, GError *error)
{
  g_assert (self->value == NULL && self->error == NULL);

  self->value = value;
  self->destroy = destroy;
  self->error = error;
  if (self->blocking)
    set_done (self);
  else if (self->context)
    job_delivery_push (&job_call_ref (self)->parcel, self->context, deliver, drop);
}

void
job_call_return_pointer (JobCall *self, gpointer value, GDestroyNotify destroy)
{
  answer (self, value, destroy, NULL);
}

void
job_call_return_true (JobCall *self)
{
  answer (self, ANSWERED, NULL, NULL);
}

void
job_call_return_lease (JobCall *self, JobLease *lease)
{
  self->is_lease = TRUE;
  answer (self, lease, discard_lease, NULL);
}

void
job_call_return_error (JobCall *self, GError *error)
{
  answer (self, NULL, NULL, error);
}

static void
run_errand_unlocked (JobCall *self)
{
  JobCallErrand errand = g_steal_pointer (&self->errand);

  g_mutex_unlock (&self->lock);
  errand (self->errand_data);
  g_mutex_lock (&self->lock);
}

static void
sleep_locked (JobCall *self)
{
  self->sleeping = TRUE;
  g_cond_wait (&self->cond, &self->lock);
  self->sleeping = FALSE;
}

static gpointer
take_answer (JobCall *self, GError **error)
{
  if (self->error)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return g_steal_pointer (&self->value);
}

gpointer
job_call_wait (JobCall *self, GError **error)
{
  gpointer value;

  g_mutex_lock (&self->lock);
  while (!self->done)
    if (self->errand)
      run_errand_unlocked (self);
    else
      sleep_locked (self);
  g_mutex_unlock (&self->lock);

  value = take_answer (self, error);
  job_call_unref (self);
  return value;
}

gpointer
job_call_finish (gpointer source, GAsyncResult *async_result, gpointer source_tag, GError **error)
{
  JobCall *call;

  g_return_val_if_fail (JOB_IS_CALL_RESULT (async_result), NULL);
  call = JOB_CALL_RESULT (async_result)->call;
  g_return_val_if_fail (call->source == source && call->source_tag == source_tag, NULL);
  g_return_val_if_fail (call->value != NULL || call->error != NULL, NULL); /* it was taken */

  return take_answer (call, error);
}
