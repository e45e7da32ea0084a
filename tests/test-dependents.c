/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which jobs wait for which. */

#include "job-dependents.h"

static JobId
make_id (guint8 first)
{
  return (JobId){ { first } };
}

/* A job that waits for the jobs 100, 101 … */
static JobRecord *
make_record (guint8 first, guint n_dependencies)
{
  JobRecord *record = job_record_new (n_dependencies);

  record->id = make_id (first);
  for (guint i = 0; i < n_dependencies; i++)
    record->dependencies[i].id = make_id (100 + i);
  return record;
}

static void
assert_dependents (JobDependents *self, const JobId *id, const JobId *expected, guint n)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (JobId));
  JobId before = make_id (200);

  g_array_append_val (ids, before);
  job_dependents_list (self, id, ids);
  g_assert_cmpuint (ids->len, ==, n + 1);
  g_assert_true (job_id_equal (&g_array_index (ids, JobId, 0), &before));
  for (guint i = 0; i < n; i++)
    g_assert_true (job_id_equal (&g_array_index (ids, JobId, i + 1), &expected[i]));
}

static void
test_dependents_are_found (void)
{
  g_autoptr (JobDependents) self = job_dependents_new ();
  g_autoptr (JobRecord) root = make_record (100, 0);
  g_autoptr (JobRecord) first = make_record (101, 1); /* waits for 100 */
  g_autoptr (JobRecord) second = make_record (50, 2); /* waits for 100 and 101 */
  JobId ids[] = { first->id, second->id };

  assert_dependents (self, &root->id, NULL, 0);
  job_dependents_add (self, root);
  job_dependents_add (self, first);
  job_dependents_add (self, second);
  job_dependents_add (self, first);
  job_dependents_add (self, second);
  assert_dependents (self, &root->id, ids, 2);
  assert_dependents (self, &first->id, ids + 1, 1);
  assert_dependents (self, &second->id, NULL, 0);

  job_dependents_clear (self);
  assert_dependents (self, &root->id, NULL, 0);
  job_dependents_add (self, second);
  assert_dependents (self, &root->id, ids + 1, 1);
}

static void
test_dependency_named_twice_counts_once (void)
{
  g_autoptr (JobDependents) self = job_dependents_new ();
  g_autoptr (JobRecord) record = make_record (1, 2);

  record->dependencies[1].id = record->dependencies[0].id;
  job_dependents_add (self, record);
  assert_dependents (self, &record->dependencies[0].id, &record->id, 1);
}

/* Added three times; a scan of those who wait already would take minutes. */
static void
test_many_dependents_are_added_at_once (void)
{
  g_autoptr (JobDependents) self = job_dependents_new ();
  const guint n = 100000;
  g_autofree JobId *ids = g_new (JobId, n);
  JobId hub = make_id (100);

  for (guint i = 0; i < n; i++)
    job_id_new (&ids[i], 0);
  for (guint round = 0; round < 3; round++)
    for (guint i = 0; i < n; i++)
      {
        g_autoptr (JobRecord) record = make_record (0, 1);

        record->id = ids[i];
        job_dependents_add (self, record);
      }
  assert_dependents (self, &hub, ids, n);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dependents/are-found", test_dependents_are_found);
  g_test_add_func ("/dependents/named-twice-counts-once", test_dependency_named_twice_counts_once);
  g_test_add_func ("/dependents/many-are-added-at-once", test_many_dependents_are_added_at_once);
  return g_test_run ();
}
