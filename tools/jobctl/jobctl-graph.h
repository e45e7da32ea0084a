/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A graph of jobs, as "jobctl run" reads it from a JSON file. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *names; /* of char *, as in the file */
  GPtrArray *specs; /* of JobSpec, in the same order; each has its id */
} JobctlGraph;

/* Reads @text, which came from @file ("-": standard input). JOB_ERROR_INVALID names the file, the
 * job and the member. Delays count from now. */
JobctlGraph *jobctl_graph_parse (const char *text, gsize length, const char *file, GError **error);
void jobctl_graph_free (JobctlGraph *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobctlGraph, jobctl_graph_free)

G_END_DECLS
