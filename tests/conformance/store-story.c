/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The story that is told to a store: new jobs, and new statuses of those that are not over, in
 * forms in which a queue makes them:
 *
 *   PENDING    attempts, perhaps the last error
 *   RUNNING    that, with at least one attempt, a token and started_at
 *   SUCCEEDED, FAILED   that, and finished_at; the outcome is there
 *   CANCELED   finished_at and the reason: REQUESTED without a token, or DEPENDENCY with a culprit
 */

#include "store-private.h"

#include <string.h>

#define LARGEST_BATCH 30
#define LONG_TEXT 40000
#define START G_GINT64_CONSTANT (1700000000000000000) /* ns */

static void
free_job (gpointer data)
{
  JobChange *job = data;

  job_change_clear (job);
  g_free (job);
}

void
story_init (Story *self, guint32 seed)
{
  *self = (Story){
    .rand = g_rand_new_with_seed (seed),
    .jobs = g_hash_table_new_full (job_id_hash, job_id_equal, NULL, free_job),
    .order = g_ptr_array_new (),
    .open = g_ptr_array_new (),
    .now = START,
  };
}

void
story_clear (Story *self)
{
  g_clear_pointer (&self->rand, g_rand_free);
  g_clear_pointer (&self->jobs, g_hash_table_unref);
  g_clear_pointer (&self->order, g_ptr_array_unref);
  g_clear_pointer (&self->open, g_ptr_array_unref);
}

/* --- drawing ---------------------------------------------------------------------------------- */

static guint
draw (Story *self, guint n)
{
  return (guint) g_rand_int_range (self->rand, 0, (gint32) n);
}

static gint64
draw_time (Story *self)
{
  self->now += 1 + draw (self, 2000000);
  return self->now;
}

static void
draw_bytes (Story *self, guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8) draw (self, 256);
}

/* Most are ordered, as the library's are; some are an application's own, of any version. */
static JobId
draw_id (Story *self)
{
  guint64 head = GUINT64_TO_BE ((guint64) self->now / 1000000 << 16);
  JobId id;

  draw_bytes (self, id.bytes, sizeof id.bytes);
  if (draw (self, 4) == 0)
    return id;
  memcpy (id.bytes, &head, 6);
  id.bytes[6] = (id.bytes[6] & 0x0f) | 0x70;
  id.bytes[8] = (id.bytes[8] & 0x3f) | 0x80;
  return id;
}

static char *
draw_name (Story *self, const char *plain)
{
  static const char *const odd[] = { "größe \\ \"/\n", "'; DROP TABLE job; --", "%s%n",
                                     "../../up" };

  if (draw (self, 20) == 0)
    return g_strnfill (255, 'n');
  if (draw (self, 8) == 0)
    return g_strdup (odd[draw (self, G_N_ELEMENTS (odd))]);
  return g_strdup_printf ("%s%u", plain, draw (self, 3));
}

static char *
draw_json (Story *self)
{
  g_autofree char *fill = g_strnfill (draw (self, draw (self, 50) == 0 ? LONG_TEXT : 300), 'x');

  switch (draw (self, 4))
    {
    case 0:
      return g_strdup ("null");
    case 1:
      return g_strdup ("{ \"b\" : [1e3, -0.0],\t\"a\": \"\\u0000 ü\" }");
    default:
      return g_strdup_printf ("[%u,\"%s\"]", draw (self, 1000000), fill);
    }
}

/* --- jobs ------------------------------------------------------------------------------------- */

/* Up to three of the jobs that are there, each once. */
static guint
draw_dependencies (Story *self, JobDependency dependencies[3])
{
  guint n = 0;

  for (guint i = 0; i < 3 && self->order->len > 0 && draw (self, 2) == 0; i++)
    {
      const JobChange *job = g_ptr_array_index (self->order, draw (self, self->order->len));
      gboolean is_new = TRUE;

      for (guint k = 0; k < n; k++)
        is_new = is_new && !job_id_equal (&dependencies[k].id, &job->id);
      if (is_new)
        dependencies[n++] = (JobDependency){ job->id, (JobCondition) draw (self, 3) };
    }
  return n;
}

static JobRecord *
draw_record (Story *self)
{
  JobDependency dependencies[3];
  guint n_dependencies = draw_dependencies (self, dependencies);
  JobRecord *record = job_record_new (n_dependencies);

  record->queued_at = draw_time (self);
  record->id = draw_id (self);
  record->run_at = draw (self, 3) == 0 ? draw_time (self) : 0;
  record->priority = draw (self, 3) == 0 ? (gint) g_rand_int (self->rand) : 0;
  record->max_attempts = draw (self, 10) == 0 ? G_MAXUINT : 1 + draw (self, 3);
  record->type = draw_name (self, "type");
  record->channel = draw (self, 2) == 0 ? g_strdup ("") : draw_name (self, "channel");
  record->args = draw_json (self);
  for (guint i = 0; i < n_dependencies; i++)
    record->dependencies[i] = dependencies[i];
  return record;
}

static void
draw_lease (Story *self, JobStatus *status)
{
  status->attempts += 1 + draw (self, 2);
  draw_bytes (self, status->token.bytes, sizeof status->token.bytes);
  status->started_at = draw_time (self);
}

static void
draw_end (Story *self, JobStatus *status)
{
  status->finished_at = draw_time (self);
  if (status->state == JOB_STATE_CANCELED)
    {
      status->token = (JobId){ { 0 } };
      status->reason = JOB_REASON_REQUESTED;
      return;
    }
  g_free (status->outcome);
  status->outcome = draw_json (self);
}

static JobStatus
draw_status (Story *self)
{
  static const JobState states[] = { JOB_STATE_PENDING,   JOB_STATE_RUNNING, JOB_STATE_RUNNING,
                                     JOB_STATE_SUCCEEDED, JOB_STATE_FAILED,  JOB_STATE_CANCELED };
  JobStatus status = { .state = states[draw (self, G_N_ELEMENTS (states))] };

  if (draw (self, 3) == 0)
    {
      status.attempts = 1 + draw (self, 3);
      status.outcome = draw_json (self);
    }
  if (status.state != JOB_STATE_PENDING)
    draw_lease (self, &status);
  if (job_state_is_final (status.state))
    draw_end (self, &status);
  return status;
}

/* --- changes ---------------------------------------------------------------------------------- */

static JobChange
copy_change (const JobChange *job, gboolean whole)
{
  JobChange copy = { .id = job->id, .record = whole ? job_record_ref (job->record) : NULL };

  job_status_copy (&job->status, &copy.status);
  return copy;
}

/* Some are born canceled. */
JobChange
story_next_job (Story *self)
{
  JobChange *job = g_new0 (JobChange, 1);

  job->record = draw_record (self);
  job->id = job->record->id;
  job->status.state = JOB_STATE_PENDING;
  if (job->record->n_dependencies > 0 && draw (self, 5) == 0)
    {
      job->status.state = JOB_STATE_CANCELED;
      job->status.reason = JOB_REASON_DEPENDENCY;
      job->status.culprit = job->record->dependencies[0].id;
      job->status.finished_at = draw_time (self);
    }
  g_hash_table_replace (self->jobs, &job->id, job);
  g_ptr_array_add (self->order, job);
  if (!job_state_is_final (job->status.state))
    g_ptr_array_add (self->open, job);
  return copy_change (job, TRUE);
}

/* Now and then the record comes again, as it does when a journal is applied anew. */
static JobChange
next_status (Story *self)
{
  guint number = draw (self, self->open->len);
  JobChange *job = g_ptr_array_index (self->open, number);

  job_status_clear (&job->status);
  job->status = draw_status (self);
  if (job_state_is_final (job->status.state))
    g_ptr_array_remove_index_fast (self->open, number);
  return copy_change (job, draw (self, 10) == 0);
}

static void
clear_change (gpointer data)
{
  job_change_clear (data);
}

GArray *
story_next (Story *self)
{
  GArray *changes = g_array_new (FALSE, FALSE, sizeof (JobChange));
  guint n = 1 + draw (self, LARGEST_BATCH);

  g_array_set_clear_func (changes, clear_change);
  for (guint i = 0; i < n; i++)
    {
      gboolean is_new = self->open->len == 0 || draw (self, 5) < 2;
      JobChange change = is_new ? story_next_job (self) : next_status (self);

      g_array_append_val (changes, change);
    }
  return changes;
}
