/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the journal holds and the store does not have yet, by job: where its latest state is. */

#pragma once

#include "job-dependents.h"
#include "job-id-table-private.h"
#include "job-journal-private.h"

G_BEGIN_DECLS

typedef struct
{
  JobId id;        /* first: for a JobIdTable */
  JobPlace record; /* of the change with the record; nowhere: the store has the record */
  JobPlace status; /* of the newest change */
} JobOverlayItem;

typedef struct
{
  JobIdTable items;
  JobDependents *dependents;
} JobOverlay;

void job_overlay_init (JobOverlay *self);
void job_overlay_clear (JobOverlay *self);
void job_overlay_note (JobOverlay *self, const JobChange *change, JobPlace place);
/* Everything has been applied to the store. */
void job_overlay_empty (JobOverlay *self);
const JobOverlayItem *job_overlay_lookup (const JobOverlay *self, const JobId *id);

G_END_DECLS
