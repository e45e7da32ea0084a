/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who commits: a thread that blocks anyway, if it can be had, since that spares a wake-up. It leads
 * one batch, its own, and then goes back to its caller. Whoever is due to lead next is asked then:
 *
 *   1. a thread that waits in job_committer_wait() for the open batch, or in
 * job_committer_finish();
 *   2. else the first blocking caller who is to be told when the open batch is durable: its thread
 *      sleeps in job_call_wait(), from where it comes to lead;
 *   3. else the owner's thread.
 *
 * Each of them comes for sure, and looks again when it is there: somebody who came by may have
 * taken the batch meanwhile, and then asks the next one in its turn. So a batch that is due always
 * has somebody who was asked since it was, or is just being taken.
 *
 * How batches grow: while one is written, the next one fills. That is not enough where callbacks
 * make the next calls, as they do in any program that keeps a number of them in flight: the first
 * callback would start a batch of one, and all others would wait for the one behind it. So a batch
 * is put off while the thread that fills it runs callbacks, until half of those that have come
 * together have run; by then there is half a batch, and the other half is made while it is written.
 *
 * Nobody waits for a batch that is put off: all who are to be told of it are of the context whose
 * callbacks run right now, in a thread that cannot be told of anything before they have returned.
 * As soon as anybody else has a call in it, or waits for it, it goes. So it needs no timer, and no
 * callback can hold up others, whatever it waits for.
 *
 * A batch that is over is emptied and used again: in a stream of small ones, making its arrays anew
 * would cost as much as all the rest. */

#include "job-committer-private.h"

#include "job-call-private.h"
#include "job-delivery-private.h"

#define MAX_FAILURES 256 /* how many are remembered, for those who come late to wait for them */
#define MAX_SPARE 4096   /* changes of a batch that is worth keeping: a larger one's memory goes */

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
  JobBatch *spare;    /* an empty one, or NULL */
  GThread *leader;    /* who is committing; NULL: nobody */
  gint64 commit_time; /* µs: how long the last one took in the owner's thread */
  guint64 settled;    /* number of the last batch that is over, well or not */
  guint64 ending;     /* of the last one that was begun and in which jobs ended */
  guint64 awaited;    /* the greatest number that a thread waits for, or has waited for */
  guint n_waiting;    /* threads at progress */
  guint n_finishing;  /* of those in job_committer_finish() */
  GCond progress;     /* settled or leader has changed */
  GArray *failures;   /* of Failure, in order */
  GError *failure;    /* the last one's reason */
};

static void
answer_clear (JobAnswer *answer)
{
  if (answer->value && answer->destroy)
    answer->destroy (answer->value);
  job_call_unref (answer->call);
}

static JobBatch *
batch_new (void)
{
  JobBatch *batch = g_new0 (JobBatch, 1);

  job_effects_init (&batch->effects);
  batch->answers = g_array_new (FALSE, FALSE, sizeof (JobAnswer));
  g_array_set_clear_func (batch->answers, (GDestroyNotify) answer_clear);
  batch->alarms = g_ptr_array_new_with_free_func ((GDestroyNotify) job_alarm_unref);
  batch->to_drop = g_ptr_array_new_with_free_func ((GDestroyNotify) job_alarm_unref);
  return batch;
}

static void
batch_free (JobBatch *batch)
{
  job_effects_clear (&batch->effects);
  g_array_unref (batch->answers);
  g_ptr_array_unref (batch->alarms);
  g_clear_pointer (&batch->to_fire, g_ptr_array_unref);
  g_ptr_array_unref (batch->to_drop);
  g_free (batch);
}

static gboolean
batch_is_empty (const JobBatch *batch)
{
  return batch->effects.changes->len == 0 && batch->answers->len == 0;
}

/* Lets go of all that is in it, which may run anything. */
static void
batch_empty (JobBatch *batch)
{
  job_effects_empty (&batch->effects);
  g_array_set_size (batch->answers, 0);
  g_ptr_array_set_size (batch->alarms, 0);
  g_clear_pointer (&batch->to_fire, g_ptr_array_unref);
  g_ptr_array_set_size (batch->to_drop, 0);
  batch->caller = NULL;
  batch->context = NULL;
  batch->n_callers = 0;
  batch->asked = batch->urgent = batch->put_off = FALSE;
}

JobCommitter *
job_committer_new (GMutex *lock, const JobCommitterFuncs *funcs, gpointer data)
{
  JobCommitter *self = g_new0 (JobCommitter, 1);

  self->lock = lock;
  self->funcs = funcs;
  self->data = data;
  self->open = batch_new ();
  self->open->number = 1;
  self->failures = g_array_new (FALSE, FALSE, sizeof (Failure));
  g_cond_init (&self->progress);
  return self;
}

void
job_committer_free (JobCommitter *self)
{
  batch_free (self->open);
  g_clear_pointer (&self->spare, batch_free);
  g_cond_clear (&self->progress);
  g_array_unref (self->failures);
  g_clear_error (&self->failure);
  g_free (self);
}

/* --- what joins ------------------------------------------------------------------------------- */

JobBatch *
job_committer_get_open (JobCommitter *self)
{
  return self->open;
}

void
job_committer_add_caller (JobCommitter *self, JobCall *call)
{
  JobBatch *open = self->open;
  GMainContext *context = job_call_get_context (call);

  if (open->caller == NULL && job_call_is_blocking (call))
    open->caller = call;
  if (open->n_callers++ == 0)
    open->context = context;
  if (context == NULL || context != open->context || !job_delivery_is_opening (context))
    open->urgent = TRUE;
}

void
job_committer_hurry (JobCommitter *self)
{
  self->open->urgent = TRUE;
}

void
job_committer_add_answer (JobCommitter *self, JobCall *call, gpointer value, GDestroyNotify destroy)
{
  JobAnswer answer = { job_call_ref (call), value, destroy };

  g_array_append_val (self->open->answers, answer);
  job_committer_add_caller (self, call);
}

gboolean
job_committer_is_leading (JobCommitter *self)
{
  return self->leader == g_thread_self ();
}

gboolean
job_committer_is_due (JobCommitter *self)
{
  return self->leader == NULL && !batch_is_empty (self->open);
}

/* --- failures --------------------------------------------------------------------------------- */

static JobBatch *
take_open (JobCommitter *self)
{
  JobBatch *batch = self->open;

  if (batch->effects.finals->len > 0)
    self->ending = batch->number;
  self->open = self->spare ? g_steal_pointer (&self->spare) : batch_new ();
  self->open->number = batch->number + 1;
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
  self->funcs->revert (batch, behind, error, self->data);
  return behind;
}

/* --- committing ------------------------------------------------------------------------------- */

/* Without anybody there it would be a system call for nothing. */
static void
tell_progress (JobCommitter *self)
{
  if (self->n_waiting > 0)
    g_cond_broadcast (&self->progress);
}

static void
await_progress (JobCommitter *self)
{
  self->n_waiting++;
  g_cond_wait (&self->progress, self->lock);
  self->n_waiting--;
}

/* Without the lock. NULL: it was so large that its memory is better given back. */
static JobBatch *
make_spare (JobBatch *batch)
{
  if (batch->effects.changes->len + batch->answers->len > MAX_SPARE)
    {
      batch_free (batch);
      return NULL;
    }
  batch_empty (batch);
  return batch;
}

/* Without the lock, which it takes. */
static void
keep_spare (JobCommitter *self, JobBatch *spare)
{
  g_mutex_lock (self->lock);
  if (self->spare)
    g_clear_pointer (&spare, batch_free);
  else
    self->spare = spare;
}

/* In the thread of a blocking caller. */
static void
lead_for_caller (gpointer data)
{
  JobCommitter *self = data;

  g_mutex_lock (self->lock);
  if (job_committer_is_due (self))
    job_committer_lead (self);
  g_mutex_unlock (self->lock);
}

static gboolean
try_put_off (JobCommitter *self)
{
  JobBatch *open = self->open;

  if (open->urgent || open->context == NULL || self->funcs->put_off == NULL)
    return FALSE;
  if (!open->put_off)
    open->put_off =
        self->funcs->put_off (open->context, open->n_callers, self->commit_time, self->data);
  if (open->put_off)
    open->asked = FALSE; /* whoever was has looked, and gone: go_on() has to ask again */
  return open->put_off;
}

gboolean
job_committer_is_ripe (JobCommitter *self)
{
  return job_committer_is_due (self) && !try_put_off (self);
}

static gboolean
has_leader (JobCommitter *self)
{
  return self->open->asked || self->n_finishing > 0 || self->awaited >= self->open->number;
}

void
job_committer_hand_over (JobCommitter *self)
{
  JobBatch *open = self->open;

  if (has_leader (self) || !job_committer_is_ripe (self))
    return;
  open->asked = TRUE;
  if (open->caller)
    job_call_ask (open->caller, lead_for_caller, self);
  else
    self->funcs->hand_over (self->data);
}

/* While another batch is written it may be put off once more, after that. */
void
job_committer_go_on (JobCommitter *self)
{
  self->open->put_off = FALSE;
  if (self->leader == NULL)
    self->open->urgent = TRUE;
  job_committer_hand_over (self);
}

/* @goes_on: this thread will look itself for what comes next. */
static void
commit (JobCommitter *self, gboolean goes_on)
{
  JobBatch *batch = take_open (self);
  JobBatch *behind = NULL;
  g_autoptr (GError) error = NULL;
  gint64 began, ended;

  self->leader = g_thread_self ();
  g_mutex_unlock (self->lock);
  began = goes_on ? g_get_monotonic_time () : 0;
  self->funcs->write (batch, self->data, &error);
  ended = goes_on ? g_get_monotonic_time () : 0;

  g_mutex_lock (self->lock);
  if (goes_on)
    self->commit_time = ended - began;
  if (error)
    behind = fail (self, batch, error);
  else
    self->funcs->settle (batch, self->data);
  self->settled = behind ? behind->number : batch->number;
  tell_progress (self);
  g_mutex_unlock (self->lock);

  self->funcs->deliver (batch, error, self->data);
  if (behind)
    self->funcs->deliver (behind, error, self->data);

  g_mutex_lock (self->lock);
  self->leader = NULL;
  tell_progress (self);
  if (!goes_on)
    job_committer_hand_over (self);
  g_mutex_unlock (self->lock);

  g_clear_pointer (&behind, batch_free);
  keep_spare (self, make_spare (batch));
}

void
job_committer_lead (JobCommitter *self)
{
  commit (self, FALSE);
}

void
job_committer_commit (JobCommitter *self)
{
  commit (self, TRUE);
}

/* --- waiting ---------------------------------------------------------------------------------- */

guint64
job_committer_get_newest (JobCommitter *self)
{
  guint64 newest = batch_is_empty (self->open) ? self->open->number - 1 : self->open->number;

  return newest > self->settled ? newest : 0;
}

guint64
job_committer_get_newest_ending (JobCommitter *self)
{
  if (self->open->effects.finals->len > 0)
    return self->open->number;
  return self->ending > self->settled ? self->ending : 0;
}

gboolean
job_committer_wait (JobCommitter *self, guint64 number, GError **error)
{
  self->awaited = MAX (self->awaited, number);
  while (self->settled < number)
    if (job_committer_is_due (self))
      job_committer_lead (self);
    else
      await_progress (self);

  if (!has_failed (self, number))
    return TRUE;
  g_propagate_error (error, g_error_copy (self->failure));
  return FALSE;
}

void
job_committer_finish (JobCommitter *self)
{
  self->n_finishing++;
  while (self->leader != NULL || !batch_is_empty (self->open))
    if (job_committer_is_due (self))
      job_committer_commit (self);
    else
      await_progress (self);
  self->n_finishing--;
}
