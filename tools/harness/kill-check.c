/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found when a queue is opened whose process was killed with many calls in flight, against
 * what the table says. What nobody knew is settled by it: the next opening has to find the same. */

#include "kill-crowd.h"

#include <string.h>

typedef struct
{
  CrowdTable *table;
  guint n_jobs, n_leases;
  JobInfo *found[CROWD_MAX_JOBS];     /* references; or NULL */
  const char *tokens[CROWD_MAX_JOBS]; /* of those that run */
  guint lasts[CROWD_MAX_JOBS];        /* the last lease + 1; or 0 */
  guint attempts[CROWD_MAX_JOBS];     /* leases that count, for certain or not */
  GListModel *list, *leases;
} Check;

static void
check_clear (Check *self)
{
  for (guint i = 0; i < CROWD_MAX_JOBS; i++)
    g_clear_object (&self->found[i]);
  g_clear_object (&self->list);
  g_clear_object (&self->leases);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Check, check_clear)

static gboolean wrong (Check *self, guint job, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
wrong (Check *self, guint job, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  crowd_complain (self->table, "job %u (%s, asked at %u, told at %u) %s", job,
                  self->found[job] ? job_state_to_string (job_info_get_state (self->found[job]))
                                   : "not there",
                  self->table->jobs[job].asked_at, self->table->jobs[job].told_at, text);
  return FALSE;
}

/* --- what is there ---------------------------------------------------------------------------- */

static gboolean
find_jobs (Check *self)
{
  for (guint i = 0; i < g_list_model_get_n_items (self->list); i++)
    {
      JobInfo *info = g_list_model_get_item (self->list, i);
      guint job = crowd_parse_id (job_info_get_id (info));

      if (job < self->n_jobs && self->found[job] == NULL)
        {
          self->found[job] = info;
          continue;
        }
      crowd_complain (self->table, "there is a job %s, unasked or twice", job_info_get_id (info));
      g_object_unref (info);
      return FALSE;
    }
  return TRUE;
}

static gboolean
find_tokens (Check *self)
{
  for (guint i = 0; i < g_list_model_get_n_items (self->leases); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (self->leases, i);
      guint job = crowd_parse_id (job_info_get_id (info));

      if (job >= self->n_jobs || self->found[job] == NULL || self->tokens[job] ||
          job_info_get_state (self->found[job]) != JOB_STATE_RUNNING)
        {
          crowd_complain (self->table, "there is a lease of %s, which does not run, or two",
                          job_info_get_id (info));
          return FALSE;
        }
      self->tokens[job] = job_info_get_token (info); /* lives as long as the list */
    }
  for (guint i = 0; i < self->n_jobs; i++)
    if (self->found[i] && job_info_get_state (self->found[i]) == JOB_STATE_RUNNING &&
        self->tokens[i] == NULL)
      return wrong (self, i, "runs without a lease");
  return TRUE;
}

static gboolean
look (Check *self, JobQueue *queue)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) damaged = NULL;

  self->n_jobs = MIN (self->table->n_jobs, CROWD_MAX_JOBS);
  self->n_leases = MIN (self->table->n_leases, CROWD_MAX_LEASES);
  self->list = job_queue_list (queue, NULL, NULL, &error);
  self->leases = self->list ? job_queue_list_leases (queue, 0, NULL, &error) : NULL;
  damaged = self->leases ? job_queue_list_damaged (queue, NULL, &error) : NULL;
  if (damaged == NULL)
    crowd_complain (self->table, "the queue cannot be read: %s", error->message);
  else if (g_list_model_get_n_items (damaged) > 0)
    crowd_complain (self->table, "%u records are damaged", g_list_model_get_n_items (damaged));
  else
    return find_jobs (self) && find_tokens (self);
  return FALSE;
}

static void
count_leases (Check *self)
{
  for (guint i = 0; i < self->n_leases; i++)
    {
      const CrowdLease *lease = &self->table->leases[i];

      if (lease->job == 0)
        continue;
      self->lasts[lease->job - 1] = i + 1;
      self->attempts[lease->job - 1]++;
    }
}

/* A lease behind which there is another one is over. */
static void
discount_releases (Check *self)
{
  for (guint i = 0; i < self->n_leases; i++)
    {
      CrowdLease *lease = &self->table->leases[i];

      if (lease->job == 0)
        continue;
      if (self->lasts[lease->job - 1] != i + 1 && lease->ended == CROWD_ASKED)
        lease->ended = CROWD_TOLD;
      if (lease->end == CROWD_RELEASE && lease->ended == CROWD_TOLD)
        self->attempts[lease->job - 1]--;
    }
}

/* --- what a job was asked to be --------------------------------------------------------------- */

static gboolean
check_spec (Check *self, guint job)
{
  JobInfo *info = self->found[job];
  const char *const *dependencies = job_info_get_dependencies (info);
  g_autofree char *args = crowd_dup_args (job);
  g_autofree char *before = job > 0 ? crowd_dup_id (job - 1) : NULL;
  gboolean waits = self->table->jobs[job].waits;

  if (!g_str_equal (job_info_get_args (info), args))
    return wrong (self, job, "has other args: %s", job_info_get_args (info));
  if (!g_str_equal (job_info_get_job_type (info), crowd_get_type (job)) ||
      job_info_get_priority (info) != crowd_get_priority (job) ||
      job_info_get_max_attempts (info) != crowd_get_max_attempts (job))
    return wrong (self, job, "is another one");
  if (waits ? g_strv_length ((char **) dependencies) != 1 || !g_str_equal (dependencies[0], before)
            : dependencies && dependencies[0])
    return wrong (self, job, "has other dependencies");
  return TRUE;
}

/* Whole or not at all. */
static gboolean
check_enqueued (Check *self, guint number)
{
  CrowdJob *job = &self->table->jobs[number];
  gboolean is_there = self->found[number] != NULL;

  if (job->enqueued == CROWD_NOT)
    return !is_there || wrong (self, number, "was not asked for, or was known not to be");
  if (is_there != (self->found[job->first] != NULL))
    return wrong (self, number, "is there or not, and job %u of the same call is not or is",
                  job->first);
  if (!is_there && (job->enqueued == CROWD_TOLD || self->lasts[number] > 0))
    return wrong (self, number, "is lost");
  job->enqueued = is_there ? CROWD_TOLD : CROWD_NOT;
  if (is_there && job->told_at == G_MAXUINT)
    job->told_at = self->table->time++;
  return !is_there || check_spec (self, number);
}

/* --- where it stands -------------------------------------------------------------------------- */

/* Of a job that nobody holds. */
static gboolean
check_waiting (Check *self, guint job)
{
  JobState state = job_info_get_state (self->found[job]);
  JobState before = self->table->jobs[job].waits && self->found[job - 1]
                        ? job_info_get_state (self->found[job - 1])
                        : JOB_STATE_SUCCEEDED;
  JobState expected = before == JOB_STATE_SUCCEEDED ? JOB_STATE_PENDING
                      : before == JOB_STATE_FAILED || before == JOB_STATE_CANCELED
                          ? JOB_STATE_CANCELED
                          : JOB_STATE_BLOCKED;

  return state == expected || (state == JOB_STATE_RUNNING && expected == JOB_STATE_PENDING) ||
         wrong (self, job, "should be %s", job_state_to_string (expected));
}

static gboolean
check_over (Check *self, guint job, JobState state, const char *found, const char *outcome)
{
  if (job_info_get_state (self->found[job]) != state)
    return wrong (self, job, "should be %s", job_state_to_string (state));
  return g_strcmp0 (found, outcome) == 0 ||
         wrong (self, job, "ended with %s, not with %s", found ? found : "nothing", outcome);
}

/* That is done. */
static gboolean
check_end (Check *self, guint job, guint slot)
{
  const CrowdLease *lease = &self->table->leases[slot];
  g_autofree char *outcome = crowd_dup_outcome (slot + 1);
  JobInfo *info = self->found[job];

  if (lease->end == CROWD_COMPLETE)
    return check_over (self, job, JOB_STATE_SUCCEEDED, job_info_get_result (info), outcome);
  if (lease->end == CROWD_FAIL && self->attempts[job] >= crowd_get_max_attempts (job))
    return check_over (self, job, JOB_STATE_FAILED, job_info_get_error (info), outcome);
  return check_waiting (self, job);
}

/* Of the last lease that was told. */
static gboolean
check_last (Check *self, guint job, guint slot)
{
  CrowdLease *lease = &self->table->leases[slot];
  gboolean holds = g_strcmp0 (self->tokens[job], lease->token) == 0;

  if (holds && lease->ended == CROWD_TOLD)
    return wrong (self, job, "runs under lease %u, which is over", slot + 1);
  if (!holds && lease->ended == CROWD_NOT)
    return wrong (self, job, "lost its lease %u", slot + 1);
  lease->ended = holds ? CROWD_NOT : CROWD_TOLD;
  return TRUE;
}

static gboolean
is_over_by_token (const Check *self, guint job, const char *token)
{
  for (guint i = 0; i < self->n_leases; i++)
    if (self->table->leases[i].job == job + 1 && g_str_equal (self->table->leases[i].token, token))
      return TRUE;
  return FALSE;
}

/* A lease of which nobody was told yet. */
static gboolean
note_lease (Check *self, guint job)
{
  CrowdTable *table = self->table;
  CrowdLease *lease = &table->leases[table->n_leases];

  if (is_over_by_token (self, job, self->tokens[job]))
    return wrong (self, job, "runs under a token that is over");
  if (table->n_leases >= CROWD_MAX_LEASES)
    g_error ("Too many leases");
  g_strlcpy (lease->token, self->tokens[job], sizeof lease->token);
  lease->job = job + 1;
  table->n_leases++;
  self->attempts[job]++;
  return TRUE;
}

static gboolean
check_job (Check *self, guint job, guint *n_untold)
{
  guint last = self->lasts[job];
  CrowdLease *lease = last > 0 ? &self->table->leases[last - 1] : NULL;
  gboolean was_asked = lease && lease->ended == CROWD_ASKED;

  if (lease && !check_last (self, job, last - 1))
    return FALSE;
  if (was_asked && lease->ended == CROWD_TOLD && lease->end == CROWD_RELEASE)
    self->attempts[job]--;
  if (lease && lease->ended == CROWD_NOT)
    return TRUE; /* it runs */
  if (lease ? !check_end (self, job, last - 1) : !check_waiting (self, job))
    return FALSE;
  if (self->tokens[job] == NULL)
    return TRUE;
  (*n_untold)++;
  return note_lease (self, job);
}

static guint
count_dequeues (const CrowdTable *table)
{
  guint n = 0;

  for (guint i = 0; i < CROWD_MAX_HANDS; i++)
    n += table->hands[i] == CROWD_DEQUEUE;
  return n;
}

static gboolean
check_jobs (Check *self)
{
  guint n_untold = 0;

  for (guint i = 0; i < self->n_jobs; i++)
    if (!check_enqueued (self, i))
      return FALSE;
  for (guint i = 0; i < self->n_jobs; i++)
    {
      if (self->found[i] == NULL)
        continue;
      if (!check_job (self, i, &n_untold))
        return FALSE;
      if (job_info_get_attempts (self->found[i]) != self->attempts[i])
        return wrong (self, i, "has %u attempts, not %u", job_info_get_attempts (self->found[i]),
                      self->attempts[i]);
    }
  if (n_untold <= count_dequeues (self->table))
    return TRUE;
  crowd_complain (self->table, "%u jobs were leased untold, by %u calls in flight", n_untold,
                  count_dequeues (self->table));
  return FALSE;
}

/* --- the order -------------------------------------------------------------------------------- */

static int
compare_queued (gconstpointer a, gconstpointer b, gpointer data)
{
  const Check *self = data;
  gint64 first = job_info_get_queued_at (self->found[*(const guint *) a]);
  gint64 second = job_info_get_queued_at (self->found[*(const guint *) b]);

  return first < second ? -1 : first > second;
}

/* Who was told before another one was asked for comes before it; those of one call, as they
 * stand. */
static gboolean
check_order (Check *self)
{
  g_autoptr (GArray) jobs = g_array_new (FALSE, FALSE, sizeof (guint));
  guint asked_at = 0;

  for (guint i = 0; i < self->n_jobs; i++)
    if (self->found[i])
      g_array_append_val (jobs, i);
  g_array_sort_with_data (jobs, compare_queued, self);
  for (guint i = 0; i < jobs->len; i++)
    {
      guint job = g_array_index (jobs, guint, i);
      const CrowdJob *entry = &self->table->jobs[job];

      if (entry->told_at < asked_at)
        return wrong (self, job, "stands behind one that was asked for later, at %u", asked_at);
      if (job > entry->first && (i == 0 || g_array_index (jobs, guint, i - 1) != job - 1))
        return wrong (self, job, "does not stand behind job %u of the same call", job - 1);
      asked_at = MAX (asked_at, entry->asked_at);
    }
  return TRUE;
}

static guint64
add_text (guint64 sum, const char *text)
{
  return sum * G_GUINT64_CONSTANT (1099511628211) + g_str_hash (text ? text : "none");
}

/* All that is told of it. */
static guint64
get_print (const Check *self)
{
  guint64 sum = 0;

  for (guint i = 0; i < self->n_jobs; i++)
    {
      JobInfo *info = self->found[i];

      if (info == NULL)
        continue;
      sum = add_text (sum, job_info_get_id (info));
      sum = add_text (sum, job_info_get_result (info));
      sum = add_text (sum, job_info_get_error (info));
      sum = add_text (sum, self->tokens[i]);
      sum = sum * 31 + job_info_get_state (info) + (guint64) job_info_get_queued_at (info) * 7 +
            (guint64) job_info_get_started_at (info) * 11 +
            (guint64) job_info_get_finished_at (info) * 13 + job_info_get_attempts (info);
    }
  return sum;
}

gboolean
crowd_check (CrowdTable *self, JobQueue *queue)
{
  g_auto (Check) check = { .table = self };
  guint64 print;

  if (!look (&check, queue))
    return FALSE;
  count_leases (&check);
  discount_releases (&check);
  if (!check_jobs (&check) || !check_order (&check))
    return FALSE;
  print = get_print (&check);
  if (self->same && self->print != print)
    {
      crowd_complain (self, "the second opening finds another queue than the first");
      return FALSE;
    }
  memset (self->hands, 0, sizeof self->hands);
  self->print = print;
  self->same = TRUE;
  return TRUE;
}
