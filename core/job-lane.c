/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lanes and their jobs. A lane that nothing uses stays for a while, since the next job or dequeue
 * is likely to be of the same pair; of those, the ones that have been idle for longest go. */

#include "job-lane-inside-private.h"

#define MAX_IDLE 1024

static int
compare_first_job (gconstpointer a, gconstpointer b)
{
  return job_entry_compare (job_lane_first (a), job_lane_first (b));
}

/* --- names ------------------------------------------------------------------------------------ */

static guint
name_hash (gconstpointer key)
{
  const JobLaneName *name = key;
  guint64 hash = name->type ? job_lane_hash_name (1, name->type) : 2;

  hash = name->channel ? job_lane_hash_name (hash, name->channel) : ~hash;
  return (guint) (hash ^ hash >> 32);
}

static gboolean
name_equal (gconstpointer a, gconstpointer b)
{
  const JobLaneName *x = a;
  const JobLaneName *y = b;

  return g_strcmp0 (x->type, y->type) == 0 && g_strcmp0 (x->channel, y->channel) == 0;
}

/* --- wide lanes ------------------------------------------------------------------------------- */

static guint
wider_index (const JobLaneName *wide)
{
  if (wide->type)
    return JOB_WIDER_CHANNEL;
  return wide->channel ? JOB_WIDER_TYPE : JOB_WIDER_BOTH;
}

static gboolean
covers (const JobLaneName *wide, const JobLaneName *narrow)
{
  return (wide->type == NULL || strcmp (wide->type, narrow->type) == 0) &&
         (wide->channel == NULL || strcmp (wide->channel, narrow->channel) == 0);
}

static void
use (JobLanes *self, JobLane *lane)
{
  if (lane->n_uses++ == 0)
    g_queue_unlink (&self->idle_lanes, &lane->idle);
}

static void
attach (JobLanes *self, JobLane *narrow, JobLane *wide)
{
  narrow->wider[wider_index (&wide->name)] = wide;
  use (self, wide);
  if (narrow->jobs.length > 0)
    job_heap_push (&wide->jobs, narrow);
}

/* A new wide lane takes in the narrow ones that are there: the one time that lanes are walked. */
static void
adopt_narrow (JobLanes *self, JobLane *wide)
{
  GHashTableIter iter;
  gpointer lane;

  g_hash_table_iter_init (&iter, self->by_name);
  while (g_hash_table_iter_next (&iter, &lane, NULL))
    if (!job_lane_is_wide (lane) && covers (&wide->name, &((JobLane *) lane)->name))
      attach (self, lane, wide);
  self->n_wide++;
}

static void
join_wide (JobLanes *self, JobLane *narrow)
{
  const JobLaneName names[JOB_N_WIDER] = {
    [JOB_WIDER_CHANNEL] = { narrow->name.type, NULL },
    [JOB_WIDER_TYPE] = { NULL, narrow->name.channel },
  };

  for (guint i = 0; self->n_wide > 0 && i < JOB_N_WIDER; i++)
    {
      JobLane *wide = g_hash_table_lookup (self->by_name, &names[i]);

      if (wide)
        attach (self, narrow, wide);
    }
}

/* --- lanes ------------------------------------------------------------------------------------ */

static void
lane_free (gpointer data)
{
  JobLane *lane = data;

  job_heap_clear (&lane->jobs);
  job_heap_clear (&lane->members);
  job_heap_clear (&lane->waiting);
  g_free (lane);
}

static JobLane *
lane_new (const JobLaneName *name)
{
  gsize type_size = name->type ? strlen (name->type) + 1 : 0;
  gsize channel_size = name->channel ? strlen (name->channel) + 1 : 0;
  JobLane *lane = g_malloc0 (sizeof (JobLane) + type_size + channel_size);

  if (name->type)
    lane->name.type = memcpy (lane->text, name->type, type_size);
  if (name->channel)
    lane->name.channel = memcpy (lane->text + type_size, name->channel, channel_size);
  lane->idle.data = lane;
  job_heap_init (&lane->members, job_member_compare_needs,
                 G_STRUCT_OFFSET (JobMember, position_in_members));
  job_heap_init (&lane->waiting, job_member_compare_numbers,
                 G_STRUCT_OFFSET (JobMember, position_in_waiting));
  if (job_lane_is_wide (lane))
    job_heap_init (&lane->jobs, compare_first_job,
                   G_STRUCT_OFFSET (JobLane, position_in_wider) +
                       wider_index (name) * sizeof (guint));
  else
    job_heap_init (&lane->jobs, job_entry_compare, G_STRUCT_OFFSET (JobEntry, position));
  return lane;
}

static void
drop_idle (JobLanes *self)
{
  JobLane *lane = g_queue_pop_head_link (&self->idle_lanes)->data;

  for (guint i = 0; i < JOB_N_WIDER; i++)
    if (lane->wider[i])
      job_lanes_unuse (self, lane->wider[i]);
  if (job_lane_is_wide (lane))
    self->n_wide--;
  g_hash_table_remove (self->by_name, lane);
}

JobLane *
job_lanes_use_named (JobLanes *self, JobLaneName name)
{
  JobLane *lane = g_hash_table_lookup (self->by_name, &name);

  if (lane == NULL)
    {
      lane = lane_new (&name);
      g_queue_push_tail_link (&self->idle_lanes, &lane->idle);
      if (job_lane_is_wide (lane))
        adopt_narrow (self, lane);
      else
        join_wide (self, lane);
      g_hash_table_add (self->by_name, lane);
    }
  use (self, lane);
  return lane;
}

JobLane *
job_lanes_use (JobLanes *self, const char *type, const char *channel)
{
  return job_lanes_use_named (self, (JobLaneName){ type, channel });
}

void
job_lanes_unuse (JobLanes *self, JobLane *lane)
{
  if (--lane->n_uses > 0)
    return;
  g_queue_push_tail_link (&self->idle_lanes, &lane->idle);
  while (self->idle_lanes.length > MAX_IDLE)
    drop_idle (self);
}

const char *
job_lane_get_type (const JobLane *lane)
{
  return lane->name.type;
}

const char *
job_lane_get_channel (const JobLane *lane)
{
  return lane->name.channel;
}

void
job_lanes_init (JobLanes *self)
{
  *self = (JobLanes){ 0 };
  self->by_name = g_hash_table_new_full (name_hash, name_equal, lane_free, NULL);
  self->by_list = job_subscriptions_new ();
  g_queue_init (&self->idle_lanes);
  g_queue_init (&self->idle_subscriptions);
  job_heap_init (&self->ready, job_lane_compare_waiters,
                 G_STRUCT_OFFSET (JobLane, position_in_ready));
}

void
job_lanes_clear (JobLanes *self)
{
  g_clear_pointer (&self->by_list, g_hash_table_unref);
  g_clear_pointer (&self->by_name, g_hash_table_unref);
  job_heap_clear (&self->ready);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void
refresh_in_wide (JobLane *lane, guint i)
{
  JobLane *wide = lane->wider[i];

  if (lane->position_in_wider[i] == 0)
    job_heap_push (&wide->jobs, lane);
  else if (lane->jobs.length > 0)
    job_heap_update (&wide->jobs, lane);
  else
    job_heap_remove (&wide->jobs, lane);
}

/* To be called when the first job of a narrow lane changed. */
static void
refresh_first (JobLanes *self, JobLane *lane)
{
  for (guint i = 0; i < JOB_N_WIDER; i++)
    if (lane->wider[i])
      {
        refresh_in_wide (lane, i);
        job_lane_tell_members (lane->wider[i]);
        job_lanes_refresh_ready (self, lane->wider[i]);
      }
  job_lane_tell_members (lane);
  job_lanes_refresh_ready (self, lane);
}

void
job_lanes_add_job (JobLanes *self, JobEntry *entry)
{
  JobLane *lane = entry->lane;

  job_heap_push (&lane->jobs, entry);
  if (job_heap_peek (&lane->jobs) == entry)
    refresh_first (self, lane);
}

void
job_lanes_remove_job (JobLanes *self, JobEntry *entry)
{
  JobLane *lane = entry->lane;
  gboolean was_first = job_heap_peek (&lane->jobs) == entry;

  job_heap_remove (&lane->jobs, entry);
  if (was_first)
    refresh_first (self, lane);
}
