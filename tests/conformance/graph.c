/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* enqueue_many: a whole graph at once, or nothing of it. */

#include "conformance-private.h"
#include "../test-effort.h"

/* N specs of one type with ids of their own. */
static GPtrArray *
new_specs (const char *type, guint n)
{
  GPtrArray *specs = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *id = new_id ();

      g_ptr_array_add (specs, new_spec (type, id));
    }

  return specs;
}

static const char *
spec_id (GPtrArray *specs, guint i)
{
  return job_spec_get_id (g_ptr_array_index (specs, i));
}

/* The spec @i waits for the spec @j. */
static void
depend (GPtrArray *specs, guint i, guint j)
{
  job_spec_add_dependency (g_ptr_array_index (specs, i), spec_id (specs, j),
                           JOB_CONDITION_AFTER_OK);
}

static char **
try_enqueue_all (Fixture *f, GPtrArray *specs, GError **error)
{
  return call_enqueue_many (f, (JobSpec **) specs->pdata, specs->len, error);
}

static void
must_enqueue_all (Fixture *f, GPtrArray *specs)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) ids = try_enqueue_all (f, specs, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (ids), ==, specs->len);
  for (guint i = 0; i < specs->len; i++)
    g_assert_cmpstr (ids[i], ==, spec_id (specs, i));
}

static void
assert_all_refused (Fixture *f, GPtrArray *specs, int code, const char *culprit)
{
  g_autofree char *before = snapshot (f);
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (try_enqueue_all (f, specs, &error));
  assert_mentions (error, culprit);
  assert_job_error (error, code);
  after = snapshot (f);
  g_assert_cmpstr (after, ==, before);
}

static void
test_ids_in_the_order_of_specs (Fixture *f)
{
  JobSpec *specs[20];
  g_auto (GStrv) ids = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    specs[i] = job_spec_new ("many", NULL);
  ids = call_enqueue_many (f, specs, G_N_ELEMENTS (specs), &error);
  g_assert_no_error (error);

  g_assert_cmpuint (g_strv_length (ids), ==, G_N_ELEMENTS (specs));
  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      must_run (f, "many", ids[i]);
      g_object_unref (specs[i]);
    }
}

static void
test_inner_dependencies_in_any_order (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("inner", 4);

  depend (specs, 0, 1);
  depend (specs, 0, 2);
  depend (specs, 1, 3);
  depend (specs, 2, 3);
  must_enqueue_all (f, specs);

  must_run (f, "inner", spec_id (specs, 3));
  must_run (f, "inner", spec_id (specs, 1));
  assert_state (f, spec_id (specs, 0), JOB_STATE_BLOCKED);
  must_run (f, "inner", spec_id (specs, 2));
  must_run (f, "inner", spec_id (specs, 0));
  assert_none (f, "inner");
}

static void
test_inner_and_outer_dependencies (Fixture *f)
{
  g_autofree char *outer = must_add (f, "outer");
  g_autoptr (GPtrArray) specs = new_specs ("inner", 2);

  depend (specs, 0, 1);
  job_spec_add_dependency (g_ptr_array_index (specs, 0), outer, JOB_CONDITION_AFTER_OK);
  must_enqueue_all (f, specs);

  must_run (f, "inner", spec_id (specs, 1));
  assert_none (f, "inner");
  must_run (f, "outer", outer);
  must_run (f, "inner", spec_id (specs, 0));
}

static void
test_born_canceled_takes_its_dependents_along (Fixture *f)
{
  g_autofree char *canceled = must_add (f, "outer");
  g_autoptr (GPtrArray) specs = new_specs ("inner", 3);

  must_cancel (f, canceled);
  depend (specs, 0, 1);
  depend (specs, 1, 2);
  job_spec_add_dependency (g_ptr_array_index (specs, 2), canceled, JOB_CONDITION_AFTER_OK);
  must_enqueue_all (f, specs);

  assert_reason (f, spec_id (specs, 2), JOB_STATE_CANCELED, JOB_REASON_DEPENDENCY, canceled);
  assert_state (f, spec_id (specs, 1), JOB_STATE_CANCELED);
  assert_state (f, spec_id (specs, 0), JOB_STATE_CANCELED);
  assert_none (f, "inner");
}

static void
test_cycle_invalid (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("cycle", 5);

  depend (specs, 1, 2);
  depend (specs, 2, 3);
  depend (specs, 3, 1);
  depend (specs, 4, 3);
  assert_all_refused (f, specs, JOB_ERROR_INVALID, spec_id (specs, 1));
}

static void
test_cycle_names_all_of_its_ids (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("cycle", 3);
  g_autoptr (GError) error = NULL;

  depend (specs, 0, 1);
  depend (specs, 1, 2);
  depend (specs, 2, 1);
  g_assert_null (try_enqueue_all (f, specs, &error));
  assert_mentions (error, spec_id (specs, 1));
  assert_mentions (error, spec_id (specs, 2));
  g_assert_null (strstr (error->message, spec_id (specs, 0)));
  assert_job_error (error, JOB_ERROR_INVALID);
}

static void
test_long_cycle_invalid (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("cycle", test_effort (10 * 1000, 1000));
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < specs->len; i++)
    depend (specs, i, (i + 1) % specs->len);
  g_assert_null (try_enqueue_all (f, specs, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
  assert_none (f, NULL);
}

static void
test_unknown_dependency_refuses_all (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("many", 3);

  job_spec_add_dependency (g_ptr_array_index (specs, 2), UNKNOWN_ID, JOB_CONDITION_AFTER_OK);
  assert_all_refused (f, specs, JOB_ERROR_NOT_FOUND, UNKNOWN_ID);
}

static void
test_dependency_twice_refuses_all (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("many", 3);

  depend (specs, 0, 1);
  depend (specs, 0, 1);
  assert_all_refused (f, specs, JOB_ERROR_INVALID, spec_id (specs, 1));
}

static void
test_bad_args_refuse_all (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("many", 3);
  g_autofree char *before = snapshot (f);
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;

  job_spec_set_args (g_ptr_array_index (specs, 2), "{");
  g_assert_null (try_enqueue_all (f, specs, &error));
  assert_job_error (error, JOB_ERROR_INVALID);
  after = snapshot (f);
  g_assert_cmpstr (after, ==, before);
}

static void
test_known_id_refuses_all (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("many", 3);
  g_autofree char *given = must_enqueue (f, g_ptr_array_index (specs, 2));

  assert_all_refused (f, specs, JOB_ERROR_EXISTS, given);
  must_run (f, "many", given);
  assert_all_refused (f, specs, JOB_ERROR_EXISTS, given);
}

static void
test_same_id_twice_refuses_all (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("many", 2);

  g_ptr_array_add (specs, new_spec ("many", spec_id (specs, 0)));
  assert_all_refused (f, specs, JOB_ERROR_EXISTS, spec_id (specs, 0));
}

/* What a refused call named can be enqueued as if nothing had been. */
static void
test_refused_ids_are_free (Fixture *f)
{
  g_autoptr (GPtrArray) specs = new_specs ("many", 3);

  job_spec_set_args (g_ptr_array_index (specs, 2), "{");
  assert_all_refused (f, specs, JOB_ERROR_INVALID, "");
  job_spec_set_args (g_ptr_array_index (specs, 2), "{}");
  must_enqueue_all (f, specs);
  must_run (f, "many", spec_id (specs, 0));
  must_run (f, "many", spec_id (specs, 1));
  must_run (f, "many", spec_id (specs, 2));
}

const ConformanceTest job_conformance_graph_tests[] = {
  { "ids-in-the-order-of-specs", test_ids_in_the_order_of_specs },
  { "inner-dependencies-in-any-order", test_inner_dependencies_in_any_order },
  { "inner-and-outer-dependencies", test_inner_and_outer_dependencies },
  { "born-canceled-takes-its-dependents-along", test_born_canceled_takes_its_dependents_along },
  { "cycle-invalid", test_cycle_invalid },
  { "cycle-names-all-of-its-ids", test_cycle_names_all_of_its_ids },
  { "long-cycle-invalid", test_long_cycle_invalid },
  { "unknown-dependency-refuses-all", test_unknown_dependency_refuses_all },
  { "dependency-twice-refuses-all", test_dependency_twice_refuses_all },
  { "bad-args-refuse-all", test_bad_args_refuse_all },
  { "known-id-refuses-all", test_known_id_refuses_all },
  { "same-id-twice-refuses-all", test_same_id_twice_refuses_all },
  { "refused-ids-are-free", test_refused_ids_are_free },
  { NULL },
};
