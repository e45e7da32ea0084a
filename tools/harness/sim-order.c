/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A search, call by call, through all the orders that are allowed and go with the answers. What was
 * not done yet can always be done a little later, so there are two ways on: the next call is made,
 * or the first of those that are late happens. As a rule nothing is late, or what is late met an
 * error that it meets at once as well: then there is one way only, and nothing is copied. */

#include "sim-order.h"

#include "job-error.h"

#include <string.h>

#define MAX_PATH (2 * SIM_MAX_BURST + 1)

typedef enum
{
  TOLD,    /* it happened as the answer says */
  FAILED,  /* it did not happen */
  STRAYED, /* a job was leased, could not be told of, and goes back */
  MAYBE,   /* it happened or not */
  UNTOLD,  /* it happened, if it did not come too late */
} Fate;

typedef struct
{
  const SimBurst *burst;
  GPtrArray *waits;
  SimOrderKind kind;
  Fate fates[SIM_MAX_BURST];
  guint bound;       /* a bit for each call that has to be among those that happened */
  gboolean failed;   /* some have */
  GHashTable *seen;  /* of char: points that were there before */
  GHashTable *paths; /* of char: of those that were found */
  GPtrArray *found;  /* of Model */
  char *difference;  /* owned: of the way that got furthest */
  guint n_furthest;
} Search;

/* How far it is. */
typedef struct
{
  Model *model;              /* owned */
  guint next;                /* the call that is made next */
  guint settled;             /* a bit for each call that happened, or never will */
  guint strays;              /* a bit for each whose job has yet to go back */
  guint jobs[SIM_MAX_BURST]; /* of strays: their numbers */
  gboolean *served;          /* owned: for each that waits */
  char path[MAX_PATH];       /* what changed jobs, in order: a letter for each call */
} Point;

static void visit (Search *self, Point *point);

/* --- what is known ---------------------------------------------------------------------------- */

gboolean
sim_order_is_failure (const SimBurstCall *call)
{
  return call->answer.error == JOB_ERROR_STORAGE || call->answer.error == JOB_ERROR_CLOSED;
}

static Fate
get_fate (const SimBurstCall *call, SimOrderKind kind)
{
  if (call->answer.error == MODEL_OK)
    return TOLD;
  if (g_str_has_prefix (call->answer.message, "A job was leased, and goes back"))
    return STRAYED;
  if (call->is_late)
    return kind == SIM_ORDER_CUT_AFTER_FAULTS ? MAYBE : UNTOLD;
  if (!sim_order_is_failure (call))
    return TOLD;
  return strstr (call->answer.message, "outcome is unknown") ? MAYBE : FAILED;
}

/* These say nothing about what is on disk: a heartbeat is not written, and who finds nothing to do
 * is told at once. */
static gboolean
is_binding (const SimBurstCall *call)
{
  if (call->act.verb == SIM_HEARTBEAT)
    return call->answer.error != MODEL_OK;
  return call->answer.error != JOB_ERROR_TIMED_OUT;
}

static gboolean
changes_jobs (const SimAct *act)
{
  return act->verb != SIM_HEARTBEAT && act->verb != SIM_LOOKUP_TOKEN && act->verb != SIM_GET_INFO;
}

/* These happen when they are made, and at no other time. What is said of a job that is over is the
 * same at any time. */
static gboolean
is_prompt (const SimAct *act, const Model *model)
{
  return act->verb == SIM_DEQUEUE || act->verb == SIM_LOOKUP_TOKEN ||
         (act->n_specs == 0 && model_find (model, act->id) != NULL);
}

static gboolean
is_of_same_call (const SimAct *act, const char *id)
{
  for (guint i = 0; i < act->n_specs; i++)
    if (g_str_equal (job_spec_get_id (act->specs[i].real), id))
      return TRUE;
  return FALSE;
}

/* Whether the library looks for an id in the ledger before it enqueues anything. */
static gboolean
looks_first (const SimAct *act, const Model *model)
{
  for (guint i = 0; i < act->n_specs; i++)
    {
      g_auto (GStrv) ids = job_spec_dup_dependencies (act->specs[i].real);

      for (guint j = 0; ids[j]; j++)
        {
          const ModelJob *job = model_find (model, ids[j]);

          if (job ? model_is_over (job) : !is_of_same_call (act, ids[j]))
            return TRUE;
        }
    }
  return act->own_id;
}

/* --- points ----------------------------------------------------------------------------------- */

static guint
get_late (const Point *point)
{
  return ((1u << point->next) - 1) & ~point->settled;
}

static Point
point_copy (const Point *point, guint n_waits)
{
  Point copy = *point;

  copy.model = model_copy (point->model);
  copy.served = g_memdup2 (point->served, n_waits * sizeof *point->served);
  return copy;
}

static void
note_change (Point *point, char letter)
{
  gsize length = strlen (point->path);

  point->path[length] = letter;
  point->path[length + 1] = '\0';
}

/* Takes over @text. */
static void
note_difference (Search *self, const Point *point, guint number, char *text)
{
  guint n = 1;

  for (guint i = 0; i < SIM_MAX_BURST; i++)
    n += (point->settled >> i) & 1;
  if (n > self->n_furthest)
    {
      g_free (self->difference);
      self->difference = g_strdup_printf ("of several at once, %c: %s", 'a' + number, text);
      self->n_furthest = n;
    }
  g_free (text);
}

/* --- steps: each takes over the point --------------------------------------------------------- */

static void
give_up (Point *point)
{
  g_clear_pointer (&point->model, model_free);
  g_clear_pointer (&point->served, g_free);
}

static void
settle (Search *self, Point *point, guint number)
{
  point->settled |= 1u << number;
  visit (self, point);
}

/* NULL: it goes with what it was told, if it was. */
static char *
serve_one (const SimWait *wait, Model *model, gboolean *served)
{
  char *difference;
  guint job;

  if (*served || wait->act.verb != SIM_WAIT ||
      model_dequeue (model, sim_act_get_types (&wait->act), sim_act_get_channels (&wait->act),
                     &job) != MODEL_OK)
    return NULL;
  *served = TRUE;
  if (wait->answer.token == NULL)
    return NULL;
  difference = sim_answer_compare (&wait->answer, model, MODEL_OK, job);
  model_learn_token (model, job, wait->answer.token);
  return difference;
}

/* Who waits, in the order in which they came. FALSE: that cannot be. */
static gboolean
serve (Search *self, Point *point, guint number)
{
  char *difference = NULL;

  for (guint i = 0; difference == NULL && i < self->waits->len; i++)
    difference = serve_one (g_ptr_array_index (self->waits, i), point->model, &point->served[i]);
  if (difference)
    note_difference (self, point, number, difference);
  return difference == NULL;
}

static void
happen (Search *self, Point *point, guint number, guint job)
{
  const SimBurstCall *call = &self->burst->calls[number];

  if (call->answer.token)
    model_learn_token (point->model, job, call->answer.token);
  if (changes_jobs (&call->act))
    note_change (point, 'a' + number);
  if (self->fates[number] == STRAYED)
    {
      point->strays |= 1u << number;
      point->jobs[number] = job;
    }
  if (serve (self, point, number))
    settle (self, point, number);
  else
    give_up (point);
}

/* @again: it is late. */
static void
try_call (Search *self, Point *point, guint number, gboolean again)
{
  const SimBurstCall *call = &self->burst->calls[number];
  gboolean told = self->fates[number] == TOLD;
  char *difference;
  guint job;
  int expected;

  if (!again && looks_first (&call->act, point->model))
    {
      visit (self, point);
      return;
    }
  expected = sim_act_model (&call->act, point->model, &job);
  difference = told ? sim_answer_compare (&call->answer, point->model, expected, job) : NULL;
  if (difference && expected != MODEL_OK && !again && !is_prompt (&call->act, point->model))
    {
      g_free (difference);
      visit (self, point);
    }
  else if (difference)
    {
      note_difference (self, point, number, difference);
      give_up (point);
    }
  else if (expected == MODEL_OK)
    happen (self, point, number, job);
  else if (!told && !again && !is_prompt (&call->act, point->model))
    visit (self, point);
  else
    settle (self, point, number);
}

static void
make_call (Search *self, Point *point)
{
  guint number = point->next++;
  const SimBurstCall *call = &self->burst->calls[number];

  /* Where calls failed, a job may have been somebody's for a while. */
  if (self->fates[number] == FAILED || (self->failed && call->answer.error == JOB_ERROR_TIMED_OUT))
    {
      settle (self, point, number);
      return;
    }
  if (self->fates[number] == MAYBE)
    {
      Point without = point_copy (point, self->waits->len);

      settle (self, &without, number);
    }
  try_call (self, point, number, FALSE);
}

static void
bring_back (Search *self, Point *point)
{
  guint number = (guint) g_bit_nth_lsf (point->strays, -1);
  const ModelJob *job = model_get_job (point->model, point->jobs[number]);

  if (job->state == JOB_STATE_RUNNING && job->token == NULL)
    model_release (point->model, job->id, NULL);
  note_change (point, 'A' + number);
  point->strays &= ~(1u << number);
  visit (self, point);
}

/* --- the search ------------------------------------------------------------------------------- */

static gboolean
was_here (Search *self, const Point *point)
{
  return !g_hash_table_add (self->seen,
                            g_strdup_printf ("%s %u %x", point->path, point->next, point->settled));
}

/* All who were told of a job have it, and no others, unless they were not told any more. */
static gboolean
goes_with_waits (const Search *self, const Point *point)
{
  for (guint i = 0; i < self->waits->len; i++)
    {
      const SimWait *wait = g_ptr_array_index (self->waits, i);
      gboolean told = wait->answer.token != NULL;

      if (told != point->served[i] && (told || self->kind == SIM_ORDER_ALL))
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_end (const Search *self, const Point *point)
{
  if (!goes_with_waits (self, point))
    return FALSE;
  if (self->kind == SIM_ORDER_CUT || self->kind == SIM_ORDER_CUT_AFTER_FAULTS)
    return (point->settled & self->bound) == self->bound;
  return point->next == self->burst->n_calls && get_late (point) == 0 &&
         (point->strays == 0 || self->kind == SIM_ORDER_CLOSED);
}

/* @last: it goes no further. */
static void
note_end (Search *self, Point *point, gboolean last)
{
  if (!g_hash_table_add (self->paths, g_strdup (point->path)))
    return;
  g_ptr_array_add (self->found, last ? g_steal_pointer (&point->model) : model_copy (point->model));
}

/* Copies the point unless it was the last way. */
static void
go (Search *self, Point *point, guint *n_ways, void (*step) (Search *self, Point *point))
{
  Point copy;

  if (--*n_ways == 0)
    {
      step (self, point);
      return;
    }
  copy = point_copy (point, self->waits->len);
  step (self, &copy);
}

static void
try_late (Search *self, Point *point)
{
  try_call (self, point, (guint) g_bit_nth_lsf (get_late (point), -1), TRUE);
}

static void
visit (Search *self, Point *point)
{
  gboolean may_call = point->next < self->burst->n_calls;
  gboolean has_late = get_late (point) != 0;
  gboolean has_strays = point->strays != 0;
  guint n_ways = may_call + has_late + has_strays;

  if ((has_late || has_strays) && was_here (self, point))
    {
      give_up (point);
      return;
    }
  if (is_end (self, point))
    note_end (self, point, n_ways == 0);
  if (n_ways == 0)
    {
      give_up (point);
      return;
    }
  if (may_call)
    go (self, point, &n_ways, make_call);
  if (has_late)
    go (self, point, &n_ways, try_late);
  if (has_strays)
    go (self, point, &n_ways, bring_back);
}

/* --- what is found ---------------------------------------------------------------------------- */

static gboolean
is_same_job (const ModelJob *a, const ModelJob *b)
{
  return strcmp (a->id, b->id) == 0 && a->state == b->state && a->reason == b->reason &&
         a->attempts == b->attempts && g_strcmp0 (a->token, b->token) == 0 &&
         g_strcmp0 (a->outcome, b->outcome) == 0 && a->started_at == b->started_at &&
         a->finished_at == b->finished_at && a->heartbeat_at == b->heartbeat_at;
}

static gboolean
is_same (const Model *a, const Model *b)
{
  gboolean same = a->jobs->len == b->jobs->len;

  for (guint i = 0; same && i < a->jobs->len; i++)
    same = is_same_job (model_get_job (a, i), model_get_job (b, i));
  return same;
}

/* Many an order makes no difference. */
static void
drop_equal (GPtrArray *models)
{
  for (guint i = 0; i < models->len; i++)
    for (guint j = models->len - 1; j > i; j--)
      if (is_same (g_ptr_array_index (models, i), g_ptr_array_index (models, j)))
        g_ptr_array_remove_index (models, j);
}

GPtrArray *
sim_order_find (const SimBurst *burst, GPtrArray *waits, SimOrderKind kind, Model *model,
                char **difference)
{
  Search self = { .burst = burst, .waits = waits, .kind = kind };
  Point start = { .model = model, .served = g_new0 (gboolean, MAX (waits->len, 1)) };

  self.seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self.paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self.found = g_ptr_array_new_with_free_func ((GDestroyNotify) model_free);
  for (guint i = 0; i < burst->n_calls; i++)
    {
      self.fates[i] = get_fate (&burst->calls[i], kind);
      self.failed |= sim_order_is_failure (&burst->calls[i]);
      if (self.fates[i] == TOLD && is_binding (&burst->calls[i]))
        self.bound |= 1u << i;
    }
  visit (&self, &start);
  drop_equal (self.found);
  if (self.found->len == 0)
    *difference = g_steal_pointer (&self.difference);
  g_free (self.difference);
  g_hash_table_unref (self.seen);
  g_hash_table_unref (self.paths);
  return self.found;
}
