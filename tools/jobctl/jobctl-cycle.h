/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Looks for a cycle in a graph. edges[i] is a GArray of guint: the nodes that node i points to.
 * Returns the nodes of one cycle (of guint), each pointing to the next and the last to the first;
 * NULL if there is none. */
GArray *jobctl_find_cycle (GPtrArray *edges);

G_END_DECLS
