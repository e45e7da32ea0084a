/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a worker holds: the names of a job and of the lease on it, what the job was enqueued with,
 * and the verbs of the queue with the id and the token filled in. */

#include "job-lease-private.h"

#include "job-call.h"

/**
 * JobLease:
 *
 * What a worker gets at dequeue: the right to run one job, named by an unguessable token, and what
 * it needs for that. It ends when the job is completed, fails, is released or is canceled.
 *
 * Dropping a lease does not end it: the job stays running, until somebody releases it with its id.
 * A lease keeps its queue alive.
 *
 * What it says never changes. It may be used from any thread.
 *
 * Since: 1.0
 */

enum
{
  PROP_ID = 1,
  PROP_TOKEN,
  PROP_JOB_TYPE,
  PROP_CHANNEL,
  PROP_ARGS,
  PROP_ATTEMPT,
  PROP_DEPENDENCIES,
  PROP_CANCELLABLE,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (JobLease, job_lease, G_TYPE_OBJECT)

static void
job_lease_get_property (GObject *object, guint property, GValue *value, GParamSpec *pspec)
{
  JobLease *self = JOB_LEASE (object);

  switch (property)
    {
    case PROP_ID:
      g_value_set_string (value, job_lease_get_id (self));
      break;
    case PROP_TOKEN:
      g_value_set_string (value, job_lease_get_token (self));
      break;
    case PROP_JOB_TYPE:
      g_value_set_string (value, self->record->type);
      break;
    case PROP_CHANNEL:
      g_value_set_string (value, self->record->channel);
      break;
    case PROP_ARGS:
      g_value_set_string (value, self->record->args);
      break;
    case PROP_ATTEMPT:
      g_value_set_uint (value, self->attempt);
      break;
    case PROP_DEPENDENCIES:
      g_value_set_boxed (value, job_lease_get_dependencies (self));
      break;
    case PROP_CANCELLABLE:
      g_value_set_object (value, job_lease_get_cancellable (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, pspec);
    }
}

static void
job_lease_finalize (GObject *object)
{
  JobLease *self = JOB_LEASE (object);

  g_free (self->id);
  g_free (self->token);
  g_strfreev (self->dependencies);
  job_record_unref (self->record);
  job_alarm_unref (self->alarm);
  g_object_unref (self->queue);
  G_OBJECT_CLASS (job_lease_parent_class)->finalize (object);
}

/* What each is, is told by the getter of its name. */
static void
job_lease_class_init (JobLeaseClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = job_lease_get_property;
  object_class->finalize = job_lease_finalize;
  properties[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, flags);
  properties[PROP_TOKEN] = g_param_spec_string ("token", NULL, NULL, NULL, flags);
  properties[PROP_JOB_TYPE] = g_param_spec_string ("job-type", NULL, NULL, NULL, flags);
  properties[PROP_CHANNEL] = g_param_spec_string ("channel", NULL, NULL, NULL, flags);
  properties[PROP_ARGS] = g_param_spec_string ("args", NULL, NULL, NULL, flags);
  properties[PROP_ATTEMPT] = g_param_spec_uint ("attempt", NULL, NULL, 0, G_MAXUINT, 0, flags);
  properties[PROP_DEPENDENCIES] =
      g_param_spec_boxed ("dependencies", NULL, NULL, G_TYPE_STRV, flags);
  properties[PROP_CANCELLABLE] =
      g_param_spec_object ("cancellable", NULL, NULL, G_TYPE_CANCELLABLE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
job_lease_init (JobLease *self)
{
}

JobLease *
job_lease_new_for_record (gpointer queue, JobRecord *record, guint attempt, JobAlarm *alarm)
{
  JobLease *self = g_object_new (JOB_TYPE_LEASE, NULL);

  self->queue = g_object_ref (queue);
  self->record = job_record_ref (record);
  self->alarm = job_alarm_ref (alarm);
  self->attempt = attempt;
  self->has_ids = TRUE;
  return self;
}

/* For who has all of it as text. What is no id stays as it is. */
JobLease *
job_lease_new (gpointer queue, const char *id, const char *token, const char *type,
               const char *channel, const char *args, guint attempt, char **dependencies,
               GCancellable *cancellable)
{
  JobLease *self = g_object_new (JOB_TYPE_LEASE, NULL);
  JobId token_bytes = { 0 };

  self->queue = g_object_ref (queue);
  self->record = job_record_new (0);
  self->has_ids = job_id_parse (id, "id", &self->record->id, NULL) &&
                  job_id_parse (token, "token", &token_bytes, NULL);
  self->alarm = job_alarm_new (&token_bytes, cancellable);
  self->record->type = g_strdup (type);
  self->record->channel = g_strdup (channel);
  self->record->args = g_strdup (args);
  self->attempt = attempt;
  self->id = g_strdup (id);
  self->token = g_strdup (token);
  self->dependencies = dependencies != NULL ? g_strdupv (dependencies) : g_new0 (char *, 1);
  return self;
}

/* --- texts ------------------------------------------------------------------------------------ */

/* Two threads may ask at once: the first one's stays. */
static char *
get_text (char **text, const JobId *id)
{
  char *made;

  if (g_atomic_pointer_get (text))
    return g_atomic_pointer_get (text);
  made = job_id_dup_text (id);
  if (!g_atomic_pointer_compare_and_exchange (text, NULL, made))
    g_free (made);
  return g_atomic_pointer_get (text);
}

static char **
dup_dependencies (const JobRecord *record)
{
  char **ids = g_new0 (char *, record->n_dependencies + 1);

  for (guint i = 0; i < record->n_dependencies; i++)
    ids[i] = job_id_dup_text (&record->dependencies[i].id);
  return ids;
}

static char **
get_dependencies (JobLease *self)
{
  char **made;

  if (g_atomic_pointer_get (&self->dependencies))
    return g_atomic_pointer_get (&self->dependencies);
  made = dup_dependencies (self->record);
  if (!g_atomic_pointer_compare_and_exchange (&self->dependencies, NULL, made))
    g_strfreev (made);
  return g_atomic_pointer_get (&self->dependencies);
}

/**
 * job_lease_get_id:
 * @self: a lease
 *
 * The id of the job.
 *
 * Returns: (transfer none): the id, a UUID in its canonical form
 *
 * Since: 1.0
 */
const char *
job_lease_get_id (JobLease *self)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), NULL);

  return get_text (&self->id, &self->record->id);
}

/**
 * job_lease_get_token:
 * @self: a lease
 *
 * The token of the lease: whoever has it may complete or fail the job. It is a secret, not for
 * logs.
 *
 * Returns: (transfer none): the token
 *
 * Since: 1.0
 */
const char *
job_lease_get_token (JobLease *self)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), NULL);

  return get_text (&self->token, &self->alarm->token);
}

/**
 * job_lease_get_job_type:
 * @self: a lease
 *
 * What kind of work the job is.
 *
 * Returns: (transfer none): the type
 *
 * Since: 1.0
 */
const char *
job_lease_get_job_type (JobLease *self)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), NULL);

  return self->record->type;
}

/**
 * job_lease_get_channel:
 * @self: a lease
 *
 * The stream that the job belongs to.
 *
 * Returns: (transfer none): the channel; the empty string is the default one
 *
 * Since: 1.0
 */
const char *
job_lease_get_channel (JobLease *self)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), NULL);

  return self->record->channel;
}

/**
 * job_lease_get_args:
 * @self: a lease
 *
 * What the job was enqueued with.
 *
 * Returns: (transfer none): JSON text
 *
 * Since: 1.0
 */
const char *
job_lease_get_args (JobLease *self)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), NULL);

  return self->record->args;
}

/**
 * job_lease_get_attempt:
 * @self: a lease
 *
 * Which attempt this is.
 *
 * Returns: the number of the attempt; the first one is 1
 *
 * Since: 1.0
 */
guint
job_lease_get_attempt (JobLease *self)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), 0);

  return self->attempt;
}

/**
 * job_lease_get_dependencies:
 * @self: a lease
 *
 * The jobs that this one waited for, in the order of its spec. job_lease_list_dependencies() gives
 * them with their results.
 *
 * Returns: (array zero-terminated=1) (transfer none): their ids
 *
 * Since: 1.0
 */
const char *const *
job_lease_get_dependencies (JobLease *self)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), NULL);

  return (const char *const *) get_dependencies (self);
}

/**
 * job_lease_get_cancellable:
 * @self: a lease
 *
 * Fires at every end of the lease that the holder did not make: when the job is canceled, or an
 * administrator ends the lease, or another worker has it. Then stop working: no result is taken
 * any more.
 *
 * It fires soon after what ended the lease is durable, in a thread that is not the caller's. A
 * handler of #GCancellable::cancelled may call any verb, blocking ones too; while it runs, other
 * leases of the queue have to wait for their cancellation.
 *
 * Returns: (transfer none): a #GCancellable of this lease
 *
 * Since: 1.0
 */
GCancellable *
job_lease_get_cancellable (JobLease *self)
{
  g_return_val_if_fail (JOB_IS_LEASE (self), NULL);

  return job_alarm_get_cancellable (self->alarm);
}
