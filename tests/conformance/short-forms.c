/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Short forms for tests: calls that must succeed, and assertions about how jobs stand. */

#include "conformance-private.h"

char *
new_id (void)
{
  return g_uuid_string_random ();
}

JobSpec *
new_spec (const char *type, const char *id)
{
  g_autoptr (GError) error = NULL;
  JobSpec *spec = job_spec_new (type, NULL);

  job_spec_set_id (spec, id, &error);
  g_assert_no_error (error);

  return spec;
}

JobSpec *
new_dependent (const char *type, const char *dependency, JobCondition condition)
{
  JobSpec *spec = job_spec_new (type, NULL);

  if (dependency != NULL)
    job_spec_add_dependency (spec, dependency, condition);

  return spec;
}

char *
must_enqueue (Fixture *f, JobSpec *spec)
{
  g_autoptr (GError) error = NULL;
  char *id = call_enqueue (f, spec, &error);

  g_assert_no_error (error);
  g_assert_true (g_uuid_string_is_valid (id));

  return id;
}

char *
must_add (Fixture *f, const char *type)
{
  g_autoptr (JobSpec) spec = job_spec_new (type, NULL);

  return must_enqueue (f, spec);
}

char *
must_add_after (Fixture *f, const char *type, const char *dependency, JobCondition condition)
{
  g_autoptr (JobSpec) spec = new_dependent (type, dependency, condition);

  return must_enqueue (f, spec);
}

char *
must_add_with_priority (Fixture *f, const char *type, int priority)
{
  g_autoptr (JobSpec) spec = job_spec_new (type, NULL);

  job_spec_set_priority (spec, priority);
  return must_enqueue (f, spec);
}

char *
must_add_with_attempts (Fixture *f, const char *type, guint max_attempts)
{
  g_autoptr (JobSpec) spec = job_spec_new (type, NULL);

  job_spec_set_max_attempts (spec, max_attempts);
  return must_enqueue (f, spec);
}

static JobLease *
try_dequeue (Fixture *f, const char *type, GError **error)
{
  const char *const types[] = { type, NULL };

  return call_dequeue (f, type != NULL ? types : NULL, NULL, 0, error);
}

JobLease *
must_dequeue (Fixture *f, const char *type)
{
  g_autoptr (GError) error = NULL;
  JobLease *lease = try_dequeue (f, type, &error);

  g_assert_no_error (error);
  g_assert_true (JOB_IS_LEASE (lease));

  return lease;
}

JobLease *
must_dequeue_job (Fixture *f, const char *type, const char *id)
{
  JobLease *lease = must_dequeue (f, type);

  g_assert_cmpstr (job_lease_get_id (lease), ==, id);
  return lease;
}

void
must_run (Fixture *f, const char *type, const char *id)
{
  g_autoptr (JobLease) lease = must_dequeue_job (f, type, id);

  must_complete (f, lease);
}

void
must_complete (Fixture *f, JobLease *lease)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (call_lease_complete (f, lease, "{\"fine\":true}", &error));
  g_assert_no_error (error);
}

void
must_fail (Fixture *f, JobLease *lease)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (call_lease_fail (f, lease, "{\"fine\":false}", &error));
  g_assert_no_error (error);
}

void
must_release (Fixture *f, JobLease *lease)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (call_lease_release (f, lease, &error));
  g_assert_no_error (error);
}

void
must_cancel (Fixture *f, const char *id)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (call_cancel (f, id, &error));
  g_assert_no_error (error);
}

JobInfo *
must_get_info (Fixture *f, const char *id)
{
  g_autoptr (GError) error = NULL;
  JobInfo *info = call_get_info (f, id, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (job_info_get_id (info), ==, id);

  return info;
}

void
assert_none (Fixture *f, const char *type)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = try_dequeue (f, type, &error);

  g_assert_null (lease);
  assert_job_error (error, JOB_ERROR_TIMED_OUT);
}

void
assert_state (Fixture *f, const char *id, JobState state)
{
  g_autoptr (JobInfo) info = must_get_info (f, id);

  g_assert_cmpstr (job_state_to_string (job_info_get_state (info)), ==,
                   job_state_to_string (state));
}

void
assert_reason (Fixture *f, const char *id, JobState state, JobReason reason, const char *culprit)
{
  g_autoptr (JobInfo) info = must_get_info (f, id);
  g_autofree char *text = job_info_dup_reason_text (info);

  assert_state (f, id, state);
  g_assert_cmpint (job_info_get_reason (info), ==, reason);
  g_assert_cmpstr (job_info_get_culprit (info), ==, culprit);
  if (culprit != NULL)
    g_assert_nonnull (strstr (text, culprit));
}

char **
ids_in_state (Fixture *f, JobState state)
{
  g_autoptr (JobFilter) filter = job_filter_new ();
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();
  g_autoptr (GListModel) list = NULL;
  g_autoptr (GError) error = NULL;

  job_filter_add_state (filter, state);
  list = call_list (f, filter, &error);
  g_assert_no_error (error);

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (list, i);

      g_assert_cmpint (job_info_get_state (info), ==, state);
      g_strv_builder_add (ids, job_info_get_id (info));
    }

  return g_strv_builder_end (ids);
}

void
assert_ids (char **ids, ...)
{
  const char *expected;
  guint n = 0;
  va_list list;

  va_start (list, ids);
  while ((expected = va_arg (list, const char *)) != NULL)
    {
      g_assert_cmpuint (n, <, g_strv_length (ids));
      g_assert_cmpstr (ids[n++], ==, expected);
    }
  va_end (list);
  g_assert_cmpuint (g_strv_length (ids), ==, n);
}

guint
count_leases (Fixture *f, gint64 older_than)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) leases = call_list_leases (f, older_than, &error);

  g_assert_no_error (error);
  return g_list_model_get_n_items (leases);
}

static int
compare_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* In the order of the queue for what waits; by its text for what is over, whose order is nobody's
 * promise. */
static void
append_state (Fixture *f, JobState state, GString *text)
{
  g_auto (GStrv) ids = ids_in_state (f, state);

  if (job_state_is_final (state))
    qsort (ids, g_strv_length (ids), sizeof (char *), compare_text);

  for (guint i = 0; ids[i] != NULL; i++)
    {
      g_autoptr (JobInfo) info = must_get_info (f, ids[i]);
      g_autofree char *json = job_info_to_json (info);

      g_string_append_printf (text, "%s\n", json);
    }
}

char *
snapshot (Fixture *f)
{
  GString *text = g_string_new (NULL);

  for (JobState state = JOB_STATE_BLOCKED; state <= JOB_STATE_CANCELED; state++)
    append_state (f, state, text);

  return g_string_free (text, FALSE);
}
