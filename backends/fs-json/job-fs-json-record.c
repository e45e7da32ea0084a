/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a job file: the seed's members first, which decide on the state, then ours, which refine
 * it.
 *
 *   canceled                                  -> CANCELED
 *   finished_at                               -> FAILED if "jobqueue" says so, else SUCCEEDED
 *   started_at, and a token                   -> RUNNING
 *   started_at, and no token                  -> FAILED: nobody can finish it
 *   else                                      -> PENDING
 *
 * A member that is null or not there has its default, as in the seed; one of a wrong type makes the
 * record a damaged one. */

#include "job-fs-json-record.h"

#include <string.h>

#include "job-fs-json-document.h"
#include "job-time.h"

#define MAX_NAME_BYTES 255

/* The names on disk: they stay, whatever the enumeration's names become. */
static const char *const reason_names[] = {
  [JOB_REASON_NONE] = NULL,
  [JOB_REASON_REQUESTED] = "requested",
  [JOB_REASON_DEPENDENCY] = "dependency",
  [JOB_REASON_DAMAGED_DEPENDENCY] = "damaged-dependency",
  [JOB_REASON_RUN_AT] = "run-at",
  [JOB_REASON_LEASE_WITHOUT_TOKEN] = "lease-without-token",
};

static const char without_token[] =
    "{\"reason\":\"lease-without-token\",\"message\":\"The job was running, but without a token: "
    "nobody can complete it\"}";

const char *
job_fs_json_reason_name (JobReason reason)
{
  return (guint) reason < G_N_ELEMENTS (reason_names) ? reason_names[reason] : NULL;
}

static gboolean
set_corrupt (GError **error, const char *name, const char *problem)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "“%s” %s", name, problem);
  return FALSE;
}

/* What follows reads one member into *out, and leaves *out alone if there is none. */

static gboolean
read_string (const JobFsJsonSlice *slice, const char *name, char **out, GError **error)
{
  if (!job_fs_json_slice_has_value (slice))
    return TRUE;
  *out = job_json_dup_string (slice->text, slice->length);
  return *out != NULL || set_corrupt (error, name, "is not a string without NULs");
}

/* A short plain string, as most are, needs no allocation. */
static const char *
peek_string (const JobFsJsonSlice *slice, char *buffer, gsize size)
{
  if (slice->length < 2 || slice->length - 2 >= size || slice->text[0] != '"' ||
      memchr (slice->text, '\\', slice->length) != NULL)
    return NULL;
  memcpy (buffer, slice->text + 1, slice->length - 2);
  buffer[slice->length - 2] = '\0';
  return buffer;
}

static gboolean
read_id (const JobFsJsonSlice *slice, const char *name, JobId *out, GError **error)
{
  char buffer[JOB_ID_TEXT_SIZE];
  const char *text;

  if (!job_fs_json_slice_has_value (slice))
    return TRUE;
  text = peek_string (slice, buffer, sizeof buffer);
  return (text != NULL && job_id_parse (text, name, out, NULL)) ||
         set_corrupt (error, name, "is not a UUID");
}

static gboolean
read_time (const JobFsJsonSlice *slice, const char *name, gint64 *out, GError **error)
{
  g_autofree char *text = NULL;

  if (!job_fs_json_slice_has_value (slice) ||
      job_fs_json_slice_equal (slice, "\"" JOB_FS_JSON_NEVER "\""))
    return TRUE;
  text = job_json_dup_string (slice->text, slice->length);
  if (text != NULL && g_str_has_prefix (text, "0001-01-01T00:00:00"))
    return TRUE; /* not yet, in another spelling */
  return (text != NULL && job_time_parse (text, out)) ||
         set_corrupt (error, name, "is not an RFC 3339 time between 1677 and 2262");
}

static gboolean
read_number (const JobFsJsonSlice *slice, const char *name, gint64 min, gint64 max, gint64 *out,
             GError **error)
{
  char buffer[24];

  if (!job_fs_json_slice_has_value (slice))
    return TRUE;
  if (slice->length < sizeof buffer)
    {
      memcpy (buffer, slice->text, slice->length);
      buffer[slice->length] = '\0';
      if (g_ascii_string_to_signed (buffer, 10, min, max, out, NULL))
        return TRUE;
    }
  return set_corrupt (error, name, "is not a whole number in its range");
}

static gboolean
read_boolean (const JobFsJsonSlice *slice, const char *name, gboolean *out, GError **error)
{
  if (!job_fs_json_slice_has_value (slice))
    return TRUE;
  *out = job_fs_json_slice_equal (slice, "true");
  return *out || job_fs_json_slice_equal (slice, "false") ||
         set_corrupt (error, name, "is neither true nor false");
}

static gboolean
read_name (const JobFsJsonSlice *slice, const char *name, gsize min, char **out, GError **error)
{
  gsize length;

  if (!read_string (slice, name, out, error))
    return FALSE;
  length = *out != NULL ? strlen (*out) : 0;
  if (length < min)
    return set_corrupt (error, name, "is missing or empty");
  if (length > MAX_NAME_BYTES)
    return set_corrupt (error, name, "is longer than 255 bytes");
  return TRUE;
}

static char *
dup_slice (const JobFsJsonSlice *slice)
{
  return slice->text != NULL ? g_strndup (slice->text, slice->length) : NULL;
}

/* What a job may not have we would not write, or one level deeper, where it cannot be read. */
static gboolean
check_value (const JobFsJsonDocument *document, const JobFsJsonSlice *slice, const char *name,
             GError **error)
{
  return !document->is_extreme || slice->text == NULL ||
         job_json_check (slice->text, (gssize) slice->length, name, NULL, NULL, NULL) ||
         set_corrupt (error, name, "is nested deeper, or longer, than the limit");
}

static guint
count_elements (const JobFsJsonSlice *slice)
{
  JobJsonIter iter;
  JobFsJsonSlice element;
  guint n = 0;

  if (job_json_iter_init_array (&iter, slice->text, (gssize) slice->length))
    while (job_json_iter_next_element (&iter, &element.text, &element.length))
      n++;
  return n;
}

static gboolean
read_dependencies (const JobFsJsonSlice *slice, JobRecord *record, GError **error)
{
  JobJsonIter iter;
  JobFsJsonSlice element;

  if (!job_fs_json_slice_has_value (slice))
    return TRUE;
  if (!job_json_iter_init_array (&iter, slice->text, (gssize) slice->length))
    return set_corrupt (error, "dependencies", "is not a list");
  for (guint i = 0; job_json_iter_next_element (&iter, &element.text, &element.length); i++)
    {
      JobId *id = &record->dependencies[i].id;

      if (!read_id (&element, "dependencies", id, error))
        return FALSE;
      if (job_id_is_nil (id) || job_id_equal (id, &record->id))
        return set_corrupt (error, "dependencies", "names no job, or the job itself");
    }
  return TRUE;
}

static gboolean
read_conditions (const JobFsJsonSlice *slice, JobRecord *record, GError **error)
{
  JobJsonIter iter;
  JobFsJsonSlice element;

  if (!job_fs_json_slice_has_value (slice))
    return TRUE;
  if (!job_json_iter_init_array (&iter, slice->text, (gssize) slice->length) ||
      count_elements (slice) != record->n_dependencies)
    return set_corrupt (error, "conditions", "is not a list with one for each dependency");
  for (guint i = 0; job_json_iter_next_element (&iter, &element.text, &element.length); i++)
    {
      g_autofree char *text = job_json_dup_string (element.text, element.length);

      if (text == NULL ||
          !job_condition_from_string (text, &record->dependencies[i].condition, NULL))
        return set_corrupt (error, "conditions", "has one that is not known");
    }
  return TRUE;
}

static int
compare_dependencies (gconstpointer a, gconstpointer b)
{
  return job_id_compare (&((const JobDependency *) a)->id, &((const JobDependency *) b)->id);
}

static gboolean
has_repeated_dependencies (const JobRecord *record)
{
  g_autofree JobDependency *sorted = NULL;

  if (record->n_dependencies < 2)
    return FALSE;
  sorted = g_memdup2 (record->dependencies, record->n_dependencies * sizeof *sorted);
  qsort (sorted, record->n_dependencies, sizeof *sorted, compare_dependencies);
  for (guint i = 1; i < record->n_dependencies; i++)
    if (compare_dependencies (&sorted[i - 1], &sorted[i]) == 0)
      return TRUE;
  return FALSE;
}

/* The seed takes a dependency that is named twice; to wait for it once is the same. */
static void
drop_repeated_dependencies (JobRecord *record)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (job_id_hash, job_id_equal);
  guint n = 0;

  for (guint i = 0; i < record->n_dependencies; i++)
    {
      if (g_hash_table_contains (seen, &record->dependencies[i].id))
        continue;
      record->dependencies[n] = record->dependencies[i];
      g_hash_table_add (seen, &record->dependencies[n].id);
      n++;
    }
  record->n_dependencies = n;
}

/* Without ours, the limit is not known: it cannot have been reached yet. */
static gboolean
read_limits (const JobFsJsonDocument *document, JobRecord *record, GError **error)
{
  gint64 retries = 0, max_attempts, priority = 0;

  if (!read_number (&document->members[JOB_FS_JSON_RETRIES], "retries", 0, G_MAXINT, &retries,
                    error))
    return FALSE;
  max_attempts = retries + 1;
  if (!read_number (&document->own[JOB_FS_JSON_OWN_MAX_ATTEMPTS], "max_attempts", 0, G_MAXUINT,
                    &max_attempts, error) ||
      !read_number (&document->own[JOB_FS_JSON_OWN_PRIORITY], "priority", G_MININT, G_MAXINT,
                    &priority, error) ||
      !read_time (&document->own[JOB_FS_JSON_OWN_RUN_AT], "run_at", &record->run_at, error))
    return FALSE;
  record->max_attempts = (guint) max_attempts;
  record->priority = (gint) priority;
  return TRUE;
}

static gboolean
read_identity (const JobFsJsonDocument *document, const JobId *id, JobRecord *record,
               GError **error)
{
  if (!read_id (&document->members[JOB_FS_JSON_ID], "id", &record->id, error))
    return FALSE;
  if (!job_id_equal (&record->id, id))
    return set_corrupt (error, "id", "is missing, or differs from the name of the file");
  return read_name (&document->members[JOB_FS_JSON_TYPE], "type", 1, &record->type, error) &&
         read_name (&document->members[JOB_FS_JSON_CHANNEL], "channel", 0, &record->channel,
                    error) &&
         read_time (&document->members[JOB_FS_JSON_QUEUED_AT], "queued_at", &record->queued_at,
                    error);
}

static JobRecord *
read_record (const JobFsJsonDocument *document, const JobId *id, GError **error)
{
  const JobFsJsonSlice *dependencies = &document->members[JOB_FS_JSON_DEPENDENCIES];
  guint n = job_fs_json_slice_has_value (dependencies) ? count_elements (dependencies) : 0;
  g_autoptr (JobRecord) record = job_record_new (n);

  if (!read_identity (document, id, record, error) ||
      !read_dependencies (dependencies, record, error) ||
      !read_conditions (&document->own[JOB_FS_JSON_OWN_CONDITIONS], record, error) ||
      !read_limits (document, record, error) ||
      !check_value (document, &document->members[JOB_FS_JSON_ARGS], "args", error))
    return NULL;
  if (record->channel == NULL)
    record->channel = g_strdup ("");
  record->args = dup_slice (&document->members[JOB_FS_JSON_ARGS]);
  if (record->args == NULL)
    record->args = g_strdup ("null");
  if (has_repeated_dependencies (record))
    drop_repeated_dependencies (record);
  return g_steal_pointer (&record);
}

static gboolean
read_state (const JobFsJsonDocument *document, JobStatus *status, GError **error)
{
  const JobFsJsonSlice *state = &document->own[JOB_FS_JSON_OWN_STATE];
  gboolean canceled = FALSE, failed = job_fs_json_slice_equal (state, "\"failed\"");

  if (!read_boolean (&document->members[JOB_FS_JSON_CANCELED], "canceled", &canceled, error))
    return FALSE;
  if (job_fs_json_slice_has_value (state) && !failed)
    return set_corrupt (error, "state", "in “jobqueue” is not known");
  if (canceled)
    status->state = JOB_STATE_CANCELED;
  else if (status->finished_at != 0)
    status->state = failed ? JOB_STATE_FAILED : JOB_STATE_SUCCEEDED;
  else
    status->state = status->started_at != 0 ? JOB_STATE_RUNNING : JOB_STATE_PENDING;
  return TRUE;
}

static gboolean
read_reason (const JobFsJsonDocument *document, JobStatus *status, GError **error)
{
  g_autofree char *name = NULL;

  if (!read_string (&document->own[JOB_FS_JSON_OWN_REASON], "reason", &name, error) ||
      !read_id (&document->own[JOB_FS_JSON_OWN_CULPRIT], "culprit", &status->culprit, error))
    return FALSE;
  if (name != NULL)
    {
      for (guint i = 1; i < G_N_ELEMENTS (reason_names); i++)
        if (g_str_equal (name, reason_names[i]))
          status->reason = (JobReason) i;
      if (status->reason == JOB_REASON_NONE)
        return set_corrupt (error, "reason", "in “jobqueue” is not known");
    }
  else if (document->own[JOB_FS_JSON_OWN_VERSION].text == NULL &&
           status->state == JOB_STATE_CANCELED)
    status->reason = JOB_REASON_REQUESTED; /* the seed has no other */
  return TRUE;
}

static gboolean
read_attempts (const JobFsJsonDocument *document, JobStatus *status, GError **error)
{
  gint64 retries = 0, attempts;

  if (!read_number (&document->members[JOB_FS_JSON_RETRIES], "retries", 0, G_MAXINT, &retries,
                    error))
    return FALSE;
  attempts = retries + (status->started_at != 0 ? 1 : 0);
  if (!read_number (&document->own[JOB_FS_JSON_OWN_ATTEMPTS], "attempts", 0, G_MAXUINT, &attempts,
                    error))
    return FALSE;
  status->attempts = (guint) attempts;
  return TRUE;
}

/* What the seed's members cannot say in this state. */
static gboolean
read_refinements (const JobFsJsonDocument *document, JobStatus *status, GError **error)
{
  gboolean never_started = FALSE;

  if (!read_boolean (&document->own[JOB_FS_JSON_OWN_NEVER_STARTED], "never_started", &never_started,
                     error))
    return FALSE;
  if (job_state_is_final (status->state) && never_started)
    status->started_at = 0;
  return status->state != JOB_STATE_PENDING ||
         (read_id (&document->own[JOB_FS_JSON_OWN_LAST_TOKEN], "last_token", &status->token,
                   error) &&
          read_time (&document->own[JOB_FS_JSON_OWN_LAST_STARTED_AT], "last_started_at",
                     &status->started_at, error));
}

static gboolean
read_outcome (const JobFsJsonDocument *document, JobStatus *status, GError **error)
{
  const JobFsJsonSlice *result = &document->members[JOB_FS_JSON_RESULT];
  const JobFsJsonSlice *last_error = &document->own[JOB_FS_JSON_OWN_ERROR];
  gboolean no_error = FALSE;

  if (!read_boolean (&document->own[JOB_FS_JSON_OWN_NO_ERROR], "no_error", &no_error, error) ||
      !check_value (document, result, "result", error) ||
      !check_value (document, last_error, "error", error))
    return FALSE;
  if (status->state == JOB_STATE_SUCCEEDED)
    status->outcome = dup_slice (result);
  else if (status->state == JOB_STATE_FAILED)
    status->outcome = no_error ? NULL : dup_slice (result);
  else if (status->state == JOB_STATE_CANCELED && last_error->text == NULL)
    status->outcome = dup_slice (result);
  else
    status->outcome = dup_slice (last_error);
  return TRUE;
}

/* The seed would finish it with a null result when it opens; to us that is no success. */
static void
fail_lease_without_token (JobStatus *status)
{
  status->state = JOB_STATE_FAILED;
  status->reason = JOB_REASON_LEASE_WITHOUT_TOKEN;
  status->finished_at = status->started_at;
  g_free (status->outcome);
  status->outcome = g_strdup (without_token);
}

static gboolean
read_status (const JobFsJsonDocument *document, JobStatus *status, GError **error)
{
  if (!read_id (&document->members[JOB_FS_JSON_TOKEN], "token", &status->token, error) ||
      !read_time (&document->members[JOB_FS_JSON_STARTED_AT], "started_at", &status->started_at,
                  error) ||
      !read_time (&document->members[JOB_FS_JSON_FINISHED_AT], "finished_at", &status->finished_at,
                  error) ||
      !read_state (document, status, error) || !read_attempts (document, status, error) ||
      !read_refinements (document, status, error) || !read_reason (document, status, error) ||
      !read_outcome (document, status, error))
    return FALSE;
  if (status->state == JOB_STATE_RUNNING && job_id_is_nil (&status->token))
    fail_lease_without_token (status);
  return TRUE;
}

gboolean
job_fs_json_record_parse (const char *text, gsize length, const JobId *id, JobRecord **record,
                          JobStatus *status, GError **error)
{
  JobFsJsonDocument document;
  g_autoptr (JobRecord) read = NULL;
  JobStatus read_to = { 0 };

  if (!job_fs_json_document_read (&document, text, length, error))
    return FALSE;
  read = read_record (&document, id, error);
  if (read == NULL || !read_status (&document, &read_to, error))
    {
      job_status_clear (&read_to);
      return FALSE;
    }
  *record = g_steal_pointer (&read);
  *status = read_to;
  return TRUE;
}
