/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backend whose type is no queue. */

#include "job-plugin.h"

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "wrong-type", g_object_get_type, NULL)
