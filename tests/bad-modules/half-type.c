/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue that lacks a function. */

#include "deaf.h"

#define HALF_TYPE_QUEUE (half_queue_get_type ())
G_DECLARE_FINAL_TYPE (HalfQueue, half_queue, HALF, QUEUE, GObject)

struct _HalfQueue
{
  GObject parent_instance;
};

static void
half_queue_iface_init (JobQueueInterface *iface)
{
  deaf_iface_init (iface);
  iface->wait = NULL;
}

static gboolean
half_queue_initable_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
half_queue_initable_iface_init (GInitableIface *iface)
{
  iface->init = half_queue_initable_init;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (HalfQueue, half_queue, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (JOB_TYPE_QUEUE, half_queue_iface_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE,
                                                          half_queue_initable_iface_init))

static void
half_queue_class_init (HalfQueueClass *klass)
{
}

static void
half_queue_init (HalfQueue *self)
{
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "half-type", half_queue_get_type, NULL)
