/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A context's source stays once it is there, and goes with the context: to make one for each answer
 * cost more than the answer. It has no file descriptor and no time of its own; it is ready when its
 * list is not empty, and who puts the first parcel there wakes the context up. */

#include "job-delivery-private.h"

#define MIN_TIMED 4 /* opening fewer parcels does not tell how long it takes */

/* Brings what came for one context, one parcel at a time: what a parcel calls may iterate the
 * context, and wait there for a parcel behind it. So the source can recurse, and takes a parcel off
 * the list only when it is its turn. */
typedef struct
{
  GSource source;
  GMainContext *context; /* constant; only compared: the key in sources */
  GQueue parcels;        /* of JobParcel.link; guarded by lock */
  guint n_parcels;       /* how many these are; written with lock, read atomically */
  GArray *nudges;        /* of Nudge, only while there are parcels; guarded by lock. Or NULL */
  guint n_nudges;        /* how many these are; written with lock, read atomically */
  gint64 opening_time;   /* µs: how long it took last time … */
  guint n_opened;        /* … to open so many; guarded by lock */
} Delivery;

/* Something that waits for parcels to be opened. */
typedef struct
{
  int n_more; /* of them; below 0: it is due */
  void (*func) (gpointer data);
  gpointer data;
} Nudge;

static GMutex lock;
static GHashTable *sources; /* GMainContext → Delivery; guarded by lock */
static GPrivate rounds;     /* the thread's round: a GQueue of JobParcel.link */

/* --- the source ------------------------------------------------------------------------------- */

static JobParcel *
take_parcel (Delivery *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  GList *link = g_queue_pop_head_link (&self->parcels);

  g_atomic_int_set (&self->n_parcels, self->parcels.length);
  for (guint i = 0; self->nudges && i < self->nudges->len; i++)
    g_array_index (self->nudges, Nudge, i).n_more--;
  return link ? link->data : NULL;
}

static gboolean
take_nudge (Delivery *self, Nudge *nudge)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  for (guint i = 0; self->nudges && i < self->nudges->len; i++)
    {
      *nudge = g_array_index (self->nudges, Nudge, i);
      if (nudge->n_more >= 0 && self->parcels.length > 0)
        continue;
      g_array_remove_index_fast (self->nudges, i);
      g_atomic_int_set (&self->n_nudges, self->nudges->len);
      return TRUE;
    }
  return FALSE;
}

static void
call_nudges (Delivery *self)
{
  Nudge nudge;

  while (g_atomic_int_get (&self->n_nudges) > 0 && take_nudge (self, &nudge))
    nudge.func (nudge.data);
}

static gboolean
check (GSource *source)
{
  return g_atomic_int_get (&((Delivery *) source)->n_parcels) > 0;
}

static gboolean
prepare (GSource *source, gint *timeout)
{
  *timeout = -1;
  return check (source);
}

static void
note_time (Delivery *self, guint n_opened, gint64 time)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  self->n_opened = n_opened;
  self->opening_time = time;
}

/* Only what is there now: what is answered meanwhile must not keep others from their turn. Nudges
 * come before the last parcel, which may wait for what they do. */
static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  Delivery *self = (Delivery *) source;
  guint n_parcels = g_atomic_int_get (&self->n_parcels);
  gint64 began = n_parcels >= MIN_TIMED ? g_get_monotonic_time () : 0;
  JobParcel *parcel;

  for (guint left = n_parcels; left > 0 && (parcel = take_parcel (self)); left--)
    {
      call_nudges (self);
      parcel->open (parcel);
    }
  if (n_parcels >= MIN_TIMED)
    note_time (self, n_parcels, g_get_monotonic_time () - began);
  return G_SOURCE_CONTINUE;
}

/* The context is going. When the source is destroyed the context still has its address, but another
 * one may have it before the source is finalized. */
static void
forget (gpointer data)
{
  Delivery *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_hash_table_remove (sources, self->context);
}

static void
finalize (GSource *source)
{
  Delivery *self = (Delivery *) source;
  JobParcel *parcel;

  while ((parcel = take_parcel (self)))
    parcel->drop (parcel);
  call_nudges (self);
  g_clear_pointer (&self->nudges, g_array_unref);
}

static GSourceFuncs source_funcs = { prepare, check, dispatch, finalize };

static Delivery *
make_source (GMainContext *context)
{
  GSource *source = g_source_new (&source_funcs, sizeof (Delivery));
  Delivery *self = (Delivery *) source;

  g_source_set_static_name (source, "jobqueue delivery");
  g_source_set_can_recurse (source, TRUE);
  g_source_set_callback (source, NULL, self, forget);
  self->context = context;
  g_queue_init (&self->parcels);
  return self;
}

/* With the lock: the source of @context, which is to be attached if it is *made. */
static Delivery *
get_source_locked (GMainContext *context, Delivery **made)
{
  Delivery *self;

  if (sources == NULL)
    sources = g_hash_table_new (NULL, NULL);
  self = g_hash_table_lookup (sources, context);
  if (self == NULL)
    {
      self = *made = make_source (context);
      g_hash_table_insert (sources, context, self);
    }
  return self;
}

/* --- putting off ------------------------------------------------------------------------------ */

gboolean
job_delivery_is_opening (GMainContext *context)
{
  GSource *source = g_main_current_source ();

  return source && source->source_funcs == &source_funcs &&
         ((Delivery *) source)->context == context;
}

/* Of @n_all, how many are worth waiting for. */
static guint
count_wanted_locked (const Delivery *self, guint n_all, gint64 patience)
{
  gboolean is_short = self->n_opened > 0 && n_all * self->opening_time < patience * self->n_opened;

  return is_short ? n_all : n_all / 2;
}

gboolean
job_delivery_put_off (GMainContext *context, guint n_made, gint64 patience,
                      void (*func) (gpointer data), gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  Delivery *self = sources ? g_hash_table_lookup (sources, context) : NULL;
  Nudge nudge = { .func = func, .data = data };
  guint n_parcels, n_wanted;

  if (self == NULL || self->parcels.length == 0)
    return FALSE;
  n_parcels = self->parcels.length;
  n_wanted = count_wanted_locked (self, n_made + n_parcels, patience);
  if (n_wanted <= n_made)
    return FALSE;
  nudge.n_more = n_wanted - n_made;
  if (self->nudges == NULL)
    self->nudges = g_array_new (FALSE, FALSE, sizeof (Nudge));
  g_array_append_val (self->nudges, nudge);
  g_atomic_int_set (&self->n_nudges, self->nudges->len);
  return TRUE;
}

/* --- pushing ---------------------------------------------------------------------------------- */

/* With the lock: moves those at the head of @parcels that are for @context. */
static void
move_locked (GQueue *parcels, GMainContext *context, Delivery *to)
{
  while (parcels->head && ((JobParcel *) parcels->head->data)->context == context)
    g_queue_push_tail_link (&to->parcels, g_queue_pop_head_link (parcels));
  g_atomic_int_set (&to->n_parcels, to->parcels.length);
}

/* A thread that has the context will look at its sources before it sleeps. */
static void
wake_up (GMainContext *context)
{
  if (!g_main_context_is_owner (context))
    g_main_context_wakeup (context);
}

/* As soon as the lock is given up, the parcels may be opened, and the context be gone. */
static void
bring (GQueue *parcels)
{
  g_autoptr (GMainContext) context =
      g_main_context_ref (((JobParcel *) parcels->head->data)->context);
  Delivery *made = NULL;
  Delivery *self;
  gboolean was_empty;

  g_mutex_lock (&lock);
  self = get_source_locked (context, &made);
  was_empty = self->parcels.length == 0;
  move_locked (parcels, context, self);
  g_mutex_unlock (&lock);

  if (made)
    {
      g_source_attach (&made->source, context);
      g_source_unref (&made->source);
    }
  else if (was_empty)
    wake_up (context);
}

void
job_delivery_push (JobParcel *parcel, GMainContext *context, JobParcelFunc open, JobParcelFunc drop)
{
  GQueue *round = g_private_get (&rounds);
  GQueue single = G_QUEUE_INIT;

  *parcel = (JobParcel){ { .data = parcel }, context, open, drop };
  g_queue_push_tail_link (round ? round : &single, &parcel->link);
  if (round == NULL)
    bring (&single);
}

void
job_delivery_begin_round (GQueue *round)
{
  g_assert (g_private_get (&rounds) == NULL);

  g_queue_init (round);
  g_private_set (&rounds, round);
}

void
job_delivery_end_round (GQueue *round)
{
  g_private_set (&rounds, NULL);
  while (round->head)
    bring (round);
}
