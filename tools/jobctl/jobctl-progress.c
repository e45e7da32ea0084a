/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The progress of a run. It looks at the numbers by itself, so that thousands of jobs in a second
 * cost no more output than one. */

#include <stdio.h>
#include <unistd.h>

#include "jobctl-progress.h"

#define TERMINAL_INTERVAL 100 /* ms */
#define PLAIN_INTERVAL 1000   /* ms */

struct _JobctlProgress
{
  void (*get_numbers) (JobctlProgressNumbers *numbers, gpointer data);
  gpointer data;
  gboolean on_terminal;
  guint n_shown;  /* jobs done when a line was last printed */
  guint n_before; /* jobs done a second or so ago, and when that was: for the rate */
  gint64 before;  /* µs, monotonic */
  double rate;    /* jobs per second */
  guint source;
};

static void
measure_rate (JobctlProgress *self, guint n_done)
{
  gint64 now = g_get_monotonic_time ();
  gint64 passed = now - self->before;

  if (passed < G_USEC_PER_SEC - G_USEC_PER_SEC / 10)
    return;
  self->rate = (n_done - self->n_before) * (double) G_USEC_PER_SEC / passed;
  self->n_before = n_done;
  self->before = now;
}

static gboolean
show (gpointer data)
{
  JobctlProgress *self = data;
  JobctlProgressNumbers numbers = { 0 };

  self->get_numbers (&numbers, self->data);
  measure_rate (self, numbers.n_done);
  if (!self->on_terminal && numbers.n_done == self->n_shown)
    return G_SOURCE_CONTINUE;
  self->n_shown = numbers.n_done;
  fprintf (stderr, "%s%u/%u done, %u running, %u failed, %.0f/s%s", self->on_terminal ? "\r" : "",
           numbers.n_done, numbers.n_jobs, numbers.n_running, numbers.n_failed, self->rate,
           self->on_terminal ? "\033[K" : "\n");
  fflush (stderr);
  return G_SOURCE_CONTINUE;
}

JobctlProgress *
jobctl_progress_new (void (*get_numbers) (JobctlProgressNumbers *numbers, gpointer data),
                     gpointer data)
{
  JobctlProgress *self = g_new0 (JobctlProgress, 1);

  self->get_numbers = get_numbers;
  self->data = data;
  self->on_terminal = isatty (STDERR_FILENO);
  self->before = g_get_monotonic_time ();
  self->source = g_timeout_add (self->on_terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL, show, self);
  return self;
}

void
jobctl_progress_free (JobctlProgress *self)
{
  g_source_remove (self->source);
  if (self->on_terminal)
    fputs ("\r\033[K", stderr);
  g_free (self);
}
