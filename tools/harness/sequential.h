/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The queue as one thread sees it: what each operation of a history has to answer, if they came one
 * after the other. It is told what the history knows of each, and says whether that fits.
 *
 * The reference model of the other layers would do, but a search through orders copies its state
 * for each step and compares it with all that it saw before: so this one is a hundred bytes without
 * a pointer. */

#pragma once

#include "history.h"

G_BEGIN_DECLS

typedef struct
{
  guint8 is_known; /* it was enqueued */
  guint8 place;    /* how many were enqueued before it */
  guint8 state;    /* a JobState */
  guint8 attempts;
  guint8 reason;
  guint8 outcome; /* 1 + the operation that brought it; 0: none */
  guint8
      lease; /* 1 + the operation that was given it; of a running one, and of one that ended so */
  guint8 unused; /* no padding: it is hashed and compared as bytes */
} SequentialJob;

typedef struct
{
  SequentialJob jobs[HISTORY_MAX_JOBS];
  guint64 n_known;
} Sequential;

G_STATIC_ASSERT (sizeof (SequentialJob) == 8);
G_STATIC_ASSERT (sizeof (Sequential) == 8 * (HISTORY_MAX_JOBS + 1));

/* Has the operation happen. FALSE, and nothing is known any more, if its answer would be another
 * one than the history has. One that has not returned may have any answer. */
gboolean sequential_apply (Sequential *self, const History *history, guint number);

G_END_DECLS
