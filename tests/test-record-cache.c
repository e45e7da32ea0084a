/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-record-cache-private.h"

#define N_RECORDS 10000

static JobRecord *
new_record (gsize size)
{
  g_autofree char *args = g_strnfill (size, '1');
  JobRecord *record = job_record_new_with (0, "t", "", args, size);

  job_id_new (&record->id, 1);
  return record;
}

static gboolean
has (JobRecordCache *cache, JobRecord *record)
{
  g_autoptr (JobRecord) found = job_record_cache_lookup (cache, &record->id);

  g_assert_true (found == NULL || found == record);
  return found != NULL;
}

static guint
count_held (JobRecord **records)
{
  guint n = 0;

  for (guint i = 0; i < N_RECORDS; i++)
    n += g_atomic_int_get (&records[i]->ref_count) > 1;
  return n;
}

/* The last ones are mostly there, each under its own id; the first ones have gone. */
static void
test_keeps_the_last (void)
{
  JobRecordCache cache;
  g_autofree JobRecord **records = g_new (JobRecord *, N_RECORDS);
  guint n_found = 0, n_late = 0;

  job_record_cache_init (&cache);
  for (guint i = 0; i < N_RECORDS; i++)
    {
      records[i] = new_record (20);
      g_assert_false (has (&cache, records[i]));
      job_record_cache_add (&cache, records[i]);
      g_assert_true (has (&cache, records[i]));
    }
  for (guint i = 0; i < N_RECORDS; i++)
    {
      gboolean found = has (&cache, records[i]);

      n_found += found;
      n_late += found && i >= N_RECORDS - 1000;
    }
  g_assert_cmpuint (n_found, ==, count_held (records));
  g_assert_cmpuint (n_found, <, N_RECORDS / 2);
  g_assert_cmpuint (n_late, >, 700);

  job_record_cache_clear (&cache);
  g_assert_cmpuint (count_held (records), ==, 0);
  for (guint i = 0; i < N_RECORDS; i++)
    job_record_unref (records[i]);
}

/* Nor what had the id before. */
static void
test_keeps_no_large_ones (void)
{
  JobRecordCache cache;
  g_autoptr (JobRecord) small = new_record (1024);
  g_autoptr (JobRecord) large = new_record (1025);

  job_record_cache_init (&cache);
  job_record_cache_add (&cache, large);
  g_assert_false (has (&cache, large));
  job_record_cache_add (&cache, small);
  g_assert_true (has (&cache, small));
  large->id = small->id;
  job_record_cache_add (&cache, large);
  g_assert_false (has (&cache, small));
  job_record_cache_clear (&cache);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record-cache/keeps-the-last", test_keeps_the_last);
  g_test_add_func ("/record-cache/keeps-no-large-ones", test_keeps_no_large_ones);
  return g_test_run ();
}
