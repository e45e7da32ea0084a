/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What bindings see: each readable property gives what the function of its name gives, or what was
 * set, and is the default of its kind in no object but some, so that nothing is left out. */

#include "jobqueue-backend.h"

#include <ftw.h>
#include <stdio.h>

#define START (G_GINT64_CONSTANT (1700000000) * 1000000000)
#define SECOND G_GINT64_CONSTANT (1000000)
#define ID "01890a5d-ac96-774b-bcce-b302099a8057"
#define CHECKPOINT_SIZE "65536"

typedef struct
{
  const char *name;
  GCallback get;
} Getter;

static const Getter of_spec[] = {
  { "id", G_CALLBACK (job_spec_get_id) },
  { "job-type", G_CALLBACK (job_spec_get_job_type) },
  { "args", G_CALLBACK (job_spec_get_args) },
  { "channel", G_CALLBACK (job_spec_get_channel) },
  { "priority", G_CALLBACK (job_spec_get_priority) },
  { "run-at", G_CALLBACK (job_spec_get_run_at) },
  { "max-attempts", G_CALLBACK (job_spec_get_max_attempts) },
  { NULL, NULL },
};

static const Getter of_info[] = {
  { "id", G_CALLBACK (job_info_get_id) },
  { "job-type", G_CALLBACK (job_info_get_job_type) },
  { "channel", G_CALLBACK (job_info_get_channel) },
  { "args", G_CALLBACK (job_info_get_args) },
  { "state", G_CALLBACK (job_info_get_state) },
  { "result", G_CALLBACK (job_info_get_result) },
  { "error", G_CALLBACK (job_info_get_error) },
  { "priority", G_CALLBACK (job_info_get_priority) },
  { "attempts", G_CALLBACK (job_info_get_attempts) },
  { "max-attempts", G_CALLBACK (job_info_get_max_attempts) },
  { "queued-at", G_CALLBACK (job_info_get_queued_at) },
  { "run-at", G_CALLBACK (job_info_get_run_at) },
  { "started-at", G_CALLBACK (job_info_get_started_at) },
  { "finished-at", G_CALLBACK (job_info_get_finished_at) },
  { "dependencies", G_CALLBACK (job_info_get_dependencies) },
  { "dependents", G_CALLBACK (job_info_get_dependents) },
  { "reason", G_CALLBACK (job_info_get_reason) },
  { "culprit", G_CALLBACK (job_info_get_culprit) },
  { "token", G_CALLBACK (job_info_get_token) },
  { "heartbeat-age", G_CALLBACK (job_info_get_heartbeat_age) },
  { NULL, NULL },
};

static const Getter of_lease[] = {
  { "id", G_CALLBACK (job_lease_get_id) },
  { "token", G_CALLBACK (job_lease_get_token) },
  { "job-type", G_CALLBACK (job_lease_get_job_type) },
  { "channel", G_CALLBACK (job_lease_get_channel) },
  { "args", G_CALLBACK (job_lease_get_args) },
  { "attempt", G_CALLBACK (job_lease_get_attempt) },
  { "dependencies", G_CALLBACK (job_lease_get_dependencies) },
  { "cancellable", G_CALLBACK (job_lease_get_cancellable) },
  { NULL, NULL },
};

static const Getter of_damage[] = {
  { "location", G_CALLBACK (job_damage_get_location) },
  { "message", G_CALLBACK (job_damage_get_message) },
  { "id", G_CALLBACK (job_damage_get_id) },
  { NULL, NULL },
};

static const Getter of_filter[] = {
  { "limit", G_CALLBACK (job_filter_get_limit) },
  { NULL, NULL },
};

/* --- comparing -------------------------------------------------------------------------------- */

static GCallback
find_getter (const Getter *getters, const char *name)
{
  while (getters->name && !g_str_equal (getters->name, name))
    getters++;
  if (getters->name == NULL)
    g_error ("The property “%s” is not in the table", name);
  return getters->get;
}

/* What the function gives, in the value of the property's kind. */
static void
call_getter (GCallback get, gpointer object, GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, ((const char *(*) (gpointer)) get) (object));
  else if (G_VALUE_HOLDS_INT (value))
    g_value_set_int (value, ((int (*) (gpointer)) get) (object));
  else if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, ((guint (*) (gpointer)) get) (object));
  else if (G_VALUE_HOLDS_INT64 (value))
    g_value_set_int64 (value, ((gint64 (*) (gpointer)) get) (object));
  else if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_enum (value, ((int (*) (gpointer)) get) (object));
  else if (G_VALUE_HOLDS (value, G_TYPE_STRV))
    g_value_set_boxed (value, ((gconstpointer (*) (gpointer)) get) (object));
  else
    g_value_set_object (value, ((gpointer (*) (gpointer)) get) (object));
}

static void
assert_same (const char *name, const GValue *a, const GValue *b)
{
  g_test_message ("%s", name);
  if (G_VALUE_HOLDS (a, G_TYPE_STRV))
    g_assert_cmpstrv (g_value_get_boxed (a), g_value_get_boxed (b));
  else if (G_VALUE_HOLDS_STRING (a))
    g_assert_cmpstr (g_value_get_string (a), ==, g_value_get_string (b));
  else if (G_VALUE_HOLDS_OBJECT (a))
    g_assert_true (g_value_get_object (a) == g_value_get_object (b));
  else
    {
      g_autofree char *a_text = g_strdup_value_contents (a);
      g_autofree char *b_text = g_strdup_value_contents (b);

      g_assert_cmpstr (a_text, ==, b_text);
    }
}

/* @told: gathers the names of those that had something to tell. */
static void
check_property (gpointer object, GParamSpec *property, const Getter *getters, GHashTable *told)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_auto (GValue) expected = G_VALUE_INIT;

  g_value_init (&expected, property->value_type);
  call_getter (find_getter (getters, property->name), object, &expected);
  g_object_get_property (object, property->name, &value);
  assert_same (property->name, &value, &expected);
  if (!g_param_value_defaults (property, &value))
    g_hash_table_add (told, (gpointer) property->name);
}

static void
check_object (gpointer object, const Getter *getters, GHashTable *told)
{
  guint n;
  g_autofree GParamSpec **properties =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);

  for (guint i = 0; i < n; i++)
    check_property (object, properties[i], getters, told);
}

static void
assert_all_told (const Getter *getters, GHashTable *told)
{
  for (; getters->name; getters++)
    if (!g_hash_table_contains (told, getters->name))
      g_error ("“%s” never had a value of its own: nothing was compared", getters->name);
}

static void
check_alone (gpointer object, const Getter *getters)
{
  g_autoptr (GHashTable) told = g_hash_table_new (g_str_hash, g_str_equal);

  check_object (object, getters, told);
  assert_all_told (getters, told);
}

/* --- values ----------------------------------------------------------------------------------- */

static void
test_spec (void)
{
  g_autoptr (JobSpec) spec =
      g_object_new (JOB_TYPE_SPEC, "id", ID, "job-type", "a", "args", "[1]", "channel", "c",
                    "priority", -3, "run-at", START, "max-attempts", 4, NULL);

  check_alone (spec, of_spec);
  g_assert_cmpstr (job_spec_get_id (spec), ==, ID);
  g_assert_cmpstr (job_spec_get_job_type (spec), ==, "a");
  g_assert_cmpstr (job_spec_get_args (spec), ==, "[1]");
  g_assert_cmpstr (job_spec_get_channel (spec), ==, "c");
  g_assert_cmpint (job_spec_get_priority (spec), ==, -3);
  g_assert_cmpint (job_spec_get_run_at (spec), ==, START);
  g_assert_cmpuint (job_spec_get_max_attempts (spec), ==, 4);
}

static void
test_damage (void)
{
  g_autoptr (JobDamage) damage = NULL;
  JobId id;

  g_assert_true (job_id_parse (ID, "id", &id, NULL));
  damage = job_damage_new ("somewhere", "It is torn", &id);
  check_alone (damage, of_damage);
}

static void
test_filter (void)
{
  g_autoptr (JobFilter) filter = g_object_new (JOB_TYPE_FILTER, "limit", 7, NULL);

  check_alone (filter, of_filter);
  g_assert_cmpuint (job_filter_get_limit (filter), ==, 7);
}

/* --- of a queue ------------------------------------------------------------------------------- */

typedef struct
{
  JobSteppedClock *clock;
  JobQueue *queue;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->clock = job_stepped_clock_new (START);
  fixture->queue = job_queue_new_for_backend ("memory", NULL, JOB_CLOCK (fixture->clock), &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (job_queue_close (fixture->queue, NULL, NULL));
  g_object_unref (fixture->queue);
  g_object_unref (fixture->clock);
}

/* @dependency may be NULL. Returns the id. */
static char *
add (Fixture *fixture, const char *type, const char *dependency)
{
  g_autoptr (JobSpec) spec = job_spec_new (type, "[1]");
  g_autoptr (GError) error = NULL;
  char *id;

  job_spec_set_channel (spec, "c");
  job_spec_set_priority (spec, 3);
  job_spec_set_run_at (spec, START - 1);
  job_spec_set_max_attempts (spec, g_str_equal (type, "fails") ? 1 : 2);
  if (dependency)
    job_spec_add_dependency (spec, dependency, JOB_CONDITION_AFTER_OK);
  id = job_queue_enqueue (fixture->queue, spec, NULL, &error);
  g_assert_no_error (error);
  return id;
}

static JobLease *
take (Fixture *fixture, const char *id)
{
  g_autoptr (GError) error = NULL;
  JobLease *lease = job_queue_dequeue_by_id (fixture->queue, id, NULL, &error);

  g_assert_no_error (error);
  job_stepped_clock_step (fixture->clock, SECOND);
  return lease;
}

static void
check_info (Fixture *fixture, const char *id, GHashTable *told)
{
  g_autoptr (JobInfo) info = job_queue_get_info (fixture->queue, id, NULL, NULL);

  g_assert_nonnull (info);
  check_object (info, of_info, told);
}

/* Only there an info has the token, and how long it has been silent. */
static void
check_listed_lease (Fixture *fixture, GHashTable *told)
{
  g_autoptr (GListModel) leases = job_queue_list_leases (fixture->queue, 0, NULL, NULL);
  g_autoptr (JobInfo) info = g_list_model_get_item (leases, 0);

  g_assert_nonnull (info);
  check_object (info, of_info, told);
}

static void
test_info (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) told = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *good = add (fixture, "good", NULL);
  g_autofree char *bad = add (fixture, "fails", NULL);
  g_autofree char *after_good = add (fixture, "later", good);
  g_autofree char *after_bad = add (fixture, "never", bad);
  g_autoptr (JobLease) first = take (fixture, good);
  g_autoptr (JobLease) second = NULL;

  check_listed_lease (fixture, told);
  g_assert_true (job_lease_complete (first, "{\"n\":1}", NULL, NULL));
  second = take (fixture, bad);
  g_assert_true (job_lease_fail (second, "\"why\"", NULL, NULL));
  check_info (fixture, good, told);
  check_info (fixture, bad, told);
  check_info (fixture, after_good, told);
  check_info (fixture, after_bad, told);
  assert_all_told (of_info, told);
}

static void
test_lease (Fixture *fixture, gconstpointer data)
{
  g_autofree char *first = add (fixture, "first", NULL);
  g_autofree char *second = add (fixture, "second", first);
  g_autoptr (JobLease) lease = take (fixture, first);

  g_assert_true (job_lease_complete (lease, NULL, NULL, NULL));
  g_clear_object (&lease);
  lease = take (fixture, second);
  check_alone (lease, of_lease);
}

/* There are no functions for these. */
static void
test_worker (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JobWorker) worker =
      g_object_new (JOB_TYPE_WORKER, "queue", fixture->queue, "n-jobs", 3, "heartbeat-interval",
                    7 * SECOND, "clock", fixture->clock, NULL);
  g_autoptr (JobQueue) queue = NULL;
  g_autoptr (JobClock) clock = NULL;
  g_autofree GParamSpec **properties = NULL;
  gint64 interval;
  guint n, n_jobs;

  g_object_get (worker, "queue", &queue, "n-jobs", &n_jobs, "heartbeat-interval", &interval,
                "clock", &clock, NULL);
  g_assert_true (queue == fixture->queue);
  g_assert_cmpuint (n_jobs, ==, 3);
  g_assert_cmpint (interval, ==, 7 * SECOND);
  g_assert_true (clock == JOB_CLOCK (fixture->clock));
  properties = g_object_class_list_properties (G_OBJECT_GET_CLASS (worker), &n);
  g_assert_cmpuint (n, ==, 4);
}

/* --- queues ----------------------------------------------------------------------------------- */

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

/* Whatever there is was an option, or is the clock. */
static void
check_option (JobQueue *queue, GParamSpec *property, GHashTable *options, JobClock *clock)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_auto (GValue) text = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (queue), property->name, &value);
  if (g_str_equal (property->name, "clock"))
    {
      g_assert_true (g_value_get_object (&value) == clock);
      return;
    }
  g_value_init (&text, G_TYPE_STRING);
  g_assert_true (g_value_transform (&value, &text));
  g_assert_cmpstr (g_value_get_string (&text), ==, g_hash_table_lookup (options, property->name));
}

static void
test_queue (gconstpointer data)
{
  const char *const *backend = data;
  g_autoptr (GHashTable) options = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (JobClock) clock = JOB_CLOCK (job_stepped_clock_new (START));
  g_autofree char *folder = g_dir_make_tmp ("job-properties-XXXXXX", NULL);
  g_autofree char *place = g_build_filename (folder, "jobs", NULL);
  g_autofree GParamSpec **properties = NULL;
  g_autoptr (JobQueue) queue = NULL;
  g_autoptr (GError) error = NULL;
  guint n;

  g_hash_table_insert (options, (gpointer) "checkpoint-size", (gpointer) CHECKPOINT_SIZE);
  if (backend[1])
    g_hash_table_insert (options, (gpointer) backend[1], place);
  queue = job_queue_new_for_backend (backend[0], options, clock, &error);
  g_assert_no_error (error);
  properties = g_object_class_list_properties (G_OBJECT_GET_CLASS (queue), &n);
  g_assert_cmpuint (n, ==, g_hash_table_size (options) + 1);
  for (guint i = 0; i < n; i++)
    check_option (queue, properties[i], options, clock);
  g_assert_true (job_queue_close (queue, NULL, NULL));
  g_assert_cmpint (nftw (folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
}

static const char *const backends[][2] = {
  { "memory", NULL },
  { "fs-json", "directory" },
  { "gdbm", "file" },
  { "sqlite", "file" },
};

#define ADD(path, func) g_test_add ("/properties/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/properties/spec", test_spec);
  g_test_add_func ("/properties/damage", test_damage);
  g_test_add_func ("/properties/filter", test_filter);
  ADD ("info", test_info);
  ADD ("lease", test_lease);
  ADD ("worker", test_worker);
  for (guint i = 0; i < G_N_ELEMENTS (backends); i++)
    {
      g_autofree char *path = g_strconcat ("/properties/queue/", backends[i][0], NULL);

      g_test_add_data_func (path, backends[i], test_queue);
    }

  return g_test_run ();
}
