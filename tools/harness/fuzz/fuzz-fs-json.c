/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A file of the fs-json store. What can be read is read the same when it is written again, as a new
 * file and as an update; an update in any state keeps the record, and every member that is not
 * about the state, byte for byte. */

#include "fuzz.h"

#include "job-error.h"
#include "job-fs-json-document.h"
#include "job-fs-json-record.h"
#include "record-asserts.h"

#include <string.h>

/* What a new status may change. */
static const char *const changing[] = {
  "token",   "dependents", "result",   "started_at", "finished_at",
  "retries", "canceled",   "jobqueue", NULL,
};

/* --- the id: in a store it is the name of the file -------------------------------------------- */

static void
find_id (const char *text, gsize length, JobId *id)
{
  JobFsJsonDocument document;
  const JobFsJsonSlice *member = &document.members[JOB_FS_JSON_ID];
  g_autofree char *name = NULL;

  memset (id, 7, sizeof *id);
  if (job_fs_json_document_read (&document, text, length, NULL) && member->text != NULL)
    name = job_json_dup_string (member->text, member->length);
  if (name != NULL)
    job_id_parse (name, "id", id, NULL);
}

/* --- what is kept ----------------------------------------------------------------------------- */

/* The members of an object: raw key to raw value. */
static GHashTable *
read_members (const char *object, gsize length)
{
  GHashTable *members = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  JobJsonIter iter;
  const char *key, *value;
  gsize key_length, value_length;

  g_assert_true (job_json_iter_init (&iter, object, length));
  while (job_json_iter_next (&iter, &key, &key_length, &value, &value_length))
    g_hash_table_insert (members, g_strndup (key, key_length), g_strndup (value, value_length));
  return members;
}

static gboolean
is_one_of (const char *raw_key, const char *const *names)
{
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", raw_key);
  g_autofree char *key = job_json_dup_string (quoted, strlen (quoted));

  return key != NULL && g_strv_contains (names, key);
}

/* All members of @before but @names are in @after. */
static void
assert_kept (GHashTable *before, GHashTable *after, const char *const *names)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, before);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (!is_one_of (key, names))
      g_assert_cmpstr (g_hash_table_lookup (after, key), ==, value);
}

/* What a version to come has in our member. */
static void
assert_ours_kept (const char *before, const char *after)
{
  const char *names[JOB_FS_JSON_N_OWN + 1] = { NULL };
  g_autoptr (GHashTable) old = NULL, new = NULL;

  if (before == NULL || *before != '{')
    return;
  memcpy (names, job_fs_json_own_names, sizeof job_fs_json_own_names);
  old = read_members (before, strlen (before));
  new = read_members (after, strlen (after));
  assert_kept (old, new, names);
}

static void
assert_members_kept (const char *text, gsize length, const GString *updated)
{
  g_autoptr (GHashTable) before = read_members (text, length);
  g_autoptr (GHashTable) after = read_members (updated->str, updated->len);

  assert_kept (before, after, changing);
  /* Under another spelling of its key it is found by nobody here: no matter. */
  if (g_hash_table_contains (before, "jobqueue"))
    assert_ours_kept (g_hash_table_lookup (before, "jobqueue"),
                      g_hash_table_lookup (after, "jobqueue"));
}

/* --- both ways -------------------------------------------------------------------------------- */

/* A job that is over has a time for that: it is made up where the file has none. */
static void
settle (JobStatus *status, const JobRecord *record)
{
  if (job_state_is_final (status->state) && status->finished_at == 0)
    status->finished_at = record->queued_at != 0 ? record->queued_at : 1;
}

static void
assert_reads_as (const GString *text, const JobRecord *record, const JobStatus *status)
{
  g_autoptr (JobRecord) read = NULL;
  g_auto (JobStatus) read_to = { 0 };
  g_auto (JobStatus) expected = { 0 };
  g_autoptr (GError) error = NULL;

  job_fs_json_record_parse (text->str, text->len, &record->id, &read, &read_to, &error);
  g_assert_no_error (error);
  job_status_copy (status, &expected);
  settle (&expected, record);
  assert_same_record (read, record);
  assert_same_status (&read_to, &expected);
}

static GString *
update (const char *text, gsize length, const JobRecord *record, const JobStatus *status)
{
  GString *updated = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  job_fs_json_record_update (text, length, &record->id, status, NULL, updated, &error);
  g_assert_no_error (error);
  return updated;
}

static void
check_update (const char *text, gsize length, const JobRecord *record, const JobStatus *status)
{
  g_autoptr (GString) once = update (text, length, record, status);
  g_autoptr (GString) twice = update (once->str, once->len, record, status);

  assert_reads_as (once, record, status);
  assert_members_kept (text, length, once);
  g_assert_cmpstr (once->str, ==, twice->str);
}

static void
check_every_state (const char *text, gsize length, const JobRecord *record)
{
  for (JobState state = JOB_STATE_PENDING; state <= JOB_STATE_CANCELED; state++)
    {
      gboolean leased = state == JOB_STATE_RUNNING;
      JobStatus status = { .state = state, .attempts = 2, .finished_at = leased ? 0 : 5 };

      if (state == JOB_STATE_PENDING)
        status.finished_at = 0;
      memset (&status.token, leased ? 9 : 0, sizeof status.token);
      status.started_at = leased ? 4 : 0;
      status.outcome = leased ? NULL : (char *) "{\"a\":[1]}";
      check_update (text, length, record, &status);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  const char *text = (const char *) data;
  g_autoptr (JobRecord) record = NULL;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) written = g_string_new (NULL);
  JobId id;

  if (size > FUZZ_MAX_SIZE)
    return 0;
  find_id (text, size, &id);
  if (!job_fs_json_record_parse (text, size, &id, &record, &status, &error))
    {
      fuzz_assert_error (error);
      g_assert_true (error->code == JOB_ERROR_CORRUPT || error->code == JOB_ERROR_VERSION);
      return 0;
    }
  job_fs_json_record_write (record, &status, NULL, written);
  assert_reads_as (written, record, &status);
  check_update (text, size, record, &status);
  check_every_state (text, size, record);
  return 0;
}
