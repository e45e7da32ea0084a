/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a lease has, for the files that it is made of. */

#pragma once

#include "job-lease.h"
#include "job-queue.h"

G_BEGIN_DECLS

struct _JobLease
{
  GObject parent_instance;

  /* Constant after job_lease_new(). */
  JobQueue *queue;
  char *id;
  char *token;
  char *type;
  char *channel;
  char *args;
  guint attempt;
  char **dependencies;
  GCancellable *cancellable;
};

G_END_DECLS
