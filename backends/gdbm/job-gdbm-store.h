/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs in a gdbm file that is replaced, never changed. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

#define JOB_TYPE_GDBM_STORE (job_gdbm_store_get_type ())
G_DECLARE_FINAL_TYPE (JobGdbmStore, job_gdbm_store, JOB, GDBM_STORE, JobStore)

/* Opens the file @path, or makes it, and takes its lock. */
JobStore *job_gdbm_store_new (const char *path, GError **error);

G_END_DECLS
