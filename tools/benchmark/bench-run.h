/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Running the cases. */

#pragma once

#include <gio/gio.h>

#include "bench-case.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean quick;
  guint rounds;
  double seconds;      /* for each measurement */
  GPtrArray *cases;    /* of char *; empty: all */
  GPtrArray *backends; /* of char *; empty: all */
  char *folder;        /* of this run */
  char *json;          /* path, may be NULL */
  char *markdown;      /* path, may be NULL */
} BenchOptions;

typedef struct
{
  const char *key; /* interned */
  GArray *values;  /* of double, one for each round */
} BenchFigure;

/* A row, for one system. */
typedef struct
{
  const BenchRow *row;
  const char *system; /* interned */
  GPtrArray *figures; /* of BenchFigure *, in the order in which they came */
  char *problem;      /* why there are none, or not all; NULL: none */
  gboolean missing;   /* … since it is not installed */
  char *store;        /* what was prepared, may be NULL */
  gboolean judged;    /* a bar depends on it; else it is only looked at */
} BenchLine;

typedef struct
{
  const BenchCase *bench_case;
  GPtrArray *lines; /* of BenchLine * */
} BenchOutcome;

typedef enum
{
  BENCH_MET,
  BENCH_MISSED,
  BENCH_SHOWN,          /* the bar is one for another backend */
  BENCH_FOR_A_FULL_RUN, /* it depends on large counts */
  BENCH_UNKNOWN,        /* there are no figures */
} BenchJudgement;

/* A bar, and what a line is to it. */
typedef struct
{
  const BenchBar *bar;
  const BenchLine *line;
  const BenchLine *reference; /* NULL: the bar stands for itself, or there is none */
  const char *than_figure;
  gboolean known; /* as are the rest */
  double value;
  double unit; /* of the reference; else 1 */
  double ratio;
  BenchJudgement judgement;
} BenchVerdict;

/* bench-line.c */
BenchLine *bench_line_new (const BenchRow *row, const char *system);
void bench_line_free (BenchLine *self);
void bench_line_add (BenchLine *self, const char *key, double value);
/* The median; FALSE if there is none. */
gboolean bench_line_get (const BenchLine *self, const char *key, double *value);
/* The system and its variant. */
char *bench_line_label (const BenchLine *self);
/* For people: "1,234,568", "0.123". */
char *bench_format_number (double value);
/* Whether it is one of ours. */
gboolean bench_is_backend (const char *system);
/* The lines of a case that the options ask for. */
GPtrArray *bench_lines_new (const BenchCase *bench_case, const BenchOptions *options);

/* bench-bar.c */
/* All bars of a case, for each line that they are about: of BenchVerdict. */
GArray *bench_judge (const BenchOutcome *outcome, const BenchOptions *options);
/* Whether a bar depends on it; else it is only looked at. */
gboolean bench_is_judged (const BenchCase *bench_case, const BenchLine *line);

/* bench-process.c: one measurement, in a process and a folder of its own. */
void bench_measure (BenchLine *line, const BenchOptions *options);
/* Makes the line's store, if it wants one. */
void bench_prepare (BenchLine *line, const BenchOptions *options);
/* Ends a measurement that is under way; its figures are lost. */
void bench_stop (int signal);
gboolean bench_is_stopped (void);
/* What a measurement has left is of no more use. */
void bench_discard (const BenchLine *line, const char *path);
/* Removes a folder with all that is in it, and waits until the disk is at rest. */
void bench_remove_folder (const char *path);

/* bench-report.c */
void bench_print_outcome (const BenchOutcome *outcome, const BenchOptions *options);
/* How many bars are met, missed, and could not be judged so far. */
void bench_print_summary (void);

/* bench-json.c */
gboolean bench_write_json (GPtrArray *outcomes, const char *path, GError **error);

/* bench-markdown.c */
gboolean bench_write_markdown (GPtrArray *outcomes, const BenchOptions *options, GError **error);

G_END_DECLS
