/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "endurance-load.h"

#include <stdio.h>
#include <string.h>

#define IN_FLIGHT 1000
#define BEGINNING G_GUINT64_CONSTANT (0x018bcfe50000)

/* One call is in flight at any time. */
typedef struct
{
  EnduranceLoad *load;
  guint64 number; /* of the job that it enqueues or completes */
  gint64 began;   /* µs, monotonic */
} Slot;

/* --- jobs ------------------------------------------------------------------------------------- */

void
endurance_write_id (guint64 number, char id[ENDURANCE_ID_SIZE])
{
  guint64 head = BEGINNING + (number >> 12);
  guint64 tail = (number + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  snprintf (id, ENDURANCE_ID_SIZE, "%08x-%04x-7%03x-8%03x-%012" G_GINT64_MODIFIER "x",
            (guint) (head >> 16), (guint) (head & 0xffff), (guint) (number & 0xfff),
            (guint) (tail >> 52), tail & G_GUINT64_CONSTANT (0xffffffffffff));
}

void
endurance_write_args (guint64 number, char args[ENDURANCE_ARGS_SIZE])
{
  int length =
      snprintf (args, ENDURANCE_ARGS_SIZE, "{\"number\":%" G_GUINT64_FORMAT ",\"text\":\"", number);

  memset (args + length, 'x', (gsize) (ENDURANCE_ARGS_SIZE - 3 - length));
  strcpy (args + ENDURANCE_ARGS_SIZE - 3, "\"}");
}

guint64
endurance_read_number (const char *args)
{
  return g_ascii_strtoull (args + strlen ("{\"number\":"), NULL, 10);
}

/* --- times ------------------------------------------------------------------------------------ */

void
endurance_times_add (EnduranceTimes *self, gint64 us)
{
  gulong time = us > 0 ? (gulong) us : 0;
  guint doubling = g_bit_storage (time);
  guint bucket =
      doubling < 4 ? (guint) time : (doubling - 3) * 8 + (guint) (time >> (doubling - 4) & 7);

  self->buckets[MIN (bucket, ENDURANCE_BUCKETS - 1)]++;
  self->n++;
}

guint64
endurance_times_get (const EnduranceTimes *self, double rank)
{
  guint64 n = 0;
  guint bucket = 0;

  while (bucket < ENDURANCE_BUCKETS - 1 && (double) (n += self->buckets[bucket]) < rank * self->n)
    bucket++;
  return bucket < 8 ? bucket : (guint64) (8 + bucket % 8) << (bucket / 8 - 1);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void begin_job (Slot *slot);

static void
note (Slot *slot, const GError *error)
{
  EnduranceLoad *load = slot->load;
  gint64 now = g_get_monotonic_time ();

  if (load->times)
    endurance_times_add (load->times, now - slot->began);
  slot->began = now;
  if (error && load->problem == NULL)
    load->problem = g_strdup (error->message);
}

static void
end_job (Slot *slot)
{
  slot->load->n_busy--;
  if (slot->load->over && slot->load->problem == NULL)
    slot->load->over (slot->load->data);
  begin_job (slot);
}

static void
on_completed (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *slot = data;
  g_autoptr (GError) error = NULL;

  if (job_lease_complete_finish (JOB_LEASE (source), result, &error))
    slot->load->marks[slot->number] = ENDURANCE_COMPLETED;
  note (slot, error);
  end_job (slot);
}

/* Of another slot, most likely: the one that waited longest. */
static void
on_dequeued (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *slot = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JobLease) lease = job_queue_dequeue_finish (JOB_QUEUE (source), result, &error);

  note (slot, error);
  if (lease == NULL)
    {
      slot->load->n_busy--;
      return;
    }
  slot->number = endurance_read_number (job_lease_get_args (lease));
  slot->load->marks[slot->number] = ENDURANCE_TAKEN;
  job_lease_complete_async (lease, ENDURANCE_RESULT, NULL, on_completed, slot);
}

static void
on_enqueued (GObject *source, GAsyncResult *result, gpointer data)
{
  Slot *slot = data;
  JobQueue *queue = JOB_QUEUE (source);
  g_autoptr (GError) error = NULL;
  g_autofree char *id = job_queue_enqueue_finish (queue, result, &error);

  note (slot, error);
  if (id == NULL)
    slot->load->marks[slot->number] = ENDURANCE_REFUSED;
  else if (slot->load->marks[slot->number] == ENDURANCE_NOTHING)
    slot->load->marks[slot->number] = ENDURANCE_ENQUEUED;
  if (id && slot->load->cycle)
    job_queue_dequeue_async (queue, NULL, NULL, -1, NULL, on_dequeued, slot);
  else
    end_job (slot);
}

static JobSpec *
make_spec (guint64 number)
{
  char id[ENDURANCE_ID_SIZE], args[ENDURANCE_ARGS_SIZE];
  JobSpec *spec;

  endurance_write_id (number, id);
  endurance_write_args (number, args);
  spec = job_spec_new ("endure", args);
  if (!job_spec_set_id (spec, id, NULL))
    g_error ("%s is no id", id);
  return spec;
}

static void
begin_job (Slot *slot)
{
  EnduranceLoad *load = slot->load;
  g_autoptr (JobSpec) spec = NULL;

  if (load->problem || load->next == load->end)
    return;
  slot->number = load->next++;
  spec = make_spec (slot->number);
  load->n_busy++;
  slot->began = g_get_monotonic_time ();
  job_queue_enqueue_async (load->queue, spec, NULL, on_enqueued, slot);
}

gboolean
endurance_load_run (EnduranceLoad *self)
{
  g_autofree Slot *slots = g_new0 (Slot, IN_FLIGHT);

  for (guint i = 0; i < IN_FLIGHT; i++)
    {
      slots[i].load = self;
      begin_job (&slots[i]);
    }
  while (self->n_busy > 0 && self->problem == NULL)
    g_main_context_iteration (NULL, TRUE);
  if (self->n_busy > 0)
    g_steal_pointer (&slots); /* the calls in flight point to them */
  return self->problem == NULL;
}
