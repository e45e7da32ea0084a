/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the parts of the layer "threads" share. */

#pragma once

#include "torture.h"

#include <jobqueue.h>

G_BEGIN_DECLS

/* One queue, on which case after case is played. */
typedef struct
{
  const TortureTask *task;
  char *folder;
  JobQueue *queue;
  GRand *rand;  /* of the case; for its main thread only */
  guint64 seed; /* of the case */
  guint64 n_answers;
  char *story; /* what is wrong; NULL: nothing */
} Arena;

void arena_open (Arena *self);
/* And again, with what is there. Nothing is there in a queue that is in memory only. */
void arena_close (Arena *self);
gboolean arena_is_durable (const Arena *self);
/* Notes down what is wrong, if nothing is yet. */
void arena_complain (Arena *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Cancels all that is not over. */
void arena_clear (Arena *self);

/* One of @n, from 0. */
static inline guint
draw (GRand *rand, guint n)
{
  return (guint) g_rand_int_range (rand, 0, (gint32) n);
}

/* A generator for another thread. */
GRand *draw_rand (GRand *rand);
/* Lets a little time pass, or none, so that threads meet in ever other ways. */
void dawdle (GRand *rand);

/* The kinds of cases. */
void threads_play_history (Arena *arena);
void threads_play_cancellation (Arena *arena);
void threads_play_chains (Arena *arena);
void threads_play_close (Arena *arena);

G_END_DECLS
