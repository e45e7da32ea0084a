/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lanes, held against plain arrays by chance; and that lanes which nobody uses any more go away. */

#include "job-lane-private.h"

#include <string.h>

#include "test-effort.h"

#define N_JOBS 300
#define N_WAITERS 300
#define N_STEPS test_effort (6000, 2000)

#define N_LISTS 100 /* of each kind: many more pairs than are kept without waiters */
#define N_FREQUENT 5
#define MAX_LISTED 6

static const char *const types[] = { "a", "b", "c", "", "ab", "d", "e", "f", "g", "nobody" };
static const char *const channels[] = { "", "x", "a", "y", "z", "nowhere" };

typedef const char *List[MAX_LISTED + 1];

typedef struct
{
  JobEntry entry;
  const char *type;
  const char *channel;
  gboolean pending;
} Job;

typedef struct
{
  const char *const *types;
  const char *const *channels;
  guint64 number; /* of arrival */
  JobWaiter waiter;
} Waiting;

typedef struct
{
  JobLanes lanes;
  Job jobs[N_JOBS];
  Waiting waiting[N_WAITERS];
  List type_lists[N_LISTS]; /* equal ones, ones of other orders, and ones that name a name twice */
  List channel_lists[N_LISTS];
  guint64 n_arrived;
  gint64 n_queued;
} World;

static int
below (int limit)
{
  return g_test_rand_int_range (0, limit);
}

static void
fill_list (List list, const char *const *names, int n_names)
{
  for (int i = below (MAX_LISTED); i >= 0; i--)
    list[i] = names[below (n_names)];
}

/* One in six is of any. */
static const char *const *
pick_list (List *lists)
{
  if (below (6) == 0)
    return NULL;
  return lists[below (below (2) ? N_FREQUENT : N_LISTS)];
}

static gboolean
is_named (const char *const *names, const char *name)
{
  return names == NULL || g_strv_contains (names, name);
}

static Job *
naive_first (World *w, const char *const *of_types, const char *const *of_channels)
{
  Job *first = NULL;

  for (guint i = 0; i < N_JOBS; i++)
    if (w->jobs[i].pending && is_named (of_types, w->jobs[i].type) &&
        is_named (of_channels, w->jobs[i].channel) &&
        (first == NULL || job_entry_compare (&w->jobs[i].entry, &first->entry) < 0))
      first = &w->jobs[i];
  return first;
}

static Waiting *
naive_match (World *w, Job **job)
{
  Waiting *first = NULL;

  for (guint i = 0; i < N_WAITERS; i++)
    if (job_waiter_waits (&w->waiting[i].waiter) &&
        (first == NULL || w->waiting[i].number < first->number) &&
        naive_first (w, w->waiting[i].types, w->waiting[i].channels))
      first = &w->waiting[i];
  *job = first ? naive_first (w, first->types, first->channels) : NULL;
  return first;
}

static void
come_or_go (World *w, Job *job)
{
  if (job->pending)
    {
      job_lanes_remove_job (&w->lanes, &job->entry);
      job_lanes_unuse (&w->lanes, job->entry.lane);
      job->pending = FALSE;
      return;
    }
  job->type = types[below (G_N_ELEMENTS (types) - 1)];
  job->channel = channels[below (G_N_ELEMENTS (channels) - 1)];
  job->entry.lane = job_lanes_use (&w->lanes, job->type, job->channel);
  job->entry.priority = below (3);
  job->entry.queued_at = ++w->n_queued;
  g_assert_cmpstr (job_lane_get_type (job->entry.lane), ==, job->type);
  g_assert_cmpstr (job_lane_get_channel (job->entry.lane), ==, job->channel);
  job_lanes_add_job (&w->lanes, &job->entry);
  job->pending = TRUE;
}

static void
wait_or_leave (World *w, Waiting *waiting)
{
  if (job_waiter_waits (&waiting->waiter))
    {
      job_lanes_remove_waiter (&w->lanes, &waiting->waiter);
      return;
    }
  waiting->types = pick_list (w->type_lists);
  waiting->channels = pick_list (w->channel_lists);
  waiting->number = ++w->n_arrived;
  job_lanes_add_waiter (&w->lanes, &waiting->waiter, waiting->types, waiting->channels, waiting);
}

static void
check_first (World *w)
{
  const char *const *some = pick_list (w->type_lists);
  const char *const *where = pick_list (w->channel_lists);
  Job *first = naive_first (w, some, where);

  g_assert_true (job_lanes_first (&w->lanes, some, where) == (first ? &first->entry : NULL));
}

static void
match_one (World *w)
{
  Job *job;
  Waiting *expected = naive_match (w, &job);
  JobWaiter *waiter;
  JobEntry *entry;

  g_assert_cmpint (job_lanes_match (&w->lanes, &waiter, &entry), ==, expected != NULL);
  if (expected == NULL)
    return;
  g_assert_true (job_waiter_get_data (waiter) == expected);
  g_assert_true (entry == &job->entry);
  wait_or_leave (w, expected);
  come_or_go (w, job);
}

static void
check_by_chance (guint max_idle)
{
  g_autofree World *w = g_new0 (World, 1);

  job_lanes_init (&w->lanes);
  w->lanes.max_idle = max_idle;
  for (guint i = 0; i < N_LISTS; i++)
    {
      fill_list (w->type_lists[i], types, G_N_ELEMENTS (types));
      fill_list (w->channel_lists[i], channels, G_N_ELEMENTS (channels));
    }
  for (guint i = 0; i < N_STEPS; i++)
    {
      int chance = below (10);

      if (chance < 4)
        come_or_go (w, &w->jobs[below (N_JOBS)]);
      else if (chance < 6)
        wait_or_leave (w, &w->waiting[below (N_WAITERS)]);
      else if (chance < 8)
        check_first (w);
      else
        match_one (w);
    }

  for (guint i = 0; i < N_JOBS; i++)
    if (w->jobs[i].pending)
      come_or_go (w, &w->jobs[i]);
  for (guint i = 0; i < N_WAITERS; i++)
    if (job_waiter_waits (&w->waiting[i].waiter))
      wait_or_leave (w, &w->waiting[i]);
  g_assert_cmpuint (w->lanes.ready.length, ==, 0);
  g_assert_cmpuint (g_hash_table_size (w->lanes.by_list), ==, w->lanes.idle_subscriptions.length);
  job_lanes_clear (&w->lanes);
}

static void
test_by_chance (void)
{
  check_by_chance (1000);
}

/* Lanes and subscriptions go, and are made anew, all the time. */
static void
test_with_few_idle (void)
{
  check_by_chance (3);
}

/* The names of a pair are told apart, whatever is in them. */
static void
test_pairs_are_told_apart (void)
{
  static const char *const pairs[][2] = { { "a", "" },  { "", "a" },  { "ab", "c" }, { "a", "bc" },
                                          { "tc", "" }, { "*", "*" }, { "", "" },    { "t", "c" } };
  JobLane *lanes[G_N_ELEMENTS (pairs)];
  JobLanes self;

  job_lanes_init (&self);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      lanes[i] = job_lanes_use (&self, pairs[i][0], pairs[i][1]);
      for (guint j = 0; j < i; j++)
        g_assert_true (lanes[i] != lanes[j]);
      g_assert_true (job_lanes_use (&self, pairs[i][0], pairs[i][1]) == lanes[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      job_lanes_unuse (&self, lanes[i]);
      job_lanes_unuse (&self, lanes[i]);
    }
  g_assert_cmpuint (g_hash_table_size (self.by_name), ==, self.idle_lanes.length);
  job_lanes_clear (&self);
}

/* --- lanes that nobody uses ------------------------------------------------------------------- */

#define N_CHANNELS test_effort (100000, 10000)
#define MOST_LEFT 5000

static void
pass_through (JobLanes *self, const char *channel)
{
  const char *const named[] = { channel, NULL };
  JobEntry entry = { .lane = job_lanes_use (self, "t", channel) };
  JobWaiter waiter = { 0 };

  job_lanes_add_job (self, &entry);
  g_assert_true (job_lanes_first (self, NULL, named) == &entry);
  job_lanes_add_waiter (self, &waiter, (const char *const[]){ "a", NULL }, named, NULL);
  job_lanes_remove_waiter (self, &waiter);
  job_lanes_remove_job (self, &entry);
  job_lanes_unuse (self, entry.lane);
}

static void
test_unused_lanes_go (void)
{
  JobLanes self;

  job_lanes_init (&self);
  for (guint i = 0; i < N_CHANNELS; i++)
    {
      g_autofree char *channel = g_strdup_printf ("tenant-%u", i);

      pass_through (&self, channel);
      g_assert_cmpuint (g_hash_table_size (self.by_name), <, MOST_LEFT);
      g_assert_cmpuint (g_hash_table_size (self.by_list), <, MOST_LEFT);
      g_assert_cmpuint (g_hash_table_size (self.families[JOB_FAMILY_CHANNEL]), <, MOST_LEFT);
    }
  job_lanes_clear (&self);
}

/* A wide lane is not swept away under somebody who waits in it. */
static void
test_used_lanes_stay (void)
{
  const char *const kept[] = { "kept", NULL };
  JobEntry entry = { 0 };
  JobWaiter waiter = { 0 }, *found;
  JobEntry *job;
  JobLanes self;

  job_lanes_init (&self);
  job_lanes_add_waiter (&self, &waiter, NULL, kept, NULL);
  for (guint i = 0; i < MOST_LEFT; i++)
    {
      g_autofree char *channel = g_strdup_printf ("tenant-%u", i);
      const char *const named[] = { channel, NULL };

      g_assert_null (job_lanes_first (&self, NULL, named));
    }
  entry.lane = job_lanes_use (&self, "t", "kept");
  job_lanes_add_job (&self, &entry);
  g_assert_true (job_lanes_match (&self, &found, &job));
  g_assert_true (found == &waiter && job == &entry);
  job_lanes_remove_waiter (&self, &waiter);
  job_lanes_remove_job (&self, &entry);
  job_lanes_unuse (&self, entry.lane);
  job_lanes_clear (&self);
}

/* Those who go away, many at once, push the subscription out that was asked for last, and whose
 * lane still knows it for somebody who waited. */
static void
test_forgotten_ones_are_made_anew (void)
{
  const guint n = 3000;
  g_autofree JobWaiter *waiters = g_new0 (JobWaiter, n);
  const char *const wanted[] = { "t", NULL };
  JobWaiter gone = { 0 }, *found;
  JobEntry entry = { 0 }, *job;
  JobLanes self;

  job_lanes_init (&self);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *channel = g_strdup_printf ("tenant-%u", i);

      job_lanes_add_waiter (&self, &waiters[i], wanted, (const char *const[]){ channel, NULL },
                            NULL);
    }
  job_lanes_add_waiter (&self, &gone, wanted, NULL, NULL);
  job_lanes_remove_waiter (&self, &gone);
  entry.lane = job_lanes_use (&self, "t", "");
  job_lanes_add_job (&self, &entry);
  for (guint i = 0; i < n; i++)
    job_lanes_remove_waiter (&self, &waiters[i]);
  g_assert_cmpuint (g_hash_table_size (self.by_list), <, n);

  g_assert_false (job_lanes_match (&self, &found, &job));
  g_assert_true (job_lanes_first (&self, wanted, NULL) == &entry);
  job_lanes_remove_job (&self, &entry);
  job_lanes_unuse (&self, entry.lane);
  job_lanes_clear (&self);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/lanes/as-plain-arrays-by-chance", test_by_chance);
  g_test_add_func ("/lanes/with-few-idle-by-chance", test_with_few_idle);
  g_test_add_func ("/lanes/pairs-are-told-apart", test_pairs_are_told_apart);
  g_test_add_func ("/lanes/unused-ones-go", test_unused_lanes_go);
  g_test_add_func ("/lanes/used-ones-stay", test_used_lanes_stay);
  g_test_add_func ("/lanes/forgotten-ones-are-made-anew", test_forgotten_ones_are_made_anew);

  return g_test_run ();
}
