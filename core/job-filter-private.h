/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the interface needs of a filter before a backend sees it. */

#pragma once

#include "job-filter.h"

G_BEGIN_DECLS

/* A filter that nobody else can change; NULL: one that lets every job pass. */
JobFilter *job_filter_copy (JobFilter *self);
/* JOB_ERROR_INVALID if a list is empty or has a name that no job can have. */
gboolean job_filter_check (JobFilter *self, GError **error);

G_END_DECLS
