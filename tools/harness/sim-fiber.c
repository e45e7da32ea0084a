/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim-fiber.h"

#include <ucontext.h>

#define STACK_SIZE (256 * 1024)
#define MAX_FIBERS 64
#define MAX_PRIVATES 4

typedef struct
{
  gconstpointer key;
  gpointer value;
} Private;

struct _SimFiber
{
  ucontext_t context;
  void *stack; /* owned */
  GThreadFunc func;
  gpointer data;
  gpointer result;
  gconstpointer awaits; /* NULL: it can run */
  gint64 deadline;      /* -1: none */
  gboolean late;        /* the deadline came */
  gboolean done;
  gboolean dropped;
  Private privates[MAX_PRIVATES];
};

/* There is one simulation at a time, in one thread. */
static struct
{
  SimFiber *fibers[MAX_FIBERS];
  guint n_fibers;
  guint n_ready;
  SimFiber *current; /* NULL: the loop, or nothing is simulated */
  ucontext_t loop;
  GPtrArray *spare; /* fibers with a stack */
  gint64 time;
  guint64 random;
  guint restlessness;
} sim;

/* --- chance ----------------------------------------------------------------------------------- */

void
sim_seed (guint64 seed)
{
  sim.random = seed;
}

guint64
sim_random (void)
{
  guint64 x = sim.random += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  x = (x ^ x >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return x ^ x >> 31;
}

guint
sim_below (guint limit)
{
  return (guint) (((sim_random () >> 32) * limit) >> 32);
}

gboolean
sim_chance (guint n)
{
  return n > 0 && sim_below (n) == 0;
}

/* --- switching -------------------------------------------------------------------------------- */

gboolean
sim_is_running (void)
{
  return sim.current != NULL;
}

SimFiber *
sim_fiber_self (void)
{
  return sim.current;
}

void
sim_set_restlessness (guint n)
{
  sim.restlessness = n;
}

static SimFiber *
pick (void)
{
  guint left = sim.n_ready > 1 ? sim_below (sim.n_ready) : 0;

  for (guint i = 0; i < sim.n_fibers; i++)
    if (sim.fibers[i]->awaits == NULL && left-- == 0)
      return sim.fibers[i];
  g_assert_not_reached ();
}

/* To whoever is next; comes back when this one is. */
static void
switch_away (void)
{
  SimFiber *self = sim.current;
  SimFiber *next = sim.n_ready > 0 ? pick () : NULL;

  if (next == self)
    return;
  sim.current = next;
  swapcontext (&self->context, next ? &next->context : &sim.loop);
}

void
sim_pass (void)
{
  if (sim.n_ready > 1 && sim_chance (sim.restlessness))
    switch_away ();
}

gboolean
sim_block (gconstpointer object, gint64 deadline)
{
  SimFiber *self = sim.current;

  self->awaits = object;
  self->deadline = deadline;
  self->late = FALSE;
  sim.n_ready--;
  switch_away ();
  return !self->late;
}

static void
make_ready (SimFiber *fiber)
{
  fiber->awaits = NULL;
  sim.n_ready++;
}

void
sim_wake_all (gconstpointer object)
{
  if (sim.n_ready == sim.n_fibers)
    return;
  for (guint i = 0; i < sim.n_fibers; i++)
    if (sim.fibers[i]->awaits == object)
      make_ready (sim.fibers[i]);
}

void
sim_wake_one (gconstpointer object)
{
  guint n = 0, chosen;

  for (guint i = 0; i < sim.n_fibers; i++)
    n += sim.fibers[i]->awaits == object;
  if (n == 0)
    return;
  chosen = n > 1 ? sim_below (n) : 0;
  for (guint i = 0; i < sim.n_fibers; i++)
    if (sim.fibers[i]->awaits == object && chosen-- == 0)
      {
        make_ready (sim.fibers[i]);
        return;
      }
}

/* --- the life of a fiber ---------------------------------------------------------------------- */

static void
end_privates (SimFiber *self)
{
  for (guint i = 0; i < MAX_PRIVATES && self->privates[i].key; i++)
    {
      const GPrivate *key = self->privates[i].key;
      gpointer value = g_steal_pointer (&self->privates[i].value);

      if (value && key->notify)
        key->notify (value);
    }
}

static void
fiber_main (void)
{
  SimFiber *self = sim.current;

  self->result = self->func (self->data);
  end_privates (self);
  self->done = TRUE;
  self->awaits = self;
  sim.n_ready--;
  sim_wake_all (&self->done);
  sim_wake_all (&sim.n_fibers);
  sim.current = NULL;
  setcontext (&sim.loop);
}

static void
fiber_free (gpointer data)
{
  SimFiber *self = data;

  g_free (self->stack);
  g_free (self);
}

static SimFiber *
take_spare (void)
{
  SimFiber *self;

  if (sim.spare == NULL)
    sim.spare = g_ptr_array_new_with_free_func (fiber_free);
  if (sim.spare->len > 0)
    return g_ptr_array_steal_index_fast (sim.spare, sim.spare->len - 1);
  self = g_new0 (SimFiber, 1);
  self->stack = g_malloc (STACK_SIZE);
  return self;
}

static void
prepare (ucontext_t *context, void *stack)
{
  getcontext (context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = STACK_SIZE;
  makecontext (context, fiber_main, 0);
}

SimFiber *
sim_fiber_new (GThreadFunc func, gpointer data)
{
  SimFiber *self = take_spare ();
  void *stack = self->stack;

  g_assert (sim.n_fibers < MAX_FIBERS);
  *self = (SimFiber){ .stack = stack, .func = func, .data = data, .deadline = -1 };
  prepare (&self->context, stack);
  sim.fibers[sim.n_fibers++] = self;
  sim.n_ready++;
  return self;
}

static void
forget (SimFiber *self)
{
  guint i = 0;

  while (sim.fibers[i] != self)
    i++;
  for (sim.n_fibers--; i < sim.n_fibers; i++)
    sim.fibers[i] = sim.fibers[i + 1];
  g_ptr_array_add (sim.spare, self);
}

gpointer
sim_fiber_join (SimFiber *self)
{
  gpointer result;

  while (!self->done)
    sim_block (&self->done, -1);
  result = self->result;
  forget (self);
  return result;
}

void
sim_fiber_drop (SimFiber *self)
{
  self->dropped = TRUE;
  if (self->done)
    forget (self);
}

gpointer *
sim_fiber_get_private (gconstpointer key)
{
  for (guint i = 0; i < MAX_PRIVATES; i++)
    {
      Private *private = &sim.current->privates[i];

      if (private->key == NULL)
      private->key = key;
      if (private->key == key)
        return &private->value;
    }
  g_error ("A fiber has room for %d values of its own", MAX_PRIVATES);
}

static gboolean
is_alone (void)
{
  for (guint i = 0; i < sim.n_fibers; i++)
    if (sim.fibers[i] != sim.current && !sim.fibers[i]->done)
      return FALSE;
  return TRUE;
}

void
sim_await_others (void)
{
  while (!is_alone ())
    sim_block (&sim.n_fibers, -1);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void
forget_dropped (void)
{
  for (guint i = sim.n_fibers; i-- > 0;)
    if (sim.fibers[i]->done && sim.fibers[i]->dropped)
      forget (sim.fibers[i]);
}

/* Nobody can run: time goes on to the next deadline. FALSE if there is none. */
static gboolean
let_time_pass (void)
{
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < sim.n_fibers; i++)
    if (!sim.fibers[i]->done && sim.fibers[i]->deadline >= 0)
      next = MIN (next, sim.fibers[i]->deadline);
  if (next == G_MAXINT64)
    return FALSE;
  sim.time = MAX (sim.time, next);
  for (guint i = 0; i < sim.n_fibers; i++)
    if (!sim.fibers[i]->done && sim.fibers[i]->deadline >= 0 && sim.fibers[i]->deadline <= sim.time)
      {
        sim.fibers[i]->late = TRUE;
        make_ready (sim.fibers[i]);
      }
  return TRUE;
}

static gboolean
all_done (void)
{
  for (guint i = 0; i < sim.n_fibers; i++)
    if (!sim.fibers[i]->done)
      return FALSE;
  return TRUE;
}

typedef struct
{
  GFunc func;
  gpointer data;
} Start;

static gpointer
run_start (gpointer data)
{
  Start *start = data;

  start->func (start->data, NULL);
  return NULL;
}

gboolean
sim_run (GFunc func, gpointer data)
{
  Start start = { func, data };
  gboolean ended;

  sim.n_fibers = sim.n_ready = 0;
  sim_fiber_drop (sim_fiber_new (run_start, &start));
  while (sim.n_ready > 0 || let_time_pass ())
    {
      sim.current = pick ();
      swapcontext (&sim.loop, &sim.current->context);
      forget_dropped ();
    }
  ended = all_done ();
  sim.n_fibers = 0;
  return ended;
}

/* --- time ------------------------------------------------------------------------------------- */

gint64
sim_get_time (void)
{
  return sim.time;
}

void
sim_set_time (gint64 time)
{
  sim.time = time;
}

void
sim_sleep (gint64 microseconds)
{
  int nothing = 0;

  sim_block (&nothing, sim.time + microseconds);
}
