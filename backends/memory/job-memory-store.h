/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs in memory. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

#define JOB_TYPE_MEMORY_STORE (job_memory_store_get_type ())
G_DECLARE_FINAL_TYPE (JobMemoryStore, job_memory_store, JOB, MEMORY_STORE, JobStore)

JobStore *job_memory_store_new (void);

G_END_DECLS
