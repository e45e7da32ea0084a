/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The records of jobs that came a moment ago. */

#pragma once

#include "job-record.h"

G_BEGIN_DECLS

typedef struct
{
  GMutex lock;       /* guards the rest */
  JobRecord **slots; /* owned; NULL before the first one came */
} JobRecordCache;

void job_record_cache_init (JobRecordCache *self);
void job_record_cache_clear (JobRecordCache *self);
/* Keeps the record for a while, unless it is large. */
void job_record_cache_add (JobRecordCache *self, JobRecord *record);
/* A new reference; NULL: it is not here, whether there is such a job or not. */
JobRecord *job_record_cache_lookup (JobRecordCache *self, const JobId *id);

G_END_DECLS
