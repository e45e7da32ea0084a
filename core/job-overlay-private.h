/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What one segment of the journal holds and the store does not have yet, by job: where its latest
 * state is. The states of one job are folded into the last. */

#pragma once

#include "job-dependents.h"
#include "job-id-table.h"
#include "job-journal-private.h"

G_BEGIN_DECLS

typedef struct
{
  JobId id;        /* first: for a JobIdTable */
  JobPlace record; /* of the change with the record; nowhere: it was made before this segment */
  JobPlace status; /* of the newest change */
  guint32 number;  /* of the item, in the order in which the jobs came */
} JobOverlayItem;

typedef struct
{
  GPtrArray *items; /* of JobOverlayItem, by number: about the order of the journal */
  JobIdTable by_id;
  JobDependents *dependents;
} JobOverlay;

void job_overlay_init (JobOverlay *self);
void job_overlay_clear (JobOverlay *self);
void job_overlay_note (JobOverlay *self, const JobChange *change, JobPlace place);
/* Everything has been applied to the store. */
void job_overlay_empty (JobOverlay *self);
const JobOverlayItem *job_overlay_lookup (const JobOverlay *self, const JobId *id);

G_END_DECLS
