/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In which order calls that were in flight at once can have happened, to be told what they were
 * told; and how the jobs stand then.
 *
 * The library promises one thread that its asynchronous calls happen in the order in which they
 * were made. There are two exceptions. An enqueueing that names an id of the caller's choice, or
 * one that the index does not have, is looked up first; and a verb on a job that meets an error is
 * tried again behind what is under way, since that may be about to change it. Both happen at some
 * later moment, before they are answered, and in their order among themselves. */

#pragma once

#include "sim-burst.h"

G_BEGIN_DECLS

typedef enum
{
  SIM_ORDER_ALL,    /* all of them are answered */
  SIM_ORDER_CLOSED, /* the queue closed itself: of some calls nobody knows whether they happened */
  SIM_ORDER_CUT,    /* the process died: of a beginning of what happened, with all that was told */
} SimOrderKind;

/* Takes over @model, how the jobs stood before. Of Model: how they may stand; none: @difference
 * says why, in words. */
GPtrArray *sim_order_find (const SimBurst *burst, SimOrderKind kind, Model *model,
                           char **difference);
/* The answer says that nothing happened. */
gboolean sim_order_is_failure (const SimBurstCall *call);

G_END_DECLS
