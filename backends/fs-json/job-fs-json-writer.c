/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes a job file: a new one, or an old one with a new status.
 *
 * What the seed does when it opens the folder decides on the values: it runs what has no
 * started_at, finished and cancelled jobs included, and it finishes what is running without a
 * token. So a job that is over always has both times, and "never_started" takes the first one back;
 * a job that waits has neither time nor token, and "last_…" keeps them. */

#include "job-fs-json-record.h"

#include <string.h>

#include "job-fs-json-document.h"
#include "job-time.h"

typedef struct
{
  const JobRecord *record;
  const JobStatus *status;
  const GArray *dependents;     /* of JobId; or NULL */
  const JobFsJsonDocument *old; /* the file as it was; or NULL */
  GString *out;
} Writer;

static gboolean
is_over (const Writer *self)
{
  return job_state_is_final (self->status->state);
}

static gboolean
is_waiting (const Writer *self)
{
  return !is_over (self) && self->status->state != JOB_STATE_RUNNING;
}

static void
append_key (GString *out, const char *name)
{
  if (out->len > 0 && out->str[out->len - 1] != '{')
    g_string_append_c (out, ',');
  g_string_append_c (out, '"');
  g_string_append (out, name);
  g_string_append (out, "\":");
}

static void
append_raw_member (GString *out, const char *key, gsize key_length, const char *value,
                   gsize value_length)
{
  if (out->str[out->len - 1] != '{')
    g_string_append_c (out, ',');
  g_string_append_c (out, '"');
  g_string_append_len (out, key, (gssize) key_length);
  g_string_append (out, "\":");
  g_string_append_len (out, value, (gssize) value_length);
}

static void
append_id (GString *out, const JobId *id)
{
  char text[JOB_ID_TEXT_SIZE];

  job_id_to_text (id, text);
  g_string_append_c (out, '"');
  g_string_append (out, text);
  g_string_append_c (out, '"');
}

/* 0: not yet. */
static void
append_time (GString *out, gint64 time)
{
  g_autofree char *text = time != 0 ? job_time_format (time) : NULL;

  g_string_append_c (out, '"');
  g_string_append (out, text != NULL ? text : JOB_FS_JSON_NEVER);
  g_string_append_c (out, '"');
}

static void
append_dependencies (GString *out, const JobRecord *record)
{
  if (record->n_dependencies == 0)
    {
      g_string_append (out, "null");
      return;
    }
  for (guint i = 0; i < record->n_dependencies; i++)
    {
      g_string_append_c (out, i == 0 ? '[' : ',');
      append_id (out, &record->dependencies[i].id);
    }
  g_string_append_c (out, ']');
}

static void
append_dependents (GString *out, const GArray *dependents)
{
  if (dependents == NULL || dependents->len == 0)
    {
      g_string_append (out, "null");
      return;
    }
  for (guint i = 0; i < dependents->len; i++)
    {
      g_string_append_c (out, i == 0 ? '[' : ',');
      append_id (out, &g_array_index (dependents, JobId, i));
    }
  g_string_append_c (out, ']');
}

/* What the seed takes for an end; never "not yet". */
static gint64
get_finished_at (const Writer *self)
{
  if (!is_over (self))
    return 0;
  if (self->status->finished_at != 0)
    return self->status->finished_at;
  return self->record->queued_at != 0 ? self->record->queued_at : 1;
}

static gint64
get_started_at (const Writer *self)
{
  if (is_waiting (self))
    return 0;
  if (self->status->started_at != 0)
    return self->status->started_at;
  return is_over (self) ? get_finished_at (self) : 1;
}

/* The seed counts the attempts that failed. */
static guint
get_retries (const Writer *self)
{
  guint attempts = MIN (self->status->attempts, (guint) G_MAXINT);
  gboolean started = !is_waiting (self) && self->status->started_at != 0;

  return started && attempts > 0 ? attempts - 1 : attempts;
}

static const char *
get_result (const Writer *self)
{
  if (self->status->state == JOB_STATE_SUCCEEDED)
    return self->status->outcome;
  if (self->status->state == JOB_STATE_FAILED)
    return self->status->outcome != NULL ? self->status->outcome : "{}";
  return NULL;
}

/* Our member. */

static void
append_new_conditions (GString *out, const JobRecord *record)
{
  gboolean all_ok = TRUE;

  for (guint i = 0; i < record->n_dependencies; i++)
    all_ok = all_ok && record->dependencies[i].condition == JOB_CONDITION_AFTER_OK;
  if (all_ok)
    return;
  append_key (out, job_fs_json_own_names[JOB_FS_JSON_OWN_CONDITIONS]);
  for (guint i = 0; i < record->n_dependencies; i++)
    {
      g_string_append_c (out, i == 0 ? '[' : ',');
      job_json_append_string (out, job_condition_to_string (record->dependencies[i].condition));
    }
  g_string_append_c (out, ']');
}

/* They belong to the dependencies, which an update leaves as they are, those named twice too: of
 * the record they have only the first. */
static void
append_conditions (const Writer *self)
{
  const JobFsJsonSlice *old = self->old ? &self->old->own[JOB_FS_JSON_OWN_CONDITIONS] : NULL;

  if (old == NULL)
    append_new_conditions (self->out, self->record);
  else if (job_fs_json_slice_has_value (old))
    {
      append_key (self->out, job_fs_json_own_names[JOB_FS_JSON_OWN_CONDITIONS]);
      g_string_append_len (self->out, old->text, (gssize) old->length);
    }
}

static void
append_flag (GString *out, JobFsJsonOwn flag, gboolean set)
{
  if (!set)
    return;
  append_key (out, job_fs_json_own_names[flag]);
  g_string_append (out, "true");
}

static void
append_number (GString *out, JobFsJsonOwn name, gint64 number)
{
  append_key (out, job_fs_json_own_names[name]);
  g_string_append_printf (out, "%" G_GINT64_FORMAT, number);
}

static void
append_own_time (GString *out, JobFsJsonOwn name, gint64 time)
{
  if (time == 0)
    return;
  append_key (out, job_fs_json_own_names[name]);
  append_time (out, time);
}

static void
append_own_id (GString *out, JobFsJsonOwn name, const JobId *id)
{
  if (job_id_is_nil (id))
    return;
  append_key (out, job_fs_json_own_names[name]);
  append_id (out, id);
}

static void
append_reason (GString *out, const JobStatus *status)
{
  const char *reason = job_fs_json_reason_name (status->reason);

  if (reason != NULL)
    {
      append_key (out, job_fs_json_own_names[JOB_FS_JSON_OWN_REASON]);
      job_json_append_string (out, reason);
    }
  append_own_id (out, JOB_FS_JSON_OWN_CULPRIT, &status->culprit);
}

/* The error of a job that has no result: it had other attempts, or was cancelled. */
static void
append_last_error (const Writer *self)
{
  const JobStatus *status = self->status;

  if (status->outcome == NULL || status->state == JOB_STATE_SUCCEEDED ||
      status->state == JOB_STATE_FAILED)
    return;
  append_key (self->out, job_fs_json_own_names[JOB_FS_JSON_OWN_ERROR]);
  g_string_append (self->out, status->outcome);
}

static void
append_state (const Writer *self)
{
  const JobStatus *status = self->status;

  if (status->state == JOB_STATE_FAILED)
    {
      append_key (self->out, job_fs_json_own_names[JOB_FS_JSON_OWN_STATE]);
      g_string_append (self->out, "\"failed\"");
      append_flag (self->out, JOB_FS_JSON_OWN_NO_ERROR, status->outcome == NULL);
    }
  append_flag (self->out, JOB_FS_JSON_OWN_NEVER_STARTED, is_over (self) && status->started_at == 0);
  if (is_waiting (self))
    {
      append_own_id (self->out, JOB_FS_JSON_OWN_LAST_TOKEN, &status->token);
      append_own_time (self->out, JOB_FS_JSON_OWN_LAST_STARTED_AT, status->started_at);
    }
}

/* What a version to come added to our member, without raising its number. */
static void
append_unknown_own (const Writer *self)
{
  const JobFsJsonSlice *ours = self->old ? &self->old->members[JOB_FS_JSON_OURS] : NULL;
  JobJsonIter iter;
  const char *key, *value;
  gsize key_length, value_length;

  if (ours == NULL || ours->text == NULL ||
      !job_json_iter_init (&iter, ours->text, (gssize) ours->length))
    return;
  while (job_json_iter_next (&iter, &key, &key_length, &value, &value_length))
    if (job_fs_json_find_name (job_fs_json_own_names, JOB_FS_JSON_N_OWN, key, key_length) ==
        JOB_FS_JSON_N_OWN)
      append_raw_member (self->out, key, key_length, value, value_length);
}

static void
append_ours (const Writer *self)
{
  const JobRecord *record = self->record;

  g_string_append_printf (self->out, "{\"version\":%d", JOB_FS_JSON_VERSION);
  append_state (self);
  append_number (self->out, JOB_FS_JSON_OWN_ATTEMPTS, self->status->attempts);
  append_number (self->out, JOB_FS_JSON_OWN_MAX_ATTEMPTS, record->max_attempts);
  if (record->priority != 0)
    append_number (self->out, JOB_FS_JSON_OWN_PRIORITY, record->priority);
  append_own_time (self->out, JOB_FS_JSON_OWN_RUN_AT, record->run_at);
  append_conditions (self);
  append_reason (self->out, self->status);
  append_last_error (self);
  append_unknown_own (self);
  g_string_append_c (self->out, '}');
}

/* Members. */

/* Those that a new status changes, or a new dependent. */
static gboolean
is_changing (guint member)
{
  return member == JOB_FS_JSON_TOKEN || member == JOB_FS_JSON_DEPENDENTS ||
         member == JOB_FS_JSON_RESULT || member == JOB_FS_JSON_STARTED_AT ||
         member == JOB_FS_JSON_FINISHED_AT || member == JOB_FS_JSON_RETRIES ||
         member == JOB_FS_JSON_CANCELED || member == JOB_FS_JSON_OURS;
}

/* Some are left out when they say nothing. */
static gboolean
has_member (const Writer *self, guint member)
{
  if (member == JOB_FS_JSON_RESULT)
    return get_result (self) != NULL;
  if (member == JOB_FS_JSON_CANCELED)
    return self->status->state == JOB_STATE_CANCELED;
  return TRUE;
}

static void
append_changing_value (const Writer *self, guint member)
{
  const JobId nil = { { 0 } };

  if (member == JOB_FS_JSON_TOKEN)
    append_id (self->out, is_waiting (self) ? &nil : &self->status->token);
  else if (member == JOB_FS_JSON_DEPENDENTS)
    append_dependents (self->out, self->dependents);
  else if (member == JOB_FS_JSON_RESULT)
    g_string_append (self->out, get_result (self));
  else if (member == JOB_FS_JSON_STARTED_AT)
    append_time (self->out, get_started_at (self));
  else if (member == JOB_FS_JSON_FINISHED_AT)
    append_time (self->out, get_finished_at (self));
  else if (member == JOB_FS_JSON_RETRIES)
    g_string_append_printf (self->out, "%u", get_retries (self));
  else if (member == JOB_FS_JSON_CANCELED)
    g_string_append (self->out, "true");
  else
    append_ours (self);
}

static void
append_fixed_value (const Writer *self, guint member)
{
  const JobRecord *record = self->record;

  if (member == JOB_FS_JSON_ID)
    append_id (self->out, &record->id);
  else if (member == JOB_FS_JSON_TYPE)
    job_json_append_string (self->out, record->type);
  else if (member == JOB_FS_JSON_ARGS)
    g_string_append (self->out, record->args);
  else if (member == JOB_FS_JSON_DEPENDENCIES)
    append_dependencies (self->out, record);
  else if (member == JOB_FS_JSON_CHANNEL)
    job_json_append_string (self->out, record->channel);
  else if (member == JOB_FS_JSON_QUEUED_AT)
    append_time (self->out, record->queued_at);
  else
    append_time (self->out, 0); /* expires_at */
}

static void
append_member (const Writer *self, guint member)
{
  if (!has_member (self, member))
    return;
  append_key (self->out, job_fs_json_member_names[member]);
  if (is_changing (member))
    append_changing_value (self, member);
  else
    append_fixed_value (self, member);
}

void
job_fs_json_record_write (const JobRecord *record, const JobStatus *status,
                          const GArray *dependents, GString *out)
{
  Writer self = { record, status, dependents, NULL, out };

  g_string_append_c (out, '{');
  for (guint member = 0; member < JOB_FS_JSON_N_MEMBERS; member++)
    append_member (&self, member);
  g_string_append (out, "}\n");
}

/* The members of the old text in their order, the changed ones with a new value, then those that
 * it did not have. */
static void
append_updated_members (const Writer *self)
{
  const JobFsJsonDocument *document = self->old;
  JobJsonIter iter;
  const char *key, *value;
  gsize key_length, value_length;

  if (!job_json_iter_init (&iter, document->object.text, (gssize) document->object.length))
    return;
  while (job_json_iter_next (&iter, &key, &key_length, &value, &value_length))
    {
      guint member =
          job_fs_json_find_name (job_fs_json_member_names, JOB_FS_JSON_N_MEMBERS, key, key_length);

      if (member < JOB_FS_JSON_N_MEMBERS && is_changing (member))
        append_member (self, member);
      else
        append_raw_member (self->out, key, key_length, value, value_length);
    }
  for (guint member = 0; member < JOB_FS_JSON_N_MEMBERS; member++)
    if (is_changing (member) && document->members[member].text == NULL)
      append_member (self, member);
}

/* The dependents that the file names, then those of @more that it does not. A name that is no UUID
 * is dropped. */
static GArray *
merge_dependents (const JobFsJsonSlice *named, const GArray *more)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, NULL);
  GArray *all = g_array_new (FALSE, FALSE, sizeof (JobId));
  JobJsonIter iter;
  JobFsJsonSlice element;

  if (job_fs_json_slice_has_value (named) &&
      job_json_iter_init_array (&iter, named->text, (gssize) named->length))
    while (job_json_iter_next_element (&iter, &element.text, &element.length))
      {
        g_autofree char *text = job_json_dup_string (element.text, element.length);
        JobId id;

        if (text != NULL && job_id_parse (text, "dependent", &id, NULL) &&
            g_hash_table_add (seen, g_memdup2 (&id, sizeof id)))
          g_array_append_val (all, id);
      }
  for (guint i = 0; more != NULL && i < more->len; i++)
    {
      const JobId *id = &g_array_index (more, JobId, i);

      if (g_hash_table_add (seen, g_memdup2 (id, sizeof *id)))
        g_array_append_vals (all, id, 1);
    }
  return all;
}

gboolean
job_fs_json_record_update (const char *text, gsize length, const JobId *id, const JobStatus *status,
                           const GArray *dependents, GString *out, GError **error)
{
  JobFsJsonDocument document;
  g_autoptr (JobRecord) record = NULL;
  g_autoptr (GArray) all = NULL;
  g_auto (JobStatus) old = { 0 };

  if (!job_fs_json_record_parse (text, length, id, &record, &old, error) ||
      !job_fs_json_document_read (&document, text, length, error))
    return FALSE;
  all = merge_dependents (&document.members[JOB_FS_JSON_DEPENDENTS], dependents);
  {
    Writer self = { record, status, all, &document, out };

    g_string_append_c (out, '{');
    append_updated_members (&self);
    g_string_append (out, "}\n");
  }
  return TRUE;
}
