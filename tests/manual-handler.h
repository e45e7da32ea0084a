/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A handler whose jobs end when the test says so. */

#pragma once

#include "jobqueue.h"

G_BEGIN_DECLS

#define MANUAL_TYPE_HANDLER (manual_handler_get_type ())
G_DECLARE_FINAL_TYPE (ManualHandler, manual_handler, MANUAL, HANDLER, GObject)

/* @automatic: each job succeeds at once, with "null". */
ManualHandler *manual_handler_new (gboolean automatic);
/* A stubborn one leaves the end to the test even when it is cancelled. */
void manual_handler_set_stubborn (ManualHandler *self, gboolean stubborn);
guint manual_handler_get_n_running (ManualHandler *self);
/* How many jobs were begun, and how many were cancelled. */
guint manual_handler_get_n_begun (ManualHandler *self);
guint manual_handler_get_n_cancelled (ManualHandler *self);
/* Ends the job that runs for the longest time. An error is taken. */
void manual_handler_end (ManualHandler *self, gboolean succeeded, const char *outcome,
                         GError *error);

G_END_DECLS
