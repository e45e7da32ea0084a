/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a history could have come about one operation after the other: whether there is an order
 * of its operations in which none comes before another one that had returned before it was called,
 * and in which a queue with a single user would have given the same answers (M. P. Herlihy and J.
 * M. Wing, "Linearizability: a correctness condition for concurrent objects", 1990).
 *
 * The search is that of J. M. Wing and C. Gong ("Testing and verifying concurrent objects", 1993),
 * which takes an operation that may come next, and goes back where that leads nowhere; with the
 * memory of G. Lowe ("Testing for linearizability", 2016): a set of operations that are done
 * together with the state they led to is not looked at twice. */

#pragma once

#include "history.h"

G_BEGIN_DECLS

gboolean linearize_check (const History *history);

/* Of one that fails: leaves out what is not needed to show that. What is left could have come about
 * in no order, and so neither could the whole. */
void linearize_shrink (History *history);

G_END_DECLS
