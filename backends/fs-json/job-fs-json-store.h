/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A JobStore that keeps one JSON file a job in a folder. */

#pragma once

#include "jobqueue-backend.h"

G_BEGIN_DECLS

#define JOB_TYPE_FS_JSON_STORE (job_fs_json_store_get_type ())
G_DECLARE_FINAL_TYPE (JobFsJsonStore, job_fs_json_store, JOB, FS_JSON_STORE, JobStore)

/* Opens the folder @directory, creates it if need be, and holds its lock for as long as the store
 * is open. */
JobStore *job_fs_json_store_new (const char *directory, GError **error);

G_END_DECLS
