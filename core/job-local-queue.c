/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The GObject of a local queue: its properties, its opening, and the verbs handed on to the
 * JobLocal inside. */

#include "job-local-queue.h"

#include "job-local-private.h"

#define MIN_CHECKPOINT_SIZE 4096
#define DEFAULT_CHECKPOINT_SIZE (G_GUINT64_CONSTANT (16) * 1024 * 1024)

/**
 * JobLocalQueue:
 *
 * A queue that lives in one process, whatever its jobs are kept in: the base of the backends that
 * come with the library, but for databases that schedule by themselves. It holds an index of the
 * jobs that are not over, makes each change durable before anybody is told of it, and hands jobs to
 * those who wait in the order of #JobQueue.
 *
 * A store is open in one process at a time. Dropping the last reference closes the queue as
 * job_queue_close() does, and may block as long; an application that wants to know how that went
 * calls job_queue_close() itself.
 *
 * Since: 1.0
 */

typedef struct
{
  JobLocal *local;         /* constant after g_initable_init(); NULL: it failed */
  JobClock *clock;         /* constant after construction */
  guint64 checkpoint_size; /* constant after construction */
} JobLocalQueuePrivate;

enum
{
  PROP_CLOCK = 1,
  PROP_CHECKPOINT_SIZE,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

static void initable_init (GInitableIface *iface);
static void queue_init (JobQueueInterface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (JobLocalQueue, job_local_queue, G_TYPE_OBJECT,
                                  G_ADD_PRIVATE (JobLocalQueue)
                                      G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_init)
                                          G_IMPLEMENT_INTERFACE (JOB_TYPE_QUEUE, queue_init))

static JobLocal *
local_of (gpointer self)
{
  return ((JobLocalQueuePrivate *) job_local_queue_get_instance_private (self))->local;
}

static gboolean
job_local_queue_initable_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  JobLocalQueue *self = JOB_LOCAL_QUEUE (initable);
  JobLocalQueuePrivate *priv = job_local_queue_get_instance_private (self);
  JobStore *store = JOB_LOCAL_QUEUE_GET_CLASS (self)->open_store (self, error);

  if (store == NULL)
    return FALSE;
  priv->local = job_local_open (store, priv->checkpoint_size, priv->clock, error);
  return priv->local != NULL;
}

static void
job_local_queue_constructed (GObject *object)
{
  JobLocalQueuePrivate *priv = job_local_queue_get_instance_private (JOB_LOCAL_QUEUE (object));

  G_OBJECT_CLASS (job_local_queue_parent_class)->constructed (object);
  if (priv->clock == NULL)
    priv->clock = g_object_ref (job_clock_get_system ());
}

static void
job_local_queue_finalize (GObject *object)
{
  JobLocalQueuePrivate *priv = job_local_queue_get_instance_private (JOB_LOCAL_QUEUE (object));

  g_clear_pointer (&priv->local, job_local_abandon);
  g_clear_object (&priv->clock);
  G_OBJECT_CLASS (job_local_queue_parent_class)->finalize (object);
}

static void
job_local_queue_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  JobLocalQueuePrivate *priv = job_local_queue_get_instance_private (JOB_LOCAL_QUEUE (object));

  switch (id)
    {
    case PROP_CLOCK:
      g_value_set_object (value, priv->clock);
      break;
    case PROP_CHECKPOINT_SIZE:
      g_value_set_uint64 (value, priv->checkpoint_size);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
job_local_queue_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  JobLocalQueuePrivate *priv = job_local_queue_get_instance_private (JOB_LOCAL_QUEUE (object));

  switch (id)
    {
    case PROP_CLOCK:
      priv->clock = g_value_dup_object (value);
      break;
    case PROP_CHECKPOINT_SIZE:
      priv->checkpoint_size = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
job_local_queue_class_init (JobLocalQueueClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->constructed = job_local_queue_constructed;
  object_class->finalize = job_local_queue_finalize;
  object_class->get_property = job_local_queue_get_property;
  object_class->set_property = job_local_queue_set_property;

  /**
   * JobLocalQueue:clock:
   *
   * What tells the queue the time; the system's by default.
   *
   * Since: 1.0
   */
  properties[PROP_CLOCK] = g_param_spec_object ("clock", NULL, NULL, JOB_TYPE_CLOCK, flags);
  /**
   * JobLocalQueue:checkpoint-size:
   *
   * How many bytes of journal may gather before they are brought into the store, in the
   * background, while as many again may come. More makes checkpoints rarer and the opening after a
   * crash longer. A store may find that more is worthwhile; 2 GiB is the limit.
   *
   * Since: 1.0
   */
  properties[PROP_CHECKPOINT_SIZE] =
      g_param_spec_uint64 ("checkpoint-size", NULL, NULL, MIN_CHECKPOINT_SIZE, G_MAXINT64,
                           DEFAULT_CHECKPOINT_SIZE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
job_local_queue_init (JobLocalQueue *self)
{
}

static void
initable_init (GInitableIface *iface)
{
  iface->init = job_local_queue_initable_init;
}

/* --- the verbs -------------------------------------------------------------------------------- */

static void
enqueue (JobQueue *self, JobRecord **records, const gboolean *fresh, gsize n_records, JobCall *call)
{
  job_local_enqueue (local_of (self), records, fresh, n_records, call);
}

static void
dequeue (JobQueue *self, const char *const *types, const char *const *channels, gint64 timeout,
         JobCall *call)
{
  job_local_dequeue (local_of (self), types, channels, timeout, call);
}

static void
dequeue_by_id (JobQueue *self, const JobId *id, JobCall *call)
{
  job_local_dequeue_by_id (local_of (self), id, call);
}

static void
complete (JobQueue *self, const JobId *id, const JobId *token, const char *result, JobCall *call)
{
  job_local_complete (local_of (self), id, token, result, call);
}

static void
fail (JobQueue *self, const JobId *id, const JobId *token, const char *error_json, JobCall *call)
{
  job_local_fail (local_of (self), id, token, error_json, call);
}

static void
release (JobQueue *self, const JobId *id, const JobId *token, JobCall *call)
{
  job_local_release (local_of (self), id, token, call);
}

static void
discard (JobQueue *self, const JobId *id, const JobId *token)
{
  job_local_discard (local_of (self), id, token);
}

static void
cancel (JobQueue *self, const JobId *id, JobCall *call)
{
  job_local_cancel (local_of (self), id, call);
}

static void
heartbeat (JobQueue *self, const JobId *id, const JobId *token, JobCall *call)
{
  job_local_heartbeat (local_of (self), id, token, call);
}

static void
lookup_token (JobQueue *self, const JobId *token, JobCall *call)
{
  job_local_lookup_token (local_of (self), token, call);
}

static void
get_info (JobQueue *self, const JobId *id, JobCall *call)
{
  job_local_get_info (local_of (self), id, call);
}

static void
wait_over (JobQueue *self, const JobId *id, gint64 timeout, JobCall *call)
{
  job_local_wait (local_of (self), id, timeout, call);
}

static void
list (JobQueue *self, JobFilter *filter, JobCall *call)
{
  job_local_list (local_of (self), filter, call);
}

static void
list_leases (JobQueue *self, gint64 older_than, JobCall *call)
{
  job_local_list_leases (local_of (self), older_than, call);
}

static void
list_damaged (JobQueue *self, JobCall *call)
{
  job_local_list_damaged (local_of (self), call);
}

static void
move_damaged (JobQueue *self, const char *directory, JobCall *call)
{
  job_local_move_damaged (local_of (self), directory, call);
}

static void
close_and_answer (JobLocal *local, JobCall *call)
{
  GError *error = NULL;

  if (job_local_close (local, &error))
    job_call_return_true (call);
  else
    job_call_return_error (call, error);
}

typedef struct
{
  JobLocal *local;
  JobCall *call;
} Closing;

static gpointer
closing_thread (gpointer data)
{
  Closing *closing = data;

  close_and_answer (closing->local, closing->call);
  job_call_unref (closing->call);
  job_local_unref (closing->local);
  g_free (closing);
  return NULL;
}

/* In a thread of its own, since it waits for all the others. */
static void
close_queue (JobQueue *self, JobCall *call)
{
  Closing *closing;

  if (job_call_is_blocking (call))
    {
      close_and_answer (local_of (self), call);
      return;
    }
  closing = g_new (Closing, 1);
  *closing = (Closing){ job_local_ref (local_of (self)), job_call_ref (call) };
  g_thread_unref (g_thread_new ("jobqueue-close", closing_thread, closing));
}

static void
queue_init (JobQueueInterface *iface)
{
  iface->enqueue = enqueue;
  iface->dequeue = dequeue;
  iface->dequeue_by_id = dequeue_by_id;
  iface->complete = complete;
  iface->fail = fail;
  iface->release = release;
  iface->cancel = cancel;
  iface->heartbeat = heartbeat;
  iface->lookup_token = lookup_token;
  iface->get_info = get_info;
  iface->wait = wait_over;
  iface->list = list;
  iface->list_leases = list_leases;
  iface->list_damaged = list_damaged;
  iface->move_damaged = move_damaged;
  iface->close = close_queue;
  iface->discard = discard;
}
