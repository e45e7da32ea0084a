/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "scheduler-fixture.h"

#include <string.h>

static guint64 n_tokens;

static guint64
scatter (guint64 number)
{
  number = (number ^ number >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  number = (number ^ number >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return number ^ number >> 31;
}

static JobId
make_id (guint64 head, guint64 number)
{
  guint64 parts[2] = { GUINT64_TO_BE (head), scatter (number) };
  JobId id;

  memcpy (id.bytes, parts, sizeof parts);
  return id;
}

JobId
id_of (guint64 number)
{
  return make_id (number, number);
}

void
fixture_seed_tokens (guint64 seed)
{
  n_tokens = seed << 32;
}

void
fixture_new_token (JobId *token)
{
  *token = make_id (G_MAXUINT64, ++n_tokens);
}

void
fixture_set_up (Fixture *self, gconstpointer data)
{
  fixture_seed_tokens (1);
  self->scheduler = job_scheduler_new (fixture_new_token);
  self->now = (JobNow){ START, 1000 };
  job_effects_init (&self->effects);
  self->over = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, NULL);
  self->records = g_ptr_array_new_with_free_func ((GDestroyNotify) job_record_unref);
  self->waiters = g_ptr_array_new_with_free_func (g_free);
}

void
fixture_tear_down (Fixture *self, gconstpointer data)
{
  g_clear_pointer (&self->scheduler, job_scheduler_free);
  job_effects_clear (&self->effects);
  g_clear_pointer (&self->over, g_hash_table_unref);
  g_clear_pointer (&self->records, g_ptr_array_unref);
  g_clear_pointer (&self->waiters, g_ptr_array_unref);
}

void
fixture_step (Fixture *self, gint64 wall_ns, gint64 boot_us)
{
  self->now.wall += wall_ns;
  self->now.boot += boot_us;
}

void
fixture_begin (Fixture *self)
{
  job_effects_clear (&self->effects);
  job_effects_init (&self->effects);
}

void
fixture_note_finals (Fixture *self)
{
  for (guint i = 0; i < self->effects.changes->len; i++)
    {
      const JobChange *change = &g_array_index (self->effects.changes, JobChange, i);

      if (job_state_is_final (change->status.state))
        g_hash_table_replace (self->over, g_memdup2 (&change->id, sizeof (JobId)),
                              GINT_TO_POINTER (change->status.state));
    }
}

/* --- jobs ------------------------------------------------------------------------------------- */

JobRecord *
new_job (Fixture *self, const char *type, guint n_dependencies)
{
  JobRecord *record = job_record_new (n_dependencies);

  record->id = id_of (self->records->len + 1);
  record->max_attempts = 1;
  record->type = g_strdup (type);
  record->channel = g_strdup ("");
  record->args = g_strdup ("null");
  g_ptr_array_add (self->records, record);
  return record;
}

void
set_dependency (JobRecord *record, guint index, const JobRecord *on, JobCondition condition)
{
  record->dependencies[index] = (JobDependency){ on->id, condition };
}

JobRecord *
new_dependent (Fixture *self, const char *type, const JobRecord *on, JobCondition condition)
{
  JobRecord *record = new_job (self, type, 1);

  set_dependency (record, 0, on, condition);
  return record;
}

/* --- steps ------------------------------------------------------------------------------------ */

void
match (Fixture *self)
{
  job_scheduler_match (self->scheduler, self->now, &self->effects);
  fixture_note_finals (self);
}

JobWaiter *
wait_for (Fixture *self, const char *const *types, const char *const *channels, gpointer data)
{
  JobWaiter *waiter = g_new0 (JobWaiter, 1);

  g_ptr_array_add (self->waiters, waiter);
  job_scheduler_add_waiter (self->scheduler, waiter, types, channels, data);
  return waiter;
}

static void
look_up (Fixture *self, JobRecord *const *records, gsize n_records, GHashTable *known)
{
  g_autofree gboolean *fresh = g_new0 (gboolean, n_records);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (JobId));

  job_scheduler_list_unknown (self->scheduler, records, fresh, n_records, known, ids);
  for (guint i = 0; i < ids->len; i++)
    {
      const JobId *id = &g_array_index (ids, JobId, i);
      gpointer state;

      if (!g_hash_table_lookup_extended (self->over, id, NULL, &state))
        state = GINT_TO_POINTER (JOB_KNOWN_ABSENT);
      g_hash_table_insert (known, g_memdup2 (id, sizeof *id), state);
    }
}

gboolean
try_enqueue (Fixture *self, JobRecord *const *records, gsize n_records, GError **error)
{
  g_autoptr (GHashTable) known = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, NULL);
  gboolean done;

  fixture_begin (self);
  look_up (self, records, n_records, known);
  done = job_scheduler_enqueue (self->scheduler, records, n_records, known, self->now,
                                &self->effects, error);
  if (done)
    match (self);
  return done;
}

void
enqueue (Fixture *self, JobRecord *record)
{
  g_autoptr (GError) error = NULL;

  try_enqueue (self, &record, 1, &error);
  g_assert_no_error (error);
}

JobRecord *
add_job (Fixture *self, const char *type)
{
  JobRecord *record = new_job (self, type, 0);

  enqueue (self, record);
  return record;
}

static gboolean
try_claim (Fixture *self, const char *type)
{
  const char *types[] = { type, NULL };

  fixture_begin (self);
  match (self);
  return job_scheduler_claim (self->scheduler, type ? types : NULL, NULL, self, self->now,
                              &self->effects);
}

JobId
claim (Fixture *self, const char *type, const JobRecord *expected)
{
  const JobClaim *claimed;

  g_assert_true (try_claim (self, type));
  g_assert_cmpuint (self->effects.claims->len, ==, 1);
  claimed = &g_array_index (self->effects.claims, JobClaim, 0);
  g_assert_true (claimed->data == self);
  g_assert_true (job_id_equal (&claimed->id, &expected->id));
  return claimed->token;
}

void
assert_none (Fixture *self, const char *type)
{
  g_assert_false (try_claim (self, type));
  g_assert_cmpuint (self->effects.changes->len, ==, 0);
}

void
complete (Fixture *self, const JobRecord *record, const JobId *token)
{
  g_autoptr (GError) error = NULL;

  fixture_begin (self);
  job_scheduler_complete (self->scheduler, &record->id, token, "1", self->now, &self->effects,
                          &error);
  g_assert_no_error (error);
  match (self);
}

void
fail (Fixture *self, const JobRecord *record, const JobId *token)
{
  g_autoptr (GError) error = NULL;

  fixture_begin (self);
  job_scheduler_fail (self->scheduler, &record->id, token, "\"no\"", self->now, &self->effects,
                      &error);
  g_assert_no_error (error);
  match (self);
}

void
release (Fixture *self, const JobRecord *record, const JobId *token)
{
  g_autoptr (GError) error = NULL;

  fixture_begin (self);
  job_scheduler_release (self->scheduler, &record->id, token, self->now, &self->effects, &error);
  g_assert_no_error (error);
  match (self);
}

void
cancel (Fixture *self, const JobRecord *record)
{
  g_autoptr (GError) error = NULL;

  fixture_begin (self);
  job_scheduler_cancel (self->scheduler, &record->id, self->now, &self->effects, &error);
  g_assert_no_error (error);
  match (self);
}

void
finish (Fixture *self, const JobRecord *record, JobState state)
{
  g_autoptr (GError) error = NULL;

  if (state == JOB_STATE_CANCELED)
    {
      cancel (self, record);
      return;
    }
  fixture_begin (self);
  job_scheduler_claim_by_id (self->scheduler, &record->id, NULL, self->now, &self->effects, &error);
  g_assert_no_error (error);
  if (state == JOB_STATE_SUCCEEDED)
    complete (self, record, NULL);
  else
    fail (self, record, NULL);
}

/* --- what is so ------------------------------------------------------------------------------- */

JobView
view_of (Fixture *self, const JobRecord *record)
{
  JobView view;

  g_assert_true (job_scheduler_describe (self->scheduler, &record->id, self->now, &view));
  return view;
}

void
assert_state (Fixture *self, const JobRecord *record, JobState state)
{
  g_assert_cmpint (view_of (self, record).state, ==, state);
}

void
assert_waits (Fixture *self, const JobRecord *record, JobState state, JobReason reason,
              const JobRecord *culprit)
{
  JobView view = view_of (self, record);

  g_assert_cmpint (view.state, ==, state);
  g_assert_cmpint (view.reason, ==, reason);
  if (culprit)
    g_assert_true (job_id_equal (&view.culprit, &culprit->id));
  else
    g_assert_true (job_id_is_nil (&view.culprit));
}

void
assert_over (Fixture *self, const JobRecord *record, JobState state)
{
  gpointer value;

  g_assert_false (job_scheduler_contains (self->scheduler, &record->id));
  g_assert_true (g_hash_table_lookup_extended (self->over, &record->id, NULL, &value));
  g_assert_cmpint (GPOINTER_TO_INT (value), ==, state);
}

guint
count_changes (Fixture *self, const JobRecord *record)
{
  guint n = 0;

  for (guint i = 0; i < self->effects.changes->len; i++)
    n += job_id_equal (&g_array_index (self->effects.changes, JobChange, i).id, &record->id);
  return n;
}

const JobStatus *
change_of (Fixture *self, const JobRecord *record)
{
  g_assert_cmpuint (count_changes (self, record), ==, 1);
  for (guint i = 0;; i++)
    {
      const JobChange *change = &g_array_index (self->effects.changes, JobChange, i);

      if (job_id_equal (&change->id, &record->id))
        return &change->status;
    }
}

static int
compare_views (gconstpointer a, gconstpointer b)
{
  return job_id_compare (&((const JobView *) a)->id, &((const JobView *) b)->id);
}

static void
append_views (GString *text, GArray *views)
{
  for (guint i = 0; i < views->len; i++)
    {
      const JobView *view = &g_array_index (views, JobView, i);
      char id[JOB_ID_TEXT_SIZE], token[JOB_ID_TEXT_SIZE], culprit[JOB_ID_TEXT_SIZE];

      job_id_to_text (&view->id, id);
      job_id_to_text (&view->status.token, token);
      job_id_to_text (&view->culprit, culprit);
      g_string_append_printf (text, "%s %s %d %s attempts %u token %s from %" G_GINT64_FORMAT, id,
                              job_state_to_string (view->state), view->reason, culprit,
                              view->status.attempts, token, view->status.started_at);
      g_string_append_printf (text, " place %d %" G_GINT64_FORMAT " age %" G_GINT64_FORMAT "\n",
                              view->priority, view->queued_at, view->heartbeat_age);
    }
}

char *
dump (Fixture *self)
{
  g_autoptr (GArray) views = g_array_new (FALSE, FALSE, sizeof (JobView));
  GString *text = g_string_new (NULL);

  job_scheduler_list (self->scheduler, NULL, NULL, self->now, views);
  g_array_sort (views, compare_views);
  append_views (text, views);

  g_array_set_size (views, 0);
  job_scheduler_list_leases (self->scheduler, 0, self->now, views);
  append_views (text, views);
  g_string_append_printf (text, "next %" G_GINT64_FORMAT "\n",
                          job_scheduler_get_next_run_at (self->scheduler));
  return g_string_free (text, FALSE);
}
