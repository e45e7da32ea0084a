/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-delivery-private.h"

typedef struct
{
  GList link; /* in parcels; data: this */
  gpointer item;
  GFunc func;
  GDestroyNotify drop;
} Parcel;

/* Brings what came for one context, one parcel at a time: what a parcel calls may iterate the
 * context, and wait there for a parcel behind it. So the source can recurse, and takes a parcel off
 * the list only when it is its turn. */
typedef struct
{
  GSource source;
  GMainContext *context; /* constant; only compared: the key in sources */
  GQueue parcels;        /* of Parcel.link; guarded by lock */
} Delivery;

static GMutex lock;
static GHashTable *sources; /* GMainContext → Delivery that takes parcels; guarded by lock */

static guint
count_parcels (Delivery *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return self->parcels.length;
}

static Parcel *
take_parcel (Delivery *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  GList *link = g_queue_pop_head_link (&self->parcels);

  return link ? link->data : NULL;
}

/* FALSE if there are more parcels. Otherwise what comes from now on makes a new source. */
static gboolean
retire (Delivery *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  if (self->parcels.length > 0)
    return FALSE;
  if (g_hash_table_lookup (sources, self->context) == self)
    g_hash_table_remove (sources, self->context);
  return TRUE;
}

/* Only what is there now: what is answered meanwhile must not keep others from their turn. */
static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  Delivery *self = (Delivery *) source;
  Parcel *parcel;

  for (guint left = count_parcels (self); left > 0 && (parcel = take_parcel (self)); left--)
    {
      parcel->func (parcel->item, NULL);
      g_free (parcel);
    }
  return retire (self) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void
finalize (GSource *source)
{
  Delivery *self = (Delivery *) source;
  Parcel *parcel;

  while ((parcel = take_parcel (self)))
    {
      parcel->drop (parcel->item);
      g_free (parcel);
    }
  retire (self);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch, .finalize = finalize };

static Delivery *
make_source (GMainContext *context)
{
  GSource *source = g_source_new (&source_funcs, sizeof (Delivery));
  Delivery *self = (Delivery *) source;

  g_source_set_static_name (source, "jobqueue delivery");
  g_source_set_can_recurse (source, TRUE);
  g_source_set_ready_time (source, 0);
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

void
job_delivery_push (GMainContext *context, gpointer item, GFunc func, GDestroyNotify drop)
{
  Parcel *parcel = g_new0 (Parcel, 1);
  Delivery *made = NULL;

  *parcel = (Parcel){ { .data = parcel }, item, func, drop };
  g_mutex_lock (&lock);
  g_queue_push_tail_link (&get_source_locked (context, &made)->parcels, &parcel->link);
  g_mutex_unlock (&lock);

  if (made)
    {
      g_source_attach (&made->source, context);
      g_source_unref (&made->source);
    }
}
