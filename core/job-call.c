/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All kinds of call end the same way: an answer is put down, then it goes to who waits. A blocking
 * caller sleeps on a condition; an asynchronous one gets its answer from a delivery in its context,
 * where GTask calls back at once. Where an asynchronous caller gave no callback, nobody waits: that
 * needs no context, which might never run, and the answer goes with the call.
 *
 * A lease is the one answer that must not get lost. It is judged at the last moment, in the
 * caller's context: if the caller cancelled by then, or if nobody takes the GTask's result, the
 * lease is released. */

#include "job-call-private.h"

#include "job-delivery-private.h"
#include "job-queue.h"

#define ANSWERED GINT_TO_POINTER (TRUE)

struct _JobCall
{
  JobParcel parcel; /* first: the way of an asynchronous answer. Has a reference */
  gatomicrefcount ref_count;
  gpointer queue;            /* constant; owned but in a blocking call, whose caller has it */
  GCancellable *cancellable; /* constant */
  gboolean blocking;         /* constant */
  GTask *task;               /* asynchronous, with a callback: constant */
  gpointer value;            /* written once, before done */
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

static void
discard_lease (gpointer data)
{
  g_autoptr (JobLease) lease = data;

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
  self->task = g_task_new (source, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, source_tag);
  g_task_set_check_cancellable (self->task, FALSE);
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
  g_clear_object (&self->task);
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
  return self->task ? g_task_get_context (self->task) : NULL;
}

/* In the caller's context. */
static void
deliver (JobParcel *parcel)
{
  g_autoptr (JobCall) self = (JobCall *) parcel;

  if (self->is_lease && g_cancellable_is_cancelled (self->cancellable))
    {
      discard_lease (g_steal_pointer (&self->value));
      g_cancellable_set_error_if_cancelled (self->cancellable, &self->error);
    }
  if (self->error)
    g_task_return_error (self->task, g_steal_pointer (&self->error));
  else
    g_task_return_pointer (self->task, g_steal_pointer (&self->value), self->destroy);
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
  else if (self->task)
    job_delivery_push (&job_call_ref (self)->parcel, g_task_get_context (self->task), deliver,
                       drop);
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

  value = g_steal_pointer (&self->value);
  if (self->error)
    g_propagate_error (error, g_steal_pointer (&self->error));
  job_call_unref (self);
  return value;
}

gpointer
job_call_finish (gpointer source, GAsyncResult *async_result, gpointer source_tag, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (async_result, source), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (async_result, source_tag), NULL);

  return g_task_propagate_pointer (G_TASK (async_result), error);
}
