/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is measured, and what is expected of it. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BENCH_DISK "(disk)" /* in place of a system: each backend that keeps jobs on a disk */

typedef struct
{
  guint64 full;
  guint64 quick;
} BenchCount;

/* One line of a case: a system, measured in one way. */
typedef struct
{
  const char *system; /* a backend, BENCH_DISK, or whatever name a peer or a limit has */
  const char *probe;
  guint in_flight;
  BenchCount jobs;
  const char *variant; /* may be NULL */
  BenchCount pending;
  const char *prepare; /* the probe that makes the store once, may be NULL */
  double seconds;      /* another limit than that of the run, in a full one; 0: none */
} BenchRow;

/* @figure of the rows[row], divided by @than_figure of rows[than], has to be @factor at least, or,
 * if it is a bar for times and sizes, at most. */
typedef struct
{
  guint row;
  int than; /* -1: the absolute @factor */
  const char *figure;
  const char *than_figure; /* NULL: the same */
  double factor;
  gboolean at_most;
  const char *only;   /* judged for this backend, shown for others; NULL: for each */
  gboolean full_only; /* depends on the number of jobs */
} BenchBar;

#define BENCH_MAX_ROWS 13
#define BENCH_MAX_BARS 7

typedef struct
{
  const char *name;
  const char *title;
  BenchRow rows[BENCH_MAX_ROWS]; /* ended by a NULL system */
  BenchBar bars[BENCH_MAX_BARS]; /* ended by a NULL figure */
} BenchCase;

extern const BenchCase bench_cases[];
extern const guint bench_n_cases;

G_END_DECLS
