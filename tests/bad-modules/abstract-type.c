/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backend whose type is abstract, so that no queue can be made of it. */

#include "jobqueue-backend.h"

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "abstract-type", job_local_queue_get_type, NULL)
