/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a lease has, for the files that it is made of. */

#pragma once

#include "job-alarm-private.h"
#include "job-lease.h"
#include "job-queue.h"
#include "job-record.h"

G_BEGIN_DECLS

struct _JobLease
{
  GObject parent_instance;

  /* Constant after it was made. */
  JobQueue *queue;
  JobRecord *record; /* what it says of the job */
  JobAlarm *alarm;   /* has the token */
  guint attempt;
  gboolean has_ids; /* record and alarm have id and token, and these need not be parsed */

  /* Made when somebody asks, or constant, too. Read and written atomically. */
  char *id;
  char *token;
  char **dependencies;
};

/* A lease on the job of @record. Its texts are made when somebody asks for them. */
JobLease *job_lease_new_for_record (gpointer queue, JobRecord *record, guint attempt,
                                    JobAlarm *alarm);

G_END_DECLS
