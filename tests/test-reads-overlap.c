/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads of a store while jobs are applied and checkpoints made, in another thread: each answer is
 * right for some moment of the call. Stores that do not allow it are serialised, as their owner
 * would. */

#include <glib/gstdio.h>
#include <jobqueue-backend.h>
#include <stdlib.h>
#include <string.h>

#include "job-fs-json-store.h"
#include "job-gdbm-store.h"
#include "job-sqlite-store.h"
#include "test-effort.h"

#define N_OLD 40                        /* jobs that get a new status in each round */
#define N_NEW 20                        /* that come with each */
#define N_ROUNDS 15                     /* at least */
#define N_READS test_effort (3000, 500) /* at least, during the rounds */
#define LONGEST_ARGS 9000 /* more than fits into a page, so that a torn file would show */

typedef JobStore *(*Open) (const char *path, GError **error);

typedef struct
{
  JobStore *store;
  GMutex serial;  /* held around calls that must not overlap */
  gint applying;  /* atomic: the last round that was begun */
  gint applied;   /* atomic: the last round that is whole */
  gint current;   /* atomic: the job that is being changed */
  gint n_reads;   /* atomic: that ran beside a change */
  gboolean ended; /* atomic */
} Race;

static JobId
number_id (guint n)
{
  JobId id = { { 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0, 0x70, 0, 0x80 } };

  id.bytes[5] = (guint8) (n >> 8);
  id.bytes[7] = (guint8) n;
  id.bytes[15] = (guint8) n;
  return id;
}

static guint
get_number (const JobId *id)
{
  return (guint) id->bytes[5] << 8 | id->bytes[7];
}

static guint
first_of_round (guint round)
{
  return N_OLD + round * N_NEW;
}

static char *
dup_args (guint n)
{
  g_autofree char *fill = g_strnfill (n * 37 % LONGEST_ARGS, 'x');

  return g_strdup_printf ("[%u,\"%s\"]", n, fill);
}

/* A new job; each but the first waits for the first. */
static JobChange
new_job (guint n)
{
  JobChange change = { .id = number_id (n), .record = job_record_new (n > 0) };

  change.record->id = change.id;
  change.record->queued_at = 1 + n;
  change.record->max_attempts = 1;
  change.record->type = g_strdup ("test");
  change.record->channel = g_strdup ("");
  change.record->args = dup_args (n);
  if (n > 0)
    change.record->dependencies[0].id = number_id (0);
  change.status.state = JOB_STATE_PENDING;
  return change;
}

static JobChange
new_status (guint n, guint round)
{
  JobChange change = { .id = number_id (n) };

  change.status.state = JOB_STATE_FAILED;
  change.status.started_at = change.status.finished_at = 1 + round;
  change.status.outcome = g_strdup_printf ("%u", round);
  return change;
}

/* --- the changes ------------------------------------------------------------------------------ */

static void
take (Race *race)
{
  if (!JOB_STORE_GET_CLASS (race->store)->reads_overlap)
    g_mutex_lock (&race->serial);
}

static void
give (Race *race)
{
  if (!JOB_STORE_GET_CLASS (race->store)->reads_overlap)
    g_mutex_unlock (&race->serial);
}

/* Takes the change. */
static void
apply (Race *race, JobChange change)
{
  g_autoptr (GError) error = NULL;

  g_atomic_int_set (&race->current, (gint) get_number (&change.id));
  take (race);
  job_store_apply (race->store, &change, 1, &error);
  give (race);
  g_assert_no_error (error);
  job_change_clear (&change);
}

static void
checkpoint (Race *race)
{
  g_autoptr (GError) error = NULL;

  take (race);
  job_store_checkpoint (race->store, &error);
  give (race);
  g_assert_no_error (error);
}

static void
change_round (Race *race, guint round)
{
  g_atomic_int_set (&race->applying, (gint) round);
  for (guint i = 0; i < N_NEW; i++)
    apply (race, new_job (first_of_round (round) + i));
  for (guint n = 0; n < N_OLD; n++)
    apply (race, new_status (n, round));
  g_atomic_int_set (&race->applied, (gint) round);
  /* All is there, and is made durable: nothing that is read may change by it. */
  checkpoint (race);
}

/* --- the reads -------------------------------------------------------------------------------- */

static JobRecord *
read_job (Race *race, guint n, JobStatus *status)
{
  g_autoptr (GError) error = NULL;
  JobId id = number_id (n);
  JobRecord *record = NULL;

  take (race);
  job_store_read (race->store, &id, &record, status, &error);
  give (race);
  g_assert_no_error (error);
  if (record != NULL)
    {
      g_autofree char *args = dup_args (n);

      g_assert_true (job_id_equal (&record->id, &id));
      g_assert_cmpstr (record->args, ==, args);
    }
  return record;
}

static void
check_old (Race *race, guint n)
{
  gint least = g_atomic_int_get (&race->applied), round;
  g_auto (JobStatus) status = { 0 };
  g_autoptr (JobRecord) record = read_job (race, n, &status);

  g_assert_nonnull (record);
  round = status.outcome != NULL ? atoi (status.outcome) : 0;
  g_assert_cmpint (round, >=, least);
  g_assert_cmpint (round, <=, g_atomic_int_get (&race->applying));
}

/* Its round may not have come yet. */
static void
check_new (Race *race, guint n)
{
  gint round = (gint) ((n - N_OLD) / N_NEW), least = g_atomic_int_get (&race->applied);
  g_auto (JobStatus) status = { 0 };
  g_autoptr (JobRecord) record = read_job (race, n, &status);

  if (round <= least)
    g_assert_nonnull (record);
  if (round > g_atomic_int_get (&race->applying))
    g_assert_null (record);
}

static void
check_job (Race *race, guint n)
{
  if (n < N_OLD)
    check_old (race, n);
  else
    check_new (race, n);
}

static void
check_dependents (Race *race)
{
  guint least = (guint) g_atomic_int_get (&race->applied);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (JobId));
  JobId id = number_id (0);

  take (race);
  g_assert_true (job_store_list_dependents (race->store, &id, ids, NULL));
  give (race);
  g_assert_cmpuint (ids->len, >=, first_of_round (least + 1) - 1);
  g_assert_cmpuint (ids->len, <, first_of_round ((guint) g_atomic_int_get (&race->applying) + 1));
}

static gpointer
read_on (gpointer data)
{
  Race *race = data;

  for (guint n = 0; !g_atomic_int_get (&race->ended); n++)
    {
      gboolean beside = g_atomic_int_get (&race->applying) > 0;

      check_old (race, n % N_OLD);
      check_job (race, (guint) g_atomic_int_get (&race->current) + n % 2);
      if (n % 10 == 0)
        check_dependents (race);
      if (beside)
        g_atomic_int_inc (&race->n_reads);
    }
  return NULL;
}

/* --- the tests -------------------------------------------------------------------------------- */

static void
fill (Race *race)
{
  for (guint n = 0; n < first_of_round (1); n++)
    apply (race, new_job (n));
  checkpoint (race);
}

static void
run (Race *race)
{
  GThread *reader = g_thread_new ("reader", read_on, race), *other;

  other = g_thread_new ("other reader", read_on, race);
  for (guint round = 1; round <= N_ROUNDS || (guint) g_atomic_int_get (&race->n_reads) < N_READS;
       round++)
    change_round (race, round);
  g_atomic_int_set (&race->ended, TRUE);
  g_thread_join (reader);
  g_thread_join (other);
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      remove_all (inner);
    }
  g_remove (path);
}

static void
test_reads (gconstpointer data)
{
  g_autofree char *folder = g_dir_make_tmp ("jobqueue-overlap-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "store", NULL);
  g_autoptr (GError) error = NULL;
  Race race = { .store = ((Open) data) (path, &error) };

  g_assert_no_error (error);
  g_mutex_init (&race.serial);
  fill (&race);
  run (&race);
  g_assert_true (job_store_close (race.store, TRUE, NULL));
  g_object_unref (race.store);
  g_mutex_clear (&race.serial);
  remove_all (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/reads-overlap/fs-json", job_fs_json_store_new, test_reads);
  g_test_add_data_func ("/reads-overlap/gdbm", job_gdbm_store_new, test_reads);
  g_test_add_data_func ("/reads-overlap/sqlite", job_sqlite_store_new, test_reads);
  return g_test_run ();
}
