/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way from what was asked for to what is kept. */

#pragma once

#include "job-record.h"
#include "job-spec.h"

G_BEGIN_DECLS

typedef struct
{
  char *id; /* as it was given, never NULL */
  JobCondition condition;
} JobSpecDependency;

struct _JobSpec
{
  GObject parent_instance;

  /* The user's thread. */
  JobId id;        /* if has_id */
  gboolean has_id; /* FALSE: id_text is none */
  char *id_text;   /* NULL: nobody has asked for it yet */
  char *type;
  char *args;
  char *channel; /* NULL: the default one */
  int priority;
  gint64 run_at;
  guint max_attempts;
  GArray *dependencies; /* of JobSpecDependency; NULL: none */

  gint fresh; /* atomic */
};

/* Checks all of it: JOB_ERROR_INVALID names the culprit. *fresh: the library made the id, and this
 * is the first time that it comes here, so that it need not be looked for. */
JobRecord *job_spec_to_record (JobSpec *self, gboolean *fresh, GError **error);

guint job_spec_count_dependencies (JobSpec *self);

G_END_DECLS
