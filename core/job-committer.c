/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-committer-private.h"

#define MAX_FAILURES 256 /* how many are remembered, for those who come late to wait for them */

/* Batches that failed, one after the other. */
typedef struct
{
  guint64 from;
  guint64 to;
} Failure;

struct _JobCommitter
{
  GMutex *lock;                   /* the owner's: guards all that is not constant */
  const JobCommitterFuncs *funcs; /* constant */
  gpointer data;                  /* constant */
  JobBatch *open;
  gboolean committing;
  guint64 settled; /* number of the last batch that is over, well or not */
  GCond settled_cond;
  GArray *failures; /* of Failure, in order */
  GError *failure;  /* the last one's reason */
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
  self->failures = g_array_new (FALSE, FALSE, sizeof (Failure));
  g_cond_init (&self->settled_cond);
  return self;
}

void
job_committer_free (JobCommitter *self)
{
  batch_free (self->open);
  g_cond_clear (&self->settled_cond);
  g_array_unref (self->failures);
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

static void
note_failure (JobCommitter *self, guint64 from, guint64 to, const GError *error)
{
  Failure failure = { from, to };
  Failure *last = self->failures->len > 0
                      ? &g_array_index (self->failures, Failure, self->failures->len - 1)
                      : NULL;

  g_clear_error (&self->failure);
  self->failure = g_error_copy (error);
  if (last && last->to + 1 == from)
    {
      last->to = to;
      return;
    }
  if (self->failures->len == MAX_FAILURES)
    g_array_remove_index (self->failures, 0);
  g_array_append_val (self->failures, failure);
}

static gboolean
has_failed (JobCommitter *self, guint64 number)
{
  for (guint i = self->failures->len; i-- > 0;)
    {
      const Failure *failure = &g_array_index (self->failures, Failure, i);

      if (number >= failure->from)
        return number <= failure->to;
    }
  return FALSE;
}

/* The batches behind a failed one were filled by somebody who believed in it. Returns the one that
 * was open. */
static JobBatch *
fail (JobCommitter *self, const JobBatch *batch, const GError *error)
{
  JobBatch *behind = take_open (self);

  note_failure (self, batch->number, behind->number, error);
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
  if (job_committer_is_due (self))
    self->funcs->hand_over (self->data);
  g_mutex_unlock (self->lock);

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

  if (!has_failed (self, number))
    return TRUE;
  g_propagate_error (error, g_error_copy (self->failure));
  return FALSE;
}

void
job_committer_finish (JobCommitter *self)
{
  while (self->committing || !batch_is_empty (self->open))
    if (job_committer_is_due (self))
      job_committer_commit (self);
    else
      g_cond_wait (&self->settled_cond, self->lock);
}
