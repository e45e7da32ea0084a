/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one error domain of the library. */

#include "job-error.h"

G_DEFINE_QUARK (job-error-quark, job_error)
