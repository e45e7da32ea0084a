/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks over the shoulder of a store: notes when its apply() and checkpoint() are at work. This
 * replaces the functions in the class of the one kind of store that the process has. */

#include "bench.h"

#include <unistd.h>

static GMutex lock; /* guards the rest */
static BenchStoreWork work;
static gboolean blocked; /* no checkpoint any more */

/* Constant once it is watched. */
static gboolean (*original_apply) (JobStore *, const JobChange *, gsize, GError **);
static gboolean (*original_checkpoint) (JobStore *, GError **);

static void
wait_if_blocked (void)
{
  gboolean stop;

  g_mutex_lock (&lock);
  stop = blocked;
  g_mutex_unlock (&lock);
  while (stop)
    pause ();
}

static void
note_span (GArray *spans, gint64 begin)
{
  BenchSpan span = { begin, bench_now () };

  g_array_append_val (spans, span);
}

static gboolean
watched_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  gint64 begin = bench_now ();
  guint64 n_records = 0;
  gboolean good;

  for (gsize i = 0; i < n_changes; i++)
    n_records += changes[i].record != NULL;
  good = original_apply (store, changes, n_changes, error);
  g_mutex_lock (&lock);
  note_span (work.applies, begin);
  work.n_records += n_records;
  g_mutex_unlock (&lock);
  return good;
}

static gboolean
watched_checkpoint (JobStore *store, GError **error)
{
  gint64 begin = bench_now ();
  gboolean good;

  wait_if_blocked ();
  good = original_checkpoint (store, error);
  g_mutex_lock (&lock);
  note_span (work.checkpoints, begin);
  g_mutex_unlock (&lock);
  return good;
}

void
bench_store_watch (void)
{
  guint n_types = 0;
  g_autofree GType *types = g_type_children (JOB_TYPE_STORE, &n_types);
  JobStoreClass *klass;

  if (n_types != 1)
    bench_fail ("There are %u kinds of store in this process, and only one can be watched",
                n_types);
  work.applies = g_array_new (FALSE, FALSE, sizeof (BenchSpan));
  work.checkpoints = g_array_new (FALSE, FALSE, sizeof (BenchSpan));
  klass = g_type_class_ref (types[0]);
  original_apply = klass->apply;
  original_checkpoint = klass->checkpoint;
  klass->apply = watched_apply;
  klass->checkpoint = watched_checkpoint;
}

BenchStoreWork
bench_store_get_work (void)
{
  BenchStoreWork copy;

  g_mutex_lock (&lock);
  copy = (BenchStoreWork){ g_array_copy (work.applies), g_array_copy (work.checkpoints),
                           work.n_records };
  g_mutex_unlock (&lock);
  return copy;
}

void
bench_store_block (void)
{
  g_mutex_lock (&lock);
  blocked = TRUE;
  g_mutex_unlock (&lock);
}
