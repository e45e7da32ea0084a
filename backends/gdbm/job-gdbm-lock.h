/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may open a gdbm file. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

/* Takes the lock of the gdbm file @path, which need not be there: a descriptor that holds it until
 * it is closed, or -1. */
int job_gdbm_lock (const char *path, GError **error);

G_END_DECLS
