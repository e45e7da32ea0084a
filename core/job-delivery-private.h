/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Brings things to GMainContexts, in batches: one GSource for each context, however many wait for
 * it. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Has @func called with @item in @context, soon. From any thread, with any lock held: it only notes
 * it down. If the context goes before, @drop is called instead. Items of one context arrive in
 * order. */
void job_delivery_push (GMainContext *context, gpointer item, GFunc func, GDestroyNotify drop);

G_END_DECLS
