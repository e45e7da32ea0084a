/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a JobInfo has, for the files that it is made of. */

#pragma once

#include "job-info.h"
#include "job-queue-backend.h"

G_BEGIN_DECLS

struct _JobInfo
{
  GObject parent_instance;

  /* Constant after job_info_new(). */
  JobRecord *record;
  JobStatus status;
  JobState state;
  JobReason reason;
  gboolean with_lease;
  gint64 heartbeat_age;
  char id[JOB_ID_TEXT_SIZE];
  char culprit[JOB_ID_TEXT_SIZE]; /* "": none */
  char token[JOB_ID_TEXT_SIZE];   /* "": none, or not told */
  char **dependencies;
  char **dependents;
};

G_END_DECLS
