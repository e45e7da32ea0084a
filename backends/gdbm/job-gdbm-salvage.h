/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is left of a gdbm file. */

#pragma once

#include "job-gdbm-file.h"

G_BEGIN_DECLS

/* Copies the damaged @file, whose path is @path, into @directory, durably, and never over a file
 * there; then opens what gdbm's recovery makes of another copy, which has no name any more. */
JobGdbmFile *job_gdbm_salvage (JobGdbmFile *file, const char *path, const char *directory,
                               GError **error);

G_END_DECLS
