/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is seen of a process, its files and its calls in one part of a long run, and whether a later
 * part is as an earlier one. */

#pragma once

#include "endurance-load.h"

G_BEGIN_DECLS

/* Bytes that a job takes in the database, or in the journal, at most. */
#define ENDURANCE_JOB_SIZE 1024

/* The most that was seen, if not otherwise said. */
typedef struct
{
  guint64 memory; /* resident, bytes */
  guint n_files;
  guint n_threads;
  guint64 journal;  /* bytes in the files of the journal */
  guint64 rollback; /* … in SQLite's own */
  guint64 database; /* … in the database, at the end of the part */
  guint64 n_jobs;   /* that there were by then */
  double seconds;
  EnduranceTimes times;
} EndurancePart;

/* Of this process, with the database @file. */
void endurance_part_sample (EndurancePart *self, const char *file);
/* What grew, in words, or %NULL. */
char *endurance_part_compare (const EndurancePart *early, const EndurancePart *late,
                              guint64 checkpoint_size);

void endurance_part_print_head (void);
void endurance_part_print (const EndurancePart *self, guint64 n_jobs);

G_END_DECLS
