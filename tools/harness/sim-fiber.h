/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads without threads. In a simulation each thread of the library is a fiber: a stack of its
 * own in the one thread there is. Which of them runs next, wherever one takes a lock, waits or
 * comes to the disk, is drawn from the seed; time passes only when none of them can run. So one
 * seed is one history, and a history can be had again.
 *
 * The library knows nothing of it: the linker puts the functions of sim-glib.c in the place of
 * GLib's threads, locks and conditions (--wrap), in this program only. Outside of sim_run() they
 * hand on to GLib. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _SimFiber SimFiber;

/* --- chance ----------------------------------------------------------------------------------- */

void sim_seed (guint64 seed);
guint64 sim_random (void);
/* 0 to @limit - 1. */
guint sim_below (guint limit);
/* One time in @n; 0: never. */
gboolean sim_chance (guint n);

/* --- fibers ----------------------------------------------------------------------------------- */

/* Runs @func in a fiber, and those that come out of it, until all have ended: TRUE. FALSE: those
 * that are left wait for each other for ever; they are abandoned. */
gboolean sim_run (GFunc func, gpointer data);
/* Whether this is a fiber. */
gboolean sim_is_running (void);
/* How often a fiber gives way to another one at a lock or at the disk: one time in @n; 0: never. */
void sim_set_restlessness (guint n);
/* May let others run. */
void sim_pass (void);
/* Until @object is told of, or @deadline (simulated time, µs; -1: none) has come: then FALSE. */
gboolean sim_block (gconstpointer object, gint64 deadline);
void sim_wake_one (gconstpointer object);
void sim_wake_all (gconstpointer object);

SimFiber *sim_fiber_new (GThreadFunc func, gpointer data);
SimFiber *sim_fiber_self (void);
gpointer sim_fiber_join (SimFiber *self);
/* Nobody will join it. */
void sim_fiber_drop (SimFiber *self);
/* Until all others have ended. */
void sim_await_others (void);
/* What a fiber has of its own. */
gpointer *sim_fiber_get_private (gconstpointer key);

/* --- time ------------------------------------------------------------------------------------- */

gint64 sim_get_time (void); /* µs */
void sim_set_time (gint64 time);
void sim_sleep (gint64 microseconds);

G_END_DECLS
