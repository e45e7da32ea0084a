/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-lane-private.h"

#include <string.h>

#define N_WIDER 3 /* any channel, any type, any of both */
#define MIN_SWEEP 1024

struct _JobLane
{
  const char *type;    /* interned in name; NULL: any */
  const char *channel; /* interned in name; NULL: any */
  char *name;
  JobHeap jobs;  /* narrow: its pending JobEntry */
  JobHeap lanes; /* wide: the narrow JobLane under it that have jobs */
  JobLane *wider[N_WIDER];
  guint position_in_wider[N_WIDER];
  guint position_in_ready;
  guint n_uses;   /* jobs that are not over, and waiters */
  guint which;    /* wide: its index in the wider[] of lanes under it */
  guint n_narrow; /* wide: how many lanes are under it */
  GQueue waits;   /* of JobWait.link, in the order of arrival */
};

typedef struct
{
  GList link; /* data: the JobWaiter */
  JobLane *lane;
} JobWait;

struct _JobWaiter
{
  guint64 number;
  gpointer data;
  guint n_waits;
  JobWait waits[];
};

typedef void (*LaneFunc) (JobLanes *self, JobLane *lane, gpointer data);

static gboolean
is_wide (const JobLane *lane)
{
  return lane->type == NULL || lane->channel == NULL;
}

static JobEntry *
lane_first (const JobLane *lane)
{
  JobLane *narrow;

  if (!is_wide (lane))
    return job_heap_peek (&lane->jobs);
  narrow = job_heap_peek (&lane->lanes);
  return narrow ? job_heap_peek (&narrow->jobs) : NULL;
}

static int
compare_first_job (gconstpointer a, gconstpointer b)
{
  return job_entry_compare (lane_first (a), lane_first (b));
}

static int
compare_first_waiter (gconstpointer a, gconstpointer b)
{
  const JobWaiter *x = ((const JobLane *) a)->waits.head->data;
  const JobWaiter *y = ((const JobLane *) b)->waits.head->data;

  return x->number < y->number ? -1 : x->number > y->number;
}

/* To be called when the lane's first waiter, or whether it has a job, may have changed. */
static void
refresh_ready (JobLanes *self, JobLane *lane)
{
  gboolean ready = lane->waits.head != NULL && lane_first (lane) != NULL;
  gboolean was_ready = job_heap_contains (&self->ready, lane);

  if (ready && was_ready)
    job_heap_update (&self->ready, lane);
  else if (ready)
    job_heap_push (&self->ready, lane);
  else if (was_ready)
    job_heap_remove (&self->ready, lane);
}

/* To be called when the first job of a narrow lane changed. */
static void
refresh_wider (JobLanes *self, JobLane *lane)
{
  gboolean has_jobs = lane->jobs.length > 0;

  for (guint i = 0; i < N_WIDER; i++)
    {
      JobLane *wider = lane->wider[i];

      if (wider == NULL)
        continue;
      if (lane->position_in_wider[i] == 0 && has_jobs)
        job_heap_push (&wider->lanes, lane);
      else if (has_jobs)
        job_heap_update (&wider->lanes, lane);
      else if (lane->position_in_wider[i] != 0)
        job_heap_remove (&wider->lanes, lane);
      refresh_ready (self, wider);
    }
}

/* A name that is unique for each pair, "any" included, with both strings in it. */
static char *
make_name (const char *type, const char *channel, gsize *type_at, gsize *channel_at)
{
  GString *name = g_string_new (type ? "t" : "*");

  g_string_append (name, channel ? "c" : "*");
  *type_at = name->len;
  g_string_append (name, type ? type : "");
  g_string_append_c (name, '\0');
  *channel_at = name->len;
  g_string_append (name, channel ? channel : "");
  return g_string_free (name, FALSE);
}

static guint
name_hash (gconstpointer name)
{
  const char *type = name;

  return g_str_hash (type) * 33 + g_str_hash (type + strlen (type) + 1);
}

static gboolean
name_equal (gconstpointer a, gconstpointer b)
{
  gsize size = strlen (a) + 1;

  return strcmp (a, b) == 0 && strcmp ((const char *) a + size, (const char *) b + size) == 0;
}

static void
lane_free (JobLane *lane)
{
  job_heap_clear (&lane->jobs);
  job_heap_clear (&lane->lanes);
  g_free (lane->name);
  g_free (lane);
}

static void
attach (JobLane *lane, JobLane *wide)
{
  lane->wider[wide->which] = wide;
  wide->n_narrow++;
  if (lane->jobs.length > 0)
    job_heap_push (&wide->lanes, lane);
}

static void
detach (JobLane *lane)
{
  for (guint i = 0; i < N_WIDER; i++)
    if (lane->wider[i])
      lane->wider[i]->n_narrow--;
}

static void
remove_unused_wide (JobLanes *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->by_name);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      JobLane *lane = value;

      if (!is_wide (lane) || lane->n_uses > 0 || lane->n_narrow > 0)
        continue;
      g_hash_table_iter_remove (&iter);
      self->n_wide--;
    }
  self->sweep_at = MAX (MIN_SWEEP, self->n_wide * 2);
}

static gboolean
covers (const JobLane *wide, const JobLane *lane)
{
  return (wide->type == NULL || strcmp (wide->type, lane->type) == 0) &&
         (wide->channel == NULL || strcmp (wide->channel, lane->channel) == 0);
}

/* A new wide lane takes in the narrow ones that are there: the one time that lanes are walked. */
static void
adopt_narrow (JobLanes *self, JobLane *wide)
{
  GHashTableIter iter;
  gpointer value;

  wide->which = wide->type != NULL ? 0 : wide->channel != NULL ? 1 : 2;
  job_heap_init (&wide->lanes, compare_first_job,
                 G_STRUCT_OFFSET (JobLane, position_in_wider) + wide->which * sizeof (guint));

  g_hash_table_iter_init (&iter, self->by_name);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (!is_wide (value) && covers (wide, value))
      attach (value, wide);
  self->n_wide++;
}

static JobLane *
find_lane (JobLanes *self, const char *type, const char *channel)
{
  gsize type_at, channel_at;
  g_autofree char *name = make_name (type, channel, &type_at, &channel_at);

  return g_hash_table_lookup (self->by_name, name);
}

static void
join_wide (JobLanes *self, JobLane *lane)
{
  JobLane *wide[N_WIDER] = {
    find_lane (self, lane->type, NULL),
    find_lane (self, NULL, lane->channel),
    find_lane (self, NULL, NULL),
  };

  for (guint i = 0; i < N_WIDER; i++)
    if (wide[i])
      attach (lane, wide[i]);
}

static JobLane *
get_lane (JobLanes *self, const char *type, const char *channel)
{
  gsize type_at, channel_at;
  g_autofree char *name = make_name (type, channel, &type_at, &channel_at);
  JobLane *lane = g_hash_table_lookup (self->by_name, name);

  if (lane)
    return lane;

  lane = g_new0 (JobLane, 1);
  lane->name = g_steal_pointer (&name);
  lane->type = type ? lane->name + type_at : NULL;
  lane->channel = channel ? lane->name + channel_at : NULL;
  g_queue_init (&lane->waits);
  job_heap_init (&lane->jobs, job_entry_compare, G_STRUCT_OFFSET (JobEntry, position));

  if (is_wide (lane) && self->n_wide >= self->sweep_at)
    remove_unused_wide (self);
  if (is_wide (lane))
    adopt_narrow (self, lane);
  else if (self->n_wide > 0)
    join_wide (self, lane);
  g_hash_table_insert (self->by_name, lane->name, lane);
  return lane;
}

void
job_lanes_init (JobLanes *self)
{
  *self = (JobLanes){ .sweep_at = MIN_SWEEP };
  self->by_name = g_hash_table_new_full (name_hash, name_equal, NULL, (GDestroyNotify) lane_free);
  job_heap_init (&self->ready, compare_first_waiter, G_STRUCT_OFFSET (JobLane, position_in_ready));
}

void
job_lanes_clear (JobLanes *self)
{
  g_clear_pointer (&self->by_name, g_hash_table_unref);
  job_heap_clear (&self->ready);
}

JobLane *
job_lanes_use (JobLanes *self, const char *type, const char *channel)
{
  JobLane *lane = get_lane (self, type, channel);

  lane->n_uses++;
  return lane;
}

/* Narrow lanes go when nothing uses them; wide ones wait for a sweep, so that a dequeue that comes
 * again and again finds its lane. */
void
job_lanes_unuse (JobLanes *self, JobLane *lane)
{
  if (--lane->n_uses > 0 || is_wide (lane))
    return;
  detach (lane);
  g_hash_table_remove (self->by_name, lane->name);
}

const char *
job_lane_get_type (const JobLane *lane)
{
  return lane->type;
}

const char *
job_lane_get_channel (const JobLane *lane)
{
  return lane->channel;
}

void
job_lanes_add_job (JobLanes *self, JobEntry *entry)
{
  JobLane *lane = entry->lane;

  job_heap_push (&lane->jobs, entry);
  if (job_heap_peek (&lane->jobs) != entry)
    return;
  refresh_wider (self, lane);
  refresh_ready (self, lane);
}

void
job_lanes_remove_job (JobLanes *self, JobEntry *entry)
{
  JobLane *lane = entry->lane;
  gboolean was_first = job_heap_peek (&lane->jobs) == entry;

  job_heap_remove (&lane->jobs, entry);
  if (!was_first)
    return;
  refresh_wider (self, lane);
  refresh_ready (self, lane);
}

/* Calls @func for each lane that a dequeue of @types and @channels names; narrow ones that are not
 * there are made, or left out. */
static void
for_each_lane (JobLanes *self, const char *const *types, const char *const *channels,
               gboolean make_narrow, LaneFunc func, gpointer data)
{
  static const char *const any[] = { NULL };
  guint n_types = types ? g_strv_length ((char **) types) : 1;
  guint n_channels = channels ? g_strv_length ((char **) channels) : 1;

  for (guint i = 0; i < n_types; i++)
    for (guint j = 0; j < n_channels; j++)
      {
        const char *type = (types ? types : any)[i];
        const char *channel = (channels ? channels : any)[j];
        JobLane *lane = make_narrow || type == NULL || channel == NULL
                            ? get_lane (self, type, channel)
                            : find_lane (self, type, channel);

        if (lane)
          func (self, lane, data);
      }
}

static void
take_first (JobLanes *self, JobLane *lane, gpointer data)
{
  JobEntry **best = data;
  JobEntry *first = lane_first (lane);

  if (first && (*best == NULL || job_entry_compare (first, *best) < 0))
    *best = first;
}

JobEntry *
job_lanes_first (JobLanes *self, const char *const *types, const char *const *channels)
{
  JobEntry *best = NULL;

  for_each_lane (self, types, channels, FALSE, take_first, &best);
  return best;
}

static void
wait_in_lane (JobLanes *self, JobLane *lane, gpointer data)
{
  JobWaiter *waiter = data;
  JobWait *wait = &waiter->waits[waiter->n_waits++];

  lane->n_uses++;
  wait->lane = lane;
  wait->link.data = waiter;
  g_queue_push_tail_link (&lane->waits, &wait->link);
  if (lane->waits.length == 1)
    refresh_ready (self, lane);
}

JobWaiter *
job_lanes_add_waiter (JobLanes *self, const char *const *types, const char *const *channels,
                      gpointer data)
{
  gsize n_types = types ? g_strv_length ((char **) types) : 1;
  gsize n_channels = channels ? g_strv_length ((char **) channels) : 1;
  JobWaiter *waiter = g_malloc0 (sizeof (JobWaiter) + n_types * n_channels * sizeof (JobWait));

  waiter->number = ++self->n_waiters_ever;
  waiter->data = data;
  for_each_lane (self, types, channels, TRUE, wait_in_lane, waiter);
  return waiter;
}

void
job_lanes_remove_waiter (JobLanes *self, JobWaiter *waiter)
{
  for (guint i = 0; i < waiter->n_waits; i++)
    {
      JobWait *wait = &waiter->waits[i];
      gboolean was_first = wait->lane->waits.head == &wait->link;

      if (was_first && job_heap_contains (&self->ready, wait->lane))
        job_heap_remove (&self->ready, wait->lane);
      g_queue_unlink (&wait->lane->waits, &wait->link);
      if (was_first)
        refresh_ready (self, wait->lane);
      job_lanes_unuse (self, wait->lane);
    }
  g_free (waiter);
}

gpointer
job_waiter_get_data (const JobWaiter *waiter)
{
  return waiter->data;
}

gboolean
job_lanes_match (JobLanes *self, JobWaiter **waiter, JobEntry **entry)
{
  JobLane *lane = job_heap_peek (&self->ready);

  if (lane == NULL)
    return FALSE;

  *waiter = lane->waits.head->data;
  *entry = NULL;
  for (guint i = 0; i < (*waiter)->n_waits; i++)
    take_first (self, (*waiter)->waits[i].lane, entry);
  return TRUE;
}
