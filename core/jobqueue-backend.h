/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The header that backends and plugins include, after defining JOBQUEUE_ENABLE_BACKEND. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "jobqueue.h"

#include "job-call.h"
#include "job-dependents.h"
#include "job-file.h"
#include "job-id-table.h"
#include "job-id.h"
#include "job-json.h"
#include "job-local-queue.h"
#include "job-plugin.h"
#include "job-queue-backend.h"
#include "job-record.h"
#include "job-store.h"
#include "job-time.h"
