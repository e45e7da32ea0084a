/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a step of the scheduler did: to be made durable first, and to be told to the world then. */

#pragma once

#include "job-record.h"

G_BEGIN_DECLS

/* A job was leased to a dequeue. */
typedef struct
{
  gpointer data; /* the dequeue's */
  JobId id;
  JobId token;
  guint attempt;
} JobClaim;

/* A lease is over. */
typedef struct
{
  JobId token;
  gboolean by_holder;  /* FALSE: the holder has to be told */
  gint64 heartbeat_at; /* for if it goes on after all: boot time, µs */
} JobEnd;

typedef struct
{
  GArray *changes; /* of JobChange, for the journal, in order */
  GArray *claims;  /* of JobClaim */
  GArray *ends;    /* of JobEnd */
  GArray *finals;  /* of JobId: jobs that are over now */
} JobEffects;

void job_effects_init (JobEffects *self);
/* For what comes next: the memory stays. */
void job_effects_empty (JobEffects *self);
void job_effects_clear (JobEffects *self);

G_END_DECLS
