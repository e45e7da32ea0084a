/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where applications say that modules are, besides the compiled-in folders. */

#pragma once

#include "job-macros.h"

G_BEGIN_DECLS

JOB_API void job_add_backend_folder (const char *folder);
JOB_API void job_add_plugin_folder (const char *folder);
JOB_API char **job_list_backends (void);

G_END_DECLS
