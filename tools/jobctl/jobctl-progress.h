/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How far a run is: one line that changes on a terminal, a line now and then elsewhere. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint n_jobs;
  guint n_done;
  guint n_running;
  guint n_failed; /* or cancelled */
} JobctlProgressNumbers;

typedef struct _JobctlProgress JobctlProgress;

/* Asks @get_numbers several times a second, in the default context, and prints to standard error.
 */
JobctlProgress *jobctl_progress_new (void (*get_numbers) (JobctlProgressNumbers *numbers,
                                                          gpointer data),
                                     gpointer data);
/* Ends it, and clears the line on a terminal. */
void jobctl_progress_free (JobctlProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobctlProgress, jobctl_progress_free)

G_END_DECLS
