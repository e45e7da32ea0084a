/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One record that a store could not read: where it is, what is wrong with it, and whose it is if
 * that can be told. It is left in place until somebody moves it away. */

#include "job-store.h"

/**
 * JobDamage:
 *
 * A record that could not be read when its queue was opened, or later. The queue works without it;
 * job_queue_list_damaged() lists such records, and job_queue_move_damaged() moves them away.
 *
 * It never changes, and may be used from any thread.
 *
 * Since: 1.0
 */
struct _JobDamage
{
  GObject parent_instance;

  /* Constant after construction. */
  char *location;
  char *message;
  char *id;
};

enum
{
  PROP_LOCATION = 1,
  PROP_MESSAGE,
  PROP_ID,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (JobDamage, job_damage, G_TYPE_OBJECT)

static void
job_damage_get_property (GObject *object, guint property, GValue *value, GParamSpec *pspec)
{
  JobDamage *self = JOB_DAMAGE (object);

  switch (property)
    {
    case PROP_LOCATION:
      g_value_set_string (value, self->location);
      break;
    case PROP_MESSAGE:
      g_value_set_string (value, self->message);
      break;
    case PROP_ID:
      g_value_set_string (value, self->id);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, pspec);
    }
}

static void
job_damage_finalize (GObject *object)
{
  JobDamage *self = JOB_DAMAGE (object);

  g_free (self->location);
  g_free (self->message);
  g_free (self->id);
  G_OBJECT_CLASS (job_damage_parent_class)->finalize (object);
}

static void
job_damage_class_init (JobDamageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = job_damage_get_property;
  object_class->finalize = job_damage_finalize;

  /**
   * JobDamage:location:
   *
   * Where the record is: a path, or what the store calls the place.
   *
   * Since: 1.0
   */
  properties[PROP_LOCATION] = g_param_spec_string ("location", NULL, NULL, NULL, flags);
  /**
   * JobDamage:message:
   *
   * What is wrong with it, for people.
   *
   * Since: 1.0
   */
  properties[PROP_MESSAGE] = g_param_spec_string ("message", NULL, NULL, NULL, flags);
  /**
   * JobDamage:id:
   *
   * The id of the job, or %NULL if it cannot be told.
   *
   * Since: 1.0
   */
  properties[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
job_damage_init (JobDamage *self)
{
}

JobDamage *
job_damage_new (const char *location, const char *message, const JobId *id)
{
  JobDamage *self = g_object_new (JOB_TYPE_DAMAGE, NULL);

  self->location = g_strdup (location);
  self->message = g_strdup (message);
  self->id = id != NULL ? job_id_dup_text (id) : NULL;
  return self;
}

/**
 * job_damage_get_location:
 * @self: a damaged record
 *
 * Where the record is: a path, or what the store calls the place.
 *
 * Returns: (transfer none): the location
 *
 * Since: 1.0
 */
const char *
job_damage_get_location (JobDamage *self)
{
  g_return_val_if_fail (JOB_IS_DAMAGE (self), NULL);

  return self->location;
}

/**
 * job_damage_get_message:
 * @self: a damaged record
 *
 * What is wrong with the record, in a sentence for people.
 *
 * Returns: (transfer none): the message
 *
 * Since: 1.0
 */
const char *
job_damage_get_message (JobDamage *self)
{
  g_return_val_if_fail (JOB_IS_DAMAGE (self), NULL);

  return self->message;
}

/**
 * job_damage_get_id:
 * @self: a damaged record
 *
 * The id of the job that the record is of.
 *
 * Returns: (transfer none) (nullable): the id, or %NULL if it cannot be told
 *
 * Since: 1.0
 */
const char *
job_damage_get_id (JobDamage *self)
{
  g_return_val_if_fail (JOB_IS_DAMAGE (self), NULL);

  return self->id;
}
