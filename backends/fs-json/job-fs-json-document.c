/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes the text of a job file apart, without a tree: the strict scanner checks it once, then the
 * members are slices of it. */

#include "job-fs-json-document.h"

#include <string.h>

#include "jobqueue-backend.h"

const char *const job_fs_json_member_names[JOB_FS_JSON_N_MEMBERS] = {
  [JOB_FS_JSON_ID] = "id",
  [JOB_FS_JSON_TOKEN] = "token",
  [JOB_FS_JSON_TYPE] = "type",
  [JOB_FS_JSON_ARGS] = "args",
  [JOB_FS_JSON_DEPENDENCIES] = "dependencies",
  [JOB_FS_JSON_DEPENDENTS] = "dependents",
  [JOB_FS_JSON_RESULT] = "result",
  [JOB_FS_JSON_CHANNEL] = "channel",
  [JOB_FS_JSON_QUEUED_AT] = "queued_at",
  [JOB_FS_JSON_STARTED_AT] = "started_at",
  [JOB_FS_JSON_FINISHED_AT] = "finished_at",
  [JOB_FS_JSON_EXPIRES_AT] = "expires_at",
  [JOB_FS_JSON_RETRIES] = "retries",
  [JOB_FS_JSON_CANCELED] = "canceled",
  [JOB_FS_JSON_OURS] = "jobqueue",
};

const char *const job_fs_json_own_names[JOB_FS_JSON_N_OWN] = {
  [JOB_FS_JSON_OWN_VERSION] = "version",
  [JOB_FS_JSON_OWN_STATE] = "state",
  [JOB_FS_JSON_OWN_NEVER_STARTED] = "never_started",
  [JOB_FS_JSON_OWN_ATTEMPTS] = "attempts",
  [JOB_FS_JSON_OWN_MAX_ATTEMPTS] = "max_attempts",
  [JOB_FS_JSON_OWN_PRIORITY] = "priority",
  [JOB_FS_JSON_OWN_RUN_AT] = "run_at",
  [JOB_FS_JSON_OWN_CONDITIONS] = "conditions",
  [JOB_FS_JSON_OWN_REASON] = "reason",
  [JOB_FS_JSON_OWN_CULPRIT] = "culprit",
  [JOB_FS_JSON_OWN_ERROR] = "error",
  [JOB_FS_JSON_OWN_NO_ERROR] = "no_error",
  [JOB_FS_JSON_OWN_LAST_TOKEN] = "last_token",
  [JOB_FS_JSON_OWN_LAST_STARTED_AT] = "last_started_at",
};

static guint
find_plain_name (const char *const *names, guint n_names, const char *key, gsize key_length)
{
  for (guint i = 0; i < n_names; i++)
    if (strlen (names[i]) == key_length && memcmp (names[i], key, key_length) == 0)
      return i;
  return n_names;
}

guint
job_fs_json_find_name (const char *const *names, guint n_names, const char *key, gsize key_length)
{
  g_autofree char *plain = NULL;

  if (memchr (key, '\\', key_length) == NULL)
    return find_plain_name (names, n_names, key, key_length);
  /* A key may spell its letters as escapes; its quotes are around the slice. */
  plain = job_json_dup_string (key - 1, key_length + 2);
  return plain != NULL ? find_plain_name (names, n_names, plain, strlen (plain)) : n_names;
}

gboolean
job_fs_json_slice_has_value (const JobFsJsonSlice *self)
{
  return self->text != NULL && !job_fs_json_slice_equal (self, "null");
}

gboolean
job_fs_json_slice_equal (const JobFsJsonSlice *self, const char *text)
{
  return self->text != NULL && self->length == strlen (text) &&
         memcmp (self->text, text, self->length) == 0;
}

/* FALSE if @object is not an object. */
static gboolean
split (const JobFsJsonSlice *object, const char *const *names, guint n_names,
       JobFsJsonSlice *slices)
{
  JobJsonIter iter;
  const char *key, *value;
  gsize key_length, value_length;

  if (!job_json_iter_init (&iter, object->text, (gssize) object->length))
    return FALSE;
  while (job_json_iter_next (&iter, &key, &key_length, &value, &value_length))
    {
      guint i = job_fs_json_find_name (names, n_names, key, key_length);

      if (i < n_names)
        slices[i] = (JobFsJsonSlice){ value, value_length };
    }
  return TRUE;
}

/* Whether the version is one of ours; what it says if it is a later one. */
static gboolean
check_version (const JobFsJsonSlice *version, GError **error)
{
  gboolean digits = version->text != NULL;

  for (gsize i = 0; digits && i < version->length; i++)
    digits = g_ascii_isdigit (version->text[i]);
  if (!digits || job_fs_json_slice_equal (version, "0"))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                   "“version” in “jobqueue” is not a number from 1 on");
      return FALSE;
    }
  if (version->length == 1 && g_ascii_digit_value (*version->text) <= JOB_FS_JSON_VERSION)
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_VERSION,
               "it was written by a newer jobqueue: its format version is %.*s, and this one knows "
               "%d at most; upgrade jobqueue to read it",
               (int) MIN (version->length, 20), version->text, JOB_FS_JSON_VERSION);
  return FALSE;
}

static gboolean
split_own (JobFsJsonDocument *self, GError **error)
{
  const JobFsJsonSlice *ours = &self->members[JOB_FS_JSON_OURS];

  if (!job_fs_json_slice_has_value (ours))
    return TRUE;
  if (!split (ours, job_fs_json_own_names, JOB_FS_JSON_N_OWN, self->own))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "“jobqueue” is not an object");
      return FALSE;
    }
  return check_version (&self->own[JOB_FS_JSON_OWN_VERSION], error);
}

gboolean
job_fs_json_document_read (JobFsJsonDocument *self, const char *text, gsize length, GError **error)
{
  g_autoptr (GError) cause = NULL;
  const char *start, *end;

  memset (self, 0, sizeof *self);
  self->is_extreme = !job_json_check (text, (gssize) length, "job file", &start, &end, NULL);
  if (self->is_extreme &&
      !job_json_check_document (text, (gssize) length, "job file", &start, &end, &cause))
    {
      g_set_error_literal (error, JOB_ERROR, JOB_ERROR_CORRUPT, cause->message);
      return FALSE;
    }
  self->object = (JobFsJsonSlice){ start, (gsize) (end - start) };
  if (!split (&self->object, job_fs_json_member_names, JOB_FS_JSON_N_MEMBERS, self->members))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "it is not a JSON object");
      return FALSE;
    }
  return split_own (self, error);
}
