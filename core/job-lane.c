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

/* --- families --------------------------------------------------------------------------------- */

/* Whose wide lane has that name. */
static guint
family_of_wide (const JobLaneName *name)
{
  if (name->type)
    return JOB_FAMILY_TYPE;
  return name->channel ? JOB_FAMILY_CHANNEL : JOB_FAMILY_ALL;
}

static JobLaneFamily *
get_family (JobLanes *self, const JobLaneName *name, guint which)
{
  const char *key = which == JOB_FAMILY_TYPE      ? name->type
                    : which == JOB_FAMILY_CHANNEL ? name->channel
                                                  : "";
  JobLaneFamily *family = g_hash_table_lookup (self->families[which], key);
  gsize size = strlen (key) + 1;

  if (family)
    return family;
  family = g_malloc0 (sizeof (JobLaneFamily) + size);
  memcpy (family->name, key, size);
  family->lanes = g_ptr_array_new ();
  g_hash_table_insert (self->families[which], family->name, family);
  return family;
}

static void
family_free (gpointer data)
{
  JobLaneFamily *family = data;

  g_ptr_array_unref (family->lanes);
  g_free (family);
}

static void
forget_family_if_empty (JobLanes *self, JobLaneFamily *family, guint which)
{
  if (family->lanes->len == 0 && family->wide == NULL)
    g_hash_table_remove (self->families[which], family->name);
}

static void
join_families (JobLanes *self, JobLane *narrow)
{
  for (guint i = 0; i < JOB_N_FAMILIES; i++)
    {
      narrow->families[i] = get_family (self, &narrow->name, i);
      narrow->position_in_family[i] = narrow->families[i]->lanes->len;
      g_ptr_array_add (narrow->families[i]->lanes, narrow);
    }
}

/* The last one of the family takes its place. */
static void
leave_families (JobLanes *self, JobLane *narrow)
{
  for (guint i = 0; i < JOB_N_FAMILIES; i++)
    {
      GPtrArray *lanes = narrow->families[i]->lanes;
      guint index = narrow->position_in_family[i];

      g_ptr_array_remove_index_fast (lanes, index);
      if (index < lanes->len)
        ((JobLane *) lanes->pdata[index])->position_in_family[i] = index;
      forget_family_if_empty (self, narrow->families[i], i);
    }
}

static void
cover_family (JobLanes *self, JobLane *wide)
{
  guint which = family_of_wide (&wide->name);
  JobLaneFamily *family = get_family (self, &wide->name, which);

  wide->families[which] = family;
  family->wide = wide;
  for (guint i = 0; i < family->lanes->len; i++)
    if (((JobLane *) family->lanes->pdata[i])->jobs.length > 0)
      job_heap_push (&wide->jobs, family->lanes->pdata[i]);
}

static void
uncover_family (JobLanes *self, JobLane *wide)
{
  guint which = family_of_wide (&wide->name);
  JobLaneFamily *family = wide->families[which];

  family->wide = NULL;
  for (guint i = 0; i < family->lanes->len; i++)
    ((JobLane *) family->lanes->pdata[i])->position_in_wide[which] = 0;
  forget_family_if_empty (self, family, which);
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
                   G_STRUCT_OFFSET (JobLane, position_in_wide) +
                       family_of_wide (name) * sizeof (guint));
  else
    job_heap_init (&lane->jobs, job_entry_compare, G_STRUCT_OFFSET (JobEntry, position));
  return lane;
}

static void
drop_idle (JobLanes *self)
{
  JobLane *lane = g_queue_pop_head_link (&self->idle_lanes)->data;

  if (job_lane_is_wide (lane))
    {
      uncover_family (self, lane);
      lane_free (lane);
      return;
    }
  leave_families (self, lane);
  g_hash_table_remove (self->by_name, lane);
}

static JobLane *
find_lane (JobLanes *self, const JobLaneName *name)
{
  guint which = family_of_wide (name);

  if (name->type && name->channel)
    return g_hash_table_lookup (self->by_name, name);
  return get_family (self, name, which)->wide;
}

/* An idle one. */
static JobLane *
add_lane (JobLanes *self, const JobLaneName *name)
{
  JobLane *lane = lane_new (name);

  if (job_lane_is_wide (lane))
    cover_family (self, lane);
  else
    {
      join_families (self, lane);
      g_hash_table_add (self->by_name, lane);
    }
  g_queue_push_tail_link (&self->idle_lanes, &lane->idle);
  return lane;
}

JobLane *
job_lanes_use_named (JobLanes *self, JobLaneName name)
{
  JobLane *lane = find_lane (self, &name);

  if (lane == NULL)
    lane = add_lane (self, &name);
  if (lane->n_uses++ == 0)
    g_queue_unlink (&self->idle_lanes, &lane->idle);
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
  while (self->idle_lanes.length > self->max_idle)
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
  *self = (JobLanes){ .max_idle = MAX_IDLE };
  self->by_name = g_hash_table_new_full (name_hash, name_equal, lane_free, NULL);
  for (guint i = 0; i < JOB_N_FAMILIES; i++)
    self->families[i] = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, family_free);
  self->by_list = job_subscriptions_new ();
  g_queue_init (&self->idle_lanes);
  g_queue_init (&self->idle_subscriptions);
  job_heap_init (&self->ready, job_lane_compare_waiters,
                 G_STRUCT_OFFSET (JobLane, position_in_ready));
}

/* With their wide lanes. */
static void
clear_families (JobLanes *self, guint which)
{
  GHashTableIter iter;
  gpointer family;

  g_hash_table_iter_init (&iter, self->families[which]);
  while (g_hash_table_iter_next (&iter, NULL, &family))
    if (((JobLaneFamily *) family)->wide)
      lane_free (((JobLaneFamily *) family)->wide);
  g_clear_pointer (&self->families[which], g_hash_table_unref);
}

void
job_lanes_clear (JobLanes *self)
{
  g_clear_pointer (&self->by_list, g_hash_table_unref);
  for (guint i = 0; i < JOB_N_FAMILIES; i++)
    clear_families (self, i);
  g_clear_pointer (&self->by_name, g_hash_table_unref);
  job_heap_clear (&self->ready);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void
refresh_in_wide (JobLane *wide, JobLane *lane, guint i)
{
  if (lane->position_in_wide[i] == 0)
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
  for (guint i = 0; i < JOB_N_FAMILIES; i++)
    {
      JobLane *wide = lane->families[i]->wide;

      if (wide == NULL)
        continue;
      refresh_in_wide (wide, lane, i);
      job_lane_tell_members (wide);
      job_lanes_refresh_ready (self, wide);
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
