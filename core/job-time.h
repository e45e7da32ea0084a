/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stamps that people read: RFC 3339 text outside, nanoseconds since 1970 (UTC) inside. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-macros.h"

G_BEGIN_DECLS

#define JOB_TIME_NS_PER_SECOND G_GINT64_CONSTANT (1000000000)

/* "2026-11-22T13:54:27.0625Z": in UTC, with as many digits of the fraction as it takes, up to nine,
 * and none for a whole second. */
JOB_API char *job_time_format (gint64 ns);
/* Takes any RFC 3339 time with at most nine digits of fraction, in any zone. FALSE, with *ns
 * untouched, for anything else, and for a time that does not fit (before 1677 or after 2262). */
JOB_API gboolean job_time_parse (const char *text, gint64 *ns);

G_END_DECLS
