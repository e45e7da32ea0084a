/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backend with an option of each kind, which shows what it was given. Its queue answers no call:
 * it is only ever opened. */

#include "deaf.h"

#define FAKE_TYPE_QUEUE (fake_queue_get_type ())
G_DECLARE_FINAL_TYPE (FakeQueue, fake_queue, FAKE, QUEUE, GObject)

enum
{
  PROP_CLOCK = 1,
  PROP_DIRECTORY,
  PROP_TITLE,
  PROP_FAST,
  PROP_LEVEL,
  PROP_LIMIT,
  PROP_OFFSET,
  PROP_MAX_SIZE,
  PROP_BUS,
  PROP_RATIO,
  PROP_LATER,
  N_PROPS
};

struct _FakeQueue
{
  GObject parent_instance;

  GValue values[N_PROPS]; /* constant after construction */
};

/* The title "locked" makes it fail, as a store does that somebody else has. */
static gboolean
fake_queue_initable_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  FakeQueue *self = FAKE_QUEUE (initable);

  if (g_strcmp0 (g_value_get_string (&self->values[PROP_TITLE]), "locked") != 0)
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_LOCKED, "It is locked");
  return FALSE;
}

static void
fake_queue_initable_iface_init (GInitableIface *iface)
{
  iface->init = fake_queue_initable_init;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeQueue, fake_queue, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (JOB_TYPE_QUEUE, deaf_iface_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE,
                                                          fake_queue_initable_iface_init))

static void
fake_queue_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  FakeQueue *self = FAKE_QUEUE (object);

  if (!G_IS_VALUE (&self->values[id]))
    g_value_init (&self->values[id], G_VALUE_TYPE (value));
  g_value_copy (value, &self->values[id]);
}

static void
fake_queue_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FakeQueue *self = FAKE_QUEUE (object);

  if (G_IS_VALUE (&self->values[id]))
    g_value_copy (&self->values[id], value);
}

static void
fake_queue_finalize (GObject *object)
{
  FakeQueue *self = FAKE_QUEUE (object);

  for (guint i = 0; i < N_PROPS; i++)
    if (G_IS_VALUE (&self->values[i]))
      g_value_unset (&self->values[i]);

  G_OBJECT_CLASS (fake_queue_parent_class)->finalize (object);
}

static void
fake_queue_class_init (FakeQueueClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamSpec *props[N_PROPS] = {
    [PROP_CLOCK] = g_param_spec_object ("clock", NULL, NULL, JOB_TYPE_CLOCK, flags),
    [PROP_DIRECTORY] = g_param_spec_string ("directory", NULL, NULL, NULL, flags),
    [PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, "none", flags),
    [PROP_FAST] = g_param_spec_boolean ("fast", NULL, NULL, FALSE, flags),
    [PROP_LEVEL] = g_param_spec_int ("level", NULL, NULL, -5, 5, 0, flags),
    [PROP_LIMIT] = g_param_spec_uint ("limit", NULL, NULL, 1, 100, 10, flags),
    [PROP_OFFSET] = g_param_spec_int64 ("offset", NULL, NULL, G_MININT64, -1, -2, flags),
    [PROP_MAX_SIZE] = g_param_spec_uint64 ("max-size", NULL, NULL, 0, G_MAXUINT64, 7, flags),
    [PROP_BUS] = g_param_spec_enum ("bus", NULL, NULL, G_TYPE_BUS_TYPE, G_BUS_TYPE_NONE, flags),
    /* No options: a double is of no kind that options have, the other one is not for construction.
     */
    [PROP_RATIO] = g_param_spec_double ("ratio", NULL, NULL, 0, 1, 0, flags),
    [PROP_LATER] = g_param_spec_string ("later", NULL, NULL, NULL, G_PARAM_READWRITE),
  };

  object_class->set_property = fake_queue_set_property;
  object_class->get_property = fake_queue_get_property;
  object_class->finalize = fake_queue_finalize;
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
fake_queue_init (FakeQueue *self)
{
}

JOB_PLUGIN_DEFINE (JOB_PLUGIN_BACKEND, "fake", fake_queue_get_type, "directory")
