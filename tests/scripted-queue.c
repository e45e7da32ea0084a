/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue that does what the test says. Ids end in the number of the job. */

#include "scripted-queue.h"

#define TOKEN "5f0c3a52-7d0b-4d55-9f6e-6d5f6f3b3c11"

struct _ScriptedQueue
{
  GObject parent_instance;

  GPtrArray *ready;   /* of JobLease, owned */
  GPtrArray *waiting; /* of Waiter, owned: dequeues */
  GPtrArray *held;    /* of JobCall, owned: reports that are not answered */
  gboolean hold;
  GHashTable *over; /* id → JobInfo, both owned */
  JobInfo *listed;  /* owned; may be NULL */
  GError *errors[SCRIPTED_N_VERBS];
  guint counts[SCRIPTED_N_VERBS];
  gint64 timeout;
  GString *log;
};

typedef struct
{
  ScriptedQueue *queue;
  JobCall *call;
  GSource *source; /* of its cancellable */
} Waiter;

static void scripted_queue_iface_init (JobQueueInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ScriptedQueue, scripted_queue, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (JOB_TYPE_QUEUE, scripted_queue_iface_init))

static void
waiter_free (gpointer data)
{
  Waiter *waiter = data;

  g_source_destroy (waiter->source);
  g_source_unref (waiter->source);
  job_call_unref (waiter->call);
  g_free (waiter);
}

/* Counts the verb; TRUE: it was answered with the error that is set for it. */
static gboolean
answer_error (ScriptedQueue *self, ScriptedVerb verb, JobCall *call)
{
  self->counts[verb]++;
  if (self->errors[verb] == NULL)
    return FALSE;

  job_call_return_error (call, g_error_copy (self->errors[verb]));
  return TRUE;
}

static gboolean
on_waiter_cancelled (GCancellable *cancellable, gpointer data)
{
  Waiter *waiter = data;

  job_call_return_error (waiter->call, g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "Cancelled"));
  g_ptr_array_remove (waiter->queue->waiting, waiter);

  return G_SOURCE_REMOVE;
}

static void
add_waiter (ScriptedQueue *self, JobCall *call)
{
  Waiter *waiter = g_new0 (Waiter, 1);

  waiter->queue = self;
  waiter->call = job_call_ref (call);
  waiter->source = g_cancellable_source_new (job_call_get_cancellable (call));
  g_source_set_callback (waiter->source, G_SOURCE_FUNC (on_waiter_cancelled), waiter, NULL);
  g_source_attach (waiter->source, g_main_context_get_thread_default ());
  g_ptr_array_add (self->waiting, waiter);
}

static void
scripted_queue_dequeue (JobQueue *queue, const char *const *types, const char *const *channels,
                        gint64 timeout, JobCall *call)
{
  ScriptedQueue *self = SCRIPTED_QUEUE (queue);

  self->timeout = timeout;
  if (answer_error (self, SCRIPTED_DEQUEUE, call))
    return;

  if (self->ready->len > 0)
    job_call_return_lease (call, g_ptr_array_steal_index (self->ready, 0));
  else if (timeout == 0)
    job_call_return_error (call, g_error_new (JOB_ERROR, JOB_ERROR_TIMED_OUT, "Nothing there"));
  else
    add_waiter (self, call);
}

static void
answer_report (ScriptedQueue *self, ScriptedVerb verb, const char *name, const JobId *id,
               const char *json, JobCall *call)
{
  g_autofree char *text = job_id_dup_text (id);

  g_string_append_printf (self->log, "%s %u%s%s\n", name,
                          (guint) g_ascii_strtoull (text + 24, NULL, 16), json != NULL ? " " : "",
                          json != NULL ? json : "");
  if (answer_error (self, verb, call))
    return;
  if (self->hold)
    g_ptr_array_add (self->held, job_call_ref (call));
  else
    job_call_return_true (call);
}

static void
scripted_queue_complete (JobQueue *queue, const JobId *id, const JobId *token, const char *result,
                         JobCall *call)
{
  answer_report (SCRIPTED_QUEUE (queue), SCRIPTED_COMPLETE, "complete", id, result, call);
}

static void
scripted_queue_fail (JobQueue *queue, const JobId *id, const JobId *token, const char *error_json,
                     JobCall *call)
{
  answer_report (SCRIPTED_QUEUE (queue), SCRIPTED_FAIL, "fail", id, error_json, call);
}

static void
scripted_queue_release (JobQueue *queue, const JobId *id, const JobId *token, JobCall *call)
{
  answer_report (SCRIPTED_QUEUE (queue), SCRIPTED_RELEASE, "release", id, NULL, call);
}

static void
scripted_queue_heartbeat (JobQueue *queue, const JobId *id, const JobId *token, JobCall *call)
{
  if (!answer_error (SCRIPTED_QUEUE (queue), SCRIPTED_HEARTBEAT, call))
    job_call_return_true (call);
}

static void
scripted_queue_get_info (JobQueue *queue, const JobId *id, JobCall *call)
{
  ScriptedQueue *self = SCRIPTED_QUEUE (queue);
  g_autofree char *text = job_id_dup_text (id);
  JobInfo *info = g_hash_table_lookup (self->over, text);

  if (info != NULL)
    job_call_return_pointer (call, g_object_ref (info), g_object_unref);
  else
    job_call_return_error (call, g_error_new (JOB_ERROR, JOB_ERROR_NOT_FOUND, "No job %s", text));
}

static void
scripted_queue_list (JobQueue *queue, JobFilter *filter, JobCall *call)
{
  ScriptedQueue *self = SCRIPTED_QUEUE (queue);
  GListStore *list;

  if (answer_error (self, SCRIPTED_LIST, call))
    return;

  list = g_list_store_new (JOB_TYPE_INFO);
  if (self->listed != NULL)
    g_list_store_append (list, self->listed);
  job_call_return_pointer (call, list, g_object_unref);
}

static void
scripted_queue_iface_init (JobQueueInterface *iface)
{
  iface->dequeue = scripted_queue_dequeue;
  iface->complete = scripted_queue_complete;
  iface->fail = scripted_queue_fail;
  iface->release = scripted_queue_release;
  iface->heartbeat = scripted_queue_heartbeat;
  iface->get_info = scripted_queue_get_info;
  iface->list = scripted_queue_list;
}

static void
scripted_queue_finalize (GObject *object)
{
  ScriptedQueue *self = SCRIPTED_QUEUE (object);

  g_ptr_array_unref (self->ready);
  g_ptr_array_unref (self->waiting);
  g_ptr_array_unref (self->held);
  g_hash_table_unref (self->over);
  g_clear_object (&self->listed);
  for (guint i = 0; i < SCRIPTED_N_VERBS; i++)
    g_clear_error (&self->errors[i]);
  g_string_free (self->log, TRUE);

  G_OBJECT_CLASS (scripted_queue_parent_class)->finalize (object);
}

static void
scripted_queue_class_init (ScriptedQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = scripted_queue_finalize;
}

static void
scripted_queue_init (ScriptedQueue *self)
{
  self->ready = g_ptr_array_new_with_free_func (g_object_unref);
  self->waiting = g_ptr_array_new_with_free_func (waiter_free);
  self->held = g_ptr_array_new_with_free_func ((GDestroyNotify) job_call_unref);
  self->over = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->log = g_string_new (NULL);
}

ScriptedQueue *
scripted_queue_new (void)
{
  return g_object_new (SCRIPTED_TYPE_QUEUE, NULL);
}

char *
scripted_queue_dup_id (guint number)
{
  return g_strdup_printf ("01890a5d-ac96-774b-bcce-%012x", number);
}

JobLease *
scripted_queue_make_lease (ScriptedQueue *self, guint number, const char *type, const char *args,
                           char **dependencies)
{
  g_autofree char *id = scripted_queue_dup_id (number);

  return job_lease_new (self, id, TOKEN, type, "", args, 1, dependencies, NULL);
}

GCancellable *
scripted_queue_add (ScriptedQueue *self, guint number, const char *type)
{
  JobLease *lease = scripted_queue_make_lease (self, number, type, "null", NULL);
  GCancellable *cancellable = g_object_ref (job_lease_get_cancellable (lease));

  if (self->waiting->len > 0)
    {
      Waiter *waiter = self->waiting->pdata[0];

      job_call_return_lease (waiter->call, lease);
      g_ptr_array_remove_index (self->waiting, 0);
    }
  else
    {
      g_ptr_array_add (self->ready, lease);
    }

  return cancellable;
}

static JobInfo *
make_info (guint number, JobState state, const char *args, const char *outcome, gint64 run_at)
{
  g_autofree char *id = scripted_queue_dup_id (number);
  g_autoptr (JobRecord) record = job_record_new (0);
  JobStatus status = { .state = state, .outcome = (char *) outcome };
  JobInfoParts parts = { .record = record, .status = &status, .state = state };

  g_assert_true (job_id_parse (id, "id", &record->id, NULL));
  record->type = g_strdup ("sum");
  record->channel = g_strdup ("");
  record->args = g_strdup (args);
  record->run_at = run_at;

  return job_info_new (&parts);
}

void
scripted_queue_add_over (ScriptedQueue *self, guint number, JobState state, const char *args,
                         const char *outcome)
{
  g_hash_table_insert (self->over, scripted_queue_dup_id (number),
                       make_info (number, state, args, outcome, 0));
}

void
scripted_queue_set_listed (ScriptedQueue *self, JobState state, gint64 run_at)
{
  g_clear_object (&self->listed);
  if (state != JOB_STATE_BLOCKED)
    self->listed = make_info (999, state, "null", NULL, run_at);
}

void
scripted_queue_set_error (ScriptedQueue *self, ScriptedVerb verb, GError *error)
{
  g_clear_error (&self->errors[verb]);
  self->errors[verb] = error;
}

void
scripted_queue_hold_reports (ScriptedQueue *self, gboolean hold)
{
  self->hold = hold;
  if (hold)
    return;

  for (guint i = 0; i < self->held->len; i++)
    job_call_return_true (self->held->pdata[i]);
  g_ptr_array_set_size (self->held, 0);
}

void
scripted_queue_time_out (ScriptedQueue *self)
{
  for (guint i = 0; i < self->waiting->len; i++)
    {
      Waiter *waiter = self->waiting->pdata[i];

      job_call_return_error (waiter->call,
                             g_error_new (JOB_ERROR, JOB_ERROR_TIMED_OUT, "Nothing came"));
    }
  g_ptr_array_set_size (self->waiting, 0);
}

guint
scripted_queue_count (ScriptedQueue *self, ScriptedVerb verb)
{
  return self->counts[verb];
}

guint
scripted_queue_get_n_waiting (ScriptedQueue *self)
{
  return self->waiting->len;
}

gint64
scripted_queue_get_timeout (ScriptedQueue *self)
{
  return self->timeout;
}

const char *
scripted_queue_get_log (ScriptedQueue *self)
{
  return self->log->str;
}
