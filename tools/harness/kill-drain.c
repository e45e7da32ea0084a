/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a queue whose processes were killed: nothing in it is stuck, no token that is over
 * does anything, and the order is that of the list. */

#include "kill-crowd.h"

/* A token that is over changes nothing, ever. */
static gboolean
try_old_tokens (CrowdTable *self, JobQueue *queue)
{
  for (guint i = 0; i < self->n_leases; i++)
    {
      const CrowdLease *lease = &self->leases[i];
      g_autofree char *id = crowd_dup_id (MAX (lease->job, 1) - 1);

      if (lease->job == 0 || lease->ended != CROWD_TOLD ||
          !job_queue_complete (queue, id, lease->token, "\"again\"", NULL, NULL))
        continue;
      crowd_complain (self, "lease %u of job %u was over, and could complete it", i + 1,
                      lease->job - 1);
      return FALSE;
    }
  return TRUE;
}

/* The next one that is pending, as the list has it. */
static const char *
find_pending (GListModel *list, guint *at)
{
  while (*at < g_list_model_get_n_items (list))
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, (*at)++);

      if (job_info_get_state (info) == JOB_STATE_PENDING)
        return job_info_get_id (info);
    }
  return NULL;
}

/* FALSE: there is none, or it is the wrong one. */
static gboolean
lease_next (CrowdTable *self, JobQueue *queue, const char *expected)
{
  g_autoptr (JobLease) lease = job_queue_dequeue (queue, NULL, NULL, 0, NULL, NULL);

  if (g_strcmp0 (lease ? job_lease_get_id (lease) : NULL, expected) != 0)
    crowd_complain (self, "job %s came, and should have been %s",
                    lease ? job_lease_get_id (lease) : "none", expected ? expected : "none");
  return lease && *self->complaint == '\0';
}

static gboolean
lease_all (CrowdTable *self, JobQueue *queue)
{
  g_autoptr (GListModel) list = job_queue_list (queue, NULL, NULL, NULL);
  guint at = 0;

  while (lease_next (self, queue, find_pending (list, &at)))
    ;
  return *self->complaint == '\0';
}

/* How many there were. */
static guint
complete_all (CrowdTable *self, JobQueue *queue)
{
  g_autoptr (GListModel) leases = job_queue_list_leases (queue, 0, NULL, NULL);

  for (guint i = 0; i < g_list_model_get_n_items (leases); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (leases, i);
      g_autoptr (GError) error = NULL;

      if (!job_queue_complete (queue, job_info_get_id (info), job_info_get_token (info), NULL, NULL,
                               &error))
        crowd_complain (self, "job %s cannot be completed: %s", job_info_get_id (info),
                        error->message);
    }
  return g_list_model_get_n_items (leases);
}

static gboolean
check_all_over (CrowdTable *self, JobQueue *queue)
{
  g_autoptr (GListModel) list = job_queue_list (queue, NULL, NULL, NULL);

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);

      if (job_info_get_finished_at (info) == 0)
        crowd_complain (self, "job %s is stuck: %s", job_info_get_id (info),
                        job_state_to_string (job_info_get_state (info)));
    }
  return *self->complaint == '\0';
}

gboolean
crowd_drain (CrowdTable *self, JobQueue *queue)
{
  if (!try_old_tokens (self, queue))
    return FALSE;
  while (lease_all (self, queue) && complete_all (self, queue) > 0)
    ;
  return *self->complaint == '\0' && check_all_over (self, queue);
}
