/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each verb in the mode of the test: as the blocking call, or as the asynchronous pair, whose
 * answer never comes before the call has returned. */

#include "conformance-private.h"

/* Takes the answer of the call that was made just now. */
static GAsyncResult *
wait_for_call (Answer *answer)
{
  g_assert_null (answer->result);
  return answer_wait (answer);
}

char *
call_enqueue (Fixture *f, JobSpec *spec, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_enqueue (f->queue, spec, NULL, error);

  job_queue_enqueue_async (f->queue, spec, NULL, answer_cb, &answer);
  return job_queue_enqueue_finish (f->queue, wait_for_call (&answer), error);
}

char **
call_enqueue_many (Fixture *f, JobSpec **specs, gsize n_specs, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_enqueue_many (f->queue, specs, n_specs, NULL, error);

  job_queue_enqueue_many_async (f->queue, specs, n_specs, NULL, answer_cb, &answer);
  return job_queue_enqueue_many_finish (f->queue, wait_for_call (&answer), error);
}

JobLease *
call_dequeue (Fixture *f, const char *const *types, const char *const *channels, gint64 timeout,
              GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_dequeue (f->queue, types, channels, timeout, NULL, error);

  job_queue_dequeue_async (f->queue, types, channels, timeout, NULL, answer_cb, &answer);
  return job_queue_dequeue_finish (f->queue, wait_for_call (&answer), error);
}

JobLease *
call_dequeue_by_id (Fixture *f, const char *id, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_dequeue_by_id (f->queue, id, NULL, error);

  job_queue_dequeue_by_id_async (f->queue, id, NULL, answer_cb, &answer);
  return job_queue_dequeue_by_id_finish (f->queue, wait_for_call (&answer), error);
}

gboolean
call_complete (Fixture *f, const char *id, const char *token, const char *result, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_complete (f->queue, id, token, result, NULL, error);

  job_queue_complete_async (f->queue, id, token, result, NULL, answer_cb, &answer);
  return job_queue_complete_finish (f->queue, wait_for_call (&answer), error);
}

gboolean
call_fail (Fixture *f, const char *id, const char *token, const char *error_json, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_fail (f->queue, id, token, error_json, NULL, error);

  job_queue_fail_async (f->queue, id, token, error_json, NULL, answer_cb, &answer);
  return job_queue_fail_finish (f->queue, wait_for_call (&answer), error);
}

gboolean
call_release (Fixture *f, const char *id, const char *token, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_release (f->queue, id, token, NULL, error);

  job_queue_release_async (f->queue, id, token, NULL, answer_cb, &answer);
  return job_queue_release_finish (f->queue, wait_for_call (&answer), error);
}

gboolean
call_cancel (Fixture *f, const char *id, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_cancel (f->queue, id, NULL, error);

  job_queue_cancel_async (f->queue, id, NULL, answer_cb, &answer);
  return job_queue_cancel_finish (f->queue, wait_for_call (&answer), error);
}

gboolean
call_heartbeat (Fixture *f, const char *id, const char *token, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_heartbeat (f->queue, id, token, NULL, error);

  job_queue_heartbeat_async (f->queue, id, token, NULL, answer_cb, &answer);
  return job_queue_heartbeat_finish (f->queue, wait_for_call (&answer), error);
}

char *
call_lookup_token (Fixture *f, const char *token, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_lookup_token (f->queue, token, NULL, error);

  job_queue_lookup_token_async (f->queue, token, NULL, answer_cb, &answer);
  return job_queue_lookup_token_finish (f->queue, wait_for_call (&answer), error);
}

JobInfo *
call_get_info (Fixture *f, const char *id, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_get_info (f->queue, id, NULL, error);

  job_queue_get_info_async (f->queue, id, NULL, answer_cb, &answer);
  return job_queue_get_info_finish (f->queue, wait_for_call (&answer), error);
}

JobInfo *
call_wait (Fixture *f, const char *id, gint64 timeout, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_wait (f->queue, id, timeout, NULL, error);

  job_queue_wait_async (f->queue, id, timeout, NULL, answer_cb, &answer);
  return job_queue_wait_finish (f->queue, wait_for_call (&answer), error);
}

GListModel *
call_list (Fixture *f, JobFilter *filter, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_list (f->queue, filter, NULL, error);

  job_queue_list_async (f->queue, filter, NULL, answer_cb, &answer);
  return job_queue_list_finish (f->queue, wait_for_call (&answer), error);
}

GListModel *
call_list_leases (Fixture *f, gint64 older_than, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_list_leases (f->queue, older_than, NULL, error);

  job_queue_list_leases_async (f->queue, older_than, NULL, answer_cb, &answer);
  return job_queue_list_leases_finish (f->queue, wait_for_call (&answer), error);
}

GListModel *
call_list_damaged (Fixture *f, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_list_damaged (f->queue, NULL, error);

  job_queue_list_damaged_async (f->queue, NULL, answer_cb, &answer);
  return job_queue_list_damaged_finish (f->queue, wait_for_call (&answer), error);
}

GListModel *
call_move_damaged (Fixture *f, const char *directory, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_move_damaged (f->queue, directory, NULL, error);

  job_queue_move_damaged_async (f->queue, directory, NULL, answer_cb, &answer);
  return job_queue_move_damaged_finish (f->queue, wait_for_call (&answer), error);
}

gboolean
call_close (Fixture *f, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_queue_close (f->queue, NULL, error);

  job_queue_close_async (f->queue, NULL, answer_cb, &answer);
  return job_queue_close_finish (f->queue, wait_for_call (&answer), error);
}

gboolean
call_lease_complete (Fixture *f, JobLease *lease, const char *result, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_lease_complete (lease, result, NULL, error);

  job_lease_complete_async (lease, result, NULL, answer_cb, &answer);
  return job_lease_complete_finish (lease, wait_for_call (&answer), error);
}

gboolean
call_lease_fail (Fixture *f, JobLease *lease, const char *error_json, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_lease_fail (lease, error_json, NULL, error);

  job_lease_fail_async (lease, error_json, NULL, answer_cb, &answer);
  return job_lease_fail_finish (lease, wait_for_call (&answer), error);
}

gboolean
call_lease_release (Fixture *f, JobLease *lease, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_lease_release (lease, NULL, error);

  job_lease_release_async (lease, NULL, answer_cb, &answer);
  return job_lease_release_finish (lease, wait_for_call (&answer), error);
}

gboolean
call_lease_heartbeat (Fixture *f, JobLease *lease, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_lease_heartbeat (lease, NULL, error);

  job_lease_heartbeat_async (lease, NULL, answer_cb, &answer);
  return job_lease_heartbeat_finish (lease, wait_for_call (&answer), error);
}

GListModel *
call_lease_list_dependencies (Fixture *f, JobLease *lease, GError **error)
{
  g_auto (Answer) answer = { NULL };

  if (!f->async)
    return job_lease_list_dependencies (lease, NULL, error);

  job_lease_list_dependencies_async (lease, NULL, answer_cb, &answer);
  return job_lease_list_dependencies_finish (lease, wait_for_call (&answer), error);
}
