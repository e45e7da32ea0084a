/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The header that applications include. */

#pragma once

#include "job-clock.h"
#include "job-damage.h"
#include "job-enums.h"
#include "job-error.h"
#include "job-filter.h"
#include "job-handler.h"
#include "job-info.h"
#include "job-lease.h"
#include "job-plugin-path.h"
#include "job-queue.h"
#include "job-spec.h"
#include "job-worker.h"
