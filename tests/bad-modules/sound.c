/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A module with nothing wrong. Its queue answers no call: it is only ever opened. */

#include "deaf.h"

#define SOUND_TYPE_QUEUE (sound_queue_get_type ())
G_DECLARE_FINAL_TYPE (SoundQueue, sound_queue, SOUND, QUEUE, GObject)

struct _SoundQueue
{
  GObject parent_instance;
};

static gboolean
sound_queue_initable_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
sound_queue_initable_iface_init (GInitableIface *iface)
{
  iface->init = sound_queue_initable_init;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (SoundQueue, sound_queue, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (JOB_TYPE_QUEUE, deaf_iface_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE,
                                                          sound_queue_initable_iface_init))

static void
sound_queue_class_init (SoundQueueClass *klass)
{
}

static void
sound_queue_init (SoundQueue *self)
{
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "sound", sound_queue_get_type, NULL)
