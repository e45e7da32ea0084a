/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs each test of the tables on a queue of its own, in a fresh folder, in both modes. */

#include "conformance-private.h"

#include <ftw.h>
#include <stdio.h>

typedef struct
{
  const JobConformanceBackend *backend;
  const ConformanceTest *test;
  gboolean async;
} Case;

static const struct
{
  const char *name;
  const ConformanceTest *tests;
} themes[] = {
  { "args", job_conformance_args_tests },
  { "enqueue", job_conformance_enqueue_tests },
  { "graph", job_conformance_graph_tests },
  { "dequeue", job_conformance_dequeue_tests },
  { "order", job_conformance_order_tests },
  { "lease", job_conformance_lease_tests },
  { "attempts", job_conformance_attempts_tests },
  { "cancel", job_conformance_cancel_tests },
  { "dependencies", job_conformance_dependencies_tests },
  { "read", job_conformance_read_tests },
  { "wait", job_conformance_wait_tests },
  { "input", job_conformance_input_tests },
  { "close", job_conformance_close_tests },
  { "async", job_conformance_async_tests },
  { "claim", job_conformance_claim_tests },
  { "threads", job_conformance_threads_tests },
  { "reopen", job_conformance_reopen_tests },
  { "kill", job_conformance_kill_tests },
  { "storage", job_conformance_storage_tests },
};

static GPtrArray *cases; /* owned for ever, of Case: GTest may run them until the end */

void
fixture_open (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (f->queue);
  f->queue = f->backend->open (f->folder, JOB_CLOCK (f->clock), &error);
  g_assert_no_error (error);
  g_assert_true (JOB_IS_QUEUE (f->queue));
}

void
fixture_close (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  call_close (f, &error);
  g_assert_no_error (error);
  g_clear_object (&f->queue);
}

void
fixture_reopen (Fixture *f)
{
  fixture_close (f);
  fixture_open (f);
}

void
fixture_step (Fixture *f, gint64 microseconds)
{
  job_stepped_clock_step (f->clock, microseconds);
}

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

static void
fixture_set_up (Fixture *f, const Case *one)
{
  g_autoptr (GError) error = NULL;

  f->backend = one->backend;
  f->async = one->async;
  f->clock = job_stepped_clock_new (START_OF_TIME);
  f->folder = g_dir_make_tmp ("job-conformance-XXXXXX", &error);
  g_assert_no_error (error);
  fixture_open (f);
}

static void
fixture_tear_down (Fixture *f)
{
  if (f->queue != NULL)
    fixture_close (f);
  iterate_ready ();
  g_clear_object (&f->clock);
  g_assert_cmpint (nftw (f->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_clear_pointer (&f->folder, g_free);
}

static const char *
say_what_is_missing (guint missing)
{
  if (missing & JOB_CONFORMANCE_CLOCK)
    return "this backend has a clock of its own, that a test cannot step";
  if (missing & JOB_CONFORMANCE_SURVIVES)
    return "this backend keeps jobs only as long as it is open";
  if (missing & JOB_CONFORMANCE_EXCLUSIVE)
    return "this backend can be opened more than once at a time";
  return "this backend has no files of its own whose writing could fail";
}

static void
run_case (gconstpointer data)
{
  const Case *one = data;
  guint missing = one->test->needs & ~one->backend->capabilities;
  Fixture f = { NULL };

  if (missing != 0)
    {
      g_test_skip (say_what_is_missing (missing));
      return;
    }

  fixture_set_up (&f, one);
  one->test->run (&f);
  fixture_tear_down (&f);
}

static void
add_case (const JobConformanceBackend *backend, const char *theme, const ConformanceTest *test,
          gboolean async, const char *mode)
{
  g_autofree char *path =
      g_strdup_printf ("/job-queue/%s/%s/%s%s", backend->name, theme, test->promise, mode);
  Case *one = g_new (Case, 1);

  *one = (Case){ backend, test, async };
  g_ptr_array_add (cases, one);
  g_test_add_data_func (path, one, run_case);
}

static void
add_theme (const JobConformanceBackend *backend, const char *theme, const ConformanceTest *tests)
{
  for (const ConformanceTest *test = tests; test->promise != NULL; test++)
    {
      add_case (backend, theme, test, FALSE, test->once ? "" : "/blocking");
      if (!test->once)
        add_case (backend, theme, test, TRUE, "/async");
    }
}

void
job_conformance_add_tests (const JobConformanceBackend *backend)
{
  if (cases == NULL)
    cases = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (themes); i++)
    add_theme (backend, themes[i].name, themes[i].tests);
}

int
job_conformance_main (const JobConformanceBackend *backend, int argc, char **argv)
{
  job_conformance_run_child (backend);
  g_test_init (&argc, &argv, NULL);
  job_conformance_add_tests (backend);

  return g_test_run ();
}
