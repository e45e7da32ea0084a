/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which jobs a list shall have. The lists of names are sets that never change once they are made,
 * so that copies share them and a look-up does not walk them. */

#include "job-filter-private.h"
#include "job-name-private.h"
#include "job-queue-backend.h"

#define STATE_BIT(state) (1u << (state))
#define FINAL_STATES                                                                               \
  (STATE_BIT (JOB_STATE_SUCCEEDED) | STATE_BIT (JOB_STATE_FAILED) | STATE_BIT (JOB_STATE_CANCELED))

/**
 * JobFilter:
 *
 * Which jobs job_queue_list() shall have: those that are in one of the states, of one of the types,
 * and in one of the channels. What is not set does not restrict: a new filter lets every job pass.
 *
 * A filter belongs to one thread at a time. A list that was asked for with it keeps what was set at
 * that moment.
 *
 * Since: 1.0
 */
struct _JobFilter
{
  GObject parent_instance;

  /* The user's thread; constant in a copy. */
  guint states;         /* STATE_BIT()s; 0: any */
  GHashTable *types;    /* a set of names, never changed; NULL: any */
  GHashTable *channels; /* the same */
  guint limit;
};

enum
{
  PROP_LIMIT = 1,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (JobFilter, job_filter, G_TYPE_OBJECT)

static void
job_filter_get_property (GObject *object, guint property, GValue *value, GParamSpec *pspec)
{
  if (property == PROP_LIMIT)
    g_value_set_uint (value, JOB_FILTER (object)->limit);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, pspec);
}

static void
job_filter_set_property (GObject *object, guint property, const GValue *value, GParamSpec *pspec)
{
  if (property == PROP_LIMIT)
    job_filter_set_limit (JOB_FILTER (object), g_value_get_uint (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, pspec);
}

static void
job_filter_finalize (GObject *object)
{
  JobFilter *self = JOB_FILTER (object);

  g_clear_pointer (&self->types, g_hash_table_unref);
  g_clear_pointer (&self->channels, g_hash_table_unref);
  G_OBJECT_CLASS (job_filter_parent_class)->finalize (object);
}

static void
job_filter_class_init (JobFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = job_filter_get_property;
  object_class->set_property = job_filter_set_property;
  object_class->finalize = job_filter_finalize;

  /**
   * JobFilter:limit:
   *
   * How many jobs to list at most; 0: all.
   *
   * Since: 1.0
   */
  properties[PROP_LIMIT] =
      g_param_spec_uint ("limit", NULL, NULL, 0, G_MAXUINT, 0,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
job_filter_init (JobFilter *self)
{
}

static GHashTable *
make_set (const char *const *names)
{
  GHashTable *set;

  if (names == NULL)
    return NULL;
  set = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (; *names != NULL; names++)
    g_hash_table_add (set, g_strdup (*names));
  return set;
}

static void
replace_set (GHashTable **set, const char *const *names)
{
  g_clear_pointer (set, g_hash_table_unref);
  *set = make_set (names);
}

static GHashTable *
share_set (GHashTable *set)
{
  return set != NULL ? g_hash_table_ref (set) : NULL;
}

JobFilter *
job_filter_copy (JobFilter *self)
{
  JobFilter *copy = job_filter_new ();

  if (self == NULL)
    return copy;
  copy->states = self->states;
  copy->types = share_set (self->types);
  copy->channels = share_set (self->channels);
  copy->limit = self->limit;
  return copy;
}

static const char **
list_names (GHashTable *set)
{
  return set != NULL ? (const char **) g_hash_table_get_keys_as_array (set, NULL) : NULL;
}

gboolean
job_filter_check (JobFilter *self, GError **error)
{
  g_autofree const char **types = list_names (self->types);
  g_autofree const char **channels = list_names (self->channels);

  return job_name_check_types (types, error) && job_name_check_channels (channels, error);
}

gboolean
job_filter_matches (JobFilter *self, const char *type, const char *channel, JobState state)
{
  return (self->states == 0 || (self->states & STATE_BIT (state)) != 0) &&
         (self->types == NULL || g_hash_table_contains (self->types, type)) &&
         (self->channels == NULL || g_hash_table_contains (self->channels, channel));
}

gboolean
job_filter_wants_final (JobFilter *self)
{
  return self->states == 0 || (self->states & FINAL_STATES) != 0;
}

/**
 * job_filter_new:
 *
 * A filter that lets every job pass, until it is told otherwise.
 *
 * Returns: (transfer full): a new filter
 *
 * Since: 1.0
 */
JobFilter *
job_filter_new (void)
{
  return g_object_new (JOB_TYPE_FILTER, NULL);
}

/**
 * job_filter_add_state:
 * @self: a filter
 * @state: a state
 *
 * Lets jobs in @state pass, too. As long as no state was added, jobs in any state pass.
 *
 * Since: 1.0
 */
void
job_filter_add_state (JobFilter *self, JobState state)
{
  g_return_if_fail (JOB_IS_FILTER (self));
  g_return_if_fail (job_state_to_string (state) != NULL);

  self->states |= STATE_BIT (state);
}

/**
 * job_filter_set_types:
 * @self: a filter
 * @types: (nullable) (array zero-terminated=1) (transfer none): the types that pass, or %NULL for
 * any
 *
 * Lets only jobs of these types pass. The names are checked when the filter is used: an empty list,
 * or a name that no job can have, is %JOB_ERROR_INVALID there.
 *
 * Since: 1.0
 */
void
job_filter_set_types (JobFilter *self, const char *const *types)
{
  g_return_if_fail (JOB_IS_FILTER (self));

  replace_set (&self->types, types);
}

/**
 * job_filter_set_channels:
 * @self: a filter
 * @channels: (nullable) (array zero-terminated=1) (transfer none): the channels that pass, or %NULL
 * for any; the empty string is the default channel
 *
 * Lets only jobs in these channels pass. The names are checked when the filter is used: an empty
 * list, or a name that no job can have, is %JOB_ERROR_INVALID there.
 *
 * Since: 1.0
 */
void
job_filter_set_channels (JobFilter *self, const char *const *channels)
{
  g_return_if_fail (JOB_IS_FILTER (self));

  replace_set (&self->channels, channels);
}

/**
 * job_filter_set_limit:
 * @self: a filter
 * @limit: how many jobs to list at most; 0: all
 *
 * Sets how many jobs a list has at most: the first ones, in the order of the list.
 *
 * Since: 1.0
 */
void
job_filter_set_limit (JobFilter *self, guint limit)
{
  g_return_if_fail (JOB_IS_FILTER (self));

  if (self->limit == limit)
    return;
  self->limit = limit;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LIMIT]);
}

/**
 * job_filter_get_limit:
 * @self: a filter
 *
 * How many jobs a list has at most.
 *
 * Returns: the limit; 0: all
 *
 * Since: 1.0
 */
guint
job_filter_get_limit (JobFilter *self)
{
  g_return_val_if_fail (JOB_IS_FILTER (self), 0);

  return self->limit;
}
