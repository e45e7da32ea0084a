/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-delivery-private.h"

typedef struct
{
  gpointer item;
  GFunc func;
  GDestroyNotify drop;
} Parcel;

typedef struct
{
  GSource source;
  GMainContext *context; /* only compared: the key in sources */
  GArray *parcels;       /* of Parcel; guarded by lock */
} Delivery;

static GMutex lock;
static GHashTable
    *sources; /* GMainContext → Delivery that has not been dispatched; guarded by lock */

/* Takes what waits, so that what comes from now on makes a new source. */
static GArray *
take_parcels (Delivery *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  if (self->parcels && g_hash_table_lookup (sources, self->context) == self)
    g_hash_table_remove (sources, self->context);
  return g_steal_pointer (&self->parcels);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  g_autoptr (GArray) parcels = take_parcels ((Delivery *) source);

  for (guint i = 0; i < parcels->len; i++)
    {
      Parcel *parcel = &g_array_index (parcels, Parcel, i);

      parcel->func (parcel->item, NULL);
    }
  return G_SOURCE_REMOVE;
}

static void
finalize (GSource *source)
{
  g_autoptr (GArray) parcels = take_parcels ((Delivery *) source);

  for (guint i = 0; parcels && i < parcels->len; i++)
    {
      Parcel *parcel = &g_array_index (parcels, Parcel, i);

      parcel->drop (parcel->item);
    }
}

static GSourceFuncs source_funcs = { .dispatch = dispatch, .finalize = finalize };

static Delivery *
make_source (GMainContext *context)
{
  GSource *source = g_source_new (&source_funcs, sizeof (Delivery));
  Delivery *self = (Delivery *) source;

  g_source_set_static_name (source, "jobqueue delivery");
  self->context = context;
  self->parcels = g_array_new (FALSE, FALSE, sizeof (Parcel));
  g_source_set_ready_time (source, 0);
  return self;
}

void
job_delivery_push (GMainContext *context, gpointer item, GFunc func, GDestroyNotify drop)
{
  Parcel parcel = { item, func, drop };
  Delivery *made = NULL;

  g_mutex_lock (&lock);
  if (sources == NULL)
    sources = g_hash_table_new (NULL, NULL);
  Delivery *self = g_hash_table_lookup (sources, context);
  if (self == NULL)
    {
      self = made = make_source (context);
      g_hash_table_insert (sources, context, self);
    }
  g_array_append_val (self->parcels, parcel);
  g_mutex_unlock (&lock);

  if (made)
    {
      g_source_attach (&made->source, context);
      g_source_unref (&made->source);
    }
}
