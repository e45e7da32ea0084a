/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs that change jobs: the scheduler checks and changes, the change joins the open batch,
 * and the answer comes when that is durable. */

#include "job-local-private.h"

#include "job-error.h"

#include <string.h>

/* --- enqueue ---------------------------------------------------------------------------------- */

/* One that can be done at once stays its caller's. */
typedef struct
{
  JobRecord **records; /* each owned, if it is kept */
  gboolean *fresh;
  gsize n_records;
  GHashTable *known; /* JobId → how it ended, or JOB_KNOWN_…: what was looked up so far */
  GArray *unknown;   /* of JobId: what has to be looked up next */
  gboolean again;    /* it was looked for before */
} Enqueue;

static void
enqueue_free (gpointer data)
{
  Enqueue *enqueue = data;

  for (gsize i = 0; i < enqueue->n_records; i++)
    job_record_unref (enqueue->records[i]);
  g_free (enqueue->records);
  g_free (enqueue->fresh);
  g_hash_table_unref (enqueue->known);
  g_array_unref (enqueue->unknown);
  g_free (enqueue);
}

static Enqueue *
enqueue_keep (const Enqueue *enqueue)
{
  Enqueue *kept = g_memdup2 (enqueue, sizeof *enqueue);

  kept->records = g_memdup2 (enqueue->records, enqueue->n_records * sizeof *enqueue->records);
  for (gsize i = 0; i < enqueue->n_records; i++)
    job_record_ref (enqueue->records[i]);
  kept->fresh = g_memdup2 (enqueue->fresh, enqueue->n_records * sizeof *enqueue->fresh);
  kept->known = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, NULL);
  kept->unknown = g_array_new (FALSE, FALSE, sizeof (JobId));
  return kept;
}

static char **
dup_ids (const Enqueue *enqueue)
{
  char **ids = g_new0 (char *, enqueue->n_records + 1);

  for (gsize i = 0; i < enqueue->n_records; i++)
    ids[i] = job_id_dup_text (&enqueue->records[i]->id);
  return ids;
}

/* With the lock. FALSE without an error: something has to be looked up first. */
static gboolean
try_enqueue (JobLocal *self, Enqueue *enqueue, JobCall *call, JobNow now, GError **error)
{
  g_array_set_size (enqueue->unknown, 0);
  if (!job_local_check_open (self, error))
    return FALSE;
  job_scheduler_list_unknown (self->scheduler, enqueue->records, enqueue->fresh, enqueue->n_records,
                              enqueue->known, enqueue->unknown);
  if (enqueue->unknown->len > 0 ||
      !job_scheduler_enqueue (self->scheduler, enqueue->records, enqueue->n_records, enqueue->known,
                              now, job_local_open_effects (self), error))
    return FALSE;
  job_committer_add_answer (self->committer, call, dup_ids (enqueue), (GDestroyNotify) g_strfreev);
  job_ledger_keep_at_hand (self->ledger, enqueue->records, enqueue->n_records);
  return TRUE;
}

/* One that is not over came just now, and the index has it; if it has not, then because it could
 * not be read at the opening. */
static gboolean
look_up_unknown (JobLocal *self, Enqueue *enqueue, GError **error)
{
  for (guint i = 0; i < enqueue->unknown->len; i++)
    {
      const JobId *id = &g_array_index (enqueue->unknown, JobId, i);
      JobId last_token;
      int state;

      if (!job_local_look_up (self, id, &state, &last_token, error))
        return FALSE;
      if (state >= 0 && !job_state_is_final (state))
        {
          if (!enqueue->again)
            continue;
          state = JOB_KNOWN_DAMAGED;
        }
      g_hash_table_insert (enqueue->known, g_memdup2 (id, sizeof *id), GINT_TO_POINTER (state));
    }
  enqueue->again = TRUE;
  return TRUE;
}

/* Two that want one id look for it one after the other: else the second might find nothing, and
 * come after the first one's job is over and gone from the index. */
static gboolean
is_reserved (JobLocal *self, const Enqueue *enqueue)
{
  for (gsize i = 0; g_hash_table_size (self->reserved) > 0 && i < enqueue->n_records; i++)
    if (g_hash_table_contains (self->reserved, &enqueue->records[i]->id))
      return TRUE;
  return FALSE;
}

/* With the lock. All of the ids at once, so that nobody waits with one in hand. None of them is
 * taken for fresh any more: a call that came later may have overtaken this one. */
static void
reserve (JobLocal *self, Enqueue *enqueue)
{
  while (is_reserved (self, enqueue))
    g_cond_wait (&self->unreserved, &self->lock);
  memset (enqueue->fresh, FALSE, enqueue->n_records * sizeof *enqueue->fresh);
  for (gsize i = 0; i < enqueue->n_records; i++)
    g_hash_table_add (self->reserved, &enqueue->records[i]->id);
}

static void
unreserve (JobLocal *self, const Enqueue *enqueue)
{
  for (gsize i = 0; i < enqueue->n_records; i++)
    g_hash_table_remove (self->reserved, &enqueue->records[i]->id);
  g_cond_broadcast (&self->unreserved);
}

/* With the lock. An error that is told depends on all that is under way; where something has to be
 * looked up, only jobs that ended just now are neither in the index nor in the ledger. So those who
 * come with ids of their own do not wait for each other. */
static void
await_others (JobLocal *self, GError **error)
{
  JobCommitter *committer = self->committer;
  g_autoptr (GError) failure = NULL;

  if (job_committer_wait (committer,
                          *error ? job_committer_get_newest (committer)
                                 : job_committer_get_newest_ending (committer),
                          &failure))
    return;
  g_clear_error (error);
  g_propagate_error (error, g_steal_pointer (&failure));
}

/* Once more if a dependency got over between the look and the enqueueing: it is unknown to the
 * index then. */
static void
look_and_enqueue (JobLocal *self, Enqueue *enqueue, JobCall *call, GError **error)
{
  gboolean done = FALSE;

  while (!done && *error == NULL && look_up_unknown (self, enqueue, error))
    {
      JobNow now = job_local_now (self);

      g_mutex_lock (&self->lock);
      done = try_enqueue (self, enqueue, call, now, error);
      if (done)
        job_local_commit (self, now, job_call_is_blocking (call));
      else
        await_others (self, error);
      g_mutex_unlock (&self->lock);
    }
}

static void
enqueue_after_looking (JobLocalRead *read)
{
  JobLocal *self = read->local;
  Enqueue *enqueue = read->extra;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->lock);
  reserve (self, enqueue);
  g_mutex_unlock (&self->lock);

  look_and_enqueue (self, enqueue, read->call, &error);

  g_mutex_lock (&self->lock);
  unreserve (self, enqueue);
  g_mutex_unlock (&self->lock);
  if (error)
    job_call_return_error (read->call, g_steal_pointer (&error));
}

/* With the lock, which it gives up: the first error is not told yet, since it may depend on what is
 * under way, or on who has reserved an id. */
static void
look_first (JobLocal *self, const Enqueue *enqueue, JobCall *call)
{
  JobLocalRead *read = job_local_read_new (self, call, enqueue_after_looking);

  read->extra = enqueue_keep (enqueue);
  read->destroy = enqueue_free;
  job_local_read_run (read);
}

void
job_local_enqueue (JobLocal *self, JobRecord **records, const gboolean *fresh, gsize n_records,
                   JobCall *call)
{
  Enqueue enqueue = { records, (gboolean *) fresh, n_records, self->none_known, self->unknown };
  g_autoptr (GError) error = NULL;
  JobNow now;

  g_mutex_lock (&self->lock);
  if (!job_local_check_open (self, &error))
    {
      g_mutex_unlock (&self->lock);
      job_call_return_error (call, g_steal_pointer (&error));
      return;
    }
  now = job_local_now (self);
  if (is_reserved (self, &enqueue) || !try_enqueue (self, &enqueue, call, now, NULL))
    {
      look_first (self, &enqueue, call);
      return;
    }
  job_local_commit (self, now, job_call_is_blocking (call));
  g_mutex_unlock (&self->lock);
}

/* --- verbs on one job ------------------------------------------------------------------------- */

/* With the lock, after a verb that the scheduler took: the answer comes with the batch. An
 * administrator may end somebody else's lease, who is told then. */
static gboolean
answer_when_durable (JobLocalRead *read, gboolean done)
{
  JobCommitter *committer = read->local->committer;

  if (!done)
    return FALSE;
  job_committer_add_answer (committer, read->call, NULL, NULL);
  if (!read->has_token)
    job_committer_hurry (committer);
  return TRUE;
}

static const JobId *
token_of (const JobLocalRead *read)
{
  return read->has_token ? &read->token : NULL;
}

static gboolean
try_complete (JobLocalRead *read, GError **error)
{
  JobLocal *self = read->local;

  return answer_when_durable (read, job_scheduler_complete (self->scheduler, &read->id,
                                                            token_of (read), read->text, read->now,
                                                            job_local_open_effects (self), error));
}

static gboolean
try_fail (JobLocalRead *read, GError **error)
{
  JobLocal *self = read->local;

  return answer_when_durable (read, job_scheduler_fail (self->scheduler, &read->id, token_of (read),
                                                        read->text, read->now,
                                                        job_local_open_effects (self), error));
}

static gboolean
try_release (JobLocalRead *read, GError **error)
{
  JobLocal *self = read->local;

  return answer_when_durable (read, job_scheduler_release (self->scheduler, &read->id,
                                                           token_of (read), read->now,
                                                           job_local_open_effects (self), error));
}

static gboolean
try_cancel (JobLocalRead *read, GError **error)
{
  JobLocal *self = read->local;

  return answer_when_durable (read, job_scheduler_cancel (self->scheduler, &read->id, read->now,
                                                          job_local_open_effects (self), error));
}

/* Not written to disk: a lease that was handed out is durable, and after a reopening its heartbeat
 * counts anew. */
static gboolean
try_heartbeat (JobLocalRead *read, GError **error)
{
  JobLocal *self = read->local;

  if (!job_scheduler_heartbeat (self->scheduler, &read->id, token_of (read), read->now, error))
    return FALSE;
  job_call_return_true (read->call);
  return TRUE;
}

static void
attempt (JobLocal *self, const JobId *id, const JobId *token, const char *text, JobCall *call,
         JobLocalAttempt func)
{
  JobLocalRead read = {
    .local = self,
    .call = call,
    .id = *id,
    .has_token = token != NULL,
    .text = (char *) text,
  };

  if (token)
    read.token = *token;
  job_local_attempt (&read, func, job_local_refuse);
}

void
job_local_complete (JobLocal *self, const JobId *id, const JobId *token, const char *result,
                    JobCall *call)
{
  attempt (self, id, token, result, call, try_complete);
}

void
job_local_fail (JobLocal *self, const JobId *id, const JobId *token, const char *error_json,
                JobCall *call)
{
  attempt (self, id, token, error_json, call, try_fail);
}

void
job_local_release (JobLocal *self, const JobId *id, const JobId *token, JobCall *call)
{
  attempt (self, id, token, NULL, call, try_release);
}

void
job_local_cancel (JobLocal *self, const JobId *id, JobCall *call)
{
  attempt (self, id, NULL, NULL, call, try_cancel);
}

void
job_local_heartbeat (JobLocal *self, const JobId *id, const JobId *token, JobCall *call)
{
  attempt (self, id, token, NULL, call, try_heartbeat);
}
