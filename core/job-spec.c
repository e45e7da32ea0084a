/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What to run. A spec stores whatever it is told, so that it is pleasant to fill from any language;
 * all of it is checked when it is enqueued, in job-spec-record.c.
 *
 * A spec makes its own id. Until it is enqueued no other job has it, so a backend need not look for
 * one: the id is fresh. The first enqueueing, or an id of the caller's choice, ends that for good.
 */

#include "job-spec-private.h"

#include "job-clock.h"

/**
 * JobSpec:
 *
 * What to run: a type, args, and options. It is filled in, then given to job_queue_enqueue().
 *
 * A new spec has an id already, so that another spec of the same job_queue_enqueue_many() can name
 * it as a dependency. One spec is one job: enqueueing it a second time gives %JOB_ERROR_EXISTS.
 *
 * Setters store what they get; it is checked when the job is enqueued, and %JOB_ERROR_INVALID then
 * names what is wrong. A spec belongs to one thread at a time, and may be changed or dropped as
 * soon as the call that enqueues it has returned.
 *
 * Since: 1.0
 */

enum
{
  PROP_ID = 1,
  PROP_JOB_TYPE,
  PROP_ARGS,
  PROP_CHANNEL,
  PROP_PRIORITY,
  PROP_RUN_AT,
  PROP_MAX_ATTEMPTS,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (JobSpec, job_spec, G_TYPE_OBJECT)

/* The same id in upper case is the same id; what is none is kept for the error to show. */
static void
store_id (JobSpec *self, const char *text)
{
  g_autofree char *former = self->id_text; /* which may be the text */

  g_atomic_int_set (&self->fresh, FALSE);
  self->has_id = job_id_parse (text, "id", &self->id, NULL);
  self->id_text = self->has_id ? NULL : g_strdup (text);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ID]);
}

static void
store_string (JobSpec *self, char **field, const char *text, guint property)
{
  if (g_strcmp0 (*field, text) == 0)
    return;
  g_free (*field);
  *field = g_strdup (text);
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
job_spec_get_property (GObject *object, guint property, GValue *value, GParamSpec *pspec)
{
  JobSpec *self = JOB_SPEC (object);

  switch (property)
    {
    case PROP_ID:
      g_value_set_string (value, job_spec_get_id (self));
      break;
    case PROP_JOB_TYPE:
      g_value_set_string (value, self->type);
      break;
    case PROP_ARGS:
      g_value_set_string (value, self->args);
      break;
    case PROP_CHANNEL:
      g_value_set_string (value, job_spec_get_channel (self));
      break;
    case PROP_PRIORITY:
      g_value_set_int (value, self->priority);
      break;
    case PROP_RUN_AT:
      g_value_set_int64 (value, self->run_at);
      break;
    case PROP_MAX_ATTEMPTS:
      g_value_set_uint (value, self->max_attempts);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, pspec);
    }
}

static void
job_spec_set_property (GObject *object, guint property, const GValue *value, GParamSpec *pspec)
{
  JobSpec *self = JOB_SPEC (object);

  switch (property)
    {
    case PROP_ID:
      if (g_value_get_string (value) != NULL)
        store_id (self, g_value_get_string (value));
      break;
    case PROP_JOB_TYPE:
      job_spec_set_job_type (self, g_value_get_string (value));
      break;
    case PROP_ARGS:
      job_spec_set_args (self, g_value_get_string (value));
      break;
    case PROP_CHANNEL:
      job_spec_set_channel (self, g_value_get_string (value));
      break;
    case PROP_PRIORITY:
      job_spec_set_priority (self, g_value_get_int (value));
      break;
    case PROP_RUN_AT:
      job_spec_set_run_at (self, g_value_get_int64 (value));
      break;
    case PROP_MAX_ATTEMPTS:
      job_spec_set_max_attempts (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, pspec);
    }
}

static void
job_spec_finalize (GObject *object)
{
  JobSpec *self = JOB_SPEC (object);

  g_free (self->id_text);
  g_free (self->type);
  g_free (self->args);
  g_free (self->channel);
  g_clear_pointer (&self->dependencies, g_array_unref);
  G_OBJECT_CLASS (job_spec_parent_class)->finalize (object);
}

/* What each is, is told by the getter of its name. */
static void
make_properties (GParamFlags flags)
{
  /**
   * JobSpec:id:
   *
   * The id that the job will have: a UUID. Setting it to %NULL keeps the one it has; what is not a
   * UUID is %JOB_ERROR_INVALID when the job is enqueued.
   *
   * Since: 1.0
   */
  properties[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, flags);
  properties[PROP_JOB_TYPE] = g_param_spec_string ("job-type", NULL, NULL, NULL, flags);
  properties[PROP_ARGS] = g_param_spec_string ("args", NULL, NULL, NULL, flags);
  properties[PROP_CHANNEL] = g_param_spec_string ("channel", NULL, NULL, "", flags);
  properties[PROP_PRIORITY] =
      g_param_spec_int ("priority", NULL, NULL, G_MININT, G_MAXINT, 0, flags);
  properties[PROP_RUN_AT] =
      g_param_spec_int64 ("run-at", NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
  properties[PROP_MAX_ATTEMPTS] =
      g_param_spec_uint ("max-attempts", NULL, NULL, 0, G_MAXUINT, 1, flags);
}

static void
job_spec_class_init (JobSpecClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = job_spec_get_property;
  object_class->set_property = job_spec_set_property;
  object_class->finalize = job_spec_finalize;
  make_properties (flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
job_spec_init (JobSpec *self)
{
  job_id_new (&self->id, job_clock_get_wall_time (job_clock_get_system ()));
  self->has_id = TRUE;
  self->max_attempts = 1;
  g_atomic_int_set (&self->fresh, TRUE);
}

/**
 * job_spec_new:
 * @type: (nullable): what kind of work it is: 1 to 255 bytes; it may be set later
 * @args: (nullable): what the worker gets: JSON text; %NULL is the JSON value `null`
 *
 * A new job to be: in the default channel, of priority 0, to be run at once, with one attempt, no
 * dependency, and an id of its own.
 *
 * Returns: (transfer full): a new spec
 *
 * Since: 1.0
 */
JobSpec *
job_spec_new (const char *type, const char *args)
{
  JobSpec *self = g_object_new (JOB_TYPE_SPEC, NULL);

  self->type = g_strdup (type);
  self->args = g_strdup (args);
  return self;
}

/**
 * job_spec_get_id:
 * @self: a spec
 *
 * The id that the job will have.
 *
 * It may be given to other specs as a dependency at once. To use it as the id of another spec is a
 * mistake that the queue need not notice: it looks for a job of the same id only where
 * job_spec_set_id() or an earlier enqueueing gives a reason to.
 *
 * Returns: (transfer none): the id, valid until it is changed
 *
 * Since: 1.0
 */
const char *
job_spec_get_id (JobSpec *self)
{
  g_return_val_if_fail (JOB_IS_SPEC (self), NULL);

  if (self->id_text == NULL)
    self->id_text = job_id_dup_text (&self->id);
  return self->id_text;
}

/**
 * job_spec_set_id:
 * @self: a spec
 * @id: (nullable): a UUID of any version, in its canonical form
 * @error: return location for an error
 *
 * Gives the job an id of the caller's choice; enqueueing then fails with %JOB_ERROR_EXISTS if
 * there is a job with this id already. So a caller that does not know whether its last attempt to
 * enqueue came through may try again. Ids of version 7, which are ordered by time, keep an index
 * small; upper case is taken as lower case.
 *
 * If @id is not a UUID the error is %JOB_ERROR_INVALID, and the spec keeps the id it has.
 *
 * Returns: whether @id was taken
 *
 * Since: 1.0
 */
gboolean
job_spec_set_id (JobSpec *self, const char *id, GError **error)
{
  JobId parsed;

  g_return_val_if_fail (JOB_IS_SPEC (self), FALSE);

  if (!job_id_parse (id, "id", &parsed, error))
    return FALSE;
  store_id (self, id);
  return TRUE;
}

/**
 * job_spec_get_job_type: (get-property job-type)
 * @self: a spec
 *
 * What kind of work it is.
 *
 * Returns: (transfer none) (nullable): the type, or %NULL if none is set yet
 *
 * Since: 1.0
 */
const char *
job_spec_get_job_type (JobSpec *self)
{
  g_return_val_if_fail (JOB_IS_SPEC (self), NULL);

  return self->type;
}

/**
 * job_spec_set_job_type: (set-property job-type)
 * @self: a spec
 * @type: (nullable): a type: 1 to 255 bytes of UTF-8
 *
 * Sets what kind of work it is. Workers say which types they can run.
 *
 * Since: 1.0
 */
void
job_spec_set_job_type (JobSpec *self, const char *type)
{
  g_return_if_fail (JOB_IS_SPEC (self));

  store_string (self, &self->type, type, PROP_JOB_TYPE);
}

/**
 * job_spec_get_args: (get-property args)
 * @self: a spec
 *
 * What the worker gets, as it was set.
 *
 * Returns: (transfer none) (nullable): JSON text, or %NULL for the JSON value `null`
 *
 * Since: 1.0
 */
const char *
job_spec_get_args (JobSpec *self)
{
  g_return_val_if_fail (JOB_IS_SPEC (self), NULL);

  return self->args;
}

/**
 * job_spec_set_args: (set-property args)
 * @self: a spec
 * @args: (nullable): JSON text; %NULL is the JSON value `null`
 *
 * Sets what the worker gets. The text is kept byte for byte, but for white space around the value.
 *
 * Since: 1.0
 */
void
job_spec_set_args (JobSpec *self, const char *args)
{
  g_return_if_fail (JOB_IS_SPEC (self));

  store_string (self, &self->args, args, PROP_ARGS);
}

/**
 * job_spec_get_channel: (get-property channel)
 * @self: a spec
 *
 * The stream that the job belongs to.
 *
 * Returns: (transfer none): the channel; the empty string is the default one
 *
 * Since: 1.0
 */
const char *
job_spec_get_channel (JobSpec *self)
{
  g_return_val_if_fail (JOB_IS_SPEC (self), NULL);

  return self->channel != NULL ? self->channel : "";
}

/**
 * job_spec_set_channel: (set-property channel)
 * @self: a spec
 * @channel: (nullable): a channel: at most 255 bytes of UTF-8; %NULL or the empty string is the
 * default one
 *
 * Sets which of several parallel streams the job belongs to: a tenant, say. Workers say which ones
 * they serve.
 *
 * Since: 1.0
 */
void
job_spec_set_channel (JobSpec *self, const char *channel)
{
  g_return_if_fail (JOB_IS_SPEC (self));

  store_string (self, &self->channel, channel != NULL && *channel ? channel : NULL, PROP_CHANNEL);
}

/**
 * job_spec_get_priority: (get-property priority)
 * @self: a spec
 *
 * How urgent the job is.
 *
 * Returns: the priority
 *
 * Since: 1.0
 */
int
job_spec_get_priority (JobSpec *self)
{
  g_return_val_if_fail (JOB_IS_SPEC (self), 0);

  return self->priority;
}

/**
 * job_spec_set_priority: (set-property priority)
 * @self: a spec
 * @priority: any number; 0 by default
 *
 * Sets how urgent the job is: jobs of a higher priority are dequeued first, and those of the same
 * priority in the order in which they were enqueued.
 *
 * Since: 1.0
 */
void
job_spec_set_priority (JobSpec *self, int priority)
{
  g_return_if_fail (JOB_IS_SPEC (self));

  if (self->priority == priority)
    return;
  self->priority = priority;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PRIORITY]);
}

/**
 * job_spec_get_run_at: (get-property run-at)
 * @self: a spec
 *
 * Before when the job shall not start.
 *
 * Returns: nanoseconds since 1970 (UTC); 0: at once
 *
 * Since: 1.0
 */
gint64
job_spec_get_run_at (JobSpec *self)
{
  g_return_val_if_fail (JOB_IS_SPEC (self), 0);

  return self->run_at;
}

/**
 * job_spec_set_run_at: (set-property run-at)
 * @self: a spec
 * @run_at: nanoseconds since 1970 (UTC); 0: at once
 *
 * Sets before when the job shall not start. Its place in the order stays that of its enqueueing.
 *
 * Since: 1.0
 */
void
job_spec_set_run_at (JobSpec *self, gint64 run_at)
{
  g_return_if_fail (JOB_IS_SPEC (self));

  if (self->run_at == run_at)
    return;
  self->run_at = run_at;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN_AT]);
}

/**
 * job_spec_get_max_attempts: (get-property max-attempts)
 * @self: a spec
 *
 * How many attempts the job has at most.
 *
 * Returns: the number of attempts
 *
 * Since: 1.0
 */
guint
job_spec_get_max_attempts (JobSpec *self)
{
  g_return_val_if_fail (JOB_IS_SPEC (self), 0);

  return self->max_attempts;
}

/**
 * job_spec_set_max_attempts: (set-property max-attempts)
 * @self: a spec
 * @max_attempts: 1 or more; 1 by default
 *
 * Sets how many attempts the job has at most: one that fails is pending again as long as it has one
 * left. An attempt that is given back by job_queue_release() does not count.
 *
 * Since: 1.0
 */
void
job_spec_set_max_attempts (JobSpec *self, guint max_attempts)
{
  g_return_if_fail (JOB_IS_SPEC (self));

  if (self->max_attempts == max_attempts)
    return;
  self->max_attempts = max_attempts;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_ATTEMPTS]);
}
