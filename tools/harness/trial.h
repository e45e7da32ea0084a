/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A part of a case, played in a process of its own: so that an abort, a hang or a crash is seen,
 * and ends nothing else. */

#pragma once

#include "torture.h"

G_BEGIN_DECLS

#define TRIAL_SECONDS 60

/* Memory that parent and children share, zeroed; for as long as the process lives. */
gpointer trial_share (gsize size);
/* Loads the backend's module, once for all children. FALSE: there is none, and nothing to try. */
gboolean trial_prepare (const TortureTask *task, TortureResult *result);
/* Tries the cases of a task one after the other, up to the first violation. */
void trial_each_case (const TortureTask *task, TortureResult *result,
                      void (*try_case) (gpointer data, guint64 seed, TortureResult *result),
                      gpointer data);

/* Calls @play in a child, which ends with that. FALSE, with a story in words, if the child ended in
 * another way. */
gboolean trial_run (void (*play) (gpointer data), gpointer data, char **story);
/* The same, but the child is killed as soon as @when (NULL: never) says so, which then has *killed
 * set, and is no story. */
gboolean trial_run_until (void (*play) (gpointer data), gboolean (*when) (gpointer data),
                          gpointer data, gboolean *killed, char **story);

/* Makes it anew, empty. */
void trial_clear_folder (const char *folder);

G_END_DECLS
