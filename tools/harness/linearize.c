/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The search goes along a list of events, calls and returns in the order of time. An operation can
 * be next if its call stands before the first return in the list; when it is taken, both its events
 * leave the list. A return at the front means that its operation should have been taken before. */

#include "linearize.h"

#include "sequential.h"

#include <string.h>

#define MAX_EVENTS (2 * HISTORY_MAX_OPERATIONS)
#define HEAD 0 /* of the ring; events begin at 1 */

typedef struct
{
  guint when;
  guint8 operation;
  gboolean is_return;
} Event;

/* A point of the search. */
typedef struct
{
  guint64 done; /* a set of operations */
  Sequential state;
} Configuration;

typedef struct
{
  const History *history;
  guint n_events;
  Event events[MAX_EVENTS + 1];
  guint8 next[MAX_EVENTS + 1];
  guint8 before[MAX_EVENTS + 1];
  guint8 returns[HISTORY_MAX_OPERATIONS]; /* its event; HEAD: it has none */
  guint n_returns_left;
  Configuration now;
  GHashTable *seen; /* of Configuration */
  guint depth;
  struct
  {
    guint8 call; /* its event */
    Configuration before;
  } taken[HISTORY_MAX_OPERATIONS];
} Search;

/* --- events ----------------------------------------------------------------------------------- */

static void
add_event (Search *self, guint operation, guint when, gboolean is_return)
{
  self->events[++self->n_events] = (Event){ when, (guint8) operation, is_return };
}

static int
compare_events (gconstpointer a, gconstpointer b)
{
  const Event *x = a;
  const Event *y = b;

  return x->when < y->when ? -1 : x->when > y->when;
}

static void
make_ring (Search *self)
{
  for (guint i = 1; i <= self->n_events; i++)
    {
      self->next[i - 1] = (guint8) i;
      self->before[i] = (guint8) (i - 1);
      if (!self->events[i].is_return)
        continue;
      self->returns[self->events[i].operation] = (guint8) i;
      self->n_returns_left++;
    }
  self->next[self->n_events] = HEAD;
  self->before[HEAD] = (guint8) self->n_events;
}

static void
list_events (Search *self)
{
  const History *history = self->history;

  for (guint i = 0; i < history->n_operations; i++)
    {
      if (!history_has (history, i))
        continue;
      add_event (self, i, history->operations[i].called, FALSE);
      if (history->operations[i].returned != HISTORY_PENDING)
        add_event (self, i, history->operations[i].returned, TRUE);
    }
  qsort (self->events + 1, self->n_events, sizeof *self->events, compare_events);
  make_ring (self);
}

static void
take_out (Search *self, guint event)
{
  self->next[self->before[event]] = self->next[event];
  self->before[self->next[event]] = self->before[event];
}

static void
put_back (Search *self, guint event)
{
  self->next[self->before[event]] = (guint8) event;
  self->before[self->next[event]] = (guint8) event;
}

/* --- configurations --------------------------------------------------------------------------- */

static guint
configuration_hash (gconstpointer data)
{
  const guint64 *words = data;
  guint64 hash = 0;

  for (guint i = 0; i < sizeof (Configuration) / sizeof *words; i++)
    {
      hash = (hash ^ words[i]) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
      hash ^= hash >> 29;
    }
  return (guint) hash;
}

static gboolean
configuration_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Configuration)) == 0;
}

/* FALSE: the search was there before. */
static gboolean
is_new (Search *self, const Configuration *configuration)
{
  if (g_hash_table_contains (self->seen, configuration))
    return FALSE;
  g_hash_table_add (self->seen, g_memdup2 (configuration, sizeof *configuration));
  return TRUE;
}

/* --- the search ------------------------------------------------------------------------------- */

/* FALSE: it cannot be next, or that leads nowhere. */
static gboolean
take (Search *self, guint call)
{
  guint operation = self->events[call].operation;
  Configuration after = self->now;

  after.done |= G_GUINT64_CONSTANT (1) << operation;
  if (!sequential_apply (&after.state, self->history, operation) || !is_new (self, &after))
    return FALSE;
  self->taken[self->depth].call = (guint8) call;
  self->taken[self->depth].before = self->now;
  self->depth++;
  self->now = after;
  take_out (self, call);
  if (self->returns[operation] != HEAD)
    {
      take_out (self, self->returns[operation]);
      self->n_returns_left--;
    }
  return TRUE;
}

/* The last one that was taken; its call. */
static guint
go_back (Search *self)
{
  guint call = self->taken[--self->depth].call;
  guint operation = self->events[call].operation;

  if (self->returns[operation] != HEAD)
    {
      put_back (self, self->returns[operation]);
      self->n_returns_left++;
    }
  put_back (self, call);
  self->now = self->taken[self->depth].before;
  return call;
}

/* Done when all that returned have been taken: what has not may never have happened. */
static gboolean
search (Search *self)
{
  guint at = self->next[HEAD];

  while (self->n_returns_left > 0)
    if (!self->events[at].is_return && take (self, at))
      at = self->next[HEAD];
    else if (!self->events[at].is_return)
      at = self->next[at];
    else if (self->depth > 0)
      at = self->next[go_back (self)];
    else
      return FALSE;
  return TRUE;
}

gboolean
linearize_check (const History *history)
{
  g_autofree Search *self = g_new0 (Search, 1);
  gboolean found;

  self->history = history;
  self->seen = g_hash_table_new_full (configuration_hash, configuration_equal, g_free, NULL);
  list_events (self);
  found = search (self);
  g_hash_table_unref (self->seen);
  return found;
}

/* --- shrinking -------------------------------------------------------------------------------- */

/* As it was known at some time: a beginning of a good history is a good history. */
static void
cut (History *history, guint when)
{
  for (guint i = 0; i < history->n_operations; i++)
    if (history->operations[i].called > when)
      history->kept &= ~(G_GUINT64_CONSTANT (1) << i);
    else if (history->operations[i].returned > when)
      history->operations[i].returned = HISTORY_PENDING;
}

/* The least time that still fails. */
static void
cut_end (History *history)
{
  guint good = 0, bad = 2 * HISTORY_MAX_OPERATIONS;

  while (good + 1 < bad)
    {
      guint middle = (good + bad) / 2;
      History beginning = *history;

      cut (&beginning, middle);
      if (linearize_check (&beginning))
        good = middle;
      else
        bad = middle;
    }
  cut (history, bad);
}

static gboolean
has_dependent (const History *history, guint number)
{
  for (guint i = 0; i < history->n_operations; i++)
    {
      const HistoryOperation *operation = &history->operations[i];
      const HistoryJob *job = &history->jobs[operation->job % HISTORY_MAX_JOBS];

      if (!history_has (history, i) || operation->verb != HISTORY_ENQUEUE)
        continue;
      for (guint j = 0; j < job->n_dependencies; j++)
        if (job->dependencies[j] == number)
          return TRUE;
    }
  return FALSE;
}

/* All that is about one job: without it the others would have got the same answers. Not a dequeue
 * that has not returned, which may have got any job. */
static guint64
list_about (const History *history, guint job)
{
  guint64 about = 0;

  for (guint i = 0; i < history->n_operations; i++)
    if (history->operations[i].job == job ||
        (history->operations[i].taken == job && history->operations[i].returned != HISTORY_PENDING))
      about |= G_GUINT64_CONSTANT (1) << i;
  return about & history->kept;
}

static gboolean
try_without (History *history, guint64 dropped)
{
  guint64 all = history->kept;

  if (dropped == 0)
    return FALSE;
  history->kept &= ~dropped;
  if (!linearize_check (history))
    return TRUE;
  history->kept = all;
  return FALSE;
}

void
linearize_shrink (History *history)
{
  gboolean again;

  cut_end (history);
  do
    {
      again = FALSE;
      for (guint i = 0; i < history->n_jobs; i++)
        if (!has_dependent (history, i))
          again |= try_without (history, list_about (history, i));
      for (guint i = 0; i < history->n_operations; i++)
        if (history_has (history, i) && history_is_idle (history, i))
          again |= try_without (history, G_GUINT64_CONSTANT (1) << i);
    }
  while (again);
}
