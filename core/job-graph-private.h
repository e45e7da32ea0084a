/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The edges between jobs: who waits for whom. */

#pragma once

#include "job-entry-private.h"

G_BEGIN_DECLS

/* Whether a dependency that ended in @state lets the dependent run. */
gboolean job_graph_holds (JobCondition condition, JobState state);
/* The last dependency of a job first. @room: how many edges may come for @dependent, if this is the
 * first one. */
void job_graph_add_edge (JobEntry *dependent, JobEntry *dependency, JobCondition condition,
                         guint room);
/* Takes @edge out of its dependency's list; the dependent keeps it until it is over. */
void job_graph_resolve_edge (JobEdge *edge);
/* Frees the edges to what @entry depends on. */
void job_graph_drop_dependencies (JobEntry *entry);
/* The first dependency of @entry that is not over, or NULL. */
const JobEdge *job_graph_first_open (const JobEntry *entry);
/* JOB_ERROR_INVALID, with the ids on it, if the new records depend on each other in a circle.
 * @index maps each record's JobId to its number + 1. */
gboolean job_graph_check_acyclic (JobRecord *const *records, gsize n_records, GHashTable *index,
                                  GError **error);

G_END_DECLS
