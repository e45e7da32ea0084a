/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-committer-private.h"

struct _JobCommitter
{
  GMutex *lock;                   /* the owner's: guards all that is not constant */
  const JobCommitterFuncs *funcs; /* constant */
  gpointer data;                  /* constant */
  JobBatch *open;
  gboolean committing;
  guint64 settled; /* number of the last batch that is over, well or not */
  GCond settled_cond;
  guint64 failed_from; /* the last batches that failed, and why */
  guint64 failed_to;
  GError *failure;
};

static void
answer_clear (JobAnswer *answer)
{
  if (answer->value && answer->destroy)
    answer->destroy (answer->value);
  job_call_unref (answer->call);
}

static JobBatch *
batch_new (guint64 number)
{
  JobBatch *batch = g_new0 (JobBatch, 1);

  batch->number = number;
  job_effects_init (&batch->effects);
  batch->answers = g_array_new (FALSE, FALSE, sizeof (JobAnswer));
  g_array_set_clear_func (batch->answers, (GDestroyNotify) answer_clear);
  batch->cancellables = g_ptr_array_new_with_free_func (g_object_unref);
  batch->to_fire = g_ptr_array_new_with_free_func (g_object_unref);
  batch->to_drop = g_ptr_array_new_with_free_func (g_object_unref);
  return batch;
}

static void
batch_free (JobBatch *batch)
{
  job_effects_clear (&batch->effects);
  g_array_unref (batch->answers);
  g_ptr_array_unref (batch->cancellables);
  g_ptr_array_unref (batch->to_fire);
  g_ptr_array_unref (batch->to_drop);
  g_free (batch);
}

static gboolean
batch_is_empty (const JobBatch *batch)
{
  return batch->effects.changes->len == 0 && batch->answers->len == 0;
}

JobCommitter *
job_committer_new (GMutex *lock, const JobCommitterFuncs *funcs, gpointer data)
{
  JobCommitter *self = g_new0 (JobCommitter, 1);

  self->lock = lock;
  self->funcs = funcs;
  self->data = data;
  self->open = batch_new (1);
  g_cond_init (&self->settled_cond);
  return self;
}

void
job_committer_free (JobCommitter *self)
{
  batch_free (self->open);
  g_cond_clear (&self->settled_cond);
  g_clear_error (&self->failure);
  g_free (self);
}

JobBatch *
job_committer_get_open (JobCommitter *self)
{
  return self->open;
}

void
job_committer_add_answer (JobCommitter *self, JobCall *call, gpointer value, GDestroyNotify destroy)
{
  JobAnswer answer = { job_call_ref (call), value, destroy };

  g_array_append_val (self->open->answers, answer);
}

gboolean
job_committer_is_due (JobCommitter *self)
{
  return !self->committing && !batch_is_empty (self->open);
}

static JobBatch *
take_open (JobCommitter *self)
{
  JobBatch *batch = self->open;

  self->open = batch_new (batch->number + 1);
  return batch;
}

/* What ended leases are told runs foreign code: last, when everything else can go on. */
static void
fire (JobBatch *batch)
{
  for (guint i = 0; i < batch->to_fire->len; i++)
    g_cancellable_cancel (g_ptr_array_index (batch->to_fire, i));
}

/* The batches behind a failed one were filled by somebody who believed in it. Returns the one that
 * was open. */
static JobBatch *
fail (JobCommitter *self, const JobBatch *batch, const GError *error)
{
  JobBatch *behind = take_open (self);

  g_clear_error (&self->failure);
  self->failure = g_error_copy (error);
  self->failed_from = batch->number;
  self->failed_to = behind->number;
  self->funcs->revert (error, self->data);
  return behind;
}

void
job_committer_commit (JobCommitter *self)
{
  JobBatch *batch = take_open (self);
  JobBatch *behind = NULL;
  g_autoptr (GError) error = NULL;

  self->committing = TRUE;
  g_mutex_unlock (self->lock);
  self->funcs->write (batch, self->data, &error);

  g_mutex_lock (self->lock);
  if (error)
    behind = fail (self, batch, error);
  else
    self->funcs->settle (batch, self->data);
  self->settled = behind ? behind->number : batch->number;
  g_cond_broadcast (&self->settled_cond);
  g_mutex_unlock (self->lock);

  self->funcs->deliver (batch, error, self->data);
  if (behind)
    self->funcs->deliver (behind, error, self->data);

  g_mutex_lock (self->lock);
  self->committing = FALSE;
  g_cond_broadcast (&self->settled_cond);
  g_mutex_unlock (self->lock);

  fire (batch);
  batch_free (batch);
  g_clear_pointer (&behind, batch_free);
  g_mutex_lock (self->lock);
}

guint64
job_committer_get_newest (JobCommitter *self)
{
  guint64 newest = batch_is_empty (self->open) ? self->open->number - 1 : self->open->number;

  return newest > self->settled ? newest : 0;
}

gboolean
job_committer_wait (JobCommitter *self, guint64 number, GError **error)
{
  while (self->settled < number)
    if (job_committer_is_due (self))
      job_committer_commit (self);
    else
      g_cond_wait (&self->settled_cond, self->lock);

  if (self->failure == NULL || number < self->failed_from || number > self->failed_to)
    return TRUE;
  g_propagate_error (error, g_error_copy (self->failure));
  return FALSE;
}
