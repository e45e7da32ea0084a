/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every answer is made in the caller's thread, before the vfunc returns: the worst moment. */

#include "recording-queue.h"

#include "job-error.h"
#include "job-store.h"

struct _RecordingQueue
{
  GObject parent_instance;

  GString *log;
  char *missing;
};

static void recording_queue_init_interface (JobQueueInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RecordingQueue, recording_queue, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (JOB_TYPE_QUEUE,
                                                      recording_queue_init_interface))

static void G_GNUC_PRINTF (2, 3) note (JobQueue *queue, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_string_append_vprintf (RECORDING_QUEUE (queue)->log, format, args);
  va_end (args);
  g_string_append_c (RECORDING_QUEUE (queue)->log, '\n');
}

static void
note_holder (JobQueue *queue, const char *verb, const JobId *id, const JobId *token,
             const char *json)
{
  g_autofree char *id_text = job_id_dup_text (id);
  g_autofree char *token_text = token != NULL ? job_id_dup_text (token) : g_strdup ("nobody");

  note (queue, "%s %s %s %s", verb, id_text, token_text, json);
}

static void
note_id (JobQueue *queue, const char *verb, const JobId *id)
{
  g_autofree char *text = job_id_dup_text (id);

  note (queue, "%s %s", verb, text);
}

static char *
join (const char *const *names)
{
  g_autofree char *joined = names != NULL ? g_strjoinv (",", (char **) names) : NULL;

  return joined != NULL ? g_strdup_printf ("[%s]", joined) : g_strdup ("any");
}

static void
record_enqueue (JobQueue *queue, JobRecord **records, const gboolean *fresh, gsize n_records,
                JobCall *call)
{
  char **ids = g_new0 (char *, n_records + 1);

  for (gsize i = 0; i < n_records; i++)
    {
      note (queue, "enqueue %s %s %s", records[i]->type, records[i]->args,
            fresh[i] ? "fresh" : "not fresh");
      ids[i] = job_id_dup_text (&records[i]->id);
    }
  job_call_return_pointer (call, ids, (GDestroyNotify) g_strfreev);
}

static void
record_dequeue (JobQueue *queue, const char *const *types, const char *const *channels,
                gint64 timeout, JobCall *call)
{
  g_autofree char *type_names = join (types);
  g_autofree char *channel_names = join (channels);

  note (queue, "dequeue %s %s %" G_GINT64_FORMAT, type_names, channel_names, timeout);
  job_call_return_lease (call, recording_queue_make_lease (queue, NULL));
}

static void
record_dequeue_by_id (JobQueue *queue, const JobId *id, JobCall *call)
{
  note_id (queue, "dequeue_by_id", id);
  job_call_return_lease (call, recording_queue_make_lease (queue, NULL));
}

static void
record_complete (JobQueue *queue, const JobId *id, const JobId *token, const char *result,
                 JobCall *call)
{
  note_holder (queue, "complete", id, token, result);
  job_call_return_true (call);
}

static void
record_fail (JobQueue *queue, const JobId *id, const JobId *token, const char *error_json,
             JobCall *call)
{
  note_holder (queue, "fail", id, token, error_json);
  job_call_return_true (call);
}

static void
record_release (JobQueue *queue, const JobId *id, const JobId *token, JobCall *call)
{
  note_holder (queue, "release", id, token, "-");
  job_call_return_true (call);
}

static void
record_cancel (JobQueue *queue, const JobId *id, JobCall *call)
{
  note_id (queue, "cancel", id);
  job_call_return_true (call);
}

static void
record_heartbeat (JobQueue *queue, const JobId *id, const JobId *token, JobCall *call)
{
  note_holder (queue, "heartbeat", id, token, "-");
  job_call_return_true (call);
}

static void
record_lookup_token (JobQueue *queue, const JobId *token, JobCall *call)
{
  note_id (queue, "lookup_token", token);
  job_call_return_pointer (call, g_strdup (RECORDED_ID), g_free);
}

static JobInfo *
make_info (const JobId *id)
{
  g_autoptr (JobRecord) record = job_record_new (0);
  JobStatus status = { .state = JOB_STATE_SUCCEEDED };
  JobInfoParts parts = { .record = record, .status = &status, .state = JOB_STATE_SUCCEEDED };

  record->id = *id;
  record->type = g_strdup ("t");
  record->channel = g_strdup ("");
  record->args = g_strdup ("null");
  return job_info_new (&parts);
}

static void
record_get_info (JobQueue *queue, const JobId *id, JobCall *call)
{
  g_autofree char *text = job_id_dup_text (id);

  note (queue, "get_info %s", text);
  if (g_strcmp0 (text, RECORDING_QUEUE (queue)->missing) == 0)
    job_call_return_error (call, g_error_new (JOB_ERROR, JOB_ERROR_NOT_FOUND, "No job %s", text));
  else
    job_call_return_pointer (call, make_info (id), g_object_unref);
}

static void
record_wait (JobQueue *queue, const JobId *id, gint64 timeout, JobCall *call)
{
  note (queue, "wait %" G_GINT64_FORMAT, timeout);
  job_call_return_pointer (call, make_info (id), g_object_unref);
}

static void
answer_empty_list (JobCall *call, GType type)
{
  job_call_return_pointer (call, g_list_store_new (type), g_object_unref);
}

static void
record_list (JobQueue *queue, JobFilter *filter, JobCall *call)
{
  note (queue, "list %u", job_filter_get_limit (filter));
  answer_empty_list (call, JOB_TYPE_INFO);
}

static void
record_list_leases (JobQueue *queue, gint64 older_than, JobCall *call)
{
  note (queue, "list_leases %" G_GINT64_FORMAT, older_than);
  answer_empty_list (call, JOB_TYPE_INFO);
}

static void
record_list_damaged (JobQueue *queue, JobCall *call)
{
  note (queue, "list_damaged");
  answer_empty_list (call, JOB_TYPE_DAMAGE);
}

static void
record_move_damaged (JobQueue *queue, const char *directory, JobCall *call)
{
  note (queue, "move_damaged %s", directory);
  answer_empty_list (call, JOB_TYPE_DAMAGE);
}

static void
record_close (JobQueue *queue, JobCall *call)
{
  note (queue, "close");
  job_call_return_true (call);
}

static void
recording_queue_init_interface (JobQueueInterface *iface)
{
  iface->enqueue = record_enqueue;
  iface->dequeue = record_dequeue;
  iface->dequeue_by_id = record_dequeue_by_id;
  iface->complete = record_complete;
  iface->fail = record_fail;
  iface->release = record_release;
  iface->cancel = record_cancel;
  iface->heartbeat = record_heartbeat;
  iface->lookup_token = record_lookup_token;
  iface->get_info = record_get_info;
  iface->wait = record_wait;
  iface->list = record_list;
  iface->list_leases = record_list_leases;
  iface->list_damaged = record_list_damaged;
  iface->move_damaged = record_move_damaged;
  iface->close = record_close;
}

static void
recording_queue_finalize (GObject *object)
{
  RecordingQueue *self = RECORDING_QUEUE (object);

  g_string_free (self->log, TRUE);
  g_free (self->missing);
  G_OBJECT_CLASS (recording_queue_parent_class)->finalize (object);
}

static void
recording_queue_class_init (RecordingQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = recording_queue_finalize;
}

static void
recording_queue_init (RecordingQueue *self)
{
  self->log = g_string_new (NULL);
}

JobQueue *
recording_queue_new (void)
{
  return g_object_new (RECORDING_TYPE_QUEUE, NULL);
}

char *
recording_queue_take_log (JobQueue *queue)
{
  RecordingQueue *self = RECORDING_QUEUE (queue);
  char *log = g_string_free (self->log, FALSE);

  self->log = g_string_new (NULL);
  return log;
}

void
recording_queue_set_missing (JobQueue *queue, const char *id)
{
  RecordingQueue *self = RECORDING_QUEUE (queue);

  g_free (self->missing);
  self->missing = g_strdup (id);
}

JobLease *
recording_queue_make_lease (JobQueue *queue, char **dependencies)
{
  return job_lease_new (queue, RECORDED_ID, RECORDED_TOKEN, "t", "c", "[1]", 2, dependencies, NULL);
}
