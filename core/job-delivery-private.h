/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Brings things to GMainContexts, in batches: one GSource for each context, however many wait for
 * it; one look at its list, and one wake-up, for all that a thread brings at once. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _JobParcel JobParcel;
typedef void (*JobParcelFunc) (JobParcel *parcel);

/* What is brought: part of a larger struct, so that it costs no allocation. All is the delivery's
 * until it is opened or dropped. */
struct _JobParcel
{
  GList link;            /* data: this */
  GMainContext *context; /* which the parcel must keep */
  JobParcelFunc open;    /* called in the context */
  JobParcelFunc drop;    /* called instead, if the context goes before */
};

/* Has @open called in @context, soon. From any thread, with any lock held: it only notes it down.
 * Parcels of one context arrive in order. */
void job_delivery_push (JobParcel *parcel, GMainContext *context, JobParcelFunc open,
                        JobParcelFunc drop);

/* What this thread pushes from now on goes all at once, at the end. No rounds within rounds. */
void job_delivery_begin_round (GQueue *round);
void job_delivery_end_round (GQueue *round);

/* Whether this thread is in a callback that came this way to @context. */
gboolean job_delivery_is_opening (GMainContext *context);

/* Has @func called with @data, without a lock, in whatever thread opens what came for @context:
 * when so many more parcels have been opened that, with @n_made, half of them are done; or all of
 * them, if that will take less than @patience (µs), as far as can be told. At the latest when none
 * is left. From any thread, with any lock held. FALSE: there is nothing to wait for, and nothing
 * will be called. */
gboolean job_delivery_put_off (GMainContext *context, guint n_made, gint64 patience,
                               void (*func) (gpointer data), gpointer data);

G_END_DECLS
