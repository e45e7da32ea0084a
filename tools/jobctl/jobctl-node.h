/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One job of a graph file, and whom it waits for. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

/* A value of the document as it stands there. */
typedef struct
{
  const char *text;
  gsize length;
} JobctlSlice;

typedef struct
{
  const char *file; /* not owned: for errors */
  guint index;      /* its place in the file, from 0 */
  gint64 now;       /* wall clock, ns: what delays count from */
  char *name;
  JobSpec *spec;        /* has an id, and everything but dependencies */
  JobctlSlice after;    /* not owned; text NULL: none */
  GArray *dependencies; /* of guint: the jobs of this file that it waits for */
} JobctlNode;

/* One entry of "after". */
typedef struct
{
  char *job; /* a name or an id */
  JobCondition condition;
} JobctlEdge;

JobctlNode *jobctl_node_new (const char *file, guint index, gint64 now);
void jobctl_node_free (JobctlNode *self);
/* Reads all of a job but its "after". */
gboolean jobctl_node_parse (JobctlNode *self, JobctlSlice job, GError **error);
/* Reads one element of "after". */
gboolean jobctl_node_parse_edge (JobctlNode *self, JobctlSlice text, JobctlEdge *edge,
                                 GError **error);
void jobctl_edge_clear (JobctlEdge *edge);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JobctlEdge, jobctl_edge_clear)
/* Sets JOB_ERROR_INVALID, "FILE: job NAME: what is wrong", and returns FALSE. */
gboolean jobctl_node_refuse (const JobctlNode *self, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

G_END_DECLS
