/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backend without a type. */

#include "job-plugin.h"

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "no-type", NULL, NULL)
