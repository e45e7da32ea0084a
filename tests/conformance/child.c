/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The program itself, started anew for a part in a test: it opens the same folder, tells what it
 * did on its standard output, and is killed, or finds its disk full. Everything goes through exec:
 * a forked copy of a process with threads may do nothing else. */

#include "conformance-private.h"

#include <stdio.h>
#include <stdlib.h>

#define PART "JOB_CONFORMANCE_CHILD"
#define FOLDER "JOB_CONFORMANCE_FOLDER"

static const struct
{
  const char *name;
  ChildPart run;
} parts[] = {
  { "enqueue", child_enqueue_until_killed },  { "work", child_work_until_killed },
  { "die-at-opening", child_die_at_opening }, { "hold", child_hold },
  { "full-disk", child_meet_a_full_disk },    { "torn-write", child_meet_a_torn_write },
};

/* The arguments that this process was started with: what they mean is the program's business. */
static char **
own_arguments (const char *program)
{
  g_autoptr (GStrvBuilder) arguments = g_strv_builder_new ();
  g_autofree char *text = NULL;
  gsize size = 0;
  g_autoptr (GError) error = NULL;

  g_file_get_contents ("/proc/self/cmdline", &text, &size, &error);
  g_assert_no_error (error);
  g_strv_builder_add (arguments, program);
  for (const char *next = text + strlen (text) + 1; next < text + size; next += strlen (next) + 1)
    g_strv_builder_add (arguments, next);

  return g_strv_builder_end (arguments);
}

void
child_start (Child *self, Fixture *f, const char *part)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", &error);
  g_auto (GStrv) arguments = NULL;

  g_assert_no_error (error);
  arguments = own_arguments (program);
  g_subprocess_launcher_setenv (launcher, PART, part, TRUE);
  g_subprocess_launcher_setenv (launcher, FOLDER, f->folder, TRUE);
  self->process = g_subprocess_launcher_spawnv (launcher, (const char *const *) arguments, &error);
  g_assert_no_error (error);
  self->lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
}

char *
child_read_line (Child *self)
{
  g_autoptr (GError) error = NULL;
  char *line = g_data_input_stream_read_line (self->lines, NULL, NULL, &error);

  g_assert_no_error (error);
  return line;
}

static void
child_clear (Child *self)
{
  g_clear_object (&self->lines);
  g_clear_object (&self->process);
}

void
child_kill (Child *self)
{
  g_autoptr (GError) error = NULL;

  g_subprocess_force_exit (self->process);
  g_subprocess_wait (self->process, NULL, &error);
  g_assert_no_error (error);
  child_clear (self);
}

void
child_finish (Child *self)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_close (g_subprocess_get_stdin_pipe (self->process), NULL, &error);
  g_assert_no_error (error);
  g_subprocess_wait_check (self->process, NULL, &error);
  g_assert_no_error (error);
  child_clear (self);
}

/* --- in the child ----------------------------------------------------------------------------- */

static void
play (const JobConformanceBackend *backend, ChildPart run)
{
  Fixture f = { .backend = backend };

  f.folder = g_strdup (g_getenv (FOLDER));
  f.clock = job_stepped_clock_new (START_OF_TIME);
  fixture_open (&f);
  run (&f);
  if (f.queue != NULL)
    fixture_close (&f);
  g_clear_object (&f.clock);
  g_clear_pointer (&f.folder, g_free);
}

void
job_conformance_run_child (const JobConformanceBackend *backend)
{
  const char *part = g_getenv (PART);

  if (part == NULL || g_str_has_prefix (part, STORE_PART))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (g_str_equal (parts[i].name, part))
      {
        play (backend, parts[i].run);
        exit (EXIT_SUCCESS);
      }
  g_error ("there is no part “%s” in the suite", part);
}

/* Holds the queue until it is told to go. */
void
child_hold (Fixture *f)
{
  puts ("ready");
  fflush (stdout);
  while (getchar () != EOF)
    ;
}
