/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "jobqueue.h"

G_BEGIN_DECLS

#define JOB_TYPE_EXEC_HANDLER (job_exec_handler_get_type ())
G_DECLARE_FINAL_TYPE (JobExecHandler, job_exec_handler, JOB, EXEC_HANDLER, GObject)

G_END_DECLS
