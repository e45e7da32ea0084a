/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A gated queue with a stepped clock, and the few calls that its tests share. */

#pragma once

#include "gated-queue.h"

G_BEGIN_DECLS

#define START (G_GINT64_CONSTANT (1700000000) * 1000000000)
#define SECOND_NS G_GINT64_CONSTANT (1000000000)

typedef struct
{
  JobSteppedClock *clock;
  GatedQueue *gated;
  JobQueue *queue; /* the same */
} Fixture;

void set_up (Fixture *f, gconstpointer data);
void tear_down (Fixture *f, gconstpointer data);
void iterate_ready (void);
/* Drops a queue, and waits until whoever still has an answer in hand has done so, too. */
void drop (gpointer queue);
/* Puts the result where @data points, for await(). */
void keep_answer (GObject *source, GAsyncResult *result, gpointer data);
void await (GAsyncResult **answer);
char *add (Fixture *f, gint64 run_at);
JobLease *take (Fixture *f);

#define ADD(path, test) g_test_add ("/local/" path, Fixture, NULL, set_up, test, tear_down)

G_END_DECLS
