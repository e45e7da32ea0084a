/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the layers of the harness share: what they are told, what they count, and how they say what
 * they found. A layer is one file, layer-NAME.c; the table of the program that it belongs to names
 * it.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a layer is told. */
typedef struct
{
  const char *backend; /* whose store; %NULL for a layer that is not about one store */
  guint64 seed;        /* case n of a layer is drawn from seed + n, and from nothing else */
  guint64 cases;       /* how many to try */
  const char *folder;  /* an empty folder for files, removed at the end of the run */
  gboolean verbose;
  gboolean whole; /* tell the first violation as it was, and do not look for a shorter one */
} TortureTask;

/* What a layer found. */
typedef struct
{
  guint64 cases; /* tried */
  guint64
      states; /* crash states, faults or histories met in them; what these are, says the layer */
  guint64 violations; /* promises broken: the layer stops at the first */
  char *story;   /* of the first violation: the seed, the shortest sequence, what was promised */
  char *skipped; /* why the machine cannot do this at all; then nothing counts as passed */
} TortureResult;

typedef struct
{
  const char *name;
  const char *title;
  const char *states; /* what @TortureResult.states counts: "crash states", "faults" … */
  const char *const
      *backends;       /* that it can be run on, %NULL-terminated; %NULL: not about one store */
  guint64 short_cases; /* for each backend, in the everyday test run */
  guint64 long_cases;  /* for each backend, with --long */
  void (*run) (const TortureTask *task, TortureResult *result);
} TortureLayer;

/* Counts a violation, and tells its story; takes @story. Only the first story is kept. */
void torture_violation (TortureResult *result, char *story);

/* The layers of this program, %NULL-terminated, in the order in which they are run. */
extern const TortureLayer *const torture_layers[];

extern const TortureLayer layer_simulation;
extern const TortureLayer layer_block;
extern const TortureLayer layer_endurance;
extern const TortureLayer layer_faults;
extern const TortureLayer layer_kill;
extern const TortureLayer layer_power;
extern const TortureLayer layer_threads;

G_END_DECLS
