/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A case of the layer power: what is recorded, which cut is tried, and the functions that are
 * played in children. */

#pragma once

#include "power-disk.h"
#include "torture.h"
#include "workload.h"

G_BEGIN_DECLS

typedef struct
{
  WorkLog log;      /* of the recording */
  WorkLog attempt;  /* of one state */
  guint64 n_states; /* tried by the child */
  guint event;      /* where the child is … */
  guint choice;     /* … and which state it tries */
  ShimFault sync;   /* one of those that were seen; count 0: there was none */
} Shared;

/* A cut, before the one that is tried; or only a kill: then what the process wrote is in the
 * kernel's memory, and the next one finds it all, certain or not. If a sync has failed by then, the
 * next one finds it as well, but no sync of what it does not write anew makes it certain. */
typedef struct
{
  gboolean is_kill;
  gboolean sync_failed; /* the one that comes next: the kill comes right behind it */
  guint event;
  guint32 chance; /* of the choice */
  guint choice;
  guint n_answered;
} FirstCut;

typedef struct
{
  const TortureTask *task;
  guint64 seed;
  char *folder;
  char *recording; /* the path of the file */
  GArray *steps;   /* of WorkStep */
  GArray *events;  /* of ShimEvent */
  Shared *shared;
  guint first_event; /* where the next child begins */

  gboolean has_fault;
  ShimFault fault;  /* of the recording */
  gboolean cleared; /* in the child: it was over at the last opening */

  FirstCut first;
  GArray *opening; /* of ShimEvent: what was recorded after the first cut; NULL: no second one */
} Power;

/* In a child: the workload; and the opening after the first cut. Both save what they recorded. */
void power_record (gpointer data);
void power_record_opening (gpointer data);
/* In a child: from @first_event on, until there were enough states; shared->event is where the next
 * one begins, or what is wrong. */
void power_try_states (gpointer data);

/* Those in which it is cut. */
GArray *power_get_events (const Power *self);
void power_do_events (PowerDisk *disk, GArray *events, guint n);
/* Makes @disk, a new one, what it is after the first cut, or kill; sets first.choice. */
void power_make_first_cut (Power *self, PowerDisk *disk);
/* The choice with that number, of @n parts; FALSE: there are no more. */
gboolean power_choose (guint number, guint n, guint64 seed, gboolean *has);

G_END_DECLS
