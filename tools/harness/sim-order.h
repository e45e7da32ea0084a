/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In which order calls that were in flight at once can have happened, to be told what they were
 * told; and how the jobs stand then.
 *
 * The library promises one thread that its asynchronous calls happen in the order in which they
 * were made. There are two exceptions. An enqueueing that names an id of the caller's choice, or
 * one that the index does not have, is looked up first; and a verb on a job that is not there, or
 * is over, is tried again behind what is under way, since that may be about to bring it. Both
 * happen at some later moment, before they are answered, and in their order among themselves. */

#pragma once

#include "sim-burst.h"
#include "sim-wait.h"

G_BEGIN_DECLS

typedef enum
{
  SIM_ORDER_ALL,    /* all of them are answered */
  SIM_ORDER_CLOSED, /* the queue closed itself: of some calls nobody knows whether they happened */
  SIM_ORDER_CUT,    /* the process died: of a beginning of what happened, with all that was told */
  SIM_ORDER_CUT_AFTER_FAULTS, /* the same; but calls that nobody heard of may have failed before */
} SimOrderKind;

/* Takes over @model, how the jobs stood before. @waits: who waited for jobs then (of SimWait), and
 * is served after each change. Of Model: how they may stand; none: @difference says why, in words.
 */
GPtrArray *sim_order_find (const SimBurst *burst, GPtrArray *waits, SimOrderKind kind, Model *model,
                           char **difference);
/* The answer says that nothing happened. */
gboolean sim_order_is_failure (const SimBurstCall *call);

G_END_DECLS
