/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Subscriptions: the lists that dequeues name, made into sets of lanes once and not for each
 * dequeue. One without waiters stays for the next dequeue with these lists; of those, the ones that
 * nobody asked for for longest go. */

#include "job-lane-inside-private.h"

#define MAX_IDLE_MEMBERS 200000 /* of all of them; the last one may have more */

/* --- members ---------------------------------------------------------------------------------- */

static JobRank
rank_of (const JobEntry *entry)
{
  return (JobRank){ entry->queued_at, entry->id, entry->priority };
}

/* As job_entry_compare(). */
static int
compare_ranks (const JobRank *x, const JobRank *y)
{
  if (x->priority != y->priority)
    return x->priority > y->priority ? -1 : 1;
  if (x->queued_at != y->queued_at)
    return x->queued_at < y->queued_at ? -1 : 1;
  return job_id_compare (&x->id, &y->id);
}

int
job_member_compare_ranks (gconstpointer a, gconstpointer b)
{
  return compare_ranks (&((const JobMember *) a)->rank, &((const JobMember *) b)->rank);
}

/* First those that know of no job, then those that know of the latest. */
int
job_member_compare_needs (gconstpointer a, gconstpointer b)
{
  const JobMember *x = a;
  const JobMember *y = b;

  if (x->position_in_lanes == 0 || y->position_in_lanes == 0)
    return (x->position_in_lanes != 0) - (y->position_in_lanes != 0);
  return compare_ranks (&y->rank, &x->rank);
}

int
job_member_compare_numbers (gconstpointer a, gconstpointer b)
{
  const JobMember *x = a;
  const JobMember *y = b;

  return x->number < y->number ? -1 : x->number > y->number;
}

static void
set_rank (JobMember *member, const JobRank *rank)
{
  JobHeap *lanes = &member->subscription->lanes;

  member->rank = *rank;
  if (member->position_in_lanes == 0)
    job_heap_push (lanes, member);
  else
    job_heap_update (lanes, member);
  job_heap_update (&member->lane->members, member);
}

static void
forget_lane (JobMember *member)
{
  job_heap_remove (&member->subscription->lanes, member);
  job_heap_update (&member->lane->members, member);
}

void
job_lane_tell_members (JobLane *lane)
{
  const JobEntry *first = job_lane_first (lane);
  JobMember *member = job_heap_peek (&lane->members);
  JobRank rank;

  if (first == NULL || member == NULL)
    return;
  rank = rank_of (first);
  while (member->position_in_lanes == 0 || compare_ranks (&rank, &member->rank) < 0)
    {
      set_rank (member, &rank);
      member = job_heap_peek (&lane->members);
    }
}

JobEntry *
job_subscription_first (JobSubscription *self)
{
  JobMember *member;

  while ((member = job_heap_peek (&self->lanes)))
    {
      JobEntry *first = job_lane_first (member->lane);
      JobRank rank;

      if (first == NULL)
        {
          forget_lane (member);
          continue;
        }
      rank = rank_of (first);
      if (compare_ranks (&rank, &member->rank) == 0)
        return first;
      set_rank (member, &rank);
    }
  return NULL;
}

static void
join_lane (JobLanes *self, JobMember *member, JobLaneName name)
{
  JobLane *lane = job_lanes_use_named (self, name);
  const JobEntry *first = job_lane_first (lane);

  member->lane = lane;
  job_heap_push (&lane->members, member);
  if (first)
    {
      JobRank rank = rank_of (first);

      set_rank (member, &rank);
    }
}

static void
leave_lane (JobLanes *self, JobMember *member)
{
  JobLane *lane = member->lane;

  job_heap_remove (&lane->members, member);
  if (member->position_in_waiting != 0)
    {
      job_heap_remove (&lane->waiting, member);
      job_lanes_refresh_ready (self, lane);
    }
  job_lanes_unuse (self, lane);
}

/* --- lists ------------------------------------------------------------------------------------ */

static guint
count (const char *const *names)
{
  return names ? g_strv_length ((char **) names) : 1;
}

static guint64
hash_list (guint64 hash, const char *const *names)
{
  if (names == NULL)
    return ~hash;
  for (; *names; names++)
    hash = job_lane_hash_name (hash, *names);
  return hash * 31;
}

static guint
hash_lists (const char *const *types, const char *const *channels)
{
  guint64 hash = hash_list (hash_list (1, types), channels);

  return (guint) (hash ^ hash >> 32);
}

static gboolean
is_same_list (char **a, const char *const *b)
{
  if (a == NULL || b == NULL)
    return a == NULL && b == NULL;
  while (*a && *b && strcmp (*a, *b) == 0)
    a++, b++;
  return *a == NULL && *b == NULL;
}

static gboolean
is_to (const JobSubscription *self, const char *const *types, const char *const *channels)
{
  return is_same_list (self->types, types) && is_same_list (self->channels, channels);
}

static guint
subscription_hash (gconstpointer subscription)
{
  return ((const JobSubscription *) subscription)->hash;
}

static gboolean
subscription_equal (gconstpointer a, gconstpointer b)
{
  const JobSubscription *y = b;

  return is_to (a, (const char *const *) y->types, (const char *const *) y->channels);
}

/* --- subscriptions ---------------------------------------------------------------------------- */

static void
subscription_free (gpointer data)
{
  JobSubscription *self = data;

  job_heap_clear (&self->lanes);
  g_strfreev (self->types);
  g_strfreev (self->channels);
  g_free (self);
}

GHashTable *
job_subscriptions_new (void)
{
  return g_hash_table_new_full (subscription_hash, subscription_equal, subscription_free, NULL);
}

static JobSubscription *
subscription_new (JobLanes *lanes, const char *const *types, const char *const *channels,
                  guint hash)
{
  static const char *const any[] = { NULL };
  guint n_types = count (types), n_channels = count (channels);
  JobSubscription *self =
      g_malloc0 (sizeof (JobSubscription) + sizeof (JobMember) * n_types * n_channels);

  self->types = g_strdupv ((char **) types);
  self->channels = g_strdupv ((char **) channels);
  self->hash = hash;
  self->n_members = n_types * n_channels;
  self->idle.data = self;
  job_heap_init (&self->lanes, job_member_compare_ranks,
                 G_STRUCT_OFFSET (JobMember, position_in_lanes));
  for (guint i = 0; i < self->n_members; i++)
    {
      self->members[i].subscription = self;
      join_lane (lanes, &self->members[i],
                 (JobLaneName){ (types ? types : any)[i / n_channels],
                                (channels ? channels : any)[i % n_channels] });
    }
  return self;
}

static void
drop_idle (JobLanes *self)
{
  JobSubscription *subscription = g_queue_pop_head_link (&self->idle_subscriptions)->data;

  self->n_idle_members -= subscription->n_members;
  for (guint i = 0; i < subscription->n_members; i++)
    leave_lane (self, &subscription->members[i]);
  if (self->recent == subscription)
    self->recent = NULL;
  g_hash_table_remove (self->by_list, subscription);
}

static void
begin_idle (JobLanes *self, JobSubscription *subscription)
{
  g_queue_push_tail_link (&self->idle_subscriptions, &subscription->idle);
  self->n_idle_members += subscription->n_members;
  while (self->idle_subscriptions.length > self->max_idle ||
         (self->idle_subscriptions.length > 1 && self->n_idle_members > MAX_IDLE_MEMBERS))
    drop_idle (self);
}

static void
end_idle (JobLanes *self, JobSubscription *subscription)
{
  g_queue_unlink (&self->idle_subscriptions, &subscription->idle);
  self->n_idle_members -= subscription->n_members;
}

void
job_lanes_refresh_idle (JobLanes *self, JobSubscription *subscription)
{
  if (subscription->waiters.length == 0)
    begin_idle (self, subscription);
  else
    end_idle (self, subscription);
}

static JobSubscription *
look_up (JobLanes *self, const char *const *types, const char *const *channels)
{
  JobSubscription lists = {
    .types = (char **) types,
    .channels = (char **) channels,
    .hash = hash_lists (types, channels),
  };
  JobSubscription *subscription = g_hash_table_lookup (self->by_list, &lists);

  if (subscription == NULL)
    {
      subscription = subscription_new (self, types, channels, lists.hash);
      g_hash_table_add (self->by_list, subscription);
    }
  else if (subscription->waiters.length == 0)
    end_idle (self, subscription);
  if (subscription->waiters.length == 0)
    begin_idle (self, subscription);
  return subscription;
}

JobSubscription *
job_lanes_subscribe (JobLanes *self, const char *const *types, const char *const *channels)
{
  if (self->recent == NULL || !is_to (self->recent, types, channels))
    self->recent = look_up (self, types, channels);
  return self->recent;
}

JobEntry *
job_lanes_first (JobLanes *self, const char *const *types, const char *const *channels)
{
  return job_subscription_first (job_lanes_subscribe (self, types, channels));
}
